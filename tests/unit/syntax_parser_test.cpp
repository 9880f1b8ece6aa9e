#include <catch2/catch.hpp>
#include <string>

#include "compiler/syntax/parser.h"
#include "tests/unit/syntax_print.h"

using namespace quelea::compiler;

namespace {

// The script's expressions as text, or the first error.
std::string tree(std::string text) {
  SourceFile source("test.qu", std::move(text));
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  ParseResult result = parse(source, arena, interner, sink);
  if (!result.ok) return "error: " + sink.diagnostics()[0].message;
  std::string out;
  for (const Expr* e : result.file->main()->body) {
    out += (out.empty() ? "" : "; ") + TreePrinter(interner).print(e);
  }
  return out;
}

uint32_t errors(std::string text) {
  SourceFile source("test.qu", std::move(text));
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  parse(source, arena, interner, sink);
  return sink.error_count();
}

}  // namespace

TEST_CASE("operators bind as the table says") {
  CHECK(tree("a = b = c") == "(= a (= b c))");
  CHECK(tree("a ! b ! c") == "(! a (! b c))");
  CHECK(tree("x = a ! b or c") == "(= x (! a (or b c)))");
  CHECK(tree("a or b and not c == d") == "(or a (and b (not (== c d))))");
  CHECK(tree("a and b and c") == "(and (and a b) c)");
  CHECK(tree("a < b + c * d") == "(< a (+ b (* c d)))");
  CHECK(tree("a not in b") == "(not in a b)");
  CHECK(tree("a in b..c") == "(in a (.. b c))");
  CHECK(tree("a ++ b ++ c") == "(++ a (++ b c))");
  CHECK(tree("a <> b ++ c") == "(<> a (++ b c))");
  CHECK(tree("a - b - c") == "(- (- a b) c)");
  CHECK(tree("a + b bor c bxor d") == "(bxor (bor (+ a b) c) d)");
  CHECK(tree("a * b div c rem d band e bsl f") == "(bsl (band (rem (div (* a b) c) d) e) f)");
  CHECK(tree("-a * b") == "(* (neg a) b)");
  CHECK(tree("- -1") == "(neg (neg 1))");
  CHECK(tree("bnot a band b") == "(band (bnot a) b)");
  CHECK(tree("-a.b(c)[d].0?") == "(neg (? (. ([] (call (. a b) c) d) 0)))");
  CHECK(tree("1..n + 1") == "(.. 1 (+ n 1))");
  CHECK(tree("a == not b") == "(== a (not b))");
  CHECK(tree("a is (:ok, v) and v > 3") == "(and (is a (tuple :ok v)) (> v 3))");
  CHECK(tree("a < b < c").starts_with("error"));
  CHECK(tree("a == b in c").starts_with("error"));
  CHECK(tree("a..b..c").starts_with("error"));
  CHECK(tree("(a < b) < c") == "(< (< a b) c)");
}

TEST_CASE("pipes become calls") {
  CHECK(tree("x |> f") == "(call f x)");
  CHECK(tree("x |> f(a, b)") == "(call f x a b)");
  CHECK(tree("x |> M.f") == "(call (. M f) x)");
  CHECK(tree("x |> M.f(a)?") == "(? (call (. M f) x a))");
  CHECK(tree("x |> f(a: 1)") == "(call f x (map :a=1))");
  CHECK(tree("x |> f |> g(1)") == "(call g (call f x) 1)");
  CHECK(tree("x |> match { 1 -> 2 }") == "(match x [1 -> 2])");
  CHECK(tree("x |> match { 1 -> 2 } |> f") == "(call f (match x [1 -> 2]))");
  CHECK(tree("a + b |> f") == "(call f (+ a b))");
  CHECK(tree("a == b |> f") == "(== a (call f b))");
  CHECK(tree("x\n  |> f\n  # comment\n  |> g") == "(call g (call f x))");
  CHECK(tree("x |> f + 1").starts_with("error"));
}

