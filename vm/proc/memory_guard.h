// Holds a machine to what it may take of the system's memory.
//
// The problem: limits of single processes do not bound the machine. Many can take too much
// together, a mailbox grows without its owner running, and when the system has nothing left it
// kills everybody. Whoever happens to ask for the byte too many is rarely the one to blame.
//
// The idea. The allocator counts for each thread what it allocates and releases; after a slice a
// scheduler adds the difference to the machine's sum when it is worth it (`after_slice`), so that
// no allocation pays for being counted. The sum holds records, heaps, messages wherever they are,
// and buffers of binaries. Three things happen near and past the limit:
//
//   - Close to it no buffer of a binary is made and no process spawned: `error :system_limit` for
//     who asks, as nothing is lost by that.
//   - Past it the process that holds most, heap and mailbox together, is killed with a report. Who
//     holds much is noted after collections of its heap, and after slices while the machine is more
//     than half full.
//   - Where nobody holds much, the process whose slice passed the limit is taken for the culprit.
//
// The same happens when the system refused memory and the reserve was used (vm/base/memory.h),
// wherever the limit is.
//
// What the chosen hold counts as given back already, so that no more are chosen than must be; but
// not for ever, where one does not come to its end.
//
// Pages that fall free stay with the allocator, because a process that is collected wants as many
// again. Those that nobody wanted for half a second go back to the system when a scheduler has
// nothing to do, and in a machine that never rests when they are as many as what is in use.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "vm/base/memory.h"
#include "vm/proc/errand.h"
#include "vm/proc/process.h"

namespace quelea {

/// What of its thread's balance a scheduler has added to the machine's sum.
struct MemoryMeter {
  std::int64_t counted = 0;
};

class MemoryGuard {
 public:
  MemoryGuard(Vm& vm, std::size_t limit_bytes)
      : vm_(vm), limit_(static_cast<std::int64_t>(limit_bytes)) {}
  /// The last of the machine to go: what it leaves free is given back, if that is worth it.
  ~MemoryGuard();
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

  std::size_t limit_bytes() const { return static_cast<std::size_t>(limit_); }
  /// All that the machine has; late by what each thread did in its last slices.
  std::size_t taken_bytes() const {
    return static_cast<std::size_t>(
        std::max<std::int64_t>(0, taken_.load(std::memory_order_relaxed)));
  }
  /// No room for what can be refused.
  bool is_tight() const { return level().is_tight(); }
  MemoryLevel level() const { return {&taken_, limit_ / 16 * 15}; }
  /// For `BinaryAccount`.
  const std::atomic<std::int64_t>& taken() const { return taken_; }

