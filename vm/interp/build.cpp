// Building and taking apart: cons cells, tuples, funs, small maps. `alloc` made the room, so that
// the CREDIT instructions only bump hp.
#include <utility>
#include <vector>

#include "vm/interp/handler.h"
#include "vm/interp/support.h"
#include "vm/term/binary.h"
#include "vm/term/map.h"

namespace quelea {

COLD(alloc_slow) {
  p->live_map = pc[3];
  p->extra_count = 0;
  value.bits = pc[2];
  GO(safe_point);
}

// U Z M: Z is the frame's room and the words.
HANDLER(alloc) {
  if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>(pc[2]))) GO(alloc_slow);
  if (STRESS(p, pc)) GO(alloc_slow);
  NEXT(3);
}

HANDLER(cons) {  // D X X
  hp[0] = VALUE(2).bits;
  hp[1] = VALUE(3).bits;
  SLOT(1) = Term::cons(hp);
  hp += 2;
  NEXT(3);
}

COLD(new_cons_slow) {
  p->live_map = pc[5];
  p->extra_count = 0;
  value.bits = pc[4] + 16;
  GO(safe_point);
}

HANDLER(new_cons) {  // D X X Z M
  if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>(pc[4] + 16))) GO(new_cons_slow);
  if (STRESS(p, pc)) GO(new_cons_slow);
  hp[0] = VALUE(2).bits;
  hp[1] = VALUE(3).bits;
  SLOT(1) = Term::cons(hp);
  hp += 2;
  NEXT(5);
}

HANDLER(list) {  // D V X
  const Word count = pc[2];
  const Word* operand = pc + 3;
  Word* first = hp;
  for (const Word* end = operand + count; operand != end; ++operand) {
    hp[0] = value_at(fp, *operand).bits;
    hp[1] = Term::cons(hp + 2).bits;
    hp += 2;
  }
  Term result = value_at(fp, *operand);
  if (count != 0) {
    hp[-1] = result.bits;
    result = Term::cons(first);
  }
  SLOT(1) = result;
  pc = operand + 1;
  DROP_VALUE;
  DISPATCH;
}

namespace {

/// Objects of few words have handlers of their own, which an instruction takes when it is first
/// executed: no loop, all operands at known places.
constexpr unsigned kShortObjects = 7;

template <template <unsigned> class Choice, unsigned... counts>
Handler pick_short(Word count, Handler rest, std::integer_sequence<unsigned, counts...>) {
  static constexpr Handler kHandlers[] = {Choice<counts>::run...};
  return count < kShortObjects ? kHandlers[count] : rest;
}

template <template <unsigned> class Choice>
Handler pick_short(Word count, Handler rest) {
  return pick_short<Choice>(count, rest, std::make_integer_sequence<unsigned, kShortObjects>());
}

template <unsigned count>
struct ShortTuple {
  static HandlerResult run(ARGS) {
    hp[0] = Header::make(Kind::Tuple, count).bits;
#pragma GCC unroll 8
    for (unsigned i = 0; i < count; ++i) hp[1 + i] = VALUE(3 + i).bits;
    SLOT(1) = Term::boxed(hp);
    hp += 1 + count;
    NEXT(2 + count);
  }
};

/// Closures and map literals: two words before the values, the second an operand.
template <Kind kind, unsigned count>
HandlerResult short_pair_object(ARGS) {
  hp[0] = Header::make(kind, 1 + count).bits;
  hp[1] = pc[2];
#pragma GCC unroll 8
  for (unsigned i = 0; i < count; ++i) hp[2 + i] = VALUE(4 + i).bits;
  SLOT(1) = Term::boxed(hp);
  hp += 2 + count;
  NEXT(3 + count);
}

template <unsigned count>
struct ShortClosure {
  static constexpr Handler run = &short_pair_object<Kind::Fun, count>;
};

template <unsigned count>
struct ShortMap {
  static constexpr Handler run = &short_pair_object<Kind::FlatMap, count>;
};

HandlerResult long_tuple(ARGS) {
  const Word count = pc[2];
  const Word destination = pc[1];
  Word* object = hp;
  *hp++ = Header::make(Kind::Tuple, count).bits;
  pc += 3;
  for (const Word* end = pc + count; pc != end; ++pc) *hp++ = value_at(fp, *pc).bits;
  slot_at(fp, destination) = Term::boxed(object);
  DROP_VALUE;
  DISPATCH;
}

template <Kind kind>
HandlerResult long_pair_object(ARGS) {
  const Word count = pc[3];
  const Word destination = pc[1];
  Word* object = hp;
  *hp++ = Header::make(kind, 1 + count).bits;
  *hp++ = pc[2];
  pc += 4;
  for (const Word* end = pc + count; pc != end; ++pc) *hp++ = value_at(fp, *pc).bits;
  slot_at(fp, destination) = Term::boxed(object);
  DROP_VALUE;
  DISPATCH;
}

}  // namespace

COLD(do_tuple) {  // D V
  specialise(pc, pick_short<ShortTuple>(pc[2], &long_tuple));
  DISPATCH;
}

