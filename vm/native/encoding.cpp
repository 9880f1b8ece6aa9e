// Codecs: hexadecimal, Base64, percent encoding, records of CSV.
#include <array>

#include "vm/native/list_builder.h"
#include "vm/native/support.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{1} << 32;
constexpr std::uint8_t kBad = 0xFF;

constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) {
    values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return values;
}();

constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kBase64UrlDigits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::uint8_t, 256> base64_values(const char* digits) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (unsigned i = 0; i < 64; ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kBase64Values = base64_values(kBase64Digits);
constexpr std::array<std::uint8_t, 256> kBase64UrlValues = base64_values(kBase64UrlDigits);

}  // namespace

Term prim_hex_encode(Process& p, Args args) {
  Bytes b;
  if (!b.get(args[0])) return badarg(p);
  if (b.size() > kMaxInputBytes) return system_limit(p);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, 2 * b.size(), &out);
  if (result.is_none()) return result;
  for (std::size_t i = 0; i < b.size(); ++i) {
    *out++ = static_cast<std::uint8_t>("0123456789abcdef"[b.data()[i] >> 4]);
    *out++ = static_cast<std::uint8_t>("0123456789abcdef"[b.data()[i] & 15]);
  }
  charge_bytes(p, 2 * b.size());
  return result;
}

Term prim_hex_decode(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_bytes(p, s.size());
  if (s.size() % 2 != 0) return atoms::error;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (kHexValues[s.data()[i]] == kBad) return atoms::error;
  }
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, s.size() / 2, &out);
  if (result.is_none()) return result;
  for (std::size_t i = 0; i < s.size(); i += 2) {
    *out++ = static_cast<std::uint8_t>(kHexValues[s.data()[i]] << 4 | kHexValues[s.data()[i + 1]]);
  }
  return ok_tuple(p, result);
}

Term prim_base64_encode(Process& p, Args args) {
  Bytes b;
  bool url = false;
  bool padding = false;
  if (!b.get(args[0]) || !get_bool(args[1], url) || !get_bool(args[2], padding)) return badarg(p);
  if (b.size() > kMaxInputBytes) return system_limit(p);
  const char* digits = url ? kBase64UrlDigits : kBase64Digits;
  const std::size_t rest = b.size() % 3;
  const std::size_t size = b.size() / 3 * 4 + (rest == 0 ? 0 : padding ? 4 : rest + 1);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, size, &out);
  if (result.is_none()) return result;
  const std::uint8_t* in = b.data();
  const std::uint8_t* end = in + b.size() - rest;
  auto put = [&](unsigned value) { *out++ = static_cast<std::uint8_t>(digits[value & 63]); };
  for (; in != end; in += 3) {
    const unsigned bits = static_cast<unsigned>(in[0] << 16 | in[1] << 8 | in[2]);
    put(bits >> 18), put(bits >> 12), put(bits >> 6), put(bits);
  }
  if (rest != 0) {
    const unsigned bits = static_cast<unsigned>(in[0] << 16 | (rest == 2 ? in[1] << 8 : 0));
    put(bits >> 18), put(bits >> 12);
    if (rest == 2) put(bits >> 6);
    if (padding) {
      if (rest == 1) *out++ = '=';
      *out++ = '=';
    }
  }
  charge_bytes(p, size);
  return result;
}

Term prim_base64_decode(Process& p, Args args) {
  Bytes s;
  bool url = false;
  if (!s.get(args[0]) || !get_bool(args[1], url)) return badarg(p);
  const auto& values = url ? kBase64UrlValues : kBase64Values;
  std::string_view text = s.text();
  charge_bytes(p, text.size());
  if (text.ends_with('=')) {
    // Padding, where there is any, fills the last group of four.
    if (text.size() % 4 != 0) return atoms::error;
    text.remove_suffix(1);
    if (text.ends_with('=')) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return atoms::error;
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, text.size() / 4 * 3 + (text.size() % 4 * 3) / 4, &out);
  if (result.is_none()) return result;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == kBad) return atoms::error;
    bits = bits << 6 | value;
    if (++count % 4 == 0) {
      *out++ = static_cast<std::uint8_t>(bits >> 16);
      *out++ = static_cast<std::uint8_t>(bits >> 8);
      *out++ = static_cast<std::uint8_t>(bits);
    }
  }
  // What is left over of the last digit must be zero: every binary has one encoding.
  if (count % 4 == 2) {
    if ((bits & 15) != 0) return atoms::error;
    *out++ = static_cast<std::uint8_t>(bits >> 4);
  } else if (count % 4 == 3) {
    if ((bits & 3) != 0) return atoms::error;
    *out++ = static_cast<std::uint8_t>(bits >> 10);
    *out++ = static_cast<std::uint8_t>(bits >> 2);
  }
  return ok_tuple(p, result);
}

