// Private to the integer files: results under construction and scratch memory for limbs.
#pragma once

#include <cstdlib>

#include "vm/base/gmp.h"
#include "vm/base/memory.h"
#include "vm/term/alloc.h"
#include "vm/term/integer.h"

namespace quelea {

static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0);

/// Scratch limbs: on the stack while they are few.
class Scratch {
 public:
  explicit Scratch(std::size_t limbs) {
    if (limbs <= kInline) {
      data_ = inline_;
    } else {
      data_ = static_cast<mp_limb_t*>(allocate(limbs * sizeof(mp_limb_t)));
      if (data_ == nullptr) no_memory();
    }
  }
  ~Scratch() {
    if (data_ != inline_) release(data_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  mp_limb_t* data() { return data_; }

 private:
  static constexpr std::size_t kInline = 64;
  mp_limb_t inline_[kInline];
  mp_limb_t* data_;
};

/// A big under construction: room for the limbs straight in the heap, of which `finish` keeps what
/// the value needs.
class BigResult {
 public:
  BigResult(TermAlloc& alloc, std::size_t limbs)
      : alloc_(alloc), object_(alloc.alloc(1 + limbs)), room_(limbs) {}
  mp_limb_t* limbs() { return reinterpret_cast<mp_limb_t*>(object_ + 1); }

  /// The normalised integer of the first `size` limbs; `none` past the limit.
  Term finish(bool negative, std::size_t size) {
    mp_limb_t* at = limbs();
    while (size > 0 && at[size - 1] == 0) --size;
    Word* end = object_ + 1 + room_;
    if (size <= 1) {
      Word value = size == 0 ? 0 : at[0];
      Word largest = static_cast<Word>(kMaxSmall) + (negative ? 1 : 0);
      if (value <= largest) {
        alloc_.give_back(end, room_ + 1);
        std::int64_t small = static_cast<std::int64_t>(value);
        return Term::small(negative ? -small : small);
      }
    }
    if (size > kMaxIntegerLimbs) {
      alloc_.give_back(end, room_ + 1);
      return Term::none();
    }
    object_[0] = Header::make(negative ? Kind::NegativeBig : Kind::PositiveBig, size).bits;
    alloc_.give_back(end, room_ - size);
    return Term::boxed(object_);
  }

 private:
  TermAlloc& alloc_;
  Word* object_;
  std::size_t room_;
};

/// About how many limb operations a product takes: quadratic while small, then what GMP's better
/// algorithms need.
inline std::size_t product_work(std::size_t a, std::size_t b) {
  std::size_t less = a < b ? a : b;
  std::size_t more = a < b ? b : a;
  if (less <= 32) return less * more;
  return more * (16 + 4 * static_cast<std::size_t>(64 - __builtin_clzll(less)));
}
inline void add_work(std::size_t* work, std::size_t amount) {
  if (work != nullptr) *work += amount;
}

}  // namespace quelea
