// Runs processes, one slice at a time, until the main process is over.
#pragma once

#include <cstdint>

#include "vm/proc/vm.h"

namespace quelea {

/// A slice: this many calls and loop turns.
inline constexpr std::int64_t kSliceReductions = 4000;

struct Statistics;

class Scheduler {
 public:
  /// `run` runs one process until its slice is over (vm/interp/run.h).
  Scheduler(Vm& vm, void (*run)(Process&));

  /// Returns when `vm.main_end.over`, or when the machine is halted or interrupted.
  void run_until_main_ends();

  /// Runs a process for up to `length` reductions; then it waits, is queued again, or is gone. How
  /// many it used.
  std::int64_t run_slice(Process& process, std::int64_t length);
  void fire_timers();

 private:
  void idle();

  Vm& vm_;
  Statistics& statistics_;
  void (*run_)(Process&);
};

}  // namespace quelea
