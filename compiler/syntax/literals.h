// What literal tokens say: escapes, heredocs, numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/syntax/source.h"

namespace quelea::compiler {

struct LiteralError {
  bool failed = false;
  Span span;
  std::string message;
  std::string hint;
};

// Appends the text with its escapes decoded. `offset` is where `raw` begins in the file.
bool decode_escapes(std::string_view raw, uint32_t offset, std::string& out, LiteralError& error);

// An integer's digits without prefix and underscores.
struct IntText {
  std::string digits;
  int radix = 10;
  bool small = false;  // fits `value`
  int64_t value = 0;
};
IntText decode_int(std::string_view text);

// False when the number is too large for a float.
bool decode_float(std::string_view text, double* value);

}  // namespace quelea::compiler
