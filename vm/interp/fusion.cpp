#include "vm/interp/fusion.h"

#include <utility>

#include "vm/code/opcodes.h"
#include "vm/interp/bodies.h"
#include "vm/interp/calls.h"
#include "vm/interp/handlers.h"

namespace quelea {

#define OP(name, operands, flags, sentence) HANDLER(name);
#include "vm/code/opcodes.def"
#undef OP

namespace {

using bodies::Outcome;

/// The proper handler of an instruction: what a part that gave up goes to.
template <class Body>
struct Proper;
#define OP(name, operands, flags, sentence)         \
  struct Proper_##name {                            \
    static constexpr Handler kHandler = &do_##name; \
  };
#include "vm/code/opcodes.def"
#undef OP

template <class... Bodies>
struct List {};

/// The parts, each with its proper handler. All may come first or second.
#define PARTS(X)                                                                                  \
  X(move)                                                                                         \
  X(load)                                                                                         \
  X(get_head) X(get_tail) X(get_cell) X(get_elem) X(add) X(sub) X(add_imm) X(sub_imm) X(alloc)    \
      X(cons) X(eq_imm) X(ne_imm) X(is_cons) X(is_tuple_n) X(is_tagged_tuple) X(lt_imm) X(ge_imm) \
          X(gt_imm) X(le_imm) X(lt) X(ge) X(eq_num) X(ne_num) X(eq) X(ne) X(is_atom) X(uncons)    \
              X(new_cons) X(bs_byte)

#define PART(name) \
  template <>      \
  struct Proper<bodies::name> : Proper_##name {};
PARTS(PART)
#undef PART

// How a pair ends. `run` is a tail call in every case, and inlined: no register is spilled.

#define FIRST_HALF(First)                                    \
  switch (First::run(pc, fp, hp, p)) {                       \
    case Outcome::Rare:                                      \
      GO_SLOW(Proper<First>::kHandler);                      \
    case Outcome::No:                                        \
      if constexpr (First::kLabel != 0) JUMP(First::kLabel); \
      break;                                                 \
    case Outcome::Done:                                      \
      break;                                                 \
  }                                                          \
  pc += 1 + First::kWords

template <class First, class Second>
HandlerResult pair(ARGS) {
  FIRST_HALF(First);
  switch (Second::run(pc, fp, hp, p)) {
    case Outcome::Rare:
      GO_SLOW(Proper<Second>::kHandler);
    case Outcome::No:
      if constexpr (Second::kLabel != 0) JUMP(Second::kLabel);
      break;
    case Outcome::Done:
      break;
  }
  NEXT(Second::kWords);
}

template <class First>
HandlerResult then_ret(ARGS) {
  FIRST_HALF(First);
  value = SLOT(1);
  RETURN;
}

template <class First>
HandlerResult then_ret_const(ARGS) {
  FIRST_HALF(First);
  value.bits = pc[1];
  RETURN;
}

template <class First>
HandlerResult then_jump(ARGS) {
  FIRST_HALF(First);
  JUMP(1);
}

template <class First>
HandlerResult then_loop(ARGS) {
  FIRST_HALF(First);
  if (QUELEA_UNLIKELY(reductions <= 1) || QUELEA_GCSTRESSING) GO_SLOW(&do_loop);
  --reductions;
  JUMP(1);
}

template <class First>
HandlerResult then_tail_call(ARGS) {
  FIRST_HALF(First);
  ENTER(reinterpret_cast<const Word*>(pc[1]));
}

template <class First, unsigned base>
HandlerResult then_call(ARGS) {
  FIRST_HALF(First);
  PUSH_FRAME(base * sizeof(Word), pc + 2);
  ENTER(reinterpret_cast<const Word*>(pc[1]));
}

template <class First, unsigned count>
HandlerResult then_tuple(ARGS) {
  FIRST_HALF(First);
  hp[0] = Header::make(Kind::Tuple, count).bits;
#pragma GCC unroll 8
  for (unsigned i = 0; i < count; ++i) hp[1 + i] = VALUE(3 + i).bits;
  SLOT(1) = Term::boxed(hp);
  hp += 1 + count;
  NEXT(2 + count);
}

constexpr unsigned kCallBases = 9;   ///< Calls at 1 to 8 slots.
constexpr unsigned kTupleSizes = 5;  ///< Tuples of up to 4 elements.

/// What a first part may be fused with: handlers by second op, null where there is none.
struct Row {
  Handler second[kOpCount] = {};
  Handler call[kCallBases] = {};
  Handler tuple[kTupleSizes] = {};
};

template <class First, unsigned... bases, unsigned... counts>
constexpr Row make_row(std::integer_sequence<unsigned, bases...>,
                       std::integer_sequence<unsigned, counts...>) {
  Row row;
#define PART(name) row.second[op_##name] = &pair<First, bodies::name>;
  PARTS(PART)
#undef PART
  row.second[op_ret] = &then_ret<First>;
  row.second[op_ret_const] = &then_ret_const<First>;
  row.second[op_jump] = &then_jump<First>;
  row.second[op_loop] = &then_loop<First>;
  row.second[op_tail_call] = &then_tail_call<First>;
  ((row.call[bases] = &then_call<First, bases>), ...);
  ((row.tuple[counts] = &then_tuple<First, counts>), ...);
  return row;
}

template <class First>
constexpr Row kRow = make_row<First>(std::make_integer_sequence<unsigned, kCallBases>(),
                                     std::make_integer_sequence<unsigned, kTupleSizes>());

const Row* row_of(unsigned op) {
  switch (op) {
#define PART(name) \
  case op_##name:  \
    return &kRow<bodies::name>;
    PARTS(PART)
#undef PART
    default:
      return nullptr;
  }
}

/// Instructions by the address of their proper handler: open addressing.
class OpFinder {
 public:
  OpFinder() {
    for (unsigned op = 0; op < kHandlerCount; ++op) {
      const auto handler = reinterpret_cast<Word>(handler_table()[op]);
      std::size_t at = place(handler);
      while (entries_[at].handler != 0) at = (at + 1) % kSize;
      entries_[at] = {handler, op};
    }
  }
  unsigned find(Word handler) const {
    for (std::size_t at = place(handler); entries_[at].handler != 0; at = (at + 1) % kSize) {
      if (entries_[at].handler == handler) return entries_[at].op;
    }
    return kHandlerCount;
  }

