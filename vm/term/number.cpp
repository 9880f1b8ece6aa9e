#include "vm/term/number.h"

#include <cmath>

namespace quelea {

namespace {

Term fail(NumberResult& result, Term error) {
  result.error = error;
  return Term::none();
}

bool both_integers(Term a, Term b) { return is_integer(a) && is_integer(b); }

/// A number as a double; false for what is none, or an integer too large.
bool as_double(Term term, double& value) {
  if (term.is_float()) {
    value = term.float_value();
    return true;
  }
  return is_integer(term) && integer_to_double(term, value);
}

Term checked_float(TermAlloc& alloc, double value, NumberResult& result) {
  if (!std::isfinite(value)) return fail(result, atoms::badarith);
  return alloc.make_float(value);
}

Term limited(Term value, NumberResult& result) {
  if (value.is_none()) result.error = atoms::system_limit;
  return value;
}

template <class IntegerOp, class FloatOp>
Term arithmetic(TermAlloc& alloc, Term a, Term b, NumberResult& result, IntegerOp integers,
                FloatOp floats) {
  if (both_integers(a, b)) return limited(integers(), result);
  double x, y;
  if (!as_double(a, x) || !as_double(b, y)) return fail(result, atoms::badarith);
  return checked_float(alloc, floats(x, y), result);
}

template <class Round>
Term to_integer(TermAlloc& alloc, Term a, NumberResult& result, Round round) {
  if (a.is_float()) return integer_from_double(alloc, round(a.float_value()));
  if (is_integer(a)) return a;
  return fail(result, atoms::badarg);
}

}  // namespace

Term number_add(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  return arithmetic(
      alloc, a, b, result, [&] { return integer_add(alloc, a, b); },
      [](double x, double y) { return x + y; });
}

Term number_sub(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  return arithmetic(
      alloc, a, b, result, [&] { return integer_sub(alloc, a, b); },
      [](double x, double y) { return x - y; });
}

Term number_mul(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  return arithmetic(
      alloc, a, b, result, [&] { return integer_mul(alloc, a, b, &result.work); },
      [](double x, double y) { return x * y; });
}

Term number_fdiv(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  double x, y;
  if (!as_double(a, x) || !as_double(b, y) || y == 0) return fail(result, atoms::badarith);
  return checked_float(alloc, x / y, result);
}

Term number_neg(TermAlloc& alloc, Term a, NumberResult& result) {
  if (a.is_float()) return alloc.make_float(-a.float_value());
  if (!is_integer(a)) return fail(result, atoms::badarith);
  return limited(integer_neg(alloc, a), result);
}

Term number_abs(TermAlloc& alloc, Term a, NumberResult& result) {
  if (a.is_float()) return alloc.make_float(std::fabs(a.float_value()));
  if (!is_integer(a)) return fail(result, atoms::badarg);
  return limited(integer_abs(alloc, a), result);
}

Term number_idiv(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b) || b == Term::small(0)) return fail(result, atoms::badarith);
  return limited(integer_div(alloc, a, b, &result.work), result);
}

Term number_rem(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b) || b == Term::small(0)) return fail(result, atoms::badarith);
  return limited(integer_rem(alloc, a, b, &result.work), result);
}

Term number_band(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b)) return fail(result, atoms::badarith);
  return limited(integer_band(alloc, a, b), result);
}

Term number_bor(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b)) return fail(result, atoms::badarith);
  return limited(integer_bor(alloc, a, b), result);
}

Term number_bxor(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b)) return fail(result, atoms::badarith);
  return limited(integer_bxor(alloc, a, b), result);
}

Term number_bnot(TermAlloc& alloc, Term a, NumberResult& result) {
  if (!is_integer(a)) return fail(result, atoms::badarith);
  return limited(integer_bnot(alloc, a), result);
}

Term number_bsl(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b)) return fail(result, atoms::badarith);
  return limited(integer_bsl(alloc, a, b), result);
}

Term number_bsr(TermAlloc& alloc, Term a, Term b, NumberResult& result) {
  if (!both_integers(a, b)) return fail(result, atoms::badarith);
  return limited(integer_bsr(alloc, a, b), result);
}

Term number_trunc(TermAlloc& alloc, Term a, NumberResult& result) {
  return to_integer(alloc, a, result, [](double x) { return std::trunc(x); });
}
Term number_round(TermAlloc& alloc, Term a, NumberResult& result) {
  return to_integer(alloc, a, result, [](double x) { return std::round(x); });
}
Term number_floor(TermAlloc& alloc, Term a, NumberResult& result) {
  return to_integer(alloc, a, result, [](double x) { return std::floor(x); });
}
Term number_ceil(TermAlloc& alloc, Term a, NumberResult& result) {
  return to_integer(alloc, a, result, [](double x) { return std::ceil(x); });
}

Term number_float(TermAlloc& alloc, Term a, NumberResult& result) {
  if (a.is_float()) return a;
  double value;
  if (!is_integer(a)) return fail(result, atoms::badarg);
  if (!integer_to_double(a, value)) return fail(result, atoms::badarith);
  return alloc.make_float(value);
}

}  // namespace quelea
