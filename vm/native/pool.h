// Work that libraries do for us and that cannot stop in the middle: where it takes a millisecond or
// more, it is left to the pool of threads for what blocks.
//
//   if (is_for_pool(p, subject.size(), kPoolTextBytes)) return p.to_pool();  // called again there
#pragma once

#include "vm/native/support.h"
#include "vm/term/integer.h"

namespace quelea {

inline constexpr std::size_t kPoolTextBytes = std::size_t{1} << 20;  ///< Searched by PCRE2.
inline constexpr std::size_t kPoolDigits = std::size_t{1} << 16;     ///< Of a number to be read.
inline constexpr std::size_t kPoolLimbs = std::size_t{1} << 10;      ///< Of a number to be written.
inline constexpr std::size_t kPoolEntries = std::size_t{1} << 15;    ///< Of a map to be sorted.
inline constexpr std::size_t kPoolElements = std::size_t{1} << 16;   ///< Of a tuple to be copied.

inline bool is_for_pool(Process& p, std::size_t size, std::size_t most) {
  return QUELEA_UNLIKELY(size > most) && !p.on_pool();
}
inline bool is_large_text(Process& p, Term binary) {
  return is_binary(binary) && is_for_pool(p, binary_bytes(binary), kPoolTextBytes);
}
/// Text that does not begin at a byte, which natives begin with a copy of (Bytes).
inline bool is_large_unaligned(Process& p, Term term) {
  return term.is_kind(Kind::SubBinary) && !binary_view(term).is_aligned() &&
         p.native_state == nullptr && is_for_pool(p, binary_bytes(term), kPoolTextBytes);
}
inline bool is_large_integer(Process& p, Term integer) {
  return is_big(integer) && is_for_pool(p, IntegerView(integer).size(), kPoolLimbs);
}
inline bool is_large_map(Process& p, Term map) {
  return is_map(map) && is_for_pool(p, map_size(map), kPoolEntries);
}
inline bool is_large_tuple(Process& p, Term tuple) {
  return is_tuple(tuple) && is_for_pool(p, tuple_size(tuple), kPoolElements);
}

}  // namespace quelea
