// Running a process until its slice ends, it waits, or it is over.
#pragma once

#include "vm/heap/stack.h"
#include "vm/proc/process.h"

namespace quelea {

/// Runs from where the process is. When it returns, `process.pending` and `process.state` say why.
void run(Process& process);

/// What slot 0 of the oldest frame holds.
const ReturnPoint* bottom_return_point();

}  // namespace quelea
