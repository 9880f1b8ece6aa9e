// Natives over lists: taking apart and putting together. Sorting and grouping are in list_sort.cpp
// and list_group.cpp.
//
// All of them work in slices. Those that build a list are loops in the shape of slices.h; those
// that only walk one keep where they are in their arguments.
#include "vm/base/raw_vector.h"
#include "vm/native/list_builder.h"
#include "vm/native/slices.h"
#include "vm/term/compare.h"
#include "vm/term/number.h"

namespace quelea {
namespace {

/// What most of these loops are: a walk over the list that the first argument is, building another.
struct ListLoop {
  ListLoop(Process& p, Args args) : rest(args[0]), out(p) {}
  Term rest;
  ListBuilder out;

  Term built(Process& p) { return rest.is_nil_list() ? out.finish() : badarg(p); }
};

struct Append : ListLoop {
  Append(Process& p, Args args) : ListLoop(p, args), tail(args[1]) {}
  Term tail;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    out.push(rest.head());
    rest = rest.tail();
    ++cost;
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? out.finish(tail) : badarg(p); }
};

}  // namespace

Term prim_append(Process& p, Args args) { return in_slices<Append>(p, args); }

namespace {

struct Member {
  Member(Process&, Args args) : wanted(args[0]), rest(args[1]) {}
  Term wanted;
  Term rest;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    ++cost;
    if (exact_equal(rest.head(), wanted, &cost)) return false;
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) { return rest.is_list() ? make_bool(rest.is_cons()) : badarg(p); }
};

}  // namespace

Term prim_member(Process& p, Args args) { return in_slices<Member>(p, args); }

