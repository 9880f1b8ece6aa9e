// The optimiser of the core: what makes the code smaller before slots are allocated.
#pragma once

#include "compiler/core/ir.h"

namespace quelea::compiler {

void simplify(IrFunction& function, ConstTable& consts);

// True when block parameters that hold tuples were replaced by their elements (split_tuples.cpp).
bool split_tuples(IrFunction& function, ConstTable& consts);

}  // namespace quelea::compiler