COLD(do_closure) {  // D J V
  specialise(pc, pick_short<ShortClosure>(pc[3], &long_pair_object<Kind::Fun>));
  DISPATCH;
}

COLD(do_map_literal) {  // D C V
  specialise(pc, pick_short<ShortMap>(pc[3], &long_pair_object<Kind::FlatMap>));
  DISPATCH;
}

// Taking apart
// --------------------------------------------------------------------------------------

HANDLER(get_head) {
  SLOT(1) = SLOT(2).head();
  NEXT(2);
}

HANDLER(get_tail) {
  SLOT(1) = SLOT(2).tail();
  NEXT(2);
}

HANDLER(get_cell) {
  const Word* cell = SLOT(3).cell();
  const Word head = cell[0], tail = cell[1];
  SLOT(1).bits = head;
  SLOT(2).bits = tail;
  NEXT(3);
}

HANDLER(uncons) {  // D D S L
  const Term list = SLOT(3);
  if (!list.is_cons()) JUMP(4);
  const Word* cell = list.cell();
  const Word head = cell[0], tail = cell[1];
  SLOT(1).bits = head;
  SLOT(2).bits = tail;
  NEXT(4);
}

HANDLER(get_elem) {  // D Q U
  SLOT(1).bits = SLOT(2).object()[1 + pc[3]];
  NEXT(3);
}

COLD(elem_badarg) {
  SYNC_OUT_ROOMLESS;
  p->badarg();
  SYNC_IN;
  GO(unwind);
}

HANDLER(elem) {  // D S U
  const Term tuple = SLOT(2);
  if (QUELEA_UNLIKELY(!is_tuple(tuple) || tuple_size(tuple) <= pc[3])) GO_SLOW(elem_badarg);
  SLOT(1) = tuple_at(tuple, pc[3]);
  NEXT(3);
}

/// D = size of S; L where S is of another kind.
#define SIZE(name, is_one, size)                                   \
  HANDLER(name) {                                                  \
    const Term whole = SLOT(2);                                    \
    if (!is_one(whole)) JUMP(3);                                   \
    SLOT(1) = Term::small(static_cast<std::int64_t>(size(whole))); \
    NEXT(3);                                                       \
  }                                                                \
  static_assert(true)

SIZE(tuple_size, is_tuple, tuple_size);
SIZE(map_size, is_map, map_size);
SIZE(byte_size, is_bits, binary_bytes);
SIZE(bit_size, is_bits, binary_bits);

// Maps
// ----------------------------------------------------------------------------------------------

namespace {
/// The value, or none: not there, or for the pool.
[[gnu::noinline]] Term look_up(Process& p, Term map, Term key) {
  return walk_or_leave(p,
                       [&](std::size_t& work) { return map_get(map, key, p.vm().atoms(), &work); });
}
}  // namespace

COLD(map_get_slow) {  // D S X L, the map known to be one
  SYNC_OUT_ROOMLESS;
  const Term found = look_up(*p, SLOT(2), VALUE(3));
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  reductions = p->reductions;
  if (found.is_none()) JUMP(4);
  SLOT(1) = found;
  NEXT(4);
}

/// The value of an immediate key in a flat map, or null.
inline const Word* flat_find(const Word* object, Word key) {
  const Word* keys = reinterpret_cast<const Word*>(object[1] & ~kTagMask);
  for (Word i = Header{object[0]}.payload_words() - 1; i != 0; --i) {
    if (keys[i] == key) return object + 1 + i;
  }
  return nullptr;
}

HANDLER(map_get) {
  const Term map = SLOT(2);
  if (QUELEA_UNLIKELY(!is_map(map))) JUMP(4);
  const Term key = VALUE(3);
  const Word* object = map.pointer();
  if (Header{object[0]}.kind() != Kind::FlatMap || key.is_pointer()) GO_SLOW(map_get_slow);
  const Word* found = flat_find(object, key.bits);
  if (found == nullptr) JUMP(4);
  SLOT(1).bits = *found;
  NEXT(4);
}

COLD(map_has_slow) {
  SYNC_OUT_ROOMLESS;
  const Term found = look_up(*p, SLOT(1), VALUE(2));
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  reductions = p->reductions;
  if (!found.is_none()) NEXT(3);
  JUMP(3);
}

HANDLER(map_has) {  // S X L
  const Term map = SLOT(1);
  if (QUELEA_UNLIKELY(!is_map(map))) JUMP(3);
  const Term key = VALUE(2);
  const Word* object = map.pointer();
  if (Header{object[0]}.kind() != Kind::FlatMap || key.is_pointer()) GO_SLOW(map_has_slow);
  if (flat_find(object, key.bits) == nullptr) JUMP(3);
  NEXT(3);
}

namespace {
[[gnu::noinline]] Term index_slow(Process& p, Term map, Term key) {
  if (!is_map(map)) return p.raise_error(p.tuple(atoms::badmap, map));
  const Term found = look_up(p, map, key);
  return found.is_none() && !is_for_pool(p) ? p.raise_error(p.tuple(atoms::badkey, key)) : found;
}
}  // namespace

