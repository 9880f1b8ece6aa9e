// Control: entering functions, jumps, calls, returns, and moves.
#include <new>
#include <utility>

#include "vm/interp/calls.h"
#include "vm/interp/handler.h"
#include "vm/interp/handlers.h"
#include "vm/interp/support.h"

namespace quelea {

// Entering ----------------------------------------------------------------------------------------

COLD(enter_slow) {
  p->live_map = kEmptyLiveMap;
  p->extra_first = 1;
  p->extra_count = static_cast<std::uint16_t>(pc[2]);
  value.bits = pc[1];
  GO(safe_point);
}

HANDLER(enter) {
  if (QUELEA_UNLIKELY(--reductions <= 0)) GO(enter_slow);
  if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>(pc[1]))) GO(enter_slow);
  if (STRESS(p, pc)) GO(enter_slow);
  NEXT(2);
}

HANDLER(jump) { JUMP(1); }

COLD(loop_slow) {
  p->live_map = pc[2];
  p->extra_count = 0;
  value.bits = 0;
  GO(safe_point);
}

HANDLER(loop) {
  if (QUELEA_UNLIKELY(--reductions <= 0)) GO(loop_slow);
  if (STRESS(p, pc)) GO(loop_slow);
  JUMP(1);
}

HANDLER(ret) {
  value = SLOT(1);
  RETURN;
}

HANDLER(ret_const) {
  value.bits = pc[1];
  RETURN;
}

HANDLER(return_point) {
  fp = reinterpret_cast<Term*>(reinterpret_cast<char*>(fp) + pc[1]);
  SLOT(2) = value;
  NEXT(3);
}

// Calls -------------------------------------------------------------------------------------------

/// The distance of the frames is part of the handler for short distances, so that the new fp does
/// not wait for a load. A call takes the handler that fits it when it is first executed.
template <unsigned base>
HandlerResult call_at(ARGS) {
  PUSH_FRAME(base * sizeof(Word), pc + 2);
  ENTER_FRAME(reinterpret_cast<const Word*>(pc[1]));
}

template <unsigned base>
HandlerResult call_ext_at(ARGS) {
  auto target = reinterpret_cast<const Export*>(pc[1]);
  PUSH_FRAME(base * sizeof(Word), pc + 2);
  ENTER(target->entry.load(std::memory_order_acquire));
}

HandlerResult call_far(ARGS) {
  PUSH_FRAME(pc[3], pc + 2);
  ENTER(reinterpret_cast<const Word*>(pc[1]));
}

HandlerResult call_ext_far(ARGS) {
  auto target = reinterpret_cast<const Export*>(pc[1]);
  PUSH_FRAME(pc[3], pc + 2);
  ENTER(target->entry.load(std::memory_order_acquire));
}

namespace {

constexpr unsigned kNearBases = 16;

template <unsigned... bases>
Handler pick_call(Word base, std::integer_sequence<unsigned, bases...>) {
  static constexpr Handler kHandlers[] = {&call_at<bases>...};
  return base < kNearBases ? kHandlers[base] : &call_far;
}

template <unsigned... bases>
Handler pick_call_ext(Word base, std::integer_sequence<unsigned, bases...>) {
  static constexpr Handler kHandlers[] = {&call_ext_at<bases>...};
  return base < kNearBases ? kHandlers[base] : &call_ext_far;
}

}  // namespace

COLD(do_call) {
  const bool frame = begins_with_enter(reinterpret_cast<const Word*>(pc[1]));
  specialise(pc, frame ? pick_call(pc[3] / sizeof(Word),
                                   std::make_integer_sequence<unsigned, kNearBases>())
                       : &call_far);
  DISPATCH;
}

COLD(do_call_ext) {
  specialise(
      pc, pick_call_ext(pc[3] / sizeof(Word), std::make_integer_sequence<unsigned, kNearBases>()));
  DISPATCH;
}

HANDLER(tail_call) { ENTER(reinterpret_cast<const Word*>(pc[1])); }

