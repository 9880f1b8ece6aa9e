// What each thread that runs processes has for itself: nothing in here is shared on a hot path.
//
// A scheduler has a run queue and a wheel of timers; a thread of the pool only runs what it is
// given, and what it wakes goes to a scheduler's queue (`make_runnable`).
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "vm/proc/epochs.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_table.h"
#include "vm/proc/run_queue.h"
#include "vm/proc/sleeper.h"
#include "vm/proc/statistics.h"
#include "vm/proc/timers.h"
#include "vm/proc/vm.h"

namespace quelea {

/// Where a thread of the pool is: at work for the machine, in a call that may not return, or left
/// behind there.
enum class Presence : std::uint8_t { Here, Away, Abandoned };

struct alignas(128) SchedulerLocal : LocalHead {
  /// `scheduler`: its number, or kPool.
  SchedulerLocal(Vm& machine, unsigned scheduler)
      : LocalHead{&machine},
        is_scheduler(scheduler != kPool),
        timers(is_scheduler ? scheduler : 0) {}

  static constexpr unsigned kPool = ~0u;

  /// False: a thread of the pool, whose queue and timers stay empty.
  const bool is_scheduler;
  RunQueue queue;
  Timers timers;
  Statistics statistics;
  MemoryMeter memory;
  Sleeper sleeper;
  EpochMember epoch;
  std::int64_t slice_length = 0;  ///< Reductions that the slice under way began with.
  std::atomic<Presence> presence{Presence::Here};
  /// Places in the process table that are this thread's to give away.
  PlaceCache free_places;
  std::uint64_t next_number =
      0;  ///< Of references: from a batch that is this thread's, up to the end.
  std::uint64_t number_end = 0;
};

/// A thread of the pool that was away goes on; one that was left behind never does, and gives back
/// what it has: null for nothing.
void come_back(SchedulerLocal& local, Turn* held);

/// While a thread of the pool works for long and holds no other process: epochs go on without it,
/// and a machine that ends does not wait for it for ever. A thread that was left behind stays here:
/// it never comes back to a machine that has gone on without it.
class AwayFromOthers {
 public:
  /// `held`: what the thread has meanwhile.
  explicit AwayFromOthers(SchedulerLocal& local, Turn* held = nullptr)
      : local_(local.is_scheduler || local.vm->epochs().is_away(local.epoch) ? nullptr : &local),
        held_(held) {
    if (local_ == nullptr) return;
    local_->vm->epochs().leave(local_->epoch);
    local_->presence.store(Presence::Away, std::memory_order_release);
  }
  ~AwayFromOthers() {
    if (local_ == nullptr) return;
    come_back(*local_, held_);
    local_->vm->epochs().come(local_->epoch);
  }
  AwayFromOthers(const AwayFromOthers&) = delete;
  AwayFromOthers& operator=(const AwayFromOthers&) = delete;

 private:
  SchedulerLocal* local_;
  Turn* held_;
};

/// While it looks for others in between.
class AmongOthers {
 public:
  explicit AmongOthers(SchedulerLocal& local)
      : local_(local.vm->epochs().is_away(local.epoch) ? &local : nullptr) {
    if (local_ == nullptr) return;
    if (!local_->is_scheduler) come_back(*local_, nullptr);
    local_->vm->epochs().come(local_->epoch);
  }
  ~AmongOthers() {
    if (local_ == nullptr) return;
    local_->vm->epochs().leave(local_->epoch);
    if (!local_->is_scheduler) local_->presence.store(Presence::Away, std::memory_order_release);
  }
  AmongOthers(const AmongOthers&) = delete;
  AmongOthers& operator=(const AmongOthers&) = delete;

 private:
  SchedulerLocal* local_;
};

inline SchedulerLocal& Process::local() const { return static_cast<SchedulerLocal&>(*local_); }

}  // namespace quelea
