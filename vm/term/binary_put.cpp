// The builder's segments.
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "vm/term/binary.h"
#include "vm/term/integer.h"
#include "vm/term/utf8.h"

namespace quelea {

namespace {

/// Writes the low `size` bits at a place and zeroes the rest of the last byte.
void store_bits(std::uint8_t* data, std::size_t bit, std::uint64_t value, unsigned size) {
  std::uint8_t* at = data + bit / 8;
  unsigned offset = bit & 7;
  if (size < 64) value &= (std::uint64_t{1} << size) - 1;
  if (offset != 0) {
    unsigned room = 8 - offset;
    unsigned kept = *at & (0xFF00u >> offset);
    if (size <= room) {
      *at = static_cast<std::uint8_t>(kept | value << (room - size));
      return;
    }
    size -= room;
    *at++ = static_cast<std::uint8_t>(kept | (value >> size & (0xFFu >> offset)));
  }
  while (size >= 8) {
    size -= 8;
    *at++ = static_cast<std::uint8_t>(value >> size);
  }
  if (size > 0) *at = static_cast<std::uint8_t>(value << (8 - size));
}

/// A double as a half, rounded to nearest even; false past its range.
bool to_half(double value, std::uint32_t& half) {
  std::uint32_t sign = std::signbit(value) ? 0x8000u : 0;
  double magnitude = std::fabs(value);
  if (magnitude >= 65520.0) return false;
  int exponent;
  std::frexp(magnitude, &exponent);
  // The unit of the last place: subnormals share the smallest one.
  int unit = (exponent < -13 ? -13 : exponent) - 11;
  std::uint32_t scaled = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, -unit)));
  // `scaled` has at most 11 bits, or is 2048 after rounding up: adding lets it carry into the
  // exponent.
  std::uint32_t biased = static_cast<std::uint32_t>(unit + 24);
  half = sign | (magnitude == 0 ? 0 : (biased << 10) + scaled);
  return true;
}

}  // namespace

void BinaryBuilder::put_word(std::uint64_t value, unsigned size) {
  if (!room(size) || size == 0) return;
  if (QUELEA_LIKELY(((bits_ | size) & 7) == 0 && size == 8)) {
    data_[bits_ / 8] = static_cast<std::uint8_t>(value);
  } else {
    store_bits(data_, bits_, value, size);
  }
  bits_ += size;
}

void BinaryBuilder::put_bits(BinaryView view) {
  if (view.bit_size == 0 || !room(view.bit_size)) return;
  bits_copy(data_, bits_, view.bytes, view.bit_offset, view.bit_size);
  bits_ += view.bit_size;
  if (bits_ & 7) data_[bits_ / 8] &= static_cast<std::uint8_t>(0xFF00u >> (bits_ & 7));
}

void BinaryBuilder::put_bytes(const void* bytes, std::size_t size) {
  put_bits({static_cast<const std::uint8_t*>(bytes), 0, size * 8});
}

void BinaryBuilder::put_limbs(const std::uint64_t* limbs, std::size_t count, bool negative,
                              std::size_t size, bool is_little) {
  // Two's complement limbs, as far as the value has any; beyond, its sign.
  std::uint64_t beyond = negative ? ~0ull : 0;
  std::vector<std::uint64_t> complement;
  if (negative) {
    complement.assign(limbs, limbs + count);
    bool carry = true;
    for (std::uint64_t& limb : complement) {
      limb = ~limb + carry;
      carry = carry && limb == 0;
    }
    limbs = complement.data();
  }
  auto chunk = [&](std::size_t index) { return index < count ? limbs[index] : beyond; };
  if (!room(size)) return;
  std::size_t whole = size / 64;
  unsigned rest = static_cast<unsigned>(size % 64);
  if (!is_little) {
    if (rest > 0) put_word(chunk(whole), rest);
    for (std::size_t i = whole; i-- > 0;) put_word(chunk(i), 64);
    return;
  }
  for (std::size_t i = 0; i < whole; ++i) put_word(__builtin_bswap64(chunk(i)), 64);
  std::uint64_t last = chunk(whole);
  for (; rest >= 8; rest -= 8, last >>= 8) put_word(last & 0xFF, 8);
  if (rest > 0) put_word(last, rest);
}

bool BinaryBuilder::put_int(Term integer, std::size_t size, bool is_little) {
  if (integer.is_small() && size <= 64 && (!is_little || size <= 8)) {
    put_word(static_cast<std::uint64_t>(integer.small_value()), static_cast<unsigned>(size));
    return true;
  }
  if (!is_integer(integer) || size > kMaxBinaryBytes * 8) return false;
  IntegerView view(integer);
  put_limbs(view.limbs(), view.size(), view.negative(), size, is_little);
  return true;
}

void BinaryBuilder::put_float(double value, unsigned size, bool is_little) {
  std::uint64_t word = size == 64 ? std::bit_cast<std::uint64_t>(value)
                                  : std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (size == 16) {
    std::uint32_t half = 0;
    to_half(value, half);
    word = half;
  }
  if (is_little) {
    for (unsigned done = 0; done < size; done += 8) put_word(word >> done & 0xFF, 8);
  } else {
    put_word(word, size);
  }
}

bool BinaryBuilder::put_float(Term number, std::size_t size, bool is_little) {
  double value;
  if (number.is_float()) {
    value = number.float_value();
  } else if (!is_integer(number) || !integer_to_double(number, value)) {
    return false;
  }
  std::uint32_t half;
  if (size == 16   ? !to_half(value, half)
      : size == 32 ? !std::isfinite(static_cast<float>(value))
                   : size != 64) {
    return false;
  }
  put_float(value, static_cast<unsigned>(size), is_little);
  return true;
}

namespace {

bool code_point_of(Term term, std::uint32_t& code_point) {
  if (!term.is_small() || !is_scalar_value(term.small_value())) return false;
  code_point = static_cast<std::uint32_t>(term.small_value());
  return true;
}

std::uint32_t swapped(std::uint32_t unit, bool is_little) {
  return is_little ? __builtin_bswap16(static_cast<std::uint16_t>(unit)) : unit;
}

}  // namespace

bool BinaryBuilder::put_utf8(Term term) {
  std::uint32_t c;
  if (!code_point_of(term, c)) return false;
  std::uint8_t bytes[4];
  put_bytes(bytes, utf8_encode(c, bytes));
  return true;
}

bool BinaryBuilder::put_utf16(Term term, bool is_little) {
  std::uint32_t c;
  if (!code_point_of(term, c)) return false;
  if (c < 0x10000) {
    put_word(swapped(c, is_little), 16);
  } else {
    c -= 0x10000;
    put_word(swapped(0xD800 | c >> 10, is_little), 16);
    put_word(swapped(0xDC00 | (c & 0x3FF), is_little), 16);
  }
  return true;
}

bool BinaryBuilder::put_utf32(Term term, bool is_little) {
  std::uint32_t c;
  if (!code_point_of(term, c)) return false;
  put_word(is_little ? __builtin_bswap32(c) : c, 32);
  return true;
}

}  // namespace quelea
