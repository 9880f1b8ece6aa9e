#include "tests/unit/native_fixture.h"
#include "vm/native/json_reader.h"

using namespace quelea;

namespace {

std::string decode(NativeMachine& m, const std::string& text, const char* options = "%{}") {
  return m.show(m.call("json_decode", {binary_from_text(*m.process, text), m.parse(options)}));
}

}  // namespace

TEST_CASE("json_decode reads every kind of value") {
  NativeMachine m;
  CHECK(decode(m, " null ") == "(:ok, nil)");
  CHECK(decode(m, "[true, false, 0, -0, -12, 1.5, 1e3, -2.5E-1]") ==
        "(:ok, [true, false, 0, 0, -12, 1.5, 1000.0, -0.25])");
  CHECK(decode(m, R"({"a": {"b": []}, "": [{}]})") ==
        R"((:ok, %{"" => [%{}], "a" => %{"b" => []}}))");
  CHECK(decode(m, R"({"a": 1, "a": 2})") == R"((:ok, %{"a" => 2}))");
  CHECK(decode(m, R"("a\n\"\\\/\u0041\u00e9\ud83d\udc4d")") == R"((:ok, "a\n\"\\/Aé👍"))");
  CHECK(decode(m, "123456789012345678901234567890") == "(:ok, 123456789012345678901234567890)");
  CHECK(decode(m, "1152921504606846976") == "(:ok, 1152921504606846976)");
  CHECK(decode(m, "1e-999") == "(:ok, 0.0)");
  CHECK(decode(m, R"({"ok": 1})", "%{:keys => :atoms}") == "(:ok, %{ok: 1})");
  CHECK(decode(m, R"({"never seen key": 1})", "%{:keys => :existing_atoms}") ==
        R"((:error, ("the key is not an existing atom", 1, 2)))");
  // Objects of one shape share their keys, whatever the order of these.
  CHECK(decode(m, R"([{"b":1,"a":2},{"b":3,"a":4},{"a":5,"b":6}])") ==
        R"((:ok, [%{"a" => 2, "b" => 1}, %{"a" => 4, "b" => 3}, %{"a" => 5, "b" => 6}]))");
}

TEST_CASE("json_decode raises system_limit where a key cannot be made an atom") {
  NativeMachine m;
  const std::string key(256, 'x');
  CHECK(decode(m, "[{\"" + key + "\": 1}]", "%{:keys => :atoms}") == "! :system_limit");
  CHECK(decode(m, "[{\"" + key.substr(1) + "\": 1}]", "%{:keys => :atoms}").starts_with("(:ok, "));
  for (int i = 0; !m.vm->atoms().intern("filler " + std::to_string(i)).is_none(); ++i) continue;
  CHECK(decode(m, R"({"ok": 1, "one more": 2})", "%{:keys => :atoms}") == "! :system_limit");
  CHECK(decode(m, R"({"ok": 1})", "%{:keys => :atoms}") == "(:ok, %{ok: 1})");
}

TEST_CASE("json_decode says what is wrong and where") {
  NativeMachine m;
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& one : std::vector<Case>{
           {"", R"(("unexpected end", 1, 1))"},
           {"[1,\n  x]", R"(("expected a value", 2, 3))"},
           {"[1 2]", R"(("expected a comma or a closing bracket", 1, 4))"},
           {"{\"a\" 1}", R"(("expected a colon", 1, 6))"},
           {"{\"a\": 1,}", R"(("expected a string as key", 1, 9))"},
           {"[1,]", R"(("expected a value", 1, 4))"},
           {"{1: 2}", R"(("expected a string as key", 1, 2))"},
           {"1 2", R"(("unexpected character after the value", 1, 3))"},
           {"01", R"(("a number has no leading zeros", 1, 1))"},
           {"-", R"(("expected a digit", 1, 2))"},
           {"1.", R"(("expected a digit", 1, 3))"},
           {"1e", R"(("expected a digit", 1, 3))"},
           {"1e999", R"(("number too large", 1, 1))"},
           {"\"abc", R"(("a string is not closed", 1, 5))"},
           {"\"é\t\"", R"(("a control character in a string must be escaped", 1, 3))"},
           {"\"\\x\"", R"(("unknown escape", 1, 2))"},
           {"\"\\ud800\"", R"(("half a surrogate pair", 1, 2))"},
           {"\"\\udc00\"", R"(("half a surrogate pair", 1, 2))"},
           {"\"\\u12g4\"", R"(("expected four hexadecimal digits", 1, 4))"},
           {"[\xff]", R"(("invalid UTF-8", 1, 2))"},
           {"tru", R"(("expected a value", 1, 1))"},
           {"[", R"(("unexpected end", 1, 2))"},
           {"]", R"(("expected a value", 1, 1))"},
       }) {
    INFO(one.text);
    CHECK(decode(m, one.text) == "(:error, " + std::string(one.error) + ")");
  }
  CHECK(decode(m, std::string(600, '[')) == R"((:error, ("nested too deeply", 1, 513)))");
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(decode(m, deep, "%{:max_depth => 100000}").substr(0, 6) == "(:ok, ");
  CHECK(m.run("json_decode(\"1\", %{:depth => 1})") == "! :badarg");
  CHECK(m.run("json_decode(5, %{})") == "! :badarg");
}

