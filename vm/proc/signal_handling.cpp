// What arrives takes effect: signals are handled by their receiver, in the order of each sender.
#include <new>
#include <utility>

#include "vm/native/native.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal_builder.h"
#include "vm/proc/timers.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

/// The message that a signal becomes: what `build` makes, at most `words` words of it, in the
/// signal's own memory where that was made with room for them. Nothing else is copied, however
/// large it is.
template <class Build>
Signal* message_of(Signal* signal, std::size_t words, Build build) {
  const bool has_room = signal->free >= words;
  Signal* const message =
      has_room ? signal : make_empty_signal(SignalKind::Notice, words, Term::none(), 0);
  TermAlloc room;
  room.hp = message->top();
  room.limit = message->limit();
  message->term = build(room);
  message->set_top(room.hp);
  message->set_kind(SignalKind::Notice);
  if (!has_room) take_memory(message, signal);
  return message;
}

/// The entry of a reference, or null.
OwnReference* reference_of(Process& p, Word number) {
  return p.extra_record == nullptr ? nullptr : p.extra_record->references.find(number);
}

/// Whether an alias takes what was sent with priority before the others.
bool takes_priority(const OwnReference& alias) { return alias.target.is_none() && alias.priority; }

/// Whether an exit signal means this process: the link or the alias that it comes by is there. A
/// link is used up. `first`: its message goes before the others.
bool is_meant(Process& p, const Signal& signal, bool& first) {
  if (signal.kind() == SignalKind::Exit) return true;
  if (signal.kind() == SignalKind::LinkExit) {
    LinkEnd* end =
        p.extra_record != nullptr ? p.extra_record->links.find(signal.from().bits) : nullptr;
    if (end == nullptr) return false;
    first = end->priority;
    p.extra_record->links.erase(signal.from().bits);
    return true;
  }
  const OwnReference* alias = reference_of(p, signal.reference());
  if (alias == nullptr || alias->alias == AliasUse::None) return false;
  first = signal.kind() == SignalKind::PriorityExit && takes_priority(*alias);
  return true;
}

void deliver(Process& p, Signal* message, bool first) {
  if (first) {
    deliver_first(p, message);
  } else {
    deliver(p, message);
  }
}

/// An exit signal takes effect and is used up. True: the process goes on.
bool receive_exit(Process& p, Signal* signal) {
  const Term reason = signal->term;
  const Term from = signal->from();
  bool first = false;
  if (!is_meant(p, *signal, first)) {
    drop_signal(signal);
    return true;
  }
  const bool kills = reason == atoms::kill && signal->kind() != SignalKind::LinkExit;
  if (!kills && p.has_flag(Process::kTrapExit)) {
    Signal* message = message_of(signal, kExitMessageWords, [&](TermAlloc& to) {
      return to.tuple(atoms::EXIT, from, reason);
    });
    deliver(p, message, first);
    return true;
  }
  // What a process says to itself by an alias counts as what others say.
  const bool is_own = from == p.self() && signal->kind() == SignalKind::Exit;
  if (reason == atoms::normal && !is_own) {
    drop_signal(signal);
    return true;
  }
  // What may throw comes first: then the signal is still there to be answered.
  p.exit_with(kills ? atoms::killed : reason);
  if (kills || reason.is_immediate()) {
    drop_signal(signal);
    return false;
  }
  // It may be huge: its memory becomes the process's, as that of a message does.
  p.old();
  adopt_signal(p, signal, true);
  return false;
}

/// A monitor fires, if it is there; the signal is used up.
void receive_down(Process& p, Signal* signal) {
  const Word number = signal->reference();
  OwnReference* monitor = reference_of(p, number);
  if (monitor == nullptr || monitor->target.is_none()) {
    drop_signal(signal);
    return;
  }
  if (monitor->priority) keep_places(p);
  const Term tag = monitor->tagged ? p.extra_record->tags->at(number)->term : atoms::DOWN;
  const Term reason = signal->term;
  Signal* message = message_of(signal, kDownMessageWords, [&](TermAlloc& to) {
    const Term ref = make_ref(to, number, p.self().bits);
    Term object = monitor->target;
    if (monitor->name.is_atom()) object = to.tuple(monitor->name, local_node(p.vm()));
    return to.tuple(tag, ref, atoms::process, object, reason);
  });
  if (std::exchange(monitor->tagged, false)) {
    take_memory(message, take_tag(*p.extra_record, number));
  }
  deliver(p, message, monitor->priority);
  end_monitor(p, *monitor);
}

