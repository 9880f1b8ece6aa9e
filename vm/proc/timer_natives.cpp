// Timers as processes use them.
#include "vm/proc/mailbox_limit.h"
#include "vm/proc/process_table.h"
#include "vm/proc/timers.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

bool valid_timer(Term dest, Term ms) {
  return (dest.is_local_pid() || dest.is_atom()) && ms.is_small() && ms.small_value() >= 0 &&
         ms.small_value() <= kMaxTimerMs;
}

Term start(Process& p, Term dest, Term message, Term ms, bool wrapped) {
  if (!valid_timer(dest, ms)) return p.badarg();
  Vm& vm = p.vm();
  const Word number = vm.next_ref_number();
  const Term ref = make_ref(p, number, p.self().bits);
  if (wrapped) message = p.tuple(atoms::timeout, ref, message);
  vm.timers().start_message(
      vm.monotonic_ns() + static_cast<std::uint64_t>(ms.small_value()) * 1'000'000, dest,
      make_signal(vm, SignalKind::Message, message, p.self()), number);
  return ref;
}

/// Milliseconds from now, rounded up.
Term ms_left(Vm& vm, std::uint64_t due_ns) {
  const std::uint64_t now = vm.monotonic_ns();
  return Term::small(
      due_ns <= now ? 0 : static_cast<std::int64_t>((due_ns - now + 999'999) / 1'000'000));
}

}  // namespace

Term Process::send_after(Term dest, Term message, Term ms) {
  return start(*this, dest, message, ms, false);
}

Term Process::start_timer(Term dest, Term message, Term ms) {
  return start(*this, dest, message, ms, true);
}

Term Process::cancel_timer(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  std::uint64_t due_ns = 0;
  if (!vm().timers().cancel(ref_number(ref), &due_ns)) return atoms::false_;
  return ms_left(vm(), due_ns);
}

Term Process::read_timer(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  std::uint64_t due_ns = 0;
  if (!vm().timers().find(ref_number(ref), &due_ns)) return atoms::false_;
  return ms_left(vm(), due_ns);
}

void fire_timer(Vm& vm, Timer& timer) {
  Process* target = timer.destination.is_atom() ? vm.names().find(timer.destination)
                                                : vm.processes().find(timer.destination);
  if (timer.message != nullptr) {
    if (target != nullptr && admit_message(nullptr, *target)) {
      post_signal(*target, timer.message);
    } else {
      drop_signal(timer.message);
    }
    timer.message = nullptr;
  } else if (target != nullptr && target->receive_timer == timer.number) {
    target->receive_timer = 0;
    target->set_flag_bit(Process::kTimedOut, true);
    vm.wake(*target);
  }
}

}  // namespace quelea
