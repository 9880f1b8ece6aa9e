// For containers of the standard library whose size a program decides: their memory comes from the
// machine's allocator, so that `--max-memory` sees it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "vm/base/memory.h"

namespace quelea {

template <class T>
struct MachineAllocator {
  using value_type = T;
  MachineAllocator() = default;
  template <class Other>
  MachineAllocator(const MachineAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    void* memory = quelea::allocate(count * sizeof(T));
    if (memory == nullptr) no_memory();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { release(memory); }
  bool operator==(const MachineAllocator&) const { return true; }
};

template <class T>
using MachineVector = std::vector<T, MachineAllocator<T>>;
using MachineString = std::basic_string<char, std::char_traits<char>, MachineAllocator<char>>;

}  // namespace quelea
