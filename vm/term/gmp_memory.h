// Memory for GMP. What it wants for a moment it takes from the host's malloc, and where it gets none
// it ends the program: it knows no other way, and its allocator is the host's to choose, as another
// part of the host may use it, too. So what an operation may want is asked for before it begins.
// That others take it in between is possible, but they would have to do so within microseconds of the
// machine's last bytes.
#pragma once

#include <gmp.h>

#include <cstddef>

namespace quelea {

/// Before an operation whose operands and result have `limbs` limbs together: throws std::bad_alloc
/// where there is no memory for it.
void expect_gmp_memory(std::size_t limbs);

/// The same where small operands want none.
inline void expect_mpn_memory(std::size_t limbs) {
  // Up to 64 KiB GMP takes from the stack.
  constexpr std::size_t kOnStackLimbs = 1024;
  if (limbs > kOnStackLimbs) expect_gmp_memory(limbs);
}

/// An integer of GMP's own.
struct GmpInteger {
  explicit GmpInteger(std::size_t limbs) {
    expect_gmp_memory(limbs);
    mpz_init(value);
  }
  ~GmpInteger() { mpz_clear(value); }
  GmpInteger(const GmpInteger&) = delete;
  GmpInteger& operator=(const GmpInteger&) = delete;

  mpz_t value;
};

}  // namespace quelea
