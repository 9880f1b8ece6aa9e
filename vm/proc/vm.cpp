#include "vm/proc/vm.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "vm/code/code_registry.h"
#include "vm/native/native.h"
#include "vm/proc/determinism.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/run_queue.h"
#include "vm/proc/signal.h"
#include "vm/proc/timers.h"
#include "vm/term/etf.h"

namespace quelea {

namespace {

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
      atoms_(config.max_atoms),
      code_(std::make_unique<CodeRegistry>(undefined_handler)),
      processes_(std::make_unique<ProcessTable>(config.max_processes)),
      names_(std::make_unique<NameTable>()),
      run_queue_(std::make_unique<RunQueue>()),
      timers_(std::make_unique<Timers>()),
      determinism_(config.deterministic ? std::make_unique<Determinism>(config.seed) : nullptr),
      max_process_words_(
          (config.max_memory_bytes != 0 ? config.max_memory_bytes : default_process_bytes()) /
          sizeof(Word)),
      event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (config.max_memory_bytes != 0) {
    binaries_.limit = config.max_memory_bytes;
    binaries_.collect_after = std::min(binaries_.collect_after, binaries_.limit / 8);
  }
}

namespace {

/// Frees a process and all it holds, without telling anybody.
void destroy(Process& process) {
  if (Signal* signal = process.outer.exchange(nullptr, std::memory_order_acquire)) {
    while (signal != nullptr) {
      Signal* next = as_signal(signal->next);
      drop_signal(signal);
      signal = next;
    }
  }
  while (process.first_message != nullptr) {
    Fragment* next = process.first_message->next;
    drop_signal(as_signal(process.first_message));
    process.first_message = next;
  }
  delete process.native_state;
  delete process.extra_record;
  process.release_all();
  delete &process;
}

}  // namespace

Vm::~Vm() {
  std::vector<Process*> all;
  processes_->for_each([&](Process& process) { all.push_back(&process); });
  for (Process* process : all) destroy(*process);
  for (auto& area : areas_) area.reset();
  if (event_fd_ >= 0) close(event_fd_);
}

void Vm::halt(int status) {
  if (halted()) return;
  halt_status_ = status;
  halted_.store(true, std::memory_order_release);
  notify();
}

void Vm::interrupt() {
  interrupted_.store(true, std::memory_order_release);
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

Timers* Vm::timers_of(Word number) {
  return TimerPool::is_number(number) && TimerPool::wheel_of(number) == 0 ? timers_.get() : nullptr;
}

void Vm::wake(Process& process) {
  if (process.state != ProcessState::Waiting) return;
  process.state = ProcessState::Runnable;
  run_queue_->push(process);
}

void Vm::notify() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write_event(one);
}

std::ptrdiff_t Vm::write_event(std::uint64_t count) {
  return ::write(event_fd_, &count, sizeof count);
}

void Vm::sleep_until(std::uint64_t deadline_ns) {
  pollfd event{event_fd_, POLLIN, 0};
  timespec left{};
  if (deadline_ns != 0) {
    const std::uint64_t now = monotonic_ns();
    if (deadline_ns <= now) return;
    left.tv_sec = static_cast<std::time_t>((deadline_ns - now) / 1'000'000'000);
    left.tv_nsec = static_cast<long>((deadline_ns - now) % 1'000'000'000);
  }
  if (ppoll(&event, 1, deadline_ns != 0 ? &left : nullptr, nullptr) > 0) {
    std::uint64_t count;
    [[maybe_unused]] const auto got = ::read(event_fd_, &count, sizeof count);
  }
}

CopyOptions Vm::copy_options() const {
  return {code_->literals().begin(), code_->literals().end()};
}

InspectOptions Vm::inspect_options() {
  InspectOptions options;
  options.context = this;
  options.is_module = [](void* vm, Term atom) {
    return static_cast<Vm*>(vm)->code().find_module(atom) != nullptr;
  };
  return options;
}

Process* Vm::new_process(std::size_t block_words) {
  Process* process = Process::make(block_words);
  if (process == nullptr) return nullptr;
  process->vm_ = this;
  process->binary_account = &binaries_;
  process->pid_ = processes_->add(*process);
  if (process->pid_.is_none()) {
    process->release_all();
    delete process;
    return nullptr;
  }
  return process;
}

void Vm::drop_processes() {
  while (run_queue_->pop() != nullptr) continue;
  std::vector<Process*> all;
  processes_->for_each([&](Process& process) { all.push_back(&process); });
  for (Process* process : all) {
    if (process->extra_record != nullptr && process->extra_record->name.is_atom()) {
      names_->remove(process->extra_record->name);
    }
    free_process(*process);
  }
}

void Vm::destroy_process(Process& process) { destroy(process); }

void Vm::encode_value(std::string& out, Term value) {
  EtfEncodeOptions options;
  options.node = node_;
  etf_encode(out, value, atoms_, options);
}

void Vm::free_process(Process& process) {
  processes_->remove(process);
  destroy(process);
}

}  // namespace quelea
