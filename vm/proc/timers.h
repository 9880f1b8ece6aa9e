// Timers: a hierarchical wheel.
//
// Most timers are cancelled long before they are due: the time limit of a call, of a receive. So
// starting and cancelling must cost next to nothing, and order is only made when it is needed. A
// level of the wheel is 64 lists. On the lowest level a list holds the timers of one tick, on the
// next those of 64 ticks, and so on; eight levels reach over all times there are. A timer is in the
// list of the highest digit (base 64) in which its tick differs from the wheel's `position_`.
// Starting is an append, cancelling an unlink. When the position comes to a list's first tick, its
// timers move to lower levels; each timer moves at most seven times. Those of the tick at the
// position are in `current`, the only list in order of time: they fire when they are due to the
// nanosecond, never before, in order of time, and where that is equal in the order they were
// started. (Lists keep the order of starting, because a list is filled from above before anything
// can be appended to it from outside.)
//
// Nothing has to tick: each level keeps a word of bits that says which lists have timers, so the
// next list is found with a few instructions, and the position jumps there.
//
// One wheel belongs to one scheduler, but all of its operations are allowed on all threads, under
// its lock. The lock is never held while a signal is posted or dropped. A timer ends by being taken
// out of the wheel under the lock, by who fires it or by who cancels it, so that exactly one of
// them has it: `cancel_message` finds it exactly when the message will not come.
// docs/design/timers.md has the measurements.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "vm/base/spin_lock.h"
#include "vm/proc/timer_pool.h"

namespace quelea {

class ProcessTable;
struct SchedulerLocal;

/// Of a `receive`, as in Erlang; longer is a timeout_value.
inline constexpr std::int64_t kMaxReceiveMs = 0xffffffff;
/// Of a timer with a message: a hundred years. Longer is a badarg.
inline constexpr std::int64_t kMaxTimerMs = std::int64_t{100} * 36525 * 24 * 36'000;

class Timers {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  /// `wheel` is part of the numbers of its timers (TimerPool::wheel_of); `generations` is for
  /// tests.
  explicit Timers(unsigned wheel = 0, std::uint32_t generations = TimerPool::kGenerations)
      : pool_(wheel, generations) {}
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // These return the timer's number, or 0: there is no memory, or there are too many timers.
  /// Wakes a process: its receive or native timed out.
  Word start_wake(std::uint64_t now_ns, std::uint64_t delay_ns, Term pid);
  /// Sends a message, which belongs to the timer from now on, unless the result is 0. The number is
  /// a reference number.
  Word start_message(std::uint64_t now_ns, std::uint64_t delay_ns, Term destination,
                     Signal* message);
  /// The same in two steps, for a message that contains the timer's reference.
  Word reserve();
  void start_reserved(Word number, std::uint64_t now_ns, std::uint64_t delay_ns, Term destination,
                      Signal* message);
  /// What was reserved is not started.
  void give_back(Word number);

  /// A timer whose message is not sent yet: when it is, and to whom.
  struct Running {
    std::uint64_t due_ns;
    Term destination;
  };
  /// Its message will not come; nothing where it did or never will.
  std::optional<Running> cancel_message(Word number);
  void cancel_wake(Word number);
  std::optional<Running> find_message(Word number);
  /// Looks at two places, the next ones each time, and takes out timers of processes that have
  /// ended. Called with each timer that is started and each process that ends, so that they are
  /// found before they are many. Within a slice.
  void drop_some_of_ended(const ProcessTable& processes);

  /// No timer is due before; kNever where there is none. Mostly exact, but after a cancellation it
  /// may be too early. A hint where other threads start timers: they wake who relies on it.
  std::uint64_t next_due_ns() const { return next_due_ns_.load(std::memory_order_relaxed); }
  bool empty() const { return next_due_ns() == kNever; }
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  /// Memory of the timers themselves.
  std::size_t bytes() {
    std::lock_guard hold(lock_);
    return pool_.bytes();
  }

  struct Due {
    Word number;
    Term destination;
    Signal* message;  ///< The caller's; null: wakes the process.
  };
  /// Takes out what is due, in order; how many there were, at most as many as there is room for.
  std::size_t take_due(std::uint64_t now_ns, std::span<Due> due);
  /// Fires what is due, but not more than kMostAtOnce, so that those it wakes get their turn.
  /// Nothing when another thread is at it.
  void fire_due(SchedulerLocal& here, std::uint64_t now_ns);

  static constexpr std::size_t kMostAtOnce = 1024;

 private:
  /// 2^kTickBits nanoseconds, about a millisecond.
  static constexpr unsigned kTickBits = 17;
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kDigits = 1u << kDigitBits;
  static constexpr unsigned kLevels = (64 - kTickBits + kDigitBits - 1) / kDigitBits;
  static constexpr unsigned kCurrent = kLevels * kDigits;
  static_assert(kCurrent < Timer::kReserved);

  struct List {
    Timer* first = nullptr;
    Timer* last = nullptr;
    /// None of its timers is due before; meaningless where it is empty.
    std::uint64_t earliest_ns = 0;
  };

  static std::uint64_t tick_of(std::uint64_t due_ns) { return due_ns >> kTickBits; }
  void start_locked(Timer* timer, std::uint64_t now_ns, std::uint64_t delay_ns, Term destination,
                    Signal* message);
  void finish_locked(Timer* timer);
  void insert_locked(Timer* timer);
  void insert_in_order_locked(Timer* timer);
  void append_locked(Timer* timer, unsigned place);
  void unlink_locked(Timer* timer);
  bool advance_locked(std::uint64_t tick);
  void sort_current_locked();
  std::uint64_t compute_next_due_locked() const;
  void set_next_due(std::uint64_t due_ns) { next_due_ns_.store(due_ns, std::memory_order_relaxed); }

  SpinLock lock_;
  std::mutex firing_;  ///< Who fires: so that messages are posted in order.
  // Guarded by lock_.
  TimerPool pool_;
  std::uint64_t position_ = 0;  ///< A tick: no timer of an earlier one is in any level.
  std::uint64_t occupied_[kLevels] = {};
  List lists_[kCurrent + 1];
  // Written with lock_ held, read by anybody as hints.
  std::atomic<std::uint64_t> next_due_ns_{kNever};
  std::atomic<std::size_t> size_{0};
};

}  // namespace quelea
