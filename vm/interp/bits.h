// Binaries as the fast paths of matching see them: tagged words, bits shifted by three.
#pragma once

#include "vm/interp/handler.h"
#include "vm/term/binary.h"

namespace quelea {

/// A binary as its base object and a window, all tagged words.
struct Bits {
  const Word* base;
  Word offset;
  Word size;

  const std::uint8_t* bytes() const {
    return Header{base[0]}.kind() == Kind::HeapBinary
               ? reinterpret_cast<const std::uint8_t*>(base + 2)
               : reinterpret_cast<const SharedBytes*>(base[2])->bytes;
  }
};

/// Of a term that is a bit string.
[[gnu::always_inline]] inline Bits bits_of(Term binary) {
  const Word* object = binary.pointer();
  if (Header{object[0]}.kind() == Kind::SubBinary) {
    return {Term{object[3]}.pointer(), object[1], object[2]};
  }
  return {object, 0, object[1]};
}

/// A binary and a position, both of the right type. (A negative position is larger than any size.)
[[gnu::always_inline]] inline bool matchable(Term binary, Term position) {
  return is_bits(binary) && position.is_small();
}

inline constexpr Word kByte = 8 << kTagBits;

}  // namespace quelea
