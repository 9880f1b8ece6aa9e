// A process: its heap and stack, where it goes on, its mailbox, and what natives may do with it.
//
// The record is small, because there may be millions: what few processes need (links, monitors,
// dictionary, an exception under way, limits) is in a ProcessExtra that is allocated when first
// needed. Only the owner touches any of this: the process itself while it runs, or the scheduler
// that holds it. Everybody else sends signals (vm/proc/signal.h), which the owner handles before it
// runs and when it looks for messages.
//
// Natives: those functions marked "raises" return the result, or `Term::none()` after they set an
// exception, so that `return p.link(args[0]);` is right. Building never moves terms
// (vm/term/alloc.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "vm/base/memory.h"
#include "vm/heap/heap.h"
#include "vm/term/atoms.h"
#include "vm/term/term.h"

namespace quelea {

class Vm;
class Process;
struct ProcessExtra;
struct Unwinding;
struct Signal;
struct NativeState;
struct LoadedFunction;
struct SchedulerLocal;

/// What processes read of the SchedulerLocal that runs them without knowing the rest.
struct LocalHead {
  Vm* vm;
};

/// What became of the signals that had arrived.
enum class Handled : std::uint8_t {
  All,    ///< All of them took effect.
  Some,   ///< So many that it is the turn of other processes (vm/proc/signal_backlog.h).
  Exits,  ///< One of them ends the process (`pending` says so).
};

/// Lower runs first.
enum class Priority : std::uint8_t { Max, High, Normal, Low };

enum class ProcessState : std::uint8_t {
  Runnable,  ///< In a run queue.
  Running,
  Handling,  ///< Running; what was in `outer` takes effect, or the process is over of it.
  Waiting,   ///< In a receive or a native, until a signal or timer wakes it.
  Exiting,   ///< No code of it runs any more.
};

/// What happens to a process whose heap grows past `max_heap`.
enum class HeapLimitAction : std::uint8_t {
  Kill,   ///< It dies with the reason :killed.
  Error,  ///< `error :system_limit` is raised where it is noticed.
  Log,
};

/// What happens to a message for a mailbox that is full.
enum class OnFull : std::uint8_t { DropNew, DropOld, Kill, Block };

/// What ends an alias, beside `unalias`.
enum class AliasUse : std::uint8_t {
  None,      ///< It is none.
  Explicit,  ///< Nothing.
  Monitor,   ///< The end of the monitor it belongs to.
  Reply,     ///< That, and the first message, which ends the monitor as well.
};

struct MonitorOptions {
  AliasUse alias = AliasUse::None;  ///< The reference is an alias, too.
  bool priority = false;            ///< :DOWN comes as a priority message.
  Term tag = Term::none();          ///< In place of :DOWN; none: :DOWN.
};

struct SpawnOptions {
  bool link = false;
  bool link_priority = false;  ///< As of `Process::link`.
  bool monitor = false;
  MonitorOptions monitoring;
  Priority priority = Priority::Normal;
  Term name = Term::none();  ///< Atom to register it by.
  std::size_t min_heap_words = 0;
  std::size_t max_heap_words = 0;  ///< 0: no limit.
  HeapLimitAction max_heap_action = HeapLimitAction::Kill;
  std::uint32_t max_mailbox = 0;  ///< Messages; 0: no limit.
  OnFull on_full = OnFull::Kill;
};

class Process : public Heap {
 public:
  // What natives use -----------------------------------------------------------------------------
  Vm& vm() const { return *local_->vm; }
  Term self() const { return pid_; }
  /// Of the thread that runs it (vm/proc/local.h).
  SchedulerLocal& local() const;

  /// Raises: class is :error, :exit or :throw. Always none.
  Term raise(Term class_atom, Term reason);
  Term raise_error(Term reason) { return raise(atoms::error, reason); }
  Term badarg() { return raise_error(atoms::badarg); }
  Term badarith() { return raise_error(atoms::badarith); }
  /// Raises anew with the trace of an exception that was caught: raw, or a list as `Prim.trace`
  /// gives.
  Term reraise(Term class_atom, Term reason, Term trace);

