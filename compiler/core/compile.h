// From a resolved module to its image.
#pragma once

#include <memory>

#include "compiler/syntax/ast.h"
#include "compiler/syntax/diagnostics.h"
#include "compiler/syntax/interner.h"
#include "vm/code/module_image.h"

namespace quelea::compiler {

struct CompileOptions {
  // Compile test blocks and doc examples too, and list them in the image.
  bool tests = false;
  bool warnings = true;
  // Off: traces must read the same.
  bool inlining = true;
};

// `module` is one that resolve() has accepted, `arena` any that lives as long as the call. A
// script's expressions become the exported function `$script`/0. Null when the sink got an error.
std::unique_ptr<ModuleImage> compile_module(const Module& module, const SourceFile& source,
                                            Arena& arena, Interner& names, DiagnosticSink& sink,
                                            const CompileOptions& options = {});

}  // namespace quelea::compiler
