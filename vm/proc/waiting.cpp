#include "vm/proc/waiting.h"

#include <utility>

#include "vm/proc/local.h"
#include "vm/proc/process.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"

namespace quelea {

Term WaitingProcesses::add(Process& p) {
  // A thread that was left behind by the machine's last run may have it: that one wakes nobody.
  constexpr std::int64_t kLookAgainMs = 100;
  if (!known_.contains(p.self().bits)) {
    pids_.push_back(p.self());
    known_.insert(p.self().bits);
  }
  return p.again_when_woken(p.vm().schedulers().has_abandoned() ? kLookAgainMs : -1);
}

std::vector<Term> WaitingProcesses::take() {
  known_.clear();
  return std::exchange(pids_, {});
}

/// A signal, as it is seen by who is only about to wait, too (Scheduler::park).
void WaitingProcesses::wake(SchedulerLocal& here, const std::vector<Term>& pids) {
  if (pids.empty()) return;
  const AmongOthers among(here);
  for (const Term pid : pids) {
    Process* process = here.vm->processes().find(pid);
    if (process == nullptr) continue;
    post_due_signal(here, *process, SignalKind::Wake, Term::none(), pid);
  }
}

bool Turn::enter(Process& p) {
  std::lock_guard hold(lock_);
  if (taken_) {
    waiting_.add(p);
    return false;
  }
  return taken_ = true;
}

void Turn::abandon() {
  std::lock_guard hold(lock_);
  taken_ = false;
}

void Turn::leave(SchedulerLocal& here) {
  std::vector<Term> waiting;
  {
    std::lock_guard hold(lock_);
    taken_ = false;
    waiting = waiting_.take();
  }
  WaitingProcesses::wake(here, waiting);
}

}  // namespace quelea
