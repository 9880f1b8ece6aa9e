#include "vm/sched/scheduler.h"

#include "vm/proc/process.h"
#include "vm/proc/process_table.h"
#include "vm/proc/run_queue.h"
#include "vm/proc/statistics.h"
#include "vm/proc/timers.h"

namespace quelea {

void Scheduler::fire_timers() {
  if (vm_.timers().empty()) return;
  const std::uint64_t now = vm_.monotonic_ns();
  if (vm_.timers().next_due_ns() <= now) vm_.timers().fire_due(vm_, now);
}

void Scheduler::idle() { vm_.sleep_until(vm_.timers().empty() ? 0 : vm_.timers().next_due_ns()); }

std::int64_t Scheduler::run_slice(Process& process, std::int64_t length) {
  process.state = ProcessState::Running;
  if (process.outer.load(std::memory_order_relaxed) != nullptr && !process.handle_signals()) {
    vm_.end_process(process);
    return 0;
  }
  if (QUELEA_UNLIKELY(process.has_flag(Process::kBlocked))) {
    process.state = ProcessState::Waiting;
    return 0;
  }
  process.pending = Process::Pending::None;
  process.reductions = length;
  process.held_reductions = 0;
  const std::uint64_t began_ns = statistics_.times_anything() ? vm_.monotonic_ns() : 0;
  run_(process);
  const std::int64_t done = length - process.reductions - process.held_reductions;
  process.reductions_done += static_cast<std::uint64_t>(done);
  statistics_.reductions += static_cast<std::uint64_t>(done);
  ++statistics_.slices;
  if (QUELEA_UNLIKELY(began_ns != 0)) {
    check_slice(process, statistics_, vm_.monotonic_ns() - began_ns);
  }
  switch (process.pending) {
    case Process::Pending::Exit:
      vm_.end_process(process);
      return done;
    case Process::Pending::Wait:
      // Whatever arrived meanwhile counts: a signal that was posted before this line did not wake
      // anybody.
      process.state = ProcessState::Waiting;
      if (process.outer.load(std::memory_order_acquire) != nullptr) vm_.wake(process);
      return done;
    default:
      process.state = ProcessState::Runnable;
      vm_.run_queue().push(process);
  }
  return done;
}

Scheduler::Scheduler(Vm& vm, void (*run)(Process&))
    : vm_(vm), statistics_(vm.area<Statistics>()), run_(run) {
  if (statistics_.started_ns == 0) statistics_.started_ns = vm.monotonic_ns();
}

void Scheduler::run_until_main_ends() {
  while (!vm_.main_end.over && !vm_.stopping()) {
    fire_timers();
    if (Process* process = vm_.run_queue().pop()) {
      run_slice(*process, kSliceReductions);
    } else {
      idle();
    }
  }
}

}  // namespace quelea