Term prim_reverse(Process& p, Args args) {
  Term rest = args[0];
  Term done = args[1];
  std::size_t n = 0;
  for (; rest.is_cons(); rest = rest.tail()) {
    if (n == kSliceCost) {
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

namespace {

struct Reverse {
  Reverse(Process&, Args args) : rest(args[0]) {}
  Term rest;
  Term done = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    done = p.cons(rest.head(), done);
    rest = rest.tail();
    ++cost;
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? done : badarg(p); }
};

}  // namespace

Term prim_list_reverse(Process& p, Args args) { return in_slices<Reverse>(p, args); }

namespace {

constexpr std::int64_t kMaxRange = std::int64_t{1} << 27;

/// Beyond small integers.
struct BigRange {
  BigRange(Process& p, Args args) : at(args[1]), left(span(p, args)) {}
  static std::int64_t span(Process& p, Args args) {
    const Term span = integer_sub(p, args[1], args[0]);
    return span.is_small() ? span.small_value() + 1 : kMaxRange + 1;
  }
  Term at;
  std::int64_t left;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    if (left == 0 || left > kMaxRange) return false;
    list = p.cons(at, list);
    at = integer_sub(p, at, Term::small(1));
    --left;
    cost += 4;
    return true;
  }
  Term finish(Process& p) { return left == 0 ? list : system_limit(p); }
};

struct SmallRange {
  SmallRange(Process&, Args args) : low(args[0].small_value()), at(args[1].small_value()) {}
  std::int64_t low;
  std::int64_t at;
  Term list = Term::nil_list();

  /// One piece of memory for many cells.
  bool step(Process& p, std::size_t& cost) {
    const std::int64_t n = std::min<std::int64_t>(at - low + 1, 4096);
    Word* cell = p.alloc(2 * static_cast<std::size_t>(n));
    const Term first = Term::cons(cell);
    for (std::int64_t value = at - n + 1; value <= at; ++value, cell += 2) {
      cell[0] = Term::small(value).bits;
      cell[1] = value == at ? list.bits : Term::cons(cell + 2).bits;
    }
    list = first;
    at -= n;
    cost += static_cast<std::size_t>(n);
    return at >= low;
  }
  Term finish(Process&) { return list; }
};

}  // namespace

Term prim_range(Process& p, Args args) {
  if (!is_integer(args[0]) || !is_integer(args[1])) return badarg(p);
  if (integer_compare(args[1], args[0]) < 0) return Term::nil_list();
  if (!args[0].is_small() || !args[1].is_small()) return in_slices<BigRange>(p, args);
  if (args[1].small_value() - args[0].small_value() >= kMaxRange) return system_limit(p);
  return in_slices<SmallRange>(p, args);
}

namespace {

struct Flatten {
  Flatten(Process& p, Args args) : at(args[0]), out(p) {}
  Term at;
  RawVector<Term> later;  ///< Tails to go on with.
  ListBuilder out;

  bool step(Process&, std::size_t& cost) {
    ++cost;
    if (at.is_cons()) {
      const Term head = at.head();
      const Term tail = at.tail();
      if (head.is_list()) {
        if (!tail.is_nil_list()) later.push_back(tail);
        at = head;
      } else {
        out.push(head);
        at = tail;
      }
      return true;
    }
    if (!at.is_nil_list() || later.empty()) return false;
    at = later.back();
    later.pop_back();
    return true;
  }
  Term finish(Process& p) { return at.is_nil_list() ? out.finish() : badarg(p); }
};

/// The last list is shared, not copied; it is walked to see whether it is proper.
struct Concat {
  Concat(Process& p, Args args) : lists(args[0]), out(p) {}
  Term lists;  ///< What follows the one that is being copied.
  Term rest = Term::nil_list();
  Term last = Term::nil_list();
  bool sharing = false;
  ListBuilder out;

  bool step(Process&, std::size_t& cost) {
    ++cost;
    if (rest.is_cons()) {
      if (!sharing) out.push(rest.head());
      rest = rest.tail();
      return true;
    }
    if (!rest.is_nil_list() || !lists.is_cons()) return false;
    rest = lists.head();
    lists = lists.tail();
    sharing = lists.is_nil_list();
    if (sharing) last = rest;
    return true;
  }
  Term finish(Process& p) {
    return rest.is_nil_list() && lists.is_nil_list() ? out.finish(last) : badarg(p);
  }
};

}  // namespace

Term prim_list_flatten(Process& p, Args args) {
  return args[0].is_list() ? in_slices<Flatten>(p, args) : badarg(p);
}
Term prim_list_concat(Process& p, Args args) { return in_slices<Concat>(p, args); }

namespace {

struct Length {
  Length(Process&, Args args) : rest(args[0]) {}
  Term rest;
  std::int64_t length = 0;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    rest = rest.tail();
    ++length;
    ++cost;
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? Term::small(length) : badarg(p); }
};

/// What counts elements from the end (a negative count) first needs to know how many there are,
/// then loops as `Loop` does.
template <class Loop>
struct Counted {
  Counted(Process& p, Args args) : length(p, args), loop(p, args) { get_count(args[1], count); }
  Length length;
  Loop loop;
  std::int64_t count = 0;
  bool counting = true;

  bool step(Process& p, std::size_t& cost) {
    if (!counting) return loop.step(p, cost);
    if (length.step(p, cost)) return true;
    if (!length.rest.is_nil_list()) return false;
    counting = false;
    loop.count_from_end(length.length + count);
    return true;
  }
  Term finish(Process& p) { return counting ? badarg(p) : loop.finish(p); }
};

/// Goes past `left` elements.
struct Skip {
  Skip(Process&, Args args) : rest(args[0]) { get_count(args[1], left); }
  Term rest;
  std::int64_t left = 0;

  void count_from_end(std::int64_t front) { left = std::max<std::int64_t>(front, 0); }
  bool step(Process&, std::size_t& cost) {
    if (left == 0 || !rest.is_cons()) return false;
    rest = rest.tail();
    --left;
    ++cost;
    return true;
  }
  Term finish(Process&) { return rest; }
};

struct At : Skip {
  At(Process& p, Args args) : Skip(p, args), otherwise(args[2]) {}
  Term otherwise;

  void count_from_end(std::int64_t front) {
    left = front;
    if (front >= 0) return;
    left = 0;
    rest = Term::nil_list();
  }
  Term finish(Process&) { return rest.is_cons() ? rest.head() : otherwise; }
};

/// Copies `left` elements.
struct Front : ListLoop {
  Front(Process& p, Args args) : ListLoop(p, args) { get_count(args[1], left); }
  std::int64_t left = 0;

  void count_from_end(std::int64_t front) { left = std::max<std::int64_t>(front, 0); }
  bool step(Process&, std::size_t& cost) {
    if (left == 0 || !rest.is_cons()) return false;
    out.push(rest.head());
    rest = rest.tail();
    --left;
    ++cost;
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

struct Split : Front {
  using Front::Front;
  Term finish(Process& p) { return p.tuple(out.finish(), rest); }
};

struct Last {
  Last(Process&, Args args) : rest(args[0]), last(args[1]) {}
  Term rest;
  Term last;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    last = rest.head();
    rest = rest.tail();
    ++cost;
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? last : badarg(p); }
};

bool is_negative(Term integer) {
  return integer.is_small() ? integer.small_value() < 0 : integer_is_negative(integer);
}

}  // namespace

Term prelude_length(Process& p, Args args) { return in_slices<Length>(p, args); }

Term prim_list_at(Process& p, Args args) {
  if (!args[0].is_list() || !is_integer(args[1])) return badarg(p);
  return is_negative(args[1]) ? in_slices<Counted<At>>(p, args) : in_slices<At>(p, args);
}

Term prim_list_last(Process& p, Args args) { return in_slices<Last>(p, args); }

// Of a count from the end, the elements in front of it are what the other one of these two takes.
Term prim_list_take(Process& p, Args args) {
  if (!args[0].is_list() || !is_integer(args[1])) return badarg(p);
  return is_negative(args[1]) ? in_slices<Counted<Skip>>(p, args) : in_slices<Front>(p, args);
}

Term prim_list_drop(Process& p, Args args) {
  if (!args[0].is_list() || !is_integer(args[1])) return badarg(p);
  return is_negative(args[1]) ? in_slices<Counted<Front>>(p, args) : in_slices<Skip>(p, args);
}

Term prim_list_split(Process& p, Args args) {
  if (!args[0].is_list() || !is_integer(args[1])) return badarg(p);
  return is_negative(args[1]) ? in_slices<Counted<Split>>(p, args) : in_slices<Split>(p, args);
}

namespace {

struct Chunk {
  Chunk(Process& p, Args args) : rest(args[0]), chunk(p), chunks(p) { get_count(args[1], size); }
  Term rest;
  std::int64_t size = 0;
  ListBuilder chunk;
  ListBuilder chunks;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    chunk.push(rest.head());
    rest = rest.tail();
    cost += 2;
    if (chunk.size() == static_cast<std::size_t>(size)) {
      chunks.push(chunk.finish());
      chunk = ListBuilder(p);
    }
    return true;
  }
  Term finish(Process& p) {
    if (!rest.is_nil_list()) return badarg(p);
    if (chunk.size() != 0) chunks.push(chunk.finish());
    return chunks.finish();
  }
};

struct Zip : ListLoop {
  Zip(Process& p, Args args) : ListLoop(p, args), other(args[1]) {}
  Term other;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons() || !other.is_cons()) return false;
    out.push(p.tuple(rest.head(), other.head()));
    rest = rest.tail();
    other = other.tail();
    cost += 2;
    return true;
  }
  Term finish(Process& p) { return rest.is_list() && other.is_list() ? out.finish() : badarg(p); }
};

