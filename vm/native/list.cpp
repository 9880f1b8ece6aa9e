// Natives over lists: taking apart and putting together. Sorting and grouping are in list_sort.cpp
// and list_group.cpp.
//
// A walk costs one reduction for each eight cells. The functions that programs use on lists of any
// length (reverse, append, member) work in slices of kSliceCells; the others are linear with a
// small constant.
#include "vm/native/list_builder.h"
#include "vm/native/support.h"
#include "vm/term/compare.h"
#include "vm/term/number.h"

namespace quelea {
namespace {

constexpr std::size_t kSliceCells = 32 * 1024;

/// Length of a proper list, or -1.
std::ptrdiff_t proper_length(Term list) {
  std::ptrdiff_t n = 0;
  for (; list.is_cons(); list = list.tail()) ++n;
  return list.is_nil_list() ? n : -1;
}

/// State of an append that works in slices: the front reversed so far, then put in front of the
/// tail.
struct AppendState : NativeState {
  bool reversed = false;
};

Term append_in_slices(Process& p, Args args) {
  auto* state = native_state<AppendState>(p);
  if (state == nullptr) {
    state = make_native_state<AppendState>(p);
    state->roots = {args[0], Term::nil_list()};
  }
  Term rest = state->roots[0];
  Term done = state->roots[1];
  std::size_t n = 0;
  while (true) {
    for (; n < kSliceCells && rest.is_cons(); ++n, rest = rest.tail())
      done = p.cons(rest.head(), done);
    if (rest.is_cons()) break;
    if (!rest.is_nil_list()) {
      drop_native_state(p);
      return badarg(p);
    }
    if (state->reversed) {
      drop_native_state(p);
      charge_cells(p, n);
      return done;
    }
    state->reversed = true;
    rest = done;
    done = args[1];
  }
  state->roots[0] = rest;
  state->roots[1] = done;
  charge_cells(p, n);
  return p.again();
}

}  // namespace

Term prim_append(Process& p, Args args) {
  if (p.native_state != nullptr) return append_in_slices(p, args);
  ListBuilder out(p);
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    if (out.size() == kSliceCells) return append_in_slices(p, args);
    out.push(rest.head());
  }
  if (!rest.is_nil_list()) return badarg(p);
  charge_cells(p, out.size());
  return out.finish(args[1]);
}

Term prim_member(Process& p, Args args) {
  const Term x = args[0];
  Term rest = args[1];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail()) {
    if (exact_equal(rest.head(), x, &work)) {
      charge_cells(p, work);
      return atoms::true_;
    }
    if (++work >= kSliceCells) {
      args.set(1, rest.tail());
      charge_cells(p, work);
      return p.again();
    }
  }
  charge_cells(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  return atoms::false_;
}

Term prim_reverse(Process& p, Args args) {
  Term rest = args[0];
  Term done = args[1];
  std::size_t n = 0;
  for (; rest.is_cons(); rest = rest.tail()) {
    if (n == kSliceCells) {
      args.set(0, rest);
      args.set(1, done);
      charge_cells(p, n);
      return p.again();
    }
    done = p.cons(rest.head(), done);
    ++n;
  }
  charge_cells(p, n);
  if (!rest.is_nil_list()) return badarg(p);
  return done;
}

Term prim_list_reverse(Process& p, Args args) {
  Term done = Term::nil_list();
  Term rest = args[0];
  std::size_t n = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++n) done = p.cons(rest.head(), done);
  charge_cells(p, n);
  if (!rest.is_nil_list()) return badarg(p);
  return done;
}

Term prim_range(Process& p, Args args) {
  constexpr std::int64_t kMaxRange = std::int64_t{1} << 27;
  std::int64_t low = 0;
  std::int64_t high = 0;
  if (!is_integer(args[0]) || !is_integer(args[1])) return badarg(p);
  if (integer_compare(args[1], args[0]) < 0) return Term::nil_list();
  if (!integer_to_int64(args[0], low) || !integer_to_int64(args[1], high) || !fits_small(low) ||
      !fits_small(high)) {
    // Beyond small integers: only short ranges can be held anyway.
    Term span = integer_sub(p, args[1], args[0]);
    if (!span.is_small() || span.small_value() >= kMaxRange) return system_limit(p);
    Term list = Term::nil_list();
    Term at = args[1];
    for (std::int64_t n = span.small_value(); n >= 0; --n) {
      list = p.cons(at, list);
      at = integer_sub(p, at, Term::small(1));
    }
    charge_cells(p, static_cast<std::size_t>(span.small_value()));
    return list;
  }
  if (high - low >= kMaxRange) return system_limit(p);
  const auto n = static_cast<std::size_t>(high - low + 1);
  // One piece of memory for all cells, written front to back.
  Word* cell = p.alloc(2 * n);
  const Term first = Term::cons(cell);
  for (std::int64_t value = low; value <= high; ++value, cell += 2) {
    cell[0] = Term::small(value).bits;
    cell[1] = value == high ? Term::nil_list().bits : Term::cons(cell + 2).bits;
  }
  charge_cells(p, n);
  return first;
}

