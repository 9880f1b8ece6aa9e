// Signals that their process has taken out of its queue and not handled yet.
//
// The problem. The owner takes its queue as a whole, newest first. Where many send to one that is
// ten million signals, and to turn them around and to let all of them take effect takes a second in
// which a scheduler does nothing else.
//
// The idea. A slice takes kSignalsAtOnce steps and no more: to turn one signal around is a step,
// and to let one take effect is another. What is left waits here, and the process goes on with it
// before it looks into its queue again, so that no order changes.
//
// Of very many it takes a fixed part. While it is at that others run, who may all be sending to it,
// 4,000 signals a slice: were the slices as many as the signals divided by a constant, each taking
// would find several times what the one before did, and its code would hardly ever run. The number
// of slices that a taking needs grows with the logarithm only, so what arrives meanwhile is bounded
// for any number of senders.
//
//   newer_: newest first    to_turn_: newest first    oldest_: oldest first
//   (those that were left   (older than those in      (handed out when nothing
//   at the end)             oldest_)                  is left to turn)
//
// The rules.
//   - Where there is a backlog the queue is not empty: the process sends itself a `Wake`. So nobody
//     but the owner needs to know of a backlog, and a process that has one never waits
//     (Scheduler::park looks into the queue).
//   - The code of a process does not run while it has a backlog. What was taken in one go takes
//     effect before it goes on: a `kill` among it is as early as it can be.
//   - What arrives meanwhile is for the next taking, and between two of them the code has a slice.
//     So a process that gets signals all the time goes on, too. What speaks of all that has arrived
//     (`after 0`, arrivals_took_effect) waits for one taking.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vm/proc/signal.h"

namespace quelea {

/// Steps of a slice: a tenth of a millisecond where the signals are in the cache, two where not.
inline constexpr std::uint32_t kSignalsAtOnce = 1u << 13;
/// To let so many messages take effect is as much work as a call.
inline constexpr std::uint32_t kSignalsPerReduction = 16;

class SignalBacklog {
 public:
  SignalBacklog() = default;
  ~SignalBacklog();
  SignalBacklog(const SignalBacklog&) = delete;
  SignalBacklog& operator=(const SignalBacklog&) = delete;

  /// Takes what is left of a queue: signals that are turned around, `turned` of them, and older
  /// ones that are not.
  void keep(Signal* oldest, std::uint32_t turned, Signal* to_turn);
  /// Takes signals that are younger than all that is here, newest first: what the closed queue
  /// held.
  void add_newer(Signal* newest) { newer_ = newest; }
  bool is_empty() const { return oldest_ == nullptr && to_turn_ == nullptr && newer_ == nullptr; }
  /// Steps that the next slice may take.
  std::uint32_t share() const { return std::max(kSignalsAtOnce, turned_ / 64); }
  /// Null: some were turned around, which is all for now. Else the oldest signals, in order, which
  /// are the caller's until it gives back what is left after `used` of them, `share` at most.
  Signal* take();
  void give_back(Signal* oldest, std::uint32_t used) {
    oldest_ = oldest;
    turned_ -= used;
  }

  /// What is known of it: the signals that are turned around.
  std::uint32_t turned() const { return turned_; }
  const Signal* oldest() const { return oldest_; }

 private:
  Signal* oldest_ = nullptr;
  Signal* to_turn_ = nullptr;
  Signal* newer_ = nullptr;
  std::uint32_t turned_ = 0;
};

/// Made where there is none; null where there is no memory for one: then all goes in one go.
SignalBacklog* backlog_of(Process& p);

}  // namespace quelea
