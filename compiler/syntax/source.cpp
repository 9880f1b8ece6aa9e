#include "compiler/syntax/source.h"

#include <algorithm>
#include <cstring>

#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

void SourceFile::build_lines() const {
  line_starts_.push_back(0);
  const char* begin = text_.data();
  const char* end = begin + text_.size();
  for (const char* at = begin; at < end;) {
    const void* newline = std::memchr(at, '\n', static_cast<size_t>(end - at));
    if (newline == nullptr) break;
    at = static_cast<const char*>(newline) + 1;
    line_starts_.push_back(static_cast<uint32_t>(at - begin));
  }
}

uint32_t SourceFile::line(uint32_t offset) const {
  if (line_starts_.empty()) build_lines();
  auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<uint32_t>(after - line_starts_.begin());
}

Position SourceFile::position(uint32_t offset) const {
  Position position;
  offset = std::min(offset, static_cast<uint32_t>(text_.size()));
  position.line = line(offset);
  uint32_t begin = line_starts_[position.line - 1];
  for (uint32_t i = begin; i < offset; ++i) {
    if (!is_utf8_continuation(static_cast<unsigned char>(text_[i]))) ++position.column;
  }
  return position;
}

Span SourceFile::line_span(uint32_t line) const {
  if (line_starts_.empty()) build_lines();
  Span span{line_starts_[line - 1], static_cast<uint32_t>(text_.size())};
  if (line < line_starts_.size()) span.end = line_starts_[line] - 1;
  if (span.end > span.begin && text_[span.end - 1] == '\r') --span.end;
  return span;
}

uint32_t SourceFile::line_count() const {
  if (line_starts_.empty()) build_lines();
  return static_cast<uint32_t>(line_starts_.size());
}

}  // namespace quelea::compiler
