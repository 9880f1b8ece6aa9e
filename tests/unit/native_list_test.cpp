#include <algorithm>
#include <random>

#include "tests/unit/native_fixture.h"
#include "tests/unit/native_random.h"
#include "vm/term/compare.h"

using namespace quelea;

TEST_CASE("list natives take apart and put together") {
  NativeMachine m;
  check_natives(
      m,
      {
          {"append([1, 2], [3])", "[1, 2, 3]"},
          {"append([], 5)", "5"},
          {"append([1], 5)", "[1 | 5]"},
          {"append([1 | 2], [3])", "! :badarg"},
          {"append(1, [3])", "! :badarg"},
          {"member(1, [1.0, 2])", "false"},
          {"member(2, [1, 2])", "true"},
          {"member(2, [1 | 2])", "! :badarg"},
          {"member((:a, \"x\"), [(:b, 1), (:a, \"x\")])", "true"},
          {"reverse([1, 2, 3], [4])", "[3, 2, 1, 4]"},
          {"list_reverse([1 | 2])", "! :badarg"},
          {"range(1, 4)", "[1, 2, 3, 4]"},
          {"range(3, 1)", "[]"},
          {"range(1, 999999999999)", "! :system_limit"},
          {"range(1152921504606846974, 1152921504606846977)",
           "[1152921504606846974, 1152921504606846975, 1152921504606846976, 1152921504606846977]"},
          {"range(1, :a)", "! :badarg"},
          {"list_flatten([1, [2, [3, []], 4], [[[5]]]])", "[1, 2, 3, 4, 5]"},
          {"list_flatten([1, [2 | 3]])", "! :badarg"},
          {"list_concat([[1], [], [2, 3]])", "[1, 2, 3]"},
          {"list_concat([[1], 2])", "! :badarg"},
          {"list_at([:a, :b, :c], 1, nil)", ":b"},
          {"list_at([:a, :b, :c], -1, nil)", ":c"},
          {"list_at([:a, :b, :c], 7, :none)", ":none"},
          {"list_at([:a, :b, :c], -4, :none)", ":none"},
          {"list_last([], 0)", "0"},
          {"list_last([1, 2], 0)", "2"},
          {"list_take([1, 2, 3], 2)", "[1, 2]"},
          {"list_take([1, 2, 3], 9)", "[1, 2, 3]"},
          {"list_take([1, 2, 3], -2)", "[2, 3]"},
          {"list_take([1, 2, 3], 99999999999999999999999)", "[1, 2, 3]"},
          {"list_drop([1, 2, 3], 2)", "[3]"},
          {"list_drop([1, 2, 3], -2)", "[1]"},
          {"list_drop([1, 2, 3], -9)", "[]"},
          {"list_split([1, 2, 3], 1)", "([1], [2, 3])"},
          {"list_split([1, 2, 3], -1)", "([1, 2], [3])"},
          {"list_chunk([1, 2, 3, 4, 5], 2)", "[[1, 2], [3, 4], [5]]"},
          {"list_chunk([1], 0)", "! :badarg"},
          {"list_zip([1, 2, 3], [:a, :b])", "[(1, :a), (2, :b)]"},
          {"list_unzip([(1, :a), (2, :b)])", "([1, 2], [:a, :b])"},
          {"list_unzip([1])", "! :badarg"},
          {"list_with_index([:a, :b], 1)", "[(:a, 1), (:b, 2)]"},
          {"list_intersperse([1, 2, 3], 0)", "[1, 0, 2, 0, 3]"},
          {"list_duplicate(:x, 3)", "[:x, :x, :x]"},
          {"list_duplicate(:x, -1)", "! :badarg"},
          {"list_duplicate(:x, 99999999999)", "! :system_limit"},
          {"list_delete([1, 2, 1], 1)", "[2, 1]"},
          {"list_delete([1, 2], 3)", "[1, 2]"},
          {"list_index_of([1, 2], 2)", "1"},
          {"list_index_of([1, 2], 3)", "nil"},
          {"list_starts_with([1, 2], [1])", "true"},
          {"list_starts_with([1], [1, 2])", "false"},
          {"list_min([3, 1.0, 1])", "1.0"},
          {"list_max([])", "! :badarg"},
          {"list_max([1, \"a\", :b])", "\"a\""},
          {"list_sum([1, 2.5])", "3.5"},
          {"list_sum([1152921504606846975, 1152921504606846975, 1])", "2305843009213693951"},
          {"list_sum([1, :a])", "! :badarith"},
          {"list_sum([0.1, 0.2])", "0.30000000000000004"},
          {"list_product([2, 3, 4])", "24"},
          {"list_key_find([(:a, 1), :x, (:b, 2)], :b, 0)", "(:b, 2)"},
          {"list_key_find([(:a, 1)], 1, 1)", "(:a, 1)"},
          {"list_key_find([(:a, 1)], 2, 1)", "nil"},
          {"list_key_delete([(:a, 1), (:a, 2)], :a, 0)", "[(:a, 2)]"},
          {"list_key_store([(:a, 1)], :a, 0, (:a, 9))", "[(:a, 9)]"},
          {"list_key_store([(:a, 1)], :b, 0, (:b, 9))", "[(:a, 1), (:b, 9)]"},
          {"list_to_tuple([1, 2])", "(1, 2)"},
          {"list_to_tuple([1 | 2])", "! :badarg"},
          {"tuple_to_list((1, 2))", "[1, 2]"},
          {"tuple_insert_at((1, 2), 1, :x)", "(1, :x, 2)"},
          {"tuple_insert_at((1, 2), 3, :x)", "! :badarg"},
          {"tuple_delete_at((1, 2), 0)", "(2,)"},
          {"tuple_duplicate(0, 2)", "(0, 0)"},
      });
}

