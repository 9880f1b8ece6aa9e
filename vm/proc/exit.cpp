// The end of a process: everybody who cares is told, everything it had goes back.
#include "vm/base/memory.h"
#include "vm/native/native.h"
#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/statistics.h"
#include "vm/proc/timers.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"
#include "vm/term/etf.h"

namespace quelea {

namespace {

/// So many others are told in one slice: nobody waits for the end of one who knew a million.
constexpr std::uint32_t kToldAtOnce = 4000;

Term exit_reason_of(Process& p) {
  const Unwinding* unwinding = p.known_unwinding();
  if (unwinding == nullptr || unwinding->exit_reason.is_none()) return atoms::normal;
  return unwinding->exit_reason;
}

void tell(Process& p, Term whom, SignalKind kind, Term reason, Word reference, std::size_t room) {
  if (!whom.is_local_pid()) return;
  Process* other = p.vm().processes().find(whom);
  if (other == nullptr) return;
  p.post(*other,
         insist([&] { return make_signal(p.vm(), kind, reason, p.self(), reference, room); }));
}

/// Tells the next of those who care. True: all know.
bool tell_others(Process& p, std::uint32_t budget) {
  ProcessExtra* x = p.extra_record;
  if (x == nullptr) return true;
  const Term reason = exit_reason_of(p);
  TellingOthers& at = x->telling;
  return x->links.visit_some(at.links, budget, [&](const LinkEnd& end) {
    tell(p, Term{end.key}, SignalKind::LinkExit, reason, 0, kExitMessageWords);
  }) && x->watchers.visit_some(at.watchers, budget, [&](const Watcher& watcher) {
    tell(p, watcher.pid, SignalKind::Down, reason, watcher.key, kDownMessageWords);
  }) && x->references.visit_some(at.references, budget, [&](const OwnReference& reference) {
    tell(p, reference.target, SignalKind::Demonitor, Term::none(), reference.key, 0);
  });
}

}  // namespace

void Vm::kill_for_memory(Process& p) {
  const std::size_t held = weigh(p);
  delete p.native_state;
  p.native_state = nullptr;
  p.release_all();
  p.value = Term::small(0);
  insist([&] {
    // Terms of the heap that is gone.
    p.extra().label = Term::none();
    p.unwinding() = {};
    p.exit_with(atoms::killed);
    report_no_memory(p, held);
  });
}

void Vm::end_process(Process& p) {
  p.state = ProcessState::Exiting;
  SchedulerLocal& here = p.local();
  count(here.statistics.ended);
  stop_receive_timer(p);
  const Term reason = exit_reason_of(p);
  const Unwinding* x = p.known_unwinding();
  const bool is_main = p.self() == main_pid;
  if (x != nullptr && !x->exit_class.is_none() && !is_main && x->exit_class != atoms::exit) {
    report_crash(p, x->exit_class, x->exception_reason, x->exit_trace);
  }
  if (is_main) {
    main_end.raised = reason != atoms::normal;
    if (x != nullptr && !x->exit_class.is_none()) {
      main_end.report = crash_text(p, x->exit_class, x->exception_reason, x->exit_trace);
    } else if (main_end.raised) {
      main_end.report = crash_text(p, atoms::exit, reason, Term::nil_list());
    } else if (encode_main_value) {
      encode_value(main_end.value, p.value);
    }
  }
  names_->close(p);
  // Signals that arrived are not handled any more, but a link or monitor among them wants an
  // answer.
  p.take_last_relations();
  processes_->remove(p, here.free_places);
  if (p.extra_record != nullptr && p.extra_record->mailbox_limit != nullptr) release_blocked(p);
  if (!is_main) {
    go_on_ending(p);
    return;
  }
  tell_others(p, ~std::uint32_t{0});
  release_process(p);
  if (QUELEA_UNLIKELY(p.extra_record != nullptr && p.extra_record->is_noted_as_large)) {
    memory_->forget(here.memory, p);
  }
  epochs_.retire(here.epoch, p);
  main_end.over.store(true, std::memory_order_release);
  notify();
}

void Vm::go_on_ending(Process& p) {
  SchedulerLocal& here = p.local();
  if (!tell_others(p, kToldAtOnce)) {
    schedulers_->make_runnable(here, p);
    return;
  }
  release_process(p);
  epochs_.retire(here.epoch, p);
}

/// Who links or monitors behind what ends it finds nobody: as in Erlang, the answer is :noproc.
void Process::take_last_relations() {
  for (Signal* signal = in_order_sent(close_signals(*this)); signal != nullptr;) {
    Signal* next = as_signal(signal->next);
    take_last_relation(signal);
    signal = next;
  }
}

void Process::take_last_relation(Signal* signal) {
  Process* from = signal->from.is_local_pid() ? vm().processes().find(signal->from) : nullptr;
  switch (signal->kind) {
    case SignalKind::Link:
      if (extra_record != nullptr && extra_record->links.find(signal->from.bits) != nullptr) break;
      if (from == nullptr) break;
      post(*from,
           insist([&] { return make_signal(vm(), SignalKind::LinkExit, atoms::noproc, self()); }));
      break;
    case SignalKind::Unlink:
      if (extra_record != nullptr) note_unlink(*extra_record, signal->from, signal->reference);
      break;
    case SignalKind::Monitor:
      if (from == nullptr) break;
      post(*from, insist([&] {
        return make_signal(vm(), SignalKind::Down, atoms::noproc, self(), signal->reference);
      }));
      break;
    case SignalKind::Demonitor:
      if (extra_record != nullptr) extra_record->watchers.erase(signal->reference);
      break;
    case SignalKind::Blocked:
      note_blocked(*this, signal->from);
      break;
    case SignalKind::Look:
      answer_look(*this, *signal, false);
      break;
    default:
      break;
  }
  drop_signal(signal);
}

}  // namespace quelea
