#include <catch2/catch.hpp>
#include <string>

#include "compiler/syntax/parser.h"
#include "compiler/syntax/resolve.h"
#include "tests/unit/syntax_print.h"

using namespace quelea::compiler;

namespace {

struct Resolved {
  SourceFile source;
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  Module* module = nullptr;
  bool ok = false;

  explicit Resolved(std::string text) : source("test.qu", std::move(text)) {
    ParseResult result = parse(source, arena, interner, sink, {.tests = true});
    module = result.file->main();
    ok = result.ok && resolve(*result.file, arena, interner, sink, nullptr, {.tests = true});
  }

  std::string function(std::string_view name, uint32_t arity) {
    for (const FunctionDef* f : module->functions) {
      if (interner.text(f->name) != name || f->arity != arity) continue;
      std::string out;
      for (const Clause* clause : f->clauses) out += TreePrinter(interner).print(clause);
      return out;
    }
    return "none";
  }
};

// The clauses of f/1 after resolution, variables as name#id; or the first error.
std::string resolved(std::string text, uint32_t arity = 1) {
  Resolved r(std::move(text));
  if (!r.ok) return "error: " + r.sink.diagnostics()[0].message;
  return r.function("f", arity);
}

uint32_t warnings(std::string text) {
  Resolved r(std::move(text));
  REQUIRE(r.ok);
  return r.sink.warning_count();
}

}  // namespace

TEST_CASE("variables are unique and shadowing is resolved") {
  CHECK(resolved("fn f(x) { x = x + 1; y = x; x = y; x }") ==
        "[x#0 -> (block (= x#1 (+ x#0 1)) (= y#2 x#1) (= x#3 y#2) x#3)]");
  CHECK(resolved("fn f(x) { if x { x = 1; g(x) }; x }\nfn g(x) = x") ==
        "[x#0 -> (block (if x#0 (block (= x#1 1) (call fn:g/1 x#1)) none) x#0)]");
  CHECK(resolved("fn f(x) = match x { x -> x; y -> y }") ==
        "[x#0 -> (match x#0 [x#1 -> x#1] [y#2 -> y#2])]");
}

TEST_CASE("a name twice in a pattern is an equality test") {
  CHECK(resolved("fn f((x, x)) = x") == "[(tuple x#0 =x#0) -> x#0]");
  CHECK(resolved("fn f(x, [x | y]) = y", 2) == "[x#0 (list =x#0 | y#1) -> y#1]");
  CHECK(resolved("fn f((:a, x) | (:b, x)) = x") == "[(alt (tuple :a x#0) (tuple :b x#0)) -> x#0]");
  CHECK(resolved("fn f((x, (:a, x) | (:b, x, y, y) | (:c, y))) = x").starts_with("error"));
  CHECK(resolved("fn f((x, :a | x)) = x") == "[(tuple x#0 (alt :a =x#0)) -> x#0]");
  CHECK(resolved("fn f((:a, x) | (x, :a), y, x) = y", 3) ==
        "[(alt (tuple :a x#0) (tuple x#0 :a)) y#1 =x#0 -> y#1]");
}

TEST_CASE("pins read what is outside, sizes also what the pattern has bound") {
  CHECK(resolved("fn f(x) = match x { (x, ^x) -> x; _ -> 0 }") ==
        "[x#0 -> (match x#0 [(tuple x#1 ^x#0) -> x#1] [_ -> 0])]");
  CHECK(resolved("fn f(<<n:8, b:n/bytes, c:(n * 2)>>) = (b, c)") ==
        "[(bin n#0:8/int*1 b#1:n#0/bytes*8 c#2:(* n#0 2)/int*1) -> (tuple b#1 c#2)]");
  CHECK(resolved("fn f(<<n:n>>) = n").starts_with("error"));
  CHECK(resolved("const max = 3\nfn f(^max) = max") == "[^const:max -> const:max]");
  CHECK(resolved("fn f(m) = match m { %{(1, :a) => v, ^m => w} -> (v, w) }") ==
        "[m#0 -> (match m#0 [(map ^(tuple 1 :a)=v#1 ^m#0=w#2) -> (tuple v#1 w#2)])]");
}

