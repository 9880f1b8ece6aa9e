#include "vm/proc/vm.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "vm/code/code_registry.h"
#include "vm/native/native.h"
#include "vm/proc/determinism.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/output.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"
#include "vm/proc/timers.h"
#include "vm/term/etf.h"

namespace quelea {

namespace {

/// What the machine may take where the host sets no limit.
std::size_t default_machine_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  std::size_t bytes = std::size_t{8} << 30;
  if (pages > 0 && page_bytes > 0) {
    bytes = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes) / 4 * 3;
  }
  rlimit address_space{};
  if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::size_t>(bytes, address_space.rlim_cur / 2);
  }
  return bytes;
}

/// What one process may use where the host sets no limit: growing and collecting copy, so that a
/// process needs up to three times this for a moment, and the machine is to outlive it.
std::size_t default_process_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  std::size_t bytes = std::size_t{4} << 30;
  if (pages > 0 && page_bytes > 0) {
    bytes = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes) / 8 * 3;
  }
  rlimit address_space{};
  if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::size_t>(bytes, address_space.rlim_cur / 4);
  }
  return bytes;
}

}  // namespace

Vm::Vm(VmConfig config, const void* undefined_handler)
    : config_(config),
      host_(config.host != nullptr ? config.host : &no_host_),
      memory_(std::make_unique<MemoryGuard>(
          *this, config.max_memory_bytes != 0 ? config.max_memory_bytes : default_machine_bytes())),
      atoms_(config.max_atoms),
      code_(std::make_unique<CodeRegistry>(undefined_handler)),
      processes_(std::make_unique<ProcessTable>(config.max_processes)),
      names_(std::make_unique<NameTable>()),
      determinism_(config.deterministic ? std::make_unique<Determinism>(config.seed) : nullptr),
      schedulers_(std::make_unique<Schedulers>(
          *this, config.deterministic ? 1u : std::clamp(config.schedulers, 1u, kMaxSchedulers))),
      output_(std::make_unique<Output>(*host_)),
      max_process_words_(
          (config.max_memory_bytes != 0 ? config.max_memory_bytes : default_process_bytes()) /
          sizeof(Word)) {
  started_ns_ = monotonic_ns();
  atoms_.watch(memory_->level());
  code_->watch(memory_->level());
  // A little less than the machine's: what can be refused is, before somebody must die.
  binaries_.limit = memory_->limit_bytes() / 16 * 15;
  binaries_.machine_bytes = &memory_->taken();
  binaries_.collect_after = std::min(binaries_.collect_after, binaries_.limit / 8);
}

void Vm::free_record(Process& process) {
  // Senders who found it look at its mailbox's limit.
  delete process.extra_record;
  delete &process;
}

void Vm::release_process(Process& process) {
  for (Signal* signal = close_signals(process); signal != nullptr;) {
    Signal* next = as_signal(signal->next);
    drop_signal(signal);
    signal = next;
  }
  while (process.first_message != nullptr) {
    Fragment* next = process.first_message->next;
    drop_signal(as_signal(process.first_message));
    process.first_message = next;
  }
  delete process.native_state;
  process.native_state = nullptr;
  if (process.has_backlog()) process.extra_record->backlog.reset();
  if (!process.has_mailbox_limit) {
    delete process.extra_record;
    process.extra_record = nullptr;
  }
  process.release_all();
}

Vm::~Vm() {
  drop_processes();
  for (AreaSlot& slot : areas_) slot.area.reset();
}

void Vm::halt(int status) {
  if (halted()) return;
  halt_status_.store(status, std::memory_order_relaxed);
  halted_.store(true, std::memory_order_release);
  notify();
}

void Vm::interrupt() {
  interrupted_.store(true, std::memory_order_release);
  notify();
}

void Vm::give_up() {
  gave_up_.store(true, std::memory_order_release);
  notify();
}

std::uint64_t Vm::monotonic_ns() const {
  return determinism_ == nullptr ? real_monotonic_ns() : determinism_->clock.now();
}

std::int64_t Vm::wall_clock_ns() const {
  if (determinism_ != nullptr) {
    return static_cast<std::int64_t>(VirtualClock::kWallClockStartNs - VirtualClock::kStartNs +
                                     determinism_->clock.now());
  }
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::uint64_t Vm::real_monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void Vm::log(LogLevel level, std::string_view line) { output_->log(level, line); }

void Vm::notify() { schedulers_->notify_all(); }

Timers* Vm::timers_of(Word number) {
  const unsigned wheel = TimerPool::wheel_of(number);
  return TimerPool::is_number(number) && wheel < schedulers_->count()
             ? &schedulers_->at(wheel).timers
             : nullptr;
}

CopyOptions Vm::copy_options() const {
  return {code_->literals().begin(), code_->literals().end()};
}

InspectOptions Vm::inspect_options() {
  InspectOptions options;
  options.context = this;
  // A module of the library is known before it is loaded: what is shown does not hang on that.
  options.is_module = [](void* context, Term atom) {
    auto* vm = static_cast<Vm*>(context);
    return vm->code().find_module(atom) != nullptr ||
           vm->host().is_in_library(vm->atoms().text(atom));
  };
  return options;
}

Process* Vm::new_process(SchedulerLocal& here, std::size_t block_words) {
  if (memory_->is_tight()) return nullptr;
  Process* process = Process::make(block_words);
  if (process == nullptr) return nullptr;
  process->local_ = &here;
  process->binary_account = &binaries_;
  return process;
}

void Vm::forget_new(Process& process) {
  if (!process.self().is_none()) processes_->remove(process, process.local().free_places);
  release_process(process);
  free_record(process);
}

void Vm::drop_processes() {
  SchedulerLocal& here = schedulers_->first();
  while (Process* process = here.queue.pop()) {
    // Who was in the middle of its end is in the table no more.
    if (process->state != ProcessState::Exiting) continue;
    release_process(*process);
    free_record(*process);
  }
  processes_->for_each([&](Process& process) {
    // On a thread that was left behind; it is still its.
    const ProcessState state = process.state;
    const bool runs = state == ProcessState::Running || state == ProcessState::Handling;
    if (schedulers_->has_abandoned() && runs) return;
    names_->close(process);
    processes_->remove(process, here.free_places);
    release_process(process);
    free_record(process);
  });
  // A thread that was left behind may be about to bury one.
  if (!schedulers_->has_abandoned()) epochs_.drain();
  memory_->forget_all();
}

void Vm::encode_value(std::string& out, Term value) {
  EtfEncodeOptions options;
  options.node = node_;
  etf_encode(out, value, atoms_, options);
}

}  // namespace quelea
