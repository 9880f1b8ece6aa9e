// Links, exit signals, names and sending: what a process does to others. Monitors and aliases are
// in vm/proc/monitors.cpp, what arrives in vm/proc/signal_handling.cpp.
//
// Nobody changes another process: all goes through signals. A relation has two ends, each kept by
// its own process: the caller notes its end at once, the other side when the signal arrives.
//
// Links are symmetric, which makes them the hard case: both sides may link and unlink at once, and
// the signals cross. The ends must agree when all has arrived, without anybody waiting for anybody.
//
// The protocol. A link between A and B is two halves, one for each side's call of `link`; it exists
// while there is a half. Each call that makes a half draws a number, new among all calls of its
// process. An end is {own, peer}: the number of the own call that stands, and that of the other
// side's, as far as it is known here; 0 where there is none. With both 0 there is no entry.
//
//   A calls link(B)    nothing where there is an entry; else own := n, and `Link n` is sent.
//   `Link n` arrives   peer := n.
//   A calls unlink(B)  the entry goes, and `Unlink own, peer` is sent; nothing without an entry.
//   `Unlink x, y` arrives   peer := 0 if peer = x; own := 0 if own = y.
//   A ends             `LinkExit` is sent for each entry.
//   `LinkExit` arrives without an entry it is ignored; else the entry goes and the exit counts.
//
// Why both ends agree once all signals have arrived: take the half of A's calls, `own` at A and
// `peer` at B. Signals from A to B keep their order.
//   - A holds own = n in the end. Then `Link n` was sent, and no `Unlink n, _` behind it, so that B
//     got peer = n last of all from A. B cleared it only in a call of unlink, which sends
//     `Unlink _, n` to A; that would have cleared own = n there. So B holds peer = n.
//   - A holds own = 0 in the end. Either A never linked, and B got nothing; or its last half n was
//     cleared by A's unlink, whose `Unlink n, _` cleared peer = n at B unless it was gone; or by an
//     `Unlink _, n` from B, which had cleared its peer = n when it sent that. B holds 0.
// The numbers are what makes the last argument right when A has linked anew meanwhile: an `Unlink`
// ends what its sender had seen, not what was made after that.
//
// Exits. After `unlink` returned no entry is left, so that an exit on its way changes nothing: that
// is the guarantee of `unlink`, as in Erlang (a message (:EXIT, …) that is already in the mailbox
// stays). A process that is not there any more answers no signal: `find` does not give it, or its
// queue is closed (`post` says so), and who links to it has the exit :noproc at once. Between these
// two, signals that lie in the queue of one that ends are looked through by it (vm/proc/exit.cpp).
#include <algorithm>
#include <new>

#include "vm/code/code_registry.h"
#include "vm/native/native.h"
#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/vm.h"
#include "vm/term/copy.h"
#include "vm/term/work.h"

namespace quelea {

// Sending
// -------------------------------------------------------------------------------------------

bool is_huge_message(const Process& p, Term message) {
  return message.is_pointer() && !p.on_pool() &&
         term_words(message, p.vm().copy_options(), kMostWalk) >= kMostWalk;
}

Term Process::send(Term dest, Term message, bool priority) {
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
    kind = priority ? SignalKind::PriorityMessage : SignalKind::AliasMessage;
    number = ref_number(dest);
  } else if (is_tuple(dest) && tuple_size(dest) == 2 && tuple_at(dest, 0).is_atom() &&
             tuple_at(dest, 1).is_atom()) {
    // Only this node is known; what is sent to others is lost, as on a broken connection.
    if (is_local_node(vm(), tuple_at(dest, 1))) target = vm().names().find(tuple_at(dest, 0));
  } else if (!dest.is_kind(Kind::ExternalPid) && !dest.is_kind(Kind::ExternalRef)) {
    return badarg();
  }
  if (target == nullptr) return message;
  const std::size_t words = signal_words(vm(), message);
  if (QUELEA_UNLIKELY(words >= kSharingThreshold) && is_huge_message(*this, message)) {
    return to_pool();
  }
  if (!admit_message(local(), this, *target)) return message;
  Signal* signal = nullptr;
  try {
    signal = make_counted_signal(vm(), kind, message, words, self(), number);
  } catch (const std::bad_alloc&) {
    if (target->has_mailbox_limit) take_back_admission(*target);
    throw;
  }
  charge(static_cast<std::int64_t>(1 + signal->used_words() / 16));
  post(*target, signal);
  if (QUELEA_UNLIKELY(target->has_mailbox_limit)) wait_for_room(*this, *target);
  return message;
}

// Links
// ---------------------------------------------------------------------------------------------

Term Process::link(Term pid, bool priority) {
  if (!pid.is_local_pid()) return badarg();
  if (pid == self()) return atoms::true_;
  ProcessExtra& x = extra();
  if (LinkEnd* end = x.links.find(pid.bits)) {
    end->priority = priority;
    return atoms::true_;
  }
  const std::uint32_t number = next_link_number(x);
  OwnedSignal signal(make_signal(vm(), SignalKind::Link, Term::none(), self(), number));
  x.links.make_room();
  const LinkEnd end{pid.bits, number, priority, 0};
  Process* target = vm().processes().find(pid);
  if (target != nullptr && post(*target, signal.release())) {
    x.links.insert(end);
    return atoms::true_;
  }
  if (has_flag(kTrapExit)) {
    signal.reset(make_signal(vm(), SignalKind::LinkExit, atoms::noproc, pid));
    x.links.insert(end);
    post(*this, signal.release());
    return atoms::true_;
  }
  return raise_error(atoms::noproc);
}

