// Sets of living values: what they are, and what they cost.
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "compiler/codegen/codegen.h"
#include "compiler/core/simplify.h"
#include "compiler/syntax/parser.h"
#include "compiler/syntax/resolve.h"

using namespace quelea::compiler;

namespace {

std::set<Ref> only_in(const LiveSets& sets, LiveSet a, LiveSet b) {
  std::set<Ref> values;
  sets.each_only_in(a, b, [&](Ref value) { CHECK(values.insert(value).second); });
  return values;
}

struct Cost {
  size_t sets, instructions;
};

// Of the first function of a text.
Cost compile_first(const std::string& text) {
  SourceFile source("test.qu", text);
  Arena arena;
  Interner names;
  DiagnosticSink sink;
  ParseResult parsed = parse(source, arena, names, sink);
  REQUIRE(parsed.ok);
  REQUIRE(resolve(*parsed.file, arena, names, sink, nullptr, {.warnings = false}));
  quelea::ModuleImage image;
  CompileOptions options;
  const Module& module = *parsed.file->main();
  ModuleContext context(module, source, arena, names, sink, options, image);
  image.functions.resize(module.functions.size());
  Lowerer lowerer(context);
  const FunctionDef* function = module.functions[0];
  lowerer.lower_function({.def = function, .name = function->name, .index = function->index});
  simplify(lowerer.function(), context.consts, false);
  CodeGenerator generator(context);
  generator.generate(lowerer.function());
  return {generator.live_size(), lowerer.function().insts.size()};
}

std::string alive_at_once(int count) {
  std::string text = "pub fn f(g) {\n", list;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "  x" + n + " = if g == " + n + " { g(" + n + ") } else { " + n + " }\n";
    list += (i == 0 ? "x" : ", x") + n;
  }
  return text + "  [" + list + "]\n}\n";
}

}  // namespace

TEST_CASE("sets of values are sets", "[core]") {
  std::mt19937 random(7);
  for (uint32_t values : {1u, 64u, 65u, 1024u, 1025u, 20000u}) {
    LiveSets sets;
    sets.reset(values);
    LiveSet a = 0, b = 0;
    std::set<Ref> in_a, in_b;
    for (int round = 0; round < 400; ++round) {
      const Ref value = random() % values;
      if (random() % 3 != 0) {
        a = sets.insert(a, value);
        in_a.insert(value);
      } else {
        a = sets.erase(a, value);
        in_a.erase(value);
      }
      if (round % 16 == 0) {
        sets.keep();
        b = a;
        in_b = in_a;
      }
      if (round % 50 == 49) {
        sets.keep();
        a = sets.unite(a, b);
        in_a.insert(in_b.begin(), in_b.end());
        CHECK(only_in(sets, b, a).empty());
      }
      REQUIRE(sets.count(a) == in_a.size());
      REQUIRE(sets.contains(a, value) == (in_a.count(value) != 0));
      REQUIRE(sets.equal(a, b) == (in_a == in_b));
    }
    CHECK(only_in(sets, a, 0) == in_a);
    CHECK(only_in(sets, b, 0) == in_b);
  }
}

TEST_CASE("what is not kept is forgotten", "[core]") {
  LiveSets sets;
  sets.reset(5000);
  const LiveSet kept = sets.insert(sets.insert(0, 3), 4000);
  sets.keep();
  const size_t size = sets.size();
  sets.insert(kept, 70);
  sets.forget();
  CHECK(sets.size() == size);
  CHECK(only_in(sets, kept, 0) == std::set<Ref>{3, 4000});
}

TEST_CASE("thousands of values alive at once cost what changes, not what lives", "[core]") {
  // One by one it would be 2,000 entries an instruction, and 500.
  for (int count : {1000, 4000}) {
    const Cost cost = compile_first(alive_at_once(count));
    INFO(cost.sets << " of sets for " << cost.instructions << " instructions");
    CHECK(cost.instructions > 3u * count);
    CHECK(cost.sets < 12 * cost.instructions);
  }
}
