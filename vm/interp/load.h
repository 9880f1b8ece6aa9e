// Loading into a machine.
#pragma once

#include "vm/code/loader.h"
#include "vm/proc/vm.h"

namespace quelea {

/// What vm/code's loader needs to load into this machine.
LoadContext load_context(Vm& vm);

}  // namespace quelea
