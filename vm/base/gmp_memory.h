// Memory for GMP, which has an archive of its own (tools/cmake/gmp.cmake), from the machine's
// allocator, so that `--max-memory` sees it.
//
// The problem. GMP has no way to say that there is no memory: its functions return nothing, and
// what gives it memory must not fail, or not return. And an operation that is left half-way would
// keep what it had taken so far.
//
// The idea. What gives it memory throws. The exception passes through frames of GMP, which are C
// that was compiled with tables for unwinding, and hold nothing but memory. That is on a list of
// the thread, and what an operation has put there is given back when its GmpWork ends.
#pragma once

#include "vm/base/gmp.h"

namespace quelea {

/// A piece that GMP has; its memory follows.
struct alignas(16) GmpPiece {
  GmpPiece* newer;
  GmpPiece* older;
};
extern constinit thread_local GmpPiece* newest_gmp_piece;

/// Around an operation of GMP that may want memory, of a kind that does not say so: throws
/// std::bad_alloc where there is none. (What is smaller than 64 KiB GMP takes from the stack.)
class GmpWork {
 public:
  GmpWork() : before_(newest_gmp_piece) {}
  ~GmpWork() {
    if (newest_gmp_piece != before_) give_back();
  }
  GmpWork(const GmpWork&) = delete;
  GmpWork& operator=(const GmpWork&) = delete;

 private:
  void give_back();

  GmpPiece* const before_;
};

/// An integer of GMP's own, which is gone with the work that it is the result of. One at a time.
struct GmpInteger : GmpWork {
  GmpInteger() { mpz_init(value); }

  mpz_t value;
};

}  // namespace quelea
