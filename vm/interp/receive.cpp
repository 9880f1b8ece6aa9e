// Sending and receiving. The mailbox and its scan point are described in vm/proc/mailbox.h.
#include "vm/interp/handler.h"
#include "vm/interp/support.h"
#include "vm/proc/mailbox.h"

namespace quelea {

HANDLER(send) {  // S X
  SYNC_OUT_ROOMLESS;
  const Term result = p->send(SLOT(1), VALUE(2));
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) {
    if (is_for_pool(*p)) LEAVE_FOR_POOL;
    GO(unwind);
  }
  NEXT(2);
}

/// What a deterministic machine has instead of `send`: a slice may end here, too, so that another
/// process's message gets between two of this one, as on many cores. Nothing is collected: the
/// instruction behind it has no map of what is live.
HANDLER(send_seeded) {
  SYNC_OUT_ROOMLESS;
  const Term result = p->send(SLOT(1), VALUE(2));
  SYNC_IN;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  if (reductions > 0 || p->held_reductions > 0) NEXT(2);
  p->pc = pc + 3;
  LEAVE;
}

/// A receive that an exception ended, or a native that waited, left its timer; or one took a
/// message when its time was over; or the mailbox is long and places in it are known.
COLD(recv_start_slow) {
  stop_receive_timer(*p);
  start_scan(*p, pc, VALUE(2));
  NEXT(2);
}

HANDLER(recv_start) {  // C X
  p->receive_site = pc;
  p->scan_link = &p->first_message;
  if (QUELEA_UNLIKELY(p->receive_timer != 0)) GO(recv_start_slow);
  if (QUELEA_UNLIKELY(p->has_flag(Process::kKeepsPlaces | Process::kTimedOut))) GO(recv_start_slow);
  NEXT(2);
}

COLD(recv_peek_slow) {
  SYNC_OUT_ROOMLESS;
  const PeekResult found = peek_arrivals(*p);
  SYNC_IN;
  if (found == PeekResult::Exited) LEAVE;
  if (found != PeekResult::Message) JUMP(2);
  SLOT(1) = as_signal(*p->scan_link)->term;
  NEXT(2);
}

HANDLER(recv_peek) {  // D L
  Fragment* message = *p->scan_link;
  if (message == nullptr) GO(recv_peek_slow);
  SLOT(1) = as_signal(message)->term;
  NEXT(2);
}

HANDLER(recv_skip) {
  SYNC_OUT_ROOMLESS;
  pass_message(*p);
  SYNC_IN;
  NEXT(0);
}

HANDLER(recv_take) {
  SYNC_OUT_ROOMLESS;
  take_message(*p);
  SYNC_IN;
  NEXT(0);
}

/// p waits, or lets others run before it looks again: its frame's live map is in `value`.
COLD(park) {
  p->live_map = value.bits;
  p->extra_count = 0;
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  LEAVE;
}

HANDLER(recv_wait) {  // L M
  SYNC_OUT_ROOMLESS;
  const PeekResult found = peek_arrivals(*p);
  SYNC_IN;
  if (found == PeekResult::Exited) LEAVE;
  if (found == PeekResult::Message) JUMP(1);
  p->pending = found == PeekResult::Busy ? Process::Pending::Again : Process::Pending::Wait;
  value.bits = pc[2];
  GO(park);
}

HANDLER(recv_wait_until) {  // S L M
  SYNC_OUT_ROOMLESS;
  const WaitResult found = wait_until(*p, SLOT(1));
  SYNC_IN;
  switch (found) {
    case WaitResult::Exited:
      LEAVE;
    case WaitResult::Message:
      JUMP(2);
    case WaitResult::Timeout:
      NEXT(3);
    case WaitResult::Raised:
      GO(unwind);
    case WaitResult::Wait:
      p->pending = Process::Pending::Wait;
      break;
    case WaitResult::Busy:
      p->pending = Process::Pending::Again;
      break;
  }
  value.bits = pc[3];
  GO(park);
}

}  // namespace quelea
