// Matching binaries. A match is a binary and a position in bits, both in slots: nothing is
// allocated until a part is bound.
//
// The verifier cannot know that a slot holds a binary or a position within it, so that every
// instruction checks. Fast paths work on tagged words: sizes, offsets and positions are bits
// shifted by three, so that a byte's index is word >> 6, and whole bytes have the low six bits
// zero.
#include "vm/code/segments.h"
#include "vm/interp/bits.h"
#include "vm/interp/handler.h"
#include "vm/term/binary.h"
#include "vm/term/integer.h"

namespace quelea {

namespace {

/// Parts up to this are copied by `binary_part`; larger ones are windows.
constexpr Word kWindowFrom = 16 * kByte;

/// What a matching instruction looks at in general. The verifier cannot know that a slot holds a
/// binary, so everything is checked.
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

HANDLER(bs_byte) {  // D D S S L
  const Term binary = SLOT(3), position = SLOT(4);
  if (QUELEA_UNLIKELY(!matchable(binary, position))) JUMP(5);
  const Bits bits = bits_of(binary);
  if (bits.size < kByte || position.bits > bits.size - kByte) JUMP(5);
  const Word at = position.bits + bits.offset;
  if (QUELEA_UNLIKELY(at % kByte != 0)) GO_SLOW(bs_byte_slow);
  const Word byte = bits.bytes()[at / kByte];
  const Word next = position.bits + kByte;
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

COLD(bs_int_slow) {  // D D S S X U U L Z
  SYNC_OUT(pc[9]);
  const Match match = read_int(*p, SLOT(3), SLOT(4), VALUE(5), pc[6], pc[7]);
  SYNC_IN;
  if (match.value.is_none()) JUMP(8);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(9);
}

/// Unsigned big-endian integers of one, two or four whole bytes.
HANDLER(bs_int) {
  const Term binary = SLOT(3), position = SLOT(4), size = VALUE(5);
  if (QUELEA_UNLIKELY(!matchable(binary, position) || !size.is_small())) GO_SLOW(bs_int_slow);
  const Word wanted = size.bits * pc[6];
  const Bits bits = bits_of(binary);
  const Word at = position.bits + bits.offset;
  if ((pc[7] & (kSegmentSigned | kSegmentLittle)) != 0 || at % kByte != 0) GO_SLOW(bs_int_slow);
  if (position.bits > bits.size || bits.size - position.bits < wanted) GO_SLOW(bs_int_slow);
  const std::uint8_t* bytes = bits.bytes() + at / kByte;
  Word number;
  if (wanted == kByte) {
    number = *bytes;
  } else if (wanted == 2 * kByte) {
    number = Word{bytes[0]} << 8 | bytes[1];
  } else if (wanted == 4 * kByte) {
    number = Word{bytes[0]} << 24 | Word{bytes[1]} << 16 | Word{bytes[2]} << 8 | bytes[3];
  } else {
    GO_SLOW(bs_int_slow);
  }
  const Word next = position.bits + wanted;
  SLOT(1).bits = number << kTagBits;
  SLOT(2).bits = next;
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

COLD(bs_bits_slow) {  // D D S S X U L Z: value, new position, binary, position, size, unit
  SYNC_OUT(pc[8]);
  const Match match = read_part(*p, SLOT(3), SLOT(4), VALUE(5), pc[6]);
  SYNC_IN;
  if (match.value.is_none()) JUMP(7);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(8);
}

/// Writes a window of the binary's base to hp. The caller made sure of the room.
#define MAKE_WINDOW(offset_word, size_word)        \
  do {                                             \
    hp[0] = Header::make(Kind::SubBinary, 3).bits; \
    hp[1] = (offset_word);                         \
    hp[2] = (size_word);                           \
    hp[3] = Term::boxed(bits.base).bits;           \
  } while (0)

HANDLER(bs_bits) {
  const Term binary = SLOT(3), position = SLOT(4), size = VALUE(5);
  Word wanted;
  if (QUELEA_UNLIKELY(!matchable(binary, position) || !size.is_small())) GO_SLOW(bs_bits_slow);
  if (__builtin_mul_overflow(size.bits, pc[6], &wanted)) GO_SLOW(bs_bits_slow);
  const Bits bits = bits_of(binary);
  if (position.bits > bits.size || bits.size - position.bits < wanted) JUMP(7);
  if (wanted <= kWindowFrom || ROOM < static_cast<std::int64_t>(pc[8] + 4 * sizeof(Word))) {
    GO_SLOW(bs_bits_slow);
  }
  MAKE_WINDOW(position.bits + bits.offset, wanted);
  const Word next = position.bits + wanted;
  SLOT(1) = Term::boxed(hp);
  SLOT(2).bits = next;
  hp += 4;
  NEXT(8);
}

COLD(bs_rest_slow) {  // D S S U L Z
  SYNC_OUT(pc[6]);
  const Term result = read_rest(*p, SLOT(2), SLOT(3), pc[4]);
  SYNC_IN;
  if (result.is_none()) JUMP(5);
  SLOT(1) = result;
  NEXT(6);
}

HANDLER(bs_rest) {
  const Term binary = SLOT(2), position = SLOT(3);
  if (QUELEA_UNLIKELY(!matchable(binary, position))) JUMP(5);
  const Bits bits = bits_of(binary);
  if (position.bits > bits.size) JUMP(5);
  const Word left = bits.size - position.bits;
  if (pc[4] != 8 || left % kByte != 0 || left <= kWindowFrom || position.bits == 0 ||
      ROOM < static_cast<std::int64_t>(pc[6] + 4 * sizeof(Word))) {
    GO_SLOW(bs_rest_slow);
  }
  MAKE_WINDOW(position.bits + bits.offset, left);
  SLOT(1) = Term::boxed(hp);
  hp += 4;
  NEXT(6);
}

COLD(bs_utf_slow) {  // D D S S U L
  const Match match = read_utf(SLOT(3), SLOT(4), pc[5]);
  if (match.value.is_none()) JUMP(6);
  SLOT(1) = match.value;
  SLOT(2) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(6);
}

/// ASCII in UTF-8.
HANDLER(bs_utf) {
  const Term binary = SLOT(3), position = SLOT(4);
  if (QUELEA_UNLIKELY(!matchable(binary, position))) JUMP(6);
  const Bits bits = bits_of(binary);
  if (bits.size < kByte || position.bits > bits.size - kByte) GO_SLOW(bs_utf_slow);
  const Word at = position.bits + bits.offset;
  if (at % kByte != 0 || (pc[5] & kSegmentTypeMask) != static_cast<Word>(SegmentType::Utf8)) {
    GO_SLOW(bs_utf_slow);
  }
  const Word byte = bits.bytes()[at / kByte];
  if (byte >= 0x80) GO_SLOW(bs_utf_slow);
  const Word next = position.bits + kByte;
  SLOT(1).bits = byte << kTagBits;
  SLOT(2).bits = next;
  NEXT(6);
}

HANDLER(bs_skip) {  // D S S X U L
  const Term binary = SLOT(2), position = SLOT(3), size = VALUE(4);
  Word wanted;
  if (QUELEA_UNLIKELY(!matchable(binary, position) || !size.is_small())) JUMP(6);
  if (__builtin_mul_overflow(size.bits, pc[5], &wanted)) JUMP(6);
  const Word whole = bits_of(binary).size;
  if (position.bits > whole || whole - position.bits < wanted) JUMP(6);
  SLOT(1).bits = position.bits + wanted;
  NEXT(6);
}

COLD(bs_literal_slow) {  // D S S C L
  const Match match = skip_literal(SLOT(2), SLOT(3), Term{pc[4]});
  if (match.value.is_none()) JUMP(5);
  SLOT(1) = Term::small(static_cast<std::int64_t>(match.end));
  NEXT(5);
}

/// Short literals at whole bytes, byte by byte: most differ in the first.
HANDLER(bs_literal) {
  const Term binary = SLOT(2), position = SLOT(3);
  if (QUELEA_UNLIKELY(!matchable(binary, position))) JUMP(5);
  const Bits bits = bits_of(binary);
  const Word* literal = Term{pc[4]}.pointer();
  const Word at = position.bits + bits.offset;
  if (!Term{pc[4]}.is_boxed() || Header{literal[0]}.kind() != Kind::HeapBinary ||
      literal[1] % kByte != 0 || at % kByte != 0) {
    GO_SLOW(bs_literal_slow);
  }
  if (position.bits > bits.size || bits.size - position.bits < literal[1]) JUMP(5);
  auto wanted = reinterpret_cast<const std::uint8_t*>(literal + 2);
  const std::uint8_t* bytes = bits.bytes() + at / kByte;
  for (Word left = literal[1] / kByte; left != 0; --left) {
    if (*bytes++ != *wanted++) JUMP(5);
  }
  SLOT(1).bits = position.bits + literal[1];
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

}  // namespace quelea
