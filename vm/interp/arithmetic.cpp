// Arithmetic. Small integers in the handler; two floats, and the mixture of both, in a second
// handler without a frame; all else in vm/term/number.h.
//
// Smalls have tag 000, so that the words add and subtract as they are, and the overflow flag is the
// range check.
#include <cmath>

#include "vm/interp/handler.h"
#include "vm/interp/smalls.h"
#include "vm/interp/support.h"
#include "vm/term/number.h"

namespace quelea {

namespace {

using NumberFunction = Term (*)(TermAlloc&, Term, Term, NumberResult&);

/// A millisecond of GMP's work.
constexpr std::size_t kPoolWork = std::size_t{1} << 18;

void charge_number(Process& p, std::size_t work, Term value) {
  // What is only added or shifted is charged by its size.
  if (is_big(value)) work += header_of(value).payload_words() / 4;
  if (work > 64) p.charge(static_cast<std::int64_t>(work / 16));
}

/// The result, or none: with an exception raised, or for the pool.
[[gnu::noinline]] Term binary_slow(Process& p, NumberFunction function, Term a, Term b) {
  NumberResult result;
  const Term value = function(p, a, b, result);
  charge_number(p, result.work, value);
  if (value.is_none()) p.raise_error(result.error);
  return value;
}

/// The same for products and quotients.
[[gnu::noinline]] Term product_slow(Process& p, NumberFunction function, Term a, Term b) {
  if (QUELEA_UNLIKELY(integer_product_work(a, b) > kPoolWork) && !p.on_pool()) return p.to_pool();
  return binary_slow(p, function, a, b);
}

/// A number as a double where that is exact or the language's own conversion: floats and smalls.
inline bool to_double(Term term, double& value) {
  if (term.is_float()) {
    value = term.float_value();
    return true;
  }
  if (term.is_small()) {
    value = static_cast<double>(term.small_value());
    return true;
  }
  return false;
}

}  // namespace

/// D S S Z: the generic way.
#define SLOW_WAY(name, function, slow, right)                        \
  COLD(name) {                                                       \
    SYNC_OUT(pc[4]);                                                 \
    const Term result = slow(*p, number_##function, SLOT(2), right); \
    SYNC_IN;                                                         \
    if (QUELEA_UNLIKELY(result.is_none())) {                         \
      if (is_for_pool(*p)) LEAVE_FOR_POOL;                           \
      GO(unwind);                                                    \
    }                                                                \
    SLOT(1) = result;                                                \
    NEXT(4);                                                         \
  }                                                                  \
  static_assert(true)
#define ARITHMETIC_SLOW(name) SLOW_WAY(name##_slow, name, binary_slow, SLOT(3))
#define PRODUCT_SLOW(name) SLOW_WAY(name##_slow, name, product_slow, SLOT(3))

/// D S B Z: the same with an immediate on the right.
#define ARITHMETIC_IMM_SLOW(name) SLOW_WAY(name##_imm_slow, name, binary_slow, Term{pc[3]})
#define PRODUCT_IMM_SLOW(name) SLOW_WAY(name##_imm_slow, name, product_slow, Term{pc[3]})

/// Writes a float into the block; the slow way when it is full or the value is not finite.
#define STORE_FLOAT(result, slow)                                                              \
  do {                                                                                         \
    if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>(pc[4] + 2 * sizeof(Word)))) GO(slow); \
    if (QUELEA_UNLIKELY(!std::isfinite(result))) GO(slow);                                     \
    hp[0] = Header::make(Kind::Float, 1).bits;                                                 \
    __builtin_memcpy(hp + 1, &(result), sizeof(result));                                       \
    SLOT(1) = Term::boxed_float(hp);                                                           \
    hp += 2;                                                                                   \
    NEXT(4);                                                                                   \
  } while (0)

