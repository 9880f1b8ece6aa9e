// What `for` and comprehensions walk over.
//
// A walk is a loop over cons cells; whenever it meets something that is neither a cell nor [], it
// asks here for more. Lists need nothing. Maps, binaries and streams are handed out in pieces:
// cells whose last tail is a place to go on from (for a binary its rest, for a map a tuple that
// names map and cursor). Streams and sets step in Quelea.
#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/support.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kBytesAtATime = 256;
constexpr std::size_t kPairsAtATime = 256;
constexpr std::size_t kWholeMapPairs = 1024;

Term bad_generator(Process& p, Term value) { return fail(p, p.tuple(atoms::bad_generator, value)); }

/// The next pairs in map order, in front of the place to go on from.
Term next_pairs(Process& p, Term map, MapCursor cursor) {
  Term backwards = map_list_from(p, map, MapPart::Pairs, cursor, kPairsAtATime, Term::nil_list());
  Term list = cursor == kMapEnd ? Term::nil_list()
                                : p.tuple(atoms::map_iterator, map, map_cursor_term(p, cursor));
  for (; backwards.is_cons(); backwards = backwards.tail()) list = p.cons(backwards.head(), list);
  charge_cells(p, 2 * kPairsAtATime);
  return list;
}

Term generate_map(Process& p, Term map) {
  if (is_flat_map(map)) {
    Term kind = map_get_immediate(map, atoms::struct_, atoms_of(p));
    if (kind == atoms::Stream || kind == atoms::Set) {
      return p.trap(atoms::Stream, atoms::next, {map});
    }
  }
  if (map_size(map) <= kWholeMapPairs) {
    charge_cells(p, map_size(map));
    return map_to_list(p, map, MapPart::Pairs);
  }
  return next_pairs(p, map, 0);
}

Term generate_bytes(Process& p, Term binary) {
  const std::size_t size = binary_bytes(binary);
  const std::size_t now = size < kBytesAtATime ? size : kBytesAtATime;
  BinaryView view = binary_view(binary);
  ListBuilder out(p);
  for (std::size_t i = 0; i < now; ++i) {
    out.push(Term::small(static_cast<std::int64_t>(bits_read_word(view, 8 * i, 8))));
  }
  charge_cells(p, now);
  return out.finish(now == size ? Term::nil_list() : slice_of(p, binary, now, size - now));
}

}  // namespace

Term prim_generator(Process& p, Args args) {
  const Term over = args[0];
  if (over.is_list()) return over;
  if (is_map(over)) return generate_map(p, over);
  if (is_binary(over)) return generate_bytes(p, over);
  MapCursor cursor = kMapEnd;
  if (is_tuple(over) && tuple_size(over) == 3 && tuple_at(over, 0) == atoms::map_iterator &&
      is_map(tuple_at(over, 1)) && map_cursor_from(tuple_at(over, 2), cursor) &&
      cursor != kMapEnd) {
    return next_pairs(p, tuple_at(over, 1), cursor);
  }
  return bad_generator(p, over);
}

Term prim_index(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    const Term value = map_get(args[0], args[1], atoms_of(p), &work);
    if (!value.is_none() || gave_up(work)) return value;
    return fail(p, p.tuple(atoms::badkey, args[1]));
  });
}

}  // namespace quelea