  /// Pays for work done, beyond the one reduction of the call.
  void charge(std::int64_t count) { reductions -= count; }
  /// The slice is over: a long native should save its state in its arguments and return `again()`.
  bool spent() const { return reductions <= 0; }
  /// Call this native again, with its arguments as they are now, after others have had their turn.
  /// Always none.
  Term again();
  /// The same, but only when a signal has arrived, or `wake` was called, or `timeout_ms` have
  /// passed (negative: never).
  Term again_when_woken(std::int64_t timeout_ms = -1);
  /// Whether the native runs on a thread that may block. Where it does not, a native that may block
  /// returns `to_pool()`, before it has done anything: it is called again on one that may.
  bool on_pool() const;
  Term to_pool();

  /// The native's result is the result of a call of this function (newest version, loaded when
  /// missing). Always none.
  Term trap(Term module, Term name, std::initializer_list<Term> args);
  Term trap(Term module, Term name, std::span<const Term> args);
  Term trap_fun(Term fun, std::initializer_list<Term> args);
  Term trap_fun(Term fun, std::span<const Term> args);

  /// Where there is no message, the process gives all memory back that it does not need, waits for
  /// one, and is asked again: ok.
  Term hibernate();
  /// The process forgets where it is, gives all memory back that it does not need, and waits for a
  /// signal; then it calls this function, as if that were what it was started with. Always none.
  Term hibernate(Term module, Term name, std::span<const Term> args);

  // Processes (all raise badarg for arguments that make no sense)
  // -----------------------------------
  /// A pid, or (pid, ref) with `options.monitor`.
  Term spawn_fun(Term fun, const SpawnOptions& options);
  Term spawn_call(Term module, Term name, Term arg_list, const SpawnOptions& options);
  /// `dest ! message`: pid, registered name, alias (reference), (name, node). The message.
  /// `priority` is for aliases that take it. None, with the pool asked for, where it is huge.
  Term send(Term dest, Term message, bool priority = false);
  /// True. With `priority` an :EXIT message of this link is one; what the last call said holds.
  Term link(Term pid, bool priority = false);
  Term unlink(Term pid);                                               ///< true
  Term monitor(Term pid_or_name, const MonitorOptions& options = {});  ///< a reference
  Term demonitor(Term ref, bool flush);             ///< whether it was a monitor that had not fired
  Term alias(AliasUse use, bool priority = false);  ///< a reference that messages can be sent to
  Term unalias(Term ref);                           ///< whether it was one
  /// `exit(pid_or_alias, reason)`: true; raises nothing but badarg, but may end the process: none.
  /// `priority` is for aliases that take it.
  Term exit_signal(Term to, Term reason, bool priority = false);
  Term register_name(Term name, Term pid);  ///< true
  Term unregister_name(Term name);          ///< true
  Term whereis(Term name);                  ///< the pid, or nil
  Term is_alive(Term pid);                  ///< local pid: boolean
  Term make_reference();
  /// A number no other reference of this machine has.
  Word next_reference_number();
  /// A reference; after `ms` milliseconds the message is sent. Dest: a local pid or a name.
  Term send_after(Term dest, Term message, Term ms);
  Term start_timer(Term dest, Term message,
                   Term ms);    ///< as Erlang's: sends (:timeout, ref, message)
  Term cancel_timer(Term ref);  ///< milliseconds left, or false
  Term read_timer(Term ref);    ///< milliseconds left, or false
  /// trap_exit, priority, min_heap, max_heap: the old value.
  Term set_flag(Term flag, Term value);
  /// The value of an item; for a list of items [(item, value)], for `nil` a map of the usual ones.
  /// `nil` for a dead process. May ask to be called again.
  Term info(Term pid, Term asked);
  Term set_group_leader(Term pid, Term leader);  ///< true
  Term set_label(Term label);                    ///< ok

  // Process dictionary: nil where there is nothing.
  Term dictionary_get(Term key, std::size_t& work);
  Term dictionary_put(Term key, Term value, std::size_t& work);  ///< the old value
  Term dictionary_erase(Term key, std::size_t& work);            ///< the old value

