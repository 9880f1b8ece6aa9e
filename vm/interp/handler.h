// How an instruction's handler looks.
//
// Handlers are functions that tail-call the next instruction's handler, so that the machine's state
// stays in six argument registers: instruction pointer, frame pointer, process, reductions left,
// heap pointer and the value on its way to a return point. An instruction is the address of its
// handler and then its operands (the table in vm/code/loaded_module.h), all words, all absolute.
//
// Rules that keep them fast:
// - A hot handler calls nothing: what is rare is a handler of its own, reached by GO, marked COLD.
// Then the hot one
//   needs no frame, and `objdump` shows neither push nor pop in it.
// - A conditional jump is two separate dispatches; a choice of pc in one would serialise the loads.
// - No address of a local or argument escapes: that would forbid the tail call.
// - A helper that may build terms or raise is called between SYNC_OUT and SYNC_IN.
//
// Where the compiler does not promise sibling calls (debug and sanitizer builds) the same handlers
// return the next handler to a loop (vm/interp/run.cpp), with the registers in a structure.
#pragma once

#include <cstdint>

#include "vm/code/loaded_module.h"
#include "vm/heap/stack.h"
#include "vm/native/native.h"
#include "vm/proc/process.h"
#include "vm/proc/vm.h"
#include "vm/term/term.h"

