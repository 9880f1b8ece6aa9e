// The optimiser of the core: what makes the code smaller before slots are allocated.
#pragma once

#include "compiler/core/ir.h"

namespace quelea::compiler {

void simplify(IrFunction& function, ConstTable& consts);

}  // namespace quelea::compiler
