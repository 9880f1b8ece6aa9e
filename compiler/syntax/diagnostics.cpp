#include "compiler/syntax/diagnostics.h"

#include <algorithm>

#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

namespace {

struct Entry {
  std::string_view code;
  Severity severity;
  std::string_view title;
};

constexpr Entry kEntries[] = {
#define DIAG(code, severity, title) {#code, Severity::severity, title},
#include "compiler/syntax/diagnostics.def"
#undef DIAG
};

const Entry& entry(DiagCode code) { return kEntries[static_cast<size_t>(code)]; }

// A line of source as it is shown: at most kShown code points around the span.
struct Excerpt {
  std::string text;
  size_t caret_begin = 0;  // in code points of `text`
  size_t caret_size = 1;
};

constexpr size_t kShown = 120;
constexpr size_t kBefore = 60;

// Steps back over at most `count` code points, but not before `limit`.
size_t step_back(std::string_view text, size_t at, size_t limit, size_t count) {
  while (at > limit && count > 0) {
    --at;
    if (!is_utf8_continuation(static_cast<unsigned char>(text[at]))) --count;
  }
  return at;
}

Excerpt excerpt(const SourceFile& source, Span span, uint32_t line_number) {
  std::string_view text = source.text();
  Span line = source.line_span(line_number);
  size_t caret = std::min<size_t>(span.begin, line.end);
  Excerpt out;
  size_t at = step_back(text, caret, line.begin, kBefore);
  if (line.end - line.begin <= kShown) at = line.begin;
  if (at > line.begin) {
    out.text += "…";
    ++out.caret_begin;
  }
  size_t shown = 0;
  size_t caret_end = std::max<size_t>(caret + 1, std::min<size_t>(span.end, line.end));
  size_t carets = 0;
  while (at < line.end && shown < kShown) {
    unsigned char c = static_cast<unsigned char>(text[at]);
    size_t length = std::min<size_t>(utf8_length(c), line.end - at);
    bool valid = find_invalid_utf8(text.substr(at, length)) == length;
    if (!valid) length = 1;
    bool printable = valid && (c >= ' ' || c == '\t') && c != 0x7F;
    if (at < caret) ++out.caret_begin;
    if (at >= caret && at < caret_end) ++carets;
    if (printable) {
      out.text.append(text.substr(at, length));
    } else {
      out.text += "\xEF\xBF\xBD";
    }
    at += length;
    ++shown;
  }
  if (at < line.end) out.text += "…";
  out.caret_size = std::max<size_t>(1, carets);
  return out;
}

void append_caret_line(std::string& out, const Excerpt& excerpt) {
  size_t at = 0;
  for (size_t column = 0; column < excerpt.caret_begin && at < excerpt.text.size(); ++column) {
    out += excerpt.text[at] == '\t' ? '\t' : ' ';
    at += utf8_length(static_cast<unsigned char>(excerpt.text[at]));
  }
  out.append(excerpt.caret_size, '^');
}

}  // namespace

std::string_view diag_code_text(DiagCode code) { return entry(code).code; }
Severity diag_severity(DiagCode code) { return entry(code).severity; }
std::string_view diag_title(DiagCode code) { return entry(code).title; }

void DiagnosticSink::report(DiagCode code, const SourceFile* source, Span span, std::string message,
                            std::string hint) {
  Severity severity = diag_severity(code);
  bool is_error = severity == Severity::kError;
  for (const Diagnostic& other : diagnostics_) {
    bool same_place = other.source == source && other.span.begin == span.begin && source != nullptr;
    if (same_place && (other.code == code || (is_error && other.severity == severity))) return;
  }
  uint32_t& count = is_error ? error_count_ : warning_count_;
  ++count;
  if (count > (is_error ? kMaxErrors : kMaxWarnings)) return;
  diagnostics_.push_back({code, severity, source, span, std::move(message), std::move(hint)});
}

void DiagnosticSink::drop_consequences(size_t count) {
  auto follows = [](const Diagnostic& diagnostic) {
    return diagnostic.code == DiagCode::W0301 || diagnostic.code == DiagCode::W0302 ||
           diagnostic.code == DiagCode::W0303 || diagnostic.code == DiagCode::W0305 ||
           diagnostic.code == DiagCode::W0311 || diagnostic.code == DiagCode::W0312 ||
           diagnostic.code == DiagCode::W0313;
  };
  auto first = diagnostics_.begin() + static_cast<ptrdiff_t>(std::min(count, diagnostics_.size()));
  auto kept = std::remove_if(first, diagnostics_.end(), follows);
  warning_count_ -= static_cast<uint32_t>(diagnostics_.end() - kept);
  diagnostics_.erase(kept, diagnostics_.end());
}

void DiagnosticSink::sort(size_t count) {
  auto first = diagnostics_.begin() + static_cast<ptrdiff_t>(std::min(count, diagnostics_.size()));
  std::stable_sort(first, diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return a.span.begin < b.span.begin;
  });
}

std::string render(const Diagnostic& diagnostic) {
  std::string out;
  const char* kind = diagnostic.severity == Severity::kError ? "error" : "warning";
  std::string head = std::string(kind) + "[" + std::string(diag_code_text(diagnostic.code)) +
                     "]: " + diagnostic.message + "\n";
  if (diagnostic.source == nullptr) {
    out = head;
  } else {
    Position position = diagnostic.source->position(diagnostic.span.begin);
    out = diagnostic.source->name() + ":" + std::to_string(position.line) + ":" +
          std::to_string(position.column) + ": " + head;
    Excerpt shown = excerpt(*diagnostic.source, diagnostic.span, position.line);
    if (!shown.text.empty()) {
      out += "    " + shown.text + "\n    ";
      append_caret_line(out, shown);
      out += "\n";
    }
  }
  if (!diagnostic.hint.empty()) out += "  hint: " + diagnostic.hint + "\n";
  return out;
}

std::string render_all(const DiagnosticSink& sink) {
  std::string out;
  for (const Diagnostic& diagnostic : sink.diagnostics()) out += render(diagnostic);
  if (sink.full()) {
    out += "there may be more errors; these are the first " +
           std::to_string(DiagnosticSink::kMaxErrors) + "\n";
  }
  if (sink.warning_count() > DiagnosticSink::kMaxWarnings) {
    uint32_t more = sink.warning_count() - DiagnosticSink::kMaxWarnings;
    out += "and " + std::to_string(more) + " more warnings\n";
  }
  return out;
}

}  // namespace quelea::compiler
