// Exact and numeric equality. A walk is a stack of ranges of words that must be equal pairwise.
#include <cstring>

#include "vm/term/binary.h"
#include "vm/term/compare.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/work.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

struct Range {
  const Word* a;
  const Word* b;
  std::size_t count;
  bool children;  // of a map node: cons cells are leaves, whose keys are compared exactly
};

/// Between two looks at the limit: long ranges are walked in pieces.
constexpr std::size_t kMostAtOnce = 1024;

/// What is to be compared: a range, and a stack of those that come after it.
class Ranges {
 public:
  Ranges(Term& a, Term& b) : now{&a.bits, &b.bits, 1, false} {}
  Range now;

  void enter(const Range& parts) {
    if (now.count > 0) later_.push(now);
    take_piece_of(parts);
  }
  /// When `now` is used up. False: nothing is left.
  bool next() {
    if (later_.empty()) return false;
    take_piece_of(later_.take());
    return true;
  }

 private:
  void take_piece_of(const Range& range) {
    now = range;
    if (QUELEA_LIKELY(range.count <= kMostAtOnce)) return;
    later_.push(
        {range.a + kMostAtOnce, range.b + kMostAtOnce, range.count - kMostAtOnce, range.children});
    now.count = kMostAtOnce;
  }
  WorkStack<Range> later_;
};

/// Equality of the bytes of two binaries of one size; of long ones, where the walk may give up, the
/// beginning first, which is where most differ.
bool bytes_equal(BinaryView a, BinaryView b, std::size_t& words, std::size_t most) {
  if (QUELEA_UNLIKELY(a.bit_size / 64 > most)) {
    const std::size_t piece = 64 * most;
    if (!bits_equal(a.sub(0, piece), b.sub(0, piece))) return false;
    words = most + 1;
    return true;
  }
  words += a.bit_size / 64;
  return bits_equal(a, b);
}

bool same_identity(Term a, Term b) {
  if (a.pointer()[1] == b.pointer()[1]) return true;
  const FunIdentity& x = fun_identity(a);
  const FunIdentity& y = fun_identity(b);
  return x.module == y.module && x.index == y.index && x.unique == y.unique && x.arity == y.arity;
}

bool same_export(Term a, Term b) {
  if (a.pointer()[1] == b.pointer()[1]) return true;
  const ExportIdentity& x = export_identity(a);
  const ExportIdentity& y = export_identity(b);
  return x.module == y.module && x.function == y.function && x.arity == y.arity;
}

enum class Answer { No, Yes, Walk, Unknown };

/// What most objects are: tuples, and short binaries and integers, which are equal when their words
/// are (a HeapBinary is padded with zeros). `parts` points to the two headers and becomes what is
/// to be walked.
inline Answer quick_equal(Range& parts) {
  Header header{*parts.a};
  if (header.bits != *parts.b) return Answer::Unknown;
  std::size_t count = header.payload_words();
  switch (header.kind()) {
    case Kind::Tuple:
      parts = {parts.a + 1, parts.b + 1, count, false};
      return Answer::Walk;
    case Kind::HeapBinary:
    case Kind::PositiveBig:
    case Kind::NegativeBig:
      if (count > 9) return Answer::Unknown;
      for (std::size_t i = 1; i <= count; ++i) {
        if (parts.a[i] != parts.b[i]) return Answer::No;
      }
      return Answer::Yes;
    default:
      return Answer::Unknown;
  }
}

/// Compares two boxed objects; for `Walk`, `parts` are what remains to be compared.
Answer boxed_equal(Term a, Term b, Range& parts, std::size_t& words, std::size_t most) {
  Header x = header_of(a), y = header_of(b);
  switch (x.kind()) {
    case Kind::HeapBinary:
    case Kind::RefBinary:
    case Kind::SubBinary: {
      if (!is_bits(b)) return Answer::No;
      std::size_t bits = binary_bits(a);
      if (bits != binary_bits(b)) return Answer::No;
      return bytes_equal(binary_view(a), binary_view(b), words, most) ? Answer::Yes : Answer::No;
    }
    case Kind::PositiveBig:
    case Kind::NegativeBig:
    case Kind::Float:
      if (x.bits != y.bits) return Answer::No;
      words += x.payload_words();
      return std::memcmp(a.pointer() + 1, b.pointer() + 1, x.payload_words() * sizeof(Word)) == 0
                 ? Answer::Yes
                 : Answer::No;
    case Kind::Ref:
      return y.kind() == Kind::Ref && ref_number(a) == ref_number(b) ? Answer::Yes : Answer::No;
    case Kind::ExportFun:
      return y.kind() == Kind::ExportFun && same_export(a, b) ? Answer::Yes : Answer::No;
    case Kind::Fun:
      if (x.bits != y.bits || !same_identity(a, b)) return Answer::No;
      parts = {a.pointer() + 2, b.pointer() + 2, x.payload_words() - 1, false};
      return Answer::Walk;
    default:
      // Everything else is a row of terms: equal when the headers (kind, size) and all words are.
      if (x.bits != y.bits) return Answer::No;
      parts = {a.pointer() + 1, b.pointer() + 1, x.payload_words(), false};
      return Answer::Walk;
  }
}

