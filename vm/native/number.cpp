// Natives over numbers: text, integer functions, decimal rounding.
#include "vm/term/number.h"

#include <charconv>
#include <cmath>

#include "vm/base/gmp_memory.h"
#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/term/float_text.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

static_assert(GMP_LIMB_BITS == 64 && GMP_NAIL_BITS == 0);

bool get_base(Term term, unsigned& base) {
  if (!term.is_small() || term.small_value() < 2 || term.small_value() > 36) return false;
  base = static_cast<unsigned>(term.small_value());
  return true;
}

void charge_limbs(Process& p, std::size_t limbs) {
  p.charge(static_cast<std::int64_t>(limbs / 16));
}

/// Length of the longest `[+-]?digits` at the start; 0 where there is none.
std::size_t integer_prefix(std::string_view text, unsigned base) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t first = at;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'z' ? static_cast<unsigned>(c - 'a' + 10)
                           : c >= 'A' && c <= 'Z' ? static_cast<unsigned>(c - 'A' + 10)
                                                  : 99;
    if (digit >= base) break;
  }
  return at == first ? 0 : at;
}

}  // namespace

// Integers --------------------------------------------------------------------------------------
Term prim_int_to_string(Process& p, Args args) {
  unsigned base = 0;
  if (!is_integer(args[0]) || !get_base(args[1], base)) return badarg(p);
  if (is_large_integer(p, args[0])) return p.to_pool();
  std::string out;
  std::size_t work = 0;
  integer_print(out, args[0], base, &work);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  charge_limbs(p, work);
  return text_term(p, out);
}

Term prim_int_parse(Process& p, Args args) {
  Bytes s;
  unsigned base = 0;
  if (!s.get(args[0]) || !get_base(args[1], base)) return badarg(p);
  if (is_for_pool(p, s.size(), kPoolDigits)) return p.to_pool();
  bool limit = false;
  std::size_t work = 0;
  Term value = integer_parse(p, s.text(), base, &limit, &work);
  charge_limbs(p, work);
  charge_bytes(p, s.size());
  if (limit) return system_limit(p);
  return value.is_none() ? atoms::error : ok_tuple(p, value);
}

Term prim_int_parse_prefix(Process& p, Args args) {
  Bytes s;
  unsigned base = 0;
  if (!s.get(args[0]) || !get_base(args[1], base)) return badarg(p);
  const std::size_t size = integer_prefix(s.text(), base);
  if (size == 0) return atoms::error;
  if (is_for_pool(p, size, kPoolDigits)) return p.to_pool();
  bool limit = false;
  std::size_t work = 0;
  Term value = integer_parse(p, s.text().substr(0, size), base, &limit, &work);
  charge_limbs(p, work);
  charge_bytes(p, size);
  if (limit) return system_limit(p);
  if (value.is_none()) return atoms::error;
  return p.tuple(value, slice_of(p, args[0], size, s.size() - size));
}

Term prim_int_digits(Process& p, Args args) {
  constexpr std::size_t kMaxSlowBits = 1 << 16;
  if (!is_integer(args[0]) || !args[1].is_small() || args[1].small_value() < 2) return badarg(p);
  if (is_large_integer(p, args[0])) return p.to_pool();
  Term rest = integer_abs(p, args[0]);
  Term list = Term::nil_list();
  if (rest == Term::small(0)) return p.cons(rest, list);
  if (!rest.is_small() && args[1].small_value() <= 36) {
    std::string text;
    std::size_t work = 0;
    integer_print(text, rest, static_cast<unsigned>(args[1].small_value()), &work);
    charge_limbs(p, work);
    charge_cells(p, text.size());
    for (std::size_t i = text.size(); i > 0; --i) {
      const char c = text[i - 1];
      list = p.cons(Term::small(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10), list);
    }
    return list;
  }
  if (integer_bit_length(rest) > kMaxSlowBits) return system_limit(p);
  std::size_t work = 0;
  while (rest != Term::small(0)) {
    list = p.cons(integer_rem(p, rest, args[1], &work), list);
    rest = integer_div(p, rest, args[1], &work);
  }
  charge_limbs(p, work);
  return list;
}

Term prim_int_pow(Process& p, Args args) {
  if (!is_integer(args[0]) || !is_integer(args[1])) return badarg(p);
  if (integer_is_negative(args[1])) return fail(p, atoms::badarith);
  std::uint64_t exponent = 0;
  if (!integer_to_uint64(args[1], exponent)) {
    // Only these have a power to so large an exponent; its lowest bit decides the sign.
    if (args[0] == Term::small(0) || args[0] == Term::small(1)) return args[0];
    if (args[0] != Term::small(-1)) return system_limit(p);
    exponent = IntegerView(args[1]).limbs()[0] & 1;
  }
  // The bits of the result, 64 a limb; what is too large is refused before anything is computed.
  if (is_for_pool(p, IntegerView(args[0]).size() * exponent, 4 * kPoolLimbs)) return p.to_pool();
  std::size_t work = 0;
  Term result = integer_pow(p, args[0], exponent, &work);
  charge_limbs(p, work);
  return result.is_none() ? system_limit(p) : result;
}

