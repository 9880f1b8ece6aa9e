// Safe points: where a process may be collected, preempted or stopped.
//
// Handlers reach this only when something is up: the reductions ran out, were taken away (a
// collection is wanted, somebody wants attention), or there is no room. The instruction is done
// again afterwards.
#include "vm/interp/handler.h"
#include "vm/interp/support.h"

namespace quelea {

COLD(safe_point) {
  const auto room = static_cast<std::int64_t>(value.bits);
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  const bool goes_on = at_safe_point(*p, room);
  pc = p->pc;
  fp = p->fp;
  hp = p->hp;
  reductions = p->reductions;
  if (!goes_on) {
    if (p->pending == Process::Pending::Exception) GO(unwind);
    LEAVE;
  }
  value = p->value;
  p->set_flag_bit(Process::kAtReturnPoint, false);
  DISPATCH;
}

/// A native asked to be called again: whatever is due is done, and others run first, or a message
/// comes first.
COLD(native_again) {
  const auto room = static_cast<std::int64_t>(value.bits);
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  // A native in which an exit took effect: nothing may come between.
  if (p->is_over()) LEAVE;
  if (p->pending == Process::Pending::Doze) {
    doze(*p, room);
    LEAVE;
  }
  if (collect_if_due(*p, room) || p->pending != Process::Pending::Exception) LEAVE;
  pc = p->pc;
  fp = p->fp;
  hp = p->hp;
  reductions = p->reductions;
  GO(unwind);
}

}  // namespace quelea