TEST_CASE("json_decode says the same whatever the pieces it reads are") {
  NativeMachine m;
  const std::string deep(3000, '[');
  std::vector<std::string> texts = {
      R"( {"aé\u00e9\ud83d\udc4d\n":[1,-2.5e-3,123456789012345678901234567890,true,false,null,"",
          "plain text that is longer than what lies on the heap of a process, héé👍é"]} )",
      "123",
      "-0",
      "1e-99999999999",
      "1e99999999999",
      "[1e-99999999999,{\"a\":0e99999999999}]",
      "[18446744073709551615,-9223372036854775808,-9223372036854775809,1.0e5]",
      "1e999",
      "-",
      "1.",
      "[1.x",
      "1e",
      "1e+",
      "01",
      "[-01]",
      "tru",
      "[truu",
      "nulx",
      "[fals",
      "[fal\x80]",
      "\"\\u\xb4\x30\x65 1234567890\"",
      "\"\xf1\\u12\"",
      "\"\\ud8\xff\xff\"",
      "\"\xf1\"tx",
      "\"abc",
      "\"\\",
      "\"\\u12",
      "\"\\u12g4\"",
      "\"\\ud800\"",
      "\"\\ud800x\"",
      "\"\\udc00\"",
      "\"\\ud83d\\n\"",
      "\"\\ud83d\\u0041\"",
      "\"\\ud83d\\ug\"",
      "\"\\\\\\udc00\"",
      "\"\\x\"",
      "\"a\tb\"",
      "\"\\n\tb\"",
      "\"é\xff\"",
      "{\"\xf1\":\"\\ud83d\"}",
      "\"\xe2\x82",
      "[\xff]",
      "\"\xc3",
      "\"\xed\xa0\x80\"",
      "\"\\n\xc3\x28\"",
      "{",
      "{\"a\"",
      "{\"a\" 1}",
      "{\"a\":",
      "{\"a\":1",
      "{\"a\":1,",
      "{\"a\":1,}",
      "{\"a\":1 2",
      "{\"\\u0061\" 1}",
      "{1:2}",
      "[1,]",
      "[1 2]",
      "[\"a\" 2]",
      "[",
      "]",
      "",
      "  ",
      "1 2",
      "1 x",
      "[]\n]",
      "{}{",
      "\xef\xbb\xbf"
      "1",
      deep,
      deep + std::string(3000, ']'),
      deep + "1" + std::string(2999, ']') + ",2 3]",
      deep + "}",
      deep + "{\"a\":[1,2,{\"b\":tru}]}",
  };
  for (const std::string& text : texts) {
    INFO(text.substr(0, 200));
    Term document = binary_from_text(*m.process, text);
    auto read = [&](std::size_t piece) {
      JsonReader reader;
      reader.max_depth = 5000;
      while (reader.read(*m.process, document, piece)) {
      }
      if (!reader.error) return m.show(reader.roots.back());
      return std::string(reader.error->message) + " at " + std::to_string(reader.error->at);
    };
    const std::string whole = read(text.size());
    for (std::size_t piece : {1, 2, 3, 7, 64}) CHECK(read(piece) == whole);
  }
}