Term prim_int_pow_mod(Process& p, Args args) {
  if (!is_integer(args[0]) || !is_integer(args[1]) || !is_integer(args[2])) return badarg(p);
  if (integer_is_negative(args[1]) || integer_is_negative(args[2]) || args[2] == Term::small(0)) {
    return fail(p, atoms::badarith);
  }
  const IntegerView base(args[0]);
  const IntegerView exponent(args[1]);
  const IntegerView modulus(args[2]);
  const double cost = static_cast<double>(modulus.size()) * static_cast<double>(modulus.size()) *
                      static_cast<double>(64 * exponent.size() + 1);
  if (cost > 1e10) return system_limit(p);
  if (cost > 1e5 && !p.on_pool()) return p.to_pool();
  auto view = [](mpz_t out, const IntegerView& integer) {
    const auto size = static_cast<mp_size_t>(integer.size());
    mpz_roinit_n(out, reinterpret_cast<const mp_limb_t*>(integer.limbs()),
                 integer.negative() ? -size : size);
  };
  mpz_t b, e, m;
  view(b, base);
  view(e, exponent);
  view(m, modulus);
  GmpInteger power;
  mpz_powm(power.value, b, e, m);
  const std::size_t size = mpz_size(power.value);
  Term term = Term::small(0);
  if (size == 1) {
    term = make_integer_unsigned(p, mpz_limbs_read(power.value)[0]);
  } else if (size > 1) {
    term = make_big(p, false, reinterpret_cast<const std::uint64_t*>(mpz_limbs_read(power.value)),
                    size);
  }
  charge_limbs(p, static_cast<std::size_t>(cost / 16));
  return term;
}

Term prim_int_gcd(Process& p, Args args) {
  if (!is_integer(args[0]) || !is_integer(args[1])) return badarg(p);
  if (is_large_integer(p, args[0]) || is_large_integer(p, args[1])) return p.to_pool();
  std::size_t work = 0;
  Term result = integer_gcd(p, args[0], args[1], &work);
  charge_limbs(p, work);
  return result;
}

Term prim_int_sqrt(Process& p, Args args) {
  if (!is_integer(args[0])) return badarg(p);
  if (integer_is_negative(args[0])) return fail(p, atoms::badarith);
  if (is_large_integer(p, args[0])) return p.to_pool();
  std::size_t work = 0;
  Term result = integer_isqrt(p, args[0], &work);
  charge_limbs(p, work);
  return result;
}

Term prim_int_bit_length(Process& p, Args args) {
  if (!is_integer(args[0])) return badarg(p);
  return Term::small(static_cast<std::int64_t>(integer_bit_length(args[0])));
}

Term prim_int_popcount(Process& p, Args args) {
  if (!is_integer(args[0])) return badarg(p);
  const IntegerView view(args[0]);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < view.size(); ++i) count += __builtin_popcountll(view.limbs()[i]);
  charge_limbs(p, view.size());
  return Term::small(count);
}

// Floats ----------------------------------------------------------------------------------------
namespace {

Term to_float(Process& p, Term number, double& value) {
  NumberResult result;
  Term converted = is_number(number) ? number_float(p, number, result) : Term::none();
  if (converted.is_none()) return is_number(number) ? result.error : atoms::badarg;
  value = converted.float_value();
  return Term::none();
}

bool get_decimals(Term term, unsigned most, unsigned& decimals) {
  if (!term.is_small() || term.small_value() < 0 || term.small_value() > most) return false;
  decimals = static_cast<unsigned>(term.small_value());
  return true;
}

}  // namespace

Term prim_float_to_string_1(Process& p, Args args) {
  double value = 0;
  if (Term error = to_float(p, args[0], value); !error.is_none()) return fail(p, error);
  char text[kFloatTextMax];
  return text_term(p, {text, float_print_short(value, text)});
}

Term prim_float_to_string_2(Process& p, Args args) {
  double value = 0;
  unsigned decimals = 0;
  if (!get_decimals(args[1], 253, decimals)) return badarg(p);
  if (Term error = to_float(p, args[0], value); !error.is_none()) return fail(p, error);
  std::string out;
  float_print_fixed(out, value, decimals);
  charge_bytes(p, 8 * out.size());
  return text_term(p, out);
}

Term prim_float_to_string_exponent(Process& p, Args args) {
  double value = 0;
  unsigned decimals = 0;
  if (!get_decimals(args[1], 253, decimals)) return badarg(p);
  if (Term error = to_float(p, args[0], value); !error.is_none()) return fail(p, error);
  std::string out;
  float_print_scientific(out, value, decimals);
  charge_bytes(p, 8 * out.size());
  return text_term(p, out);
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Length of the longest `[+-]?digits[.digits][(e|E)[+-]?digits]` at the start; 0 where there is
/// none.
std::size_t float_prefix(std::string_view text) {
  auto digits_from = [&](std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
  };
  const std::size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  std::size_t end = digits_from(sign);
  if (end == sign) return 0;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = digits_from(end + 1);
    if (fraction > end + 1) end = fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    const std::size_t last = digits_from(exponent);
    if (last > exponent) end = last;
  }
  return end;
}

