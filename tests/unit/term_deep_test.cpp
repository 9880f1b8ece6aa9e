// Terms far deeper, and far more shared, than a C++ stack or a naive walk could take.
#include <catch2/catch.hpp>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/copy.h"
#include "vm/term/etf.h"
#include "vm/term/hash.h"

using namespace quelea;

namespace {

constexpr std::size_t kDepth = 300000;

struct Fixture {
  AtomTable atoms;
  TestHeap heap;

  enum class Nest { Heads, Tails, Tuples, Maps, MapKeys };
  Term deep(Nest nest, Term bottom, std::size_t depth = kDepth) {
    Term term = bottom;
    for (std::size_t i = 0; i < depth; ++i) {
      switch (nest) {
        case Nest::Heads:
          term = heap.cons(term, Term::nil_list());
          break;
        case Nest::Tails:
          term = heap.cons(Term::small(1), term);
          break;
        case Nest::Tuples:
          term = heap.tuple(Term::small(1), term, Term::small(2));
          break;
        case Nest::Maps: {
          Term pair[2] = {atoms::ok, term};
          term = map_from_pairs(heap, pair, 1, atoms);
          break;
        }
        case Nest::MapKeys: {
          Term pair[2] = {term, atoms::ok};
          term = map_from_pairs(heap, pair, 1, atoms);
          break;
        }
      }
    }
    return term;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "deep terms are compared, hashed, copied, shown and encoded") {
  for (Nest nest : {Nest::Heads, Nest::Tails, Nest::Tuples, Nest::Maps, Nest::MapKeys}) {
    Term a = deep(nest, Term::small(7)), b = deep(nest, Term::small(7)),
         c = deep(nest, Term::small(8));
    REQUIRE(exact_equal(a, b));
    REQUIRE(numeric_equal(a, b));
    REQUIRE(compare(a, b, atoms) == 0);
    REQUIRE(!exact_equal(a, c));
    REQUIRE(compare(a, c, atoms) < 0);
    REQUIRE(hash_term(a, atoms) == hash_term(b, atoms));
    REQUIRE(hash_term(a, atoms) != hash_term(c, atoms));
    TestHeap other;
    std::size_t words = 0;
    Term copy = copy_term(other, a, {}, &words);
    REQUIRE(exact_equal(copy, a));
    REQUIRE(words == term_words(a, {}, ~std::size_t{0}));
    REQUIRE(show(a, atoms).size() > kDepth);
    InspectOptions wide;
    wide.width = 80;
    std::string laid_out;
    inspect(laid_out, deep(nest, Term::small(7), 1000), atoms, wide);
    std::string bytes;
    REQUIRE(etf_encode(bytes, a, atoms));
    EtfDecodeResult back =
        etf_decode(other, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), atoms);
    REQUIRE(back.error == nullptr);
    REQUIRE(exact_equal(back.term, a));
  }
}

TEST_CASE_METHOD(Fixture, "shared parts are copied once, however often they are referred to") {
  for (int shape = 0; shape < 4; ++shape) {
    Term term = heap.list({Term::small(1), Term::small(2)});
    for (int i = 0; i < 60; ++i) {
      switch (shape) {
        case 0:
          term = heap.cons(term, term);
          break;
        case 1:
          term = heap.tuple(term, term);
          break;
        case 2:
          term = heap.cons(heap.cons(atoms::ok, term), term);
          break;
        default: {
          Term pairs[4] = {Term::small(1), term, Term::small(2), term};
          term = map_from_pairs(heap, pairs, 2, atoms);
        }
      }
    }
    TestHeap other;
    std::size_t words = 0;
    copy_term(other, term, {}, &words);
    REQUIRE(words < 100000);
    REQUIRE(term_words(term, {}, 1000) >= 1000);
  }
}

TEST_CASE_METHOD(Fixture, "a count below its cap is what the copy takes") {
  TestRandom random(9);
  for (int i = 0; i < 300; ++i) {
    std::vector<Term> parts = {Term::small(1), heap.make_float(1.5), heap.text("short"),
                               heap.text(std::string(100, 'x'))};
    parts.push_back(binary_part(heap, parts[3], 3, 700));
    parts.push_back(binary_part(heap, parts[3], 8, 300));
    parts.push_back(make_big(heap, true, std::vector<std::uint64_t>(5, 9).data(), 5));
    for (int step = 0; step < 30; ++step) {
      Term x = parts[random.below(parts.size())], y = parts[random.below(parts.size())];
      switch (random.below(4)) {
        case 0:
          parts.push_back(heap.cons(x, Term::nil_list()));
          break;
        case 1:
          parts.push_back(heap.tuple(x, y));
          break;
        case 2:
          parts.push_back(heap.cons(x, y));
          break;
        default: {
          Term pairs[4] = {x, y, y, x};
          parts.push_back(map_from_pairs(heap, pairs, 2, atoms));
        }
      }
    }
    Term term = parts.back();
    std::size_t counted = term_words(term, {}, kSharingThreshold), words = 0;
    TestHeap other;
    Term copy = copy_term(other, term, {}, &words);
    REQUIRE(exact_equal(copy, term));
    if (counted < kSharingThreshold) REQUIRE(words == counted);
    if (counted >= kSharingThreshold) REQUIRE(words >= kSharingThreshold);
  }
}

TEST_CASE_METHOD(Fixture, "literals are not copied") {
  Term literal = heap.tuple(Term::small(1), Term::small(2));
  CopyOptions options;
  options.literals_begin = literal.pointer();
  options.literals_end = literal.pointer() + 3;
  Term term = heap.list({literal, heap.tuple(literal)});
  TestHeap other;
  std::size_t words = 0;
  Term copy = copy_term(other, term, options, &words);
  REQUIRE(words == 6);
  REQUIRE(copy.head() == literal);
  REQUIRE(exact_equal(copy, term));
  REQUIRE(copy_term(other, literal, options) == literal);
}

TEST_CASE_METHOD(Fixture, "large maps as keys of large maps of large maps are compared") {
  Term a = map_empty(heap), b = map_empty(heap);
  for (int depth = 0; depth < 200; ++depth) {
    std::vector<Term> x = {a, Term::small(1)}, y = {b, Term::small(1)};
    for (int i = 0; i < 33; ++i) {
      x.insert(x.end(), {Term::small(i), Term::small(depth)});
      y.insert(y.end(), {Term::small(i), Term::small(depth == 0 ? 5 : depth)});
    }
    a = map_from_pairs(heap, x.data(), x.size() / 2, atoms);
    b = map_from_pairs(heap, y.data(), y.size() / 2, atoms);
  }
  int order = compare(a, b, atoms);
  REQUIRE(order != 0);
  REQUIRE(compare(b, a, atoms) == -order);
}
