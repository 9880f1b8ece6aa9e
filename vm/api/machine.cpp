// The C API over the machine: making one, loading, running, interrupting.
//
// A quelea_vm ties together what must not know each other: the machine (quelea::Vm), which asks its
// Host for modules and for the compiler, and the search for modules, which compiles.
#include "vm/interp/machine.h"

#include <cstring>
#include <new>

#include "vm/api/handles.h"
#include "vm/code/code_registry.h"
#include "vm/interp/load.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/schedulers.h"

namespace quelea {
namespace {

std::vector<std::string> copy_strings(const char* const* strings, size_t count) {
  std::vector<std::string> copies;
  for (size_t i = 0; i < count; i++) copies.emplace_back(strings[i]);
  return copies;
}

}  // namespace

quelea_status status_of(quelea_vm* vm, RunResult& result) {
  switch (result.end) {
    case RunResult::End::Normal:
    case RunResult::End::Halted:
      return QUELEA_OK;
    case RunResult::End::Raised:
      return vm->fail(QUELEA_RAISED, std::move(result.report));
    case RunResult::End::Interrupted:
      return vm->fail(QUELEA_INTERRUPTED, "interrupted");
    case RunResult::End::NoMemory:
      return vm->fail_for_memory();
    case RunResult::End::NotFound:
      break;
  }
  return vm->fail(QUELEA_NOT_FOUND, "no such function");
}

ApiHost::ApiHost(const quelea_config& config)
    : config_(config),
      arguments_(copy_strings(config.arguments, config.argument_count)),
      search_(copy_strings(config.paths, config.path_count)) {}

bool ApiHost::write(int fd, std::string_view bytes) {
  return config_.write == nullptr || config_.write(config_.user, fd, bytes.data(), bytes.size());
}

std::ptrdiff_t ApiHost::try_write(int fd, std::string_view bytes) {
  if (config_.try_write == nullptr) return Host::try_write(fd, bytes);
  return config_.try_write(config_.user, fd, bytes.data(), bytes.size());
}

void ApiHost::flush(int fd) {
  if (config_.flush != nullptr) config_.flush(config_.user, fd);
}

std::ptrdiff_t ApiHost::read(char* buffer, std::size_t capacity) {
  return config_.read == nullptr ? 0 : config_.read(config_.user, buffer, capacity);
}

void ApiHost::log(LogLevel level, std::string_view line) {
  if (config_.log != nullptr)
    config_.log(config_.user, static_cast<quelea_log_level>(level), line.data(), line.size());
}

void ApiHost::trace(std::string_view line) {
  config_.trace(config_.user, line.data(), line.size());
}

CompileOutcome ApiHost::compile(std::string_view source, std::string_view file) {
  const auto hold = search_.hold();
  compiler::BuildResult built =
      compiler::build(std::string(file), std::string(source), {}, &search_);
  CompileOutcome outcome;
  outcome.ok = built.ok;
  for (compiler::BuiltModule& module : built.modules)
    outcome.modules.push_back({module.name, std::string(file), std::move(module.bytes)});
  for (compiler::BuiltDiagnostic& diagnostic : built.diagnostics)
    (diagnostic.is_error ? outcome.errors : outcome.warnings).push_back(diagnostic.text);
  return outcome;
}

}  // namespace quelea

using quelea::RunRequest;
using quelea::RunResult;

void quelea_config_init(quelea_config* config) {
  *config = {};
  config->struct_size = sizeof *config;
}

quelea_vm* quelea_vm_create(const quelea_config* config) {
  quelea_config copy;
  quelea_config_init(&copy);
  if (config != nullptr) {
    if (config->struct_size == 0 || config->struct_size > sizeof copy) return nullptr;
    std::memcpy(&copy, config, config->struct_size);
  }
  quelea::VmConfig machine;
  machine.max_processes = copy.max_processes;
  machine.max_memory_bytes = copy.max_memory_bytes;
  machine.schedulers = copy.schedulers;
  machine.seed = copy.seed;
  machine.deterministic = copy.deterministic;
  try {
    auto handle = std::make_unique<quelea_vm>(copy);
    machine.host = &handle->host;
    handle->vm = quelea::make_vm(machine);
    handle->host.search().claim_of(handle->vm->memory());
    return handle.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void quelea_vm_destroy(quelea_vm* vm) {
  // A thread that is held up outside, in a read that does not return, would come back to nothing:
  // what it may touch stays.
  if (vm != nullptr && vm->vm->schedulers().has_abandoned()) return;
  delete vm;
}

quelea_status quelea_vm_load(quelea_vm* vm, const char* name, const uint8_t* bytes, size_t length) {
  return vm->guarded([&] {
    std::string_view file(reinterpret_cast<const char*>(bytes), length);
    quelea::MemoryGuard& memory = vm->vm->memory();
    if (memory.is_tight()) return vm->fail_for_memory();
    quelea::MemoryMeter meter;
    memory.begin(meter);
    quelea::LoadResult loaded = quelea::load_module(quelea::load_context(*vm->vm), file);
    memory.fold(meter);
    if (loaded.module != nullptr) return QUELEA_OK;
    return vm->fail(QUELEA_LOAD_ERROR, std::string(name) + ": " + loaded.error);
  });
}

quelea_status quelea_vm_load_compilation(quelea_vm* vm, const quelea_compilation* compilation) {
  return vm->guarded([&] {
    if (compilation->lacks_memory) return vm->fail_for_memory();
    if (!compilation->built.ok) return vm->fail(QUELEA_COMPILE_ERROR, compilation->built.text);
    if (!compilation->root.empty()) vm->host.search().add_folder(compilation->root);
    for (const auto& module : compilation->built.modules) {
      quelea_status status =
          quelea_vm_load(vm, module.name.c_str(), module.bytes.data(), module.bytes.size());
      if (status != QUELEA_OK) return status;
      vm->host.search().remember(module.info);
    }
    return QUELEA_OK;
  });
}

quelea_status quelea_vm_set_arguments(quelea_vm* vm, const char* const* arguments, size_t count) {
  return vm->guarded([&] {
    vm->host.set_arguments(quelea::copy_strings(arguments, count));
    return QUELEA_OK;
  });
}

quelea_status quelea_vm_call(quelea_vm* vm, const char* module, const char* function,
                             const uint8_t* arguments, size_t arguments_length,
                             const uint8_t** result, size_t* result_length) {
  if (result != nullptr) *result = nullptr;
  if (result_length != nullptr) *result_length = 0;
  return vm->guarded([&] {
    RunRequest request;
    request.module = module;
    request.function = function;
    if (arguments != nullptr)
      request.arguments.assign(reinterpret_cast<const char*>(arguments), arguments_length);
    request.encode_result = result != nullptr;
    RunResult run = quelea::run_main(*vm->vm, request, false);
    vm->result = std::move(run.value);
    if (result != nullptr) *result = reinterpret_cast<const uint8_t*>(vm->result.data());
    if (result_length != nullptr) *result_length = vm->result.size();
    return quelea::status_of(vm, run);
  });
}

void quelea_vm_interrupt(quelea_vm* vm) { vm->vm->interrupt(); }

const char* quelea_vm_error(const quelea_vm* vm) { return vm->error.c_str(); }
