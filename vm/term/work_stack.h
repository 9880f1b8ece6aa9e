// A stack for walks over terms of any depth: the first entries on the C++ stack, the rest in
// memory.
#pragma once

#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "vm/base/memory.h"

namespace quelea {

template <class Entry, std::size_t kInline = 32>
class WorkStack {
  static_assert(std::is_trivially_copyable_v<Entry>);

 public:
  WorkStack() = default;
  ~WorkStack() {
    if (entries_ != inline_entries()) release(entries_);
  }
  WorkStack(const WorkStack&) = delete;
  WorkStack& operator=(const WorkStack&) = delete;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  Entry& top() { return entries_[size_ - 1]; }
  Entry& operator[](std::size_t index) { return entries_[index]; }
  void pop() { --size_; }
  Entry take() { return entries_[--size_]; }
  void push(const Entry& entry) {
    if (size_ == capacity_) {
      Entry copy = entry;  // it may lie in the memory that moves
      grow();
      entries_[size_++] = copy;
      return;
    }
    entries_[size_++] = entry;
  }

 private:
  Entry* inline_entries() { return reinterpret_cast<Entry*>(memory_); }
  void grow() {
    std::size_t bytes = size_ * sizeof(Entry);
    Entry* larger = static_cast<Entry*>(allocate(2 * bytes));
    if (larger == nullptr) no_memory();
    std::memcpy(static_cast<void*>(larger), entries_, bytes);
    if (entries_ != inline_entries()) release(entries_);
    entries_ = larger;
    capacity_ *= 2;
  }

  alignas(Entry) unsigned char memory_[kInline * sizeof(Entry)];
  Entry* entries_ = inline_entries();
  std::size_t size_ = 0;
  std::size_t capacity_ = kInline;
};

}  // namespace quelea
