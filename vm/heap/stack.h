// The stack as the collector and the unwinder see it.
//
// A frame is a window of slots; slot i is at fp[-i]. Slot 0 of a frame holds the address of the
// return point in the caller's code to go on at. A return point knows where the caller's frame is
// and which of its slots are live, so that a stack is walked without any other table. The oldest
// frame's return point has base 0.
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

inline const ReturnPoint& return_point_of(const Term* fp) {
  return *reinterpret_cast<const ReturnPoint*>(fp->bits);
}
inline Term* caller_of(Term* fp, const ReturnPoint& point) {
  return reinterpret_cast<Term*>(reinterpret_cast<char*>(fp) + point.base_bytes);
}

}  // namespace quelea
