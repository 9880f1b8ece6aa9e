#include "vm/term/compare.h"

#include <cstdlib>
#include <vector>

#include "vm/base/memory.h"
#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/work.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

/// The classes of term order, least first.
enum class Class { Number, Atom, Reference, Function, Port, Pid, Tuple, Map, Nil, List, Bits };

Class class_of(Term term) {
  switch (term.tag()) {
    case Tag::Small:
    case Tag::Float:
      return Class::Number;
    case Tag::Atom:
      return Class::Atom;
    case Tag::Pid:
      return Class::Pid;
    case Tag::Cons:
      return Class::List;
    case Tag::Special:
    case Tag::Header:
      return Class::Nil;
    case Tag::Boxed:
      break;
  }
  switch (header_of(term).kind()) {
    case Kind::PositiveBig:
    case Kind::NegativeBig:
    case Kind::Float:
      return Class::Number;
    case Kind::Ref:
    case Kind::ExternalRef:
      return Class::Reference;
    case Kind::Fun:
    case Kind::ExportFun:
      return Class::Function;
    case Kind::Port:
      return Class::Port;
    case Kind::ExternalPid:
      return Class::Pid;
    case Kind::FlatMap:
    case Kind::HashMap:
    case Kind::MapNode:
    case Kind::MapCollision:
      return Class::Map;
    case Kind::HeapBinary:
    case Kind::RefBinary:
    case Kind::SubBinary:
      return Class::Bits;
    case Kind::Tuple:
    case Kind::Hole:
      return Class::Tuple;
  }
  return Class::Tuple;
}

