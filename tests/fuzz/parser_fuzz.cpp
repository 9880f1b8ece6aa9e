// Any bytes go through the lexer, the parser and the resolver: no crash, no hang, and where the
// result is not fit for the core there is a diagnostic that renders.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/syntax/parser.h"
#include "compiler/syntax/resolve.h"

using namespace quelea::compiler;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SourceFile source("fuzz.qu", std::string(reinterpret_cast<const char*>(data), size));
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  ParseResult parsed = parse(source, arena, interner, sink, {.tests = true});
  bool ok = parsed.ok;
  if (ok) ok = resolve(*parsed.file, arena, interner, sink, nullptr, {.tests = true});
  if (!ok && !sink.has_errors()) std::abort();
  if (ok && sink.has_errors()) std::abort();
  if (render_all(sink).empty() != sink.diagnostics().empty()) std::abort();
  return 0;
}