Term prim_list_flatten(Process& p, Args args) {
  if (!args[0].is_list()) return badarg(p);
  ListBuilder out(p);
  std::vector<Term> later;  // tails to go on with
  Term at = args[0];
  std::size_t n = 0;
  while (true) {
    if (at.is_cons()) {
      ++n;
      Term head = at.head();
      Term tail = at.tail();
      if (head.is_list()) {
        if (!tail.is_nil_list()) later.push_back(tail);
        at = head;
      } else {
        out.push(head);
        at = tail;
      }
      continue;
    }
    if (!at.is_nil_list()) return badarg(p);
    if (later.empty()) break;
    at = later.back();
    later.pop_back();
  }
  charge_cells(p, n);
  return out.finish();
}

Term prim_list_concat(Process& p, Args args) {
  ListBuilder out(p);
  Term lists = args[0];
  std::size_t n = 0;
  for (; lists.is_cons(); lists = lists.tail(), ++n) {
    Term rest = lists.head();
    // The last list is shared, not copied.
    if (lists.tail().is_nil_list() && proper_length(rest) >= 0) {
      charge_cells(p, n + out.size());
      return out.finish(rest);
    }
    for (; rest.is_cons(); rest = rest.tail()) out.push(rest.head());
    if (!rest.is_nil_list()) return badarg(p);
  }
  charge_cells(p, n + out.size());
  if (!lists.is_nil_list()) return badarg(p);
  return out.finish();
}

Term prim_list_at(Process& p, Args args) {
  std::int64_t index = 0;
  if (!args[0].is_list() || !get_count(args[1], index)) return badarg(p);
  if (index < 0) {
    std::ptrdiff_t length = proper_length(args[0]);
    if (length < 0) return badarg(p);
    charge_cells(p, static_cast<std::size_t>(length));
    index += length;
    if (index < 0) return args[2];
  }
  Term rest = args[0];
  std::int64_t n = index;
  for (; n > 0 && rest.is_cons(); --n) rest = rest.tail();
  charge_cells(p, static_cast<std::size_t>(index - n));
  return rest.is_cons() ? rest.head() : args[2];
}

Term prim_list_last(Process& p, Args args) {
  Term rest = args[0];
  Term last = args[1];
  std::size_t n = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++n) last = rest.head();
  charge_cells(p, n);
  if (!rest.is_nil_list()) return badarg(p);
  return last;
}

namespace {

/// Turns a count that may be negative ("from the end") into how many elements lie in front of the
/// cut.
bool cut_position(Process& p, Term list, Term count, bool negative_is_end, std::int64_t& front) {
  if (!list.is_list() || !get_count(count, front)) return false;
  if (front >= 0 || !negative_is_end) return true;
  std::ptrdiff_t length = proper_length(list);
  if (length < 0) return false;
  charge_cells(p, static_cast<std::size_t>(length));
  front = front + length < 0 ? 0 : front + length;
  return true;
}

Term skip(Term list, std::int64_t n, std::size_t& walked) {
  for (; n > 0 && list.is_cons(); --n, ++walked) list = list.tail();
  return list;
}

}  // namespace

Term prim_list_take(Process& p, Args args) {
  std::int64_t front = 0;
  if (!cut_position(p, args[0], args[1], true, front)) return badarg(p);
  const bool last = args[1].is_small() ? args[1].small_value() < 0 : integer_is_negative(args[1]);
  std::size_t walked = 0;
  if (last) {
    Term rest = skip(args[0], front, walked);
    charge_cells(p, walked);
    return rest;
  }
  ListBuilder out(p);
  Term rest = args[0];
  for (; front > 0 && rest.is_cons(); --front, rest = rest.tail()) out.push(rest.head());
  charge_cells(p, out.size());
  return out.finish();
}

Term prim_list_drop(Process& p, Args args) {
  std::int64_t front = 0;
  if (!cut_position(p, args[0], args[1], true, front)) return badarg(p);
  const bool last = args[1].is_small() ? args[1].small_value() < 0 : integer_is_negative(args[1]);
  Term rest = args[0];
  if (!last) {
    std::size_t walked = 0;
    rest = skip(rest, front, walked);
    charge_cells(p, walked);
    return rest;
  }
  ListBuilder out(p);
  for (; front > 0 && rest.is_cons(); --front, rest = rest.tail()) out.push(rest.head());
  charge_cells(p, out.size());
  return out.finish();
}

