#include "vm/term/integer.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "vm/base/gmp_memory.h"
#include "vm/term/limbs.h"

namespace quelea {

namespace {

const mp_limb_t* gmp(const std::uint64_t* limbs) {
  return reinterpret_cast<const mp_limb_t*>(limbs);
}

/// |a| + |b| or |a| - |b| with the sign that results; `b_negative` is b's sign as the operation
/// sees it.
Term add_signed(TermAlloc& alloc, const IntegerView& a, const IntegerView& b, bool b_negative) {
  bool a_longer = a.size() >= b.size();
  const IntegerView& x = a_longer ? a : b;
  const IntegerView& y = a_longer ? b : a;
  bool x_negative = a_longer ? a.negative() : b_negative;
  if (a.negative() == b_negative) {
    BigResult result(alloc, x.size() + 1);
    mp_limb_t* out = result.limbs();
    mp_limb_t carry = 0;
    if (y.size() == 0) {
      if (x.size() > 0) mpn_copyi(out, gmp(x.limbs()), static_cast<mp_size_t>(x.size()));
    } else {
      carry = mpn_add(out, gmp(x.limbs()), static_cast<mp_size_t>(x.size()), gmp(y.limbs()),
                      static_cast<mp_size_t>(y.size()));
    }
    out[x.size()] = carry;
    return result.finish(x_negative, x.size() + 1);
  }
  int order = x.size() > y.size() ? 1 : 0;
  if (order == 0) {
    order = x.size() == 0
                ? 0
                : mpn_cmp(gmp(x.limbs()), gmp(y.limbs()), static_cast<mp_size_t>(x.size()));
    if (order == 0) return Term::small(0);
  }
  const IntegerView& big = order > 0 ? x : y;
  const IntegerView& less = order > 0 ? y : x;
  BigResult result(alloc, big.size());
  if (less.size() == 0) {
    mpn_copyi(result.limbs(), gmp(big.limbs()), static_cast<mp_size_t>(big.size()));
  } else {
    mpn_sub(result.limbs(), gmp(big.limbs()), static_cast<mp_size_t>(big.size()), gmp(less.limbs()),
            static_cast<mp_size_t>(less.size()));
  }
  return result.finish(order > 0 ? x_negative : !x_negative, big.size());
}

/// The limbs of a finite double's integer part, at most 16 of them; returns their number.
std::size_t limbs_of_double(double magnitude, mp_limb_t* out) {
  int exponent;
  double fraction = std::frexp(magnitude, &exponent);
  if (exponent <= 0) return 0;
  std::uint64_t mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  int shift = exponent - 53;
  if (shift <= 0) {
    out[0] = mantissa >> -shift;
    return out[0] != 0;
  }
  std::size_t low = static_cast<std::size_t>(shift) / 64;
  unsigned bits = static_cast<unsigned>(shift) % 64;
  for (std::size_t i = 0; i < low; ++i) out[i] = 0;
  out[low] = mantissa << bits;
  std::size_t size = low + 1;
  if (bits > 0 && mantissa >> (64 - bits) != 0) out[size++] = mantissa >> (64 - bits);
  return size;
}

int compare_magnitudes(const std::uint64_t* a, std::size_t a_size, const std::uint64_t* b,
                       std::size_t b_size) {
  if (a_size != b_size) return a_size < b_size ? -1 : 1;
  return a_size == 0 ? 0 : mpn_cmp(gmp(a), gmp(b), static_cast<mp_size_t>(a_size));
}

constexpr std::size_t kDoubleLimbs = 17;

}  // namespace

IntegerView::IntegerView(Term integer) {
  if (integer.is_small()) {
    std::int64_t value = integer.small_value();
    negative_ = value < 0;
    small_ = negative_ ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    limbs_ = &small_;
    size_ = value != 0;
    return;
  }
  Header header = header_of(integer);
  small_ = 0;
  negative_ = header.kind() == Kind::NegativeBig;
  limbs_ = integer.pointer() + 1;
  size_ = header.payload_words();
}

Term make_big(TermAlloc& alloc, bool negative, const std::uint64_t* limbs, std::size_t size) {
  while (size > 0 && limbs[size - 1] == 0) --size;
  BigResult result(alloc, size);
  if (size > 0) std::memcpy(result.limbs(), limbs, size * sizeof(Word));
  return result.finish(negative, size);
}

Term make_integer_128(TermAlloc& alloc, __int128 value) {
  if (value >= kMinSmall && value <= kMaxSmall) {
    return Term::small(static_cast<std::int64_t>(value));
  }
  bool negative = value < 0;
  unsigned __int128 magnitude =
      negative ? 0 - static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::uint64_t limbs[2] = {static_cast<std::uint64_t>(magnitude),
                            static_cast<std::uint64_t>(magnitude >> 64)};
  return make_big(alloc, negative, limbs, 2);
}

bool integer_to_int64(Term term, std::int64_t& value) {
  if (term.is_small()) {
    value = term.small_value();
    return true;
  }
  if (!is_big(term)) return false;
  IntegerView view(term);
  if (view.size() > 1) return false;
  std::uint64_t limb = view.limbs()[0];
  std::uint64_t largest = std::uint64_t{INT64_MAX} + (view.negative() ? 1 : 0);
  if (limb > largest) return false;
  value = static_cast<std::int64_t>(view.negative() ? 0 - limb : limb);
  return true;
}

bool integer_to_uint64(Term term, std::uint64_t& value) {
  if (term.is_small()) {
    value = static_cast<std::uint64_t>(term.small_value());
    return term.small_value() >= 0;
  }
  if (!is_big(term)) return false;
  IntegerView view(term);
  if (view.negative() || view.size() > 1) return false;
  value = view.limbs()[0];
  return true;
}

bool integer_is_negative(Term integer) {
  if (integer.is_small()) return integer.small_value() < 0;
  return header_of(integer).kind() == Kind::NegativeBig;
}

std::size_t integer_bit_length(Term integer) {
  IntegerView view(integer);
  if (view.size() == 0) return 0;
  return view.size() * 64 -
         static_cast<std::size_t>(std::countl_zero(view.limbs()[view.size() - 1]));
}

Term integer_add(TermAlloc& alloc, Term a, Term b) {
  if (a.is_small() && b.is_small()) {
    return make_integer(alloc, a.small_value() + b.small_value());
  }
  IntegerView x(a), y(b);
  return add_signed(alloc, x, y, y.negative());
}

Term integer_sub(TermAlloc& alloc, Term a, Term b) {
  if (a.is_small() && b.is_small()) {
    return make_integer(alloc, a.small_value() - b.small_value());
  }
  IntegerView x(a), y(b);
  return add_signed(alloc, x, y, !y.negative());
}

std::size_t integer_product_work(Term a, Term b) {
  if (!is_big(a) && !is_big(b)) return 0;
  if (!is_integer(a) || !is_integer(b)) return 0;
  const IntegerView x(a), y(b);
  return product_work(x.size(), y.size());
}

Term integer_mul(TermAlloc& alloc, Term a, Term b, std::size_t* work) {
  if (a.is_small() && b.is_small()) {
    return make_integer_128(alloc, static_cast<__int128>(a.small_value()) * b.small_value());
  }
  IntegerView x(a), y(b);
  if (x.size() == 0 || y.size() == 0) return Term::small(0);
  if (x.size() + y.size() > kMaxIntegerLimbs + 1) return Term::none();
  BigResult result(alloc, x.size() + y.size());
  const GmpWork memory;
  mp_size_t xn = static_cast<mp_size_t>(x.size()), yn = static_cast<mp_size_t>(y.size());
  if (x.limbs() == y.limbs()) {
    mpn_sqr(result.limbs(), gmp(x.limbs()), xn);
  } else if (xn >= yn) {
    mpn_mul(result.limbs(), gmp(x.limbs()), xn, gmp(y.limbs()), yn);
  } else {
    mpn_mul(result.limbs(), gmp(y.limbs()), yn, gmp(x.limbs()), xn);
  }
  add_work(work, product_work(x.size(), y.size()));
  return result.finish(x.negative() != y.negative(), x.size() + y.size());
}

Term integer_div(TermAlloc& alloc, Term a, Term b, std::size_t* work) {
  if (b == Term::small(0)) return Term::none();
  if (a.is_small() && b.is_small()) {
    return make_integer(alloc, a.small_value() / b.small_value());
  }
  IntegerView x(a), y(b);
  if (x.size() < y.size()) return Term::small(0);
  std::size_t size = x.size() - y.size() + 1;
  BigResult result(alloc, size);
  mp_size_t xn = static_cast<mp_size_t>(x.size());
  if (y.size() == 1) {
    mpn_divrem_1(result.limbs(), 0, gmp(x.limbs()), xn, y.limbs()[0]);
  } else {
    Scratch remainder(y.size());
    const GmpWork memory;
    mpn_tdiv_qr(result.limbs(), remainder.data(), 0, gmp(x.limbs()), xn, gmp(y.limbs()),
                static_cast<mp_size_t>(y.size()));
  }
  add_work(work, 2 * product_work(size, y.size()));
  return result.finish(x.negative() != y.negative(), size);
}

Term integer_rem(TermAlloc& alloc, Term a, Term b, std::size_t* work) {
  if (b == Term::small(0)) return Term::none();
  if (a.is_small() && b.is_small()) return Term::small(a.small_value() % b.small_value());
  IntegerView x(a), y(b);
  if (x.size() < y.size()) return a;
  mp_size_t xn = static_cast<mp_size_t>(x.size());
  BigResult result(alloc, y.size());
  if (y.size() == 1) {
    result.limbs()[0] = mpn_mod_1(gmp(x.limbs()), xn, y.limbs()[0]);
  } else {
    Scratch quotient(x.size() - y.size() + 1);
    const GmpWork memory;
    mpn_tdiv_qr(quotient.data(), result.limbs(), 0, gmp(x.limbs()), xn, gmp(y.limbs()),
                static_cast<mp_size_t>(y.size()));
  }
  add_work(work, 2 * product_work(x.size() - y.size() + 1, y.size()));
  return result.finish(x.negative(), y.size());
}

Term integer_neg(TermAlloc& alloc, Term a) {
  if (a.is_small()) return make_integer(alloc, -a.small_value());
  IntegerView view(a);
  return make_big(alloc, !view.negative(), view.limbs(), view.size());
}

Term integer_abs(TermAlloc& alloc, Term a) {
  return integer_is_negative(a) ? integer_neg(alloc, a) : a;
}

namespace {

/// Copies the value of a GMP integer; `none` past the limit.
Term from_mpz(TermAlloc& alloc, const mpz_t value) {
  std::size_t size = mpz_size(value);
  if (size > kMaxIntegerLimbs) return Term::none();
  static_assert(sizeof(mp_limb_t) == sizeof(std::uint64_t));
  return make_big(alloc, mpz_sgn(value) < 0,
                  reinterpret_cast<const std::uint64_t*>(mpz_limbs_read(value)), size);
}

/// Lets GMP read an integer term in place.
mpz_srcptr read_mpz(mpz_t out, const IntegerView& view) {
  mp_size_t size = static_cast<mp_size_t>(view.size());
  return mpz_roinit_n(out, gmp(view.limbs()), view.negative() ? -size : size);
}

}  // namespace

Term integer_pow(TermAlloc& alloc, Term base, std::uint64_t exponent, std::size_t* work) {
  if (exponent == 0) return Term::small(1);
  if (base.is_small() && base.small_value() >= -1 && base.small_value() <= 1) {
    return base.small_value() == -1 && exponent % 2 == 0 ? Term::small(1) : base;
  }
  std::size_t bits = integer_bit_length(base);
  if (exponent > kMaxIntegerBits || (bits - 1) * exponent > kMaxIntegerBits) return Term::none();
  IntegerView view(base);
  mpz_t input;
  GmpInteger result;
  mpz_pow_ui(result.value, read_mpz(input, view), exponent);
  std::size_t size = mpz_size(result.value);
  add_work(work, 2 * product_work(size, size));
  return from_mpz(alloc, result.value);
}

Term integer_gcd(TermAlloc& alloc, Term a, Term b, std::size_t* work) {
  IntegerView x(a), y(b);
  mpz_t left, right;
  GmpInteger result;
  mpz_gcd(result.value, read_mpz(left, x), read_mpz(right, y));
  add_work(work, 8 * product_work(x.size() + 1, y.size() + 1));
  return from_mpz(alloc, result.value);
}

Term integer_isqrt(TermAlloc& alloc, Term a, std::size_t* work) {
  IntegerView view(a);
  if (view.size() == 0) return Term::small(0);
  if (view.negative()) return Term::none();
  std::size_t size = (view.size() + 1) / 2;
  BigResult result(alloc, size);
  const GmpWork memory;
  mpn_sqrtrem(result.limbs(), nullptr, gmp(view.limbs()), static_cast<mp_size_t>(view.size()));
  add_work(work, 2 * product_work(size, size));
  return result.finish(false, size);
}

int integer_compare(Term a, Term b) {
  if (a.is_small() && b.is_small()) {
    return a == b ? 0 : a.small_value() < b.small_value() ? -1 : 1;
  }
  IntegerView x(a), y(b);
  if (x.negative() != y.negative()) return x.negative() ? -1 : 1;
  int order = compare_magnitudes(x.limbs(), x.size(), y.limbs(), y.size());
  return x.negative() ? -order : order;
}

int integer_compare_float(Term integer, double value) {
  if (integer.is_small()) {
    std::int64_t small = integer.small_value();
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (small >= -kExact && small <= kExact) {
      double exact = static_cast<double>(small);
      return exact < value ? -1 : exact > value;
    }
  }
  IntegerView view(integer);
  bool value_negative = value < 0;
  if (view.size() == 0) return value_negative ? 1 : value > 0 ? -1 : 0;
  if (view.negative() != value_negative) return view.negative() ? -1 : 1;
  double magnitude = std::fabs(value);
  mp_limb_t limbs[kDoubleLimbs];
  std::size_t size = limbs_of_double(magnitude, limbs);
  int order = compare_magnitudes(view.limbs(), view.size(),
                                 reinterpret_cast<const std::uint64_t*>(limbs), size);
  if (order == 0 && std::trunc(magnitude) != magnitude) order = -1;
  return view.negative() ? -order : order;
}

bool integer_to_double(Term integer, double& value) {
  if (integer.is_small()) {
    value = static_cast<double>(integer.small_value());
    return true;
  }
  IntegerView view(integer);
  std::size_t size = view.size();
  if (size > kDoubleLimbs) return false;
  // The top 64 bits with all that is below them squeezed into the last bit: the conversion to
  // double then rounds as it would round the whole number.
  std::uint64_t top = view.limbs()[size - 1];
  unsigned shift = static_cast<unsigned>(std::countl_zero(top));
  std::uint64_t rest = 0;
  if (size >= 2) {
    std::uint64_t next = view.limbs()[size - 2];
    if (shift > 0) top = top << shift | next >> (64 - shift);
    rest = next << shift;
    for (std::size_t i = 0; i + 2 < size; ++i) rest |= view.limbs()[i];
  } else {
    top <<= shift;
  }
  if (rest != 0) top |= 1;
  double magnitude = std::ldexp(static_cast<double>(top),
                                static_cast<int>(size * 64 - 64) - static_cast<int>(shift));
  if (std::isinf(magnitude)) return false;
  value = view.negative() ? -magnitude : magnitude;
  return true;
}

Term integer_from_double(TermAlloc& alloc, double value) {
  if (value > -0x1p60 && value < 0x1p60) return Term::small(static_cast<std::int64_t>(value));
  mp_limb_t limbs[kDoubleLimbs];
  std::size_t size = limbs_of_double(std::fabs(value), limbs);
  return make_big(alloc, value < 0, reinterpret_cast<const std::uint64_t*>(limbs), size);
}

}  // namespace quelea
