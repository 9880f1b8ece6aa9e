// Type tests, comparisons and multi-way branches. Smalls, floats and immediates here; the rest in
// vm/term/compare.h.
#include "vm/term/compare.h"

#include <cstring>

#include "vm/interp/handler.h"
#include "vm/interp/smalls.h"
#include "vm/interp/support.h"
#include "vm/term/binary.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {

// Type tests: S L ---------------------------------------------------------------------------------

#define TYPE_TEST(name, condition) \
  HANDLER(name) {                  \
    const Term term = SLOT(1);     \
    if (condition) NEXT(2);        \
    JUMP(2);                       \
  }                                \
  static_assert(true)

TYPE_TEST(is_int, term.is_small() || is_big(term));
TYPE_TEST(is_float, term.is_float());
TYPE_TEST(is_number, term.is_small() || term.is_float() || is_big(term));
TYPE_TEST(is_atom, term.is_atom());
TYPE_TEST(is_bool, is_bool(term));
TYPE_TEST(is_binary, is_binary(term));
TYPE_TEST(is_bits, is_bits(term));
TYPE_TEST(is_cons, term.is_cons());
TYPE_TEST(is_list, term.is_list());
TYPE_TEST(is_tuple, is_tuple(term));
TYPE_TEST(is_map, is_map(term));
TYPE_TEST(is_pid, is_pid(term));
TYPE_TEST(is_ref, is_reference(term));
TYPE_TEST(is_fun, is_fun(term));

HANDLER(is_tuple_n) {  // S U L
  if (has_header(SLOT(1), pc[2])) NEXT(3);
  JUMP(3);
}

HANDLER(is_tagged_tuple) {  // S U B L
  const Term term = SLOT(1);
  if (has_header(term, pc[2]) && term.object()[1] == pc[3]) NEXT(4);
  JUMP(4);
}

HANDLER(is_fun_n) {  // S U L
  const Term term = SLOT(1);
  if (is_fun(term) && fun_arity(term) == pc[2]) NEXT(3);
  JUMP(3);
}

// Equality: S X L ---------------------------------------------------------------------------------

HANDLER(eq_imm) {
  if (SLOT(1).bits == pc[2]) NEXT(3);
  JUMP(3);
}

HANDLER(ne_imm) {
  if (SLOT(1).bits != pc[2]) NEXT(3);
  JUMP(3);
}

namespace {

enum class Relation { Exact, Numeric, Less };

bool holds(Process& p, Relation relation, Term a, Term b, std::size_t& work) {
  switch (relation) {
    case Relation::Exact:
      return exact_equal(a, b, &work);
    case Relation::Numeric:
      return numeric_equal(a, b, &work);
    case Relation::Less:
      return compare(a, b, p.vm().atoms(), &work) < 0;
  }
  return false;
}

/// Compares what is not immediate: `true`, `false`, or none for the pool.
[[gnu::noinline]] Term relation_slow(Process& p, Relation relation, Term a, Term b) {
  return walk_or_leave(
      p, [&](std::size_t& work) { return make_bool(holds(p, relation, a, b, work)); });
}

}  // namespace

/// The slow halves call C++, which may only charge.
#define RELATION_SLOW(name, relation, right, wanted)                \
  COLD(name##_slow) {                                               \
    SYNC_OUT_ROOMLESS;                                              \
    const Term holds = relation_slow(*p, relation, SLOT(1), right); \
    if (QUELEA_UNLIKELY(holds.is_none())) LEAVE_FOR_POOL;           \
    reductions = p->reductions;                                     \
    if (holds == (wanted)) NEXT(3);                                 \
    JUMP(3);                                                        \
  }                                                                 \
  static_assert(true)

RELATION_SLOW(eq, Relation::Exact, VALUE(2), atoms::true_);
RELATION_SLOW(ne, Relation::Exact, VALUE(2), atoms::false_);
RELATION_SLOW(eq_num, Relation::Numeric, VALUE(2), atoms::true_);
RELATION_SLOW(ne_num, Relation::Numeric, VALUE(2), atoms::false_);
RELATION_SLOW(lt, Relation::Less, SLOT(2), atoms::true_);
RELATION_SLOW(ge, Relation::Less, SLOT(2), atoms::false_);

