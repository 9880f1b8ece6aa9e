// Natives over tuples.
#include "vm/native/pool.h"
#include "vm/native/slices.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxTupleSize = std::size_t{1} << 24;

/// An uninitialised tuple; the caller fills `elements`. The empty tuple is an object of its header
/// alone.
Term new_tuple(Process& p, std::size_t size, Word*& elements) {
  Word* object = p.alloc(1 + size);
  object[0] = Header::make(Kind::Tuple, size).bits;
  elements = object + 1;
  p.charge(size / 8);
  return Term::boxed(object);
}

/// Counts the elements, then copies them into a tuple whose slots all hold something meanwhile.
struct ListToTuple {
  ListToTuple(Process&, Args args) : list(args[0]), rest(args[0]) {}
  Term list;
  Term rest;
  std::size_t size = 0;
  Term tuple = Term::none();
  std::size_t filled = 0;
  PagesAhead ahead;

  bool step(Process& p, std::size_t& cost) {
    ++cost;
    if (tuple.is_none()) {
      if (rest.is_cons()) {
        rest = rest.tail();
        ++size;
        return true;
      }
      if (!rest.is_nil_list() || size > kMaxTupleSize) return false;
      Word* elements = nullptr;
      tuple = new_tuple(p, size, elements);
      ahead = PagesAhead(elements, size * sizeof(Word));
      rest = list;
      return size > 0;
    }
    Word* elements = tuple.pointer() + 1;
    ahead.reach(elements + std::min(filled + 512, size));
    for (std::size_t n = 0; n < 512 && rest.is_cons(); ++n, rest = rest.tail()) {
      elements[filled++] = rest.head().bits;
      ++cost;
    }
    return rest.is_cons();
  }
  Term finish(Process& p) {
    if (!rest.is_nil_list()) return badarg(p);
    return tuple.is_none() ? system_limit(p) : tuple;
  }
};

struct TupleToList {
  TupleToList(Process&, Args args) : tuple(args[0]), left(tuple_size(args[0])) {}
  Term tuple;
  std::size_t left;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    if (left == 0) return false;
    list = p.cons(tuple_at(tuple, --left), list);
    ++cost;
    return true;
  }
  Term finish(Process&) { return list; }
};

}  // namespace

Term prim_list_to_tuple(Process& p, Args args) { return in_slices<ListToTuple>(p, args); }

Term prim_tuple_to_list(Process& p, Args args) {
  return is_tuple(args[0]) ? in_slices<TupleToList>(p, args) : badarg(p);
}

Term prim_tuple_duplicate(Process& p, Args args) {
  if (!args[1].is_small() || args[1].small_value() < 0) return badarg(p);
  const auto size = static_cast<std::size_t>(args[1].small_value());
  if (size > kMaxTupleSize) return system_limit(p);
  if (is_for_pool(p, size, kPoolElements)) return p.to_pool();
  Word* at = nullptr;
  Term tuple = new_tuple(p, size, at);
  for (std::size_t i = 0; i < size; ++i) at[i] = args[0].bits;
  return tuple;
}

Term prim_tuple_insert_at(Process& p, Args args) {
  const Term old = args[0];
  if (!is_tuple(old) || !args[1].is_small()) return badarg(p);
  const auto index = static_cast<std::size_t>(args[1].small_value());
  const std::size_t size = tuple_size(old);
  if (index > size) return badarg(p);
  if (size >= kMaxTupleSize) return system_limit(p);
  if (is_large_tuple(p, old)) return p.to_pool();
  Word* at = nullptr;
  Term tuple = new_tuple(p, size + 1, at);
  for (std::size_t i = 0; i < index; ++i) *at++ = tuple_at(old, i).bits;
  *at++ = args[2].bits;
  for (std::size_t i = index; i < size; ++i) *at++ = tuple_at(old, i).bits;
  return tuple;
}

Term prim_tuple_delete_at(Process& p, Args args) {
  const Term old = args[0];
  if (!is_tuple(old) || !args[1].is_small()) return badarg(p);
  const auto index = static_cast<std::size_t>(args[1].small_value());
  const std::size_t size = tuple_size(old);
  if (index >= size) return badarg(p);
  if (is_large_tuple(p, old)) return p.to_pool();
  Word* at = nullptr;
  Term tuple = new_tuple(p, size - 1, at);
  for (std::size_t i = 0; i < size; ++i) {
    if (i != index) *at++ = tuple_at(old, i).bits;
  }
  return tuple;
}

}  // namespace quelea