TEST_CASE("calls find variables, functions, imports, the prelude") {
  CHECK(resolved("fn f(g) = g(1)") == "[g#0 -> (call local:0 1)]");
  CHECK(resolved("fn f(x) = g(x)\nfn g(x) = x") == "[x#0 -> (call fn:g/1 x#0)]");
  CHECK(resolved("import Enum (map/2)\nfn f(x) = map(x, &f/1)") ==
        "[x#0 -> (call Enum:map x#0 &f/1)]");
  CHECK(resolved("fn f(x) = length(x)") == "[x#0 -> (call prelude:length x#0)]");
  CHECK(resolved("fn length(x) = x\nfn f(x) = length(Prelude.length(x))") ==
        "[x#0 -> (call fn:length/1 (call prelude:length x#0))]");
  CHECK(resolved("alias A.B\nfn f(x) = B.C.g(B, x)") == "[x#0 -> (call A.B.C:g A.B x#0)]");
  CHECK(resolved("fn f(m) = m.g(1)") == "[m#0 -> (call dynamic:m#0.g 1)]");
  CHECK(resolved("fn f(m) = (m.g)(1)") == "[m#0 -> (call value:(. m#0 g) 1)]");
  CHECK(resolved("fn f(x) = x |> g |> length\nfn g(x) = x") ==
        "[x#0 -> (call prelude:length (call fn:g/1 x#0))]");
}

TEST_CASE("lambdas list what they capture") {
  CHECK(resolved("fn f(x) { y = 1; fn(z) = x + y + z + x }") ==
        "[x#0 -> (block (= y#1 1) (fn [z#2 -> (+ (+ (+ x#0 y#1) z#2) x#0)] captures 0 1))]");
  CHECK(resolved("fn f(x) = fn() = fn() = x") ==
        "[x#0 -> (fn [-> (fn [-> x#0] captures 0)] captures 0)]");
  CHECK(resolved("fn f(x) = fn go(n) = go(n + x)") ==
        "[x#0 -> (fn go#1[n#2 -> (call local:1 (+ n#2 x#0))] captures 0)]");
  CHECK(resolved("fn f(x) { fn go(n) = fn() = go(n); go(x) }") ==
        "[x#0 -> (block (local (fn go#1[n#2 -> (fn [-> (call local:1 n#2)] captures 1 2)])) "
        "(call local:3 x#0))]");
}

TEST_CASE("is binds in the right of and and in the branch") {
  CHECK(resolved("fn f(r) = if r is (:ok, v) and v > 3 { v } else { r }") ==
        "[r#0 -> (if (and (is r#0 (tuple :ok v#1)) (> v#1 3)) (block v#1) (block r#0))]");
  CHECK(resolved("fn f(r) = r is (:ok, v) and v > 3") ==
        "[r#0 -> (and (is r#0 (tuple :ok v#1)) (> v#1 3))]");
  CHECK(resolved("fn f(v) { if v is (:ok, v) { g(v) }; v }\nfn g(x) = x") ==
        "[v#0 -> (block (if (is v#0 (tuple :ok v#1)) (block (call fn:g/1 v#1)) none) v#0)]");
  CHECK(resolved("fn f(v) = if v is (:ok, w) or w { w } else { v }").starts_with("error"));
  CHECK(resolved("fn f(v) = if not (v is (:ok, w)) { w } else { v }").starts_with("error"));
}

TEST_CASE("a match inside an expression binds for the rest of its block") {
  CHECK(resolved("fn f(x) { g(y = x); y }\nfn g(x) = x") ==
        "[x#0 -> (block (call fn:g/1 (= y#1 x#0)) y#1)]");
  CHECK(resolved("fn f(x) { if (y = x) > 1 { y }; y }") ==
        "[x#0 -> (block (if (> (= y#1 x#0) 1) (block y#1) none) y#1)]");
  CHECK(resolved("fn f(x) { x and (y = x) and y }") ==
        "[x#0 -> (block (and (and x#0 (= y#1 x#0)) y#1))]");
  CHECK(resolved("fn f(x) { x and (y = x); y }").starts_with("error"));
}

TEST_CASE("folds evaluate list and initial value outside the loop") {
  CHECK(resolved("fn f(x) = for x in x, y in x with (x, a) = x { (x, a + y) }") ==
        "[x#0 -> (for [x#1 in x#0] [y#2 in x#1] with (tuple x#3 a#4) x#0 (block (tuple x#3 (+ a#4 "
        "y#2))))]");
  CHECK(resolved("fn f(xs) = [x for x in xs if x > 1]") ==
        "[xs#0 -> (listcomp x#1 [x#1 in xs#0 if (> x#1 1)])]");
}