template <class T>
int order(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_numbers(Term a, Term b, bool exact) {
  bool a_float = a.is_float(), b_float = b.is_float();
  if (a_float && b_float) {
    double x = a.float_value(), y = b.float_value();
    int by_value = order(x, y);
    if (by_value != 0 || !exact) return by_value;
    return order(__builtin_signbit(y) != 0, __builtin_signbit(x) != 0);
  }
  if (!a_float && !b_float) return integer_compare(a, b);
  if (exact) return a_float ? 1 : -1;
  return a_float ? -integer_compare_float(b, a.float_value())
                 : integer_compare_float(a, b.float_value());
}

/// A pid as what orders it.
struct PidOrder {
  std::uint64_t number;
  Term node;  // none: this one
  std::int64_t creation;
};

PidOrder pid_order(Term pid) {
  if (pid.is_local_pid()) return {pid.pid_number(), Term::none(), 0};
  std::uint64_t id = static_cast<std::uint32_t>(tuple_at(pid, 1).small_value());
  std::uint64_t serial = static_cast<std::uint32_t>(tuple_at(pid, 2).small_value());
  return {serial << 32 | id, tuple_at(pid, 0), tuple_at(pid, 3).small_value()};
}

int compare_nodes(Term a, Term b, const AtomTable& atoms) {
  if (a == b) return 0;
  if (a.is_none() || b.is_none()) return a.is_none() ? -1 : 1;
  return atoms.compare(a, b);
}

int compare_pids(Term a, Term b, const AtomTable& atoms) {
  PidOrder x = pid_order(a), y = pid_order(b);
  if (x.number != y.number) return order(x.number, y.number);
  int nodes = compare_nodes(x.node, y.node, atoms);
  return nodes != 0 ? nodes : order(x.creation, y.creation);
}

int compare_refs(Term a, Term b, const AtomTable& atoms) {
  bool a_local = a.is_kind(Kind::Ref), b_local = b.is_kind(Kind::Ref);
  if (a_local && b_local) return order(ref_number(a), ref_number(b));
  if (a_local != b_local) return a_local ? -1 : 1;
  int nodes = compare_nodes(tuple_at(a, 0), tuple_at(b, 0), atoms);
  if (nodes != 0) return nodes;
  std::size_t x = tuple_size(a), y = tuple_size(b);
  if (x != y) return order(x, y);
  // The last word is the most significant; the creation (element 1) decides at the end.
  for (std::size_t i = x; i-- > 1;) {
    std::int64_t p = tuple_at(a, i).small_value(), q = tuple_at(b, i).small_value();
    if (p != q) return order(p, q);
  }
  return 0;
}

int compare_ports(Term a, Term b, const AtomTable& atoms) {
  int nodes = compare_nodes(tuple_at(a, 0), tuple_at(b, 0), atoms);
  if (nodes != 0) return nodes;
  int ids = integer_compare(tuple_at(a, 1), tuple_at(b, 1));
  return ids != 0 ? ids : order(tuple_at(a, 2).small_value(), tuple_at(b, 2).small_value());
}

/// Of functions, all but captured values.
int compare_functions(Term a, Term b, const AtomTable& atoms) {
  bool a_local = a.is_kind(Kind::Fun), b_local = b.is_kind(Kind::Fun);
  if (a_local != b_local) return a_local ? -1 : 1;
  if (!a_local) {
    const ExportIdentity& x = export_identity(a);
    const ExportIdentity& y = export_identity(b);
    if (int by = atoms.compare(x.module, y.module)) return by;
    if (int by = atoms.compare(x.function, y.function)) return by;
    return order(x.arity, y.arity);
  }
  const FunIdentity& x = fun_identity(a);
  const FunIdentity& y = fun_identity(b);
  if (int by = atoms.compare(x.module, y.module)) return by;
  if (int by = order(x.index, y.index)) return by;
  if (int by = order(x.unique, y.unique)) return by;
  return order(fun_captured(a), fun_captured(b));
}

/// Order of two bit strings; of long ones, where the walk may give up, the beginning first, which
/// is where most differ.
int compare_bits(Term a, Term b, std::size_t& words, std::size_t most) {
  const BinaryView x = binary_view(a), y = binary_view(b);
  const std::size_t common = x.bit_size < y.bit_size ? x.bit_size : y.bit_size;
  if (QUELEA_UNLIKELY(common / 64 > most)) {
    const std::size_t piece = 64 * most;
    if (int by = bits_compare(x.sub(0, piece), y.sub(0, piece))) return by;
    words = most + 1;
    return 0;
  }
  words += common / 64;
  return bits_compare(x, y);
}

class Comparer {
 public:
  Comparer(const AtomTable& atoms, unsigned nesting, std::size_t* work)
      : atoms_(atoms), nesting_(nesting), limit_(work) {}
  ~Comparer() {
    limit_.add(words_);
    release(now_.owned);
    while (!stack_.empty()) release(stack_.take().owned);
  }
  Comparer(const Comparer&) = delete;
  Comparer& operator=(const Comparer&) = delete;

  int run(Term a, Term b, bool exact) {
    now_ = {&a.bits, &b.bits, 1, exact, nullptr};
    for (;;) {
      while (now_.count == 0) {
        release(now_.owned);
        now_.owned = nullptr;
        if (stack_.empty()) return 0;
        if (QUELEA_UNLIKELY(!limit_.allows(words_))) {
          limit_.give_up();
          return 0;
        }
        take_piece_of(stack_.take());
      }
      Term x{*now_.a++}, y{*now_.b++};
      --now_.count;
      ++words_;
      if (x == y) continue;
      if (int by = step(x, y)) return by;
      if (QUELEA_UNLIKELY(!limit_.allows(words_))) {
        limit_.give_up();
        return 0;
      }
    }
  }

 private:
  /// Words that are still to be compared pairwise.
  struct Range {
    const Word* a = nullptr;
    const Word* b = nullptr;
    std::size_t count = 0;
    bool exact = false;
    void* owned = nullptr;  // memory that `a` and `b` lie in, freed with the range
  };

  /// Between two looks at the limit: long ranges are walked in pieces.
  static constexpr std::size_t kPiece = 1024;

  void take_piece_of(const Range& range) {
    now_ = range;
    if (QUELEA_LIKELY(range.count <= kPiece)) return;
    stack_.push(
        {range.a + kPiece, range.b + kPiece, range.count - kPiece, range.exact, range.owned});
    now_.count = kPiece;
    now_.owned = nullptr;
  }

  /// Goes on with a range; what is left of the present one comes afterwards.
  void open(const Word* a, const Word* b, std::size_t count, bool exact, void* owned = nullptr) {
    if (now_.count > 0 || now_.owned != nullptr) stack_.push(now_);
    take_piece_of({a, b, count, exact, owned});
  }

  /// Compares two different words as far as that takes no walk, and opens their parts.
  int step(Term x, Term y) {
    Class class_x = class_of(x), class_y = class_of(y);
    if (class_x != class_y) return order(class_x, class_y);
    switch (class_x) {
      case Class::Number:
        return compare_numbers(x, y, now_.exact);
      case Class::Atom:
        return atoms_.compare(x, y);
      case Class::Reference:
        return compare_refs(x, y, atoms_);
      case Class::Port:
        return compare_ports(x, y, atoms_);
      case Class::Pid:
        return compare_pids(x, y, atoms_);
      case Class::Function: {
        int by = compare_functions(x, y, atoms_);
        if (by == 0 && x.is_kind(Kind::Fun)) {
          open(x.pointer() + 2, y.pointer() + 2, fun_captured(x), now_.exact);
        }
        return by;
      }
      case Class::Tuple: {
        int by = order(tuple_size(x), tuple_size(y));
        if (by == 0) open(x.pointer() + 1, y.pointer() + 1, tuple_size(x), now_.exact);
        return by;
      }
      case Class::Map: {
        int by = order(map_size(x), map_size(y));
        if (by == 0) open_maps(x, y, map_size(x));
        return by;
      }
      case Class::Nil:
        return 0;
      case Class::List:
        open(x.pointer(), y.pointer(), 2, now_.exact);
        return 0;
      case Class::Bits:
        return compare_bits(x, y, words_, limit_.most());
    }
    return 0;
  }

  /// Keys first, exactly and in key order, then the values.
  void open_maps(Term x, Term y, std::size_t size) {
    bool exact = now_.exact;
    if (is_flat_map(x)) {
      open(x.pointer() + 2, y.pointer() + 2, size, exact);
      const Word* keys_x = flat_map_keys(x).pointer() + 1;
      const Word* keys_y = flat_map_keys(y).pointer() + 1;
      if (keys_x != keys_y) open(keys_x, keys_y, size, true);
      return;
    }
    // Sorting takes its time, too.
    words_ += 32 * size;
    if (!limit_.allows(words_)) return;
    Word* memory = static_cast<Word*>(allocate(4 * size * sizeof(Word)));
    if (memory == nullptr) no_memory();
    for (unsigned side = 0; side < 2; ++side) {
      std::vector<MapEntry> entries;
      map_sorted_entries(side == 0 ? x : y, entries, atoms_, nesting_);
      Word* keys = memory + side * size;
      Word* values = memory + (2 + side) * size;
      for (std::size_t i = 0; i < size; ++i) {
        keys[i] = entries[i].key.bits;
        values[i] = entries[i].value.bits;
      }
    }
    open(memory + 2 * size, memory + 3 * size, size, exact, memory);
    open(memory, memory + size, size, true);
  }

  const AtomTable& atoms_;
  unsigned nesting_;
  WalkLimit limit_;
  std::size_t words_ = 0;
  Range now_;
  WorkStack<Range> stack_;
};

}  // namespace

int compare_nested(Term a, Term b, const AtomTable& atoms, bool exact, std::size_t* work,
                   unsigned nesting) {
  Class class_a = class_of(a), class_b = class_of(b);
  if (class_a != class_b) return order(class_a, class_b);
  switch (class_a) {
    case Class::Number:
      return compare_numbers(a, b, exact);
    case Class::Atom:
      return atoms.compare(a, b);
    case Class::Bits: {
      WalkLimit limit(work);
      std::size_t words = 0;
      int by = compare_bits(a, b, words, limit.most());
      if (!limit.allows(words)) limit.give_up();
      limit.add(words);
      return by;
    }
    default:
      break;
  }
  return Comparer(atoms, nesting, work).run(a, b, exact);
}

int compare_slow(Term a, Term b, const AtomTable& atoms, bool exact, std::size_t* work) {
  return compare_nested(a, b, atoms, exact, work, 0);
}

}  // namespace quelea
