#include "vm/interp/machine.h"

#include <new>

#include "vm/code/code_registry.h"
#include "vm/code/loader.h"
#include "vm/interp/fusion.h"
#include "vm/interp/handlers.h"
#include "vm/interp/load.h"
#include "vm/interp/run.h"
#include "vm/native/native.h"
#include "vm/proc/local.h"
#include "vm/proc/process.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"
#include "vm/sched/scheduler.h"
#include "vm/sched/seeded_scheduler.h"
#include "vm/term/binary.h"
#include "vm/term/etf.h"

namespace quelea {

Process* spawn_main(Vm& vm, const Export* target, std::span<const Term> arguments);

LoadContext load_context(Vm& vm, AtomOf atoms_of) {
  return LoadContext{vm.code(),
                     vm.atoms(),
                     vm.determinism() != nullptr ? seeded_handler_table() : handler_table(),
                     kRedZoneBytes,
                     [&vm](std::string_view module, std::string_view name, std::uint32_t arity) {
                       return find_native(vm, module, name, arity);
                     },
                     &fuse_instructions,
                     atoms_of};
}

namespace {

bool load(Vm& vm, std::string_view origin, std::string_view file, AtomOf atoms_of) {
  const LoadResult result = load_module(load_context(vm, atoms_of), file);
  if (result.module == nullptr) {
    vm.log(LogLevel::Error, std::string(origin) + ": " + result.error);
  }
  return result.module != nullptr;
}

bool load_natives(Vm& vm, std::string_view module) {
  const auto natives = natives_of(module);
  if (natives.empty()) return false;
  const LoadResult result =
      load_module(load_context(vm, AtomOf::Machine), native_module_image(module, natives));
  if (result.module == nullptr) vm.log(LogLevel::Error, result.error);
  return result.module != nullptr;
}

/// What is at hand and loaded in a fraction of a millisecond.
bool load_at_once(Vm& vm, Term module) {
  const std::string_view name = vm.atoms().text(module);
  if (load_natives(vm, name)) return true;
  const std::string_view bytes = vm.host().module_at_hand(name);
  return !bytes.empty() && load(vm, name, bytes, AtomOf::Machine);
}

bool search_and_load(Vm& vm, Term module) {
  const FindResult found = vm.host().find_module(vm.atoms().text(module));
  if (found.status == FindStatus::Broken) vm.log(LogLevel::Error, found.message);
  if (found.status != FindStatus::Found) return false;
  if (vm.memory().is_tight()) no_memory();
  for (const ModuleBytes& bytes : found.modules) {
    const auto* start = reinterpret_cast<const char*>(bytes.bytes.data());
    if (!load(vm, bytes.origin, {start, bytes.bytes.size()}, AtomOf::Code)) return false;
  }
  return vm.code().find_module(module) != nullptr;
}

bool autoload(Vm& vm, Term module) {
  return vm.code().find_module(module) != nullptr || load_at_once(vm, module) ||
         search_and_load(vm, module);
}

/// Compiling a module, reading a file, and waiting for somebody who does are for the pool.
Vm::Loaded autoload_for(Process& p, Term module) {
  using enum Vm::Loaded;
  Vm& vm = p.vm();
  if (vm.code().find_module(module) != nullptr) return Yes;
  if (!vm.loading().enter(p)) return Later;
  const TurnHold hold(vm.loading(), p.local());
  // Somebody else may have been first.
  if (vm.code().find_module(module) != nullptr || load_at_once(vm, module)) return Yes;
  if (!p.on_pool()) {
    p.to_pool();
    return Later;
  }
  const AwayFromOthers away(p.local(), &vm.loading());
  try {
    return search_and_load(vm, module) ? Yes : No;
  } catch (const std::bad_alloc&) {
    return NoRoom;
  }
}

}  // namespace

bool load_module_bytes(Vm& vm, std::string_view file, std::string& error) {
  LoadResult result = load_module(load_context(vm), file);
  error = std::move(result.error);
  return result.module != nullptr;
}

std::unique_ptr<Vm> make_vm(VmConfig config) {
  auto vm = std::make_unique<Vm>(config, handler_table()[loader_op_undefined]);
  vm->bottom_return_point = bottom_return_point();
  vm->autoload = &autoload;
  vm->autoload_for = &autoload_for;
  return vm;
}

namespace {

/// The arguments, built in memory of their own until the process has copied them.
struct Arguments : TermAlloc {
  Arguments() {
    grow = [](TermAlloc& self, std::size_t words) {
      auto& arguments = static_cast<Arguments&>(self);
      Fragment* fragment = make_fragment(words + 256);
      fragment->next = arguments.fragments;
      arguments.fragments = fragment;
      self.hp = fragment->start() + words;
      self.limit = fragment->limit();
      return fragment->start();
    };
  }
  ~Arguments() {
    release_ref_binaries(ref_binaries);
    while (fragments != nullptr) {
      Fragment* next = fragments->next;
      release_fragment(fragments);
      fragments = next;
    }
  }
  Fragment* fragments = nullptr;
};

void run_schedulers(Vm& vm) {
  try {
    if (vm.determinism() != nullptr) {
      SeededScheduler(vm, &run).run_until_main_ends();
    } else {
      run_machine(vm, &run);
    }
  } catch (const std::bad_alloc&) {
    vm.give_up();
  }
}

/// Who runs the call that was interrupted has nobody to answer: it dies as soon as there is a turn.
void end_interrupted(Vm& vm) {
  if (Process* main = vm.processes().find(vm.main_pid)) {
    post_due_signal(vm.schedulers().first(), *main, SignalKind::Exit, atoms::kill, vm.main_pid, 0,
                    kExitMessageWords);
  }
}

/// How the main process ended.
void take_end(Vm& vm, RunResult& result) {
  if (vm.take_halt()) {
    result.end = RunResult::End::Halted;
    result.status = vm.halt_status();
  } else if (vm.take_interrupt()) {
    result.end = RunResult::End::Interrupted;
    result.status = 130;
  } else if (vm.gave_up()) {
    result.end = RunResult::End::NoMemory;
  } else {
    result.end = vm.main_end.raised ? RunResult::End::Raised : RunResult::End::Normal;
    result.status = vm.main_end.raised ? 1 : 0;
    result.report = std::move(vm.main_end.report);
    result.value = std::move(vm.main_end.value);
  }
}

}  // namespace

RunResult run_main(Vm& vm, const RunRequest& request, bool end_all) {
  RunResult result;
  const Term module = vm.atoms().intern(request.module, AtomOf::Machine);
  const Term function = vm.atoms().intern(request.function, AtomOf::Machine);
  Arguments memory;
  std::vector<Term> arguments;
  if (!request.arguments.empty()) {
    EtfDecodeOptions options;
    options.node = vm.node();
    EtfDecodeResult decoded =
        etf_decode(memory, reinterpret_cast<const std::uint8_t*>(request.arguments.data()),
                   request.arguments.size(), vm.atoms(), options);
    for (; decoded.term.is_cons(); decoded.term = decoded.term.tail()) {
      arguments.push_back(decoded.term.head());
    }
  }
  result.end = RunResult::End::NotFound;
  result.status = 1;
  if (module.is_none() || function.is_none()) return result;
  const Export* target =
      vm.code().intern_export(module, function, static_cast<std::uint32_t>(arguments.size()));
  if (!target->has_code()) autoload(vm, module);
  if (!target->has_code()) return result;

  vm.main_end.reset();
  vm.encode_main_value = request.encode_result;
  MemoryMeter& meter = vm.schedulers().first().memory;
  vm.memory().begin(meter);
  Process* main = spawn_main(vm, target, arguments);
  vm.memory().fold(meter);
  if (main == nullptr) {
    result.end = RunResult::End::NoMemory;
    return result;
  }
  vm.main_pid = main->self();
  run_schedulers(vm);
  take_end(vm, result);
  end_all =
      end_all || result.end == RunResult::End::NoMemory || result.end == RunResult::End::Halted;
  if (result.end == RunResult::End::Interrupted && !end_all) end_interrupted(vm);
  if (end_all) {
    vm.drop_processes();
    vm.start_over();
  }
  vm.memory().fold(meter);
  return result;
}

}  // namespace quelea
