// The schedulers of a machine: who works, who sleeps, and where a process goes that wants to run.
//
// A process that is made runnable goes into the queue of the thread that made it so: its data is
// warm there, and two that talk to each other stay together without any other core noticing. Work
// spreads when there is more of it than one can do at once: whoever leaves a process waiting behind
// another alerts somebody who sleeps, who takes half of what is queued. One at a time is on its way
// (`alerted_`); it alerts the next when it found more than it needs.
//
// No wake-up is lost where it matters. A scheduler that pushes into its own queue looks there
// before it sleeps; others who push into it notify it (Sleeper). An alert may be missed, when the
// other was about to sleep: then the work is done by the one who has it. That this does not last,
// and that a scheduler which is stuck holds up neither its queue nor its timers, is the watch:
// while anybody works one of those who do not looks around every millisecond. When nobody works,
// nobody wakes up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "vm/proc/errand.h"
#include "vm/proc/local.h"

namespace quelea {

/// More threads than this are not made.
inline constexpr unsigned kMaxSchedulers = 512;
inline constexpr unsigned kMaxPoolThreads = 256;

class Schedulers {
 public:
  /// `count` schedulers, of which the first is the thread that runs the machine.
  Schedulers(Vm& vm, unsigned count);

  unsigned count() const { return static_cast<unsigned>(schedulers_.size()); }
  SchedulerLocal& at(unsigned index) { return *schedulers_[index]; }
  SchedulerLocal& first() { return *schedulers_.front(); }

  /// A place for a thread of the pool, until it gives it back. Any thread. Null: there are too
  /// many, or there is no memory for it.
  SchedulerLocal* take_pool_local();
  void return_pool_local(SchedulerLocal& local);
  /// Whether what may block goes to a pool.
  bool has_pool() const { return pool_.load(std::memory_order_relaxed) != nullptr; }
  /// Null: there is none, or none any more. Before any thread is started, or by one of them.
  void set_pool(ErrandRunner* pool) { pool_.store(pool, std::memory_order_release); }
  /// False: the caller has to do it.
  bool run_errand(Errand& errand) {
    ErrandRunner* pool = pool_.load(std::memory_order_acquire);
    return pool != nullptr && pool->submit(errand);
  }
  /// Threads of a pool that the machine does not wait for. While there are any, nothing they could
  /// touch is freed: neither the process that each has nor the machine.
  void abandon(unsigned threads) { abandoned_ += threads; }
  /// Those that are away now never come back; how many.
  unsigned abandon_away();
  bool has_abandoned() const { return abandoned_ != 0; }
  /// Schedulers and threads of the pool. Any thread.
  template <class Visit>
  void for_each_local(Visit&& visit) {
    std::lock_guard hold(pool_lock_);
    for (auto& local : schedulers_) visit(*local);
    for (auto& local : pool_locals_) visit(*local);
  }

  /// Queues a process that wants to run. `here`: the thread that says so.
  void make_runnable(SchedulerLocal& here, Process& process);
  /// Makes a process that waits runnable; of several who try one does.
  void wake(SchedulerLocal& here, Process& process);
  /// The timers that a process of `here` starts.
  Timers& timers_for(SchedulerLocal& here) {
    return here.is_scheduler ? here.timers : first().timers;
  }
  /// A timer was started: wakes a scheduler that might sleep too long for it.
  void started_timer(SchedulerLocal& here) {
    if (!here.is_scheduler) first().sleeper.notify();
  }
  /// Somebody should look for work.
  void alert();
  /// Everybody looks around. Any thread, signal handlers included.
  void notify_all();

  // For schedulers -------------------------------------------------------------------------------
  /// Takes work of others into the queue of `here`, if there is any.
  bool steal(SchedulerLocal& here);
  /// Sleeps until there may be work, at most until `deadline_ns` (0: no limit).
  void sleep(SchedulerLocal& here, std::uint64_t deadline_ns);

  /// From now on `starter` may be called to start the thread of a scheduler, on any thread. False:
  /// it cannot be had.
  void open(std::function<bool(unsigned index)> starter);
  /// That thread says that it is there.
  void started();
  /// No thread is started any more, and all are notified.
  void close();
  /// When all threads have ended: what waits in their queues goes to the first one's.
  void gather();

 private:
  static constexpr std::int64_t kWatchNs = 1'000'000;

  bool start_one();

  Vm& vm_;
  std::vector<std::unique_ptr<SchedulerLocal>> schedulers_;
  std::mutex pool_lock_;
  std::vector<std::unique_ptr<SchedulerLocal>> pool_locals_;  // guarded by pool_lock_
  std::vector<SchedulerLocal*> free_pool_locals_;             // guarded by pool_lock_
  std::atomic<ErrandRunner*> pool_{nullptr};
  unsigned abandoned_ = 0;
  std::mutex start_lock_;
  std::function<bool(unsigned)> start_;  // guarded by start_lock_
  unsigned started_ = 1;                 // guarded by start_lock_

  /// Schedulers that sleep or were never started.
  std::atomic<unsigned> idle_{0};
  std::atomic<bool> alerted_{false};
  /// Who looks around every millisecond, or null.
  std::atomic<SchedulerLocal*> watch_{nullptr};
};

}  // namespace quelea
