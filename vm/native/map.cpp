// Natives over maps (vm/term/map.h does the work).
#include "vm/native/support.h"

namespace quelea {
namespace {

constexpr std::size_t kPairsAtATime = 256;

/// Terms of a proper list; false for anything else.
bool read_list(Term list, std::vector<Term>& out) {
  for (; list.is_cons(); list = list.tail()) out.push_back(list.head());
  return list.is_nil_list();
}

Term whole(Process& p, Term map, MapPart part) {
  if (!is_map(map)) return badmap(p, map);
  charge_cells(p, 2 * map_size(map));
  return map_to_list(p, map, part);
}

}  // namespace

Term prim_map_get(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  Term value = map_get(args[0], args[1], atoms_of(p));
  return value.is_none() ? args[2] : value;
}

Term prim_map_fetch(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  Term value = map_get(args[0], args[1], atoms_of(p));
  return value.is_none() ? atoms::error : ok_tuple(p, value);
}

Term prim_map_put(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return map_put(p, args[0], args[1], args[2], atoms_of(p));
}

Term prim_map_put_new(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  if (map_has(args[0], args[1], atoms_of(p))) return args[0];
  return map_put(p, args[0], args[1], args[2], atoms_of(p));
}

Term prim_map_replace(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  Term map = map_update(p, args[0], args[1], args[2], atoms_of(p));
  return map.is_none() ? args[0] : map;
}

Term prim_map_remove(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return map_remove(p, args[0], args[1], atoms_of(p));
}

Term prim_map_pop(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  Term taken = Term::none();
  Term rest = map_remove(p, args[0], args[1], atoms_of(p), &taken);
  return p.tuple(taken.is_none() ? args[2] : taken, rest);
}

Term prim_map_merge(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  if (!is_map(args[1])) return badmap(p, args[1]);
  std::size_t work = 0;
  Term map = map_merge(p, args[0], args[1], atoms_of(p), &work);
  charge_cells(p, 4 * work);
  return map;
}

Term prim_map_keys(Process& p, Args args) { return whole(p, args[0], MapPart::Keys); }
Term prim_map_values(Process& p, Args args) { return whole(p, args[0], MapPart::Values); }
Term prim_map_to_list(Process& p, Args args) { return whole(p, args[0], MapPart::Pairs); }

Term prim_map_from_list(Process& p, Args args) {
  std::vector<Term> pairs;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    if (!is_pair(rest.head())) return badarg(p);
    pairs.push_back(tuple_at(rest.head(), 0));
    pairs.push_back(tuple_at(rest.head(), 1));
  }
  if (!rest.is_nil_list()) return badarg(p);
  charge_cells(p, 4 * pairs.size());
  return map_from_pairs(p, pairs.data(), pairs.size() / 2, atoms_of(p));
}

Term prim_map_from_keys(Process& p, Args args) {
  std::vector<Term> pairs;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    pairs.push_back(rest.head());
    pairs.push_back(args[1]);
  }
  if (!rest.is_nil_list()) return badarg(p);
  charge_cells(p, 4 * pairs.size());
  return map_from_pairs(p, pairs.data(), pairs.size() / 2, atoms_of(p));
}

Term prim_map_take(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  std::vector<Term> pairs;
  std::size_t n = 0;
  Term rest = args[1];
  for (; rest.is_cons(); rest = rest.tail(), ++n) {
    Term value = map_get(args[0], rest.head(), atoms_of(p));
    if (value.is_none()) continue;
    pairs.push_back(rest.head());
    pairs.push_back(value);
  }
  if (!rest.is_nil_list()) return badarg(p);
  charge_cells(p, 4 * n);
  return map_from_pairs(p, pairs.data(), pairs.size() / 2, atoms_of(p));
}

Term prim_map_drop(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  std::vector<Term> keys;
  if (!read_list(args[1], keys)) return badarg(p);
  charge_cells(p, 8 * keys.size());
  Term map = args[0];
  for (Term key : keys) map = map_remove(p, map, key, atoms_of(p));
  return map;
}

Term prim_map_next(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  if (!args[1].is_small() || args[1].small_value() < kMapEnd) return badarg(p);
  MapCursor cursor = args[1].small_value();
  if (cursor == kMapEnd) return atoms::nil;
  Term pairs = map_list_from(p, args[0], MapPart::Pairs, cursor, kPairsAtATime, Term::nil_list());
  charge_cells(p, 2 * kPairsAtATime);
  return pairs.is_nil_list() ? atoms::nil : p.tuple(pairs, Term::small(cursor));
}

}  // namespace quelea
