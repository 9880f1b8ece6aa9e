// A vector of plain values. Large blocks grow by changing page tables, not by copying, so that
// `push_back` never takes long. What `resize_raw` adds is not initialised; its pages are for
// whoever writes them (PagesAhead).
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "vm/base/growing_piece.h"

namespace quelea {

template <class T>
class RawVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  RawVector() = default;
  ~RawVector() { release_piece(data_, held_ * sizeof(T)); }
  RawVector(RawVector&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        held_(std::exchange(other.held_, 0)) {}
  RawVector& operator=(RawVector&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(held_, other.held_);
    return *this;
  }
  RawVector(const RawVector&) = delete;
  RawVector& operator=(const RawVector&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }
  T& back() { return data_[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

  void push_back(T value) {
    if (size_ == capacity_) make_room();
    data_[size_++] = value;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  void reserve(std::size_t capacity) {
    if (capacity <= held_) return;
    data_ = static_cast<T*>(
        grow_piece(static_cast<void*>(data_), held_ * sizeof(T), capacity * sizeof(T)));
    held_ = capacity;
  }
  void resize_raw(std::size_t size) {
    reserve(size);
    size_ = size;
    capacity_ = std::max(capacity_, size);
  }

 private:
  void make_room() {
    if (capacity_ == held_) reserve(held_ == 0 ? 8 : 2 * held_);
    capacity_ =
        make_more_present(static_cast<void*>(data_), capacity_ * sizeof(T), held_ * sizeof(T)) /
        sizeof(T);
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  ///< Of what is held so much is present.
  std::size_t held_ = 0;
};

}  // namespace quelea
