// One scheduler: runs the processes of its queue, one slice at a time.
#pragma once

#include <cstdint>

#include "vm/proc/schedulers.h"

namespace quelea {

/// A slice: this many calls and loop turns.
inline constexpr std::int64_t kSliceReductions = 4000;

/// Runs one process until its slice is over (vm/interp/run.h).
using RunProcess = void (*)(Process&);

class Pool;

class Scheduler {
 public:
  /// `pool`: for what takes long; null: there is none, or this is a thread of it.
  Scheduler(SchedulerLocal& local, RunProcess run, Pool* pool = nullptr)
      : vm_(*local.vm), local_(local), run_(run), pool_(pool) {}

  /// Returns when the machine's main process is over, or when it is halted or interrupted.
  void work();

  /// Runs a process for up to `length` reductions; then it waits, is queued again, or is gone. How
  /// many it used.
  std::int64_t run_slice(Process& process, std::int64_t length);
  /// Fires what is due in this scheduler's wheel, and in those of others that are late.
  void fire_timers(std::uint64_t now_ns);

 private:
  bool continue_marking(Process& process);
  void park(Process& process);
  bool to_pool(Process& process);
  std::int64_t queue_again(Process& process, std::int64_t done);
  std::int64_t account(Process& process, std::int64_t length);
  void idle();

  Vm& vm_;
  SchedulerLocal& local_;
  RunProcess run_;
  Pool* pool_;
  /// Work until the next look at the clock, which costs as much as a short slice.
  std::int64_t until_clock_ = 0;
};

/// Runs the machine on this thread and as many more as it may have and finds work for, until its
/// main process is over or it is to stop. No thread of it is left then.
void run_machine(Vm& vm, RunProcess run);

}  // namespace quelea
