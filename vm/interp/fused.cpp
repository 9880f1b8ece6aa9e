// Handlers of fused pairs (vm/code/fusions.def): two instructions, one dispatch.
//
// A body does the first instruction, moves pc behind it, and does the second with the same macros
// as always. What is rare, and every safe point under gcstress, is left to the instructions' own
// handlers, which are still there.
#include "vm/interp/handler.h"
#include "vm/term/term.h"

namespace quelea {

/// Goes from the first instruction, of `words` operand words, to the second.
#define SECOND(words) pc += 1 + (words)

// The instructions
// ---------------------------------------------------------------------------------
#define BODY_move SLOT(1) = SLOT(2)
#define BODY_load SLOT(1).bits = pc[2]
#define BODY_get_head SLOT(1) = SLOT(2).head()
#define BODY_get_tail SLOT(1) = SLOT(2).tail()
#define BODY_get_cell                                    \
  do {                                                   \
    const Word* cell = SLOT(3).pointer();                \
    const Word cell_head = cell[0], cell_tail = cell[1]; \
    SLOT(1).bits = cell_head;                            \
    SLOT(2).bits = cell_tail;                            \
  } while (0)
#define BODY_get_elem SLOT(1).bits = SLOT(2).pointer()[1 + pc[3]]
#define BODY_cons             \
  do {                        \
    hp[0] = VALUE(2).bits;    \
    hp[1] = VALUE(3).bits;    \
    SLOT(1) = Term::cons(hp); \
    hp += 2;                  \
  } while (0)

/// The end of a pair whose second is `loop`.
#define FINISH_loop                                             \
  do {                                                          \
    if (QUELEA_LIKELY(reductions > 1 && !QUELEA_GCSTRESSING)) { \
      --reductions;                                             \
      JUMP(1);                                                  \
    }                                                           \
    DISPATCH;                                                   \
  } while (0)

/// Two instructions that always fall through.
#define STRAIGHT(first, first_words, second, second_words) \
  HANDLER(fused_##first##_##second) {                      \
    BODY_##first;                                          \
    SECOND(first_words);                                   \
    BODY_##second;                                         \
    NEXT(second_words);                                    \
  }                                                        \
  static_assert(true)

STRAIGHT(move, 2, move, 2);
STRAIGHT(move, 2, load, 2);
STRAIGHT(load, 2, move, 2);
STRAIGHT(load, 2, load, 2);
STRAIGHT(get_tail, 2, get_head, 2);
STRAIGHT(get_head, 2, get_tail, 2);
STRAIGHT(get_elem, 3, get_elem, 3);
STRAIGHT(cons, 3, move, 2);

HANDLER(fused_move_loop) {
  BODY_move;
  SECOND(2);
  FINISH_loop;
}

HANDLER(fused_cons_loop) {
  BODY_cons;
  SECOND(3);
  FINISH_loop;
}

// Tests
// ---------------------------------------------------------------------------------------------

/// A test, then an instruction that falls through. `label` is the test's operand word with its
/// target.
#define TEST_THEN(first, condition, label, second, second_words) \
  HANDLER(fused_##first##_##second) {                            \
    if (condition) {                                             \
      SECOND(label);                                             \
      BODY_##second;                                             \
      NEXT(second_words);                                        \
    }                                                            \
    JUMP(label);                                                 \
  }                                                              \
  static_assert(true)

#define CONDITION_is_cons (SLOT(1).is_cons())
#define CONDITION_eq_imm (SLOT(1).bits == pc[2])

TEST_THEN(is_cons, CONDITION_is_cons, 2, get_tail, 2);
TEST_THEN(is_cons, CONDITION_is_cons, 2, get_head, 2);
TEST_THEN(is_cons, CONDITION_is_cons, 2, get_cell, 3);
TEST_THEN(eq_imm, CONDITION_eq_imm, 3, get_elem, 3);
TEST_THEN(eq_imm, CONDITION_eq_imm, 3, load, 2);

HANDLER(fused_is_tuple_n_get_elem) {  // S U L, D Q U
  const Term term = SLOT(1);
  if (term.is_boxed() && term.pointer()[0] == Header::make(Kind::Tuple, pc[2]).bits) {
    SECOND(3);
    BODY_get_elem;
    NEXT(3);
  }
  JUMP(3);
}

/// Two tests.
#define TEST_TEST(first, first_label, second, second_label) \
  HANDLER(fused_##first##_##second) {                       \
    if (CONDITION_##first) {                                \
      SECOND(first_label);                                  \
      if (CONDITION_##second) NEXT(second_label);           \
      JUMP(second_label);                                   \
    }                                                       \
    JUMP(first_label);                                      \
  }                                                         \
  static_assert(true)

TEST_TEST(eq_imm, 3, is_cons, 2);
TEST_TEST(eq_imm, 3, eq_imm, 3);

HANDLER(fused_get_elem_eq_imm) {
  BODY_get_elem;
  SECOND(3);
  if (CONDITION_eq_imm) NEXT(3);
  JUMP(3);
}

// Those that may need more
// ----------------------------------------------------------------------------

HANDLER(alloc);
HANDLER(add_imm);
HANDLER(sub_imm);

HANDLER(fused_alloc_cons) {  // U Z M, D X X
  if (QUELEA_UNLIKELY(QUELEA_GCSTRESSING || ROOM < static_cast<std::int64_t>(pc[2]))) GO(do_alloc);
  SECOND(3);
  BODY_cons;
  NEXT(3);
}

/// D = S op B for small integers; the instruction's own handler for everything else.
#define ADD_IMM(name, builtin)                                                                  \
  do {                                                                                          \
    const Term number = SLOT(2);                                                                \
    std::int64_t sum;                                                                           \
    if (QUELEA_UNLIKELY(!number.is_small() || builtin(static_cast<std::int64_t>(number.bits),   \
                                                      static_cast<std::int64_t>(pc[3]), &sum))) \
      GO(do_##name);                                                                            \
    SLOT(1).bits = static_cast<Word>(sum);                                                      \
  } while (0)

HANDLER(fused_add_imm_loop) {
  ADD_IMM(add_imm, __builtin_add_overflow);
  SECOND(4);
  FINISH_loop;
}

HANDLER(fused_add_imm_move) {
  ADD_IMM(add_imm, __builtin_add_overflow);
  SECOND(4);
  BODY_move;
  NEXT(2);
}

HANDLER(fused_sub_imm_move) {
  ADD_IMM(sub_imm, __builtin_sub_overflow);
  SECOND(4);
  BODY_move;
  NEXT(2);
}

}  // namespace quelea
