#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/term_support.h"

using namespace quelea;

TEST_CASE("well-known atoms have their texts") {
  AtomTable table;
  REQUIRE(table.text(atoms::ok) == "ok");
  REQUIRE(table.text(atoms::false_) == "false");
  REQUIRE(table.intern("ok") == atoms::ok);
  REQUIRE(table.find("badarith") == atoms::badarith);
  REQUIRE(is_bool(atoms::true_));
  REQUIRE(is_bool(atoms::false_));
  REQUIRE(!is_bool(atoms::nil));
}

TEST_CASE("interning gives the same atom for the same text, however many there are") {
  AtomTable table;
  std::vector<Term> made;
  for (int i = 0; i < 20000; ++i) made.push_back(table.intern("atom " + std::to_string(i)));
  for (int i = 0; i < 20000; ++i) {
    std::string text = "atom " + std::to_string(i);
    REQUIRE(table.intern(text) == made[static_cast<std::size_t>(i)]);
    REQUIRE(table.text(made[static_cast<std::size_t>(i)]) == text);
  }
  REQUIRE(table.find("never made").is_none());
}

TEST_CASE("an atom has at most 255 characters of valid text, and the table an end") {
  AtomTable table(atoms::kWellKnownCount + 3);
  std::string wide;
  for (int i = 0; i < 255; ++i) wide += "\u20AC";
  REQUIRE(!table.intern(wide).is_none());
  REQUIRE(table.intern(wide + "x").is_none());
  REQUIRE(table.intern(std::string(256, 'x')).is_none());
  REQUIRE(table.intern("\xFF").is_none());
  REQUIRE(!table.intern("").is_none());
  REQUIRE(!table.intern("one").is_none());
  REQUIRE(table.intern("two").is_none());
  REQUIRE(table.intern("one") == table.find("one"));
}

TEST_CASE("atoms are ordered by text") {
  AtomTable table;
  const char* sorted[] = {"",         "A",         "a",         "aa", "ab",
                          "abcdefgh", "abcdefgha", "abcdefghb", "b",  "\u00E9"};
  for (std::size_t i = 0; i < std::size(sorted); ++i) {
    for (std::size_t j = 0; j < std::size(sorted); ++j) {
      int order = table.compare(table.intern(sorted[i]), table.intern(sorted[j]));
      REQUIRE((order > 0) == (i > j));
      REQUIRE((order < 0) == (i < j));
    }
  }
}

TEST_CASE("threads may intern and read at once") {
  AtomTable table;
  std::vector<std::thread> threads;
  std::vector<std::vector<Term>> made(4);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) {
        made[t].push_back(table.intern("shared" + std::to_string(i)));
        if (table.text(made[t].back()).substr(0, 6) != "shared") std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 1; t < 4; ++t) REQUIRE(made[t] == made[0]);
}