/// Words that differ are exactly different unless both point to something of one shape.
inline bool may_be_equal(Term a, Term b) { return a.is_pointer() && a.tag() == b.tag(); }

HANDLER(eq) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) NEXT(3);
  if (may_be_equal(a, b)) GO_SLOW(eq_slow);
  JUMP(3);
}

HANDLER(ne) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) JUMP(3);
  if (may_be_equal(a, b)) GO_SLOW(ne_slow);
  NEXT(3);
}

HANDLER(eq_num) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) NEXT(3);
  if (a.is_pointer() || b.is_pointer()) GO_SLOW(eq_num_slow);
  JUMP(3);
}

HANDLER(ne_num) {
  const Term a = SLOT(1), b = VALUE(2);
  if (a == b) JUMP(3);
  if (a.is_pointer() || b.is_pointer()) GO_SLOW(ne_num_slow);
  NEXT(3);
}

HandlerResult lt_float(ARGS) {
  const Term a = SLOT(1), b = SLOT(2);
  if (!a.is_float() || !b.is_float()) GO_SLOW(lt_slow);
  if (a.float_value() < b.float_value()) NEXT(3);
  JUMP(3);
}

HandlerResult ge_float(ARGS) {
  const Term a = SLOT(1), b = SLOT(2);
  if (!a.is_float() || !b.is_float()) GO_SLOW(ge_slow);
  if (a.float_value() >= b.float_value()) NEXT(3);
  JUMP(3);
}

HANDLER(lt) {  // S S L
  const Term a = SLOT(1), b = SLOT(2);
  if (QUELEA_UNLIKELY(!both_small(a, b))) GO_SLOW(lt_float);
  if (as_int(a) < as_int(b)) NEXT(3);
  JUMP(3);
}

HANDLER(ge) {
  const Term a = SLOT(1), b = SLOT(2);
  if (QUELEA_UNLIKELY(!both_small(a, b))) GO_SLOW(ge_float);
  if (as_int(a) >= as_int(b)) NEXT(3);
  JUMP(3);
}

