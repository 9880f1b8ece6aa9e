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
  ~WorkStack() { give_back(); }
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
  /// A large one has pages of its own, which move without being copied.
  void grow() {
    const std::size_t bytes = capacity_ * sizeof(Entry);
    const bool was_mapped = bytes >= kMappedBytes;
    const bool is_mapped = 2 * bytes >= kMappedBytes;
    void* const larger = was_mapped  ? remap_pages(entries_, bytes, 2 * bytes)
                         : is_mapped ? map_pages(2 * bytes)
                                     : allocate(2 * bytes);
    if (larger == nullptr) no_memory();
    if (!was_mapped) {
      std::memcpy(larger, static_cast<void*>(entries_), bytes);
      give_back();
    }
    entries_ = static_cast<Entry*>(larger);
    capacity_ *= 2;
  }
  void give_back() {
    const std::size_t bytes = capacity_ * sizeof(Entry);
    if (bytes >= kMappedBytes) {
      unmap_pages(entries_, bytes);
    } else if (entries_ != inline_entries()) {
      release(entries_);
    }
  }

  static constexpr std::size_t kMappedBytes = std::size_t{1} << 20;
  static_assert(kInline * sizeof(Entry) < kMappedBytes);

  alignas(Entry) unsigned char memory_[kInline * sizeof(Entry)];
  Entry* entries_ = inline_entries();
  std::size_t size_ = 0;
  std::size_t capacity_ = kInline;
};

}  // namespace quelea