HANDLER(tail_ext) {
  ENTER(reinterpret_cast<const Export*>(pc[1])->entry.load(std::memory_order_acquire));
}

inline bool is_fun_of_arity(Term fun, Word arity) {
  if (!fun.is_boxed()) return false;
  const Word* object = fun.pointer();
  if (Header{object[0]}.kind() != Kind::Fun) return false;
  return reinterpret_cast<const FunEntry*>(object[1])->arity == arity;
}

/// Whatever is not a fun of the right arity with few captured values.
COLD(call_fun_slow) {
  SYNC_OUT_ROOMLESS;
  const Word* entry = prepare_fun_call(*p, SLOT(1), frame_below(fp, pc[4]), pc[2]);
  SYNC_IN;
  if (p->pending == Process::Pending::Exception) GO(unwind);
  PUSH_FRAME(pc[4], pc + 3);
  pc += 3;
  if (entry == nullptr) GO(enter_pending_call);
  pc = entry;
  DISPATCH;
}

HANDLER(call_fun) {
  const Term fun = SLOT(1);
  const Word arity = pc[2];
  if (QUELEA_UNLIKELY(!is_fun_of_arity(fun, arity))) GO(call_fun_slow);
  const Word* object = fun.pointer();
  Word captured = Header{object[0]}.payload_words() - 1;
  if (QUELEA_UNLIKELY(ROOM <
                      static_cast<std::int64_t>(pc[4] + (1 + arity + captured) * sizeof(Word))))
    GO(call_fun_slow);
  PUSH_FRAME(pc[4], pc + 3);
  pc = reinterpret_cast<const FunEntry*>(object[1])->entry;
  for (Term* to = fp - arity; captured != 0; --captured) *--to = {*(++object + 1)};
  DROP_VALUE;
  DISPATCH;
}

COLD(tail_fun_slow) {
  SYNC_OUT_ROOMLESS;
  const Word* entry = prepare_fun_call(*p, SLOT(1), fp, pc[2]);
  SYNC_IN;
  if (p->pending == Process::Pending::Exception) GO(unwind);
  if (entry == nullptr) GO(enter_pending_call);
  pc = entry;
  DISPATCH;
}

HANDLER(tail_fun) {
  const Term fun = SLOT(1);
  const Word arity = pc[2];
  if (QUELEA_UNLIKELY(!is_fun_of_arity(fun, arity))) GO(tail_fun_slow);
  const Word* object = fun.pointer();
  Word captured = Header{object[0]}.payload_words() - 1;
  if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>((1 + arity + captured) * sizeof(Word))))
    GO(tail_fun_slow);
  pc = reinterpret_cast<const FunEntry*>(object[1])->entry;
  for (Term* to = fp - arity; captured != 0; --captured) *--to = {*(++object + 1)};
  DROP_VALUE;
  DISPATCH;
}

HANDLER(call_dyn) {
  SYNC_OUT_ROOMLESS;
  const Word* entry = prepare_dynamic_call(*p, SLOT(1), Term{pc[2]}, frame_below(fp, pc[5]), pc[3]);
  SYNC_IN;
  if (p->pending == Process::Pending::Exception) GO(unwind);
  PUSH_FRAME(pc[5], pc + 4);
  pc += 4;
  if (entry == nullptr) GO(enter_pending_call);
  pc = entry;
  DISPATCH;
}

HANDLER(tail_dyn) {
  SYNC_OUT_ROOMLESS;
  const Word* entry = prepare_dynamic_call(*p, SLOT(1), Term{pc[2]}, fp, pc[3]);
  SYNC_IN;
  if (p->pending == Process::Pending::Exception) GO(unwind);
  if (entry == nullptr) GO(enter_pending_call);
  pc = entry;
  DISPATCH;
}

// Natives -----------------------------------------------------------------------------------------
/// A native asked for it: the process begins anew, with nothing but its next call.
COLD(hibernate) {
  fall_asleep(*p);
  LEAVE;
}