TEST_CASE("calls, fields, elements and indexes touch") {
  CHECK(tree("f()") == "(call f)");
  CHECK(tree("f(1, 2,)") == "(call f 1 2)");
  CHECK(tree("f(1, a: 2, b: 3)") == "(call f 1 (map :a=2 :b=3))");
  CHECK(tree("f(match: 1, if: 2)") == "(call f (map :match=1 :if=2))");
  CHECK(tree("f(1)(2)") == "(call (call f 1) 2)");
  CHECK(tree("m.if.match") == "(. (. m if) match)");
  CHECK(tree("t.0.1") == "(. (. t 0) 1)");
  CHECK(tree("f (1)").starts_with("error"));
  CHECK(tree("m [1]").starts_with("error"));
  CHECK(tree("f\n(1)") == "f; 1");
  CHECK(tree("m\n[1]") == "m; (list 1)");
  CHECK(tree("a\n-b") == "a; (neg b)");
  CHECK(tree("a\n.b") == "(. a b)");
  CHECK(tree("&f/1") == "&f/1");
  CHECK(tree("&M.N.match/2") == "&M.N.match/2");
  CHECK(tree("&m.f/0") == "&m.f/0");
}

TEST_CASE("data") {
  CHECK(tree("()") == "(tuple)");
  CHECK(tree("(1)") == "1");
  CHECK(tree("(1,)") == "(tuple 1)");
  CHECK(tree("(1, 2)") == "(tuple 1 2)");
  CHECK(tree("[1, 2 | t]") == "(list 1 2 | t)");
  CHECK(tree("[1,\n 2,\n]") == "(list 1 2)");
  CHECK(tree("%{a: 1, \"b\" => 2, (x, y) => 3}") == "(map :a=1 \"b\"=2 (tuple x y)=3)");
  CHECK(tree("%{type: 1, nil: 2}") == "(map :type=1 :nil=2)");
  CHECK(tree("%P.Q{a: 1}") == "(struct P.Q :a=1)");
  CHECK(tree("%{m | a: 1, b.c.d: 2, k => 3}") == "(update m [a 1] [b.c.d 2] [k 3])");
  CHECK(tree("%{f(x) | a: 1}") == "(update (call f x) [a 1])");
  CHECK(tree("<<1, x:16/signed-little, r/bytes>>") ==
        "(bin 1/int*1 x:16/int-signed-little*1 r/bytes*8)");
  CHECK(tree("<<a + b:(n * 8)/bits-unit(2)>>") == "(bin (+ a b):(* n 8)/bits*2)");
  CHECK(tree("<<\"abc\", x/float>>") == "(bin \"abc\"/bytes*8 x/float*1)");
  CHECK(tree("<<(a / b)>>") == "(bin (/ a b)/int*1)");
  CHECK(tree("<<f(a / b)/bytes>>") == "(bin (call f (/ a b))/bytes*8)");
  CHECK(tree("[x * 2 for x in xs if x > 1, y in ys]") ==
        "(listcomp (* x 2) [x in xs if (> x 1)] [y in ys])");
  CHECK(tree("%{k => v for (k, v) in m}") == "(mapcomp k v [(tuple k v) in m])");
  CHECK(tree("%{a: v for v in m}") == "(mapcomp :a v [v in m])");
  CHECK(tree("<<b for <<b:4>> in x>>") == "(bincomp b/int*1 [(bin b:4/int*1) in x])");
}

TEST_CASE("literals") {
  CHECK(tree("1_000_000") == "1000000");
  CHECK(tree("0xff") == "255");
  CHECK(tree("123456789012345678901234567890") == "123456789012345678901234567890");
  CHECK(tree("'a'") == "97");
  CHECK(tree("'\\n'") == "10");
  CHECK(tree("'\xCE\xBB'") == "955");
  CHECK(tree("1.5e3") == "1500.");
  CHECK(tree(":\"a b\"") == ":a b");
  CHECK(tree("\"a\\tb\"") == "\"a\tb\"");
  CHECK(tree("r\"a\\tb\"") == "\"a\\tb\"");
  CHECK(tree("\"a${x}b\"") == "(interp \"a\" x \"b\")");
  CHECK(tree("\"${x}${y}\"") == "(interp x y)");
  CHECK(tree("\"$x \\${y}\"") == "\"$x ${y}\"");
}

