#include "tests/unit/native_fixture.h"

using namespace quelea;

TEST_CASE("regex natives") {
  NativeMachine m;
  check_natives(
      m,
      {
          {"regex_compile(\"(?<y>\\\\d+)-(?<m>\\\\d+)\", \"\")",
           "(:ok, [(\"y\", 1), (\"m\", 2)], 2)"},
          {"regex_compile(\"(\", \"\")", "(:error, (\"missing closing parenthesis\", 1))"},
          {"regex_compile(\"a\", \"q\")", "! :badarg"},
          {"regex_is_match(\"^a.c$\", \"i\", \"ABC\")", "true"},
          {"regex_is_match(\"(\", \"\", \"a\")",
           "! (:bad_regex, \"missing closing parenthesis\", 1)"},
          {"regex_is_match(\"a\", \"\", \"\xff\")", "! :badarg"},
          {"regex_is_match(\"\xff\", \"b\", \"\xff\")", "true"},
          {"regex_run(\"(a)(x)?(b)\", \"\", \"zab\", 0, :index)",
           "[(1, 2), (1, 1), (-1, 0), (2, 1)]"},
          {"regex_run(\"(a)(x)?\", \"\", \"zab\", 0, :string)", "[\"a\", \"a\"]"},
          {"regex_run(\"a\", \"\", \"zab\", 2, :string)", "nil"},
          {"regex_run(\"a\", \"\", \"é\", 1, :string)", "! :badarg"},
          {"regex_run(\"a\", \"\", \"a\", 2, :string)", "! :badarg"},
          {"regex_scan(\"\\\\d\", \"\", \"a1b22\", :string)", "[[\"1\"], [\"2\"], [\"2\"]]"},
          {"regex_scan(\"x*\", \"\", \"axé\", :index)", "[[(0, 0)], [(1, 1)], [(2, 0)], [(4, 0)]]"},
          {"regex_split(\", *\", \"\", \"a, b,c\", 0, false)", "[\"a\", \"b\", \"c\"]"},
          {"regex_split(\",\", \"\", \"a,b,c\", 2, false)", "[\"a\", \"b,c\"]"},
          {"regex_split(\"\", \"\", \"abc\", 0, true)", "[\"a\", \"b\", \"c\"]"},
          {"regex_split(\"\", \"\", \"abc\", 0, false)", "[\"\", \"a\", \"b\", \"c\", \"\"]"},
          {"regex_split(\",\", \"\", \"\", 0, false)", "[\"\"]"},
          {"regex_replace(\"(\\\\w+)@(\\\\w+)\", \"\", \"a@b c@d\", \"\\\\2 at \\\\g{1}\", true)",
           "\"b at a d at c\""},
          {"regex_replace(\"b\", \"\", \"abb\", \"[\\\\0]\", false)", "\"a[b]b\""},
          {"regex_replace(\"(?<n>b)\", \"\", \"ab\", \"\\\\g{n}\\\\g{zz}\\\\\\\\\", true)",
           "\"ab\\\\\""},
          {"regex_replace(\"x*\", \"\", \"ab\", \"-\", true)", "\"-a-b-\""},
          {"regex_replace(\"z\", \"\", \"ab\", \"-\", true)", "\"ab\""},
          {"regex_escape(\"a.b*\")", "\"a\\\\.b\\\\*\""},
          {"regex_is_match(\"(a+)+$\", \"\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\")",
           "! :match_limit"},
      });
}

TEST_CASE("a long scan works in slices and finds all") {
  NativeMachine m;
  Term subject = m.result_of("string_repeat(\"ab1 \", 50000)");
  Term matches =
      m.call("regex_scan", {m.parse("\"[a-z]*\""), m.parse("\"\""), subject, m.parse(":index")});
  CHECK(m.slices > 3);
  std::size_t count = 0;
  for (; matches.is_cons(); matches = matches.tail()) ++count;
  CHECK(count == 150'001);  // a word, and empty matches at the digit, at the space and at the end
}

TEST_CASE("the cache of compiled patterns is bounded") {
  NativeMachine m;
  for (int i = 0; i < 1000; ++i) {
    CHECK(m.run("regex_is_match(\"x" + std::to_string(i) + "$\", \"\", \"x7\")") ==
          (i == 7 ? "true" : "false"));
  }
  CHECK(m.run("regex_is_match(\"x7$\", \"\", \"x7\")") == "true");
}