struct Unzip : ListLoop {
  Unzip(Process& p, Args args) : ListLoop(p, args), seconds(p) {}
  ListBuilder seconds;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons() || !is_pair(rest.head())) return false;
    out.push(tuple_at(rest.head(), 0));
    seconds.push(tuple_at(rest.head(), 1));
    rest = rest.tail();
    cost += 2;
    return true;
  }
  Term finish(Process& p) {
    return rest.is_nil_list() ? p.tuple(out.finish(), seconds.finish()) : badarg(p);
  }
};

struct WithIndex : ListLoop {
  WithIndex(Process& p, Args args) : ListLoop(p, args), index(args[1].small_value()) {}
  std::int64_t index;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    out.push(p.tuple(rest.head(), make_integer(p, index++)));
    rest = rest.tail();
    cost += 2;
    return true;
  }
  Term finish(Process& p) { return built(p); }
};

struct Intersperse : ListLoop {
  Intersperse(Process& p, Args args) : ListLoop(p, args), separator(args[1]) {}
  Term separator;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    if (out.size() != 0) out.push(separator);
    out.push(rest.head());
    rest = rest.tail();
    cost += 2;
    return true;
  }
  Term finish(Process& p) { return built(p); }
};

struct Duplicate {
  Duplicate(Process&, Args args) : element(args[0]) { get_count(args[1], left); }
  Term element;
  std::int64_t left = 0;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    if (left == 0) return false;
    list = p.cons(element, list);
    --left;
    ++cost;
    return true;
  }
  Term finish(Process&) { return list; }
};

