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
//     So a process that gets signals all the time goes on, too.
#pragma once

#include <cstdint>

#include "vm/proc/signal.h"

namespace quelea {

/// Steps of a slice: less than a fifth of a millisecond.
inline constexpr std::uint32_t kSignalsAtOnce = 4000;

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
  /// Null: some were turned around, which is all for now. Else the oldest signals, in order, which
  /// are the caller's until it gives back what is left after `used` of them, kSignalsAtOnce at
  /// most.
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
