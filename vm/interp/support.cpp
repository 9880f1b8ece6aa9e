#include "vm/interp/support.h"

#include <algorithm>

#include "vm/code/code_registry.h"
#include "vm/interp/handler.h"
#include "vm/native/native.h"
#include "vm/proc/process_extra.h"
#include "vm/term/map.h"

namespace quelea {

namespace {

Term argument_list(Process& p, Term* frame, Word arity) {
  Term list = Term::nil_list();
  for (Word i = arity; i > 0; --i) list = p.cons(frame[-static_cast<std::ptrdiff_t>(i)], list);
  return list;
}

/// Whether `count` slots fit below `frame`.
bool fits(const Process& p, const Term* frame, std::size_t count) {
  const Word* top = p.in_fragment() ? p.block_top() : p.hp;
  return reinterpret_cast<const char*>(frame) - reinterpret_cast<const char*>(top) >=
         static_cast<std::ptrdiff_t>((count + 1) * sizeof(Word) + kRedZoneBytes);
}

void put_captured(Term fun, Term* frame, Word arity) {
  const std::size_t captured = fun_captured(fun);
  for (std::size_t i = 0; i < captured; ++i) {
    frame[-static_cast<std::ptrdiff_t>(arity + 1 + i)] = fun_captured_at(fun, i);
  }
}

}  // namespace

const Word* prepare_fun_call(Process& p, Term fun, Term* frame, Word arity) {
  if (!is_fun(fun)) {
    p.raise_error(p.tuple(atoms::badfun, fun));
    return nullptr;
  }
  if (fun_arity(fun) != arity) {
    p.raise_error(p.tuple(atoms::badarity, p.tuple(fun, argument_list(p, frame, arity))));
    return nullptr;
  }
  if (fun.is_kind(Kind::ExportFun)) {
    return reinterpret_cast<const Export*>(fun.pointer()[1])->entry.load(std::memory_order_acquire);
  }
  if (!fits(p, frame, arity + fun_captured(fun))) {
    Unwinding& x = p.unwinding();
    x.call_fun = fun;
    x.call_export = nullptr;
    x.call_arguments.clear();
    for (Word i = 1; i <= arity; ++i) {
      x.call_arguments.push_back(frame[-static_cast<std::ptrdiff_t>(i)]);
    }
    p.pending = Process::Pending::Call;
    return nullptr;
  }
  put_captured(fun, frame, arity);
  return reinterpret_cast<const FunEntry*>(fun.pointer()[1])->entry;
}

const Word* prepare_dynamic_call(Process& p, Term receiver, Term name, Term* frame, Word arity) {
  if (receiver.is_atom()) {
    return p.vm()
        .code()
        .request_export(receiver, name, static_cast<std::uint32_t>(arity))
        ->entry.load(std::memory_order_acquire);
  }
  if (!is_map(receiver)) {
    p.raise_error(p.tuple(atoms::badmap, receiver));
    return nullptr;
  }
  const Term fun = map_get(receiver, name, p.vm().atoms());
  if (fun.is_none()) {
    p.raise_error(p.tuple(atoms::badkey, name));
    return nullptr;
  }
  return prepare_fun_call(p, fun, frame, arity);
}

Term raise_no_memory(Process& p) {
  delete p.native_state;
  p.native_state = nullptr;
  return p.raise_error(atoms::system_limit);
}

const Word* take_pending_call(Process& p, Term* frame) {
  Unwinding& x = p.unwinding();
  p.pending = Process::Pending::None;
  const std::size_t arity = x.call_arguments.size();
  const bool is_lambda = x.call_fun.is_kind(Kind::Fun);
  const std::size_t slots = arity + (is_lambda ? fun_captured(x.call_fun) : 0);
  if (!fits(p, frame, slots)) {
    p.pc = return_address(frame->bits);
    p.value = Term::small(0);
    p.set_flag_bit(Process::kAtReturnPoint, true);
    const bool alive = p.collect((slots + 1) * sizeof(Word) + kRedZoneBytes, false);
    p.set_flag_bit(Process::kAtReturnPoint, false);
    if (!alive) return nullptr;
    frame = p.fp;
  }
  for (std::size_t i = 0; i < arity; ++i) {
    frame[-static_cast<std::ptrdiff_t>(i + 1)] = x.call_arguments[i];
  }
  x.call_arguments.clear();
  const Term fun = x.call_fun;
  x.call_fun = Term::none();
  if (is_lambda) {
    put_captured(fun, frame, arity);
    return reinterpret_cast<const FunEntry*>(fun.pointer()[1])->entry;
  }
  const Export* target =
      fun.is_none() ? x.call_export : reinterpret_cast<const Export*>(fun.pointer()[1]);
  return target->entry.load(std::memory_order_acquire);
}

void fall_asleep(Process& p) {
  Unwinding& x = p.unwinding();
  const std::size_t arity = x.call_arguments.size();
  // Of the stack only the oldest frame is left, which has nobody to return to; and of that nothing.
  p.fp = reinterpret_cast<Term*>(p.block_end() - 1);
  p.pc = return_address(p.fp->bits);
  p.value = Term::small(0);
  p.scan_link = Process::no_message();
  p.set_flag_bit(Process::kAtReturnPoint, true);
  p.compact((arity + 1) * sizeof(Word) + kRedZoneBytes);
  p.set_flag_bit(Process::kAtReturnPoint, false);
  for (std::size_t i = 0; i < arity; ++i) {
    p.fp[-1 - static_cast<std::ptrdiff_t>(i)] = x.call_arguments[i];
  }
  p.pc = x.call_export->entry.load(std::memory_order_acquire);
  p.live_map = kEmptyLiveMap;
  p.extra_first = 1;
  p.extra_count = static_cast<std::uint16_t>(arity);
  p.extra_record->unwinding.reset();
  // Until there is a message, `pending` says that it sleeps.
  if (p.first_message != nullptr) p.pending = Process::Pending::Again;
}

void doze(Process& p, std::int64_t room_bytes) {
  if (!p.is_smallest()) {
    p.compact(std::max(static_cast<std::size_t>(room_bytes), p.frame_room(p.pc)));
  }
  p.pending = Process::Pending::Hibernate;
}

bool collect_if_due(Process& p, std::int64_t room_bytes) {
  bool may_move = true;
  if (QUELEA_UNLIKELY(p.native_state != nullptr && p.native_state->pins_heap)) {
    if (p.used_words() <= p.heap_limit_words()) return true;
    // Much of that may be garbage from before.
    if (!p.native_state->start_over()) return p.within_heap_limit(true);
    p.set_collection_due(true);
    may_move = false;  // On the pool the native would come first, and pin the heap again.
  }
  const std::int64_t room = reinterpret_cast<char*>(p.fp) - reinterpret_cast<char*>(p.hp);
  bool due = p.collection_due() || room < room_bytes;
#if QUELEA_GCSTRESS
  due = true;
#endif
  if (!due) return true;
  if (may_move && QUELEA_UNLIKELY(p.long_collection_ahead()) && !p.on_pool()) {
    p.pending = Process::Pending::Pool;
    return false;
  }
  return p.collect(static_cast<std::size_t>(room_bytes), false);
}

bool at_safe_point(Process& p, std::int64_t room_bytes) {
  if (p.vm().stopping()) return false;
  if (p.outer.load(std::memory_order_relaxed) != nullptr && p.handle_signals() == Handled::Exits) {
    return false;
  }
  if (!collect_if_due(p, room_bytes) || p.waits_for_marking()) return false;
  if (QUELEA_UNLIKELY(p.has_flag(Process::kBlocked))) {
    p.pending = Process::Pending::Wait;
    return false;
  }
  p.reductions += p.held_reductions;
  p.held_reductions = 0;
  return p.reductions > 0 && !p.has_backlog();
}

#if QUELEA_GCSTRESS
bool gc_stress_due(Process* p, const Word* pc) {
  if (p->stress_pc == pc) {
    p->stress_pc = nullptr;
    return false;
  }
  // Each collection moves the stack: deep ones only now and then.
  const auto stack_words = p->block_end() - reinterpret_cast<Word*>(p->fp);
  if (stack_words > 2048 && ++p->stress_skipped % 512 != 0) return false;
  p->stress_pc = pc;
  return true;
}
#endif

const Word* load_or_raise_undef(Process& p, const Export* target, Term* frame) {
  if (!target->has_code()) {
    const Vm::Loaded loaded = p.vm().autoload_for(p, target->module);
    if (loaded == Vm::Loaded::NoRoom) p.raise_error(atoms::system_limit);
    if (loaded == Vm::Loaded::NoRoom || loaded == Vm::Loaded::Later) return nullptr;
  }
  if (target->has_code()) return target->entry.load(std::memory_order_acquire);
  const Term arguments = argument_list(p, frame, target->arity);
  p.raise_error(atoms::undef);
  p.unwinding().first_arguments =
      p.tuple(target->module, target->function, arguments, Term::nil_list());
  return nullptr;
}

}  // namespace quelea