#define IMM_RELATION(name, op)                                  \
  COLD(name##_slow) {                                           \
    if (imm_compare(*p, SLOT(1), Term{pc[2]}) op 0) NEXT(3);    \
    JUMP(3);                                                    \
  }                                                             \
  HANDLER(name) {                                               \
    const Term a = SLOT(1);                                     \
    if (QUELEA_UNLIKELY(!a.is_small())) GO_SLOW(name##_slow);   \
    if (as_int(a) op static_cast<std::int64_t>(pc[2])) NEXT(3); \
    JUMP(3);                                                    \
  }                                                             \
  static_assert(true)

namespace {
[[gnu::noinline]] int imm_compare(Process& p, Term a, Term b) {
  return compare(a, b, p.vm().atoms());
}
}  // namespace

IMM_RELATION(lt_imm, <);
IMM_RELATION(ge_imm, >=);
IMM_RELATION(gt_imm, >);
IMM_RELATION(le_imm, <=);

COLD(raise_badarg_value) {
  // `value` is the culprit.
  SYNC_OUT_ROOMLESS;
  p->raise_error(p->tuple(atoms::badarg, value));
  SYNC_IN;
  GO(unwind);
}

HANDLER(test_true) {
  value = SLOT(1);
  if (value == atoms::true_) NEXT(2);
  if (QUELEA_UNLIKELY(value != atoms::false_)) GO(raise_badarg_value);
  JUMP(2);
}

// Multi-way branches ------------------------------------------------------------------------------

/// Index of `key` among `count` sorted (key, target) pairs; the target, or null.
inline const Word* find_target(const Word* pairs, Word count, Word key) {
  while (count > 0) {
    const Word half = count / 2;
    if (pairs[2 * half] == key) return reinterpret_cast<const Word*>(pairs[2 * half + 1]);
    if (pairs[2 * half] < key) {
      pairs += 2 * (half + 1);
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return nullptr;
}

HANDLER(switch_imm) {  // S L W
  const Word key = SLOT(1).bits;
  const Word count = pc[3];
  const Word* pairs = pc + 4;
  if (count <= 6) {
    for (const Word* end = pairs + 2 * count; pairs != end; pairs += 2) {
      if (*pairs == key) {
        pc = reinterpret_cast<const Word*>(pairs[1]);
        DROP_VALUE;
        DISPATCH;
      }
    }
    JUMP(2);
  }
  const Word* target = find_target(pairs, count, key);
  if (target == nullptr) JUMP(2);
  pc = target;
  DROP_VALUE;
  DISPATCH;
}

HANDLER(switch_imm_table) {  // S, L, lowest, count, addresses
  const Word distance = SLOT(1).bits - pc[3];
  const Word index = distance >> 3 | distance << 61;
  if (index >= pc[4]) JUMP(2);
  pc = reinterpret_cast<const Word*>(pc[5 + index]);
  DROP_VALUE;
  DISPATCH;
}

HANDLER(switch_arity) {
  const Term term = SLOT(1);
  if (!is_tuple(term)) JUMP(2);
  const Word* target = find_target(pc + 4, pc[3], tuple_size(term));
  if (target == nullptr) JUMP(2);
  pc = target;
  DROP_VALUE;
  DISPATCH;
}

HANDLER(switch_arity_table) {  // S, L, lowest, count, addresses
  const Term term = SLOT(1);
  if (!is_tuple(term)) JUMP(2);
  const Word index = tuple_size(term) - pc[3];
  if (index >= pc[4]) JUMP(2);
  pc = reinterpret_cast<const Word*>(pc[5 + index]);
  DROP_VALUE;
  DISPATCH;
}

namespace {

/// The target of the string equal to `key` among pairs sorted by (size, bytes), or null.
[[gnu::noinline]] const Word* find_string(const Word* pairs, Word count, Term key) {
  if (!is_binary(key)) return nullptr;
  const BinaryView wanted = binary_view(key);
  while (count > 0) {
    const Word half = count / 2;
    const BinaryView here = binary_view(Term{pairs[2 * half]});
    int order = wanted.bit_size < here.bit_size ? -1 : wanted.bit_size > here.bit_size ? 1 : 0;
    if (order == 0) order = bits_compare(wanted, here);
    if (order == 0) return reinterpret_cast<const Word*>(pairs[2 * half + 1]);
    if (order > 0) {
      pairs += 2 * (half + 1);
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return nullptr;
}

}  // namespace

HANDLER(switch_string) {
  p->pc = pc;
  p->fp = fp;
  p->hp = hp;
  p->reductions = reductions;
  const Word* target = find_string(pc + 4, pc[3], SLOT(1));
  if (target == nullptr) JUMP(2);
  pc = target;
  DISPATCH;
}

// Values of comparisons: D X X
// ----------------------------------------------------------------------

#define RELATION_VALUE(name, relation, fast, wanted)                    \
  COLD(name##_slow) {                                                   \
    SYNC_OUT_ROOMLESS;                                                  \
    const Term holds = relation_slow(*p, relation, VALUE(2), VALUE(3)); \
    if (QUELEA_UNLIKELY(holds.is_none())) LEAVE_FOR_POOL;               \
    SLOT(1) = make_bool(holds == (wanted));                             \
    reductions = p->reductions;                                         \
    NEXT(3);                                                            \
  }                                                                     \
  HANDLER(name) {                                                       \
    const Term a = VALUE(2), b = VALUE(3);                              \
    if (QUELEA_UNLIKELY(!both_small(a, b))) GO_SLOW(name##_slow);       \
    SLOT(1) = make_bool(as_int(a) fast as_int(b));                      \
    NEXT(3);                                                            \
  }                                                                     \
  static_assert(true)

RELATION_VALUE(cmp_eq, Relation::Exact, ==, atoms::true_);
RELATION_VALUE(cmp_ne, Relation::Exact, !=, atoms::false_);
RELATION_VALUE(cmp_eq_num, Relation::Numeric, ==, atoms::true_);
RELATION_VALUE(cmp_ne_num, Relation::Numeric, !=, atoms::false_);
RELATION_VALUE(cmp_lt, Relation::Less, <, atoms::true_);
RELATION_VALUE(cmp_ge, Relation::Less, >=, atoms::false_);

HANDLER(not_bool) {  // D S
  value = SLOT(2);
  if (QUELEA_UNLIKELY(!is_bool(value))) GO(raise_badarg_value);
  SLOT(1).bits = value.bits ^ (atoms::true_.bits ^ atoms::false_.bits);
  NEXT(2);
}

}  // namespace quelea
