// Runs of instructions in one handler.
//
// Much of an interpreter's time goes from handler to handler. When a module is loaded, an
// instruction whose successors it can do as well gets a handler that does two or three of them.
// Only the first word of the first instruction changes: the others stay as they are, so that jumps
// to them, exception ranges, lines and return points need to know nothing, and a run in the middle
// of which something rare is to be done simply goes there.
#pragma once

#include "vm/code/loaded_module.h"

namespace quelea {

/// Gives the instructions of a module that nobody runs yet their best handlers.
#if QUELEA_TAIL_HANDLERS
void fuse_instructions(LoadedModule& module);
#else
// Handlers that return to a loop are for debugging and for sanitizers, under which the thousands of
// runs take minutes to compile.
inline void fuse_instructions(LoadedModule&) {}
#endif

}  // namespace quelea
