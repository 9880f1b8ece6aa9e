#include "tests/unit/native_fixture.h"

using namespace quelea;

TEST_CASE("map natives") {
  NativeMachine m;
  check_natives(m, {
                       {"map_get(%{:a => 1}, :a, 0)", "1"},
                       {"map_get(%{:a => 1}, :b, 0)", "0"},
                       {"map_get([], :b, 0)", "! (:badmap, [])"},
                       {"map_fetch(%{1 => nil}, 1)", "(:ok, nil)"},
                       {"map_fetch(%{1 => nil}, 1.0)", ":error"},
                       {"map_put(%{}, 1, 2)", "%{1 => 2}"},
                       {"map_put_new(%{1 => 2}, 1, 3)", "%{1 => 2}"},
                       {"map_replace(%{1 => 2}, 1, 3)", "%{1 => 3}"},
                       {"map_replace(%{1 => 2}, 2, 3)", "%{1 => 2}"},
                       {"map_remove(%{1 => 2}, 1)", "%{}"},
                       {"map_pop(%{1 => 2}, 1, nil)", "(2, %{})"},
                       {"map_pop(%{1 => 2}, 2, nil)", "(nil, %{1 => 2})"},
                       {"map_merge(%{1 => 2, 3 => 4}, %{3 => 5})", "%{1 => 2, 3 => 5}"},
                       {"map_merge(%{}, 1)", "! (:badmap, 1)"},
                       {"map_keys(%{:b => 1, :a => 2})", "[:a, :b]"},
                       {"map_values(%{:b => 1, :a => 2})", "[2, 1]"},
                       {"map_to_list(%{:b => 1, :a => 2})", "[(:a, 2), (:b, 1)]"},
                       {"map_from_list([(1, 2), (1, 3)])", "%{1 => 3}"},
                       {"map_from_list([(1, 2), 1])", "! :badarg"},
                       {"map_from_keys([1, 2], 0)", "%{1 => 0, 2 => 0}"},
                       {"map_take(%{1 => 2, 3 => 4}, [3, 9])", "%{3 => 4}"},
                       {"map_drop(%{1 => 2, 3 => 4}, [3, 9])", "%{1 => 2}"},
                       {"map_next(%{1 => 2}, 0)", "([(1, 2)], -1)"},
                       {"map_next(%{1 => 2}, -1)", "nil"},
                       {"map_next(%{}, 0)", "nil"},
                       {"index(%{1 => 2}, 1)", "2"},
                       {"index(%{1 => 2}, 3)", "! (:badkey, 3)"},
                       {"index(1, 3)", "! (:badmap, 1)"},
                   });
}

TEST_CASE("generator hands out maps, binaries and lists") {
  NativeMachine m;
  check_natives(m, {
                       {"generator([1])", "[1]"},
                       {"generator(%{1 => 2})", "[(1, 2)]"},
                       {"generator(\"abc\")", "[97, 98, 99]"},
                       {"generator(\"\")", "[]"},
                       {"generator(5)", "! (:bad_generator, 5)"},
                       {"generator((1, 2))", "! (:bad_generator, (1, 2))"},
                   });
  // A walk over something large gives everything once, in the order of to_list.
  Term pairs = m.call("list_with_index", {m.result_of("range(1, 5000)"), Term::small(0)});
  Term map = m.call("map_from_list", {pairs});
  Term expected = m.call("map_to_list", {map});
  Term at = m.call("generator", {map});
  std::size_t count = 0;
  bool same = true;
  while (!at.is_nil_list()) {
    if (!at.is_cons()) {
      at = m.call("generator", {at});
      continue;
    }
    same = same && expected.is_cons() && m.show(at.head()) == m.show(expected.head());
    expected = expected.tail();
    at = at.tail();
    ++count;
  }
  CHECK(count == 5000);
  CHECK(same);
  Term text = m.result_of("string_repeat(\"xy\", 1000)");
  at = m.call("generator", {text});
  std::int64_t sum = 0;
  while (!at.is_nil_list()) {
    if (!at.is_cons()) {
      at = m.call("generator", {at});
      continue;
    }
    sum += at.head().small_value();
    at = at.tail();
  }
  CHECK(sum == 1000 * ('x' + 'y'));
}
