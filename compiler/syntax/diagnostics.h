// Errors and warnings as values: a code of diagnostics.def, a span, a sentence, a hint.
//
// The sink collects; nothing is printed here. It caps what one run reports, and it keeps only the
// first error at one place, so that one slip makes one message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/source.h"

namespace quelea::compiler {

enum class Severity : uint8_t { kError, kWarning };

enum class DiagCode : uint16_t {
#define DIAG(code, severity, title) code,
#include "compiler/syntax/diagnostics.def"
#undef DIAG
};

// "E0123" or "W0042".
std::string_view diag_code_text(DiagCode code);
Severity diag_severity(DiagCode code);
// The one-line description of the code in diagnostics.def.
std::string_view diag_title(DiagCode code);

struct Diagnostic {
  DiagCode code;
  Severity severity;
  const SourceFile* source;  // null: about no file in particular
  Span span;
  std::string message;  // one sentence, without a full stop
  std::string hint;     // may be empty; what to write instead
};

class DiagnosticSink {
 public:
  static constexpr uint32_t kMaxErrors = 20;
  static constexpr uint32_t kMaxWarnings = 100;

  void report(DiagCode code, const SourceFile* source, Span span, std::string message,
              std::string hint = {});

  bool has_errors() const { return error_count_ != 0; }
  // Counts include what the cap dropped.
  uint32_t error_count() const { return error_count_; }
  uint32_t warning_count() const { return warning_count_; }
  // True once the cap on errors is reached: the parser stops early then.
  bool full() const { return error_count_ >= kMaxErrors; }

  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  // Puts what was reported since there were `count` diagnostics, all of one file, in the order of
  // the source. The resolver does this for its own and the parser's.
  void sort(size_t count = 0);
  // Takes back the warnings reported since there were `count` diagnostics that an error may have
  // caused: names never read, values thrown away.
  void drop_consequences(size_t count);

 private:
  std::vector<Diagnostic> diagnostics_;
  uint32_t error_count_ = 0;
  uint32_t warning_count_ = 0;
};

// `file:line:column: error[E0101]: sentence`, the source line, a caret line, `hint: …`; ends with a
// newline. Long lines are clipped around the caret.
std::string render(const Diagnostic& diagnostic);
// Every diagnostic of a sink, and a line that says how many the cap left out.
std::string render_all(const DiagnosticSink& sink);

}  // namespace quelea::compiler
