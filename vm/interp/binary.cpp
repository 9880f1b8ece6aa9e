// Building binaries.
#include "vm/term/binary.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "vm/code/segments.h"
#include "vm/interp/handler.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"

namespace quelea {

namespace {

/// size * unit in bits; false when there is no such size.
inline bool bits_wanted(Term size, Word unit, std::size_t& bits) {
  if (!size.is_small() || size.small_value() < 0) return false;
  return !__builtin_mul_overflow(static_cast<std::size_t>(size.small_value()), unit, &bits);
}

/// Whether `size` bits can hold an integer so that the same segment reads it back.
bool holds(std::size_t size, bool is_signed, Term integer) {
  if (integer.is_small()) {
    const std::int64_t value = integer.small_value();
    if (value < 0 && !is_signed) return false;
    if (size >= 62) return true;
    if (size == 0) return value == 0;
    return is_signed ? (value < 0 ? ~value : value) >> (size - 1) == 0 : value >> size == 0;
  }
  if (!is_integer(integer)) return false;
  std::size_t length = integer_bit_length(integer);
  if (integer.is_kind(Kind::NegativeBig)) {
    if (!is_signed) return false;
    // Of the negative ones a power of two, such as -128 in 8 bits, wants a bit less.
    const Word* limbs = integer.pointer() + 1;
    const std::size_t count = header_of(integer).payload_words();
    const bool is_power =
        std::has_single_bit(limbs[count - 1]) &&
        std::all_of(limbs, limbs + count - 1, [](Word limb) { return limb == 0; });
    length -= is_power;
  }
  return length + is_signed <= size;
}

/// One segment (flags, unit, value X, size X) into the builder. False: badarg.
bool put_segment(BinaryBuilder& builder, Term* fp, const Word* segment) {
  const auto flags = static_cast<std::uint32_t>(segment[0]);
  const Term value = value_at(fp, segment[2]);
  const bool is_little = (flags & kSegmentLittle) != 0;
  std::size_t bits = 0;
  switch (segment_type(flags)) {
    case SegmentType::Utf8:
      return builder.put_utf8(value);
    case SegmentType::Utf16:
      return builder.put_utf16(value, is_little);
    case SegmentType::Utf32:
      return builder.put_utf32(value, is_little);
    case SegmentType::Bits: {
      if (!is_bits(value)) return false;
      const BinaryView view = binary_view(value);
      if ((flags & kSegmentWhole) != 0) {
        if (view.bit_size % segment[1] != 0) return false;
        builder.put_bits(view);
        return true;
      }
      if (!bits_wanted(value_at(fp, segment[3]), segment[1], bits)) return false;
      if (bits > view.bit_size) return false;
      builder.put_bits(view.sub(0, bits));
      return true;
    }
    case SegmentType::Int:
      if (!bits_wanted(value_at(fp, segment[3]), segment[1], bits)) return false;
      if (!holds(bits, (flags & kSegmentSigned) != 0, value)) return false;
      return builder.put_int(value, bits, is_little);
    case SegmentType::Float:
      if (!bits_wanted(value_at(fp, segment[3]), segment[1], bits)) return false;
      return builder.put_float(value, bits, is_little);
  }
  return false;
}

/// The G operand at `segments`, behind `base` unless that is none.
[[gnu::noinline]] Term build_binary(Process& p, Term* fp, Term base, const Word* segments) {
  BinaryBuilder builder;
  if (!base.is_none()) {
    if (!is_bits(base)) return p.badarg();
    builder.append_to(base);
  }
  const Word count = *segments++;
  for (Word i = 0; i < count; ++i, segments += 4) {
    if (!put_segment(builder, fp, segments)) return p.badarg();
  }
  p.charge(static_cast<std::int64_t>(builder.bit_size() / 1024));
  return builder.finish(p);
}

[[gnu::noinline]] Term concatenate(Process& p, Term a, Term b) {
  if (!is_bits(a) || !is_bits(b)) return p.badarg();
  p.charge(static_cast<std::int64_t>(binary_bits(b) / 1024));
  const Term result = binary_append(p, a, b);
  return result.is_none() ? p.raise_error(atoms::system_limit) : result;
}

[[gnu::noinline]] Term interpolate(Process& p, Term* fp, const Word* values) {
  BinaryBuilder builder;
  std::string text;
  const Word count = *values++;
  std::size_t work = 0;
  for (Word i = 0; i < count; ++i) {
    const Term value = value_at(fp, values[i]);
    if (is_binary(value)) {
      // `text = "${text}more"` in a loop copies each byte O(1) times, as `text <> "more"` does.
      if (i == 0) {
        builder.append_to(value);
      } else {
        builder.put_bits(binary_view(value));
      }
      continue;
    }
    if (value.is_small()) {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, value.small_value()).ptr;
      builder.put_text({digits, static_cast<std::size_t>(end - digits)});
      continue;
    }
    text.clear();
    to_string(text, value, p.vm().atoms(), p.vm().inspect_options(), &work);
    builder.put_text(text);
  }
  p.charge(static_cast<std::int64_t>(work / 8 + builder.bit_size() / 1024));
  return builder.finish(p);
}

}  // namespace

HANDLER(bs_build) {  // D G Z
  const Word words = 4 * pc[2];
  SYNC_OUT(pc[3 + words]);
  const Term result = build_binary(*p, fp, Term::none(), pc + 2);
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  SLOT(1) = result;
  NEXT(3 + words);
}

HANDLER(bs_append) {  // D S G Z
  const Word words = 4 * pc[3];
  SYNC_OUT(pc[4 + words]);
  const Term result = build_binary(*p, fp, SLOT(2), pc + 3);
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  SLOT(1) = result;
  NEXT(4 + words);
}

HANDLER(concat) {  // D X X Z
  SYNC_OUT(pc[4]);
  const Term result = concatenate(*p, VALUE(2), VALUE(3));
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  SLOT(1) = result;
  NEXT(4);
}

HANDLER(interpolate) {  // D V Z
  const Word count = pc[2];
  SYNC_OUT(pc[3 + count]);
  const Term result = interpolate(*p, fp, pc + 2);
  SYNC_IN;
  SLOT(1) = result;
  NEXT(3 + count);
}

}  // namespace quelea