 private:
  static constexpr std::size_t kSize = 1024;
  static std::size_t place(Word handler) { return (handler >> 4) * 0x9E3779B97F4A7C15u >> 54; }
  struct Entry {
    Word handler = 0;
    unsigned op = 0;
  };
  Entry entries_[kSize];
};

/// Words of the instruction at `at`, its handler included.
std::size_t instruction_words(unsigned op, const Word* at) {
  if (op == loader_op_return_point) return 4;
  if (op == loader_op_undefined) return 2;
  if (op == loader_op_switch_imm_table || op == loader_op_switch_arity_table) return 5 + at[4];
  const Word* operand = at + 1;
  for (const char* letter = op_info(static_cast<Op>(op)).operands; *letter != 0; ++letter) {
    switch (*letter) {
      case 'R':
        operand += 4;
        break;
      case 'V':
        operand += 1 + *operand;
        break;
      case 'W':
        operand += 1 + 2 * *operand;
        break;
      case 'G':
        operand += 1 + 4 * *operand;
        break;
      default:
        ++operand;
    }
  }
  return static_cast<std::size_t>(operand - at);
}

Handler choose(unsigned op, unsigned next_op, const Word* next) {
  const Row* row = row_of(op);
  if (row == nullptr || next_op >= kOpCount) return nullptr;
  if (next_op == op_call) {
    const Word base = next[3] / sizeof(Word);
    return base < kCallBases ? row->call[base] : nullptr;
  }
  if (next_op == op_tuple) return next[2] < kTupleSizes ? row->tuple[next[2]] : nullptr;
  return row->second[next_op];
}

}  // namespace

void fuse_instructions(LoadedModule& module) {
  static const OpFinder kOps;
  for (const LoadedFunction& function : module.functions) {
    auto at = const_cast<Word*>(function.entry);
    unsigned op = kOps.find(*at);
    while (at < function.end && op < kHandlerCount) {
      Word* next = at + instruction_words(op, at);
      const unsigned next_op = next < function.end ? kOps.find(*next) : kHandlerCount;
      if (Handler fused = choose(op, next_op, next)) *at = reinterpret_cast<Word>(fused);
      at = next;
      op = next_op;
    }
  }
}

}  // namespace quelea
