// quelea compile, quelea check, quelea disasm.
#include <quelea/quelea.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/quelea/commands.h"
#include "tools/quelea/files.h"
#include "tools/quelea/host.h"

namespace cli {
namespace {

// Compiles each file and hands the compilation to `use` when it is ok. 2 when any had errors or
// `use` said no. Modules may use each other: each file's folder is searched.
template <class Use>
int compile_files(const Options& options, const Words& files, Use use) {
  int exit_status = 0;
  for (const std::string& file : files) {
    std::string text, error;
    if (!read_file(file, text, error)) {
      fprintf(stderr, "quelea: cannot read %s: %s\n", file.c_str(), error.c_str());
      exit_status = kExitUsage;
      continue;
    }
    Host host(options, file == "-" ? "" : folder_of(file), {});
    if (host.vm() == nullptr) return failure("no machine could be made: memory is short");
    quelea_compilation* code =
        quelea_compile(host.vm(), file.c_str(), text.data(), text.size(), nullptr);
    fputs(quelea_compilation_diagnostics(code), stderr);
    if (!quelea_compilation_ok(code) || !use(code)) exit_status = kExitUsage;
    quelea_compilation_destroy(code);
  }
  return exit_status;
}

bool write_modules(const quelea_compilation* code, const std::string& folder) {
  for (size_t i = 0; i < quelea_compilation_module_count(code); i++) {
    size_t length = 0;
    const uint8_t* bytes = quelea_compilation_module_bytes(code, i, &length);
    std::string path = folder + "/" + quelea_compilation_module_path(code, i) + ".qb", error;
    if (!write_file(path, bytes, length, error)) {
      fprintf(stderr, "quelea: cannot write %s: %s\n", path.c_str(), error.c_str());
      return false;
    }
  }
  return true;
}

bool print_disassembly(const uint8_t* bytes, size_t length) {
  char* error = nullptr;
  char* text = quelea_disassemble(bytes, length, &error);
  if (text != nullptr) fputs(text, stdout);
  if (text == nullptr) fprintf(stderr, "quelea: %s\n", error != nullptr ? error : "not a module");
  bool ok = text != nullptr;
  quelea_string_destroy(text);
  quelea_string_destroy(error);
  return ok;
}

}  // namespace

int compile_command(const Options& options, const Words& words) {
  CLI::App app("Writes the modules of source files as .qb.", "quelea compile");
  std::string folder = ".";
  Words files;
  app.add_option("-o", folder, "Write here instead of the working directory")->type_name("DIR");
  app.add_option("FILES", files, "Sources")->required();
  if (auto status = parse_words(app, words)) return *status;
  return compile_files(options, files,
                       [&](const quelea_compilation* code) { return write_modules(code, folder); });
}

int check_command(const Options& options, const Words& words) {
  CLI::App app("Reports errors and warnings of source files.", "quelea check");
  Words files;
  app.add_option("FILES", files, "Sources")->required();
  if (auto status = parse_words(app, words)) return *status;
  return compile_files(options, files, [](const quelea_compilation*) { return true; });
}

int disasm_command(const Options& options, const Words& words) {
  CLI::App app("Shows the bytecode of a source or a .qb file as text.", "quelea disasm");
  std::string file, bytes, error;
  app.add_option("FILE", file, "A .qu or .qb file")->required();
  if (auto status = parse_words(app, words)) return *status;
  if (!read_file(file, bytes, error)) return failure("cannot read " + file + ": " + error);
  if (is_bytecode(bytes)) {
    const uint8_t* data = reinterpret_cast<const uint8_t*>(bytes.data());
    return print_disassembly(data, bytes.size()) ? 0 : kExitUsage;
  }
  return compile_files(options, {file}, [](const quelea_compilation* code) {
    bool ok = true;
    for (size_t i = 0; i < quelea_compilation_module_count(code); i++) {
      size_t length = 0;
      const uint8_t* data = quelea_compilation_module_bytes(code, i, &length);
      ok = print_disassembly(data, length) && ok;
    }
    return ok;
  });
}

}  // namespace cli
