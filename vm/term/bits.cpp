// Bit strings in memory: copying, comparing and reading them at any offset.
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "vm/term/binary.h"
#include "vm/term/integer.h"
#include "vm/term/utf8.h"

namespace quelea {

namespace {

std::uint64_t load_big(const std::uint8_t* at) {
  std::uint64_t word;
  std::memcpy(&word, at, 8);
  return __builtin_bswap64(word);
}

/// A half as a double; false for infinities and what is no number.
bool from_half(std::uint32_t half, double& value) {
  std::uint32_t exponent = half >> 10 & 31, mantissa = half & 1023;
  if (exponent == 31) return false;
  double magnitude = exponent == 0 ? std::ldexp(mantissa, -24)
                                   : std::ldexp(mantissa + 1024, static_cast<int>(exponent) - 25);
  value = half >> 15 ? -magnitude : magnitude;
  return true;
}

/// The bytes of a little-endian segment as a number, for up to 64 bits. Bits that fill no byte come
/// last and are the most significant ones.
std::uint64_t read_little(BinaryView view, std::size_t position, unsigned size) {
  std::uint64_t value = 0;
  unsigned done = 0;
  for (; done + 8 <= size; done += 8) {
    value |= bits_read_word(view, position + done, 8) << done;
  }
  if (done < size) value |= bits_read_word(view, position + done, size - done) << done;
  return value;
}

}  // namespace

void bits_copy(std::uint8_t* to, std::size_t to_bit, const std::uint8_t* from, std::size_t from_bit,
               std::size_t count) {
  to += to_bit / 8;
  to_bit &= 7;
  from += from_bit / 8;
  from_bit &= 7;
  if (to_bit == 0 && from_bit == 0) {
    if (count >= 8) std::memcpy(to, from, count / 8);
    to += count / 8;
    from += count / 8;
    count &= 7;
  }
  BinaryView source{from, from_bit, count};
  std::size_t done = 0;
  auto put = [to](std::size_t bit, std::uint64_t value, unsigned size) {
    // Within one byte.
    unsigned shift = static_cast<unsigned>(8 - (bit & 7) - size);
    unsigned mask = ((1u << size) - 1) << shift;
    std::uint8_t& byte = to[bit / 8];
    byte =
        static_cast<std::uint8_t>((byte & ~mask) | (static_cast<unsigned>(value) << shift & mask));
  };
  if (to_bit != 0 && count > 0) {
    std::size_t head = 8 - to_bit < count ? 8 - to_bit : count;
    put(to_bit, bits_read_word(source, 0, static_cast<unsigned>(head)),
        static_cast<unsigned>(head));
    done = head;
  }
  std::uint8_t* at = to + (to_bit + done) / 8;
  for (; count - done >= 64; done += 64, at += 8) {
    std::uint64_t word = __builtin_bswap64(bits_read_word(source, done, 64));
    std::memcpy(at, &word, 8);
  }
  for (; count - done >= 8; done += 8) {
    *at++ = static_cast<std::uint8_t>(bits_read_word(source, done, 8));
  }
  if (done < count) {
    unsigned tail = static_cast<unsigned>(count - done);
    put(to_bit + done, bits_read_word(source, done, tail), tail);
  }
}

std::uint64_t bits_read_word(BinaryView view, std::size_t position, unsigned size) {
  if (size == 0) return 0;
  std::size_t first = view.bit_offset + position;
  const std::uint8_t* at = view.bytes + first / 8;
  unsigned offset = first & 7;
  unsigned span = (offset + size + 7) / 8;
  if (span == 1) return (at[0] >> (8 - offset - size)) & ((1u << size) - 1);
  std::uint64_t word = 0;
  if (span >= 8) {
    word = load_big(at);
    if (span == 9) {
      word = word << offset | at[8] >> (8 - offset);
      return word >> (64 - size);
    }
  } else {
    for (unsigned i = 0; i < span; ++i) word = word << 8 | at[i];
  }
  word >>= span * 8 - offset - size;
  return size == 64 ? word : word & ((std::uint64_t{1} << size) - 1);
}

bool bits_equal(BinaryView a, BinaryView b) {
  if (a.bit_size != b.bit_size) return false;
  return bits_compare(a, b) == 0;
}

int bits_compare(BinaryView a, BinaryView b) {
  std::size_t shared = a.bit_size < b.bit_size ? a.bit_size : b.bit_size;
  std::size_t done = 0;
  if (a.bit_offset == 0 && b.bit_offset == 0) {
    done = shared & ~std::size_t{7};
    int order = done == 0 ? 0 : std::memcmp(a.bytes, b.bytes, done / 8);
    if (order != 0) return order;
  }
  while (done < shared) {
    unsigned size = shared - done < 64 ? static_cast<unsigned>(shared - done) : 64;
    std::uint64_t x = bits_read_word(a, done, size), y = bits_read_word(b, done, size);
    if (x != y) return x < y ? -1 : 1;
    done += size;
  }
  return a.bit_size < b.bit_size ? -1 : a.bit_size > b.bit_size;
}

Term bits_read_int(TermAlloc& alloc, BinaryView view, std::size_t position, std::size_t size,
                   bool is_signed, bool is_little) {
  if (size <= 64) {
    unsigned bits = static_cast<unsigned>(size);
    std::uint64_t value = is_little && bits > 8 ? read_little(view, position, bits)
                                                : bits_read_word(view, position, bits);
    if (!is_signed || bits == 0) return make_integer_unsigned(alloc, value);
    unsigned shift = 64 - bits;
    return make_integer(alloc, static_cast<std::int64_t>(value << shift) >> shift);
  }
  if (size > kMaxIntegerBits) return Term::none();
  std::size_t count = (size + 63) / 64;
  std::vector<std::uint64_t> limbs(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t low = i * 64;
    unsigned bits = size - low < 64 ? static_cast<unsigned>(size - low) : 64;
    limbs[i] = is_little ? read_little(view, position + low, bits)
                         : bits_read_word(view, position + size - low - bits, bits);
  }
  unsigned top_bits = size % 64 == 0 ? 64 : static_cast<unsigned>(size % 64);
  bool negative = is_signed && limbs[count - 1] >> (top_bits - 1) != 0;
  if (negative) {
    bool carry = true;
    for (std::uint64_t& limb : limbs) {
      limb = ~limb + carry;
      carry = carry && limb == 0;
    }
    if (top_bits < 64) limbs[count - 1] &= (std::uint64_t{1} << top_bits) - 1;
  }
  return make_big(alloc, negative, limbs.data(), count);
}

bool bits_read_float(BinaryView view, std::size_t position, std::size_t size, bool is_little,
                     double& value) {
  if (size != 16 && size != 32 && size != 64) return false;
  unsigned bits = static_cast<unsigned>(size);
  std::uint64_t word =
      is_little ? read_little(view, position, bits) : bits_read_word(view, position, bits);
  if (size == 16) return from_half(static_cast<std::uint32_t>(word), value);
  value = size == 64 ? std::bit_cast<double>(word)
                     : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)));
  return std::isfinite(value);
}

