// Signals: all that one process can do to another, messages included.
//
// A signal is one piece of memory: this header, then the heap words of the terms it carries. A
// receiver adopts the memory of a message as it is. All kinds travel through one queue per process,
// so that signals between two processes arrive in the order they were sent.
#pragma once

#include "vm/heap/heap.h"
#include "vm/term/alloc.h"

namespace quelea {

class Process;
class Vm;

enum class SignalKind : std::uint8_t {
#define SIGNAL(name, sentence) name,
#include "vm/proc/signals.def"
#undef SIGNAL
};

struct Signal : Fragment {
  SignalKind kind;
  Term term;       ///< Message, reason, or the name a monitor was made with.
  Term from;       ///< Pid of the sender or of the process that the signal speaks of.
  Word reference;  ///< Number of a monitor or alias.
  Fragment* more;  ///< Further memory of a large term.
};

/// A signal that carries a copy of `term`.
Signal* make_signal(Vm& vm, SignalKind kind, Term term, Term from, Word reference = 0);
/// Gives a signal's memory back.
void drop_signal(Signal* signal);
/// Queues a signal for its receiver and wakes that. Any thread.
void post_signal(Process& to, Signal* signal);

inline Signal* as_signal(Fragment* fragment) { return static_cast<Signal*>(fragment); }

}  // namespace quelea
