// The end of a process: everybody who cares is told, everything it had goes back.
#include <vector>

#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/statistics.h"
#include "vm/proc/timers.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"
#include "vm/term/etf.h"

namespace quelea {

namespace {

void tell_others(Vm& vm, Process& p, Term reason) {
  ProcessExtra& x = *p.extra_record;
  if (x.mailbox_limit != nullptr) release_blocked(p);
  x.links.for_each([&](const LinkEnd& end) {
    if (Process* other = vm.processes().find(Term{end.key})) {
      p.post(*other, make_signal(vm, SignalKind::LinkExit, reason, p.self()));
    }
  });
  x.watchers.for_each([&](const Watcher& watcher) {
    if (Process* other = vm.processes().find(watcher.pid)) {
      p.post(*other, make_signal(vm, SignalKind::Down, reason, p.self(), watcher.key));
    }
  });
  x.references.for_each([&](const OwnReference& reference) {
    if (!reference.target.is_local_pid()) return;
    if (Process* other = vm.processes().find(reference.target)) {
      p.post(*other, make_signal(vm, SignalKind::Demonitor, Term::none(), p.self(), reference.key));
    }
  });
}

}  // namespace

void Vm::end_process(Process& p) {
  p.state = ProcessState::Exiting;
  SchedulerLocal& here = p.local();
  count(here.statistics.ended);
  stop_receive_timer(p);
  Term reason = atoms::normal;
  const Unwinding* x = p.known_unwinding();
  if (x != nullptr && !x->exit_reason.is_none()) reason = x->exit_reason;
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
  if (p.extra_record != nullptr) tell_others(*this, p, reason);
  release_process(p);
  epochs_.retire(here.epoch, p);
  if (is_main) {
    main_end.over.store(true, std::memory_order_release);
    notify();
  }
}

/// Who links or monitors behind what ends it finds nobody: as in Erlang, the answer is :noproc.
void Process::take_last_relations() {
  Signal* signal = close_signals(*this);
  if (signal == nullptr) return;
  std::vector<Signal*> in_order;
  for (; signal != nullptr; signal = static_cast<Signal*>(signal->next)) in_order.push_back(signal);
  for (auto at = in_order.rbegin(); at != in_order.rend(); ++at) {
    take_last_relation(*at);
  }
}

void Process::take_last_relation(Signal* signal) {
  Process* from = signal->from.is_local_pid() ? vm().processes().find(signal->from) : nullptr;
  switch (signal->kind) {
    case SignalKind::Link:
      if (extra_record != nullptr && extra_record->links.find(signal->from.bits) != nullptr) break;
      if (from == nullptr) break;
      post(*from, make_signal(vm(), SignalKind::LinkExit, atoms::noproc, self()));
      break;
    case SignalKind::Unlink:
      if (extra_record != nullptr) note_unlink(*extra_record, signal->from, signal->reference);
      break;
    case SignalKind::Monitor:
      if (from == nullptr) break;
      post(*from, make_signal(vm(), SignalKind::Down, atoms::noproc, self(), signal->reference));
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