/// True, with `equal` set, where at least one of two different words is a number.
bool numbers_equal(Term a, Term b, bool& equal) {
  if (a.is_float()) {
    if (b.is_float()) {
      equal = a.float_value() == b.float_value();
    } else {
      equal = is_integer(b) && integer_compare_float(b, a.float_value()) == 0;
    }
    return true;
  }
  if (b.is_float()) {
    equal = is_integer(a) && integer_compare_float(a, b.float_value()) == 0;
    return true;
  }
  return false;
}

}  // namespace

bool exact_equal_slow(Term a, Term b, std::size_t* work) {
  WalkLimit limit(work);
  const std::size_t most = limit.most();
  Ranges ranges(a, b);
  Range& now = ranges.now;
  std::size_t words = 0;
  bool equal = true;
  for (;;) {
    if (now.count == 0) {
      if (QUELEA_UNLIKELY(words > most)) {
        limit.give_up();
        break;
      }
      if (!ranges.next()) break;
    }
    Term x{*now.a++}, y{*now.b++};
    --now.count;
    ++words;
    if (x == y) continue;
    equal = false;
    if (x.is_immediate() || x.tag() != y.tag()) break;
    if (x.is_float()) {
      if (x.pointer()[1] != y.pointer()[1]) break;
      equal = true;
      continue;
    }
    Range parts{x.pointer(), y.pointer(), 2, false};
    if (x.is_boxed()) {
      Answer answer = quick_equal(parts);
      if (answer == Answer::Unknown) answer = boxed_equal(x, y, parts, words, most);
      if (answer == Answer::No) break;
      equal = true;
      if (answer == Answer::Yes && words <= most) continue;
    }
    equal = true;
    if (QUELEA_UNLIKELY(words > most)) {
      limit.give_up();
      break;
    }
    ranges.enter(parts);
  }
  limit.add(words);
  return equal;
}

bool numeric_equal_slow(Term a, Term b, std::size_t* work) {
  WalkLimit limit(work);
  const std::size_t most = limit.most();
  Ranges ranges(a, b);
  Range& now = ranges.now;
  std::size_t words = 0;
  bool equal = true;
  while (equal) {
    if (now.count == 0) {
      if (QUELEA_UNLIKELY(words > most)) {
        limit.give_up();
        break;
      }
      if (!ranges.next()) break;
    }
    Term x{*now.a++}, y{*now.b++};
    --now.count;
    ++words;
    if (x == y || numbers_equal(x, y, equal)) continue;
    if (x.is_immediate() || x.tag() != y.tag()) {
      equal = false;
      break;
    }
    Range parts{x.pointer(), y.pointer(), 2, false};
    if (x.is_cons()) {
      if (now.children) {
        equal = exact_equal(x.head(), y.head(), work);
        parts = {x.pointer() + 1, y.pointer() + 1, 1, false};
      }
    } else {
      Answer answer = boxed_equal(x, y, parts, words, most);
      equal = answer != Answer::No;
      if (answer == Answer::Walk) {
        Kind kind = header_of(x).kind();
        if (kind == Kind::FlatMap) {
          equal = exact_equal(flat_map_keys(x), flat_map_keys(y), work);
          parts = {parts.a + 1, parts.b + 1, parts.count - 1, false};
        }
        parts.children = kind == Kind::MapNode || kind == Kind::MapCollision;
      } else if (words <= most) {
        continue;
      }
    }
    if (QUELEA_UNLIKELY(equal && words > most)) {
      limit.give_up();
      break;
    }
    ranges.enter(parts);
  }
  limit.add(words);
  return equal;
}

}  // namespace quelea