COLD(map_index_slow) {  // D S X
  SYNC_OUT_ROOMLESS;
  const Term found = index_slow(*p, SLOT(2), VALUE(3));
  SYNC_IN;
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  if (found.is_none()) GO(unwind);
  SLOT(1) = found;
  NEXT(3);
}

HANDLER(map_index) {
  const Term map = SLOT(2);
  const Term key = VALUE(3);
  if (QUELEA_UNLIKELY(!map.is_boxed() || key.is_pointer())) GO_SLOW(map_index_slow);
  const Word* object = map.pointer();
  if (Header{object[0]}.kind() != Kind::FlatMap) GO_SLOW(map_index_slow);
  const Word* found = flat_find(object, key.bits);
  if (QUELEA_UNLIKELY(found == nullptr)) GO_SLOW(map_index_slow);
  SLOT(1).bits = *found;
  NEXT(3);
}

namespace {

/// The V operand at `operands` (count, then X words) as terms.
std::vector<Term> gather(Term* fp, const Word* operands) {
  std::vector<Term> terms(*operands);
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = value_at(fp, operands[1 + i]);
  return terms;
}

[[gnu::noinline]] Term build_map(Process& p, Term* fp, const Word* pairs) {
  p.charge(static_cast<std::int64_t>(*pairs / 8));
  return walk_or_leave(p, [&](std::size_t& work) {
    auto terms = gather(fp, pairs);
    return map_from_pairs(p, terms.data(), terms.size() / 2, p.vm().atoms(), &work);
  });
}

[[gnu::noinline]] Term put_map(Process& p, Term* fp, Term map, const Word* pairs) {
  if (!is_map(map)) return p.raise_error(p.tuple(atoms::badmap, map));
  return walk_or_leave(p, [&](std::size_t& work) {
    if (*pairs == 2) {
      return map_put(p, map, value_at(fp, pairs[1]), value_at(fp, pairs[2]), p.vm().atoms(), &work);
    }
    auto terms = gather(fp, pairs);
    return map_put_many(p, map, terms.data(), terms.size() / 2, p.vm().atoms(), &work);
  });
}

[[gnu::noinline]] Term update_map(Process& p, Term* fp, Term map, const Word* pairs) {
  if (!is_map(map)) return p.raise_error(p.tuple(atoms::badmap, map));
  Term missing = Term::none();
  const Term result = walk_or_leave(p, [&](std::size_t& work) {
    auto terms = gather(fp, pairs);
    return map_update_many(p, map, terms.data(), terms.size() / 2, p.vm().atoms(), missing, &work);
  });
  if (!result.is_none() || is_for_pool(p)) return result;
  return p.raise_error(p.tuple(atoms::badkey, missing));
}

}  // namespace

HANDLER(map_build) {  // D V Z
  const Word count = pc[2];
  SYNC_OUT(pc[3 + count]);
  const Term result = build_map(*p, fp, pc + 2);
  SYNC_IN;
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  SLOT(1) = result;
  NEXT(3 + count);
}

HANDLER(map_put) {  // D S V Z
  const Word count = pc[3];
  SYNC_OUT(pc[4 + count]);
  const Term result = put_map(*p, fp, SLOT(2), pc + 3);
  SYNC_IN;
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  SLOT(1) = result;
  NEXT(4 + count);
}

COLD(map_update_slow) {
  const Word count = pc[3];
  SYNC_OUT(pc[4 + count]);
  const Term result = update_map(*p, fp, SLOT(2), pc + 3);
  SYNC_IN;
  if (is_for_pool(*p)) LEAVE_FOR_POOL;
  if (QUELEA_UNLIKELY(result.is_none())) GO(unwind);
  SLOT(1) = result;
  NEXT(4 + count);
}

/// Flat maps with immediate keys share their keys: one block of words is copied, the values
/// replaced in it.
HANDLER(map_update) {  // D S V Z
  const Term map = SLOT(2);
  const Word count = pc[3];
  if (QUELEA_UNLIKELY(!map.is_boxed())) GO_SLOW(map_update_slow);
  const Word* object = map.pointer();
  const Header header{object[0]};
  if (header.kind() != Kind::FlatMap) GO_SLOW(map_update_slow);
  const Word words = 1 + header.payload_words();
  if (QUELEA_UNLIKELY(ROOM < static_cast<std::int64_t>(pc[4 + count] + words * sizeof(Word)))) {
    GO_SLOW(map_update_slow);
  }
  for (Word i = 0; i < words; ++i) hp[i] = object[i];
  for (const Word* pair = pc + 4; pair != pc + 4 + count; pair += 2) {
    const Term key = value_at(fp, pair[0]);
    if (key.is_pointer()) GO_SLOW(map_update_slow);
    const Word* found = flat_find(object, key.bits);
    if (QUELEA_UNLIKELY(found == nullptr)) GO_SLOW(map_update_slow);
    hp[found - object] = value_at(fp, pair[1]).bits;
  }
  SLOT(1) = Term::boxed(hp);
  hp += words;
  NEXT(4 + count);
}

}  // namespace quelea
