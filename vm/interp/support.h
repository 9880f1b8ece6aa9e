// What handlers leave to C++: rare cases, and all that takes long anyway.
#pragma once

#include "vm/code/loaded_module.h"
#include "vm/proc/process.h"
#include "vm/proc/walk.h"
#include "vm/term/term.h"

namespace quelea {

/// Readies a call of `fun` with `arity` arguments in the slots below `frame`: puts the captured
/// values behind them and gives the entry. Null: raised, or the call is pending
/// (`enter_pending_call` collects first).
const Word* prepare_fun_call(Process& p, Term fun, Term* frame, Word arity);
/// The same for `receiver.name(…)`.
const Word* prepare_dynamic_call(Process& p, Term receiver, Term name, Term* frame, Word arity);

/// A native was refused memory, and left what it was at: `error :system_limit`. None.
Term raise_no_memory(Process& p);

/// Code of the function that is to be called, from `trap`; its arguments are put below `frame`.
/// Null: raised.
const Word* take_pending_call(Process& p, Term* frame);

/// After `Process::hibernate`: the stack goes, the memory is made as small as what lives, and the
/// process waits at the entry of its next call.
void fall_asleep(Process& p);

/// The same where the stack is kept: the native that asked for it is called again.
void doze(Process& p, std::int64_t room_bytes);

/// Collects where that is wanted or `room_bytes` are not free. False: the process is to exit.
bool collect_if_due(Process& p, std::int64_t room_bytes);
/// True: go on at p.pc with p's registers. False: leave.
bool at_safe_point(Process& p, std::int64_t room_bytes);

/// Finds who catches p's exception and goes there (p.pc, p.fp). False: nobody; the process is over.
bool find_catcher(Process& p);
/// What `catch` binds; the trace last, it ends the exception.
Term take_exception_class(Process& p);
Term take_exception_reason(Process& p);
Term take_exception_trace(Process& p);
/// Raises by raise_kinds.def; fp is the frame of p.pc.
void raise_by_kind(Process& p, unsigned kind, Term value, Term* fp);
/// The export's code after its module was asked for; null: undef raised, or p.pending says that the
/// instruction leaves and is done again. The arguments are below `frame`.
const Word* load_or_raise_undef(Process& p, const Export* target, Term* frame);

/// Whether what was just done left itself to the pool.
inline bool is_for_pool(const Process& p) {
  return QUELEA_UNLIKELY(p.pending == Process::Pending::Pool);
}

}  // namespace quelea