TEST_CASE("the depth of a JSON document takes none of the C++ stack") {
  NativeMachine m;
  // At the border of what one parser sees, again and again.
  for (std::size_t levels : {255, 256, 257, 400, 511, 512}) {
    std::string text(levels, '[');
    for (int i = 0; i < 300; ++i)
      text += i % 3 == 0 ? "[[]]," : i % 3 == 1 ? "{\"a\":[[1]]}," : "2,";
    text += "3" + std::string(levels, ']');
    Term document = binary_from_text(*m.process, text);
    Term value = m.call("json_decode", {document, m.parse("%{:max_depth => 600}")});
    REQUIRE(is_tuple(value));
    Term encoded = m.call("json_encode", {tuple_at(value, 1), Term::small(0)});
    CHECK(binary_view(encoded).text() == text);
  }
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  CHECK(decode(m, deep, "%{:max_depth => 1000000}").substr(0, 6) == "(:ok, ");
  CHECK(decode(m, "[" + deep, "%{:max_depth => 1000000}") ==
        R"((:error, ("nested too deeply", 1, 1000001)))");
}

TEST_CASE("json_encode writes sorted keys and refuses what JSON has not") {
  NativeMachine m;
  check_natives(m, {
                       {"json_encode(nil, 0)", "\"null\""},
                       {"json_encode([true, :abc, 1, 2.5, 1.0e30, \"a\\\"\\n\x01\"], 0)",
                        R"("[true,\"abc\",1,2.5,1.0e30,\"a\\\"\\n\\u0001\"]")"},
                       {"json_encode(%{\"b\" => 1, :a => [], 3 => %{}}, 0)",
                        R"("{\"3\":{},\"a\":[],\"b\":1}")"},
                       {"json_encode(%{:__struct__ => :P, :a => 1}, 0)", R"("{\"a\":1}")"},
                       {"json_encode(%{\"a\" => [1, 2], \"b\" => %{}}, 2)",
                        R"("{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}")"},
                       {"json_encode((1, 2), 0)", "! (:badarg, (1, 2))"},
                       {"json_encode([\"\xff\"], 0)", "! (:badarg, <<255>>)"},
                       {"json_encode(%{(1,) => 2}, 0)", "! (:badarg, (1,))"},
                       {"json_encode([1 | 2], 0)", "! (:badarg, 2)"},
                       {"json_encode(1, -1)", "! :badarg"},
                   });
  Term deep = Term::nil_list();
  for (int i = 0; i < 200'000; ++i) deep = m.process->cons(deep, Term::nil_list());
  CHECK(m.show(m.call("json_encode", {deep, Term::small(0)})) == "! :system_limit");
}

TEST_CASE("a large document is read in slices and written back the same") {
  NativeMachine m;
  std::string text = "[";
  for (int i = 0; i < 20'000; ++i) {
    if (i > 0) text += ",";
    text += R"({"id":)" + std::to_string(i) + R"(,"name":"user \u00e9 )" + std::to_string(i) +
            R"(","tags":["a","b"],"x":)" + std::to_string(i) + ".5}";
  }
  text += "]";
  Term input = binary_from_text(*m.process, text);
  Term decoded = m.call("json_decode", {input, m.parse("%{}")});
  CHECK(m.slices > 5);
  REQUIRE(is_tuple(decoded));
  Term encoded = m.call("json_encode", {tuple_at(decoded, 1), Term::small(0)});
  Term again = m.call("json_decode", {encoded, m.parse("%{}")});
  CHECK(exact_equal(decoded, again));
}
