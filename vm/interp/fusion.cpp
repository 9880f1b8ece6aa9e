#include "vm/interp/fusion.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <type_traits>
#include <utility>

#include "vm/code/opcodes.h"
#include "vm/interp/bodies.h"
#include "vm/interp/calls.h"
#include "vm/interp/handlers.h"

// A run is one part or two, and an end: what comes last, with which the handler leaves. Tables of
// handlers by end ("rows") are made for each part, and for those pairs that programs are full of.
namespace quelea {

#define OP(name, operands, flags, sentence) HANDLER(name);
#include "vm/code/opcodes.def"
#undef OP

namespace {

using bodies::Outcome;

// clang-format off
/// The parts. All may come first or last in a run.
#define PARTS(X)                                                                                  \
  X(move) X(load) X(get_head) X(get_tail) X(get_cell) X(get_elem) X(uncons) X(bs_byte)            \
  X(add) X(sub) X(add_imm) X(sub_imm)                                                             \
  X(alloc) X(cons) X(cons_slots) X(new_cons) X(new_cons_slots) X(tuple_of_2) X(tuple_of_3)        \
  X(is_cons) X(is_tuple_n) X(is_tagged_tuple) X(is_atom)                                          \
  X(eq_imm) X(ne_imm) X(lt_imm) X(ge_imm) X(gt_imm) X(le_imm)                                     \
  X(lt) X(ge) X(eq_num) X(ne_num) X(eq) X(ne)

/// Tests that are often followed by `ret` or `ret_const`. Such two are one part, which comes first.
#define GUARDS(X) X(eq_imm) X(ne_imm) X(lt_imm) X(ge_imm) X(gt_imm) X(le_imm) X(lt) X(ge)

/// Two parts that often come before something else: they begin a run together.
#define DOUBLES(X)                                                                                \
  X(move, move) X(move, load) X(load, load) X(load, move)                                         \
  X(alloc, tuple_of_2) X(alloc, tuple_of_3) X(alloc, cons_slots)                                  \
  X(is_tuple_n, get_elem) X(is_tagged_tuple, get_elem)                                            \
  X(get_elem, get_elem) X(get_elem, eq_imm) X(get_elem, move)                                     \
  X(eq_imm, get_elem) X(eq_imm, move) X(eq_imm, load) X(eq_imm, uncons)                           \
  X(uncons, move) X(uncons, uncons) X(uncons, eq_imm) X(uncons, add) X(uncons, lt) X(uncons, ge)  \
  X(uncons, is_tuple_n) X(uncons, new_cons_slots) X(new_cons_slots, move)                         \
  X(bs_byte, eq_imm) X(bs_byte, ge_imm) X(ge_imm, le_imm)                                         \
  X(add, move) X(add, add_imm) X(add_imm, move) X(add_imm, add_imm)                               \
  X(sub_imm, move) X(sub_imm, load) X(sub_imm, sub_imm) X(sub_imm, add_imm)                       \
  X(eq_imm_ret_const, sub_imm) X(eq_imm_ret_const, uncons) X(eq_imm_ret_const, move)              \
  X(eq_imm_ret, sub_imm) X(eq_imm_ret, uncons) X(eq_imm_ret, move)                                \
  X(lt_imm_ret, sub_imm) X(lt_ret, move) X(ge_ret, sub_imm) X(ge_ret, move)
// clang-format on

enum Part : unsigned {
#define PART(name) part_##name,
  PARTS(PART)
#undef PART
      kPartCount,
  kBeforeGuards = kPartCount - 1,
#define GUARD(test) part_##test##_ret, part_##test##_ret_const,
  GUARDS(GUARD)
#undef GUARD
      kBeginCount
};

}  // namespace

namespace bodies {
#define GUARD(test)                                \
  using test##_ret = guarded_return<test, op_ret>; \
  using test##_ret_const = guarded_return<test, op_ret_const>;
GUARDS(GUARD)
#undef GUARD
}  // namespace bodies

namespace {

/// The proper handlers of instructions: what a part that gave up goes to.
template <Op op>
constexpr Handler kProper = nullptr;
#define OP(name, operands, flags, sentence) \
  template <>                               \
  constexpr Handler kProper<op_##name> = &do_##name;
#include "vm/code/opcodes.def"
#undef OP

/// What a run begins with: one part or two.
template <class FirstPart, class SecondPart = bodies::nothing>
struct Begin {
  using First = FirstPart;
  using Second = SecondPart;
  static constexpr bool kSingle = std::is_same_v<Second, bodies::nothing>;
  using Before = std::conditional_t<kSingle, bodies::nothing, First>;  ///< What comes before Last.
  using Last = std::conditional_t<kSingle, First, Second>;
};

// How runs end. Each is a function that does the parts on the way and then leaves by a tail call,
// all inlined: no register is spilled.

/// Does the part at pc and goes on behind it; what is rare, or jumps, leaves.
#define DO_PART(Part)                                        \
  if constexpr (requires { Part::kReturn; }) {               \
    switch (Part::Test::run(pc, fp, hp, p)) {                \
      case Outcome::Rare:                                    \
        GO_SLOW(kProper<Part::Test::kOp>);                   \
      case Outcome::Done:                                    \
        pc += 1 + Part::Test::kWords;                        \
        if constexpr (Part::kReturn == op_ret) {             \
          value = SLOT(1);                                   \
        } else {                                             \
          value.bits = pc[1];                                \
        }                                                    \
        RETURN;                                              \
      case Outcome::No:                                      \
        break;                                               \
    }                                                        \
  } else {                                                   \
    switch (Part::run(pc, fp, hp, p)) {                      \
      case Outcome::Rare:                                    \
        GO_SLOW(kProper<Part::kOp>);                         \
      case Outcome::No:                                      \
        if constexpr (Part::kLabel != 0) JUMP(Part::kLabel); \
        break;                                               \
      case Outcome::Done:                                    \
        break;                                               \
    }                                                        \
  }                                                          \
  pc += 1 + Part::kWords
#define DO_BEGIN(Begin)                  \
  using First = typename Begin::First;   \
  using Second = typename Begin::Second; \
  DO_PART(First);                        \
  DO_PART(Second)

template <class Begin, class Last>
HandlerResult then(ARGS) {
  DO_BEGIN(Begin);
  DO_PART(Last);
  OPAQUE_PC;
  DROP_VALUE;
  DISPATCH;
}

template <class Begin>
HandlerResult then_ret(ARGS) {
  DO_BEGIN(Begin);
  value = SLOT(1);
  RETURN;
}

/// The same where it is the result of the last part that is returned.
template <class Begin>
HandlerResult ret_result(ARGS) {
  using Before = typename Begin::Before;
  using Last = typename Begin::Last;
  DO_PART(Before);
  if (QUELEA_UNLIKELY(Last::compute(pc, fp, hp, p, value) == Outcome::Rare)) {
    GO_SLOW(kProper<Last::kOp>);
  }
  RETURN;
}

template <class Begin>
constexpr Handler kRetResult = nullptr;
template <class Begin>
requires requires { &Begin::Last::compute; }
constexpr Handler kRetResult<Begin> = &ret_result<Begin>;

template <class Begin>
HandlerResult then_ret_const(ARGS) {
  DO_BEGIN(Begin);
  value.bits = pc[1];
  RETURN;
}

template <class Begin>
HandlerResult then_jump(ARGS) {
  DO_BEGIN(Begin);
  JUMP(1);
}

template <class Begin>
HandlerResult then_loop(ARGS) {
  DO_BEGIN(Begin);
  if (QUELEA_UNLIKELY(reductions <= 1) || QUELEA_GCSTRESSING) GO_SLOW(&do_loop);
  --reductions;
  JUMP(1);
}

template <class Begin>
HandlerResult then_tail_call(ARGS) {
  DO_BEGIN(Begin);
  ENTER_FRAME(reinterpret_cast<const Word*>(pc[1]));
}

template <class Begin, unsigned base>
HandlerResult then_call(ARGS) {
  DO_BEGIN(Begin);
  PUSH_FRAME(base * sizeof(Word), pc + 2);
  ENTER_FRAME(reinterpret_cast<const Word*>(pc[1]));
}

constexpr unsigned kBases = 9;  ///< Calls at 1 to 8 slots.

/// The runs that begin alike: handlers by what comes last.
struct Row {
  Handler part[kPartCount];
  Handler ret, ret_result, ret_const, jump, loop, tail_call;
  Handler call[kBases];
};

template <class Begin, unsigned... bases>
constexpr Row make_row(std::integer_sequence<unsigned, bases...>) {
  return {
#define PART(name) &then<Begin, bodies::name>,
      {PARTS(PART)},
#undef PART
      &then_ret<Begin>,  kRetResult<Begin>,      &then_ret_const<Begin>,        &then_jump<Begin>,
      &then_loop<Begin>, &then_tail_call<Begin>, {&then_call<Begin, bases>...},
  };
}

template <class First, class Second = bodies::nothing>
constexpr Row kRow = make_row<Begin<First, Second>>(std::make_integer_sequence<unsigned, kBases>());

/// Rows by the part that begins the run.
constexpr const Row* kRows[kBeginCount] = {
#define PART(name) &kRow<bodies::name>,
    PARTS(PART)
#undef PART
#define GUARD(test) &kRow<bodies::test##_ret>, &kRow<bodies::test##_ret_const>,
        GUARDS(GUARD)
#undef GUARD
};

/// Rows by the two parts that begin the run; null: they begin none.
using DoubleRows = std::array<std::array<const Row*, kPartCount>, kBeginCount>;
constexpr DoubleRows kDoubleRows = [] {
  DoubleRows rows{};
#define DOUBLE(first, second) \
  rows[part_##first][part_##second] = &kRow<bodies::first, bodies::second>;
  DOUBLES(DOUBLE)
#undef DOUBLE
  return rows;
}();

bool all_slots(const Word* operands, Word count) {
  return std::all_of(operands, operands + count, is_slot_operand);
}

/// Parts by instruction; kPartCount: none. Where there are two, the more general.
constexpr std::array<std::uint8_t, kHandlerCount> kPartsByOp = [] {
  std::array<std::uint8_t, kHandlerCount> parts{};
  parts.fill(kPartCount);
#define PART(name) parts[bodies::name::kOp] = part_##name;
  PARTS(PART)
#undef PART
  parts[op_cons] = part_cons;
  parts[op_new_cons] = part_new_cons;
  parts[op_tuple] = kPartCount;
  return parts;
}();

/// The part that does the instruction at `at`; kPartCount: none.
unsigned part_of(unsigned op, const Word* at) {
  switch (op) {
    case op_cons:
      return all_slots(at + 2, 2) ? part_cons_slots : part_cons;
    case op_new_cons:
      return all_slots(at + 2, 2) ? part_new_cons_slots : part_new_cons;
    case op_tuple:
      if ((at[2] != 2 && at[2] != 3) || !all_slots(at + 3, at[2])) return kPartCount;
      return at[2] == 2 ? part_tuple_of_2 : part_tuple_of_3;
    default:
      return op < kHandlerCount ? kPartsByOp[op] : unsigned{kPartCount};
  }
}

/// Instructions by the address of their proper handler, a deterministic machine's included: open
/// addressing.
class OpFinder {
 public:
  OpFinder() {
    for (const void* const* handlers : {handler_table(), seeded_handler_table()}) {
      for (unsigned op = 0; op < kHandlerCount; ++op) {
        const auto handler = reinterpret_cast<Word>(handlers[op]);
        if (find(handler) < kHandlerCount) continue;
        std::size_t at = place(handler);
        while (entries_[at].handler != 0) at = (at + 1) % kSize;
        entries_[at] = {handler, op};
      }
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
  if (op == loader_op_return_point) return sizeof(ReturnPoint) / sizeof(Word);
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

struct At {
  const Word* word;
  unsigned op;
};

/// The instructions of a function.
class Walk {
 public:
  explicit Walk(const LoadedFunction& function) : end_(function.end) {}
  At at(const Word* word) const {
    static const OpFinder kOps;
    return {word, word < end_ ? kOps.find(*word) : unsigned{kHandlerCount}};
  }
  At next(At here) const { return at(here.word + instruction_words(here.op, here.word)); }

 private:
  const Word* end_;
};

/// The handler for what `row` begins and the instruction at `next` ends, or null.
/// `before` is the instruction before that.
Handler choose(const Row& row, At before, At last) {
  const Word* next = last.word;
  switch (last.op) {
    case op_ret:
      if (row.ret_result != nullptr && before.word[1] == next[1]) return row.ret_result;
      return row.ret;
    case op_ret_const:
      return row.ret_const;
    case op_jump:
      return row.jump;
    case op_loop:
      return row.loop;
    case op_tail_call:
      return begins_with_enter(reinterpret_cast<const Word*>(next[1])) ? row.tail_call : nullptr;
    case op_call: {
      const Word base = next[3] / sizeof(Word);
      const bool known = begins_with_enter(reinterpret_cast<const Word*>(next[1]));
      return known && base < kBases ? row.call[base] : nullptr;
    }
    default: {
      const unsigned part = part_of(last.op, next);
      return part < kPartCount ? row.part[part] : nullptr;
    }
  }
}

/// A test at `first` and a return at `second`, with the test's label behind both.
unsigned guard_of(At first, At second, At third) {
  if (second.op != op_ret && second.op != op_ret_const) return kBeginCount;
  const bool constant = second.op == op_ret_const;
  switch (first.op) {
#define GUARD(test)                                                             \
  case op_##test:                                                               \
    if (first.word[bodies::test::kLabel] != reinterpret_cast<Word>(third.word)) \
      return kBeginCount;                                                       \
    return constant ? part_##test##_ret_const : part_##test##_ret;
    GUARDS(GUARD)
#undef GUARD
    default:
      return kBeginCount;
  }
}

/// The handler of the longest run that begins at `first`, or null.
Handler longest_run(const Walk& walk, At first, At second) {
  unsigned begin = part_of(first.op, first.word);
  if (begin == kPartCount || second.op >= kHandlerCount) return nullptr;
  At behind = walk.next(second);
  const unsigned guard = guard_of(first, second, behind);
  if (guard != kBeginCount) {
    begin = guard;
    second = behind;
    behind = walk.next(second);
  }
  const unsigned part = part_of(second.op, second.word);
  if (part < kPartCount && kDoubleRows[begin][part] != nullptr) {
    if (Handler run = choose(*kDoubleRows[begin][part], second, behind)) return run;
  }
  return choose(*kRows[begin], first, second);
}

}  // namespace

void fuse_instructions(LoadedModule& module) {
  for (const LoadedFunction& function : module.functions) {
    const Walk walk(function);
    At at = walk.at(function.entry);
    while (at.op < kHandlerCount) {
      const At next = walk.next(at);
      if (Handler run = longest_run(walk, at, next)) {
        *const_cast<Word*>(at.word) = reinterpret_cast<Word>(run);
      }
      at = next;
    }
  }
}

}  // namespace quelea
