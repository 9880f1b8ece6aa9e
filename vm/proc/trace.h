// Stack traces.
//
// When an exception is raised only addresses are kept: a raw trace is an object of raw words on the
// heap, each an address in code, the newest first. It is made readable when somebody asks.
#pragma once

#include <string>

#include "vm/proc/process.h"

namespace quelea {

inline constexpr std::size_t kMaxTraceEntries = 32;

/// The newest frame of a process that runs no code now; null when it returns from its oldest. At a
/// return point the frame at fp is gone already: its first word is the value that it returns.
Term* newest_frame(const Process& p);
/// The raw trace of where p is (pc, fp, at a return point or not), the arguments of its first entry
/// included where the exception has them.
Term capture_trace(Process& p);
/// The readable trace of a process at a safe place, built elsewhere.
Term trace_of_other(TermAlloc& to, const Process& process);
/// [(module, function, arity_or_args, [(:file, …), (:line, n)])]
Term readable_trace(Process& p, Term raw_trace);

/// A crash for people: class, reason, trace.
std::string crash_text(Process& p, Term class_atom, Term reason, Term readable);
void report_crash(Process& p, Term class_atom, Term reason, Term readable);
/// "process #Pid<0.5.0> (:name) labelled (:worker, 1)"
std::string named(Process& p);
/// The process dies of a full mailbox.
void report_full_mailbox(Process& p);
/// The machine is past its limit, and this process holds most.
void report_memory_limit(Process& p);
/// It was refused memory that it could not do without, and held so much.
void report_no_memory(Process& p, std::size_t held_bytes);
void report_heap_limit(Process& p, std::size_t used_words, bool killed);

}  // namespace quelea