#define FLOAT_HANDLER(name, expression, right)        \
  HandlerResult name##_float(ARGS) {                  \
    double a, b;                                      \
    if (!to_double(SLOT(2), a)) GO_SLOW(name##_slow); \
    if (!to_double(right, b)) GO_SLOW(name##_slow);   \
    const double result = (expression);               \
    STORE_FLOAT(result, name##_slow);                 \
  }                                                   \
  static_assert(true)

ARITHMETIC_SLOW(add);
ARITHMETIC_SLOW(sub);
PRODUCT_SLOW(mul);
ARITHMETIC_SLOW(fdiv);
PRODUCT_SLOW(idiv);
PRODUCT_SLOW(rem);
ARITHMETIC_SLOW(band);
ARITHMETIC_SLOW(bor);
ARITHMETIC_SLOW(bxor);
ARITHMETIC_SLOW(bsl);
ARITHMETIC_SLOW(bsr);
ARITHMETIC_IMM_SLOW(add);
ARITHMETIC_IMM_SLOW(sub);
PRODUCT_IMM_SLOW(mul);
PRODUCT_IMM_SLOW(idiv);
PRODUCT_IMM_SLOW(rem);
ARITHMETIC_IMM_SLOW(band);
ARITHMETIC_IMM_SLOW(bsl);
ARITHMETIC_IMM_SLOW(bsr);

FLOAT_HANDLER(add, a + b, SLOT(3));
FLOAT_HANDLER(sub, a - b, SLOT(3));
FLOAT_HANDLER(mul, a* b, SLOT(3));
FLOAT_HANDLER(add_imm, a + b, Term{pc[3]});
FLOAT_HANDLER(sub_imm, a - b, Term{pc[3]});
FLOAT_HANDLER(mul_imm, a* b, Term{pc[3]});

HANDLER(fdiv) {
  double a, b;
  if (QUELEA_UNLIKELY(!to_double(SLOT(2), a))) GO_SLOW(fdiv_slow);
  if (QUELEA_UNLIKELY(!to_double(SLOT(3), b))) GO_SLOW(fdiv_slow);
  if (QUELEA_UNLIKELY(b == 0.0)) GO_SLOW(fdiv_slow);
  // Quotients of integers beyond 2^53 are rounded once, by the slow way.
  if (QUELEA_UNLIKELY(std::fabs(a) > 9007199254740992.0 || std::fabs(b) > 9007199254740992.0)) {
    if (SLOT(2).is_small() || SLOT(3).is_small()) GO_SLOW(fdiv_slow);
  }
  const double result = a / b;
  STORE_FLOAT(result, fdiv_slow);
}

HANDLER(add) {
  const Term a = SLOT(2), b = SLOT(3);
  std::int64_t sum;
  if (QUELEA_LIKELY(both_small(a, b))) {
    if (QUELEA_UNLIKELY(__builtin_add_overflow(as_int(a), as_int(b), &sum))) GO_SLOW(add_slow);
    SLOT(1).bits = static_cast<Word>(sum);
    NEXT(4);
  }
  GO_SLOW(add_float);
}

HANDLER(sub) {
  const Term a = SLOT(2), b = SLOT(3);
  std::int64_t difference;
  if (QUELEA_LIKELY(both_small(a, b))) {
    if (QUELEA_UNLIKELY(__builtin_sub_overflow(as_int(a), as_int(b), &difference)))
      GO_SLOW(sub_slow);
    SLOT(1).bits = static_cast<Word>(difference);
    NEXT(4);
  }
  GO_SLOW(sub_float);
}

HANDLER(mul) {
  const Term a = SLOT(2), b = SLOT(3);
  std::int64_t product;
  if (QUELEA_LIKELY(both_small(a, b))) {
    if (QUELEA_UNLIKELY(__builtin_mul_overflow(a.small_value(), as_int(b), &product)))
      GO_SLOW(mul_slow);
    SLOT(1).bits = static_cast<Word>(product);
    NEXT(4);
  }
  GO_SLOW(mul_float);
}

HANDLER(add_imm) {
  const Term a = SLOT(2);
  std::int64_t sum;
  if (QUELEA_LIKELY(a.is_small())) {
    if (QUELEA_UNLIKELY(
            __builtin_add_overflow(as_int(a), static_cast<std::int64_t>(pc[3]), &sum))) {
      GO_SLOW(add_imm_slow);
    }
    SLOT(1).bits = static_cast<Word>(sum);
    NEXT(4);
  }
  GO_SLOW(add_imm_float);
}

HANDLER(sub_imm) {
  const Term a = SLOT(2);
  std::int64_t difference;
  if (QUELEA_LIKELY(a.is_small())) {
    if (QUELEA_UNLIKELY(
            __builtin_sub_overflow(as_int(a), static_cast<std::int64_t>(pc[3]), &difference))) {
      GO_SLOW(sub_imm_slow);
    }
    SLOT(1).bits = static_cast<Word>(difference);
    NEXT(4);
  }
  GO_SLOW(sub_imm_float);
}

HANDLER(mul_imm) {
  const Term a = SLOT(2);
  std::int64_t product;
  if (QUELEA_LIKELY(a.is_small())) {
    if (QUELEA_UNLIKELY(
            __builtin_mul_overflow(a.small_value(), static_cast<std::int64_t>(pc[3]), &product))) {
      GO_SLOW(mul_imm_slow);
    }
    SLOT(1).bits = static_cast<Word>(product);
    NEXT(4);
  }
  GO_SLOW(mul_imm_float);
}

// Division: the quotient of the tagged words is the untagged quotient; kMinSmall / -1 leaves the
// range.
HANDLER(idiv) {
  const Term a = SLOT(2), b = SLOT(3);
  if (QUELEA_UNLIKELY(!both_small(a, b) || b.bits == 0 || b == Term::small(-1))) GO_SLOW(idiv_slow);
  SLOT(1) = Term::small(as_int(a) / as_int(b));
  NEXT(4);
}

HANDLER(idiv_imm) {
  const Term a = SLOT(2), b{pc[3]};
  if (QUELEA_UNLIKELY(!a.is_small() || b == Term::small(-1))) GO_SLOW(idiv_imm_slow);
  SLOT(1) = Term::small(as_int(a) / as_int(b));
  NEXT(4);
}

HANDLER(rem) {
  const Term a = SLOT(2), b = SLOT(3);
  if (QUELEA_UNLIKELY(!both_small(a, b) || b.bits == 0 || b == Term::small(-1))) GO_SLOW(rem_slow);
  SLOT(1).bits = static_cast<Word>(as_int(a) % as_int(b));
  NEXT(4);
}

HANDLER(rem_imm) {
  const Term a = SLOT(2), b{pc[3]};
  if (QUELEA_UNLIKELY(!a.is_small() || b == Term::small(-1))) GO_SLOW(rem_imm_slow);
  SLOT(1).bits = static_cast<Word>(as_int(a) % as_int(b));
  NEXT(4);
}

#define BITWISE(name, op)                                         \
  HANDLER(name) {                                                 \
    const Term a = SLOT(2), b = SLOT(3);                          \
    if (QUELEA_UNLIKELY(!both_small(a, b))) GO_SLOW(name##_slow); \
    SLOT(1).bits = a.bits op b.bits;                              \
    NEXT(4);                                                      \
  }                                                               \
  static_assert(true)
BITWISE(band, &);
BITWISE(bor, |);
BITWISE(bxor, ^);

HANDLER(band_imm) {
  const Term a = SLOT(2);
  if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(band_imm_slow);
  SLOT(1).bits = a.bits & pc[3];
  NEXT(4);
}

/// a << count where that stays a small; false otherwise.
inline bool shift_left(Term a, std::int64_t count, Word& result) {
  if (static_cast<std::uint64_t>(count) >= 60) return false;
  const auto shifted = static_cast<std::int64_t>(a.bits << count);
  if (shifted >> count != static_cast<std::int64_t>(a.bits)) return false;
  result = static_cast<Word>(shifted);
  return true;
}

inline Word shift_right(Term a, std::int64_t count) {
  return static_cast<Word>(as_int(a) >> (count > 60 ? 60 : count)) & ~kTagMask;
}

HANDLER(bsl) {
  const Term a = SLOT(2), b = SLOT(3);
  if (QUELEA_UNLIKELY(!both_small(a, b))) GO_SLOW(bsl_slow);
  Word result = 0;
  if (QUELEA_UNLIKELY(!shift_left(a, b.small_value(), result))) GO_SLOW(bsl_slow);
  SLOT(1).bits = result;
  NEXT(4);
}

HANDLER(bsl_imm) {
  const Term a = SLOT(2);
  if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(bsl_imm_slow);
  Word result = 0;
  if (QUELEA_UNLIKELY(!shift_left(a, Term{pc[3]}.small_value(), result))) GO_SLOW(bsl_imm_slow);
  SLOT(1).bits = result;
  NEXT(4);
}

HANDLER(bsr) {
  const Term a = SLOT(2), b = SLOT(3);
  if (QUELEA_UNLIKELY(!both_small(a, b) || as_int(b) < 0)) GO_SLOW(bsr_slow);
  SLOT(1).bits = shift_right(a, b.small_value());
  NEXT(4);
}

HANDLER(bsr_imm) {
  const Term a = SLOT(2);
  if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(bsr_imm_slow);
  SLOT(1).bits = shift_right(a, Term{pc[3]}.small_value());
  NEXT(4);
}

// One operand: D S Z ------------------------------------------------------------------------------

#define UNARY_SLOW(name)                                        \
  COLD(name##_slow) {                                           \
    SYNC_OUT(pc[3]);                                            \
    const Term result = unary_slow(*p, number_##name, SLOT(2)); \
    SYNC_IN;                                                    \
    if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);          \
    SLOT(1) = result;                                           \
    NEXT(3);                                                    \
  }                                                             \
  static_assert(true)

namespace {
[[gnu::noinline]] Term unary_slow(Process& p, Term (*function)(TermAlloc&, Term, NumberResult&),
                                  Term a) {
  NumberResult result;
  const Term value = function(p, a, result);
  charge_number(p, result.work, value);
  if (value.is_none()) p.raise_error(result.error);
  return value;
}
}  // namespace

UNARY_SLOW(neg);
UNARY_SLOW(bnot);

HANDLER(neg) {
  const Term a = SLOT(2);
  std::int64_t result;
  if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(neg_slow);
  if (QUELEA_UNLIKELY(__builtin_sub_overflow(std::int64_t{0}, as_int(a), &result)))
    GO_SLOW(neg_slow);
  SLOT(1).bits = static_cast<Word>(result);
  NEXT(3);
}

HANDLER(bnot) {
  const Term a = SLOT(2);
  if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(bnot_slow);
  SLOT(1).bits = ~a.bits & ~kTagMask;
  NEXT(3);
}

}  // namespace quelea
