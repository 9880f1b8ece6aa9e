// Scopes: what every name of a parsed file means, and every static rule of the language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/arena.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/diagnostics.h"

namespace quelea::compiler {

// What is known of a module outside the file that is being compiled.
struct ModuleInfo {
  struct Function {
    std::string name;
    uint32_t arity;
    bool optional = false;  // callbacks only
  };
  std::string name;
  std::vector<Function> exports;
  std::vector<Function> callbacks;
  bool has_struct = false;
  std::vector<std::string> struct_fields;
  // It does not compile: nothing is known of it, and its own errors say the rest.
  bool is_broken = false;
};

// The driver's knowledge of other modules: compiled files, the library, what else is compiled in
// this run. Answers stay valid until the resolver returns. Modules of the same file are not asked
// for.
class ModuleInfoProvider {
 public:
  virtual ~ModuleInfoProvider() = default;
  // Null: no such module is to be found.
  virtual const ModuleInfo* find(std::string_view module) = 0;
  // Where a module is not found though a file has its name: a sentence that says so. Else empty.
  virtual std::string why_missing(std::string_view) { return {}; }
  // Names of the modules there are, for near misses; may be left empty.
  virtual std::vector<std::string> names() { return {}; }
};

struct ResolveOptions {
  bool tests = false;  // resolve test blocks and doc examples; otherwise they are dropped
  bool warnings = true;
};

// False when errors were reported; the tree is then not fit for the core. `modules` may be null:
// nothing is known of other modules then, and no warning is given about them.
bool resolve(File& file, Arena& arena, Interner& interner, DiagnosticSink& sink,
             ModuleInfoProvider* modules, const ResolveOptions& options = {});

}  // namespace quelea::compiler
