// Links, monitors, aliases, names, exit signals and sending: what a process does to others, and
// what theirs do to it.
//
// Nobody changes another process: all goes through signals, handled in `handle_signals` by the
// receiver. Each pair of `link` and `Link`, `monitor` and `Monitor` is one end of a relation: the
// caller notes its end at once, the other side when the signal arrives, and what is between them is
// right at both ends because signals keep their order.
#include <algorithm>
#include <vector>

#include "vm/code/code_registry.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/timers.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"

namespace quelea {

// Sending
// -------------------------------------------------------------------------------------------

Term Process::send(Term dest, Term message) {
  Process* target = nullptr;
  SignalKind kind = SignalKind::Message;
  Word number = 0;
  if (QUELEA_LIKELY(dest.is_local_pid())) {
    target = vm().processes().find(dest);
  } else if (dest.is_atom()) {
    target = vm().names().find(dest);
    if (target == nullptr) return badarg();
  } else if (dest.is_kind(Kind::Ref)) {
    const Term owner{ref_owner(dest)};
    if (!owner.is_local_pid()) return message;
    target = vm().processes().find(owner);
    kind = SignalKind::AliasMessage;
    number = ref_number(dest);
  } else if (is_tuple(dest) && tuple_size(dest) == 2 && tuple_at(dest, 0).is_atom() &&
             tuple_at(dest, 1).is_atom()) {
    // Only this node is known; what is sent to others is lost, as on a broken connection.
    const Term here = vm().node().name;
    const Term node = tuple_at(dest, 1);
    if (node == here || (here.is_none() && vm().atoms().text(node) == "nonode@nohost")) {
      target = vm().names().find(tuple_at(dest, 0));
    }
  } else if (!dest.is_kind(Kind::ExternalPid) && !dest.is_kind(Kind::ExternalRef)) {
    return badarg();
  }
  if (target == nullptr || !admit_message(this, *target)) return message;
  Signal* signal = make_signal(vm(), kind, message, self(), number);
  charge(static_cast<std::int64_t>(1 + signal->used_words() / 16));
  post_signal(*target, signal);
  if (QUELEA_UNLIKELY(target->has_mailbox_limit)) wait_for_room(*this, *target);
  return message;
}

// Links
// ---------------------------------------------------------------------------------------------

Term Process::link(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  if (pid == self()) return atoms::true_;
  Process* target = vm().processes().find(pid);
  if (target == nullptr) {
    if (!has_flag(kTrapExit)) return raise_error(atoms::noproc);
    extra().links.insert(pid.bits);
    post_signal(*this, make_signal(vm(), SignalKind::LinkExit, atoms::noproc, pid));
    return atoms::true_;
  }
  if (extra().links.insert(pid.bits).second) {
    post_signal(*target, make_signal(vm(), SignalKind::Link, Term::none(), self()));
  }
  return atoms::true_;
}

Term Process::unlink(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  if (extra_record != nullptr && extra_record->links.erase(pid.bits) != 0) {
    if (Process* target = vm().processes().find(pid)) {
      post_signal(*target, make_signal(vm(), SignalKind::Unlink, Term::none(), self()));
    }
  }
  return atoms::true_;
}

// Monitors and aliases
// ------------------------------------------------------------------------------

namespace {

Term start_monitor(Process& p, Term target_term, bool is_alias) {
  Vm& vm = p.vm();
  Term name = Term::none();
  if (is_tuple(target_term) && tuple_size(target_term) == 2 && tuple_at(target_term, 0).is_atom() &&
      vm.atoms().text(tuple_at(target_term, 1).is_atom() ? tuple_at(target_term, 1) : atoms::nil) ==
          "nonode@nohost") {
    target_term = tuple_at(target_term, 0);
  }
  Process* target = nullptr;
  if (target_term.is_atom()) {
    name = target_term;
    target = vm.names().find(name);
  } else if (target_term.is_local_pid()) {
    target = vm.processes().find(target_term);
  } else {
    return p.badarg();
  }
  const Word number = vm.next_ref_number();
  const Term ref = make_ref(p, number, p.self().bits);
  note_new_reference(p, number);
  if (is_alias) p.extra().aliases.insert(number);
  const Term watched = target != nullptr ? target->self() : target_term;
  p.extra().monitors.emplace(number, OwnMonitor{watched, name, is_alias});
  if (target == nullptr) {
    post_signal(p, make_signal(vm, SignalKind::Down, atoms::noproc, watched, number));
  } else if (target != &p) {
    post_signal(*target, make_signal(vm, SignalKind::Monitor, name, p.self(), number));
  }
  return ref;
}

/// Takes the DOWN message of a monitor out of the mailbox.
bool flush_down(Process& p, Word number) {
  for (Fragment** link = &p.first_message; *link != nullptr; link = &(*link)->next) {
    Signal* message = as_signal(*link);
    const Term term = message->term;
    if (!is_tuple(term) || tuple_size(term) != 5 || tuple_at(term, 0) != atoms::DOWN) continue;
    const Term ref = tuple_at(term, 1);
    if (!ref.is_kind(Kind::Ref) || ref_number(ref) != number) continue;
    drop_signal(unlink_message(p, link));
    return true;
  }
  return false;
}

}  // namespace

Term Process::monitor(Term pid_or_name) { return start_monitor(*this, pid_or_name, false); }
Term Process::monitor_alias(Term pid_or_name) { return start_monitor(*this, pid_or_name, true); }

Term Process::demonitor(Term ref, bool flush) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  const Word number = ref_number(ref);
  bool existed = false;
  if (extra_record != nullptr) {
    auto found = extra_record->monitors.find(number);
    if (found != extra_record->monitors.end()) {
      existed = true;
      if (found->second.target.is_local_pid()) {
        if (Process* target = vm().processes().find(found->second.target)) {
          post_signal(*target,
                      make_signal(vm(), SignalKind::Demonitor, Term::none(), self(), number));
        }
      }
      extra_record->monitors.erase(found);
    }
    extra_record->aliases.erase(number);
  }
  if (!flush) return atoms::true_;
  if (!existed) {
    // It fired: its message is here, or among what has not been looked at.
    if (outer.load(std::memory_order_relaxed) != nullptr) handle_signals();
    flush_down(*this, number);
  }
  return make_bool(existed);
}

