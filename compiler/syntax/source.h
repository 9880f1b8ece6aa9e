// A source file: its bytes, its name, and where its lines begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quelea::compiler {

// Bytes [begin, end) of one source file.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  constexpr uint32_t size() const { return end - begin; }
};

constexpr Span join(Span a, Span b) { return {a.begin, b.end}; }

// Line and column count from 1; a column is a code point (an invalid byte counts as one), a tab is
// one column.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};

class SourceFile {
 public:
  // Offsets are 32 bits wide; longer text is refused by the parser with a diagnostic.
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  // As diagnostics, stack traces and `:file` show it.
  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const {
    return text().substr(span.begin, span.end - span.begin);
  }

  // The line (from 1) of an offset: a binary search over a table made on first use.
  uint32_t line(uint32_t offset) const;
  // Walks the line for the column: meant for diagnostics.
  Position position(uint32_t offset) const;
  // Bytes of a line (from 1) without its newline and carriage return.
  Span line_span(uint32_t line) const;
  uint32_t line_count() const;

 private:
  void build_lines() const;

  std::string name_;
  std::string text_;
  mutable std::vector<uint32_t> line_starts_;
};

}  // namespace quelea::compiler