/// The value of what float_prefix accepted; false where it would be infinite.
bool read_float(std::string_view text, double& value) {
  if (text[0] == '+') text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc()) return std::isfinite(value);
  // Out of range: too small is zero, too large nothing.
  const std::size_t e = text.find_first_of("eE");
  const bool tiny = e == std::string_view::npos ? text.find_first_of("123456789") > text.find('.')
                                                : text[e + 1] == '-';
  if (!tiny) return false;
  value = text[0] == '-' ? -0.0 : 0.0;
  return true;
}

}  // namespace

Term prim_float_parse(Process& p, Args args) {
  if (is_large_text(p, args[0])) return p.to_pool();
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  double value = 0;
  charge_bytes(p, 4 * s.size());
  if (s.size() == 0 || float_prefix(s.text()) != s.size() || !read_float(s.text(), value)) {
    return atoms::error;
  }
  return ok_tuple(p, p.make_float(value));
}

Term prim_float_parse_prefix(Process& p, Args args) {
  if (is_large_text(p, args[0])) return p.to_pool();
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  double value = 0;
  const std::size_t size = float_prefix(s.text());
  charge_bytes(p, 4 * size);
  if (size == 0 || !read_float(s.text().substr(0, size), value)) return atoms::error;
  return p.tuple(p.make_float(value), slice_of(p, args[0], size, s.size() - size));
}

// Decimal rounding ------------------------------------------------------------------------------
namespace {

enum class Rounding { HalfAway, Down, Up };

/// Adds one unit in the last place of a decimal number without sign.
void increment(std::string& digits) {
  for (std::size_t i = digits.size(); i > 0; --i) {
    char& c = digits[i - 1];
    if (c == '.') continue;
    if (c != '9') {
      ++c;
      return;
    }
    c = '0';
  }
  digits.insert(digits.begin(), '1');
}

/// Rounds on the exact decimal expansion: no intermediate product that would itself be rounded.
double round_decimals(double value, unsigned decimals, Rounding rounding) {
  constexpr unsigned kExact = 253;
  const double magnitude = std::fabs(value);
  if (magnitude >= 4503599627370496.0 || value == 0) return value;  // 2^52: no fraction
  const bool negative = value < 0;
  std::string digits;
  bool exact = false;
  bool up = false;
  if (magnitude < 1e-60) {
    // Its expansion is longer than what is printed, but it is far below any unit asked for.
    digits = "0.";
    digits.append(decimals, '0');
    up = rounding == (negative ? Rounding::Down : Rounding::Up);
  } else {
    float_print_fixed(digits, magnitude, kExact);
    const std::size_t cut = digits.find('.') + 1 + decimals;
    const std::string_view rest = std::string_view(digits).substr(cut);
    exact = rest.find_first_not_of('0') == std::string_view::npos;
    up = rounding == Rounding::HalfAway
             ? rest[0] >= '5'
             : !exact && rounding == (negative ? Rounding::Down : Rounding::Up);
    digits.resize(cut);
  }
  if (exact) return value;
  if (up) increment(digits);
  double result = 0;
  if (digits.ends_with('.')) digits.pop_back();
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return negative ? -result : result;
}

Term rounded(Process& p, Args args, Rounding rounding) {
  double value = 0;
  unsigned decimals = 0;
  if (!get_decimals(args[1], 15, decimals)) return badarg(p);
  if (Term error = to_float(p, args[0], value); !error.is_none()) return fail(p, error);
  p.charge(2);
  return p.make_float(round_decimals(value, decimals, rounding));
}

}  // namespace

Term prim_float_round(Process& p, Args args) { return rounded(p, args, Rounding::HalfAway); }
Term prim_float_floor(Process& p, Args args) { return rounded(p, args, Rounding::Down); }
Term prim_float_ceil(Process& p, Args args) { return rounded(p, args, Rounding::Up); }

Term prim_float_ratio(Process& p, Args args) {
  if (!args[0].is_float()) return badarg(p);
  int exponent = 0;
  double fraction = std::frexp(args[0].float_value(), &exponent);
  if (fraction == 0) return p.tuple(Term::small(0), Term::small(1));
  // fraction * 2^53 is an integer; common factors of two go.
  std::int64_t numerator = static_cast<std::int64_t>(std::ldexp(fraction, 53));
  exponent -= 53;
  const int twos = __builtin_ctzll(static_cast<unsigned long long>(numerator));
  numerator >>= twos;
  exponent += twos;
  const Term n = Term::small(numerator);
  if (exponent >= 0) return p.tuple(integer_bsl(p, n, Term::small(exponent)), Term::small(1));
  return p.tuple(n, integer_bsl(p, Term::small(1), Term::small(-exponent)));
}

}  // namespace quelea
