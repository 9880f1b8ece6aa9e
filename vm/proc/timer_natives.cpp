// Timers as processes use them, and what happens when they are due.
#include <new>
#include <optional>

#include "vm/proc/mailbox_limit.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/timers.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

bool valid_timer(Term dest, Term ms) {
  return (dest.is_local_pid() || dest.is_atom()) && ms.is_small() && ms.small_value() >= 0 &&
         ms.small_value() <= kMaxTimerMs;
}

std::uint64_t delay_ns(Term ms) { return static_cast<std::uint64_t>(ms.small_value()) * 1'000'000; }

/// Milliseconds from now, rounded up.
Term ms_left(Vm& vm, std::uint64_t due_ns) {
  const std::uint64_t now = vm.monotonic_ns();
  return Term::small(
      due_ns <= now ? 0 : static_cast<std::int64_t>((due_ns - now + 999'999) / 1'000'000));
}

/// What is left of a timer. Those of processes that have ended are over, though it may take a while
/// until they are found.
Term left_of(Process& p, const std::optional<Timers::Running>& timer) {
  Vm& vm = p.vm();
  if (!timer) return atoms::false_;
  const Term to = timer->destination;
  if (to.is_local_pid() && vm.processes().find(to) == nullptr) return atoms::false_;
  return ms_left(vm, timer->due_ns);
}

void started(Process& p, Timers& timers) {
  timers.drop_some_of_ended(p.vm().processes());
  p.vm().schedulers().started_timer(p.local());
}

}  // namespace

Term Process::send_after(Term dest, Term message, Term ms) {
  if (!valid_timer(dest, ms)) return badarg();
  if (vm().memory().is_tight()) return raise_error(atoms::system_limit);
  if (is_huge_message(*this, message)) return to_pool();
  OwnedSignal signal(make_signal(vm(), SignalKind::Message, message, self()));
  charge(static_cast<std::int64_t>(signal->used_words() / 16));
  // The reference before the timer: what was started can be cancelled.
  const Term ref = make_ref(*this, 0, self().bits);
  Timers& timers = vm().schedulers().timers_for(local());
  const Word number = timers.start_message(vm().monotonic_ns(), delay_ns(ms), dest, signal.get());
  if (number == 0) return raise_error(atoms::system_limit);
  signal.release();
  started(*this, timers);
  ref.pointer()[1] = number;
  return ref;
}

Term Process::start_timer(Term dest, Term message, Term ms) {
  if (!valid_timer(dest, ms)) return badarg();
  if (vm().memory().is_tight()) return raise_error(atoms::system_limit);
  if (is_huge_message(*this, message)) return to_pool();
  Timers& timers = vm().schedulers().timers_for(local());
  const Word number = timers.reserve();
  if (number == 0) return raise_error(atoms::system_limit);
  try {
    const Term ref = make_ref(*this, number, self().bits);
    message = tuple(atoms::timeout, ref, message);
    Signal* const signal = make_signal(vm(), SignalKind::Message, message, self());
    charge(static_cast<std::int64_t>(signal->used_words() / 16));
    timers.start_reserved(number, vm().monotonic_ns(), delay_ns(ms), dest, signal);
    started(*this, timers);
    return ref;
  } catch (const std::bad_alloc&) {
    timers.give_back(number);
    throw;
  }
}

Term Process::cancel_timer(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  Timers* timers = vm().timers_of(ref_number(ref));
  if (timers == nullptr) return atoms::false_;
  charge(3);  // It and its neighbours in the wheel were rarely looked at lately.
  return left_of(*this, timers->cancel_message(ref_number(ref)));
}

Term Process::read_timer(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  Timers* timers = vm().timers_of(ref_number(ref));
  return timers == nullptr ? atoms::false_ : left_of(*this, timers->find_message(ref_number(ref)));
}

namespace {

void fire(SchedulerLocal& here, const Timers::Due& due) {
  Vm& vm = *here.vm;
  Process* target = due.destination.is_atom() ? vm.names().find(due.destination)
                                              : vm.processes().find(due.destination);
  if (due.message != nullptr) {
    if (target != nullptr && admit_message(here, nullptr, *target)) {
      post_signal(here, *target, due.message);
    } else {
      drop_signal(due.message);
    }
  } else if (target != nullptr) {
    post_due_signal(here, *target, SignalKind::Timeout, Term::none(), Term::none(), due.number);
  }
}

}  // namespace

void Timers::fire_due(SchedulerLocal& here, std::uint64_t now_ns) {
  std::unique_lock firing(firing_, std::try_to_lock);
  if (!firing) return;
  Due batch[64];
  for (std::size_t fired = 0; fired < kMostAtOnce && next_due_ns() <= now_ns;) {
    const std::size_t count = take_due(now_ns, batch);
    for (std::size_t i = 0; i < count; ++i) fire(here, batch[i]);
    fired += count;
  }
}

}  // namespace quelea
