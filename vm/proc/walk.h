// What a process does that walks over terms: charged by what it looks at, and left to the pool
// where that is huge (vm/term/work.h).
#pragma once

#include "vm/base/assert.h"
#include "vm/proc/process.h"
#include "vm/term/work.h"

namespace quelea {

/// About one reduction for eight cells, by instructions and natives alike.
inline void charge_cells(Process& p, std::size_t cells) {
  p.charge(static_cast<std::int64_t>(cells / 8));
}

/// Does what walks over terms once, `walk(work)`, and charges for it. What is huge is left to the
/// pool: then none is returned, p.pending says so, and an instruction leaves (LEAVE_FOR_POOL). It
/// begins anew there, so it must not change anything but the heap.
template <class Walk>
[[gnu::always_inline]] inline Term walk_or_leave(Process& p, Walk&& walk) {
  std::size_t work = kMayGiveUp;
  Term result = walk(work);
  if (QUELEA_UNLIKELY(gave_up(work))) {
    if (!p.on_pool()) return p.to_pool();
    work = 0;
    result = walk(work);
  }
  charge_cells(p, work_done(work));
  return result;
}

}  // namespace quelea
