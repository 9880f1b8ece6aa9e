// What instructions do, as parts for fused handlers (vm/interp/fusion.cpp). The handlers proper are
// in control.cpp, arithmetic.cpp, compare.cpp and build.cpp; a part that meets a rare case gives up
// before it has changed anything, and the proper handler does the instruction.
#pragma once

#include "vm/code/opcodes.h"
#include "vm/interp/bits.h"
#include "vm/interp/handler.h"

namespace quelea::bodies {

enum class Outcome {
  Done,  ///< A test: true.
  No,    ///< A test: false.
  Rare,  ///< Nothing has happened yet.
};

inline bool both_small(Term a, Term b) { return ((a.bits | b.bits) & kTagMask) == 0; }
inline std::int64_t as_int(Term term) { return static_cast<std::int64_t>(term.bits); }

#define BODY_ARGS                                                                         \
  [[maybe_unused]] const Word *pc, [[maybe_unused]] Term *fp, [[maybe_unused]] Word *&hp, \
      [[maybe_unused]] Process *p
#define BODY_OF(name, op, operand_words, label_word)                \
  struct name {                                                     \
    static constexpr Op kOp = op_##op;                              \
    static constexpr unsigned kWords = operand_words;               \
    static constexpr unsigned kLabel = label_word; /* 0: no test */ \
    [[gnu::always_inline]] static inline Outcome run(BODY_ARGS)
#define BODY(name, operand_words, label_word) BODY_OF(name, name, operand_words, label_word)
/// A part that only makes one value: `compute` leaves it in `result`, for a `ret` behind it that
/// returns it at once. (By way of the slot every level of a recursion would wait for memory.)
#define RESULT_BODY_OF(name, op, operand_words)                   \
  struct name {                                                   \
    static constexpr Op kOp = op_##op;                            \
    static constexpr unsigned kWords = operand_words;             \
    static constexpr unsigned kLabel = 0;                         \
    [[gnu::always_inline]] static inline Outcome run(BODY_ARGS) { \
      Term result;                                                \
      const Outcome outcome = compute(pc, fp, hp, p, result);     \
      if (outcome == Outcome::Done) SLOT(1) = result;             \
      return outcome;                                             \
    }                                                             \
    [[gnu::always_inline]] static inline Outcome compute(BODY_ARGS, Term& result)
#define RESULT_BODY(name, operand_words) RESULT_BODY_OF(name, name, operand_words)
#define END_BODY }

BODY(move, 2, 0) {
  SLOT(1) = SLOT(2);
  return Outcome::Done;
}
END_BODY;

BODY(load, 2, 0) {
  SLOT(1).bits = pc[2];
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(get_head, 2) {
  result = SLOT(2).head();
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(get_tail, 2) {
  result = SLOT(2).tail();
  return Outcome::Done;
}
END_BODY;

BODY(get_cell, 3, 0) {
  const Word* cell = SLOT(3).cell();
  const Word head = cell[0], tail = cell[1];
  SLOT(1).bits = head;
  SLOT(2).bits = tail;
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(get_elem, 3) {
  result.bits = SLOT(2).object()[1 + pc[3]];
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(add, 4) {
  const Term a = SLOT(2), b = SLOT(3);
  std::int64_t sum;
  if (!both_small(a, b) || __builtin_add_overflow(as_int(a), as_int(b), &sum)) return Outcome::Rare;
  result.bits = static_cast<Word>(sum);
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(sub, 4) {
  const Term a = SLOT(2), b = SLOT(3);
  std::int64_t difference;
  if (!both_small(a, b) || __builtin_sub_overflow(as_int(a), as_int(b), &difference)) {
    return Outcome::Rare;
  }
  result.bits = static_cast<Word>(difference);
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(add_imm, 4) {
  const Term a = SLOT(2);
  std::int64_t sum;
  if (!a.is_small() || __builtin_add_overflow(as_int(a), static_cast<std::int64_t>(pc[3]), &sum)) {
    return Outcome::Rare;
  }
  result.bits = static_cast<Word>(sum);
  return Outcome::Done;
}
END_BODY;

RESULT_BODY(sub_imm, 4) {
  const Term a = SLOT(2);
  std::int64_t difference;
  if (!a.is_small() ||
      __builtin_sub_overflow(as_int(a), static_cast<std::int64_t>(pc[3]), &difference)) {
    return Outcome::Rare;
  }
  result.bits = static_cast<Word>(difference);
  return Outcome::Done;
}
END_BODY;

BODY(alloc, 3, 0) {
  const std::int64_t room = reinterpret_cast<char*>(fp) - reinterpret_cast<char*>(hp);
  return room < static_cast<std::int64_t>(pc[2]) || STRESS(p, pc) ? Outcome::Rare : Outcome::Done;
}
END_BODY;

/// Those named `_slots` are for operands that are no constants.
#define CONS_BODIES(name, op, operand)                                                      \
  RESULT_BODY_OF(name, op, 3) {                                                             \
    hp[0] = operand(2).bits;                                                                \
    hp[1] = operand(3).bits;                                                                \
    result = Term::cons(hp);                                                                \
    hp += 2;                                                                                \
    return Outcome::Done;                                                                   \
  }                                                                                         \
  END_BODY;                                                                                 \
  RESULT_BODY_OF(new_##name, new_##op, 5) {                                                 \
    const std::int64_t room = reinterpret_cast<char*>(fp) - reinterpret_cast<char*>(hp);    \
    if (room < static_cast<std::int64_t>(pc[4] + 2 * sizeof(Word)) || QUELEA_GCSTRESSING) { \
      return Outcome::Rare;                                                                 \
    }                                                                                       \
    return name::compute(pc, fp, hp, p, result);                                            \
  }                                                                                         \
  END_BODY

CONS_BODIES(cons, cons, VALUE);
CONS_BODIES(cons_slots, cons, SLOT);

BODY(uncons, 4, 4) {
  const Term list = SLOT(3);
  if (!list.is_cons()) return Outcome::No;
  const Word* cell = list.cell();
  const Word head = cell[0], tail = cell[1];
  SLOT(1).bits = head;
  SLOT(2).bits = tail;
  return Outcome::Done;
}
END_BODY;

BODY(bs_byte, 5, 5) {
  const Term binary = SLOT(3), position = SLOT(4);
  if (QUELEA_UNLIKELY(!matchable(binary, position))) return Outcome::No;
  const Bits bits = bits_of(binary);
  if (bits.size < kByte || position.bits > bits.size - kByte) return Outcome::No;
  const Word at = position.bits + bits.offset;
  if (QUELEA_UNLIKELY(at % kByte != 0)) return Outcome::Rare;
  const Word byte = bits.bytes()[at / kByte];
  const Word next = position.bits + kByte;
  SLOT(1).bits = byte << kTagBits;
  SLOT(2).bits = next;
  return Outcome::Done;
}
END_BODY;

#define TEST_BODY(name, operand_words, condition)     \
  BODY(name, operand_words, operand_words) {          \
    const Term term = SLOT(1);                        \
    return (condition) ? Outcome::Done : Outcome::No; \
  }                                                   \
  END_BODY

TEST_BODY(eq_imm, 3, term.bits == pc[2]);
TEST_BODY(ne_imm, 3, term.bits != pc[2]);
TEST_BODY(is_cons, 2, term.is_cons());
TEST_BODY(is_atom, 2, term.is_atom());
TEST_BODY(is_tuple_n, 3, has_header(term, pc[2]));
TEST_BODY(is_tagged_tuple, 4, has_header(term, pc[2]) && term.object()[1] == pc[3]);

#define COMPARE_BODY(name, right, op)                            \
  BODY(name, 3, 3) {                                             \
    const Term a = SLOT(1), b = right;                           \
    if (!both_small(a, b)) return Outcome::Rare;                 \
    return as_int(a) op as_int(b) ? Outcome::Done : Outcome::No; \
  }                                                              \
  END_BODY

COMPARE_BODY(lt_imm, Term{pc[2]}, <);
COMPARE_BODY(ge_imm, Term{pc[2]}, >=);
COMPARE_BODY(gt_imm, Term{pc[2]}, >);
COMPARE_BODY(le_imm, Term{pc[2]}, <=);
COMPARE_BODY(lt, SLOT(2), <);
COMPARE_BODY(ge, SLOT(2), >=);
COMPARE_BODY(eq_num, VALUE(2), ==);
COMPARE_BODY(ne_num, VALUE(2), !=);

/// Words that differ are different values unless both point to something of one shape.
BODY(eq, 3, 3) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) return Outcome::Done;
  return a.is_pointer() && a.tag() == b.tag() ? Outcome::Rare : Outcome::No;
}
END_BODY;

BODY(ne, 3, 3) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) return Outcome::No;
  return a.is_pointer() && a.tag() == b.tag() ? Outcome::Rare : Outcome::Done;
}
END_BODY;

/// A tuple of few elements, none of them a constant.
template <unsigned count>
RESULT_BODY_OF(tuple_of_slots, tuple, 2 + count) {
  hp[0] = Header::make(Kind::Tuple, count).bits;
#pragma GCC unroll 8
  for (unsigned i = 0; i < count; ++i) hp[1 + i] = SLOT(3 + i).bits;
  result = Term::boxed(hp);
  hp += 1 + count;
  return Outcome::Done;
}
END_BODY;
using tuple_of_2 = tuple_of_slots<2>;
using tuple_of_3 = tuple_of_slots<3>;

/// A test and the `ret` or `ret_const` that runs where it holds; where it does not, what lies
/// behind both follows.
template <class TestBody, Op ret>
struct guarded_return {
  using Test = TestBody;
  static constexpr Op kReturn = ret;
  static constexpr unsigned kWords = Test::kWords + 2;
};

/// Where a run has fewer parts than its template.
struct nothing {
  static constexpr Op kOp = op_enter;
  static constexpr unsigned kWords = ~0u;
  static constexpr unsigned kLabel = 0;
  [[gnu::always_inline]] static inline Outcome run(BODY_ARGS) { return Outcome::Done; }
};

}  // namespace quelea::bodies
