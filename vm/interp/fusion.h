// Pairs of instructions in one handler.
//
// Half of an interpreter's time goes from handler to handler. When a module is loaded, an
// instruction whose successor it can do as well gets a handler that does both. Only the first word
// of the first instruction changes: the second stays as it is, so that jumps to it, exception
// ranges, lines and return points need to know nothing, and a pair whose second half has something
// rare to do simply goes there.
#pragma once

#include "vm/code/loaded_module.h"

namespace quelea {

/// Gives the instructions of a module that nobody runs yet their best handlers.
void fuse_instructions(LoadedModule& module);

}  // namespace quelea
