#include "compiler/syntax/literals.h"

#include <charconv>

#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct EscapeReader {
  std::string_view raw;
  uint32_t offset;
  std::string& out;
  LiteralError& error;

  bool fail(size_t at, size_t size, std::string message, std::string hint) {
    uint32_t begin = offset + static_cast<uint32_t>(at);
    error = {
        true, {begin, begin + static_cast<uint32_t>(size)}, std::move(message), std::move(hint)};
    return false;
  }

  bool append(uint32_t code_point, size_t at, size_t size) {
    char bytes[4];
    uint32_t length = 0;
    if (!encode_utf8(code_point, bytes, &length)) {
      return fail(at, size, "this is no Unicode code point",
                  "they run from \\u{0} to \\u{10FFFF}, without \\u{D800} to \\u{DFFF}");
    }
    out.append(bytes, length);
    return true;
  }

  // `at` is that of the backslash; moves it past the escape.
  bool unicode(size_t& at) {
    size_t i = at + 2;
    uint32_t code = 0;
    size_t digits = 0;
    if (i < raw.size() && raw[i] == '{') {
      ++i;
      while (i < raw.size() && hex_value(raw[i]) >= 0 && digits < 7) {
        code = code * 16 + static_cast<uint32_t>(hex_value(raw[i++]));
        ++digits;
      }
    }
    if (digits == 0 || digits > 6 || i >= raw.size() || raw[i] != '}') {
      return fail(at, 2, "`\\u` wants a code point in braces", "for example \\u{1F426}");
    }
    ++i;
    if (!append(code, at, i - at)) return false;
    at = i;
    return true;
  }

  bool escape(size_t& at) {
    char c = at + 1 < raw.size() ? raw[at + 1] : '\0';
    static constexpr std::string_view kLetters = "ntr0e\\\"'$";
    static constexpr std::string_view kValues{"\n\t\r\0\x1b\\\"'$", 9};
    size_t known = kLetters.find(c);
    if (c != '\0' && known != std::string_view::npos) {
      out += kValues[known];
      at += 2;
      return true;
    }
    if (c == 'u') return unicode(at);
    if (c == 'x') {
      int high = at + 2 < raw.size() ? hex_value(raw[at + 2]) : -1;
      int low = at + 3 < raw.size() ? hex_value(raw[at + 3]) : -1;
      if (high < 0 || low < 0) {
        return fail(at, 2, "`\\x` wants two hexadecimal digits", "for example \\x41");
      }
      if (!append(static_cast<uint32_t>(high * 16 + low), at, 4)) return false;
      at += 4;
      return true;
    }
    size_t size = c == '\0' ? 1 : 1 + utf8_length(static_cast<unsigned char>(c));
    return fail(
        at, size, "no such escape",
        "there are \\n \\t \\r \\0 \\e \\\\ \\\" \\' \\$ \\xHH \\u{…}; a backslash is \\\\, "
        "and a raw string r\"…\" has no escapes");
  }
};

}  // namespace

bool decode_escapes(std::string_view raw, uint32_t offset, std::string& out, LiteralError& error) {
  EscapeReader reader{raw, offset, out, error};
  size_t at = 0;
  while (at < raw.size()) {
    size_t backslash = raw.find('\\', at);
    if (backslash == std::string_view::npos) backslash = raw.size();
    out.append(raw.substr(at, backslash - at));
    at = backslash;
    if (at < raw.size() && !reader.escape(at)) return false;
  }
  return true;
}

IntText decode_int(std::string_view text) {
  IntText out;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o' || text[1] == 'b')) {
    out.radix = text[1] == 'x' ? 16 : text[1] == 'o' ? 8 : 2;
    text.remove_prefix(2);
  }
  out.digits.reserve(text.size());
  for (char c : text) {
    if (c != '_') out.digits += c;
  }
  size_t zeros = out.digits.find_first_not_of('0');
  out.digits.erase(0, zeros == std::string::npos ? out.digits.size() - 1 : zeros);
  const char* end = out.digits.data() + out.digits.size();
  std::from_chars_result result = std::from_chars(out.digits.data(), end, out.value, out.radix);
  out.small = result.ec == std::errc() && result.ptr == end;
  return out;
}

namespace {

// Whether the magnitude is at least 1: tells a float that is too large from one that is too small.
bool is_large(std::string_view digits) {
  size_t mantissa_end = digits.find_first_of("eE");
  long exponent = 0;
  if (mantissa_end != std::string_view::npos) {
    std::string_view text = digits.substr(mantissa_end + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    bool negative = text.starts_with('-');
    std::from_chars_result result =
        std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (result.ec != std::errc()) return !negative;
  } else {
    mantissa_end = digits.size();
  }
  std::string_view mantissa = digits.substr(0, mantissa_end);
  size_t point = mantissa.find('.');
  if (point == std::string_view::npos) point = mantissa.size();
  size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  long magnitude = static_cast<long>(point) - static_cast<long>(first);
  return magnitude + exponent > 0;
}

}  // namespace

bool decode_float(std::string_view text, double* value) {
  std::string digits;
  digits.reserve(text.size());
  for (char c : text) {
    if (c != '_') digits += c;
  }
  std::from_chars_result result =
      std::from_chars(digits.data(), digits.data() + digits.size(), *value);
  if (result.ec == std::errc()) return true;
  *value = 0.0;
  return !is_large(digits);
}

}  // namespace quelea::compiler