/// Copies a list up to the first element that `Matches` and goes on with what `Loop` says.
template <class Matches>
struct Until : ListLoop {
  Until(Process& p, Args args) : ListLoop(p, args), whole(args[0]), matches(args) {}
  Term whole;
  Matches matches;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    ++cost;
    if (matches(rest.head(), cost)) return false;
    out.push(rest.head());
    rest = rest.tail();
    return true;
  }
};

struct IsEqual {
  explicit IsEqual(Args args) : wanted(args[1]) {}
  Term wanted;
  bool operator()(Term element, std::size_t& cost) const {
    return exact_equal(element, wanted, &cost);
  }
};

struct HasKey {
  explicit HasKey(Args args)
      : key(args[1]), index(static_cast<std::size_t>(args[2].small_value())) {}
  Term key;
  std::size_t index;
  bool operator()(Term element, std::size_t& cost) const {
    return is_tuple(element) && tuple_size(element) > index &&
           exact_equal(tuple_at(element, index), key, &cost);
  }
};

template <class Matches>
struct Delete : Until<Matches> {
  using Until<Matches>::Until;
  Term finish(Process& p) {
    if (this->rest.is_cons()) return this->out.finish(this->rest.tail());
    return this->rest.is_nil_list() ? this->whole : badarg(p);
  }
};

struct KeyStore : Until<HasKey> {
  KeyStore(Process& p, Args args) : Until(p, args), tuple(args[3]) {}
  Term tuple;
  Term finish(Process& p) {
    if (!rest.is_list()) return badarg(p);
    return out.finish(p.cons(tuple, rest.is_cons() ? rest.tail() : rest));
  }
};

/// Looks for an element without building anything.
template <class Matches>
struct Find {
  Find(Process&, Args args) : rest(args[0]), matches(args) {}
  Term rest;
  Matches matches;
  std::int64_t index = 0;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    ++cost;
    if (matches(rest.head(), cost)) return false;
    rest = rest.tail();
    ++index;
    return true;
  }
};

struct IndexOf : Find<IsEqual> {
  using Find::Find;
  Term finish(Process& p) {
    if (rest.is_cons()) return Term::small(index);
    return rest.is_nil_list() ? atoms::nil : badarg(p);
  }
};

struct KeyFind : Find<HasKey> {
  using Find::Find;
  Term finish(Process& p) {
    if (rest.is_cons()) return rest.head();
    return rest.is_nil_list() ? atoms::nil : badarg(p);
  }
};

struct StartsWith {
  StartsWith(Process&, Args args) : rest(args[0]), prefix(args[1]) {}
  Term rest;
  Term prefix;

  bool step(Process&, std::size_t& cost) {
    ++cost;
    if (!prefix.is_cons() || !rest.is_cons()) return false;
    if (!exact_equal(rest.head(), prefix.head(), &cost)) return false;
    rest = rest.tail();
    prefix = prefix.tail();
    return true;
  }
  Term finish(Process& p) {
    return rest.is_list() && prefix.is_list() ? make_bool(prefix.is_nil_list()) : badarg(p);
  }
};

bool is_index(Term term) { return term.is_small() && term.small_value() >= 0; }

}  // namespace

Term prim_list_chunk(Process& p, Args args) {
  std::int64_t size = 0;
  if (!get_count(args[1], size) || size <= 0) return badarg(p);
  return in_slices<Chunk>(p, args);
}

Term prim_list_zip(Process& p, Args args) { return in_slices<Zip>(p, args); }
Term prim_list_unzip(Process& p, Args args) { return in_slices<Unzip>(p, args); }

Term prim_list_with_index(Process& p, Args args) {
  return args[1].is_small() ? in_slices<WithIndex>(p, args) : badarg(p);
}

