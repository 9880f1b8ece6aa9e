// The stack as the collector and the unwinder see it.
//
// A frame is a window of slots; slot i is at fp[-i]. Slot 0 of a frame holds the address of the
// return point in the caller's code to go on at. A return point knows where the caller's frame is
// and which of its slots are live, so that a stack is walked without any other table. The oldest
// frame's return point has base 0.
//
// Slot 0 also has the distance to the caller's frame in its lower bits, so that returning finds the
// frame and the code with one load: a distance loaded from the return point would make every return
// wait for two loads, one after the other.
//
//   63                                    16 15           0
//  +----------------------------------------+--------------+
//  | address of the return point            | base (slots) |
//  +----------------------------------------+--------------+
#pragma once

#include "vm/code/loaded_module.h"
#include "vm/term/term.h"

namespace quelea {

///   +----------------------+------------+-----------+----------+
///   | return_point handler | base bytes | dst bytes | live map |
///   +----------------------+------------+-----------+----------+
struct ReturnPoint {
  Word handler;
  Word base_bytes;
  std::int64_t dst_bytes;
  Word live_map;
};
static_assert(sizeof(ReturnPoint) == 4 * sizeof(Word));

inline constexpr Word kEmptyLiveMap = 1;

/// Whether a map operand says that slot `i` is live.
inline bool is_live(Word map, std::uint32_t slot) {
  if (map & 1) return slot < 63 && (map >> (slot + 1) & 1);
  auto table = reinterpret_cast<const Word*>(map);
  return slot / 64 < table[0] && (table[1 + slot / 64] >> slot % 64 & 1);
}

/// Calls `visit(slot)` for every live slot, lowest first.
template <class Visit>
inline void for_each_live(Word map, Visit&& visit) {
  if (map & 1) {
    for (Word bits = map >> 1; bits != 0; bits &= bits - 1) {
      visit(static_cast<std::uint32_t>(__builtin_ctzll(bits)));
    }
    return;
  }
  auto table = reinterpret_cast<const Word*>(map);
  for (Word i = 0; i < table[0]; ++i) {
    for (Word bits = table[1 + i]; bits != 0; bits &= bits - 1) {
      visit(static_cast<std::uint32_t>(i * 64 + static_cast<Word>(__builtin_ctzll(bits))));
    }
  }
}

inline constexpr unsigned kReturnBaseBits = 16;
static_assert(kMaxFrameSlots <= 1u << kReturnBaseBits);

inline constexpr Word make_return_word(Word address, Word base_bytes) {
  return address << kReturnBaseBits | base_bytes / sizeof(Word);
}
/// Code address in slot 0 of a frame.
inline const Word* return_address(Word slot) {
  return reinterpret_cast<const Word*>(slot >> kReturnBaseBits);
}
/// Slots from a frame to its caller's, by slot 0.
inline std::uint16_t return_base(Word slot) { return static_cast<std::uint16_t>(slot); }
inline const ReturnPoint& return_point_of(const Term* fp) {
  return *reinterpret_cast<const ReturnPoint*>(return_address(fp->bits));
}
inline Term* caller_of(Term* fp, const ReturnPoint& point) {
  return reinterpret_cast<Term*>(reinterpret_cast<char*>(fp) + point.base_bytes);
}

}  // namespace quelea