  /// A thread begins, or goes on, to work for this machine: what it did for others is not counted.
  void begin(MemoryMeter& meter) {
    keep_reserve();
    meter.counted = thread_memory().balance();
  }
  /// Adds what the thread did since the last time.
  void fold(MemoryMeter& meter);
  /// After a slice of `p`, which is still the thread's.
  void after_slice(MemoryMeter& meter, Process& p) {
    if (QUELEA_UNLIKELY(pages_are_left.load(std::memory_order_relaxed))) return_some_pages();
    const std::int64_t grown = uncounted(meter);
    if (grown > kFoldBytes || grown < -kFoldBytes) fold_slice(meter, p, grown);
    if (QUELEA_UNLIKELY(taken_.load(std::memory_order_relaxed) > limit_ / 2 || reserve_is_used())) {
      look_at(p, grown);
    }
  }
  /// After a further step of an end that takes several, lest what it took for news to others be
  /// laid to whoever runs next.
  void after_end(MemoryMeter& meter) {
    const std::int64_t grown = uncounted(meter);
    if (grown > kFoldBytes || grown < -kFoldBytes) fold(meter);
  }
  /// A scheduler has nothing to do: gives free pages back. When to look again, or ~0: no need to.
  std::uint64_t when_idle(MemoryMeter& meter);
  /// After a collection of `p`.
  void note_heap(Process& p);
  /// Counts what is going to be taken without being counted. False: there is no room for it.
  bool claim(std::int64_t bytes) {
    if (taken_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
    give_up_claim(bytes);
    return false;
  }
  void give_up_claim(std::int64_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }
  /// `p` has ended and its memory is back.
  void forget(MemoryMeter& meter, Process& p);
  /// All processes are gone.
  void forget_all();

 private:
  static constexpr std::int64_t kFoldBytes = 64 * 1024;
  static constexpr std::uint64_t kPatienceNs = 500'000'000;
  static constexpr std::int64_t kKeptWhenIdle = std::int64_t{16} << 20;
  static constexpr std::int64_t kKeptWhenBusy = std::int64_t{256} << 20;
  static constexpr std::uint64_t kSpanNs = 500'000'000;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  /// Takes the system some milliseconds. Any threads.
  struct PageReturn final : Errand {
    void run(SchedulerLocal&) override { return_free_pages(); }
  };

  struct Holder {
    std::int64_t bytes = 0;       ///< When it was looked at last.
    std::uint64_t chosen_ns = 0;  ///< When it was chosen to be killed; 0: it was not.
    bool expected = false;        ///< Counted in `expected_`.
  };

  static std::int64_t uncounted(const MemoryMeter& meter) {
    return thread_memory().balance() - meter.counted;
  }
  /// Gives free pages back where so many bytes of them were not wanted for a whole span. When to
  /// look again, or ~0.
  std::uint64_t return_unneeded(std::int64_t keep);
  void fold_slice(MemoryMeter& meter, Process& p, std::int64_t grown);
  void look_at(Process& p, std::int64_t grown);
  void note(Process& p);
  void relieve(Process& p, std::int64_t grown);
  Process* choose_locked(Process& p, std::int64_t grown, std::uint64_t now);
  bool is_over() const {
    return taken_.load(std::memory_order_relaxed) - expected_.load(std::memory_order_relaxed) >
           limit_;
  }

  Vm& vm_;
  const std::int64_t limit_;
  std::atomic<std::int64_t> taken_{0};
  /// What those hold that were chosen and have not ended yet. Written under lock_.
  std::atomic<std::int64_t> expected_{0};
  /// The most that was taken since free pages went back: about what the allocator holds. Any
  /// thread; a lost update costs nothing.
  std::atomic<std::int64_t> most_{0};
  /// The most in the present span, and when that ends.
  std::atomic<std::int64_t> peak_{0};
  std::atomic<std::uint64_t> span_end_ns_{0};
  PageReturn page_return_;
  std::mutex lock_;
  std::unordered_map<Word, Holder> large_;  // By pid; guarded by lock_
};

/// What something takes for a while in containers of the C++ library, which nobody counts.
class MemoryClaim {
 public:
  MemoryClaim(MemoryGuard& guard, std::uint64_t bytes)
      : guard_(guard),
        bytes_(static_cast<std::int64_t>(std::min(bytes, kMost))),
        has_room_(guard.claim(bytes_)) {}
  ~MemoryClaim() {
    if (has_room_) guard_.give_up_claim(bytes_);
  }
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;
  bool has_room() const { return has_room_; }

 private:
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 60;  // No machine has so much.

  MemoryGuard& guard_;
  const std::int64_t bytes_;
  const bool has_room_;
};

/// For a byte of source that is compiled. Measured: 7 for one long string, 33 for a list of
/// numbers, 75 for lambdas.
inline constexpr std::uint64_t kCompilerBytesPerByte = 64;

/// What the compiler takes for a text.
struct CompilerClaim : MemoryClaim {
  CompilerClaim(MemoryGuard& guard, std::size_t source_bytes)
      : MemoryClaim(guard, kCompilerBytesPerByte * source_bytes) {}
};

/// Heap, stack, messages and binaries of a process, and what a native keeps for it, roughly; at a
/// fixed cost. Owner.
std::size_t weigh(const Process& p);

}  // namespace quelea