namespace quelea {

struct Registers {
  const Word* pc;
  Term* fp;
  Process* p;
  std::int64_t reductions;
  Word* hp;
  Term value;
};

#if QUELEA_TAIL_HANDLERS
#define ARGS                                                                               \
  [[maybe_unused]] const Word *pc, [[maybe_unused]] Term *fp, [[maybe_unused]] Process *p, \
      [[maybe_unused]] std::int64_t reductions, [[maybe_unused]] Word *hp,                 \
      [[maybe_unused]] Term value
#define PASS pc, fp, p, reductions, hp, value
using HandlerResult = void;
using Handler = void (*)(const Word*, Term*, Process*, std::int64_t, Word*, Term);
#if defined(__clang__)
#define GO(handler) [[clang::musttail]] return (handler)(PASS)
#else
#define GO(handler) return (handler)(PASS)
#endif
/// Leaves the handlers: `run` returns.
#define LEAVE return
/// The value register is free in most instructions; this says so to the compiler.
#define DROP_VALUE asm("" : "=r"(value.bits))
/// Keeps the compiler from loading the next handler through another register.
#define OPAQUE_PC asm("" : "+r"(pc))
#else
struct NextHandler;
using Handler = NextHandler (*)(const Word*, Term*, Process*, std::int64_t, Word*, Term,
                                Registers*);
struct NextHandler {
  Handler handler;
};
using HandlerResult = NextHandler;
#define ARGS                                                                               \
  [[maybe_unused]] const Word *pc, [[maybe_unused]] Term *fp, [[maybe_unused]] Process *p, \
      [[maybe_unused]] std::int64_t reductions, [[maybe_unused]] Word *hp,                 \
      [[maybe_unused]] Term value, [[maybe_unused]] Registers *registers_
#define GO(handler)                                            \
  do {                                                         \
    *registers_ = Registers{pc, fp, p, reductions, hp, value}; \
    return NextHandler{(handler)};                             \
  } while (0)
#define LEAVE \
  return NextHandler { nullptr }
#define DROP_VALUE ((void)0)
#define OPAQUE_PC ((void)0)
#endif

#define HANDLER(name) HandlerResult do_##name(ARGS)
#define COLD(name) [[gnu::cold, gnu::noinline]] HandlerResult name(ARGS)

// Pairs with `specialise`, which other threads may be doing. A plain load of an aligned word is one
// load everywhere, and one that the jump takes as its operand; only the thread sanitizer wants it
// said.
#if defined(__SANITIZE_THREAD__)
#define HANDLER_AT(address) \
  (reinterpret_cast<Handler>(__atomic_load_n((address), __ATOMIC_RELAXED)))
#else
#define HANDLER_AT(address) (reinterpret_cast<Handler>(*(address)))
#endif
/// Goes on at pc.
#define DISPATCH GO(HANDLER_AT(pc))
/// Goes on behind an instruction of `words` operand words.
#define NEXT(words)    \
  do {                 \
    pc += 1 + (words); \
    OPAQUE_PC;         \
    DROP_VALUE;        \
    DISPATCH;          \
  } while (0)
/// Goes on at the target in operand word `index`.
#define JUMP(index)                                  \
  do {                                               \
    pc = reinterpret_cast<const Word*>(pc[(index)]); \
    DROP_VALUE;                                      \
    DISPATCH;                                        \
  } while (0)
/// A rare case: goes to a handler that does not want `value`.
#define GO_SLOW(handler) \
  do {                   \
    DROP_VALUE;          \
    GO(handler);         \
  } while (0)

/// The slot whose byte offset is in operand word `index`.
#define SLOT(index) slot_at(fp, pc[(index)])
/// The value of an X operand.
#define VALUE(index) value_at(fp, pc[(index)])

inline Term& slot_at(Term* fp, Word offset) {
  return *reinterpret_cast<Term*>(reinterpret_cast<char*>(fp) + static_cast<std::int64_t>(offset));
}

/// A slot's offset from fp is negative, a constant's address is not. No branch: both are one load.
inline Term value_at(const Term* fp, Word operand) {
  const auto all_or_nothing = static_cast<Word>(static_cast<std::int64_t>(operand) >> 63);
  const Word base = reinterpret_cast<Word>(fp) & all_or_nothing;
  return *reinterpret_cast<const Term*>(base + operand);
}
inline bool is_slot_operand(Word operand) { return static_cast<std::int64_t>(operand) < 0; }

inline Term* frame_below(Term* fp, Word base_bytes) {
  return reinterpret_cast<Term*>(reinterpret_cast<char*>(fp) - base_bytes);
}

/// Bytes between heap and stack.
#define ROOM (reinterpret_cast<char*>(fp) - reinterpret_cast<char*>(hp))

/// Before a call of something that may build or raise; `room` is the instruction's Z operand.
#define SYNC_OUT(room)                                                        \
  do {                                                                        \
    p->pc = pc;                                                               \
    p->fp = fp;                                                               \
    p->hp = hp;                                                               \
    p->limit = reinterpret_cast<Word*>(reinterpret_cast<char*>(fp) - (room)); \
    p->reductions = reductions;                                               \
  } while (0)
/// The same where an instruction has no Z: what is built goes to a fragment.
#define SYNC_OUT_ROOMLESS       \
  do {                          \
    p->pc = pc;                 \
    p->fp = fp;                 \
    p->hp = hp;                 \
    p->limit = hp;              \
    p->reductions = reductions; \
  } while (0)
#define SYNC_IN                                \
  do {                                         \
    if (p->in_fragment()) p->leave_fragment(); \
    hp = p->hp;                                \
    reductions = p->reductions;                \
  } while (0)

/// The end of an instruction that asked for the pool (`p->to_pool()`), because it would take long
/// and nobody may wait for it. It has not changed anything yet, p's registers are as SYNC_OUT left
/// them, and it is done again there. Its slots stay as they are: nothing is collected before the
/// next safe point.
#define LEAVE_FOR_POOL                         \
  do {                                         \
    if (p->in_fragment()) p->leave_fragment(); \
    LEAVE;                                     \
  } while (0)

/// Replaces the handler of the instruction at pc by one that fits its operands better. Any thread
/// may do so, and all do the same; whoever runs the old one meanwhile is right, too.
inline void specialise(const Word* pc, Handler handler) {
  __atomic_store_n(const_cast<Word*>(pc), reinterpret_cast<Word>(handler), __ATOMIC_RELAXED);
}

// Handlers that instructions share ----------------------------------------------------------------
/// An exception was set with p->raise; pc is the instruction that raised.
HandlerResult unwind(ARGS);
/// Collects or yields, then does the instruction at pc again. The caller has set p's roots
/// (live_map, extra_*) and passes the bytes of room wanted in `value`.
HandlerResult safe_point(ARGS);
/// Calls what `trap` asked for; fp is the callee's frame, whose slot 0 is set.
HandlerResult enter_pending_call(ARGS);
/// A native is to be called again: `value` is the room, roots are set, the process leaves.
HandlerResult native_again(ARGS);

/// In gcstress builds every safe point goes the slow way, but not twice for the same visit.
#if QUELEA_GCSTRESS
#define STRESS(p, pc) gc_stress_due(p, pc)
#define QUELEA_GCSTRESSING true
bool gc_stress_due(Process* p, const Word* pc);
#else
#define STRESS(p, pc) false
#define QUELEA_GCSTRESSING false
#endif

}  // namespace quelea
