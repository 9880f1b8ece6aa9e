// The whole compiler as one call: source text in, modules as `.qb` bytes and diagnostics out.
//
// The phases know nothing of files, of each other's modules or of the machine. What one text needs
// to know of other modules (exports for warnings, structs) it asks of a ModuleInfoProvider; the
// callers (vm/api, the bootstrap tool) implement that over folders and the library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/resolve.h"

namespace quelea {
struct ModuleImage;
}

namespace quelea::compiler {

struct BuildOptions {
  bool tests = false;  // compile test blocks and doc examples; see `__tests__/0` below
  bool warnings = true;
  bool inlining = true;  // off for tests that compare
};

struct BuiltModule {
  std::string name;
  std::string path;  // where a search finds it: "chat/room"; a script's is its file's name
  std::vector<uint8_t> bytes;
  ModuleInfo info;
};

struct BuiltDiagnostic {
  std::string text;     // rendered, with source line and caret
  std::string message;  // the sentence alone
  std::string code;
  uint32_t line = 0, column = 0;
  bool is_error = true;
};

struct BuildResult {
  bool ok = false;
  uint32_t error_count = 0;
  uint32_t warning_count = 0;
  std::vector<BuiltModule> modules;  // in load order; the last is the file's own; empty unless ok
  std::vector<BuiltDiagnostic> diagnostics;
  std::string text;  // all diagnostics, rendered
};

// Compiles one text. `modules` may be null. With `tests`, a module that has any exports
// `__tests__/0`, which gives `[(name, line, function)]`: each function is exported too, takes no
// arguments, and returns when its test passes.
BuildResult build(std::string file_name, std::string text, const BuildOptions& options,
                  ModuleInfoProvider* modules);

// What others may know of the modules of a text, found by parsing alone. Empty where the text does
// not parse.
std::vector<ModuleInfo> read_interfaces(std::string file_name, std::string text);

// The same of a compiled module.
ModuleInfo interface_of(const ModuleImage& image);

// The native functions of the machine as modules (`Prelude`, `Prim`); null for any other name.
const ModuleInfo* native_module(std::string_view name);

}  // namespace quelea::compiler
