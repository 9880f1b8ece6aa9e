#include "vm/sched/seeded_scheduler.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <new>

#include "vm/proc/timers.h"
#include "vm/term/identity.h"

namespace quelea {

namespace {

/// How late a timer may fire: real machines are late, too, and timers that are so close together
/// fire in one go, so that which of their processes runs first is open.
constexpr std::uint64_t kMaxLateNs = 2'000'000;

/// How often the whole machine is held up, in half of the runs, and how rarely per slice: all in
/// all far less time than a sound timeout leaves.
constexpr unsigned kHoldUps = 8;
constexpr std::uint64_t kSlicesPerHoldUp = 16;

}  // namespace

SeededScheduler::SeededScheduler(Vm& vm, void (*run)(Process&))
    : vm_(vm),
      queue_(vm.schedulers().first().queue),
      timers_(vm.schedulers().first().timers),
      determinism_(*vm.determinism()),
      slices_(vm.schedulers().first(), run),
      traced_(vm.host().traces()),
      hold_ups_left_(determinism_.schedule.one_in(2) ? kHoldUps : 0) {}

void SeededScheduler::collect_runnable() {
  if (queue_.size() == 0) return;
  for (unsigned priority = 0; priority < 4; ++priority) {
    // Room first: who was taken out must not get lost.
    Runnable& list = runnable_[priority];
    const std::size_t wanted = list.size() + queue_.size(static_cast<Priority>(priority));
    if (wanted > list.capacity()) list.reserve(2 * wanted);
    while (Process* process = queue_.take(static_cast<Priority>(priority))) list.push_back(process);
  }
}

Process* SeededScheduler::choose() {
  constexpr auto kNormal = static_cast<unsigned>(Priority::Normal);
  constexpr auto kLow = static_cast<unsigned>(Priority::Low);
  unsigned priority = 0;
  while (priority < 4 && runnable_[priority].empty()) ++priority;
  if (priority == 4) return nullptr;
  // As in RunQueue: one in eight is of low priority where there are both.
  if (priority == kNormal && !runnable_[kLow].empty() && determinism_.schedule.one_in(8)) {
    priority = kLow;
  }
  Runnable& list = runnable_[priority];
  const std::size_t at = list.size() == 1 ? 0 : determinism_.schedule.below(list.size());
  Process* process = list[at];
  list[at] = list.back();
  list.pop_back();
  return process;
}

/// As often 1 or 2 as 2,000 to 4,000: races are about single calls, and long slices get work done.
std::int64_t SeededScheduler::slice_length() {
  const std::uint64_t most = std::uint64_t{2} << determinism_.schedule.below(12);
  const auto length = static_cast<std::int64_t>(most / 2 + determinism_.schedule.below(most / 2));
  return std::min(length, kSliceReductions);
}

void SeededScheduler::trace(const Process& process, std::int64_t length, std::uint64_t start_ns) {
  char line[128];
  const int size =
      std::snprintf(line, sizeof line, "%" PRIu64 " <0.%" PRIu32 ".%" PRIu32 "> %" PRId64, start_ns,
                    pid_id(process.self()), pid_serial(process.self()), length);
  vm_.host().trace({line, static_cast<std::size_t>(size)});
}

void SeededScheduler::run_slice(Process& process) {
  VirtualClock& clock = determinism_.clock;
  const std::int64_t length = slice_length();
  if (traced_) trace(process, length, clock.now());
  process.reductions = length;  // What the clock counts from.
  process.held_reductions = 0;
  clock.start_slice(process, length);
  clock.end_slice(slices_.run_slice(process, length));
}

/// As when the system gives the processor to somebody else: processes want to run, but first a
/// timer fires that is due soon.
void SeededScheduler::maybe_hold_up() {
  if (hold_ups_left_ == 0 || timers_.empty()) return;
  const std::uint64_t due_ns = timers_.next_due_ns();
  if (due_ns > determinism_.clock.now() + kMaxLateNs) return;
  if (!determinism_.schedule.one_in(kSlicesPerHoldUp)) return;
  --hold_ups_left_;
  determinism_.clock.move_to(due_ns);
}

void SeededScheduler::idle() {
  if (timers_.empty()) {
    // Nothing inside of the machine will ever wake anybody: this waits for Ctrl-C.
    vm_.schedulers().first().sleeper.sleep(-1);
    return;
  }
  std::uint64_t due_ns = timers_.next_due_ns();
  if (determinism_.schedule.one_in(4)) due_ns += determinism_.schedule.below(kMaxLateNs);
  determinism_.clock.move_to(due_ns);
}

void SeededScheduler::run_until_main_ends() {
  EpochMember& epoch = vm_.schedulers().first().epoch;
  MemoryMeter& memory = vm_.schedulers().first().memory;
  vm_.epochs().come(epoch);
  vm_.memory().begin(memory);
  try {
    work();
  } catch (const std::bad_alloc&) {
    vm_.give_up();
  }
  vm_.memory().fold(memory);
  vm_.epochs().leave(epoch);
  // A machine may run another main process later; who is left goes on then.
  for (Runnable& list : runnable_) {
    for (Process* process : list) queue_.push(*process);
  }
}

void SeededScheduler::work() {
  EpochMember& epoch = vm_.schedulers().first().epoch;
  while (!vm_.main_end.over.load(std::memory_order_acquire) && !vm_.stopping()) {
    vm_.epochs().pass(epoch);
    maybe_hold_up();
    slices_.fire_timers(determinism_.clock.now());
    collect_runnable();
    if (Process* process = choose()) {
      run_slice(*process);
    } else {
      idle();
    }
  }
}

}  // namespace quelea
