// Maps of keys that were made up to have one hash. Such keys are easily made: in the running hash
// of a string or tuple, a word that equals what the hash is so far changes nothing, so that the
// same words with such ones between them, anywhere, are different keys of one hash.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <map>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/hash.h"
#include "vm/term/map_build.h"
#include "vm/term/work.h"

using namespace quelea;

namespace {

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
constexpr std::uint64_t kSeedBits = 0x85EBCA77C2B2AE63u;

/// As vm/term/hash.cpp does it; the first test says whether this is still so.
std::uint64_t combine(std::uint64_t hash, std::uint64_t word) {
  unsigned __int128 product = static_cast<unsigned __int128>(hash ^ word) * kMultiplier;
  return static_cast<std::uint64_t>(product) + (static_cast<std::uint64_t>(product >> 64) ^ hash);
}

/// Strings of kBlocks blocks of four words. The hash has two chains, each of which takes two words
/// of a block.
struct Collisions {
  AtomTable atoms;
  TestHeap heap;

  static constexpr unsigned kBlocks = 17;

  /// Says of each word of a chain whether it changes the hash: 17 of them, and their complement, so
  /// that always 17 do.
  static std::uint64_t pattern(std::uint64_t i) { return i | (~i & 0x1FFFF) << 17; }

  Term key(std::uint64_t i) {
    std::uint64_t words[4 * kBlocks];
    std::uint64_t hash = combine(kSeedBits, sizeof words);
    std::uint64_t other = hash ^ kMultiplier;
    for (unsigned block = 0; block < kBlocks; ++block) {
      for (unsigned w = 0; w < 2; ++w) {
        const bool changes = (pattern(i) >> (2 * block + w) & 1) != 0;
        std::uint64_t& mine = words[4 * block + w];
        mine = changes ? 0x1234567 : hash;
        hash = combine(hash, mine);
        std::uint64_t& others = words[4 * block + 2 + w];
        others = changes ? 0x89ABCDEF : other;
        other = combine(other, others);
      }
    }
    return binary_from_text(heap, {reinterpret_cast<const char*>(words), sizeof words});
  }

  void check(Term map) {
    const char* wrong = map_check(map, atoms);
    INFO((wrong != nullptr ? wrong : ""));
    REQUIRE(wrong == nullptr);
  }
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

TEST_CASE_METHOD(Collisions, "made-up keys have one hash, and strong hashes of their own") {
  const std::uint64_t hash = hash_term(key(0), atoms);
  for (std::uint64_t i = 1; i < 1000; ++i) {
    const Term a = key(i);
    REQUIRE(hash_term(a, atoms) == hash);
    REQUIRE(!exact_equal(a, key(i - 1)));
    REQUIRE(hash_strong(a, atoms) != hash_strong(key(i - 1), atoms));
    REQUIRE(hash_strong(a, atoms) == hash_strong(key(i), atoms));
  }
}

TEST_CASE_METHOD(Collisions, "a hundred thousand keys of one hash are put and found quickly") {
  constexpr std::uint64_t kKeys = 100'000;
  std::vector<Term> keys;
  for (std::uint64_t i = 0; i < kKeys; ++i) keys.push_back(key(i));
  const double start = cpu_seconds();
  Term map = map_empty(heap);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    map = map_put(heap, map, keys[i], Term::small(static_cast<std::int64_t>(i)), atoms);
  }
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    found += map_get(map, keys[i], atoms) == Term::small(static_cast<std::int64_t>(i));
  }
  const double took = cpu_seconds() - start;
  REQUIRE(found == kKeys);
  REQUIRE(map_get(map, key(kKeys), atoms).is_none());
  // Copying all of them at every put took minutes.
  if (std::getenv("QUELEA_SLICE_TIMES") != nullptr) WARN("seconds: " << took);
  REQUIRE(map_size(map) == kKeys);
  check(map);

  MapBuild building(atoms);
  for (std::uint64_t i = kKeys; i-- > 0;) {
    building.pairs.push_back(keys[i]);
    building.pairs.push_back(Term::small(static_cast<std::int64_t>(i)));
  }
  std::size_t cost = 0;
  while (building.step(heap, cost)) {
  }
  check(building.result());
  REQUIRE(exact_equal(building.result(), map));
  REQUIRE(hash_term(building.result(), atoms) == hash_term(map, atoms));
}