TEST_CASE("defaults define the lower arities") {
  const char* text = "pub fn f(a, b = 1, c = a + b) = (a, b, c)";
  CHECK(resolved(text, 3) == "[a#0 b#1 c#2 -> (tuple a#0 b#1 c#2)]");
  CHECK(resolved(text, 2) == "[a#0 b#1 -> (call fn:f/3 a#0 b#1 (+ a#0 b#1))]");
  CHECK(resolved(text, 1) == "[a#0 -> (call fn:f/2 a#0 1)]");
  CHECK(resolved("fn f((x, y), z = x) = (x, y, z)") ==
        "[(as (tuple x#0 y#1) _arg 0#2) -> (call fn:f/2 _arg 0#2 x#0)]");
  CHECK(resolved("fn f(:a, o = 1) = o\nfn f(:b, o) = o") ==
        "[_arg 0#0 -> (call fn:f/2 _arg 0#0 1)]");
  CHECK(warnings("pub fn f((x, y), z = x) = (x, y, z)") == 0);
}

TEST_CASE("defaults of local functions") {
  CHECK(resolved("fn f(x) { fn go(a, b = x) = (a, b); go(1) }") ==
        "[x#0 -> (block (local (fn go#1[a#2 b#3 -> (tuple a#2 b#3)])) "
        "(local (fn go#5[a#6 -> (call local:4 a#6 x#0)] captures 4 0)) (call local:7 1))]");
  CHECK(warnings("pub fn f(x) { fn go(a, b = 0) { if a > 9 { b } else { go(a + 1) } }; go(x) }") ==
        0);
}

TEST_CASE("constants are ordered and structs have their function") {
  Resolved r("struct name, hp = base * 2\nconst a = b + 1\nconst b = base\nconst base = 10");
  REQUIRE(r.ok);
  REQUIRE(r.module->constants.size() == 3);
  CHECK(r.interner.text(r.module->constants[0]->name) == "base");
  CHECK(r.interner.text(r.module->constants[2]->name) == "a");
  CHECK(r.function("__struct__", 0) ==
        "[-> (map :__struct__=Script.Test :name=:nil :hp=(* const:base 2))]");
}

TEST_CASE("long chains of constants do not recurse") {
  std::string text;
  for (int i = 0; i < 50000; ++i) {
    text += "const c" + std::to_string(i) + " = c" + std::to_string(i + 1) + "\n";
  }
  Resolved r(text + "const c50000 = 1\n");
  CHECK(r.ok);
}

TEST_CASE("the script's expressions are a function") {
  Resolved r("fn g(n) = n\nx = 1\nprintln(g(x))");
  REQUIRE(r.ok);
  REQUIRE(r.module->script != nullptr);
  CHECK(TreePrinter(r.interner).print(r.module->script->clauses[0]) ==
        "[-> (block (= x#0 1) (call prelude:println (call fn:g/1 x#0)))]");
  CHECK(r.module->script->vars.size() == 1);
  CHECK(Resolved("fn main(args) = args").module->script == nullptr);
}

TEST_CASE("what is read draws no warning") {
  CHECK(warnings("pub fn f(_, _x) = 1") == 0);
  CHECK(warnings("pub fn f(x) = match x { (a, a) -> 1; _ -> 2 }") == 0);
  CHECK(warnings("pub fn f(<<n:8, _:n>>) = 1") == 0);
  CHECK(warnings("pub fn f(x) { fn go(n) = n; &go/1 }\nprintln(f(1))") == 1);
  CHECK(warnings("pub fn f(x) { g = fn() = x; g() }") == 0);
  CHECK(warnings("pub fn f(xs) = for x in xs with n = 0 { n + x }") == 0);
  CHECK(warnings("pub fn f(x) = if x is (:ok, v) { v }") == 0);
  CHECK(warnings("pub fn f(x) { x = x + 1; x }") == 0);
  CHECK(warnings("pub fn f() { assert (:ok, v) = (:ok, 1); v }") == 0);
  CHECK(warnings("x = 1\ny = x\n") == 1);
}

TEST_CASE("many captures and names stay quick") {
  std::string text = "pub fn f(x) {\n";
  std::string sum = "0";
  for (int i = 0; i < 5000; ++i) {
    text += "  v" + std::to_string(i) + " = x + " + std::to_string(i) + "\n";
    if (i % 10 == 9) {
      text += "  g" + std::to_string(i) + " = fn() = [" + sum + "]\n  println(g" +
              std::to_string(i) + ")\n";
      sum = "0";
    }
    sum += ", v" + std::to_string(i);
  }
  text += "  fn() = [";
  for (int i = 0; i < 5000; ++i) text += "v" + std::to_string(i) + ", ";
  text += "]\n}\n";
  Resolved r(text);
  CHECK(r.ok);
}
