// Natives over tuples.
#include "vm/native/support.h"

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

}  // namespace

Term prim_list_to_tuple(Process& p, Args args) {
  std::size_t size = 0;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) ++size;
  if (!rest.is_nil_list()) return badarg(p);
  if (size > kMaxTupleSize) return system_limit(p);
  Word* at = nullptr;
  Term tuple = new_tuple(p, size, at);
  for (rest = args[0]; rest.is_cons(); rest = rest.tail()) *at++ = rest.head().bits;
  return tuple;
}

Term prim_tuple_to_list(Process& p, Args args) {
  if (!is_tuple(args[0])) return badarg(p);
  Term list = Term::nil_list();
  const std::size_t size = tuple_size(args[0]);
  for (std::size_t i = size; i > 0; --i) list = p.cons(tuple_at(args[0], i - 1), list);
  p.charge(size / 8);
  return list;
}

Term prim_tuple_duplicate(Process& p, Args args) {
  if (!args[1].is_small() || args[1].small_value() < 0) return badarg(p);
  const auto size = static_cast<std::size_t>(args[1].small_value());
  if (size > kMaxTupleSize) return system_limit(p);
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
  Word* at = nullptr;
  Term tuple = new_tuple(p, size - 1, at);
  for (std::size_t i = 0; i < size; ++i) {
    if (i != index) *at++ = tuple_at(old, i).bits;
  }
  return tuple;
}

}  // namespace quelea