Term Process::alias() {
  const Word number = vm().next_ref_number();
  note_new_reference(*this, number);
  extra().aliases.insert(number);
  return make_ref(*this, number, self().bits);
}

Term Process::unalias(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  return make_bool(extra_record != nullptr && extra_record->aliases.erase(ref_number(ref)) != 0);
}

Term Process::make_reference() {
  const Word number = vm().next_ref_number();
  note_new_reference(*this, number);
  return make_ref(*this, number, 0);
}

// Exit signals
// --------------------------------------------------------------------------------------

Term Process::exit_signal(Term pid, Term reason) {
  if (!pid.is_local_pid()) return badarg();
  if (Process* target = vm().processes().find(pid)) {
    post_signal(*target, make_signal(vm(), SignalKind::Exit, reason, self()));
    // One's own takes effect at the next safe point.
    if (target == this) interrupt_slice();
  }
  return atoms::true_;
}

// Names
// ---------------------------------------------------------------------------------------------

Term Process::register_name(Term name, Term pid) {
  if (!name.is_atom() || name == atoms::undefined || name == atoms::nil || !pid.is_local_pid()) {
    return badarg();
  }
  Process* target = vm().processes().find(pid);
  if (target == nullptr || vm().names().find(name) != nullptr) return badarg();
  if (target->extra().name.is_atom()) return badarg();
  vm().names().add(name, *target);
  target->extra().name = name;
  return atoms::true_;
}

Term Process::unregister_name(Term name) {
  if (!name.is_atom()) return badarg();
  Process* target = vm().names().find(name);
  if (target == nullptr) return badarg();
  vm().names().remove(name);
  target->extra().name = Term::none();
  return atoms::true_;
}

Term Process::whereis(Term name) {
  if (!name.is_atom()) return badarg();
  Process* target = vm().names().find(name);
  return target != nullptr ? target->self() : atoms::nil;
}

Term Process::registered() {
  Term list = Term::nil_list();
  vm().names().for_each([&](Term name, Process&) { list = cons(name, list); });
  return list;
}

Term Process::all_processes() {
  Term list = Term::nil_list();
  vm().processes().for_each([&](Process& process) { list = cons(process.self(), list); });
  return list;
}

Term Process::is_alive(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  return make_bool(vm().processes().find(pid) != nullptr);
}

// Receiving signals
// ---------------------------------------------------------------------------------

