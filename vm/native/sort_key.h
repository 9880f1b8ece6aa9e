// A word that orders terms, as far as a word can: `sort_key(a) < sort_key(b)` implies that a sorts
// before b in term order. Equal keys say nothing. Sorting compares these and looks at the terms
// only where they are equal.
//
//   63   60 59                                              0
//  +-------+-------------------------------------------------+
//  | rank  | number: the double's bits, made to ascend       |
//  |       | atom, binary: the first bytes                   |
//  |       | list: the key of its head; tuple: size, then    |
//  |       | the key of its first element; map: size         |
//  +-------+-------------------------------------------------+
#pragma once

#include "vm/term/atoms.h"
#include "vm/term/term.h"

namespace quelea {

std::uint64_t sort_key(Term term, const AtomTable& atoms);

}  // namespace quelea