TEST_CASE("list natives group and number equal elements") {
  NativeMachine m;
  check_natives(m, {
                       {"list_uniq([1, 2, 1, 1.0, \"a\", \"a\"])", "[1, 2, 1.0, \"a\"]"},
                       {"list_uniq_values([(1, :a), (1, :b), (2, :c)])", "[:a, :c]"},
                       {"list_dedup([1, 1, 2, 1])", "[1, 2, 1]"},
                       {"list_frequencies([:b, :a, :b])", "%{a: 1, b: 2}"},
                       {"list_group([(:x, 1), (:y, 2), (:x, 3)])", "%{x: [1, 3], y: [2]}"},
                       {"list_group([(:x, 1) | 2])", "! :badarg"},
                   });
}

TEST_CASE("sorting is stable, total and works in slices") {
  NativeMachine m;
  check_natives(m, {
                       {"list_sort([3, 1, 2])", "[1, 2, 3]"},
                       {"list_sort([\"b\", :a, 1, (1,), [], [1], 1.5, %{}])",
                        "[1, 1.5, :a, (1,), %{}, [], [1], \"b\"]"},
                       {"list_sort([1, 1.0, 0])", "[0, 1, 1.0]"},
                       {"list_sort([1.0, 1, 0])", "[0, 1.0, 1]"},
                       {"list_sort([1, 1.0, 2], :desc)", "[2, 1, 1.0]"},
                       {"list_sort([1 | 2])", "! :badarg"},
                       {"list_sort([1], :up)", "! :badarg"},
                       {"list_sort_values([(2, :a), (1, :b), (2, :c)], :asc)", "[:b, :a, :c]"},
                       {"list_sort_values([(2, :a), (1, :b), (2, :c)], :desc)", "[:a, :c, :b]"},
                       {"list_sort_by([(1, :b), (2, :a)], 1, :asc)", "[(2, :a), (1, :b)]"},
                       {"list_sort_by([(1, :b), (2,)], 1, :asc)", "! :badarg"},
                   });
  std::mt19937_64 random(7);
  for (std::size_t count : {1000u, 16384u, 16385u, 40000u, 100000u}) {
    for (bool floats : {false, true}) {
      std::vector<Term> items;
      Term list = Term::nil_list();
      for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<std::int64_t>(random() % 5000);
        // With floats among them equal keys can be told apart, so order among equals shows.
        Term item = floats && random() % 2 == 0 ? m.process->make_float(static_cast<double>(value))
                                                : Term::small(value);
        items.push_back(item);
      }
      for (std::size_t i = count; i > 0; --i) list = m.process->cons(items[i - 1], list);
      for (bool descending : {false, true}) {
        std::vector<Term> expected = items;
        std::stable_sort(expected.begin(), expected.end(), [&](Term a, Term b) {
          const int order = compare(a, b, m.vm->atoms());
          return descending ? order > 0 : order < 0;
        });
        Term sorted = m.call("list_sort", {list, m.parse(descending ? ":desc" : ":asc")});
        CHECK((m.slices > 1) == (count > 16384));
        std::size_t at = 0;
        bool same = true;
        for (; sorted.is_cons() && at < count; sorted = sorted.tail(), ++at) {
          same = same && exact_equal(sorted.head(), expected[at]);
        }
        CHECK(at == count);
        CHECK(sorted.is_nil_list());
        CHECK(same);
      }
    }
  }
}

TEST_CASE("long lists are appended, reversed and searched in slices") {
  NativeMachine m;
  Term list = m.result_of("range(1, 200000)");
  Term both = m.call("append", {list, list});
  CHECK(m.slices > 3);
  CHECK(m.show(m.call("list_sum", {both})) == "40000200000");
  Term reversed = m.call("reverse", {list, Term::nil_list()});
  CHECK(m.slices > 3);
  CHECK(reversed.head() == Term::small(200000));
  CHECK(m.show(m.call("member", {Term::small(0), list})) == "false");
  CHECK(m.slices > 3);
  CHECK(m.show(m.call("append", {m.call("append", {list, Term::small(1)}), list})) == "! :badarg");
  CHECK(m.process->native_state == nullptr);
}

TEST_CASE("any terms sort as their order says") {
  NativeMachine m;
  std::mt19937_64 random(11);
  for (std::size_t count : {3000u, 30'000u}) {
    std::vector<Term> items;
    for (std::size_t i = 0; i < count; ++i) items.push_back(random_term(m, random, 2));
    Term list = Term::nil_list();
    for (std::size_t i = count; i > 0; --i) list = m.process->cons(items[i - 1], list);
    for (bool descending : {false, true}) {
      std::vector<Term> expected = items;
      std::stable_sort(expected.begin(), expected.end(), [&](Term a, Term b) {
        const int order = compare(a, b, m.vm->atoms());
        return descending ? order > 0 : order < 0;
      });
      Term sorted = m.call("list_sort", {list, m.parse(descending ? ":desc" : ":asc")});
      std::size_t different = 0;
      for (std::size_t i = 0; i < count; ++i, sorted = sorted.tail()) {
        if (!exact_equal(sorted.head(), expected[i]) && different++ == 0) {
          UNSCOPED_INFO(m.show(sorted.head()) << " instead of " << m.show(expected[i]));
        }
      }
      CHECK(different == 0);
    }
  }
}
