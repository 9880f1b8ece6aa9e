// A stack for walks over terms of any depth: the first entries on the C++ stack, the rest in
// memory.
#pragma once

#include <cstring>
#include <type_traits>

#include "vm/base/growing_piece.h"

namespace quelea {

template <class Entry, std::size_t kInline = 32>
class WorkStack {
  static_assert(std::is_trivially_copyable_v<Entry>);

 public:
  WorkStack() = default;
  ~WorkStack() {
    if (!is_inline()) release_piece(entries_, held_ * sizeof(Entry));
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
  bool is_inline() { return entries_ == inline_entries(); }
  void grow() {
    if (capacity_ == held_) grow_held();
    capacity_ = make_more_present(static_cast<void*>(entries_), capacity_ * sizeof(Entry),
                                  held_ * sizeof(Entry)) /
                sizeof(Entry);
  }
  void grow_held() {
    const std::size_t bytes = held_ * sizeof(Entry);
    void* const larger = is_inline() ? grow_piece(nullptr, 0, 2 * bytes)
                                     : grow_piece(static_cast<void*>(entries_), bytes, 2 * bytes);
    if (is_inline()) std::memcpy(larger, memory_, bytes);
    entries_ = static_cast<Entry*>(larger);
    held_ *= 2;
  }

  alignas(Entry) unsigned char memory_[kInline * sizeof(Entry)];
  Entry* entries_ = inline_entries();
  std::size_t size_ = 0;
  std::size_t capacity_ = kInline;  ///< Of what is held so much is present.
  std::size_t held_ = kInline;
};

}  // namespace quelea
