// Which functions are small enough to be put in place of their calls.
#pragma once

#include "compiler/core/lower.h"

namespace quelea::compiler {

// The one clause of a function that may be put in place of its call: names for parameters, and a
// body of a few operators, constants and parts of data, which may end in a call. Null: call it.
const Clause* inline_clause(const FunctionDef& function, const Interner& names);

}  // namespace quelea::compiler