TEST_CASE("heredocs lose the closing line's indentation") {
  CHECK(tree("x = \"\"\"\n  a\n    b\n\n  c\n  \"\"\"") == "(= x \"a\n  b\n\nc\n\")");
  CHECK(tree("\"\"\"\na\n\"\"\"") == "\"a\n\"");
  CHECK(tree("\"\"\"\n\"\"\"") == "\"\"");
  CHECK(tree("\"\"\"\n  a ${x} b\n  c\n  \"\"\"") == "(interp \"a \" x \" b\nc\n\")");
  CHECK(tree("r\"\"\"\n  \\d ${x}\n  \"\"\"") == "\"\\d ${x}\n\"");
  CHECK(tree("\"\"\"\n  a\\tb \\\" \"quoted\"\n  \"\"\"") == "\"a\tb \" \"quoted\"\n\"");
}

TEST_CASE("functions as values") {
  CHECK(tree("fn(x) = x + 1") == "(fn [x -> (+ x 1)])");
  CHECK(tree("fn() { 1; 2 }") == "(fn [-> (block 1 2)])");
  CHECK(tree("f = fn loop(n) = loop(n)") == "(= f (fn loop[n -> (call loop n)]))");
  CHECK(tree("fn { 0 -> :zero; n when n > 0 -> :pos }") ==
        "(fn [0 -> :zero][n when (> n 0) -> :pos])");
  CHECK(tree("fn { a, b -> a + b }") == "(fn [a b -> (+ a b)])");
  CHECK(tree("fn(a: Int, b = 2): Int when a > 1 = a") ==
        "(fn [a (default b 2) when (> a 1) -> a])");
  CHECK(tree("f(fn(x) = x, 1)") == "(call f (fn [x -> x]) 1)");
  CHECK(tree("fn { 1 -> 2; a, b -> 3 }").starts_with("error"));
}

TEST_CASE("control") {
  CHECK(tree("if a { 1 } else if b { 2 } else { 3 }") ==
        "(if a (block 1) (if b (block 2) (block 3)))");
  CHECK(tree("if a { 1 }\nelse { 2 }") == "(if a (block 1) (block 2))");
  CHECK(tree("if a\n{ 1 }") == "(if a (block 1) none)");
  CHECK(tree("match x { 1 | 2 -> a; n when n > 1 -> { b } }") ==
        "(match x [(alt 1 2) -> a] [n when (> n 1) -> (block b)])");
  CHECK(tree("match x {\n  1 -> a\n  _\n    when y -> b\n}") ==
        "(match x [1 -> a] [_ when y -> b])");
  CHECK(tree("receive { x -> 1 } after 10 { 2 }") == "(receive [x -> 1] after 10 (block 2))");
  CHECK(tree("receive { x -> 1 }\nafter 10 { 2 }") == "(receive [x -> 1] after 10 (block 2))");
  CHECK(tree("receive { } after 10 { }") == "(receive after 10 (block))");
  CHECK(tree("try { a } catch { error e -> 1; exit :x, t -> 2; _ v when v -> 3 } after { b }") ==
        "(try (block a) [:error e -> 1] [:exit :x t -> 2] [_ v when v -> 3] after (block b))");
  CHECK(tree("try { a }\ncatch { c e -> 1 }\nafter { b }") ==
        "(try (block a) [c e -> 1] after (block b))");
  CHECK(tree("try { a }\nb").starts_with("error"));
  CHECK(tree("for x in xs { f(x) }") == "(for [x in xs] (block (call f x)))");
  CHECK(tree("for x in xs if x, y in ys with acc = 0 { acc }") ==
        "(for [x in xs if x] [y in ys] with acc 0 (block acc))");
  CHECK(tree("assert a == b") == "(assert (== a b))");
  CHECK(tree("assert (:ok, v) = f()") == "(assert= (tuple :ok v) (call f))");
  CHECK(tree("assert receive (:x, ^r) when a after 5") ==
        "(assert receive (tuple :x ^r) when a after 5)");
  CHECK(tree("assert not receive _") == "(assert not receive _)");
  CHECK(tree("assert receive { x -> x }") == "(assert (receive [x -> x]))");
}