Term prim_list_split(Process& p, Args args) {
  std::int64_t front = 0;
  if (!cut_position(p, args[0], args[1], true, front)) return badarg(p);
  ListBuilder out(p);
  Term rest = args[0];
  for (; front > 0 && rest.is_cons(); --front, rest = rest.tail()) out.push(rest.head());
  charge_cells(p, out.size());
  return p.tuple(out.finish(), rest);
}

Term prim_list_chunk(Process& p, Args args) {
  std::int64_t size = 0;
  if (!get_count(args[1], size) || size <= 0) return badarg(p);
  ListBuilder chunks(p);
  Term rest = args[0];
  std::size_t n = 0;
  while (rest.is_cons()) {
    ListBuilder chunk(p);
    for (std::int64_t i = 0; i < size && rest.is_cons(); ++i, ++n, rest = rest.tail()) {
      chunk.push(rest.head());
    }
    chunks.push(chunk.finish());
  }
  charge_cells(p, n + chunks.size());
  if (!rest.is_nil_list()) return badarg(p);
  return chunks.finish();
}

Term prim_list_zip(Process& p, Args args) {
  ListBuilder out(p);
  Term xs = args[0];
  Term ys = args[1];
  for (; xs.is_cons() && ys.is_cons(); xs = xs.tail(), ys = ys.tail()) {
    out.push(p.tuple(xs.head(), ys.head()));
  }
  charge_cells(p, 2 * out.size());
  if (!xs.is_list() || !ys.is_list()) return badarg(p);
  return out.finish();
}

Term prim_list_unzip(Process& p, Args args) {
  ListBuilder xs(p);
  ListBuilder ys(p);
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    Term pair = rest.head();
    if (!is_pair(pair)) return badarg(p);
    xs.push(tuple_at(pair, 0));
    ys.push(tuple_at(pair, 1));
  }
  charge_cells(p, 2 * xs.size());
  if (!rest.is_nil_list()) return badarg(p);
  return p.tuple(xs.finish(), ys.finish());
}

Term prim_list_with_index(Process& p, Args args) {
  if (!args[1].is_small()) return badarg(p);
  std::int64_t index = args[1].small_value();
  ListBuilder out(p);
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    out.push(p.tuple(rest.head(), make_integer(p, index++)));
  }
  charge_cells(p, 2 * out.size());
  if (!rest.is_nil_list()) return badarg(p);
  return out.finish();
}

Term prim_list_intersperse(Process& p, Args args) {
  ListBuilder out(p);
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    if (out.size() != 0) out.push(args[1]);
    out.push(rest.head());
  }
  charge_cells(p, out.size());
  if (!rest.is_nil_list()) return badarg(p);
  return out.finish();
}

Term prim_list_duplicate(Process& p, Args args) {
  std::int64_t n = 0;
  if (!get_count(args[1], n) || n < 0) return badarg(p);
  if (n > std::int64_t{1} << 27) return system_limit(p);
  Term list = Term::nil_list();
  for (std::int64_t i = 0; i < n; ++i) list = p.cons(args[0], list);
  charge_cells(p, static_cast<std::size_t>(n));
  return list;
}

Term prim_list_delete(Process& p, Args args) {
  ListBuilder out(p);
  Term rest = args[0];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail()) {
    if (exact_equal(rest.head(), args[1], &work)) {
      charge_cells(p, out.size() + work);
      return out.finish(rest.tail());
    }
    out.push(rest.head());
  }
  charge_cells(p, out.size() + work);
  if (!rest.is_nil_list()) return badarg(p);
  return args[0];
}

Term prim_list_index_of(Process& p, Args args) {
  std::int64_t index = 0;
  Term rest = args[0];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++index) {
    if (exact_equal(rest.head(), args[1], &work)) break;
  }
  charge_cells(p, static_cast<std::size_t>(index) + work);
  if (rest.is_cons()) return Term::small(index);
  if (!rest.is_nil_list()) return badarg(p);
  return atoms::nil;
}

Term prim_list_starts_with(Process& p, Args args) {
  Term rest = args[0];
  Term prefix = args[1];
  std::size_t work = 0;
  for (; prefix.is_cons(); prefix = prefix.tail(), rest = rest.tail(), ++work) {
    if (!rest.is_cons() || !exact_equal(rest.head(), prefix.head(), &work)) break;
  }
  charge_cells(p, work);
  if (!rest.is_list() || !prefix.is_list()) return badarg(p);
  return make_bool(prefix.is_nil_list());
}

