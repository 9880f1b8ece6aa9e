#include "vm/term/float_text.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace quelea {

namespace {

/// Numbers from one up to here are written without an exponent: integers this large are still
/// exact.
constexpr double kPlainBelow = 9007199254740992.0;

struct Digits {
  char digits[20];
  int count;
  int exponent;  // value = 0.d1d2d3… * 10^exponent
};

Digits shortest_digits(double magnitude) {
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
  Digits result{};
  char* at = text;
  for (; at < end && *at != 'e'; ++at) {
    if (*at != '.') result.digits[result.count++] = *at;
  }
  int exponent = 0;
  const char* sign = at + 1;
  std::from_chars(*sign == '+' ? sign + 1 : sign, end, exponent);
  result.exponent = exponent + 1;
  return result;
}

char* put(char* out, const char* from, int count) {
  std::memcpy(out, from, static_cast<std::size_t>(count));
  return out + count;
}

char* put_zeros(char* out, int count) {
  std::memset(out, '0', static_cast<std::size_t>(count));
  return out + count;
}

char* print_plain(char* out, const Digits& d) {
  if (d.exponent <= 0) {
    *out++ = '0';
    *out++ = '.';
    out = put_zeros(out, -d.exponent);
    return put(out, d.digits, d.count);
  }
  if (d.count <= d.exponent) {
    out = put(out, d.digits, d.count);
    out = put_zeros(out, d.exponent - d.count);
    *out++ = '.';
    *out++ = '0';
    return out;
  }
  out = put(out, d.digits, d.exponent);
  *out++ = '.';
  return put(out, d.digits + d.exponent, d.count - d.exponent);
}

char* print_scientific(char* out, const Digits& d) {
  *out++ = d.digits[0];
  *out++ = '.';
  if (d.count == 1) {
    *out++ = '0';
  } else {
    out = put(out, d.digits + 1, d.count - 1);
  }
  *out++ = 'e';
  return std::to_chars(out, out + 8, d.exponent - 1).ptr;
}

/// Whether a number is written without an exponent. Below one it is OTP's rule: the shorter of the
/// two texts, plain when they are equally long. From one up OTP would write `1.0e3`, where the
/// language promises `1000.0`: the exponent counts with its sign and two digits there, and the
/// closing `.0` not at all, so that only many zeros bring it on.
bool plain_is_shorter(const Digits& d) {
  int exponent = d.exponent - 1;
  if (exponent >= 0) {
    int plain = d.exponent >= d.count ? d.exponent : d.count + 1;
    int scientific = (d.count == 1 ? 1 : d.count + 1) + (exponent >= 100 ? 5 : 4);
    return plain <= scientific;
  }
  int plain = 2 - d.exponent + d.count;
  int exponent_width = 2 + (exponent <= -10) + (exponent <= -100);
  int scientific = (d.count == 1 ? 3 : d.count + 1) + 1 + exponent_width;
  return plain <= scientific;
}

}  // namespace

std::size_t float_print_short(double value, char* out) {
  char* at = out;
  if (std::signbit(value)) *at++ = '-';
  double magnitude = std::fabs(value);
  if (magnitude == 0) {
    at = put(at, "0.0", 3);
    return static_cast<std::size_t>(at - out);
  }
  Digits digits = shortest_digits(magnitude);
  bool plain = magnitude < kPlainBelow && plain_is_shorter(digits);
  at = plain ? print_plain(at, digits) : print_scientific(at, digits);
  return static_cast<std::size_t>(at - out);
}

void float_print_fixed(std::string& out, double value, unsigned decimals) {
  char text[310 + 260];
  if (decimals > 253) decimals = 253;
  // Exactly between two texts is only what has one decimal more, a 5, and then it has no others.
  double scaled = std::ldexp(value, static_cast<int>(decimals) + 1);
  bool may_tie = std::isfinite(scaled) && scaled == std::trunc(scaled);
  char* end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed,
                            static_cast<int>(decimals + may_tie))
                  .ptr;
  if (!may_tie) {
    out.append(text, end);
    return;
  }
  bool up = *--end >= '5';
  if (end[-1] == '.') --end;
  std::size_t start = out.size();
  out.append(text, end);
  std::size_t at = out.size();
  while (up && at > start && out[at - 1] != '-') {
    char& digit = out[--at];
    if (digit == '.') continue;
    up = digit == '9';
    digit = up ? '0' : static_cast<char>(digit + 1);
  }
  if (up) out.insert(at, 1, '1');
}

void float_print_scientific(std::string& out, double value, unsigned decimals) {
  char text[320];
  if (decimals > 249) decimals = 249;
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific,
                           static_cast<int>(decimals));
  out.append(text, end.ptr);
}

bool float_parse(std::string_view text, double& value, bool lenient) {
  const char* at = text.data();
  const char* end = at + text.size();
  bool negative = false;
  if (at < end && (*at == '-' || *at == '+')) negative = *at++ == '-';
  const char* number = at;
  auto digits = [&] {
    const char* start = at;
    while (at < end && *at >= '0' && *at <= '9') ++at;
    return at > start;
  };
  if (!digits()) return false;
  bool point = at < end && *at == '.';
  if (point) {
    ++at;
    if (!digits()) return false;
  }
  bool exponent_negative = false;
  bool exponent = at < end && (*at == 'e' || *at == 'E');
  if (exponent) {
    ++at;
    if (at < end && (*at == '-' || *at == '+')) exponent_negative = *at++ == '-';
    if (!digits()) return false;
  }
  if (at != end || !(point || (lenient && exponent))) return false;
  double magnitude = 0;
  auto result = std::from_chars(number, end, magnitude);
  if (result.ec == std::errc::result_out_of_range) {
    // Too small reads as zero; too large is no float.
    bool tiny = exponent ? exponent_negative : *number == '0';
    if (!tiny) return false;
    magnitude = 0;
  }
  if (!std::isfinite(magnitude)) return false;
  value = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace quelea
