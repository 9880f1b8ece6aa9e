// quelea FILE, quelea -, quelea -e EXPR.
#include <quelea/quelea.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "tools/quelea/commands.h"
#include "tools/quelea/files.h"
#include "tools/quelea/host.h"

namespace cli {
namespace {

constexpr int kExitRaised = 1;

int report(Host& host, const std::string& text) {
  std::string line = "quelea: " + text + "\n";
  host.output().write(2, line.data(), line.size());
  return kExitUsage;
}

int run_module(Host& host, const char* module) {
  int exit_status = 0;
  host.catch_interrupts();
  quelea_status status = quelea_vm_run_main(host.vm(), module, &exit_status);
  host.output().flush();
  if (status == QUELEA_INTERRUPTED) return interrupted_status();
  if (status == QUELEA_OK || status == QUELEA_RAISED) {
    // Output that is lost is no success. A reader that has seen enough (`| head`) is told about by
    // the program's own report, if it wrote on.
    int error = host.output().error();
    if (error == 0 || (error == EPIPE && exit_status != 0)) return exit_status;
    report(host, std::string("cannot write standard output: ") + strerror(error));
    return exit_status == 0 ? kExitRaised : exit_status;
  }
  return report(host, quelea_vm_error(host.vm()));
}

int run_source(Host& host, const std::string& name, const std::string& text, bool expression) {
  quelea_compile_options options;
  quelea_compile_options_init(&options);
  options.expression = expression;
  quelea_compilation* code =
      quelea_compile(host.vm(), name.c_str(), text.data(), text.size(), &options);
  std::string diagnostics = quelea_compilation_diagnostics(code);
  if (!diagnostics.empty()) host.output().write(2, diagnostics.data(), diagnostics.size());
  int exit_status = kExitUsage;
  if (quelea_compilation_ok(code)) {
    std::string module = quelea_compilation_main(code);
    quelea_status status = quelea_vm_load_compilation(host.vm(), code);
    quelea_compilation_destroy(code);
    code = nullptr;
    exit_status = status == QUELEA_OK ? run_module(host, module.c_str())
                                      : report(host, quelea_vm_error(host.vm()));
  }
  quelea_compilation_destroy(code);
  return exit_status;
}

int run_bytecode(Host& host, const std::string& path, const std::string& bytes) {
  const uint8_t* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (quelea_vm_load(host.vm(), path.c_str(), data, bytes.size()) != QUELEA_OK)
    return report(host, quelea_vm_error(host.vm()));
  char module[4096];
  if (quelea_module_name(data, bytes.size(), module, sizeof module) != QUELEA_OK)
    return report(host, path + ": not a module");
  return run_module(host, module);
}

int no_machine(const Host& host) {
  return failure(host.error().empty() ? "no machine could be made: memory is short" : host.error());
}

}  // namespace

int run_file(const Options& options, const std::string& path, const Words& arguments) {
  std::string text, error;
  if (!read_file(path, text, error)) return failure("cannot read " + path + ": " + error);
  Host host(options, path == "-" ? "" : folder_of(path), arguments);
  if (host.vm() == nullptr) return no_machine(host);
  if (is_bytecode(text)) return run_bytecode(host, path, text);
  return run_source(host, path == "-" ? "(stdin)" : path, text, false);
}

int run_expression(const Options& options, const std::string& text, const Words& arguments) {
  Host host(options, "", arguments);
  if (host.vm() == nullptr) return no_machine(host);
  return run_source(host, "(eval)", text, true);
}

}  // namespace cli
