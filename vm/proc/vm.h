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
#include "vm/proc/epochs.h"
#include "vm/proc/statistics.h"
#include "vm/proc/waiting.h"
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
class MemoryGuard;
class NameTable;
class Output;
class Schedulers;
class Timers;
struct SchedulerLocal;
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
  /// How many threads run processes, the one that runs the machine included. 0: that one alone, and
  /// none for what blocks either: no thread is ever made.
  unsigned schedulers = 0;
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
  Schedulers& schedulers() { return *schedulers_; }
  Epochs& epochs() { return epochs_; }
  /// The wheel that a timer of this number belongs to; null where it is no timer's.
  Timers* timers_of(Word number);
  Alarms& alarms() { return alarms_; }
  /// When it was made, by `monotonic_ns`.
  std::uint64_t started_ns() const { return started_ns_; }
  const NodeIdentity& node() const { return node_; }

  /// The first of `count` numbers that no reference of this machine has.
  std::uint64_t take_reference_numbers(std::uint64_t count) {
    return next_reference_.fetch_add(count, std::memory_order_relaxed);
  }

  Host& host() { return *host_; }
  /// What the machine says, one at a time.
  Output& output() { return *output_; }
  void log(LogLevel level, std::string_view line);

  /// Ends the machine as soon as possible with this status (`System.halt`): what runs goes on to
  /// its next safe point.
  void halt(int status);
  bool halted() const { return halted_.load(std::memory_order_acquire); }
  int halt_status() const { return halt_status_; }
  /// Ctrl-C: may be called from any thread and from signal handlers.
  void interrupt();
  bool interrupted() const { return interrupted_.load(std::memory_order_acquire); }
  /// Whether it was; the next call runs again. So each is told to the host once, and one that came
  /// while nothing ran ends the next call.
  bool take_halt() { return halted_.exchange(false, std::memory_order_acq_rel); }
  bool take_interrupt() { return interrupted_.exchange(false, std::memory_order_acq_rel); }
  /// What others wait for wants memory and got none for long: the machine stops, and all of its
  /// processes go, as soon as possible (`run_main`). Any thread.
  void give_up();
  bool gave_up() const { return gave_up_.load(std::memory_order_acquire); }
  /// They are gone.
  void start_over() { gave_up_.store(false, std::memory_order_release); }
  /// One of the three: schedulers look here between slices.
  bool stopping() const { return halted() || interrupted() || gave_up(); }

  /// Time as programs and timers see it; virtual in a deterministic machine.
  std::uint64_t monotonic_ns() const;
  /// Nanoseconds since 1970, as programs see them.
  std::int64_t wall_clock_ns() const;
  /// Time outside, for what waits for other programs.
  static std::uint64_t real_monotonic_ns();
  /// Null in a machine that is not deterministic.
  Determinism* determinism() const { return determinism_.get(); }

  /// All schedulers look around. Any thread, signal handlers included.
  void notify();

  /// Ends a process: signals, names and memory. The caller owns it, and it must not be running.
  /// Does not fail: who cannot be told makes the machine give up.
  void end_process(Process& process);
  /// The system refused what the process could not do without: it is to end, with a report. All
  /// that its heap had goes back at once, as its end wants some memory, too; this wants none.
  void kill_for_memory(Process& process);
  /// The next slice of the end of a process that knew many: its state is Exiting.
  void go_on_ending(Process& process);
  /// Takes all processes away, without running any of their code. None may be running.
  void drop_processes();
  /// A new process that nobody knows yet, with a block of `words`.
  Process* new_process(SchedulerLocal& here, std::size_t block_words);
  /// Nobody will ever know of it.
  void forget_new(Process& process);

  CopyOptions copy_options() const;
  InspectOptions inspect_options();
  /// No process may use more words than this.
  std::size_t max_process_words() const { return max_process_words_; }
  /// What all binaries take outside the heaps: limited like the heaps.
  const BinaryAccount& binaries() const { return binaries_; }
  /// What all of it takes.
  MemoryGuard& memory() { return *memory_; }

  /// The process whose end `run_main` waits for.
  Term main_pid = Term::none();
  /// How it ended: class, reason as text, trace; and its value.
  struct MainEnd {
    std::atomic<bool> over{false};  ///< Set last.
    bool raised = false;
    std::string report;
    std::string value;  ///< External term format.

    void reset() {
      over.store(false);
      raised = false;
      report.clear();
      value.clear();
    }
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
    AreaSlot& slot = areas_[Area::kVmSlot];
    // Acquire: pairs with the release below.
    void* made = slot.made.load(std::memory_order_acquire);
    if (made != nullptr) return *static_cast<Area*>(made);
    // Not std::call_once: glibc's pthread_once, which it uses, is not to be left by an exception.
    std::lock_guard hold(areas_lock_);
    if (slot.area == nullptr) slot.area = std::make_shared<Area>();
    slot.made.store(slot.area.get(), std::memory_order_release);
    return *static_cast<Area*>(slot.area.get());
  }

  /// Whose it is looks for a module that is missing and loads it, or loads another: of several who
  /// miss one the first searches, and the others find it.
  Turn& loading() { return loading_; }

  // Hooks of the layers above ---------------------------------------------------------------------
  /// Loads the module of a name through the host, while no process runs. False: there is none, or
  /// it was refused. Throws std::bad_alloc where there is no room for it.
  bool (*autoload)(Vm&, Term module) = nullptr;
  /// The same for a process. Later: it is to leave, and do again what it does. NoRoom: close to the
  /// machine's limit; a system_limit.
  enum class Loaded { No, Yes, Later, NoRoom };
  Loaded (*autoload_for)(Process&, Term module) = nullptr;
  /// What slot 0 of the oldest frame holds.
  const ReturnPoint* bottom_return_point = nullptr;

 private:
  struct AreaSlot {
    std::atomic<void*> made{nullptr};
    std::shared_ptr<void> area;  // guarded by areas_lock_
  };

  void bury(Process& process);
  /// Gives back what a process that has ended holds, but for the record itself.
  static void release_process(Process& process);
  static void free_record(Process& process);
  void note_main_end(Process& process, Term reason);
  void encode_value(std::string& out, Term value);

  VmConfig config_;
  Host no_host_;
  Host* host_;
  std::unique_ptr<MemoryGuard> memory_;
  BinaryAccount binaries_;  // before what holds binaries, and so after it when all goes
  AtomTable atoms_;
  NodeIdentity node_;
  std::unique_ptr<CodeRegistry> code_;
  std::unique_ptr<ProcessTable> processes_;
  std::unique_ptr<NameTable> names_;
  Epochs epochs_{&free_record};
  Alarms alarms_;
  std::uint64_t started_ns_ = 0;
  std::unique_ptr<Determinism> determinism_;
  std::unique_ptr<Schedulers> schedulers_;
  std::unique_ptr<Output> output_;
  Turn loading_;
  std::mutex areas_lock_;
  AreaSlot areas_[kAreaSlots];
  std::atomic<std::uint64_t> next_reference_{1};
  std::atomic<bool> halted_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> gave_up_{false};
  std::size_t max_process_words_ = 0;
  std::atomic<int> halt_status_{0};
};

}  // namespace quelea
