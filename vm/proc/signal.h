// Signals: all that one process can do to another, messages included.
//
// A signal is one piece of memory: this header, then the heap words of the terms it carries. A
// receiver adopts the memory of a message as it is. All kinds travel through one queue per process,
// so that signals between two processes arrive in the order they were sent.
#pragma once

#include <memory>
#include <new>

#include "vm/heap/heap.h"
#include "vm/term/alloc.h"

namespace quelea {

class Process;
class Vm;
struct SchedulerLocal;

enum class SignalKind : std::uint8_t {
#define SIGNAL(name, sentence) name,
#include "vm/proc/signals.def"
#undef SIGNAL
};

/// What a plain message does not need, and most signals are plain messages: it lies behind the
/// words of the others.
struct SignalTail {
  Term from;                 ///< Pid of the sender or of the process that the signal speaks of.
  Word reference;            ///< Number of a monitor or alias.
  Fragment* more = nullptr;  ///< Further memory of a large term.
};

struct Signal : Fragment {
  Term term;  ///< Message, reason, or the name a monitor was made with.

  /// A message of fewer words has no tail, and so no further memory.
  static constexpr std::size_t kLargeWords = 256;
  static constexpr bool wants_tail(SignalKind kind, std::size_t words) {
    return kind != SignalKind::Message || words >= kLargeWords;
  }
  static constexpr std::size_t bytes_for(SignalKind kind, std::size_t words) {
    return kHeaderBytes + words * sizeof(Word) + (wants_tail(kind, words) ? sizeof(SignalTail) : 0);
  }

  /// In memory of `bytes_for`.
  Signal(SignalKind kind, std::size_t words, Term from, Word reference)
      : Fragment(words), term(Term::none()) {
    set_kind(kind);
    if (!wants_tail(kind, words)) return;
    tag |= kHasTail;
    new (tail()) SignalTail{from, reference};
  }

  SignalKind kind() const { return static_cast<SignalKind>(tag & ~kHasTail); }
  /// What it has behind its words stays.
  void set_kind(SignalKind kind) { tag = (tag & kHasTail) | static_cast<std::uint8_t>(kind); }
  bool has_tail() const { return (tag & kHasTail) != 0; }
  /// Where it has one, before it is adopted.
  SignalTail* tail() { return reinterpret_cast<SignalTail*>(limit()); }
  const SignalTail* tail() const { return const_cast<Signal*>(this)->tail(); }
  Term from() const { return has_tail() ? tail()->from : Term::none(); }
  Word reference() const { return has_tail() ? tail()->reference : 0; }
  Fragment* more() const { return QUELEA_UNLIKELY(has_tail()) ? tail()->more : nullptr; }

 private:
  static constexpr std::uint8_t kHasTail = 0x80;
};
static_assert(sizeof(Signal) == Fragment::kHeaderBytes);

/// A signal that carries a copy of `term`, with room for `room` words more that its receiver may
/// build behind it.
Signal* make_signal(Vm& vm, SignalKind kind, Term term, Term from, Word reference = 0,
                    std::size_t room = 0);
/// The same where its words were counted, with `signal_words`.
Signal* make_counted_signal(Vm& vm, SignalKind kind, Term term, std::size_t words, Term from,
                            Word reference = 0, std::size_t room = 0);
/// Words of memory that a signal needs for a term; kSharingThreshold or more: it is large.
std::size_t signal_words(Vm& vm, Term term);
/// Whether a copy of the term takes some milliseconds, and is to be made where nobody waits for it:
/// on the pool.
bool is_huge_message(const Process& p, Term message);
/// Words of the messages that exits and ends of monitors become.
inline constexpr std::size_t kExitMessageWords = 4;
inline constexpr std::size_t kDownMessageWords = 12;
/// Gives a signal's memory back.
void drop_signal(Signal* signal);
/// The memory of another signal, which is over, becomes that of `signal`, which has a tail, and
/// whose term may refer to it.
void take_memory(Signal* signal, Signal* other);
struct SignalDropper {
  void operator()(Signal* signal) const { drop_signal(signal); }
};
/// A signal that is made before anything is changed, as only that may fail.
using OwnedSignal = std::unique_ptr<Signal, SignalDropper>;
/// Queues a signal for its receiver and wakes that. `here` is the caller's; `to` was found in this
/// slice. False: the receiver has ended; the signal is gone. Wants no memory.
///
/// The queue is a stack that senders push to and the owner takes as a whole, which Treiber
/// ("Systems programming: coping with parallelism", 1986) calls the trivial case: nobody ever
/// removes one element, so that an address that comes again means nothing. A sender pushes, then
/// looks whether the owner waits; an owner that is about to wait says so and then looks into the
/// queue again (Scheduler::park). All four are sequentially consistent, so that one of them sees
/// the other.
bool post_signal(SchedulerLocal& here, Process& to, Signal* signal);
/// Makes and queues a signal that must not get lost, as others wait for it. Throws nothing: where
/// there is no memory for it for long, the machine gives up.
void post_due_signal(SchedulerLocal& here, Process& to, SignalKind kind, Term term, Term from,
                     Word reference = 0, std::size_t room = 0);
/// Closes the queue of a process that has ended: nothing comes in any more. What was in it, newest
/// first; nothing when it is closed already.
Signal* close_signals(Process& process);

inline Signal* as_signal(Fragment* fragment) { return static_cast<Signal*>(fragment); }

/// Turns what was taken from a queue around: moves up to `most` signals from a list that begins
/// with its newest to the front of one that begins with its oldest. How many it moved.
inline std::uint32_t turn_around(Signal*& newest, Signal*& oldest, std::uint32_t most) {
  std::uint32_t count = 0;
  for (; newest != nullptr && count < most; ++count) {
    Signal* next = as_signal(newest->next);
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return count;
}

}  // namespace quelea