std::int32_t bits_read_utf8(BinaryView view, std::size_t position, std::size_t& taken) {
  std::size_t left = (view.bit_size - position) / 8;
  std::size_t first = view.bit_offset + position;
  unsigned size = 0;
  std::int32_t code_point;
  if ((first & 7) == 0) {
    const std::uint8_t* at = view.bytes + first / 8;
    code_point = utf8_decode(at, at + left, size);
  } else {
    std::uint8_t copy[4] = {};
    std::size_t count = left < 4 ? left : 4;
    for (std::size_t i = 0; i < count; ++i) {
      copy[i] = static_cast<std::uint8_t>(bits_read_word(view, position + 8 * i, 8));
    }
    code_point = utf8_decode(copy, copy + count, size);
  }
  taken = size * 8;
  return code_point;
}

std::int32_t bits_read_utf16(BinaryView view, std::size_t position, bool is_little,
                             std::size_t& taken) {
  auto unit = [&](std::size_t at) {
    return static_cast<std::uint32_t>(is_little ? read_little(view, at, 16)
                                                : bits_read_word(view, at, 16));
  };
  std::size_t left = view.bit_size - position;
  if (left < 16) return -1;
  std::uint32_t first = unit(position);
  taken = 16;
  if (first < 0xD800 || first > 0xDFFF) return static_cast<std::int32_t>(first);
  if (first > 0xDBFF || left < 32) return -1;
  std::uint32_t second = unit(position + 16);
  if (second < 0xDC00 || second > 0xDFFF) return -1;
  taken = 32;
  return static_cast<std::int32_t>(0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF)));
}

std::int32_t bits_read_utf32(BinaryView view, std::size_t position, bool is_little,
                             std::size_t& taken) {
  if (view.bit_size - position < 32) return -1;
  std::uint64_t value =
      is_little ? read_little(view, position, 32) : bits_read_word(view, position, 32);
  taken = 32;
  return is_scalar_value(static_cast<std::int64_t>(value)) ? static_cast<std::int32_t>(value) : -1;
}

}  // namespace quelea
