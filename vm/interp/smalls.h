// Small integers as the fast paths of arithmetic and comparisons see them: the word itself.
#pragma once

#include <cstdint>

#include "vm/term/term.h"

namespace quelea {

/// The tag of small integers is zero.
inline bool both_small(Term a, Term b) { return ((a.bits | b.bits) & kTagMask) == 0; }
/// In the order of the numbers, and eight times as large.
inline std::int64_t as_int(Term term) { return static_cast<std::int64_t>(term.bits); }

}  // namespace quelea