namespace {

/// Appends `(:tag, …)` that was built from parts of a signal.
void deliver_tuple(Process& p, Term tuple) {
  deliver(p, make_signal(p.vm(), SignalKind::Message, tuple, Term::none()));
}

/// A buffer for a few words that are copied at once.
struct Scratch : TermAlloc {
  explicit Scratch(std::size_t words) : memory(words) {
    hp = memory.data();
    limit = hp + words;
  }
  std::vector<Word> memory;
};

/// An exit signal takes effect. True: the process goes on.
bool receive_exit(Process& p, Signal* signal, bool by_link) {
  const Term reason = signal->term;
  if (by_link) {
    if (p.extra_record == nullptr || p.extra_record->links.erase(signal->from.bits) == 0)
      return true;
  } else if (reason == atoms::kill) {
    p.exit_with(atoms::killed);
    return false;
  }
  if (p.has_flag(Process::kTrapExit)) {
    Scratch scratch(4);
    deliver_tuple(p, scratch.tuple(atoms::EXIT, signal->from, reason));
    return true;
  }
  if (reason == atoms::normal && signal->from != p.self()) return true;
  p.exit_with(p.import(reason));
  return false;
}

void receive_down(Process& p, Signal* signal) {
  if (p.extra_record == nullptr) return;
  auto found = p.extra_record->monitors.find(signal->reference);
  if (found == p.extra_record->monitors.end()) return;
  const OwnMonitor monitor = found->second;
  p.extra_record->monitors.erase(found);
  if (monitor.is_alias) p.extra_record->aliases.erase(signal->reference);
  Scratch scratch(16);
  const Term ref = make_ref(scratch, signal->reference, p.self().bits);
  Term object = monitor.target;
  if (monitor.name.is_atom()) {
    Term node = p.vm().node().name;
    if (node.is_none()) node = p.vm().atoms().intern("nonode@nohost");
    object = scratch.tuple(monitor.name, node);
  }
  deliver_tuple(p, scratch.tuple(atoms::DOWN, ref, atoms::process, object, signal->term));
}

/// True: the process goes on. The signal is used up unless it is a message.
bool receive_signal(Process& p, Signal* signal) {
  switch (signal->kind) {
    case SignalKind::Message:
      deliver(p, signal);
      return true;
    case SignalKind::AliasMessage: {
      if (p.extra_record == nullptr || p.extra_record->aliases.count(signal->reference) == 0) {
        if (p.has_mailbox_limit) message_left(p);
        break;
      }
      auto monitor = p.extra_record->monitors.find(signal->reference);
      if (monitor != p.extra_record->monitors.end() && monitor->second.is_alias) {
        p.extra_record->aliases.erase(signal->reference);
      }
      signal->kind = SignalKind::Message;
      deliver(p, signal);
      return true;
    }
    case SignalKind::Exit:
    case SignalKind::LinkExit: {
      const bool goes_on = receive_exit(p, signal, signal->kind == SignalKind::LinkExit);
      drop_signal(signal);
      return goes_on;
    }
    case SignalKind::Link:
      p.extra().links.insert(signal->from.bits);
      break;
    case SignalKind::Unlink:
      if (p.extra_record != nullptr) p.extra_record->links.erase(signal->from.bits);
      break;
    case SignalKind::Monitor:
      p.extra().watchers.emplace(signal->reference,
                                 ProcessExtra::Watcher{signal->from, signal->term});
      break;
    case SignalKind::Demonitor:
      if (p.extra_record != nullptr) p.extra_record->watchers.erase(signal->reference);
      break;
    case SignalKind::Down:
      receive_down(p, signal);
      break;
    case SignalKind::Blocked:
      note_blocked(p, signal->from);
      break;
    case SignalKind::Unblocked:
      if (--p.extra().blocked_sends == 0) p.set_flag_bit(Process::kBlocked, false);
      break;
    case SignalKind::MailboxFull:
      drop_signal(signal);
      report_full_mailbox(p);
      p.exit_with(atoms::mailbox_full);
      return false;
    case SignalKind::Wake:
      break;
  }
  drop_signal(signal);
  return true;
}

}  // namespace

bool Process::handle_signals() {
  // Pairs with the release of `post_signal`. What came last is first: turn it around.
  Signal* newest = outer.exchange(nullptr, std::memory_order_acquire);
  Signal* oldest = nullptr;
  while (newest != nullptr) {
    Signal* next = static_cast<Signal*>(newest->next);
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  bool goes_on = true;
  while (oldest != nullptr) {
    Signal* next = static_cast<Signal*>(oldest->next);
    if (goes_on) {
      goes_on = receive_signal(*this, oldest);
    } else {
      take_last_relation(oldest);
    }
    oldest = next;
  }
  return goes_on;
}

Term Process::import_in_native(Term term) { return copy_term(*this, term, vm().copy_options()); }

Term Process::import(Term term) {
  // Outside of a native there is no room in the block that could be relied on.
  const bool inside = in_fragment();
  Word* const saved_limit = limit;
  if (!inside) limit = hp;
  const Term copy = copy_term(*this, term, vm().copy_options());
  if (!inside) {
    if (in_fragment()) leave_fragment();
    limit = saved_limit;
  }
  return copy;
}

}  // namespace quelea