TEST_CASE_METHOD(Collisions, "maps of colliding and other keys agree with a model") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    TestRandom random(seed);
    const std::uint64_t range = seed % 3 == 0 ? 40 : 300;
    auto any_key = [&](std::uint64_t k) {
      return k % 4 == 3 ? Term::small(static_cast<std::int64_t>(k)) : key(k);
    };
    std::map<std::uint64_t, std::int64_t> model;
    Term map = map_empty(heap);
    for (int step = 0; step < 1200; ++step) {
      const std::uint64_t k = random.below(range);
      if (random.below(10) < (step < 600 ? 7u : 3u)) {
        const auto value = static_cast<std::int64_t>(random.below(1000));
        map = map_put(heap, map, any_key(k), Term::small(value), atoms);
        model[k] = value;
      } else {
        Term taken;
        map = map_remove(heap, map, any_key(k), atoms, &taken);
        REQUIRE(taken.is_none() == (model.count(k) == 0));
        if (!taken.is_none()) REQUIRE(taken == Term::small(model[k]));
        model.erase(k);
      }
      REQUIRE(map_size(map) == model.size());
      if (step % 100 == 0) check(map);
    }
    check(map);
    std::vector<Term> pairs;
    for (std::uint64_t k = range; k-- > 0;) {
      const Term found = map_get(map, any_key(k), atoms);
      REQUIRE(found.is_none() == (model.count(k) == 0));
      if (found.is_none()) continue;
      REQUIRE(found == Term::small(model[k]));
      pairs.insert(pairs.end(), {any_key(k), found});
    }
    // Whatever the history, the same entries are the same map in the same order.
    const Term built = map_from_pairs(heap, pairs.data(), pairs.size() / 2, atoms);
    check(built);
    REQUIRE(exact_equal(map, built));
    REQUIRE(compare(map, built, atoms) == 0);
    REQUIRE(hash_term(map, atoms) == hash_term(built, atoms));
    REQUIRE(exact_equal(map_to_list(heap, map, MapPart::Pairs),
                        map_to_list(heap, built, MapPart::Pairs)));
  }
}

TEST_CASE_METHOD(Collisions, "maps of colliding keys merge as if put one by one") {
  for (std::uint64_t a_count : {1u, 20u, 33u, 400u}) {
    for (std::uint64_t b_count : {1u, 20u, 33u, 400u}) {
      Term a = map_empty(heap), b = map_empty(heap);
      for (std::uint64_t i = 0; i < a_count; ++i) {
        a = map_put(heap, a, key(i), Term::small(1), atoms);
        a = map_put(heap, a, Term::small(static_cast<std::int64_t>(i)), Term::small(1), atoms);
      }
      for (std::uint64_t i = 0; i < b_count; ++i) {
        b = map_put(heap, b, key(i + 15), Term::small(2), atoms);
      }
      Term expected = a;
      MapIterator walk(b);
      Term k, v;
      while (walk.next(k, v)) expected = map_put(heap, expected, k, v, atoms);
      const Term merged = map_merge(heap, a, b, atoms);
      check(merged);
      REQUIRE(exact_equal(merged, expected));
    }
  }
}

TEST_CASE_METHOD(Collisions, "cursors come to every colliding key once, a few at a time") {
  Term map = map_empty(heap);
  for (std::uint64_t i = 0; i < 700; ++i) {
    map = map_put(heap, map, i % 7 == 0 ? Term::small(static_cast<std::int64_t>(i)) : key(i),
                  Term::small(1), atoms);
  }
  for (std::size_t most : {1u, 16u, 1000u}) {
    Term reversed = Term::nil_list();
    MapCursor cursor = 0;
    while (cursor != kMapEnd) {
      MapCursor again = 0;
      REQUIRE(map_cursor_from(map_cursor_term(heap, cursor), again));
      REQUIRE(again == cursor);
      const Term before = reversed;
      reversed = map_list_from(heap, map, MapPart::Keys, cursor, most, reversed);
      std::size_t came = 0;
      for (Term at = reversed; at != before; at = at.tail()) ++came;
      REQUIRE(came <= most);
    }
    Term forward = Term::nil_list();
    for (; reversed.is_cons(); reversed = reversed.tail()) {
      forward = heap.cons(reversed.head(), forward);
    }
    REQUIRE(exact_equal(forward, map_to_list(heap, map, MapPart::Keys)));
  }
  MapCursor none = 0;
  REQUIRE(!map_cursor_from(atoms::nil, none));
  REQUIRE(!map_cursor_from(Term::small(-2), none));
  const std::uint64_t too_large[2] = {0, ~std::uint64_t{0}};
  REQUIRE(!map_cursor_from(make_big(heap, false, too_large, 2), none));
}

