// A virtual machine: everything that its processes share. Many live in one host process; nothing is
// global.
//
// `make_vm` (vm/interp/machine.h) makes one that can run code; the layers above fill the hooks
// below.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "vm/base/host.h"
#include "vm/term/atoms.h"
#include "vm/term/copy.h"
#include "vm/term/identity.h"
#include "vm/term/inspect.h"
#include "vm/term/term.h"

namespace quelea {

class CodeRegistry;
struct Determinism;
class Process;
class ProcessTable;
struct ReturnPoint;
class NameTable;
class RunQueue;
class Timers;
class Vm;

struct VmConfig {
  /// Not owned; outlives the machine. Null: a host without anything.
  Host* host = nullptr;
  std::uint64_t max_processes = 0;  ///< 0: no limit but memory.
  std::uint64_t max_memory_bytes = 0;
  std::uint64_t seed = 0;  ///< 0: from the system.
  /// The seed, 0 too, decides all: scheduling, time, what is random (docs/design/deterministic.md).
  bool deterministic = false;
  std::uint32_t max_atoms = kDefaultAtomLimit;
};

class Vm {
 public:
  /// `undefined_handler` runs where an export without code is called.
  Vm(VmConfig config, const void* undefined_handler);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  const VmConfig& config() const { return config_; }
  AtomTable& atoms() { return atoms_; }
  CodeRegistry& code() { return *code_; }
  ProcessTable& processes() { return *processes_; }
  NameTable& names() { return *names_; }
  RunQueue& run_queue() { return *run_queue_; }
  Timers& timers() { return *timers_; }
  /// The wheel that a timer of this number belongs to; null where it is no timer's.
  Timers* timers_of(Word number);
  const NodeIdentity& node() const { return node_; }

  /// A number no other reference of this machine has.
  std::uint64_t next_ref_number() { return next_ref_.fetch_add(1, std::memory_order_relaxed); }

  Host& host() { return *host_; }
  // What the machine says, one at a time (vm/base/host.h). Any thread.
  bool write(int fd, std::string_view bytes) {
    std::lock_guard hold(output_lock_);
    return host_->write(fd, bytes);
  }
  void flush(int fd) {
    std::lock_guard hold(output_lock_);
    host_->flush(fd);
  }
  void log(LogLevel level, std::string_view line) {
    std::lock_guard hold(output_lock_);
    host_->log(level, line);
  }

  /// Ends the machine as soon as possible with this status (`System.halt`): what runs goes on to
  /// its next safe point.
  void halt(int status);
  bool halted() const { return halted_.load(std::memory_order_acquire); }
  int halt_status() const { return halt_status_; }
  /// Ctrl-C: may be called from any thread and from signal handlers.
  void interrupt();
  bool interrupted() const { return interrupted_.load(std::memory_order_acquire); }
  /// Either of the two: schedulers look here between slices.
  bool stopping() const { return halted() || interrupted(); }

  /// Time as programs and timers see it; virtual in a deterministic machine.
  std::uint64_t monotonic_ns() const;
  /// Nanoseconds since 1970, as programs see them.
  std::int64_t wall_clock_ns() const;
  /// Time outside, for what waits for other programs.
  static std::uint64_t real_monotonic_ns();
  /// Null in a machine that is not deterministic.
  Determinism* determinism() const { return determinism_.get(); }

  /// Makes a process that waits run again.
  void wake(Process& process);
  /// Sleeps until `notify`, at most until `deadline_ns` (monotonic; 0: no limit).
  void sleep_until(std::uint64_t deadline_ns);
  /// Ends `sleep_until`. Any thread, signal handlers included.
  void notify();

  /// Ends a process: signals, names and memory. It must not be running.
  void end_process(Process& process);
  /// Takes all processes away, without running any of their code. None may be running.
  void drop_processes();
  /// A new process that nobody knows yet, with a block of `words`; null at the limit.
  Process* new_process(std::size_t block_words);

  CopyOptions copy_options() const;
  InspectOptions inspect_options();
  /// No process may use more words than this.
  std::size_t max_process_words() const { return max_process_words_; }
  /// What all binaries take outside the heaps: limited like the heaps.
  const BinaryAccount& binaries() const { return binaries_; }

  /// The process whose end `run_main` waits for.
  Term main_pid = Term::none();
  /// How it ended: class, reason as text, trace; and its value.
  struct MainEnd {
    bool over = false;
    bool raised = false;
    std::string report;
    std::string value;  ///< External term format.
  };
  MainEnd main_end;
  /// Writes a term in external term format; set where the layers above want `main_end.value`.
  bool encode_main_value = false;

  /// State of natives' areas (random seeds, open files, regex caches): made on first use, destroyed
  /// with the machine. `Area` is default constructible; its `static constexpr unsigned kVmSlot` <
  /// kAreaSlots is its own.
  static constexpr unsigned kAreaSlots = 16;
  template <class Area>
  Area& area() {
    auto& slot = areas_[Area::kVmSlot];
    if (!slot) slot = std::make_shared<Area>();
    return *static_cast<Area*>(slot.get());
  }

  // Hooks of the layers above ---------------------------------------------------------------------
  /// Loads the module of a name through the host. False: there is none, or it was
  /// refused.
  bool (*autoload)(Vm&, Term module) = nullptr;
  /// What slot 0 of the oldest frame holds.
  const ReturnPoint* bottom_return_point = nullptr;

 private:
  std::ptrdiff_t write_event(std::uint64_t count);
  void free_process(Process& process);
  void destroy_process(Process& process);
  void encode_value(std::string& out, Term value);

  VmConfig config_;
  Host no_host_;
  Host* host_;
  std::mutex output_lock_;
  BinaryAccount binaries_;  // before what holds binaries, and so after it when all goes
  AtomTable atoms_;
  NodeIdentity node_;
  std::unique_ptr<CodeRegistry> code_;
  std::unique_ptr<ProcessTable> processes_;
  std::unique_ptr<NameTable> names_;
  std::unique_ptr<RunQueue> run_queue_;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<Determinism> determinism_;
  std::shared_ptr<void> areas_[kAreaSlots];
  std::atomic<std::uint64_t> next_ref_{1};
  std::atomic<bool> halted_{false};
  std::atomic<bool> interrupted_{false};
  std::size_t max_process_words_ = 0;
  int event_fd_ = -1;
  int halt_status_ = 0;
};

}  // namespace quelea