// call_native: [h][entry][Z][return_point][base][dst][map]; tail_native: [h][entry][Z][Y]

/// What natives throw, std::bad_alloc alone, ends here: costs nothing where nothing is thrown.
#define CALL_NATIVE(frame)                                                           \
  Term result;                                                                       \
  try {                                                                              \
    result = reinterpret_cast<const NativeEntry*>(pc[1])->function(*p, Args(frame)); \
  } catch (const std::bad_alloc&) {                                                  \
    result = raise_no_memory(*p);                                                    \
  }

COLD(call_native_slow) {
  if (value.is_none()) {
    switch (p->pending) {
      case Process::Pending::Exception:
        GO(unwind);
      case Process::Pending::Call:
        PUSH_FRAME(pc[4], pc + 3);
        pc += 3;
        GO(enter_pending_call);
      case Process::Pending::Hibernate:
        GO(hibernate);
      default:
        break;
    }
    // Again: the instruction is done once more; its arguments are roots.
    p->live_map = pc[6];
    p->extra_first = static_cast<std::uint16_t>(pc[4] / sizeof(Word) + 1);
    p->extra_count = static_cast<std::uint16_t>(reinterpret_cast<const NativeEntry*>(pc[1])->arity);
    value.bits = pc[2];
    GO(native_again);
  }
  // A result and a full heap, or the end of the slice: a safe point at the return point, with the
  // result as root.
  const Word room = pc[2];
  fp = frame_below(fp, pc[4]);
  pc += 3;
  p->value = value;
  p->set_flag_bit(Process::kAtReturnPoint, true);
  value.bits = room;
  GO(safe_point);
}

HANDLER(call_native) {
  --reductions;
  SYNC_OUT(pc[2]);
  CALL_NATIVE(frame_below(fp, pc[4]));
  pc = p->pc;
  fp = p->fp;
  hp = p->hp;
  reductions = p->reductions;
  if (QUELEA_UNLIKELY(reductions <= 0 || result.is_none() || STRESS(p, pc))) {
    if (p->in_fragment()) {
      p->leave_fragment();
      hp = p->hp;
    }
    value = result;
    GO(call_native_slow);
  }
  SLOT(5) = result;
  NEXT(6);
}

COLD(tail_native_slow) {
  if (value.is_none()) {
    switch (p->pending) {
      case Process::Pending::Exception:
        GO(unwind);
      case Process::Pending::Call:
        GO(enter_pending_call);
      case Process::Pending::Hibernate:
        GO(hibernate);
      default:
        break;
    }
    p->live_map = kEmptyLiveMap;
    p->extra_first = 1;
    p->extra_count = static_cast<std::uint16_t>(pc[3]);
    value.bits = pc[2];
    GO(native_again);
  }
  const Word room = pc[2];
  pc = return_address(fp->bits);
  p->value = value;
  p->set_flag_bit(Process::kAtReturnPoint, true);
  value.bits = room;
  GO(safe_point);
}

HANDLER(tail_native) {
  --reductions;
  SYNC_OUT(pc[2]);
  // A function that is this instruction alone has no `enter` that made sure of its room.
  if (QUELEA_UNLIKELY(p->limit < hp)) p->limit = hp;
  CALL_NATIVE(fp);
  pc = p->pc;
  fp = p->fp;
  hp = p->hp;
  reductions = p->reductions;
  value = result;
  if (QUELEA_UNLIKELY(reductions <= 0 || result.is_none() || STRESS(p, pc))) {
    if (p->in_fragment()) {
      p->leave_fragment();
      hp = p->hp;
    }
    GO(tail_native_slow);
  }
  RETURN;
}

// Moves -------------------------------------------------------------------------------------------

HANDLER(move) {
  SLOT(1) = SLOT(2);
  NEXT(2);
}

HANDLER(load) {
  SLOT(1).bits = pc[2];
  NEXT(2);
}

HANDLER(self_pid) {
  SLOT(1) = p->self();
  NEXT(1);
}

}  // namespace quelea