/// A message for an alias: for the mailbox, if that is one.
void receive_by_alias(Process& p, Signal* signal) {
  OwnReference* alias = reference_of(p, signal->reference());
  if (alias == nullptr || alias->alias == AliasUse::None) {
    if (p.has_mailbox_limit) message_left(p);
    drop_signal(signal);
    return;
  }
  const bool first = signal->kind() == SignalKind::PriorityMessage && takes_priority(*alias);
  if (first) keep_places(p);
  if (alias->alias == AliasUse::Reply) {
    // The answer came: the alias is over, and so is the monitor that it belongs to.
    if (alias->target.is_none()) {
      p.extra_record->references.erase(alias->key);
    } else {
      take_monitor_away(p, *alias);
    }
  }
  signal->set_kind(SignalKind::Message);
  deliver(p, signal, first);
}

void receive_monitor(ProcessExtra& x, const Signal& signal) {
  if (x.watchers.find(signal.reference()) == nullptr) {
    x.watchers.insert({signal.reference(), signal.from()});
  }
}

/// What became of the process by a signal. Enough: it goes on, but the signal was so much work that
/// the next one is for a later slice.
enum class Effect { GoesOn, Enough, Ends };

/// The signal is used up unless it is a message. Throws only before it has changed anything that
/// others know of; the signal is as it was then.
Effect receive_signal(Process& p, Signal* signal) {
  Effect effect = Effect::GoesOn;
  switch (signal->kind()) {
    case SignalKind::Message:
    case SignalKind::Notice:
      deliver(p, signal);
      return Effect::GoesOn;
    case SignalKind::AliasMessage:
    case SignalKind::PriorityMessage:
      receive_by_alias(p, signal);
      return Effect::GoesOn;
    case SignalKind::Exit:
    case SignalKind::AliasExit:
    case SignalKind::PriorityExit:
    case SignalKind::LinkExit:
      return receive_exit(p, signal) ? Effect::GoesOn : Effect::Ends;
    case SignalKind::Link:
      note_link(p.extra(), signal->from(), static_cast<std::uint32_t>(signal->reference()));
      break;
    case SignalKind::Unlink:
      if (p.extra_record != nullptr)
        note_unlink(*p.extra_record, signal->from(), signal->reference());
      break;
    case SignalKind::Monitor:
      receive_monitor(p.extra(), *signal);
      break;
    case SignalKind::Demonitor:
      if (p.extra_record != nullptr) p.extra_record->watchers.erase(signal->reference());
      break;
    case SignalKind::Down:
      receive_down(p, signal);
      return Effect::GoesOn;
    case SignalKind::Blocked:
      note_blocked(p, signal->from());
      break;
    case SignalKind::Unblocked:
      if (--p.extra().blocked_sends == 0) p.set_flag_bit(Process::kBlocked, false);
      break;
    case SignalKind::MailboxFull:
      p.exit_with(atoms::mailbox_full);
      report_full_mailbox(p);
      drop_signal(signal);
      return Effect::Ends;
    case SignalKind::MemoryFull:
      p.pending = Process::Pending::Killed;
      report_memory_limit(p);
      drop_signal(signal);
      return Effect::Ends;
    case SignalKind::Look:
      answer_look(p, *signal, true);
      if (p.reductions <= 0) effect = Effect::Enough;
      break;
    case SignalKind::LookAnswer:
      if (take_look_answer(p, signal)) return Effect::GoesOn;
      break;
    case SignalKind::GroupLeader:
      p.extra().group_leader = signal->term;
      break;
    case SignalKind::Timeout:
      if (p.receive_timer == signal->reference()) {
        p.receive_timer = 0;
        p.set_flag_bit(Process::kTimedOut, true);
      }
      break;
    case SignalKind::Wake:
      break;
  }
  drop_signal(signal);
  return effect;
}

/// The signals whose turn it is, oldest first; no more than `most` of them are to take effect now.
struct Batch {
  Signal* oldest = nullptr;
  std::uint32_t most = kSignalsAtOnce;
  bool from_backlog = false;
};

