// UTF-8 for source text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quelea::compiler {

// The offset of the first byte that is not part of well-formed UTF-8, or text.size(). NUL bytes
// count as ill-formed: no source text has them.
size_t find_invalid_utf8(std::string_view text);

// Bytes of the sequence that begins with this byte, judged by the byte alone; 1 for stray bytes.
inline uint32_t utf8_length(unsigned char lead) {
  if (lead < 0xC0) return 1;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return 4;
}

inline bool is_utf8_continuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// The code point at the beginning of valid, non-empty text.
uint32_t decode_utf8(std::string_view text);

// Writes up to four bytes; false for surrogates and what is above U+10FFFF.
bool encode_utf8(uint32_t code_point, char* out, uint32_t* length);

}  // namespace quelea::compiler