  /// Collects at the next safe point (right after the native that asks).
  void request_collection(bool full);
  /// The readable form of a raw trace (what `catch` gives).
  Term trace_of(Term raw_trace);
  /// Raw trace of where this process is.
  Term current_trace();

  // What the interpreter and the scheduler use
  // ------------------------------------------------------

  /// A process with a first block of at least `block_words`; a small one lies behind the record, in
  /// the same piece of memory. Null when there is none. `delete` gives the record back.
  static Process* make(std::size_t block_words);
  static void* operator new(std::size_t bytes) noexcept { return allocate(bytes); }
  static void operator delete(void* memory) { release(memory); }

  // The first fields fill up the last word of Heap; the record is to stay small, so that others,
  // too, are in order of size rather than of what they are for.

  /// Set before anybody knows the process: senders look at `extra_record->mailbox_limit`.
  bool has_mailbox_limit = false;
  /// Left in this slice. Kept in a register while handlers run. Zero or less: go the slow way at
  /// the next safe point.
  std::int64_t reductions = 0;
  /// Where it goes on, and its frame.
  const Word* pc = nullptr;
  Term* fp = nullptr;
  /// Its roots. With kAtReturnPoint pc is a return point, fp a callee's that is gone, there is no
  /// frame of its own, and the root is the value on its way there. Else they are slots of the
  /// frame: a live map, and [extra_first, extra_first + extra_count).
  union {
    Term value = Term::small(0);
    Word live_map;
  };
  std::uint16_t extra_first = 0;
  std::uint16_t extra_count = 0;

  /// Written by the owner, and by whoever wakes it: from Waiting to Runnable.
  std::atomic<ProcessState> state{ProcessState::Runnable};
  Priority priority = Priority::Normal;
  /// Bits below.
  std::uint8_t flags = 0;
  static constexpr std::uint8_t kTrapExit = 1;
  static constexpr std::uint8_t kWeighsMessages = 2;  ///< ProcessExtra::message_words is true.
  static constexpr std::uint8_t kTimedOut = 4;        ///< The time of the receive is over.
  static constexpr std::uint8_t kAtReturnPoint = 8;
  static constexpr std::uint8_t kWoken = 16;
  static constexpr std::uint8_t kCollectedInReceive = 32;  ///< Since the last message was taken.
  static constexpr std::uint8_t kKeepsPlaces = 64;         ///< In its mailbox: MailboxPlaces.
  static constexpr std::uint8_t kBlocked = 128;            ///< Until a full mailbox has room.
  bool has_flag(std::uint8_t bit) const { return (flags & bit) != 0; }
  void set_flag_bit(std::uint8_t bit, bool on) {
    flags = static_cast<std::uint8_t>(on ? flags | bit : flags & ~bit);
  }

  /// What a native asked for instead of a result, or that the process is over.
  enum class Pending : std::uint8_t {
    None,
    Exception,
    Again,
    Wait,
    Call,
    Hibernate,
    Doze,  ///< Hibernates with its stack.
    Pool,
    Exit,   ///< With the reason in `unwinding`.
    Killed  ///< With the reason :killed, for which no memory is wanted.
  };
  Pending pending = Pending::None;
  bool is_over() const { return pending >= Pending::Exit; }

  // Mailbox: the inner queue, messages in order of arrival.
  Fragment* first_message = nullptr;
  Fragment** last_link = &first_message;  ///< Where the next arrival is linked.
  /// Link to the message a receive looks at; between receives to nothing.
  Fragment** scan_link = no_message();
  const Word* receive_site = nullptr;  ///< The recv_start instruction of the receive.
  std::uint32_t message_count = 0;
  /// Reductions taken away by `interrupt_slice` and given back at the safe point.
  std::int32_t held_reductions = 0;

  /// Other processes' signals, newest first; the owner takes all at once (vm/proc/signal.h). Closed
  /// when it has ended.
  std::atomic<Signal*> outer{nullptr};

  /// The index of the atom it is registered by (NameTable).
  static constexpr std::uint32_t kUnnamed = ~std::uint32_t{0};
  static constexpr std::uint32_t kClosed = kUnnamed - 1;
  std::atomic<std::uint32_t> name_place{kUnnamed};
  std::uint32_t collections_ = 0;
  /// An atom, or none.
  Term registered_name() const {
    const std::uint32_t place = name_place.load(std::memory_order_relaxed);
    return place < kClosed ? Term::atom(place) : Term::none();
  }

