#include "vm/term/utf8.h"

#include <utf8proc.h>

#include <cstring>

namespace quelea {

std::int32_t utf8_decode(const std::uint8_t* at, const std::uint8_t* end, unsigned& size) {
  if (at >= end) return -1;
  std::uint32_t first = at[0];
  if (first < 0x80) {
    size = 1;
    return static_cast<std::int32_t>(first);
  }
  if (first < 0xC2 || first > 0xF4) return -1;
  unsigned length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (static_cast<std::size_t>(end - at) < length) return -1;
  std::uint32_t c = first & (0x7Fu >> length);
  for (unsigned i = 1; i < length; ++i) {
    if ((at[i] & 0xC0) != 0x80) return -1;
    c = c << 6 | (at[i] & 0x3Fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[length] || !is_scalar_value(c)) return -1;
  size = length;
  return static_cast<std::int32_t>(c);
}

unsigned utf8_encode(std::uint32_t c, std::uint8_t* out) {
  auto tail = [c](unsigned shift) { return static_cast<std::uint8_t>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out[0] = static_cast<std::uint8_t>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<std::uint8_t>(0xC0 | c >> 6);
    out[1] = tail(0);
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<std::uint8_t>(0xE0 | c >> 12);
    out[1] = tail(6);
    out[2] = tail(0);
    return 3;
  }
  out[0] = static_cast<std::uint8_t>(0xF0 | c >> 18);
  out[1] = tail(12);
  out[2] = tail(6);
  out[3] = tail(0);
  return 4;
}

void utf8_append(std::string& out, std::uint32_t code_point) {
  std::uint8_t bytes[4];
  out.append(reinterpret_cast<const char*>(bytes), utf8_encode(code_point, bytes));
}

std::size_t utf8_valid_prefix(const std::uint8_t* bytes, std::size_t size) {
  const std::uint8_t* at = bytes;
  const std::uint8_t* end = bytes + size;
  while (at < end) {
    // Most text is ASCII: eight bytes at a time.
    std::uint64_t word;
    while (end - at >= 8 && (std::memcpy(&word, at, 8), (word & 0x8080808080808080u) == 0)) at += 8;
    if (at == end) break;
    unsigned length;
    if (*at < 0x80) {
      ++at;
    } else if (utf8_decode(at, end, length) >= 0) {
      at += length;
    } else {
      break;
    }
  }
  return static_cast<std::size_t>(at - bytes);
}

bool utf8_valid(const std::uint8_t* bytes, std::size_t size) {
  return utf8_valid_prefix(bytes, size) == size;
}

std::size_t utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

bool is_printable(std::uint32_t c) {
  if (c < 0x7F) return c >= 0x20;
  if (!is_scalar_value(c)) return false;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      // Marks that turn the direction of text around would make printed source lie.
      return !(c >= 0x202A && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069) && c != 0xFEFF;
  }
}

}  // namespace quelea