Term Process::unlink(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  LinkEnd* end = extra_record != nullptr ? extra_record->links.find(pid.bits) : nullptr;
  if (end == nullptr) return atoms::true_;
  const Word numbers = Word{end->own} << 32 | end->peer;
  if (Process* target = vm().processes().find(pid)) {
    post(*target, make_signal(vm(), SignalKind::Unlink, Term::none(), self(), numbers));
  }
  extra_record->links.erase(pid.bits);
  return atoms::true_;
}

std::uint32_t next_link_number(ProcessExtra& x) {
  constexpr std::uint32_t kMost = (std::uint32_t{1} << 31) - 1;
  x.last_link_number = x.last_link_number % kMost + 1;
  return x.last_link_number;
}

void note_link(ProcessExtra& x, Term pid, std::uint32_t number) {
  if (LinkEnd* end = x.links.find(pid.bits)) {
    end->peer = number;
  } else {
    x.links.insert({pid.bits, 0, false, number});
  }
}

void note_unlink(ProcessExtra& x, Term pid, Word numbers) {
  LinkEnd* end = x.links.find(pid.bits);
  if (end == nullptr) return;
  if (end->peer == static_cast<std::uint32_t>(numbers >> 32)) end->peer = 0;
  if (end->own == static_cast<std::uint32_t>(numbers)) end->own = 0;
  if (end->own == 0 && end->peer == 0) x.links.erase(pid.bits);
}

Term Process::make_reference() {
  const Word number = next_reference_number();
  note_new_reference(*this, number);
  return make_ref(*this, number, 0);
}

// Exit signals
// --------------------------------------------------------------------------------------

Term Process::exit_signal(Term to, Term reason, bool priority) {
  if (native_state == nullptr && is_huge_message(*this, reason)) return to_pool();
  const auto send_exit = [&](Process& target, SignalKind kind, Word number) {
    Signal* signal = make_signal(vm(), kind, reason, self(), number, kExitMessageWords);
    charge(static_cast<std::int64_t>(signal->used_words() / 16));
    post(target, signal);
  };
  if (to.is_kind(Kind::Ref)) {
    const Term owner{ref_owner(to)};
    Process* target = owner.is_local_pid() ? vm().processes().find(owner) : nullptr;
    if (target == nullptr) return atoms::true_;
    // As in Erlang, one that comes back by an alias takes effect like all that others send.
    const SignalKind kind = priority ? SignalKind::PriorityExit : SignalKind::AliasExit;
    send_exit(*target, kind, ref_number(to));
    return atoms::true_;
  }
  if (!to.is_local_pid()) return badarg();
  Process* target = vm().processes().find(to);
  if (target == nullptr) return atoms::true_;
  const bool is_sent = native_state != nullptr;
  if (!is_sent) send_exit(*target, SignalKind::Exit, 0);
  // One's own takes effect before the call returns, behind all that came before it.
  return target != this || arrivals_took_effect() ? atoms::true_ : Term::none();
}

// Names, labels, group leaders
// ---------------------------------------------------------------------------------------------

Term group_leader_of(Process& p) {
  const Term own = p.extra_record != nullptr ? p.extra_record->group_leader : Term::none();
  if (!own.is_none()) return own;
  return p.vm().main_pid.is_none() ? p.self() : p.vm().main_pid;
}

Term Process::set_group_leader(Term pid, Term leader) {
  if (!pid.is_local_pid() || !leader.is_local_pid()) return badarg();
  if (pid == self()) {
    extra().group_leader = leader;
    return atoms::true_;
  }
  Process* target = vm().processes().find(pid);
  if (target == nullptr ||
      !post(*target, make_signal(vm(), SignalKind::GroupLeader, leader, self()))) {
    return badarg();
  }
  return atoms::true_;
}

Term Process::set_label(Term label) {
  extra().label = label;
  return atoms::ok;
}

Term local_node(Vm& vm) {
  const Term name = vm.node().name;
  return name.is_none() ? vm.atoms().intern("nonode@nohost", AtomOf::Machine) : name;
}

bool is_local_node(Vm& vm, Term node) {
  if (!node.is_atom()) return false;
  const Term here = vm.node().name;
  return here.is_none() ? vm.atoms().text(node) == "nonode@nohost" : node == here;
}

Term Process::register_name(Term name, Term pid) {
  if (!name.is_atom() || name == atoms::undefined || name == atoms::nil || !pid.is_local_pid()) {
    return badarg();
  }
  Process* target = vm().processes().find(pid);
  return target != nullptr && vm().names().add(name, *target) ? atoms::true_ : badarg();
}

Term Process::unregister_name(Term name) {
  return name.is_atom() && vm().names().remove(name) ? atoms::true_ : badarg();
}

Term Process::whereis(Term name) {
  if (!name.is_atom()) return badarg();
  Process* target = vm().names().find(name);
  return target != nullptr ? target->self() : atoms::nil;
}

Term Process::is_alive(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  // Who has no name any more is seen as dead by whoever took the name: an ending process leaves the
  // names before the table, and the acquire pairs with what follows its change of state.
  Process* found = vm().processes().find(pid);
  if (found == nullptr) return atoms::false_;
  if (found == this) return atoms::true_;
  // Whoever finds the queue empty sees that what was in it is taking effect, or has done so.
  const bool queued = found->outer.load(std::memory_order_acquire) != nullptr;
  const ProcessState state = found->state.load(std::memory_order_acquire);
  if (state == ProcessState::Exiting) return atoms::false_;
  return queued || state == ProcessState::Handling ? atoms::nil : atoms::true_;
}

}  // namespace quelea