TEST_CASE_METHOD(Collisions, "strong hashes depend on the value, not on how it is held") {
  const std::string text(100, 'x');
  const Term whole = heap.text("??" + text);
  const Term window = binary_part(heap, whole, 16, 800);
  REQUIRE(hash_strong(window, atoms) == hash_strong(heap.text(text), atoms));
  const Term one = Term::small(1), nil = Term::nil_list();
  const Term values[] = {one,
                         heap.make_float(1.0),
                         heap.make_float(0.0),
                         heap.make_float(-0.0),
                         atoms.intern("x"),
                         heap.text("x"),
                         heap.text(""),
                         nil,
                         heap.cons(one, nil),
                         heap.cons(nil, one),
                         heap.tuple(one, nil),
                         heap.tuple(heap.tuple(one, nil), nil),
                         heap.tuple(one, heap.tuple(nil, nil)),
                         map_empty(heap),
                         map_put(heap, map_empty(heap), one, nil, atoms),
                         map_put(heap, map_empty(heap), nil, one, atoms)};
  for (Term a : values) {
    for (Term b : values) {
      REQUIRE((hash_strong(a, atoms) == hash_strong(b, atoms)) == exact_equal(a, b));
    }
  }
}

TEST_CASE_METHOD(Collisions, "a walk that may give up does, and says so") {
  Term a = Term::nil_list(), b = Term::nil_list();
  for (std::int64_t i = 0; i < 1'000'000; ++i) {
    a = heap.cons(Term::small(i), a);
    b = heap.cons(Term::small(i), b);
  }
  const Term differs = heap.cons(Term::small(-1), b);
  const auto answers = [&](auto&& walk) {
    std::size_t work = kMayGiveUp;
    walk(&work);
    REQUIRE(gave_up(work));
    REQUIRE(work_done(work) < 2 * kMostWalk);
    work = 0;
    walk(&work);
    REQUIRE(work > 900'000);
    REQUIRE(!gave_up(work));
  };
  answers([&](std::size_t* work) { exact_equal(a, b, work); });
  answers([&](std::size_t* work) { numeric_equal(a, b, work); });
  answers([&](std::size_t* work) { compare(a, b, atoms, work); });
  answers([&](std::size_t* work) { hash_term(a, atoms, work); });
  // A long range of words that are all equal.
  std::vector<Word> many(1'000'001, Term::small(5).bits);
  many[0] = Header::make(Kind::Tuple, 1'000'000).bits;
  std::vector<Word> same = many;
  const Term wide = Term::boxed(many.data()), as_wide = Term::boxed(same.data());
  answers([&](std::size_t* work) { exact_equal(wide, as_wide, work); });
  answers([&](std::size_t* work) { numeric_equal(wide, as_wide, work); });
  answers([&](std::size_t* work) { compare(wide, as_wide, atoms, work); });
  answers([&](std::size_t* work) { hash_term(wide, atoms, work); });

  std::size_t work = kMayGiveUp;
  REQUIRE(!exact_equal(a, differs, &work));
  REQUIRE(compare(a, differs, atoms, &work) > 0);
  REQUIRE(!gave_up(work));
  // Binaries: only where the beginnings are equal.
  const std::string long_text(std::size_t{8} << 20, 'a');
  const Term x = heap.text(long_text), y = heap.text(long_text), z = heap.text("b" + long_text);
  REQUIRE(compare(x, z, atoms, &work) < 0);
  REQUIRE(!gave_up(work));
  exact_equal(x, y, &work);
  REQUIRE(gave_up(work));
  // From then on it ends at once.
  const std::size_t before = work_done(work);
  exact_equal(a, b, &work);
  compare(a, b, atoms, &work);
  hash_term(a, atoms, &work);
  REQUIRE(work_done(work) < before + 10'000);
}
