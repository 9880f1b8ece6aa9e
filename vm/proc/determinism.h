// What a deterministic machine has instead of the outside's clock and chance
// (docs/design/deterministic.md).
#pragma once

#include <cstdint>

#include "vm/base/split_mix.h"
#include "vm/proc/process.h"

namespace quelea {

/// A clock that work moves: each reduction takes a while, and where all processes wait, the
/// scheduler moves it on to the next timer. It never goes back.
class VirtualClock {
 public:
  /// One second, so that no time is 0; the wall clock starts at 2026-01-01T00:00:00Z.
  static constexpr std::uint64_t kStartNs = 1'000'000'000;
  static constexpr std::uint64_t kWallClockStartNs = 1'767'225'600'000'000'000;

  explicit VirtualClock(std::uint64_t reduction_ns) : reduction_ns_(reduction_ns) {}

  std::uint64_t now() {
    if (running_ == nullptr) return now_;
    const std::int64_t done = slice_ - running_->reductions - running_->held_reductions;
    const std::uint64_t at =
        slice_start_ + static_cast<std::uint64_t>(done > 0 ? done : 0) * reduction_ns_;
    if (at > now_) now_ = at;
    return now_;
  }
  void start_slice(const Process& process, std::int64_t reductions) {
    slice_start_ = now_;
    slice_ = reductions;
    running_ = &process;
  }
  /// Even a slice without work takes time, so that processes that do nothing do not stop the clock.
  void end_slice(std::int64_t done) {
    running_ = nullptr;
    move_to(slice_start_ + static_cast<std::uint64_t>(done > 0 ? done + 1 : 1) * reduction_ns_);
  }
  void move_to(std::uint64_t at) {
    if (at > now_) now_ = at;
  }

 private:
  const std::uint64_t reduction_ns_;
  std::uint64_t now_ = kStartNs;
  std::uint64_t slice_start_ = kStartNs;
  std::int64_t slice_ = 0;
  const Process* running_ = nullptr;
};

struct Determinism {
  explicit Determinism(std::uint64_t seed)
      : schedule(seed), bytes(seed ^ 0x6c62272e07bb0142u), clock(5 + schedule.below(46)) {}

  SplitMix64 schedule;  ///< Which process, how long, how late.
  SplitMix64 bytes;     ///< What programs get instead of the system's randomness.
  VirtualClock clock;   ///< A reduction takes 5 to 50 ns, by the seed.
};

}  // namespace quelea
