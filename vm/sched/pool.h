// Threads for what may take long without a chance to stop: natives that block, and collections of
// huge heaps.
//
// A process that comes to such a thing on a scheduler leaves there and is handed to a thread of the
// pool, which goes on at the same instruction for one slice; then it is runnable again. The other
// processes do not notice, and a system with fewer cores than threads shares them out fairly.
// The machine has errands there of its own (what is left to be written, vm/proc/output.h), which go
// before processes. Threads are made when there is work and no thread that waits, up to
// kMostThreads; more work than that waits its turn.
//
// The end. A machine that ends does not wait for a read that may never return: after a moment it
// leaves such a thread behind, which never comes back from there (AwayFromOthers). What the call
// itself may touch, the machine with the process, stays (`has_abandoned`).
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "vm/base/thread.h"
#include "vm/sched/scheduler.h"

namespace quelea {

class Pool final : public ErrandRunner {
 public:
  Pool(Vm& vm, RunProcess run);
  /// No process is taken any more; waits for those that are under way, but not for long.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The caller's process is the pool's from now on. Any thread. False: there is no thread for it.
  bool submit(Process& process);
  /// The same for an errand. One that no thread came to is done when the pool ends.
  bool submit(Errand& errand) override;

 private:
  static constexpr unsigned kMostThreads = 16;

  /// Outlives the pool where a thread was left behind.
  struct Shared {
    Shared(Vm& machine, RunProcess runner) : vm(machine), run(runner) {}

    Vm& vm;
    RunProcess run;
    std::mutex lock;
    std::condition_variable work, ended;
    // Guarded by lock.
    Process* first = nullptr;  ///< Chained by `next_in_queue`.
    Process* last = nullptr;
    std::vector<Errand*> errands;
    unsigned queued = 0;  ///< Processes and errands.
    unsigned threads = 0;
    unsigned waiting = 0;
    bool closed = false;
  };

  bool start_thread_locked();
  void start_another_locked();
  static void serve(Shared& shared, SchedulerLocal& local);
  static void work(Shared& shared, SchedulerLocal& local, std::unique_lock<std::mutex>& hold);

  std::shared_ptr<Shared> shared_;
};

}  // namespace quelea
