// Which functions, or which of their clauses, are small enough to be put in place of calls.
#pragma once

#include "compiler/core/lower.h"

namespace quelea::compiler {

// How many nodes of the tree come in the place of a call of this function. 0: it is called.
uint32_t inline_size(const FunctionDef& function, const Interner& names);

// How many of a function's clauses must be looked at to see whether arguments lead to a leaf: a
// clause whose pattern is plain and whose body is made of constants and variables. 0: no leaves.
size_t clauses_to_leaf(const FunctionDef& function, const Interner& names);
bool is_leaf(const FunctionDef& function, const Clause& clause, const Interner& names);

// Whether one run of the function may call it again twice before it returns.
bool is_tree_recursive(IrFunction& function);

}  // namespace quelea::compiler