namespace {

Term extreme(Process& p, Term list, int sign) {
  if (!list.is_cons()) return badarg(p);
  Term best = list.head();
  Term rest = list.tail();
  std::size_t work = 1;
  for (; rest.is_cons(); rest = rest.tail(), ++work) {
    if (compare(rest.head(), best, atoms_of(p), &work) * sign > 0) best = rest.head();
  }
  charge_cells(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  return best;
}

using NumberFunction = Term (*)(TermAlloc&, Term, Term, NumberResult&);

Term fold_numbers(Process& p, Term list, std::int64_t neutral, NumberFunction function) {
  Term total = Term::small(neutral);
  std::size_t n = 0;
  NumberResult result;
  for (; list.is_cons(); list = list.tail(), ++n) {
    total = function(p, total, list.head(), result);
    if (total.is_none()) return fail(p, result.error);
  }
  charge_cells(p, n + result.work);
  if (!list.is_nil_list()) return badarg(p);
  return total;
}

}  // namespace

Term prim_list_min(Process& p, Args args) { return extreme(p, args[0], -1); }
Term prim_list_max(Process& p, Args args) { return extreme(p, args[0], 1); }

Term prim_list_sum(Process& p, Args args) {
  // Small integers are added in a machine word until one does not fit; floats in a double.
  Term rest = args[0];
  std::int64_t sum = 0;
  std::size_t n = 0;
  for (; rest.is_cons() && rest.head().is_small(); rest = rest.tail(), ++n) {
    if (__builtin_add_overflow(sum, rest.head().small_value(), &sum)) {
      sum -= rest.head().small_value();
      break;
    }
  }
  Term total = make_integer(p, sum);
  if (rest.is_cons() && rest.head().is_float() && n == 0) {
    double float_sum = 0;
    for (; rest.is_cons() && rest.head().is_float(); rest = rest.tail(), ++n) {
      float_sum += rest.head().float_value();
    }
    if (!__builtin_isfinite(float_sum)) return fail(p, atoms::badarith);
    total = p.make_float(float_sum);
  }
  NumberResult result;
  for (; rest.is_cons(); rest = rest.tail(), ++n) {
    total = number_add(p, total, rest.head(), result);
    if (total.is_none()) return fail(p, result.error);
  }
  charge_cells(p, n + result.work);
  if (!rest.is_nil_list()) return badarg(p);
  return total;
}

Term prim_list_product(Process& p, Args args) { return fold_numbers(p, args[0], 1, number_mul); }

namespace {

bool key_matches(Term element, Term key, std::size_t index, std::size_t* work) {
  return is_tuple(element) && tuple_size(element) > index &&
         exact_equal(tuple_at(element, index), key, work);
}

bool get_index(Term term, std::size_t& index) {
  if (!term.is_small() || term.small_value() < 0) return false;
  index = static_cast<std::size_t>(term.small_value());
  return true;
}

}  // namespace

Term prim_list_key_find(Process& p, Args args) {
  std::size_t index = 0;
  if (!get_index(args[2], index)) return badarg(p);
  Term rest = args[0];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++work) {
    if (key_matches(rest.head(), args[1], index, &work)) break;
  }
  charge_cells(p, work);
  if (rest.is_cons()) return rest.head();
  if (!rest.is_nil_list()) return badarg(p);
  return atoms::nil;
}

Term prim_list_key_delete(Process& p, Args args) {
  std::size_t index = 0;
  if (!get_index(args[2], index)) return badarg(p);
  ListBuilder out(p);
  Term rest = args[0];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++work) {
    if (key_matches(rest.head(), args[1], index, &work)) {
      charge_cells(p, work);
      return out.finish(rest.tail());
    }
    out.push(rest.head());
  }
  charge_cells(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  return args[0];
}

Term prim_list_key_store(Process& p, Args args) {
  std::size_t index = 0;
  if (!get_index(args[2], index) || !is_tuple(args[3]) || tuple_size(args[3]) <= index) {
    return badarg(p);
  }
  ListBuilder out(p);
  Term rest = args[0];
  std::size_t work = 0;
  for (; rest.is_cons(); rest = rest.tail(), ++work) {
    if (key_matches(rest.head(), args[1], index, &work)) {
      charge_cells(p, work);
      return out.finish(p.cons(args[3], rest.tail()));
    }
    out.push(rest.head());
  }
  charge_cells(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  out.push(args[3]);
  return out.finish();
}

}  // namespace quelea
