// Integers of any size.
//
// An integer is a small (61 bits) or a big: sign in the kind, magnitude in 64-bit limbs that GMP's
// `mpn` functions work on in place. The form is canonical: a value that fits a small is a small, a
// big's top limb is not zero; so equal integers have equal form. All functions take integer terms
// (small or big), never collect, and return `none` where the result would have more than
// kMaxIntegerBits bits (a system_limit) or does not exist (division by zero, which callers test
// first). `work` receives the number of limb operations done, where that can be large.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

/// 8 MiB of magnitude, 20 million decimal digits: one operation stays well under a second.
inline constexpr std::size_t kMaxIntegerBits = std::size_t{1} << 26;
inline constexpr std::size_t kMaxIntegerLimbs = kMaxIntegerBits / 64;

inline bool is_big(Term term) {
  if (!term.is_boxed()) return false;
  Kind kind = header_of(term).kind();
  return kind == Kind::PositiveBig || kind == Kind::NegativeBig;
}
inline bool is_integer(Term term) { return term.is_small() || is_big(term); }

/// A look at an integer as sign and magnitude; a small's limb lies in the view itself.
class IntegerView {
 public:
  explicit IntegerView(Term integer);
  IntegerView(const IntegerView&) = delete;
  IntegerView& operator=(const IntegerView&) = delete;
  bool negative() const { return negative_; }
  const std::uint64_t* limbs() const { return limbs_; }
  /// 0 for zero.
  std::size_t size() const { return size_; }

 private:
  const std::uint64_t* limbs_;
  std::size_t size_;
  std::uint64_t small_;
  bool negative_;
};

// Making ----------------------------------------------------------------------------------------
Term make_big(TermAlloc& alloc, bool negative, const std::uint64_t* limbs, std::size_t size);
inline Term make_integer(TermAlloc& alloc, std::int64_t value) {
  if (QUELEA_LIKELY(fits_small(value))) return Term::small(value);
  std::uint64_t limb =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  return make_big(alloc, value < 0, &limb, 1);
}
inline Term make_integer_unsigned(TermAlloc& alloc, std::uint64_t value) {
  if (QUELEA_LIKELY(value <= static_cast<std::uint64_t>(kMaxSmall))) {
    return Term::small(static_cast<std::int64_t>(value));
  }
  return make_big(alloc, false, &value, 1);
}
Term make_integer_128(TermAlloc& alloc, __int128 value);

// Taking ----------------------------------------------------------------------------------------
/// The value where it fits; false otherwise or for what is no integer.
bool integer_to_int64(Term term, std::int64_t& value);
bool integer_to_uint64(Term term, std::uint64_t& value);
bool integer_is_negative(Term integer);
/// Bits of the magnitude: 0 for 0.
std::size_t integer_bit_length(Term integer);

// Arithmetic ------------------------------------------------------------------------------------
Term integer_add(TermAlloc& alloc, Term a, Term b);
Term integer_sub(TermAlloc& alloc, Term a, Term b);
Term integer_mul(TermAlloc& alloc, Term a, Term b, std::size_t* work = nullptr);
/// Quotient toward zero; `none` for b = 0.
Term integer_div(TermAlloc& alloc, Term a, Term b, std::size_t* work = nullptr);
/// Remainder with the sign of a; `none` for b = 0.
Term integer_rem(TermAlloc& alloc, Term a, Term b, std::size_t* work = nullptr);
Term integer_neg(TermAlloc& alloc, Term a);
Term integer_abs(TermAlloc& alloc, Term a);
Term integer_pow(TermAlloc& alloc, Term base, std::uint64_t exponent, std::size_t* work = nullptr);
Term integer_gcd(TermAlloc& alloc, Term a, Term b, std::size_t* work = nullptr);
/// floor(sqrt(a)) for a >= 0.
Term integer_isqrt(TermAlloc& alloc, Term a, std::size_t* work = nullptr);

/// About how many limb operations the product of two integers takes, and no less than their
/// quotient; 0 for what is no big.
std::size_t integer_product_work(Term a, Term b);

// Bits: as if in infinite two's complement --------------------------------------------------------
Term integer_band(TermAlloc& alloc, Term a, Term b);
Term integer_bor(TermAlloc& alloc, Term a, Term b);
Term integer_bxor(TermAlloc& alloc, Term a, Term b);
Term integer_bnot(TermAlloc& alloc, Term a);
/// a * 2^shift, toward minus infinity; a negative shift goes the other way, a big one is a limit, 0
/// or -1.
Term integer_bsl(TermAlloc& alloc, Term a, Term shift);
Term integer_bsr(TermAlloc& alloc, Term a, Term shift);

// Order -----------------------------------------------------------------------------------------
int integer_compare(Term a, Term b);
/// Exact at any size: never rounds the integer.
int integer_compare_float(Term integer, double value);

// Floats ----------------------------------------------------------------------------------------
/// Rounds to nearest, ties to even; false when the result would be infinite.
bool integer_to_double(Term integer, double& value);
/// The integer of a finite double, truncated toward zero.
Term integer_from_double(TermAlloc& alloc, double value);

// Text ------------------------------------------------------------------------------------------
/// Digits of `[+-]?digits` in a radix of 2 to 36 (letters in either case), all of `text`; `none`
/// for anything else. `limit`, when given, is set true where the digits are fine but the number too
/// large.
Term integer_parse(TermAlloc& alloc, std::string_view text, unsigned radix, bool* limit = nullptr,
                   std::size_t* work = nullptr);
/// Appends the digits, upper case as in Erlang.
void integer_print(std::string& out, Term integer, unsigned radix = 10,
                   std::size_t* work = nullptr);

}  // namespace quelea
