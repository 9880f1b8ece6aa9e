// Equality and order of terms.
//
// Three relations. `exact_equal` (===, patterns, map keys) tells 1 from 1.0 and 0.0 from -0.0.
// `numeric_equal` (==) lets integers equal floats of the same value, at any depth except in map
// keys. `compare` is the total order of language.md section 7. `compare_keys` is the order of a
// map's keys: like `compare`, but every integer sorts before every float and -0.0 before 0.0, so
// that it is zero only for exactly equal terms. None recurses. `work`, where given, grows by about
// the number of words looked at, so that callers can charge; a walk may give up (vm/term/work.h).
#pragma once

#include "vm/term/atoms.h"
#include "vm/term/term.h"
#include "vm/term/work.h"

namespace quelea {

bool exact_equal_slow(Term a, Term b, std::size_t* work);
bool numeric_equal_slow(Term a, Term b, std::size_t* work);
int compare_slow(Term a, Term b, const AtomTable& atoms, bool exact, std::size_t* work);
/// For the sort of a large map's keys that a comparison calls: `nesting` counts how deep such calls
/// are.
int compare_nested(Term a, Term b, const AtomTable& atoms, bool exact, std::size_t* work,
                   unsigned nesting);

inline bool exact_equal(Term a, Term b, std::size_t* work = nullptr) {
  if (a == b) return true;
  // Different words are different values unless both point to something of the same shape.
  if (a.is_immediate() || a.tag() != b.tag()) return false;
  return exact_equal_slow(a, b, work);
}

inline bool numeric_equal(Term a, Term b, std::size_t* work = nullptr) {
  if (a == b) return true;
  if (a.is_immediate() && b.is_immediate()) return false;
  return numeric_equal_slow(a, b, work);
}

/// Negative, zero or positive.
inline int compare(Term a, Term b, const AtomTable& atoms, std::size_t* work = nullptr) {
  if (a == b) return 0;
  if (a.is_small() && b.is_small()) {
    return static_cast<std::int64_t>(a.bits) < static_cast<std::int64_t>(b.bits) ? -1 : 1;
  }
  return compare_slow(a, b, atoms, false, work);
}

/// The order of keys in a map.
inline int compare_keys(Term a, Term b, const AtomTable& atoms, std::size_t* work = nullptr) {
  if (a == b) return 0;
  if (a.is_small() && b.is_small()) {
    return static_cast<std::int64_t>(a.bits) < static_cast<std::int64_t>(b.bits) ? -1 : 1;
  }
  if (a.is_atom() && b.is_atom()) return atoms.compare(a, b);
  return compare_slow(a, b, atoms, true, work);
}

}  // namespace quelea
