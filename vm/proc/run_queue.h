// Processes that want to run: four lists, in order of arrival. `Max` goes before `High` before the
// rest; one in eight of the rest is of low priority where there are both.
//
// One queue a scheduler. Its lock is nearly always free: the owner pushes and pops, others take a
// share when they have nothing to do.
#pragma once

#include <array>
#include <atomic>
#include <mutex>

#include "vm/base/spin_lock.h"
#include "vm/proc/process.h"

namespace quelea {

class RunQueue {
 public:
  /// How many are queued now. Any thread, as all of this.
  std::size_t push(Process& process) {
    std::lock_guard hold(lock_);
    append(process);
    return size();
  }

  /// The next to run, or null.
  Process* pop() {
    if (size() == 0) return nullptr;
    std::lock_guard hold(lock_);
    for (Priority priority : {Priority::Max, Priority::High}) {
      if (Process* process = remove(priority)) return process;
    }
    const bool low_first = ++turn_ % 8 == 0;
    if (Process* process = remove(low_first ? Priority::Low : Priority::Normal)) return process;
    return remove(low_first ? Priority::Normal : Priority::Low);
  }

  /// The first of this priority, or null.
  Process* take(Priority priority) {
    std::lock_guard hold(lock_);
    return remove(priority);
  }

  /// Moves the older half of what another queue holds, a batch at most, to the end of this one. How
  /// many came.
  std::size_t steal(RunQueue& from);

  /// A hint: nothing is known of the moment after.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  std::size_t size(Priority priority) const {
    return list(priority).size.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kMostStolen = 64;

  struct List {
    Process* first = nullptr;
    Process* last = nullptr;
    std::atomic<std::size_t> size{0};
  };

  List& list(Priority priority) { return lists_[static_cast<unsigned>(priority)]; }
  const List& list(Priority priority) const { return lists_[static_cast<unsigned>(priority)]; }
  void append(Process& process);
  Process* remove(Priority priority);
  /// Only the holder of the lock writes them, so that no atomic addition is wanted.
  static void set(std::atomic<std::size_t>& count, std::size_t value) {
    count.store(value, std::memory_order_relaxed);
  }

  SpinLock lock_;
  std::array<List, 4> lists_;
  std::atomic<std::size_t> size_{0};
  unsigned turn_ = 0;
};

inline void RunQueue::append(Process& process) {
  List& to = list(process.priority);
  process.next_in_queue = nullptr;
  (to.last != nullptr ? to.last->next_in_queue : to.first) = &process;
  to.last = &process;
  set(to.size, size(process.priority) + 1);
  set(size_, size() + 1);
}

inline Process* RunQueue::remove(Priority priority) {
  List& from = list(priority);
  Process* process = from.first;
  if (process == nullptr) return nullptr;
  from.first = process->next_in_queue;
  if (from.first == nullptr) from.last = nullptr;
  set(from.size, size(priority) - 1);
  set(size_, size() - 1);
  return process;
}

inline std::size_t RunQueue::steal(RunQueue& from) {
  // Never both locks at once: two schedulers may steal from each other.
  std::array<Process*, kMostStolen> stolen;
  std::size_t count = 0;
  {
    std::lock_guard hold(from.lock_);
    const std::size_t wanted = std::min((from.size() + 1) / 2, kMostStolen);
    for (unsigned priority = 0; priority < 4 && count < wanted; ++priority) {
      while (count < wanted) {
        Process* process = from.remove(static_cast<Priority>(priority));
        if (process == nullptr) break;
        stolen[count++] = process;
      }
    }
  }
  std::lock_guard hold(lock_);
  for (std::size_t i = 0; i < count; ++i) append(*stolen[i]);
  return count;
}

}  // namespace quelea