TEST_CASE("words are names out of their place") {
  CHECK(tree("after = 1\ncatch = after\ntest = type\nwith = is") ==
        "(= after 1); (= catch after); (= test type); (= with is)");
  CHECK(tree("test(1)") == "(call test 1)");
  CHECK(tree("struct.field") == "(. struct field)");
  CHECK(tree("type is x") == "(is type x)");
  CHECK(tree("r = 1") == "(= r 1)");
}

TEST_CASE("the left of = becomes a pattern") {
  CHECK(tree("(:ok, [a, b | _]) = x") == "(= (tuple :ok (list a b | _)) x)");
  CHECK(tree("%{a: x, \"k\" => y} = m") == "(= (map :a=x \"k\"=y) m)");
  CHECK(tree("%P{a: x} = m") == "(= (struct P :a=x) m)");
  CHECK(tree("<<n:16, b:n/bytes>> = m") == "(= (bin n:16/int*1 b:n/bytes*8) m)");
  CHECK(tree("\"ab\" <> rest = m") == "(= (prefix \"ab\" rest) m)");
  CHECK(tree("-1 = m") == "(= -1 m)");
  CHECK(tree("^x.y = m") == "(= ^(. x y) m)");
  CHECK(tree("((1 | 2) as n, _) = m") == "(= (tuple (as (alt 1 2) n) _) m)");
  CHECK(tree("[h as x | t] = m") == "(= (list (as h x) | t) m)");
  CHECK(tree("f(x) = m").starts_with("error"));
  CHECK(tree("a.b = m").starts_with("error"));
}

TEST_CASE("patterns") {
  auto arm = [](const std::string& pattern) {
    std::string out = tree("match v { " + pattern + " -> 1 }");
    return out.starts_with("error") ? out : out.substr(10, out.size() - 10 - 7);
  };
  CHECK(arm("1..9") == "(.. 1 9)");
  CHECK(arm("'a'..'z'") == "(.. 97 122)");
  CHECK(arm("-5..-1") == "(.. -5 -1)");
  CHECK(arm("\"a\" <> \"b\" <> r") == "(prefix \"a\" (prefix \"b\" r))");
  CHECK(arm("1 | 2 as n") == "(as (alt 1 2) n)");
  CHECK(arm("(1 | 2, x)") == "(tuple (alt 1 2) x)");
  CHECK(arm("%{a: [x], ^k => y, 1 => z}") == "(map :a=(list x) ^k=y 1=z)");
  CHECK(arm("%P{a: x as y}") == "(struct P :a=(as x y))");
  CHECK(arm("^(f(x) + 1)") == "^(+ (call f x) 1)");
  CHECK(arm("<<a:4, \"xy\", c/utf8, _:n, r/bits>>") ==
        "(bin a:4/int*1 \"xy\"/bytes*8 c/utf8*1 _:n/int*1 r/bits*1)");
  CHECK(arm("()") == "(tuple)");
  CHECK(arm("(x)") == "x");
  CHECK(arm("(x,)") == "(tuple x)");
  CHECK(arm("Foo.Bar") == "Foo.Bar");
  CHECK(arm("-0.0") == "-0.");
  CHECK(arm("x <> y").starts_with("error"));
  CHECK(arm("1.0..2.0").starts_with("error"));
}

TEST_CASE("adjacent local clauses are one function") {
  CHECK(tree("fn() { fn f(0) = 1\n fn f(n) = n\n fn f(a, b) = a\n f(1) }") ==
        "(fn [-> (block (local (fn f[0 -> 1][n -> n])) (local (fn f[a b -> a])) (call f 1))])");
}