/// The queue held more than a slice may handle: it becomes a backlog, of which `oldest` was turned
/// around already. Where there is no memory for that, all goes in one go.
[[gnu::cold, gnu::noinline]] Batch keep_backlog(Process& p, Signal* oldest, Signal* rest) {
  if (SignalBacklog* const backlog = backlog_of(p)) {
    try {
      // The queue is not empty while there is a backlog.
      p.post(p, make_signal(p.vm(), SignalKind::Wake, Term::none(), p.self()));
      backlog->keep(oldest, kSignalsAtOnce, rest);
      return {nullptr, 0, true};
    } catch (const std::bad_alloc&) {
      p.extra_record->backlog.reset();
    }
  }
  turn_around(rest, oldest, ~std::uint32_t{0});
  return {oldest, ~std::uint32_t{0}, false};
}

/// Takes no more of a batch: what is left of it becomes the backlog. Where there is no memory for
/// one, all goes in one go.
[[gnu::cold, gnu::noinline]] void cut_short(Process& p, Batch& batch) {
  if (batch.oldest == nullptr) return;
  SignalBacklog* const backlog = backlog_of(p);
  if (backlog == nullptr) return;
  try {
    p.post(p, make_signal(p.vm(), SignalKind::Wake, Term::none(), p.self()));
  } catch (const std::bad_alloc&) {
    p.extra_record->backlog.reset();
    return;
  }
  std::uint32_t count = 0;
  for (Signal* at = batch.oldest; at != nullptr; at = as_signal(at->next)) ++count;
  backlog->keep(batch.oldest, count, nullptr);
  batch = {nullptr, 0, false};
}

[[gnu::cold, gnu::noinline]] Batch batch_of_backlog(Process& p) {
  SignalBacklog& backlog = *p.extra_record->backlog;
  Signal* const oldest = backlog.take();
  return {oldest, backlog.share(), true};
}

[[gnu::cold, gnu::noinline]] void return_to_backlog(Process& p, Signal* rest, std::uint32_t used) {
  auto& backlog = p.extra_record->backlog;
  if (used != 0) backlog->give_back(rest, used);
  if (backlog->is_empty()) backlog.reset();
}

Batch next_batch(Process& p) {
  if (QUELEA_UNLIKELY(p.has_backlog())) return batch_of_backlog(p);
  // Pairs with the release of `post_signal`, and with what `Process::is_alive` acquires.
  Signal* newest = p.outer.exchange(nullptr, std::memory_order_acq_rel);
  Signal* oldest = nullptr;
  turn_around(newest, oldest, kSignalsAtOnce);
  if (QUELEA_UNLIKELY(newest != nullptr)) return keep_backlog(p, oldest, newest);
  return {oldest};
}

}  // namespace

Handled Process::handle_signals() {
  state.store(ProcessState::Handling, std::memory_order_relaxed);
  Batch batch = next_batch(*this);
  const bool looks_at_nothing = *scan_link == nullptr;
  if (has_mailbox_limit) note_fetched(*this, looks_at_nothing ? nullptr : *scan_link);
  Effect effect = Effect::GoesOn;
  std::uint32_t used = 0;
  for (; batch.oldest != nullptr && used != batch.most; ++used) {
    Signal* const signal = batch.oldest;
    batch.oldest = as_signal(signal->next);
    if (effect == Effect::Ends) {
      take_last_relation(signal);
      continue;
    }
    try {
      effect = receive_signal(*this, signal);
    } catch (const std::bad_alloc&) {
      // It ends of that, and is asked by all others what they want of one who ends.
      effect = Effect::Ends;
      pending = Pending::Killed;
      report_no_memory(*this, weigh(*this));
      take_last_relation(signal);
    }
    if (QUELEA_UNLIKELY(effect == Effect::Enough)) {
      if (batch.from_backlog) {
        batch.most = used + 1;
      } else {
        cut_short(*this, batch);
      }
    }
  }
  charge(used / kSignalsPerReduction);
  if (QUELEA_UNLIKELY(batch.from_backlog)) return_to_backlog(*this, batch.oldest, used);
  if (looks_at_nothing && has_flag(kKeepsPlaces)) go_back_to_priority(*this);
  if (effect == Effect::Ends) return Handled::Exits;
  state.store(ProcessState::Running, std::memory_order_release);
  return QUELEA_UNLIKELY(batch.from_backlog || has_backlog()) ? Handled::Some : Handled::All;
}

bool Process::arrivals_took_effect() {
  if (native_state != nullptr) {
    delete native_state;
    native_state = nullptr;
    return true;
  }
  const Handled handled = handle_signals();
  if (handled != Handled::Some) return handled == Handled::All;
  native_state = new NativeState;
  again();
  return false;
}

}  // namespace quelea
