#include "vm/sched/scheduler.h"

#include <new>
#include <optional>
#include <vector>

#include "vm/base/thread.h"
#include "vm/proc/process.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/timers.h"
#include "vm/sched/pool.h"

namespace quelea {

namespace {

/// The clock is read after so many reductions; a slice counts as some itself.
constexpr std::int64_t kClockReductions = kSliceReductions;
constexpr std::int64_t kReductionsPerSlice = 200;

/// A scheduler that is so late with its timers is held up: others fire them.
constexpr std::uint64_t kLateNs = 1'000'000;

}  // namespace

void Scheduler::fire_timers(std::uint64_t now_ns) {
  if (local_.timers.next_due_ns() <= now_ns) local_.timers.fire_due(local_, now_ns);
  Schedulers& schedulers = vm_.schedulers();
  for (unsigned i = 0; i < schedulers.count(); ++i) {
    Timers& timers = schedulers.at(i).timers;
    if (timers.next_due_ns() < now_ns - kLateNs) timers.fire_due(local_, now_ns);
  }
}

void Scheduler::idle() {
  if (pages_are_left.load(std::memory_order_relaxed)) return return_some_pages();
  // Nothing to do is the time to give memory back; when it is too early for that, this looks again.
  const std::uint64_t again_ns = vm_.memory().when_idle(local_.memory);
  const std::uint64_t due_ns = std::min(local_.timers.next_due_ns(), again_ns);
  vm_.schedulers().sleep(local_, due_ns == Timers::kNever ? 0 : due_ns);
}

/// The process waits. A signal that was posted before it says so woke nobody, and is seen here.
void Scheduler::park(Process& process) {
  process.state.exchange(ProcessState::Waiting, std::memory_order_seq_cst);
  if (process.outer.load(std::memory_order_seq_cst) != nullptr) {
    vm_.schedulers().wake(local_, process);
  }
}

/// False: others run first, between the steps. What the process was about to do it does later.
bool Scheduler::continue_marking(Process& process) {
  try {
    if (process.continue_marking()) return true;
    vm_.memory().after_slice(local_.memory, process);
  } catch (const std::bad_alloc&) {
    // What was not noted about the heap is noted after a later slice.
  }
  return !process.waits_for_marking();
}

/// After a slice: the reductions it took.
[[gnu::always_inline]] inline std::int64_t Scheduler::account(Process& process,
                                                              std::int64_t length) {
  const std::int64_t done = length - process.reductions - process.held_reductions;
  process.reductions_done += static_cast<std::uint64_t>(done);
  count(local_.statistics.reductions, static_cast<std::uint64_t>(done));
  count(local_.statistics.slices);
  until_clock_ -= done + kReductionsPerSlice;
  try {
    vm_.memory().after_slice(local_.memory, process);
  } catch (const std::bad_alloc&) {
    // It looks again after the next slice.
  }
  return done;
}

std::int64_t Scheduler::run_slice(Process& process, std::int64_t length) {
  process.local_ = &local_;
  if (QUELEA_UNLIKELY(process.state.load(std::memory_order_relaxed) == ProcessState::Exiting)) {
    if (process.pending == Process::Pending::Pool && to_pool(process)) return 0;
    vm_.go_on_ending(process);
    vm_.memory().after_end(local_.memory);
    until_clock_ -= length;
    return length;
  }
  process.state.store(ProcessState::Running, std::memory_order_relaxed);
  process.reductions = length;
  process.held_reductions = 0;
  local_.slice_length = length;
  if (process.outer.load(std::memory_order_relaxed) != nullptr) {
    if (process.handle_signals() == Handled::Exits) {
      vm_.end_process(process);
      return 0;
    }
    if (QUELEA_UNLIKELY(process.has_backlog())) {
      return queue_again(process, account(process, length));
    }
  }
  const bool sleeps_on =
      process.pending == Process::Pending::Hibernate && process.first_message == nullptr;
  if (QUELEA_UNLIKELY(process.has_flag(Process::kBlocked) || sleeps_on)) {
    park(process);
    return 0;
  }
  if (QUELEA_UNLIKELY(process.is_marking())) {
    until_clock_ = 0;  // It takes longer than reductions say.
    if (!continue_marking(process)) return queue_again(process, length - process.reductions);
  }
  process.pending = Process::Pending::None;
  if (process.collection_due()) process.interrupt_slice();
  // Who works on the pool holds nobody up.
  const bool is_timed = vm_.alarms().want_slices() && local_.is_scheduler;
  const std::uint64_t began_ns = is_timed ? vm_.monotonic_ns() : 0;
  try {
    run_(process);
  } catch (const std::bad_alloc&) {
    vm_.kill_for_memory(process);
  }
  const std::int64_t done = account(process, length);
  if (QUELEA_UNLIKELY(began_ns != 0)) check_slice(process, vm_.monotonic_ns() - began_ns);
  switch (process.pending) {
    case Process::Pending::Exit:
    case Process::Pending::Killed:
      vm_.end_process(process);
      return done;
    case Process::Pending::Wait:
    case Process::Pending::Hibernate:
      park(process);
      return done;
    case Process::Pending::Pool:
      if (to_pool(process)) return done;
      break;
    default:
      break;
  }
  return queue_again(process, done);
}

bool Scheduler::to_pool(Process& process) {
  if (!local_.is_scheduler) return false;
  if (pool_ != nullptr && pool_->submit(process)) return true;
  // There is no thread to be had: from now on everybody waits.
  vm_.schedulers().set_pool(nullptr);
  return false;
}

std::int64_t Scheduler::queue_again(Process& process, std::int64_t done) {
  process.state.store(ProcessState::Runnable, std::memory_order_relaxed);
  vm_.schedulers().make_runnable(local_, process);
  return done;
}

void Scheduler::work() {
  vm_.epochs().come(local_.epoch);
  vm_.memory().begin(local_.memory);
  while (!vm_.main_end.over.load(std::memory_order_acquire) && !vm_.stopping()) {
    vm_.epochs().pass(local_.epoch);
    if (until_clock_ <= 0) {
      until_clock_ = kClockReductions;
      fire_timers(vm_.monotonic_ns());
    }
    if (Process* process = local_.queue.pop()) {
      run_slice(*process, kSliceReductions);
    } else if (!vm_.schedulers().steal(local_)) {
      idle();
      until_clock_ = 0;
    }
  }
  vm_.memory().fold(local_.memory);
  vm_.epochs().leave(local_.epoch);
}

void run_machine(Vm& vm, RunProcess run) {
  Schedulers& schedulers = vm.schedulers();
  std::optional<Pool> pool;
  if (vm.config().schedulers != 0) pool.emplace(vm, run);
  Pool* const to_pool = pool.has_value() ? &*pool : nullptr;
  schedulers.set_pool(to_pool);
  std::vector<Thread> threads(schedulers.count());  // The first is the caller.
  schedulers.open([&](unsigned index) {
    return threads[index].start([&schedulers, index, run, to_pool] {
      schedulers.started();
      Scheduler(schedulers.at(index), run, to_pool).work();
    });
  });
  Scheduler(schedulers.first(), run, to_pool).work();
  schedulers.close();
  for (Thread& thread : threads) thread.join();
  schedulers.set_pool(nullptr);
  pool.reset();
  schedulers.gather();
}

}  // namespace quelea