Term prim_uri_encode(Process& p, Args args) {
  Bytes s;
  Bytes extra;
  if (!s.get(args[0]) || !extra.get(args[1])) return badarg(p);
  std::array<bool, 256> plain{};
  for (unsigned c = 0; c < 128; ++c) {
    plain[c] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  for (char c : std::string_view("-._~")) plain[static_cast<std::uint8_t>(c)] = true;
  for (char c : extra.text()) plain[static_cast<std::uint8_t>(c)] = true;
  std::string out;
  out.reserve(s.size());
  for (char c : s.text()) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (plain[byte]) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back("0123456789ABCDEF"[byte >> 4]);
      out.push_back("0123456789ABCDEF"[byte & 15]);
    }
  }
  charge_bytes(p, 4 * s.size());
  return out == s.text() ? args[0] : binary_from_text(p, out);
}

Term prim_uri_decode(Process& p, Args args) {
  Bytes s;
  bool plus_is_space = false;
  if (!s.get(args[0]) || !get_bool(args[1], plus_is_space)) return badarg(p);
  std::string out;
  out.reserve(s.size());
  charge_bytes(p, 4 * s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s.text()[i];
    if (c == '%') {
      if (s.size() - i < 3) return atoms::error;
      const std::uint8_t high = kHexValues[s.data()[i + 1]];
      const std::uint8_t low = kHexValues[s.data()[i + 2]];
      if (high == kBad || low == kBad) return atoms::error;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    } else {
      out.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  return ok_tuple(p, out == s.text() ? args[0] : binary_from_text(p, out));
}

// CSV -------------------------------------------------------------------------------------------
namespace {

/// Reads the quoted field that starts behind the quote at `at`; doubled quotes stand for one. False
/// when it never ends.
bool read_quoted(std::string_view text, std::size_t& at, char quote, std::string& out) {
  while (true) {
    const std::size_t end = text.find(quote, at);
    if (end == std::string_view::npos) return false;
    out.append(text.substr(at, end - at));
    at = end + 1;
    if (at == text.size() || text[at] != quote) return true;
    out.push_back(quote);
    ++at;
  }
}

}  // namespace

Term prim_csv_row(Process& p, Args args) {
  Bytes b;
  auto is_byte = [](Term t) {
    return t.is_small() && t.small_value() >= 0 && t.small_value() < 256;
  };
  if (!b.get(args[0]) || !args[1].is_small() || !is_byte(args[2]) || !is_byte(args[3])) {
    return badarg(p);
  }
  const std::string_view text = b.text();
  const auto start = static_cast<std::size_t>(args[1].small_value());
  if (start > text.size()) return badarg(p);
  if (start == text.size()) return atoms::nil;
  const char separator = static_cast<char>(args[2].small_value());
  const char quote = static_cast<char>(args[3].small_value());
  ListBuilder fields(p);
  std::size_t at = start;
  std::string quoted;
  while (true) {
    if (at < text.size() && text[at] == quote) {
      const std::size_t field = at++;
      quoted.clear();
      if (!read_quoted(text, at, quote, quoted)) {
        return error_tuple(p, Term::small(static_cast<std::int64_t>(field)));
      }
      fields.push(binary_from_text(p, quoted));
    } else {
      const std::size_t field = at;
      while (at < text.size() && text[at] != separator && text[at] != '\n' && text[at] != '\r')
        ++at;
      fields.push(slice_of(p, args[0], field, at - field));
    }
    if (at == text.size()) break;
    if (text[at] == separator) {
      ++at;
      continue;
    }
    if (text[at] == '\r') {
      ++at;
      if (at < text.size() && text[at] == '\n') ++at;
      break;
    }
    if (text[at] == '\n') {
      ++at;
      break;
    }
    // Something stands between a closing quote and the separator.
    return error_tuple(p, Term::small(static_cast<std::int64_t>(at)));
  }
  charge_bytes(p, at - start + 64 * fields.size());
  return p.tuple(fields.finish(), Term::small(static_cast<std::int64_t>(at)));
}

}  // namespace quelea
