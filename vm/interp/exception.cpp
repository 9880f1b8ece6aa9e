// Raising, catching, and the calls that C++ prepared.
//
// Exceptions cost nothing until one is raised: the tables of vm/code say which handler covers an
// instruction, and frames are left one by one through their return points (vm/interp/unwind.cpp).
#include "vm/interp/handler.h"
#include "vm/interp/support.h"
#include "vm/term/integer.h"

namespace quelea {

COLD(unwind) {
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  if (!find_catcher(*p)) LEAVE;
  pc = p->pc;
  fp = p->fp;
  hp = p->hp;
  reductions = p->reductions;
  DISPATCH;
}

COLD(enter_pending_call) {
  SYNC_OUT_ROOMLESS;
  const Word* entry = take_pending_call(*p, fp);
  hp = p->hp;
  fp = p->fp;
  reductions = p->reductions;
  if (entry == nullptr) {
    if (p->is_over()) LEAVE;
    pc = return_address(fp->bits);
    p->set_flag_bit(Process::kAtReturnPoint, true);
    GO(unwind);
  }
  pc = entry;
  DISPATCH;
}

HANDLER(raise) {  // U X
  SYNC_OUT_ROOMLESS;
  raise_by_kind(*p, static_cast<unsigned>(pc[1]), VALUE(2), fp);
  SYNC_IN;
  GO(unwind);
}

HANDLER(reraise) {  // S S S
  SYNC_OUT_ROOMLESS;
  p->reraise(SLOT(1), SLOT(2), SLOT(3));
  SYNC_IN;
  GO(unwind);
}

HANDLER(catch) {  // D D D Z
  Term thrown = take_exception_class(*p);
  SLOT(1) = thrown;
  thrown = take_exception_reason(*p);
  SLOT(2) = thrown;
  thrown = take_exception_trace(*p);
  SLOT(3) = thrown;
  NEXT(4);
}

/// An export without code: asks for the module, once; then undef.
HANDLER(undefined) {  // Export*
  SYNC_OUT_ROOMLESS;
  const Word* entry = load_or_raise_undef(*p, reinterpret_cast<const Export*>(pc[1]), fp);
  SYNC_IN;
  if (entry == nullptr) {
    if (p->pending != Process::Pending::Exception) LEAVE;
    pc = return_address(fp->bits);
    p->set_flag_bit(Process::kAtReturnPoint, true);
    GO(unwind);
  }
  pc = entry;
  DISPATCH;
}

/// Behind the oldest return point, which put the result into slot 1: the process is over.
COLD(do_process_end) {
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  p->value = fp[-1];
  p->pending = Process::Pending::Exit;
  LEAVE;
}

}  // namespace quelea
