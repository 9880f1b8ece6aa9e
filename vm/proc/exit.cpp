// The end of a process: everybody who cares is told, everything it had goes back.
#include <vector>

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
  for (Word bits : x.links) {
    if (Process* other = vm.processes().find(Term{bits})) {
      post_signal(*other, make_signal(vm, SignalKind::LinkExit, reason, p.self()));
    }
  }
  for (const auto& [number, watcher] : x.watchers) {
    if (Process* other = vm.processes().find(watcher.pid)) {
      post_signal(*other, make_signal(vm, SignalKind::Down, reason, p.self(), number));
    }
  }
  for (const auto& [number, monitor] : x.monitors) {
    if (!monitor.target.is_local_pid()) continue;
    if (Process* other = vm.processes().find(monitor.target)) {
      post_signal(*other, make_signal(vm, SignalKind::Demonitor, Term::none(), p.self(), number));
    }
  }
}

}  // namespace

void Vm::end_process(Process& p) {
  p.state = ProcessState::Exiting;
  ++area<Statistics>().ended;
  stop_receive_timer(p);
  Term reason = atoms::normal;
  ProcessExtra* x = p.extra_record;
  if (x != nullptr) {
    if (!x->exit_reason.is_none()) reason = x->exit_reason;
    if (x->name.is_atom()) names_->remove(x->name);
  }
  const bool is_main = p.self() == main_pid;
  if (x != nullptr && !x->exit_class.is_none() && !is_main && x->exit_class != atoms::exit) {
    report_crash(p, x->exit_class, x->exception_reason, x->exit_trace);
  }
  if (is_main) {
    main_end.over = true;
    main_end.raised = reason != atoms::normal;
    if (x != nullptr && !x->exit_class.is_none()) {
      main_end.report = crash_text(p, x->exit_class, x->exception_reason, x->exit_trace);
    } else if (main_end.raised) {
      main_end.report = crash_text(p, atoms::exit, reason, Term::nil_list());
    } else if (encode_main_value) {
      encode_value(main_end.value, p.value);
    }
  }
  // Signals that arrived are not handled any more, but a link or monitor among them wants an
  // answer.
  if (p.outer.load(std::memory_order_acquire) != nullptr) p.take_last_relations();
  if (p.extra_record != nullptr) {
    processes_->remove(p);
    tell_others(*this, p, reason);
    destroy_process(p);
  } else {
    free_process(p);
  }
}

/// Who linked or monitored in the last moment is told as well.
void Process::take_last_relations() {
  Signal* signal = outer.exchange(nullptr, std::memory_order_acquire);
  std::vector<Signal*> in_order;
  for (; signal != nullptr; signal = static_cast<Signal*>(signal->next)) in_order.push_back(signal);
  for (auto at = in_order.rbegin(); at != in_order.rend(); ++at) {
    take_last_relation(*at);
  }
}

void Process::take_last_relation(Signal* signal) {
  switch (signal->kind) {
    case SignalKind::Link:
      extra().links.insert(signal->from.bits);
      break;
    case SignalKind::Unlink:
      extra().links.erase(signal->from.bits);
      break;
    case SignalKind::Monitor:
      extra().watchers.emplace(signal->reference,
                               ProcessExtra::Watcher{signal->from, signal->term});
      break;
    case SignalKind::Demonitor:
      extra().watchers.erase(signal->reference);
      break;
    case SignalKind::Blocked:
      note_blocked(*this, signal->from);
      break;
    default:
      break;
  }
  drop_signal(signal);
}

}  // namespace quelea
