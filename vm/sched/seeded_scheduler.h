// The scheduler of a deterministic machine: which of the processes that want to run is next, and
// for how long, comes from a seeded generator, and nobody really sleeps. One seed is one run, and
// many seeds are many interleavings (docs/design/deterministic.md).
#pragma once

#include <vector>

#include "vm/proc/determinism.h"
#include "vm/sched/scheduler.h"

namespace quelea {

class SeededScheduler {
 public:
  SeededScheduler(Vm& vm, void (*run)(Process&));

  void run_until_main_ends();

 private:
  /// What wants to run, in no order: one is taken by its place, and the last fills the gap.
  using Runnable = std::vector<Process*>;

  void work();
  void collect_runnable();
  Process* choose();
  std::int64_t slice_length();
  void run_slice(Process& process);
  void maybe_hold_up();
  void idle();
  void trace(const Process& process, std::int64_t length, std::uint64_t start_ns);

  Vm& vm_;
  RunQueue& queue_;
  Timers& timers_;
  Determinism& determinism_;
  Scheduler slices_;
  Runnable runnable_[4];
  bool traced_;
  unsigned hold_ups_left_;
};

}  // namespace quelea
