// Integers as digits. Both directions go through GMP, which is sub-quadratic.
#include <charconv>
#include <cmath>
#include <cstring>

#include "vm/base/gmp_memory.h"
#include "vm/base/raw_vector.h"
#include "vm/term/integer.h"
#include "vm/term/limbs.h"

namespace quelea {

namespace {

/// 0 to 35, or 255.
unsigned char digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned char>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned char>(c - 'a' + 10);
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned char>(c - 'A' + 10);
  return 255;
}

/// log2 of a radix, rounded up in the last place so that room is never short.
double radix_bits(unsigned radix) { return std::log2(static_cast<double>(radix)) * (1 + 1e-12); }

}  // namespace

Term integer_parse(TermAlloc& alloc, std::string_view text, unsigned radix, bool* limit,
                   std::size_t* work) {
  if (limit != nullptr) *limit = false;
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || radix < 2 || radix > 36) return Term::none();
  // While the digits surely fit, they are summed up in a word.
  std::uint64_t value = 0;
  if (text.size() <= 11 || (radix <= 10 && text.size() <= 18)) {
    for (char c : text) {
      unsigned digit = digit_value(c);
      if (digit >= radix) return Term::none();
      value = value * radix + digit;
    }
    std::int64_t small = static_cast<std::int64_t>(value);
    return make_integer(alloc, negative ? -small : small);
  }
  while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
  for (char c : text) {
    if (digit_value(c) >= radix) return Term::none();
  }
  double bits = static_cast<double>(text.size()) * radix_bits(radix);
  if (bits - radix_bits(radix) > static_cast<double>(kMaxIntegerBits)) {
    if (limit != nullptr) *limit = true;
    return Term::none();
  }
  RawVector<unsigned char> digits;
  digits.resize_raw(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) digits[i] = digit_value(text[i]);
  std::size_t room = static_cast<std::size_t>(bits / 64) + 2;
  BigResult result(alloc, room);
  const GmpWork memory;
  mp_size_t size = mpn_set_str(result.limbs(), digits.data(), text.size(), static_cast<int>(radix));
  add_work(work, 4 * product_work(room, room));
  Term parsed = result.finish(negative, static_cast<std::size_t>(size));
  if (parsed.is_none() && limit != nullptr) *limit = true;
  return parsed;
}

void integer_print(std::string& out, Term integer, unsigned radix, std::size_t* work) {
  if (integer.is_small()) {
    char text[72];
    auto end =
        std::to_chars(text, text + sizeof text, integer.small_value(), static_cast<int>(radix));
    for (char* c = text; c < end.ptr; ++c) {
      if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
    }
    out.append(text, end.ptr);
    return;
  }
  IntegerView view(integer);
  Scratch limbs(view.size() + 1);
  std::memcpy(limbs.data(), view.limbs(), view.size() * sizeof(mp_limb_t));
  std::size_t room =
      static_cast<std::size_t>(static_cast<double>(view.size()) * 64 / std::log2(radix)) + 3;
  if (view.negative()) out.push_back('-');
  std::size_t start = out.size();
  out.resize(start + room);
  unsigned char* digits = reinterpret_cast<unsigned char*>(out.data()) + start;
  const GmpWork memory;
  std::size_t size = mpn_get_str(digits, static_cast<int>(radix), limbs.data(),
                                 static_cast<mp_size_t>(view.size()));
  std::size_t zeros = 0;
  while (zeros + 1 < size && digits[zeros] == 0) ++zeros;
  for (std::size_t i = zeros; i < size; ++i) {
    out[start + i - zeros] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digits[i]];
  }
  out.resize(start + size - zeros);
  add_work(work, 4 * product_work(view.size(), view.size()));
}

}  // namespace quelea
