// A reserved range of addresses whose beginning is usable: what lies in it is recognised by one
// comparison. Pages are committed as they are used and never move.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quelea {

class AddressRange {
 public:
  /// Reserves `bytes`, or as much of it as the system gives (halving), or as is fair where
  /// addresses are limited; may end up empty.
  explicit AddressRange(std::size_t bytes);
  ~AddressRange();
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  char* begin() const { return begin_; }
  std::size_t size() const { return size_; }
  std::size_t committed() const { return committed_; }
  bool contains(const void* pointer) const {
    return reinterpret_cast<std::uintptr_t>(pointer) - reinterpret_cast<std::uintptr_t>(begin_) <
           size_;
  }
  /// Makes the first `bytes` usable; false when the range or the system's memory ends.
  bool commit(std::size_t bytes);
  /// So much of it is in use and counts as taken.
  void count(std::size_t bytes);

 private:
  char* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t committed_ = 0;
  std::size_t counted_ = 0;
};

}  // namespace quelea
