// UTF-8, the encoding of strings and atoms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quelea {

constexpr bool is_scalar_value(std::int64_t c) {
  return c >= 0 && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

/// Reads the code point at the start of `[at, end)`; its bytes in `size`. -1 where there is no
/// valid one.
std::int32_t utf8_decode(const std::uint8_t* at, const std::uint8_t* end, unsigned& size);
/// Writes 1 to 4 bytes, returns how many. `code_point` is a scalar value.
unsigned utf8_encode(std::uint32_t code_point, std::uint8_t* out);
void utf8_append(std::string& out, std::uint32_t code_point);
/// Well formed throughout: no overlong forms, no surrogates.
bool utf8_valid(const std::uint8_t* bytes, std::size_t size);
inline bool utf8_valid(std::string_view text) {
  return utf8_valid(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}
/// Length of the longest well-formed prefix.
std::size_t utf8_valid_prefix(const std::uint8_t* bytes, std::size_t size);
/// Code points of a well-formed text.
std::size_t utf8_length(std::string_view text);
/// True where `inspect` shows the code point as it is.
bool is_printable(std::uint32_t code_point);

}  // namespace quelea