  /// A link with nothing behind it, which is never written.
  static Fragment** no_message() {
    static constexpr Fragment* kNothing = nullptr;
    return const_cast<Fragment**>(&kNothing);
  }

  Process* next_in_queue = nullptr;  ///< In a run queue.
  ProcessExtra* extra_record = nullptr;
  std::uint64_t receive_timer = 0;  ///< Number of the running receive timer, or 0.
  std::uint64_t reductions_done = 0;
  /// What a native keeps between `again` and its next call (vm/native/native.h); else null. The
  /// collector treats its roots as roots; it is deleted with the process.
  NativeState* native_state = nullptr;

  ProcessExtra& extra();
  Unwinding& unwinding();
  /// The same, or null where there was none yet.
  const Unwinding* known_unwinding() const;
  /// Asks for the slow way at the next safe point.
  void interrupt_slice() {
    if (reductions > 0) {
      held_reductions += static_cast<std::int32_t>(reductions);
      reductions = 0;
    }
  }
  /// Lets signals that arrived take effect, as many as a slice may. Throws nothing: with a signal
  /// for which there is no memory the process is over.
  Handled handle_signals();
  /// For natives that speak of all that has arrived. False: the process is to exit, or others run
  /// before the native is called again, which then is told true: what comes meanwhile is too late.
  bool arrivals_took_effect();
  /// Some were taken out of the queue, and its code does not go on before they took effect.
  bool has_backlog() const;
  /// This end of a monitor: its reference, and all that wants memory; then the rest.
  Term prepare_monitor(const MonitorOptions& options);
  void note_monitor(Term ref, Term target, const MonitorOptions& options, Term name = Term::none());
  /// Sends a signal to another process, or to itself. False: that has ended, the signal is gone.
  bool post(Process& to, Signal* signal);
  /// For the end: the answer to a signal that comes too late, if it wants one.
  void take_last_relation(Signal* signal);
  /// The process ends with this reason at the next opportunity.
  void exit_with(Term reason);
  /// Collects now; `room_bytes` will be free. Only where the roots are known (pc, fp, live_map, …).
  /// False: the heap limit is passed; the process is to exit.
  bool collect(std::size_t room_bytes, bool full);
  /// A step of the cycle of marking that is under way. False: the process waits for its end, which
  /// is not reached. Anywhere: no roots are looked at, nothing moves.
  bool continue_marking();
  /// Collects everything into one block with `room_bytes` to spare and no more.
  void compact(std::size_t room_bytes);
  /// `TermAlloc::grow` of a process: a fragment, and a collection soon; with 0 words only the
  /// latter.
  static Word* grow_heap(TermAlloc& self, std::size_t words);
  /// The next collection takes longer than neighbours should wait: it belongs to the pool.
  bool long_collection_ahead() const;
  /// Does what is to be done where a limit is passed. `is_exact`: nothing dead counts.
  bool within_heap_limit(bool is_exact);
  std::size_t heap_limit_words() const;
  bool passes_heap_limit(std::size_t* used, bool is_exact) const;
  bool heap_limit_acts(bool is_exact, std::size_t* used = nullptr) const;
  bool fragments_due() const { return fragment_words_ > block_words() / 2 + 512; }
  void interrupt_for_collection() { request_collection(false); }
  std::uint32_t collections() const { return collections_; }
  /// Bytes that the frame of the function at `at` needs below fp.
  std::size_t frame_room(const Word* at) const;

#if QUELEA_GCSTRESS
  const Word* stress_pc = nullptr;
  unsigned stress_skipped = 0;
#endif
  LocalHead* local_ = nullptr;
  Term pid_ = Term::none();
  /// Who spawned it, alive or not; nil: the host did.
  Term parent_ = atoms::nil;
};
#if !QUELEA_GCSTRESS
// With its first block of 15 words a parked process is a piece of 384 bytes
// (docs/design/memory.md).
static_assert(sizeof(Process) <= 264);
#endif

}  // namespace quelea
