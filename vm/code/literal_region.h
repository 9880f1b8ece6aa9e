// Where the literals of loaded modules live.
//
// Every virtual machine reserves one range of addresses and hands it out from the bottom as modules
// are loaded. Literals are shared by all processes, never copied by messages and never moved, so
// the collector and the message copier must tell them from heap terms: with a single range that is
// one comparison. Reserved addresses cost no memory until they are written.
#pragma once

#include <cstddef>

#include "vm/term/alloc.h"

namespace quelea {

class LiteralRegion {
 public:
  static constexpr std::size_t kReservedBytes = std::size_t{256} << 20;

  LiteralRegion();
  ~LiteralRegion();
  LiteralRegion(const LiteralRegion&) = delete;
  LiteralRegion& operator=(const LiteralRegion&) = delete;

  bool contains(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - base_) < kReservedBytes;
  }
  bool contains(Term term) const { return contains(term.pointer()); }

  /// Room for `words` words that is never moved or given back while the machine lives; null when
  /// the region is full.
  Word* alloc(std::size_t words);

  std::size_t used_bytes() const { return used_; }

 private:
  char* base_;
  std::size_t used_ = 0;
  std::size_t committed_ = 0;
};

}  // namespace quelea
