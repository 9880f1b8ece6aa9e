// quelea_vm_run_main: what running a file means.
#include "vm/api/handles.h"
#include "vm/code/code_registry.h"
#include "vm/interp/machine.h"
#include "vm/proc/local.h"
#include "vm/proc/output.h"

namespace quelea {
namespace {

constexpr const char* kScriptFunction = "$script";
constexpr char kEtfVersion = '\x83';

// A script's expressions, or else main/1, or else main/0. False when the module has none of them.
bool choose_function(Vm& vm, const LoadedModule& module, RunRequest& request) {
  auto has = [&](const char* name, std::uint32_t arity) {
    return module.find_export(vm.atoms().intern(name, AtomOf::Machine), arity) != nullptr;
  };
  LiteralWriter arguments;
  request.function = kScriptFunction;
  if (!has(kScriptFunction, 0)) {
    request.function = "main";
    if (has("main", 1)) {
      std::vector<std::string> words = vm.host().arguments();
      arguments.list(1);
      if (!words.empty()) arguments.list(static_cast<std::uint32_t>(words.size()));
      for (const std::string& word : words) arguments.string(word);
      arguments.empty_list();
    } else if (!has("main", 0)) {
      return false;
    }
  }
  arguments.empty_list();
  request.arguments = kEtfVersion + arguments.take();
  return true;
}

}  // namespace
}  // namespace quelea

using quelea::RunResult;

namespace {

quelea_status run(quelea_vm* vm, const char* module, int* exit_status) {
  quelea::Vm& machine = *vm->vm;
  const quelea::Term name = machine.atoms().intern(module, quelea::AtomOf::Machine);
  const quelea::LoadedModule* loaded = nullptr;
  if (!name.is_none()) {  // Else it is no name at all.
    loaded = machine.code().find_module(name);
    if (loaded == nullptr && machine.autoload != nullptr && machine.autoload(machine, name))
      loaded = machine.code().find_module(name);
  }
  if (loaded == nullptr)
    return vm->fail(QUELEA_NOT_FOUND, std::string("there is no module ") + module);
  quelea::RunRequest request;
  request.module = module;
  if (!quelea::choose_function(machine, *loaded, request)) {
    bool is_script = request.module.rfind("Script.", 0) == 0;
    *exit_status = 0;
    if (is_script) return QUELEA_OK;  // An empty script, or declarations alone.
    return vm->fail(QUELEA_NOT_FOUND, request.module + " has no function main(args) to run");
  }
  RunResult result = quelea::run_main(machine, request);
  quelea::SchedulerLocal& here = machine.schedulers().first();
  machine.output().flush(here, 1);
  *exit_status = result.status;
  const quelea_status status = quelea::status_of(vm, result);
  if (status == QUELEA_RAISED) machine.output().write(here, 2, vm->error + "\n");
  return status;
}

}  // namespace

quelea_status quelea_vm_run_main(quelea_vm* vm, const char* module, int* exit_status) {
  *exit_status = 1;
  return vm->guarded([&] { return run(vm, module, exit_status); });
}
