// Arithmetic on any two numbers: what the operators `+ - * /` do once the interpreter's fast paths
// gave up.
//
// Integers stay exact; a float on either side makes the operation one of doubles. The result is
// `none` on failure, and `error` then says which atom to raise: `badarith` (no number, division by
// zero, overflow of a float or of an integer that must become one) or `system_limit` (an integer
// too large).
#pragma once

#include "vm/term/alloc.h"
#include "vm/term/atoms.h"
#include "vm/term/integer.h"
#include "vm/term/term.h"

namespace quelea {

/// Why there is no result, and what it cost to find out.
struct NumberResult {
  Term error = atoms::badarith;
  std::size_t work = 0;  ///< limb operations of large integers: charge work / 16 reductions or so
};

inline bool is_number(Term term) { return term.is_small() || term.is_float() || is_big(term); }

Term number_add(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_sub(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_mul(TermAlloc& alloc, Term a, Term b, NumberResult& result);
/// `/`: always a float.
Term number_fdiv(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_neg(TermAlloc& alloc, Term a, NumberResult& result);
Term number_abs(TermAlloc& alloc, Term a, NumberResult& result);
// Integers only; anything else is badarith.
Term number_idiv(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_rem(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_band(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_bor(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_bxor(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_bnot(TermAlloc& alloc, Term a, NumberResult& result);
Term number_bsl(TermAlloc& alloc, Term a, Term b, NumberResult& result);
Term number_bsr(TermAlloc& alloc, Term a, Term b, NumberResult& result);
// Float to integer (integers stay); `float(x)`. Ties of round go away from zero.
Term number_trunc(TermAlloc& alloc, Term a, NumberResult& result);
Term number_round(TermAlloc& alloc, Term a, NumberResult& result);
Term number_floor(TermAlloc& alloc, Term a, NumberResult& result);
Term number_ceil(TermAlloc& alloc, Term a, NumberResult& result);
Term number_float(TermAlloc& alloc, Term a, NumberResult& result);

}  // namespace quelea
