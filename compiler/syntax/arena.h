// A bump allocator for everything one compilation makes: nodes, lists, decoded string text.
//
// Nothing in it is destroyed one by one, so only trivially destructible types may live here; the
// whole arena goes at once when the compilation is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace quelea::compiler {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes, size_t align) {
    uintptr_t at = (cursor_ + (align - 1)) & ~static_cast<uintptr_t>(align - 1);
    if (at + bytes > limit_ || at + bytes < at) return allocate_slow(bytes, align);
    cursor_ = at + bytes;
    return reinterpret_cast<void*>(at);
  }

  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  // An uninitialised array; the caller writes every element.
  template <class T>
  std::span<T> array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    return {static_cast<T*>(allocate(sizeof(T) * count, alignof(T))), count};
  }

  template <class T>
  std::span<T> copy(const T* first, size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::span<T> out = array<T>(count);
    if (count != 0) std::memcpy(static_cast<void*>(out.data()), first, sizeof(T) * count);
    return out;
  }

  template <class T>
  std::span<T> copy(const std::vector<T>& items) {
    return copy(items.data(), items.size());
  }

  std::string_view copy_text(std::string_view text) {
    std::span<char> out = copy(text.data(), text.size());
    return {out.data(), out.size()};
  }

  size_t bytes_reserved() const { return reserved_; }

 private:
  void* allocate_slow(size_t bytes, size_t align) {
    size_t want = bytes + align;
    size_t size = want > next_size_ ? want : next_size_;
    if (next_size_ < kMaxBlock) next_size_ *= 2;
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    reserved_ += size;
    cursor_ = reinterpret_cast<uintptr_t>(blocks_.back().get());
    limit_ = cursor_ + size;
    return allocate(bytes, align);
  }

  static constexpr size_t kMaxBlock = size_t{4} << 20;

  uintptr_t cursor_ = 0;
  uintptr_t limit_ = 0;
  size_t next_size_ = size_t{16} << 10;
  size_t reserved_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

}  // namespace quelea::compiler
