// What stands behind the opaque types of the public header.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "compiler/driver/build.h"
#include "vm/api/module_search.h"
#include "vm/base/host.h"
#include "vm/include/quelea/quelea.h"
#include "vm/interp/machine.h"
#include "vm/proc/vm.h"

struct quelea_compilation {
  bool lacks_memory = false;  // It is the one that stands for all for which there was none.
  quelea::compiler::BuildResult built;
  std::string root;  // Where its siblings are searched; may be "".
};

namespace quelea {

// So short that a string wants no memory for it.
inline constexpr const char* kNoMemoryText = "out of memory";

// The host of the header's callbacks, as the machine sees it.
class ApiHost : public Host {
 public:
  explicit ApiHost(const quelea_config& config);

  bool write(int fd, std::string_view bytes) override;
  std::ptrdiff_t try_write(int fd, std::string_view bytes) override;
  void flush(int fd) override;
  std::ptrdiff_t read(char* buffer, std::size_t capacity) override;
  void log(LogLevel level, std::string_view line) override;
  void trace(std::string_view line) override;
  bool traces() const override { return config_.trace != nullptr; }
  std::vector<std::string> arguments() override { return arguments_; }
  FindResult find_module(std::string_view name) override { return search_.load(name); }
  std::string_view module_at_hand(std::string_view name) const override {
    return search_.library_module(name);
  }
  bool is_in_library(std::string_view name) const override { return search_.is_in_library(name); }
  CompileOutcome compile(std::string_view source, std::string_view file) override;

  void set_arguments(std::vector<std::string> arguments) { arguments_ = std::move(arguments); }
  ModuleSearch& search() { return search_; }

 private:
  quelea_config config_;  // Its pointers to the host's memory are not used after construction.
  std::vector<std::string> arguments_;
  ModuleSearch search_;
};

}  // namespace quelea

struct quelea_vm {
  explicit quelea_vm(const quelea_config& config) : host(config) {}

  quelea::ApiHost host;
  std::unique_ptr<quelea::Vm> vm;
  std::string error;   // of the last call that failed
  std::string result;  // of the last quelea_vm_call

  quelea_status fail(quelea_status status, std::string message) {
    error = std::move(message);
    return status;
  }
  quelea_status fail_for_memory() {
    error = quelea::kNoMemoryText;
    return QUELEA_NO_MEMORY;
  }
  // Does what may want memory: no exception crosses the border to the host.
  template <class Call>
  quelea_status guarded(Call call) {
    error.clear();
    try {
      return call();
    } catch (const std::bad_alloc&) {
      return fail_for_memory();
    }
  }
};

namespace quelea {

// How a call that ran a main process ended, for the host; keeps the report.
quelea_status status_of(quelea_vm* vm, RunResult& result);

}  // namespace quelea
