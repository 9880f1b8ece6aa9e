// The parser says at which byte a document stops being JSON, and no more than that. What would have
// been right there follows from the tokens before it, which are looked at again here.
#include "vm/native/json_error.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "vm/native/text.h"

namespace quelea {
namespace {

constexpr std::size_t npos = std::string_view::npos;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The value of `\uXXXX`; -1 for anything else.
std::int32_t escaped_unit(std::string_view text, std::size_t at) {
  if (at == npos || text.substr(at, 2) != "\\u") return -1;
  const std::string_view digits = text.substr(at + 2, 4);
  std::uint32_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() < 4 || result.ec != std::errc() || result.ptr != digits.data() + 4) return -1;
  return static_cast<std::int32_t>(value);
}

constexpr bool is_high(std::int32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low(std::int32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// In a string, near its last escape. True: that is what is wrong.
bool explain_escape(std::string_view text, const JsonTokens& tokens, std::size_t at,
                    JsonError& error) {
  const std::size_t escape = tokens.escape;
  if (escape == npos) return false;
  const bool is_unit = escape + 1 < text.size() && text[escape + 1] == 'u';
  if (at > escape + (is_unit ? 6 : 1)) return false;
  const bool behind_high = tokens.escape_before != npos && tokens.escape_before + 6 == escape &&
                           is_high(escaped_unit(text, tokens.escape_before));
  const std::int32_t unit = escaped_unit(text, escape);
  if (is_unit && unit < 0) {
    error = {"expected four hexadecimal digits", escape + 2};
  } else if (behind_high && !is_low(unit)) {
    error = {"half a surrogate pair", tokens.escape_before};
  } else if (!is_unit) {
    error = {"unknown escape", escape};
  } else if (is_high(unit) || (is_low(unit) && !behind_high)) {
    error = {"half a surrogate pair", escape};
  } else {
    return false;
  }
  return true;
}

/// A sequence that is not well formed ends the document at its first byte or, where it came in two
/// pieces, up to three bytes later. None: npos.
std::size_t bad_sequence(std::string_view text, std::size_t at) {
  std::size_t start = at - std::min<std::size_t>(at, 4);
  while (start < at && (static_cast<std::uint8_t>(text[start]) & 0xC0) == 0x80) ++start;
  const std::string_view near = text.substr(start, at + 4 - start);
  const std::size_t bad = start + utf8_valid_prefix(bytes_of(near), near.size());
  return bad < text.size() && bad <= at ? bad : npos;
}

}  // namespace

std::size_t json_number_end(std::string_view text, std::size_t at, bool& is_open) {
  auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    is_open = at == first;
    return !is_open;
  };
  if (text[at] == '-') ++at;
  if (at < text.size() && text[at] == '0') {
    ++at;  // nothing but a zero begins with zero
    is_open = false;
  } else if (!digits()) {
    return at;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return at;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    digits();
  }
  return at;
}

JsonTokens::JsonTokens(std::string_view text, Place from, std::size_t end)
    : last(from.token), start(from.at) {
  text = text.substr(0, end);
  for (std::size_t at = from.at; at < end;) {
    const char c = text[at];
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      ++at;
      continue;
    }
    before_last = last;
    last = c;
    start = at;
    is_open = false;
    escape = escape_before = npos;
    if (c == '"') {
      for (++at; at < end && text[at] != '"';) {
        if (text[at] != '\\') {
          ++at;
          continue;
        }
        escape_before = escape;
        escape = at;
        at += at + 1 < end && text[at + 1] == 'u' ? 6 : 2;
      }
      is_open = at >= end;
      ++at;
    } else if (c == '-' || is_digit(c)) {
      at = json_number_end(text, at, is_open);
    } else if (c == 't' || c == 'f' || c == 'n') {
      const std::string_view word = c == 't' ? "true" : c == 'f' ? "false" : "null";
      is_open = text.substr(at, word.size()) != word;
      at = is_open ? end : at + word.size();
    } else {
      ++at;
    }
  }
}

JsonError explain_json(std::string_view text, JsonTokens::Place from, std::size_t at, bool in_list,
                       bool in_object) {
  const std::size_t bad = bad_sequence(text, at);
  const JsonTokens tokens(text, from, at);
  JsonError error;
  if (tokens.is_open && tokens.escape < bad && explain_escape(text, tokens, at, error)) {
    return error;
  }
  if (bad < at) return {"invalid UTF-8", bad};
  // A misspelled literal is one from its beginning.
  if (tokens.is_open && std::isalpha(tokens.last)) return {"expected a value", tokens.start};
  if (bad == at) return {"invalid UTF-8", bad};
  if (tokens.is_open) {
    if (tokens.last != '"') return {"expected a digit", at};
    if (at >= text.size()) return {"a string is not closed", at};
    return {"a control character in a string must be escaped", at};
  }
  if (at >= text.size()) return {"unexpected end", at};
  if (tokens.last == '{' || (tokens.last == ',' && in_object)) {
    return {"expected a string as key", at};
  }
  if (tokens.last == 0 || tokens.last == '[' || tokens.last == ',' || tokens.last == ':') {
    return {"expected a value", at};
  }
  if (is_digit(text[at]) && (tokens.last == '-' || is_digit(tokens.last)) &&
      is_digit(text[at - 1])) {
    return {"a number has no leading zeros", at - 1};  // it ended because it was zero
  }
  if (tokens.last == '"' && in_object && (tokens.before_last == '{' || tokens.before_last == ',')) {
    return {"expected a colon", at};
  }
  if (in_object) return {"expected a comma or a closing brace", at};
  if (in_list) return {"expected a comma or a closing bracket", at};
  return {"unexpected character after the value", at};
}

}  // namespace quelea
