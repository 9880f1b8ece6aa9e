// Matching and building binaries. A match is a binary and a position in bits, both in slots:
// nothing is allocated until a part is bound.
#include <charconv>

#include "vm/term/binary.h"

#include "vm/code/segments.h"
#include "vm/interp/handler.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"

namespace quelea {

namespace {

/// What a matching instruction looks at. The verifier cannot know that a slot holds a binary, so
/// everything is checked.
struct Window {
  BinaryView view;
  std::size_t position;
  bool ok;
  std::size_t left() const { return view.bit_size - position; }
};

inline Window window_of(Term binary, Term position) {
  if (QUELEA_UNLIKELY(!is_bits(binary) || !position.is_small())) return {{}, 0, false};
  const BinaryView view = binary_view(binary);
  const auto at = static_cast<std::size_t>(position.small_value());
  return {view, at, at <= view.bit_size};
}

/// size * unit in bits; false when there is no such size.
inline bool bits_wanted(Term size, Word unit, std::size_t& bits) {
  if (!size.is_small() || size.small_value() < 0) return false;
  return !__builtin_mul_overflow(static_cast<std::size_t>(size.small_value()), unit, &bits);
}

}  // namespace

// bs_byte: D D S S L
COLD(bs_byte_slow) {
  const Window w = window_of(SLOT(3), SLOT(4));
  if (!w.ok || w.left() < 8) JUMP(5);
  SLOT(1) = Term::small(static_cast<std::int64_t>(bits_read_word(w.view, w.position, 8)));
  SLOT(2) = Term::small(static_cast<std::int64_t>(w.position + 8));
  NEXT(5);
}

HANDLER(bs_byte) {
  const Term binary = SLOT(3), position = SLOT(4);
  if (QUELEA_UNLIKELY(!is_bits(binary) || !position.is_small())) JUMP(5);
  const Word* object = binary.pointer();
  Word size, at = position.bits;
  const std::uint8_t* bytes;
  if (Header{object[0]}.kind() == Kind::SubBinary) {
    // Sizes and offsets stay tagged: all are shifted by three, so that a byte's index is bits >> 6.
    size = object[2];
    if (size < 64 || at > size - 64) JUMP(5);
    at += object[1];
    object = Term{object[3]}.pointer();
  } else {
    size = object[1];
    if (size < 64 || at > size - 64) JUMP(5);
  }
  bytes = Header{object[0]}.kind() == Kind::HeapBinary
              ? reinterpret_cast<const std::uint8_t*>(object + 2)
              : reinterpret_cast<const SharedBytes*>(object[2])->bytes;
  if (QUELEA_UNLIKELY((at & 63) != 0)) GO_SLOW(bs_byte_slow);
  const Word byte = bytes[at >> 6];
  const Word next = position.bits + 64;
  SLOT(1).bits = byte << kTagBits;
  SLOT(2).bits = next;
  NEXT(5);
}

namespace {

/// What a helper found, and where the match goes on; comes back in two registers.
struct Match {
  Term value = Term::none();
  std::size_t end = 0;
};

[[gnu::noinline]] Match read_int(Process& p, Term binary, Term position, Term size, Word unit,
                                 Word flags) {
  const Window w = window_of(binary, position);
  std::size_t bits;
  if (!w.ok || !bits_wanted(size, unit, bits) || bits > w.left()) return {};
  const std::size_t end = w.position + bits;
  const bool is_signed = (flags & kSegmentSigned) != 0;
  const bool is_little = (flags & kSegmentLittle) != 0;
  if (bits <= 60 && (!is_little || bits <= 8)) {
    const auto value =
        bits == 0 ? 0 : bits_read_word(w.view, w.position, static_cast<unsigned>(bits));
    auto number = static_cast<std::int64_t>(value);
    if (is_signed && bits != 0) number = number << (64 - bits) >> (64 - bits);
    return {Term::small(number), end};
  }
  if (bits > 4096) p.charge(static_cast<std::int64_t>(bits / 1024));
  return {bits_read_int(p, w.view, w.position, bits, is_signed, is_little), end};
}
}  // namespace

HANDLER(bs_int) {  // D D S S X U U L Z
  SYNC_OUT(pc[9]);
  const Match match = read_int(*p, SLOT(3), SLOT(4), VALUE(5), pc[6], pc[7]);
  SYNC_IN;
  if (match.value.is_none()) JUMP(8);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(9);
}

namespace {
[[gnu::noinline]] Match read_float(Process& p, Term binary, Term position, Term size, Word unit,
                                   Word flags) {
  const Window w = window_of(binary, position);
  std::size_t bits;
  double value;
  if (!w.ok || !bits_wanted(size, unit, bits) || bits > w.left()) return {};
  if (!bits_read_float(w.view, w.position, bits, (flags & kSegmentLittle) != 0, value)) {
    return {};
  }
  return {p.make_float(value), w.position + bits};
}

[[gnu::noinline]] Match read_part(Process& p, Term binary, Term position, Term size, Word unit) {
  const Window w = window_of(binary, position);
  std::size_t bits;
  if (!w.ok || !bits_wanted(size, unit, bits) || bits > w.left()) return {};
  return {binary_part(p, binary, w.position, bits), w.position + bits};
}

[[gnu::noinline]] Term read_rest(Process& p, Term binary, Term position, Word unit) {
  const Window w = window_of(binary, position);
  if (!w.ok || w.left() % unit != 0) return Term::none();
  return binary_part(p, binary, w.position, w.left());
}

[[gnu::noinline]] Match read_utf(Term binary, Term position, Word flags) {
  const Window w = window_of(binary, position);
  if (!w.ok) return {};
  std::size_t taken = 0;
  std::int64_t code_point = -1;
  const bool is_little = (flags & kSegmentLittle) != 0;
  switch (segment_type(static_cast<std::uint32_t>(flags))) {
    case SegmentType::Utf8:
      code_point = bits_read_utf8(w.view, w.position, taken);
      break;
    case SegmentType::Utf16:
      code_point = bits_read_utf16(w.view, w.position, is_little, taken);
      break;
    case SegmentType::Utf32:
      code_point = bits_read_utf32(w.view, w.position, is_little, taken);
      break;
    default:
      break;
  }
  if (code_point < 0) return {};
  return {Term::small(code_point), w.position + taken};
}

[[gnu::noinline]] Match skip(Term binary, Term position, Term size, Word unit) {
  const Window w = window_of(binary, position);
  std::size_t bits;
  if (!w.ok || !bits_wanted(size, unit, bits) || bits > w.left()) return {};
  return {atoms::true_, w.position + bits};
}

[[gnu::noinline]] Match skip_literal(Term binary, Term position, Term literal) {
  const Window w = window_of(binary, position);
  if (!w.ok || !is_bits(literal)) return {};
  const BinaryView wanted = binary_view(literal);
  if (wanted.bit_size > w.left()) return {};
  if (!bits_equal(wanted, w.view.sub(w.position, wanted.bit_size))) return {};
  return {atoms::true_, w.position + wanted.bit_size};
}
}  // namespace

HANDLER(bs_float) {  // D D S S X U U L Z
  SYNC_OUT(pc[9]);
  const Match match = read_float(*p, SLOT(3), SLOT(4), VALUE(5), pc[6], pc[7]);
  SYNC_IN;
  if (match.value.is_none()) JUMP(8);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(9);
}

HANDLER(bs_bits) {  // D D S S X U L Z: value, new position, binary, position, size, unit
  SYNC_OUT(pc[8]);
  const Match match = read_part(*p, SLOT(3), SLOT(4), VALUE(5), pc[6]);
  SYNC_IN;
  if (match.value.is_none()) JUMP(7);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(8);
}

HANDLER(bs_rest) {  // D S S U L Z
  SYNC_OUT(pc[6]);
  const Term result = read_rest(*p, SLOT(2), SLOT(3), pc[4]);
  SYNC_IN;
  if (result.is_none()) JUMP(5);
  SLOT(1) = result;
  NEXT(6);
}

HANDLER(bs_utf) {  // D D S S U L
  const Match match = read_utf(SLOT(3), SLOT(4), pc[5]);
  if (match.value.is_none()) JUMP(6);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(6);
}

HANDLER(bs_skip) {  // D S S X U L
  const Match match = skip(SLOT(2), SLOT(3), VALUE(4), pc[5]);
  if (match.value.is_none()) JUMP(6);
  SLOT(1) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(6);
}

HANDLER(bs_literal) {  // D S S C L
  const Match match = skip_literal(SLOT(2), SLOT(3), Term{pc[4]});
  if (match.value.is_none()) JUMP(5);
  SLOT(1) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(5);
}

HANDLER(bs_unit) {  // S S U L
  const Term binary = SLOT(1), position = SLOT(2);
  if (!is_bits(binary) || !position.is_small()) JUMP(4);
  const std::size_t size = binary_bits(binary);
  const auto at = static_cast<std::size_t>(position.small_value());
  if (at > size) JUMP(4);
  // Units are nearly always 8: a mask, where a division would cost more than all the rest.
  const std::size_t unit = pc[3], left = size - at;
  if (((unit & (unit - 1)) == 0 ? left & (unit - 1) : left % unit) != 0) JUMP(4);
  NEXT(4);
}

HANDLER(bs_end) {  // S S L
  const Term binary = SLOT(1), position = SLOT(2);
  if (!is_bits(binary) || !position.is_small()) JUMP(3);
  if (static_cast<std::size_t>(position.small_value()) != binary_bits(binary)) JUMP(3);
  NEXT(3);
}

// Building
// ------------------------------------------------------------------------------------------

namespace {

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
