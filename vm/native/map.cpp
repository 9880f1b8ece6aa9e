// Natives over maps (vm/term/map.h does the work).
#include "vm/native/list_builder.h"
#include "vm/native/map_work.h"
#include "vm/native/pool.h"

namespace quelea {
namespace {

constexpr std::size_t kPairsAtATime = 256;

/// Lists of what is in a map.
template <MapPart kPart>
struct MapToList {
  MapToList(Process& p, Args args) : walk(args[0]), out(p) {}
  MapIterator walk;
  ListBuilder out;

  bool step(Process& p, std::size_t& cost) {
    Term key, value;
    if (!walk.next(key, value)) return false;
    out.push(map_part(p, key, value, kPart));
    cost += 2;
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

struct MergeMaps {
  MergeMaps(Process& p, Args args) : merge(args[0], args[1], atoms_of(p)) {}
  MapMerge merge;

  bool step(Process& p, std::size_t& cost) { return merge.step(p, cost); }
  Term finish(Process& p) { return merge.finish(p); }
};

}  // namespace

Term prim_map_get(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    const Term value = map_get(args[0], args[1], atoms_of(p), &work);
    return value.is_none() ? args[2] : value;
  });
}

Term prim_map_fetch(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    const Term value = map_get(args[0], args[1], atoms_of(p), &work);
    return value.is_none() ? atoms::error : ok_tuple(p, value);
  });
}

Term prim_map_put(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    return map_put(p, args[0], args[1], args[2], atoms_of(p), &work);
  });
}

Term prim_map_put_new(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    if (map_has(args[0], args[1], atoms_of(p), &work)) return args[0];
    return map_put(p, args[0], args[1], args[2], atoms_of(p), &work);
  });
}

Term prim_map_replace(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    const Term map = map_update(p, args[0], args[1], args[2], atoms_of(p), &work);
    return map.is_none() ? args[0] : map;
  });
}

Term prim_map_remove(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    return map_remove(p, args[0], args[1], atoms_of(p), nullptr, &work);
  });
}

Term prim_map_pop(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    Term taken = Term::none();
    const Term rest = map_remove(p, args[0], args[1], atoms_of(p), &taken, &work);
    return p.tuple(taken.is_none() ? args[2] : taken, rest);
  });
}

Term prim_map_merge(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  if (!is_map(args[1])) return badmap(p, args[1]);
  constexpr std::size_t kFew = 4096;
  const std::size_t entries = map_size(args[0]) + map_size(args[1]);
  if (entries > kFew && !is_flat_map(args[0]) && !is_flat_map(args[1]) && args[0] != args[1]) {
    return in_slices<MergeMaps>(p, args);
  }
  charge_cells(p, 4 * entries);
  return walk_or_leave(
      p, [&](std::size_t& work) { return map_merge(p, args[0], args[1], atoms_of(p), &work); });
}

Term prim_map_keys(Process& p, Args args) {
  return is_map(args[0]) ? in_slices<MapToList<MapPart::Keys>>(p, args) : badmap(p, args[0]);
}
Term prim_map_values(Process& p, Args args) {
  return is_map(args[0]) ? in_slices<MapToList<MapPart::Values>>(p, args) : badmap(p, args[0]);
}
Term prim_map_to_list(Process& p, Args args) {
  return is_map(args[0]) ? in_slices<MapToList<MapPart::Pairs>>(p, args) : badmap(p, args[0]);
}

namespace {

struct FromList : MapWork {
  FromList(Process& p, Args args) : MapWork(p), rest(args[0]) {}
  Term rest;

  bool step(Process& p, std::size_t& cost) {
    if (building) return build_some(p, cost);
    if (!rest.is_cons()) return rest.is_nil_list() && start_building();
    if (!is_pair(rest.head())) return false;
    add(tuple_at(rest.head(), 0), tuple_at(rest.head(), 1), cost);
    rest = rest.tail();
    return true;
  }
};

struct FromKeys : MapWork {
  FromKeys(Process& p, Args args) : MapWork(p), rest(args[0]), value(args[1]) {}
  Term rest;
  Term value;

  bool step(Process& p, std::size_t& cost) {
    if (building) return build_some(p, cost);
    if (!rest.is_cons()) return rest.is_nil_list() && start_building();
    add(rest.head(), value, cost);
    rest = rest.tail();
    return true;
  }
};

struct Take : MapWork {
  Take(Process& p, Args args) : MapWork(p), map(args[0]), rest(args[1]) {}
  Term map;
  Term rest;

  bool step(Process& p, std::size_t& cost) {
    if (building) return build_some(p, cost);
    if (!rest.is_cons()) return rest.is_nil_list() && start_building();
    const Term value = map_get(map, rest.head(), atoms_of(p), &cost);
    if (!value.is_none()) add(rest.head(), value, cost);
    rest = rest.tail();
    cost += 8;
    return true;
  }
};

struct Drop {
  Drop(Process&, Args args) : map(args[0]), rest(args[1]) {}
  Term map;
  Term rest;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    map = map_remove(p, map, rest.head(), atoms_of(p), nullptr, &cost);
    rest = rest.tail();
    cost += 32;
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? map : badarg(p); }
};

}  // namespace

Term prim_map_from_list(Process& p, Args args) { return in_slices<FromList>(p, args); }
Term prim_map_from_keys(Process& p, Args args) { return in_slices<FromKeys>(p, args); }

Term prim_map_take(Process& p, Args args) {
  return is_map(args[0]) ? in_slices<Take>(p, args) : badmap(p, args[0]);
}

Term prim_map_drop(Process& p, Args args) {
  return is_map(args[0]) ? in_slices<Drop>(p, args) : badmap(p, args[0]);
}

Term prim_map_next(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  MapCursor cursor = kMapEnd;
  if (!map_cursor_from(args[1], cursor)) return badarg(p);
  if (cursor == kMapEnd) return atoms::nil;
  Term pairs = map_list_from(p, args[0], MapPart::Pairs, cursor, kPairsAtATime, Term::nil_list());
  charge_cells(p, 2 * kPairsAtATime);
  return pairs.is_nil_list() ? atoms::nil : p.tuple(pairs, map_cursor_term(p, cursor));
}

}  // namespace quelea
