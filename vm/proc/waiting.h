// What one process at a time may have, and have for long: the others wait for it as processes, not
// as threads of the pool, of which there are few.
#pragma once

#include <mutex>
#include <unordered_set>
#include <vector>

#include "vm/term/term.h"

namespace quelea {

class Process;
struct SchedulerLocal;

/// Processes that are to be woken. Whoever has one guards it.
class WaitingProcesses {
 public:
  /// The native of `p` is called again when it is woken, or when a signal comes. Always none.
  Term add(Process& p);
  /// Those to be woken, in the order they came: with `wake`, when the guard is gone.
  std::vector<Term> take();
  static void wake(SchedulerLocal& here, const std::vector<Term>& pids);

 private:
  std::vector<Term> pids_;
  std::unordered_set<Word> known_;  ///< The same: who is woken by something else comes again.
};

class Turn {
 public:
  /// True: it is p's, until `leave`. False: p waits; its native returns none.
  bool enter(Process& p);
  void leave(SchedulerLocal& here);
  /// The same by a thread that cannot wake anybody any more.
  void abandon();

 private:
  std::mutex lock_;
  bool taken_ = false;        // guarded by lock_
  WaitingProcesses waiting_;  // guarded by lock_
};

/// Gives it back at the end of the scope.
class TurnHold {
 public:
  TurnHold(Turn& turn, SchedulerLocal& here) : turn_(turn), here_(here) {}
  ~TurnHold() { turn_.leave(here_); }
  TurnHold(const TurnHold&) = delete;
  TurnHold& operator=(const TurnHold&) = delete;

 private:
  Turn& turn_;
  SchedulerLocal& here_;
};

}  // namespace quelea
