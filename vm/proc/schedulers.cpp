#include "vm/proc/schedulers.h"

#include <unistd.h>

#include <algorithm>
#include <new>

namespace quelea {

Schedulers::Schedulers(Vm& vm, unsigned count) : vm_(vm) {
  for (unsigned i = 0; i < count; ++i) {
    schedulers_.push_back(std::make_unique<SchedulerLocal>(vm, i));
    vm.epochs().add(schedulers_.back()->epoch);
  }
}

SchedulerLocal* Schedulers::take_pool_local() {
  std::lock_guard hold(pool_lock_);
  if (!free_pool_locals_.empty()) {
    SchedulerLocal* local = free_pool_locals_.back();
    free_pool_locals_.pop_back();
    return local;
  }
  if (pool_locals_.size() >= kMaxPoolThreads) return nullptr;
  try {
    // Giving it back must not want memory.
    free_pool_locals_.reserve(pool_locals_.size() + 1);
    pool_locals_.push_back(std::make_unique<SchedulerLocal>(vm_, SchedulerLocal::kPool));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  vm_.epochs().add(pool_locals_.back()->epoch);
  return pool_locals_.back().get();
}

void Schedulers::return_pool_local(SchedulerLocal& local) {
  std::lock_guard hold(pool_lock_);
  free_pool_locals_.push_back(&local);
}

unsigned Schedulers::abandon_away() {
  std::lock_guard hold(pool_lock_);
  unsigned count = 0;
  for (auto& local : pool_locals_) {
    Presence away = Presence::Away;
    count += local->presence.compare_exchange_strong(away, Presence::Abandoned) ? 1 : 0;
  }
  return count;
}

void come_back(SchedulerLocal& local, Turn* held) {
  Presence away = Presence::Away;
  // Of this and `abandon_away` one is first.
  if (local.presence.compare_exchange_strong(away, Presence::Here)) return;
  if (held != nullptr) held->abandon();
  for (;;) pause();
}

void Schedulers::make_runnable(SchedulerLocal& here, Process& process) {
  if (!here.is_scheduler) {
    first().queue.push(process);
    first().sleeper.notify();
    return;
  }
  const std::size_t queued = here.queue.push(process);
  if (idle_.load(std::memory_order_relaxed) != 0 &&
      (queued > 1 || watch_.load(std::memory_order_relaxed) == nullptr)) {
    alert();
  }
}

void Schedulers::wake(SchedulerLocal& here, Process& process) {
  if (process.state.load(std::memory_order_seq_cst) != ProcessState::Waiting) return;
  ProcessState waiting = ProcessState::Waiting;
  // Acquire: whoever wins owns the process, as it was left when it began to wait.
  if (process.state.compare_exchange_strong(waiting, ProcessState::Runnable,
                                            std::memory_order_acq_rel)) {
    make_runnable(here, process);
  }
}

void Schedulers::alert() {
  if (alerted_.load(std::memory_order_relaxed) || alerted_.exchange(true)) return;
  for (auto& local : schedulers_) {
    if (local->sleeper.wake_sleeping()) return;
  }
  if (!start_one()) alerted_.store(false);
}

void Schedulers::notify_all() {
  for (auto& local : schedulers_) local->sleeper.notify();
}

bool Schedulers::steal(SchedulerLocal& here) {
  const auto at = static_cast<std::size_t>(
      std::find_if(schedulers_.begin(), schedulers_.end(),
                   [&](const auto& local) { return local.get() == &here; }) -
      schedulers_.begin());
  for (std::size_t i = 1; i < schedulers_.size(); ++i) {
    SchedulerLocal& other = *schedulers_[(at + i) % schedulers_.size()];
    if (other.queue.size() == 0 || here.queue.steal(other.queue) == 0) continue;
    if (idle_.load(std::memory_order_relaxed) != 0 && here.queue.size() > 1) alert();
    return true;
  }
  return false;
}

void Schedulers::sleep(SchedulerLocal& here, std::uint64_t deadline_ns) {
  const bool others_work = idle_.fetch_add(1) + 1 < count();
  std::int64_t timeout_ns = -1;
  if (deadline_ns != 0) {
    const std::uint64_t now = vm_.monotonic_ns();
    timeout_ns = deadline_ns <= now ? 0 : static_cast<std::int64_t>(deadline_ns - now);
  }
  SchedulerLocal* nobody = nullptr;
  const bool watches = others_work && watch_.compare_exchange_strong(nobody, &here);
  if (watches && (timeout_ns < 0 || timeout_ns > kWatchNs)) timeout_ns = kWatchNs;
  vm_.epochs().leave(here.epoch);
  here.sleeper.sleep(timeout_ns);
  vm_.epochs().come(here.epoch);
  if (watches) watch_.store(nullptr);
  idle_.fetch_sub(1);
  alerted_.store(false);
}

// Starting threads ----------------------------------------------------------------------------

void Schedulers::open(std::function<bool(unsigned)> starter) {
  std::lock_guard hold(start_lock_);
  start_ = std::move(starter);
  started_ = 1;
  idle_.store(count() - 1);
  alerted_.store(false);
  watch_.store(nullptr);
}

bool Schedulers::start_one() {
  std::lock_guard hold(start_lock_);
  if (start_ == nullptr || started_ == count() || !start_(started_)) return false;
  ++started_;
  return true;
}

void Schedulers::started() {
  idle_.fetch_sub(1);
  alerted_.store(false);
}

void Schedulers::close() {
  {
    std::lock_guard hold(start_lock_);
    start_ = nullptr;
  }
  notify_all();
}

void Schedulers::gather() {
  idle_.store(0);
  for (unsigned i = 1; i < count(); ++i) {
    while (first().queue.steal(at(i).queue) != 0) continue;
  }
}

}  // namespace quelea
