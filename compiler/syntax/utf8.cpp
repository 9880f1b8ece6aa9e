#include "compiler/syntax/utf8.h"

#include <cstring>

namespace quelea::compiler {

namespace {

// The length of the well-formed sequence at `at`, or 0.
size_t sequence_length(const unsigned char* at, size_t left) {
  unsigned char c = at[0];
  size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
  if (c < 0xC2 || c > 0xF4 || left < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!is_utf8_continuation(at[i])) return 0;
  }
  if (c == 0xE0 && at[1] < 0xA0) return 0;  // overlong
  if (c == 0xED && at[1] > 0x9F) return 0;  // surrogate
  if (c == 0xF0 && at[1] < 0x90) return 0;  // overlong
  if (c == 0xF4 && at[1] > 0x8F) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

size_t find_invalid_utf8(std::string_view text) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = text.size();
  size_t at = 0;
  constexpr uint64_t kHigh = 0x8080808080808080u;
  constexpr uint64_t kOnes = 0x0101010101010101u;
  while (at < size) {
    while (at + 8 <= size) {
      uint64_t word;
      std::memcpy(&word, bytes + at, 8);
      // A byte with its high bit set, or a zero byte (then the subtraction borrows).
      if (((word | (word - kOnes)) & kHigh) != 0) break;
      at += 8;
    }
    size_t stop = at + 8 < size ? at + 8 : size;
    while (at < stop) {
      if (bytes[at] == 0) return at;
      if (bytes[at] < 0x80) {
        ++at;
        continue;
      }
      size_t length = sequence_length(bytes + at, size - at);
      if (length == 0) return at;
      at += length;
    }
  }
  return size;
}

uint32_t decode_utf8(std::string_view text) {
  unsigned char c = static_cast<unsigned char>(text[0]);
  uint32_t length = utf8_length(c);
  if (length == 1 || text.size() < length) return c;
  uint32_t value = c & (0xFFu >> (length + 1));
  for (uint32_t i = 1; i < length; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  return value;
}

bool encode_utf8(uint32_t code, char* out, uint32_t* length) {
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    *length = 1;
    return true;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  uint32_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  uint32_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (uint32_t i = count - 1; i > 0; --i) {
    out[i] = static_cast<char>(0x80 | (code & 0x3F));
    code >>= 6;
  }
  out[0] = static_cast<char>(marks[count] | code);
  *length = count;
  return true;
}

}  // namespace quelea::compiler
