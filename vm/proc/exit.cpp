// The end of a process: everybody who cares is told, everything it had goes back.
#include <algorithm>
#include <new>

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
#include "vm/term/copy.h"
#include "vm/term/etf.h"
#include "vm/term/work.h"

namespace quelea {

namespace {

/// So many others are told in one slice, and so many messages given back: nobody waits for the end
/// of one who knew a million, or whom a million wrote to.
constexpr std::uint32_t kToldAtOnce = 1000;
/// The same of a huge reason, which is copied for each, on the pool; of a large one as many as
/// copies of so many words in all.
constexpr std::uint32_t kToldHugeAtOnce = 16;
constexpr std::size_t kWordsToldAtOnce = std::size_t{1} << 18;
constexpr std::uint32_t kAll = ~std::uint32_t{0};
/// Giving back more than this, perhaps in very small pieces, is for the pool.
constexpr std::size_t kMostHeldWords = std::size_t{1} << 18;

Term exit_reason_of(Process& p) {
  if (p.pending == Process::Pending::Killed) return atoms::killed;
  const Unwinding* unwinding = p.known_unwinding();
  if (unwinding == nullptr || unwinding->exit_reason.is_none()) return atoms::normal;
  return unwinding->exit_reason;
}

/// What is told where a copy of the reason, which may be as large as a heap, has no room: the same
/// without its trace, or that a limit was reached.
class ShortReason : TermAlloc {
 public:
  explicit ShortReason(Term reason) {
    hp = words_;
    limit = words_ + 3;
    if (!is_tuple(reason) || tuple_size(reason) != 2) return;
    const Term raised = tuple_at(reason, 0);
    if (raised.is_immediate()) term_ = tuple(raised, Term::nil_list());
  }
  Term term() const { return term_; }

