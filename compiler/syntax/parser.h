// From text to tree.
#pragma once

#include "compiler/syntax/arena.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/diagnostics.h"

namespace quelea::compiler {

struct ParseOptions {
  // Parse doc examples into tests (Module::tests).
  bool tests = false;
};

struct ParseResult {
  File* file;  // never null; with errors it holds what could be understood
  bool ok;     // no errors
};

// Any bytes may be in `source`: what is wrong with them is reported to the sink.
ParseResult parse(const SourceFile& source, Arena& arena, Interner& interner, DiagnosticSink& sink,
                  const ParseOptions& options = {});

}  // namespace quelea::compiler
