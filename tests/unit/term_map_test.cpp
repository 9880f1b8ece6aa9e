#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/hash.h"
#include "vm/term/map_trie.h"

using namespace quelea;

namespace {

struct Fixture {
  AtomTable atoms;
  TestHeap heap;

  Term key(std::size_t i) {
    switch (i % 5) {
      case 0:
        return Term::small(static_cast<std::int64_t>(i));
      case 1:
        return atoms.intern("key" + std::to_string(i));
      case 2:
        return heap.text("string " + std::to_string(i));
      case 3:
        return heap.make_float(static_cast<double>(i) / 4);
      default:
        return heap.tuple(Term::small(static_cast<std::int64_t>(i)), heap.text("x"));
    }
  }
  void check(Term map) {
    const char* wrong = map_check(map, atoms);
    INFO((wrong != nullptr ? wrong : "") << " in " << show(map, atoms).substr(0, 200));
    REQUIRE(wrong == nullptr);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a map agrees with a model through random changes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TestRandom random(seed);
    std::map<std::size_t, std::int64_t> model;
    Term map = map_empty(heap);
    std::size_t keys = seed % 2 == 0 ? 40 : 400;
    for (int step = 0; step < 1000; ++step) {
      std::size_t k = random.below(keys);
      std::size_t action = random.below(10);
      if (action < (step < 500 ? 7u : 3u)) {
        std::int64_t value = static_cast<std::int64_t>(random.below(1000));
        map = map_put(heap, map, key(k), Term::small(value), atoms);
        model[k] = value;
      } else {
        Term taken;
        map = map_remove(heap, map, key(k), atoms, &taken);
        REQUIRE(taken.is_none() == (model.count(k) == 0));
        if (!taken.is_none()) REQUIRE(taken == Term::small(model[k]));
        model.erase(k);
      }
      REQUIRE(map_size(map) == model.size());
      if (step % 50 == 0) check(map);
    }
    check(map);
    for (std::size_t k = 0; k < keys; ++k) {
      Term found = map_get(map, key(k), atoms);
      REQUIRE(found.is_none() == (model.count(k) == 0));
      if (!found.is_none()) REQUIRE(found == Term::small(model[k]));
    }
    // The same entries in one go, in another order, are the same map.
    std::vector<Term> pairs;
    for (auto& [k, v] : model) {
      pairs.insert(pairs.begin(), {key(k), Term::small(v)});
    }
    Term built = map_from_pairs(heap, pairs.data(), pairs.size() / 2, atoms);
    check(built);
    REQUIRE(exact_equal(map, built));
    REQUIRE(hash_term(map, atoms) == hash_term(built, atoms));
    REQUIRE(compare(map, built, atoms) == 0);
    REQUIRE(show(map, atoms) == show(built, atoms));
  }
}

TEST_CASE_METHOD(Fixture, "of equal keys the last wins") {
  for (std::size_t count : {4u, 30u, 100u, 1000u}) {
    std::vector<Term> pairs;
    for (std::size_t i = 0; i < count; ++i) {
      pairs.push_back(key(i % (count / 2)));
      pairs.push_back(Term::small(static_cast<std::int64_t>(i)));
    }
    Term map = map_from_pairs(heap, pairs.data(), count, atoms);
    check(map);
    REQUIRE(map_size(map) == count / 2);
    for (std::size_t i = 0; i < count / 2; ++i) {
      REQUIRE(map_get(map, key(i), atoms) == Term::small(static_cast<std::int64_t>(i + count / 2)));
    }
  }
}

TEST_CASE_METHOD(Fixture, "merging is putting one by one") {
  for (std::size_t a_count : {0u, 3u, 20u, 32u, 33u, 500u}) {
    for (std::size_t b_count : {0u, 3u, 20u, 32u, 33u, 500u}) {
      Term a = map_empty(heap), b = map_empty(heap);
      for (std::size_t i = 0; i < a_count; ++i) {
        a = map_put(heap, a, key(i * 2), Term::small(1), atoms);
      }
      for (std::size_t i = 0; i < b_count; ++i) {
        b = map_put(heap, b, key(i * 3), Term::small(2), atoms);
      }
      Term expected = a;
      MapIterator walk(b);
      Term k, v;
      while (walk.next(k, v)) expected = map_put(heap, expected, k, v, atoms);
      Term merged = map_merge(heap, a, b, atoms);
      check(merged);
      REQUIRE(exact_equal(merged, expected));
    }
  }
}

TEST_CASE_METHOD(Fixture, "many pairs are put and updated at once") {
  for (std::size_t start : {0u, 5u, 30u, 100u}) {
    for (std::size_t count : {1u, 3u, 17u, 60u}) {
      Term map = map_empty(heap);
      for (std::size_t i = 0; i < start; ++i) {
        map = map_put(heap, map, key(i), Term::small(0), atoms);
      }
      std::vector<Term> pairs;
      Term expected = map;
      for (std::size_t i = 0; i < count; ++i) {
        pairs.push_back(key(i * 2));
        pairs.push_back(Term::small(7));
        expected = map_put(heap, expected, key(i * 2), Term::small(7), atoms);
      }
      Term result = map_put_many(heap, map, pairs.data(), count, atoms);
      check(result);
      REQUIRE(exact_equal(result, expected));
      Term missing = Term::none();
      Term updated = map_update_many(heap, map, pairs.data(), count, atoms, missing);
      if (start >= 2 * count - 1) {
        REQUIRE(exact_equal(updated, expected));
      } else {
        REQUIRE(updated.is_none());
        REQUIRE(!missing.is_none());
      }
    }
  }
}

TEST_CASE_METHOD(Fixture, "cursors visit every entry once, in map order") {
  for (std::size_t count : {0u, 1u, 32u, 33u, 1000u}) {
    Term map = map_empty(heap);
    for (std::size_t i = 0; i < count; ++i) {
      map = map_put(heap, map, key(i), Term::small(static_cast<std::int64_t>(i)), atoms);
    }
    for (std::size_t step : {1u, 7u, 100u}) {
      Term reversed = Term::nil_list();
      MapCursor cursor = 0;
      while (cursor != kMapEnd) {
        REQUIRE(map_cursor_term(heap, cursor).is_small());
        reversed = map_list_from(heap, map, MapPart::Keys, cursor, step, reversed);
      }
      Term forward = Term::nil_list();
      for (; reversed.is_cons(); reversed = reversed.tail()) {
        forward = heap.cons(reversed.head(), forward);
      }
      REQUIRE(exact_equal(forward, map_to_list(heap, map, MapPart::Keys)));
    }
  }
}

TEST_CASE_METHOD(Fixture, "keys whose hashes are all equal still work") {
  // Real keys never collide so: the trie's own functions are given a hash that lies.
  bool grew = false;
  Term root = heap.cons(key(0), Term::small(0));
  std::uint64_t hash = hash_term(key(0), atoms);
  Term second = trie::insert(heap, root, key(0), Term::small(5), hash, 0, trie::Existing::Replace,
                             atoms, grew);
  REQUIRE(!grew);
  REQUIRE(second.tail() == Term::small(5));
  trie::HashedEntry entries[3] = {
      {42, key(2), Term::small(2)}, {42, key(1), Term::small(1)}, {42, key(3), Term::small(3)}};
  std::size_t count = trie::sort_entries(entries, 3, atoms);
  REQUIRE(count == 3);
  Term built = trie::build(heap, entries, 3, 0, atoms);
  for (std::size_t i = 1; i <= 3; ++i) {
    Term taken = Term::none();
    Term less = trie::remove(heap, built, key(i), 42, 0, atoms, taken);
    REQUIRE(taken == Term::small(static_cast<std::int64_t>(i)));
    grew = false;
    Term again =
        trie::insert(heap, less, key(i), taken, 42, 0, trie::Existing::Replace, atoms, grew);
    REQUIRE(grew);
    REQUIRE(exact_equal(again, built));
  }
}

TEST_CASE_METHOD(Fixture, "key order puts integers before floats and tells zeros apart") {
  Term pairs[8] = {heap.make_float(0.0), Term::small(1), heap.make_float(-0.0), Term::small(2),
                   Term::small(5),       Term::small(3), heap.make_float(-7.5), Term::small(4)};
  Term map = map_from_pairs(heap, pairs, 4, atoms);
  REQUIRE(show(map, atoms) == "%{5 => 3, -7.5 => 4, -0.0 => 2, 0.0 => 1}");
  REQUIRE(is_map_shape(flat_map_keys(map), atoms));
}

TEST_CASE_METHOD(Fixture, "an unchanged map is the same map") {
  Term map = map_empty(heap);
  for (std::size_t i = 0; i < 100; ++i) map = map_put(heap, map, key(i), Term::small(1), atoms);
  REQUIRE(map_put(heap, map, key(50), Term::small(1), atoms) == map);
  REQUIRE(map_remove(heap, map, key(1000), atoms) == map);
}