TEST_CASE("declarations") {
  SourceFile source("shop.qu", R"(
## The shop.
module Shop.Main
behaviour GenServer
alias A.B as C
import Enum (map/2, in/2)
const max = 10
type T(a) = (:ok, a) | %{x?: Int, Atom => a} | fn(Int, T): [a] | 0..255
struct name: String, price = 1
callback init(args: Any): Any
optional callback match(a)
## Adds.
##
## > add(1, 2)
## 3
pub fn add(a: Int, b = 2): Int = a + b
fn match(x) { x }
test "adds" { assert add(1) == 3 }
module Inner.One { pub fn f() = 1 }
)");
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  ParseResult result = parse(source, arena, interner, sink, {.tests = true});
  REQUIRE(result.ok);
  REQUIRE(result.file->modules.size() == 2);
  CHECK(interner.text(result.file->modules[0]->name) == "Inner.One");
  const Module* m = result.file->main();
  CHECK(interner.text(m->name) == "Shop.Main");
  CHECK_FALSE(m->is_script);
  CHECK(m->doc->text == "The shop.");
  CHECK(m->behaviours.size() == 1);
  CHECK(interner.text(m->aliases[0].name) == "C");
  CHECK(m->imports[0].entries.size() == 2);
  CHECK(m->constants.size() == 1);
  CHECK(m->types.size() == 1);
  CHECK(m->types[0]->type->items.size() == 4);
  CHECK(m->structure->fields.size() == 2);
  CHECK(m->callbacks.size() == 2);
  CHECK(m->callbacks[1]->optional);
  REQUIRE(m->functions.size() == 2);
  CHECK(m->functions[0]->is_pub);
  CHECK(m->functions[0]->arity == 2);
  CHECK(m->functions[0]->doc->text == "Adds.\n\n> add(1, 2)\n3");
  CHECK(m->functions[0]->clauses[0]->param_types.size() == 2);
  REQUIRE(m->tests.size() == 2);
  CHECK(TreePrinter(interner).print(m->tests[0]->function->clauses[0]) ==
        "[-> (block (assert (=== (call add 1 2) 3)))]");
}

TEST_CASE("a script has the file's name") {
  SourceFile source("dir/word-count.qu", "println(1)");
  Arena arena;
  Interner interner;
  DiagnosticSink sink;
  ParseResult result = parse(source, arena, interner, sink);
  CHECK(result.file->main()->is_script);
  CHECK(interner.text(result.file->main()->name) == "Script.WordCount");
}

TEST_CASE("errors do not multiply") {
  CHECK(errors("fn f( {\n  x\n}\nfn g() = 1\n") == 1);
  CHECK(errors("fn f() {\n  x = (1, 2\n  y = 3\n  z = 4\n}\nfn g() = 1\n") == 1);
  CHECK(errors("fn f() {\n  x = )\n  y = ]\n  z = }\n}\n") <= 4);
  CHECK(errors("x = 1 <<\ny = 2\nz = 3\n") == 1);
  CHECK(errors("a b\nc d\ne f\n") == 3);
  CHECK(errors("println(\"a)\nprintln(\"b\")\n") == 1);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a b\n";
  CHECK(errors(many) == DiagnosticSink::kMaxErrors);
}

TEST_CASE("depth is limited, length is not") {
  auto repeat = [](const std::string& part, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += part;
    return out;
  };
  for (const char* opener :
       {"(", "[", "%{a: ", "<<", "f(", "- ", "not ", "\"${", "if a { ", "match ", "match a { (",
        "fn() = ", "a = ", "a ++ ", "x[", "try { ", "%{a | b: "}) {
    CHECK(errors(repeat(opener, 100000)) == 1);
  }
  for (const char* tail :
       {" + 1", ".a", "[1]", "(1)", "?", " and a", " |> f", " else if a { 1 }"}) {
    CHECK(errors("x = if a { 1 }" + repeat(tail, 100000)) >= 1);
  }
  CHECK(errors("x = [" + repeat("1, ", 1000000) + "]") == 0);
  CHECK(errors("x = \"" + repeat("a", 10000000) + "\"") == 0);
  CHECK(errors(repeat("{", 100000)) >= 1);
  CHECK(errors(repeat("}", 100000)) >= 1);
  CHECK(errors(repeat("x = 1\n", 200000)) == 0);
}
