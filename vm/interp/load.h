// Loading into a machine.
#pragma once

#include "vm/code/loader.h"
#include "vm/proc/vm.h"

namespace quelea {

/// What vm/code's loader needs to load into this machine; `atoms_of` is the machine for the library
/// alone.
LoadContext load_context(Vm& vm, AtomOf atoms_of = AtomOf::Code);

}  // namespace quelea
