// The machine as the layers above use it: make one, load modules, run a main process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vm/proc/vm.h"

namespace quelea {

/// A machine with interpreter, scheduler and natives; nothing is loaded and nothing runs.
std::unique_ptr<Vm> make_vm(VmConfig config);

/// Verifies and loads a .qb file's bytes. False: nothing changed, and `error` says why.
bool load_module_bytes(Vm& vm, std::string_view file, std::string& error);

struct RunResult {
  enum class End { Normal, Raised, Halted, Interrupted, NotFound, NoMemory };
  End end = End::Normal;
  int status = 0;      ///< Of `System.halt`, else 0 or 1.
  std::string report;  ///< Raised: class, reason and trace for people.
  std::string value;   ///< With `encode_result`: the result in external term format.
};

struct RunRequest {
  std::string module;
  std::string function;
  /// The arguments: a list in external term format; empty for none.
  std::string arguments;
  bool encode_result = false;
};

/// Spawns the main process and runs until it ends. With `end_all`, all other processes end with it,
/// without running any more code; so they do where there is no memory for the machine itself
/// (NoMemory), after which another main process may be run. Throws std::bad_alloc only before
/// anything has run.
RunResult run_main(Vm& vm, const RunRequest& request, bool end_all = true);

}  // namespace quelea