Term prim_list_intersperse(Process& p, Args args) { return in_slices<Intersperse>(p, args); }

Term prim_list_duplicate(Process& p, Args args) {
  std::int64_t n = 0;
  if (!get_count(args[1], n) || n < 0) return badarg(p);
  if (n > kMaxRange) return system_limit(p);
  return in_slices<Duplicate>(p, args);
}

Term prim_list_delete(Process& p, Args args) { return in_slices<Delete<IsEqual>>(p, args); }
Term prim_list_index_of(Process& p, Args args) { return in_slices<IndexOf>(p, args); }
Term prim_list_starts_with(Process& p, Args args) { return in_slices<StartsWith>(p, args); }

Term prim_list_key_find(Process& p, Args args) {
  return is_index(args[2]) ? in_slices<KeyFind>(p, args) : badarg(p);
}

Term prim_list_key_delete(Process& p, Args args) {
  return is_index(args[2]) ? in_slices<Delete<HasKey>>(p, args) : badarg(p);
}

Term prim_list_key_store(Process& p, Args args) {
  if (!is_index(args[2]) || !is_tuple(args[3]) ||
      tuple_size(args[3]) <= static_cast<std::size_t>(args[2].small_value())) {
    return badarg(p);
  }
  return in_slices<KeyStore>(p, args);
}

namespace {

template <int kSign>
struct Extreme {
  Extreme(Process&, Args args) : rest(args[0].tail()), best(args[0].head()) {}
  Term rest;
  Term best;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    ++cost;
    if (compare(rest.head(), best, atoms_of(p), &cost) * kSign > 0) best = rest.head();
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? best : badarg(p); }
};

using NumberFunction = Term (*)(TermAlloc&, Term, Term, NumberResult&);

template <NumberFunction kFunction, int kNeutral>
struct Fold {
  Fold(Process&, Args args) : rest(args[0]) {}
  Term rest;
  Term total = Term::small(kNeutral);
  NumberResult result;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    result.work = 0;
    total = kFunction(p, total, rest.head(), result);
    cost += 1 + result.work;
    if (total.is_none()) return false;
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) {
    if (total.is_none()) return fail(p, result.error);
    return rest.is_nil_list() ? total : badarg(p);
  }
};

/// Small integers are added in a machine word until one does not fit; floats in a double.
struct Sum : Fold<number_add, 0> {
  using Fold::Fold;
  enum Kind { kUnknown, kIntegers, kFloats, kAny };
  Kind kind = kUnknown;
  std::int64_t integers = 0;
  double floats = 0;

  bool step(Process& p, std::size_t& cost) {
    if (kind == kAny) return Fold::step(p, cost);
    if (kind == kUnknown && rest.is_cons()) kind = rest.head().is_float() ? kFloats : kIntegers;
    constexpr std::size_t kMany = 512;
    std::size_t n = 0;
    if (kind == kIntegers) {
      for (; n < kMany && rest.is_cons() && rest.head().is_small(); ++n, rest = rest.tail()) {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(integers, rest.head().small_value(), &sum)) break;
        integers = sum;
      }
    } else {
      for (; n < kMany && rest.is_cons() && rest.head().is_float(); ++n, rest = rest.tail()) {
        floats += rest.head().float_value();
      }
    }
    cost += n + 1;
    if (n == kMany) return true;
    if (kind == kFloats && !__builtin_isfinite(floats)) {
      total = Term::none();
      result.error = atoms::badarith;
      return false;
    }
    total = kind == kFloats ? p.make_float(floats) : make_integer(p, integers);
    kind = kAny;
    return true;
  }
};

}  // namespace

Term prim_list_min(Process& p, Args args) {
  return args[0].is_cons() ? in_slices<Extreme<-1>>(p, args) : badarg(p);
}
Term prim_list_max(Process& p, Args args) {
  return args[0].is_cons() ? in_slices<Extreme<1>>(p, args) : badarg(p);
}
Term prim_list_sum(Process& p, Args args) { return in_slices<Sum>(p, args); }
Term prim_list_product(Process& p, Args args) { return in_slices<Fold<number_mul, 1>>(p, args); }

}  // namespace quelea