 private:
  Word words_[3];
  Term term_ = atoms::system_limit;
};

void tell(Process& p, Term whom, SignalKind kind, Term reason, Word reference, std::size_t room) {
  if (!whom.is_local_pid()) return;
  Process* other = p.vm().processes().find(whom);
  if (other == nullptr) return;
  if (!reason.is_pointer()) {
    post_due_signal(p.local(), *other, kind, reason, p.self(), reference, room);
    return;
  }
  Signal* signal = nullptr;
  try {
    signal = make_signal(p.vm(), kind, reason, p.self(), reference, room);
  } catch (const std::bad_alloc&) {
    // Who ends has not given back what it holds, so that waiting may be in vain.
    const ShortReason shorter(reason);
    post_due_signal(p.local(), *other, kind, shorter.term(), p.self(), reference, room);
    return;
  }
  p.post(*other, signal);
}

/// Answers up to `most` signals. How many it answered; `oldest` is what is left of them.
std::uint32_t answer(Process& p, Signal*& oldest, std::uint32_t most) {
  std::uint32_t count = 0;
  for (; oldest != nullptr && count < most; ++count) {
    Signal* next = as_signal(oldest->next);
    p.take_last_relation(oldest);
    oldest = next;
  }
  return count;
}

/// Nothing comes in any more.
void close_queue(Process& p) {
  Signal* newest = close_signals(p);
  if (newest == nullptr) return;
  if (SignalBacklog* backlog = backlog_of(p)) {
    backlog->add_newer(newest);
  } else {
    Signal* oldest = nullptr;
    turn_around(newest, oldest, kAll);
    answer(p, oldest, kAll);
  }
}

/// Signals that arrived are not handled any more, but a link or monitor among them wants an answer:
/// who links or monitors behind what ends it finds nobody, and as in Erlang that is :noproc. True:
/// all have theirs.
bool answer_last_signals(Process& p) {
  if (!p.has_backlog()) return true;
  SignalBacklog& backlog = *p.extra_record->backlog;
  if (Signal* oldest = backlog.take()) {
    const std::uint32_t answered = answer(p, oldest, kToldAtOnce);
    backlog.give_back(oldest, answered);
  }
  if (!backlog.is_empty()) return false;
  p.extra_record->backlog.reset();
  return true;
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

/// What each of those who are told gets a copy of, `kMostWalk` at most.
std::size_t words_told(Process& p) {
  const ProcessExtra* x = p.extra_record;
  const Term reason = exit_reason_of(p);
  if (x == nullptr || !reason.is_pointer() || (x->links.empty() && x->watchers.empty())) return 0;
  return term_words(reason, p.vm().copy_options(), kMostWalk);
}

std::uint32_t told_at_once(std::size_t words) {
  if (words == 0) return kToldAtOnce;
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(kWordsToldAtOnce / words, kToldHugeAtOnce, kToldAtOnce));
}

/// Gives the next messages back. True: there are none left.
bool drop_messages(Process& p) {
  for (std::uint32_t i = 0; i < kToldAtOnce && p.first_message != nullptr; ++i) {
    Signal* message = as_signal(p.first_message);
    p.first_message = message->next;
    drop_signal(message);
  }
  return p.first_message == nullptr;
}

/// Whether giving back what it has may take some milliseconds: binaries go one by one, large ones
/// to the system.
bool holds_much(const Process& p) {
  const ProcessExtra* x = p.extra_record;
  const std::size_t bytes = p.outside_bytes() + (x != nullptr ? x->bytes() : 0);
  return p.held_words() + bytes / sizeof(Word) > kMostHeldWords;
}

/// A step of the end, as much as a slice may do. True: it was the last.
bool take_leave(Process& p, std::uint32_t told_at_once) {
  if (!answer_last_signals(p)) return false;
  if (p.has_mailbox_limit) release_blocked(p);
  return tell_others(p, told_at_once) && drop_messages(p);
}

/// Its end goes on on the pool.
void leave_for_pool(Process& p) {
  p.pending = Process::Pending::Pool;
  p.vm().schedulers().make_runnable(p.local(), p);
}

}  // namespace

void Vm::kill_for_memory(Process& p) {
  const std::size_t held = weigh(p);
  delete p.native_state;
  p.native_state = nullptr;
  p.release_all();
  p.value = Term::small(0);
  if (ProcessExtra* x = p.extra_record) {
    // Terms of the heap that is gone.
    x->label = Term::none();
    x->unwinding.reset();
  }
  p.pending = Process::Pending::Killed;
  report_no_memory(p, held);
}

/// How the main process ended, for whoever waits for that.
void Vm::note_main_end(Process& p, Term reason) {
  const Unwinding* x = p.known_unwinding();
  main_end.raised = reason != atoms::normal;
  try {
    if (x != nullptr && !x->exit_class.is_none()) {
      main_end.report = crash_text(p, x->exit_class, x->exception_reason, x->exit_trace);
    } else if (main_end.raised) {
      main_end.report = crash_text(p, atoms::exit, reason, Term::nil_list());
    } else if (encode_main_value) {
      encode_value(main_end.value, p.value);
    }
  } catch (const std::bad_alloc&) {
    main_end.raised = true;
    main_end.value.clear();
    main_end.report = "no memory";  // So short that it wants none.
  }
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
  if (is_main) note_main_end(p, reason);
  names_->close(p);
  close_queue(p);
  processes_->remove(p, here.free_places);
  schedulers_->timers_for(here).drop_some_of_ended(*processes_);
  if (!is_main) {
    go_on_ending(p);
    return;
  }
  while (!take_leave(p, kToldAtOnce)) continue;
  bury(p);
  main_end.over.store(true, std::memory_order_release);
  notify();
}

void Vm::go_on_ending(Process& p) {
  // Who was on the way there has not got a thread.
  const bool may_leave =
      p.local().is_scheduler && schedulers_->has_pool() && p.pending != Process::Pending::Pool;
  const std::size_t words = words_told(p);
  // A copy takes some milliseconds.
  if (words >= kMostWalk && may_leave) {
    leave_for_pool(p);
    return;
  }
  while (!take_leave(p, told_at_once(words))) {
    // Where memory is short it cannot wait for those who have their turn in between.
    if (memory_->is_tight()) continue;
    schedulers_->make_runnable(p.local(), p);
    return;
  }
  if (may_leave && holds_much(p) && !memory_->is_tight()) {
    leave_for_pool(p);
    return;
  }
  bury(p);
}

/// Everything that it had goes back, and its record when nobody can look at it any more.
void Vm::bury(Process& p) {
  SchedulerLocal& here = p.local();
  const bool is_noted = p.extra_record != nullptr && p.extra_record->noted_bytes != 0;
  release_process(p);
  if (QUELEA_UNLIKELY(is_noted)) memory_->forget(here.memory, p);
  epochs_.retire(here.epoch, p);
}

void Process::take_last_relation(Signal* signal) {
  Process* from = signal->from().is_local_pid() ? vm().processes().find(signal->from()) : nullptr;
  switch (signal->kind()) {
    case SignalKind::Link:
      if (extra_record != nullptr && extra_record->links.find(signal->from().bits) != nullptr)
        break;
      if (from == nullptr) break;
      post_due_signal(local(), *from, SignalKind::LinkExit, atoms::noproc, self());
      break;
    case SignalKind::Unlink:
      if (extra_record != nullptr) note_unlink(*extra_record, signal->from(), signal->reference());
      break;
    case SignalKind::Monitor:
      if (from == nullptr) break;
      post_due_signal(local(), *from, SignalKind::Down, atoms::noproc, self(), signal->reference());
      break;
    case SignalKind::Demonitor:
      if (extra_record != nullptr) extra_record->watchers.erase(signal->reference());
      break;
    case SignalKind::Blocked:
      unblock(*this, signal->from());
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
