// The optimiser of the core: what makes the code smaller before slots are allocated.
#pragma once

#include "compiler/core/ir.h"

namespace quelea::compiler {

// `is_tree`: the function calls itself twice on one way, so that it may grow for the sake of its
// leaves.
void simplify(IrFunction& function, ConstTable& consts, bool is_tree);

// Whether the operation is done here where its operands are constants.
bool can_fold(Op op);

// True when block parameters that hold tuples were replaced by their elements (split_tuples.cpp).
bool split_tuples(IrFunction& function, ConstTable& consts);

// True when a join was split, so that what is known on one way can be used (split_paths.cpp).
// `eager`: also where a way has nothing but less to do.
bool split_paths(IrFunction& function, bool eager);

// Tests whether integers are equal become exact (exact_tests.cpp).
void test_exactly(IrFunction& function, ConstTable& consts, const ModuleImage& image);

// True when a computation or test that was done before was dropped (repeats.cpp).
bool drop_repeats(IrFunction& function);

}  // namespace quelea::compiler
