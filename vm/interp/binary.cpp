// Building binaries. What copies more than a megabyte, or makes text of much, is left to the pool
// (LEAVE_FOR_POOL); a text that grows at its end is copied only now and then, as it has room.
#include "vm/term/binary.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "vm/code/segments.h"
#include "vm/interp/handler.h"
#include "vm/interp/support.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"
#include "vm/term/work.h"

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

constexpr std::size_t kMostBitsCopied = std::size_t{8} << 20;

/// Whether copying so many bits is for the pool.
inline bool copies_much(const Process& p, std::size_t bits) {
  return QUELEA_UNLIKELY(bits > kMostBitsCopied) && !p.on_pool();
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

/// How many bits the segment may bring.
inline std::size_t bits_of_segment(Term* fp, const Word* segment) {
  const Term value = value_at(fp, segment[2]);
  const SegmentType type = segment_type(static_cast<std::uint32_t>(segment[0]));
  if (type == SegmentType::Bits) return is_bits(value) ? binary_bits(value) : 0;
  std::size_t bits = 0;
  const bool is_sized =
      type == SegmentType::Int && bits_wanted(value_at(fp, segment[3]), segment[1], bits);
  return is_sized ? bits : 64;
}

/// The G operand at `segments`, behind `base` unless that is none. None: an exception, or it is for
/// the pool.
[[gnu::noinline]] Term build_binary(Process& p, Term* fp, Term base, const Word* segments) {
  BinaryBuilder builder;
  const Word count = *segments++;
  std::size_t bits = 0;
  for (Word i = 0; i < count; ++i) bits += bits_of_segment(fp, segments + 4 * i);
  if (!base.is_none()) {
    if (!is_bits(base)) return p.badarg();
    if (copies_much(p, bits_copied_by_append(base, bits))) return p.to_pool();
    builder.append_to(base);
  } else if (copies_much(p, bits)) {
    return p.to_pool();
  }
  for (Word i = 0; i < count; ++i, segments += 4) {
    if (!put_segment(builder, fp, segments)) return p.badarg();
  }
  p.charge(static_cast<std::int64_t>(builder.bit_size() / 1024));
  const Term result = builder.finish(p);
  return result.is_none() ? p.raise_error(atoms::system_limit) : result;
}

[[gnu::noinline]] Term concatenate(Process& p, Term a, Term b) {
  if (!is_bits(a) || !is_bits(b)) return p.badarg();
  if (copies_much(p, bits_copied_by_append(a, binary_bits(b)))) return p.to_pool();
  p.charge(static_cast<std::int64_t>(binary_bits(b) / 1024));
  const Term result = binary_append(p, a, b);
  return result.is_none() ? p.raise_error(atoms::system_limit) : result;
}

/// The text of a value that is no binary. False: it is for the pool.
bool put_shown(Process& p, BinaryBuilder& builder, Term value, std::size_t& work) {
  if (value.is_small()) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value.small_value()).ptr;
    builder.put_text({digits, static_cast<std::size_t>(end - digits)});
    return true;
  }
  std::string text;
  InspectOptions options = p.vm().inspect_options();
  std::size_t shown = 0;
  if (!value.is_immediate() && !p.on_pool()) {
    options.max_work = kMostWalk - std::min(kMostWalk, work);
  }
  to_string(text, value, p.vm().atoms(), options, &shown);
  work += shown;
  if (shown > options.max_work) return false;
  builder.put_text(text);
  return true;
}

/// Of the values behind the first, which is a long text: so what it brings is known before it is
/// copied, which its room may spare.
[[gnu::noinline]] Term interpolate_behind(Process& p, Term* fp, const Word* values, Word count) {
  BinaryBuilder rest;
  std::size_t work = 0;
  for (Word i = 1; i < count; ++i) {
    const Term value = value_at(fp, values[i]);
    if (is_binary(value)) {
      if (copies_much(p, rest.bit_size() + binary_bits(value))) return p.to_pool();
      rest.put_bits(binary_view(value));
    } else if (!put_shown(p, rest, value, work)) {
      return p.to_pool();
    }
  }
  p.charge(static_cast<std::int64_t>(work / 8));
  const Term tail = rest.finish(p);
  if (tail.is_none()) return p.raise_error(atoms::system_limit);
  return concatenate(p, value_at(fp, values[0]), tail);
}

/// None: an exception, or it is for the pool.
[[gnu::noinline]] Term interpolate(Process& p, Term* fp, const Word* values) {
  BinaryBuilder builder;
  const Word count = *values++;
  std::size_t work = 0;
  for (Word i = 0; i < count; ++i) {
    const Term value = value_at(fp, values[i]);
    if (is_binary(value)) {
      const std::size_t bits = binary_bits(value);
      if (QUELEA_UNLIKELY(bits > kMostBitsCopied) && i == 0) {
        return interpolate_behind(p, fp, values, count);
      }
      if (copies_much(p, bits)) return p.to_pool();
      // `text = "${text}more"` in a loop copies each byte O(1) times, as `text <> "more"` does.
      if (i == 0) {
        builder.append_to(value);
      } else {
        builder.put_bits(binary_view(value));
      }
    } else if (!put_shown(p, builder, value, work)) {
      return p.to_pool();
    }
  }
  p.charge(static_cast<std::int64_t>(work / 8 + builder.bit_size() / 1024));
  const Term result = builder.finish(p);
  return result.is_none() ? p.raise_error(atoms::system_limit) : result;
}

}  // namespace

HANDLER(bs_build) {  // D G Z
  const Word words = 4 * pc[2];
  SYNC_OUT(pc[3 + words]);
  const Term result = build_binary(*p, fp, Term::none(), pc + 2);
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) {
    if (is_for_pool(*p)) LEAVE_FOR_POOL;
    GO(unwind);
  }
  SLOT(1) = result;
  NEXT(3 + words);
}

HANDLER(bs_append) {  // D S G Z
  const Word words = 4 * pc[3];
  SYNC_OUT(pc[4 + words]);
  const Term result = build_binary(*p, fp, SLOT(2), pc + 3);
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) {
    if (is_for_pool(*p)) LEAVE_FOR_POOL;
    GO(unwind);
  }
  SLOT(1) = result;
  NEXT(4 + words);
}

HANDLER(concat) {  // D X X Z
  SYNC_OUT(pc[4]);
  const Term result = concatenate(*p, VALUE(2), VALUE(3));
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) {
    if (is_for_pool(*p)) LEAVE_FOR_POOL;
    GO(unwind);
  }
  SLOT(1) = result;
  NEXT(4);
}

HANDLER(interpolate) {  // D V Z
  const Word count = pc[2];
  SYNC_OUT(pc[3 + count]);
  const Term result = interpolate(*p, fp, pc + 2);
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) {
    if (is_for_pool(*p)) LEAVE_FOR_POOL;
    GO(unwind);
  }
  SLOT(1) = result;
  NEXT(3 + count);
}

}  // namespace quelea
