#include <catch2/catch.hpp>

#include "tests/unit/code_support.h"
#include "vm/code/disassembler.h"
#include "vm/code/loader.h"
#include "vm/code/module_file.h"

using namespace quelea;
using namespace quelea::test;

namespace {

/// Handlers are numbers here: nothing runs.
struct Machine {
  std::vector<const void*> handlers;
  AtomTable atoms;
  NativeEntry native;
  CodeRegistry registry{handler(loader_op_undefined)};

  Machine() {
    for (unsigned i = 0; i < kHandlerCount; ++i) handlers.push_back(handler(i));
    native.arity = 1;
  }
  static const void* handler(unsigned number) {
    return reinterpret_cast<const void*>(std::uintptr_t{number} + 1000);
  }
  LoadContext context() {
    return {registry, atoms, handlers.data(), 32,
            [this](std::string_view module, std::string_view name, std::uint32_t arity) {
              return module == "Prim" && name == "map_size" && arity == 1 ? &native : nullptr;
            }};
  }
  LoadResult load(Draft& draft) { return load_module(context(), write_module(*draft.image)); }
};

Word op(unsigned number) { return reinterpret_cast<Word>(Machine::handler(number)); }
Word slot(int index) { return static_cast<Word>(-8 * index); }

}  // namespace

TEST_CASE("instructions become words") {
  Machine machine;
  Draft draft = factorial();
  LoadResult result = machine.load(draft);
  INFO(result.error);
  REQUIRE(result.module != nullptr);
  const LoadedModule& module = *result.module;
  const LoadedFunction& fact = module.functions.at(0);
  const Word* at = fact.entry;
  CHECK(at[-1] == reinterpret_cast<Word>(&fact));
  CHECK(at[0] == op(op_enter));
  CHECK(at[1] == 4 * 8 + 32);
  CHECK(at[2] == 1);
  CHECK(at[3] == op(op_eq_imm));
  CHECK(at[4] == slot(1));
  CHECK(at[5] == Term::small(0).bits);
  CHECK(at[6] == reinterpret_cast<Word>(at + 9));
  CHECK(at[7] == op(op_ret_const));
  const Word* sub = at + 9;
  CHECK(sub[0] == op(op_sub_imm));
  CHECK(sub[4] == 4 * 8 + 32);
  const Word* call = sub + 5;
  CHECK(call[0] == op(op_call));
  CHECK(call[1] == reinterpret_cast<Word>(fact.entry));
  CHECK(call[2] == op(loader_op_return_point));
  CHECK(call[3] == 16);
  CHECK(call[4] == slot(2));
  CHECK(call[5] == (1 << 2 | 1));
  CHECK(module.function_at(call) == &fact);
  CHECK(module.line_at(call + 2).line == 4);
  CHECK(module.line_at(at + 3).line == 3);
  CHECK(machine.registry.module_at(call) == &module);
  CHECK(machine.registry.module_at(&call[0] + (1 << 20)) == nullptr);
}

TEST_CASE("a place has a frame for each body that was inlined there") {
  Machine machine;
  Draft draft("Places");
  draft.image->files.push_back("places.qu");
  const ConstantRef one = draft.integer(1);
  draft.begin("top", 0, 2);
  draft.code.emit(op_enter);
  // The body of `mid`, whose call is in line 7; in it that of `low`; and one that `top` ends in.
  draft.image->inlines.push_back({1, 1, 7, 0});
  draft.image->inlines.push_back({2, 2, 5, 0});
  draft.image->inlines.push_back({2, ImageInline::kNobody, 0, 0});
  for (InlineRef from : {0u, 1u, 2u, 3u}) {
    draft.code.line(3, 0, from);
    draft.code.emit(op_load, Slot{1}, one);
  }
  draft.code.emit(op_ret, Slot{1});
  draft.end();
  for (const char* name : {"mid", "low"}) {
    draft.begin(name, 0, 2);
    draft.code.emit(op_enter);
    draft.code.emit(op_ret_const, one);
    draft.end();
  }
  const LoadedModule* module = machine.load(draft).module;
  REQUIRE(module != nullptr);
  const auto frames = [&](std::ptrdiff_t word, std::size_t most) {
    std::string text;
    std::size_t count = 0;
    module->each_frame(module->functions[0].entry + word, [&](const LoadedFunction& function,
                                                              std::uint32_t line, std::uint32_t) {
      text += std::string(machine.atoms.text(function.name)) + " " + std::to_string(line) + "; ";
      return ++count < most;
    });
    return text;
  };
  const std::ptrdiff_t loads = 3;
  REQUIRE(module->functions[0].entry[loads] == op(op_load));
  CHECK(frames(loads, 9) == "top 3; ");
  CHECK(frames(loads + 3, 9) == "mid 3; top 7; ");
  CHECK(frames(loads + 6, 9) == "low 3; mid 5; top 7; ");
  CHECK(frames(loads + 6, 2) == "low 3; mid 5; ");
  CHECK(frames(loads + 9, 9) == "low 3; ");
}

TEST_CASE("exports lead to the newest version, or to a stub") {
  Machine machine;
  Term fact = machine.atoms.intern("fact"), name = machine.atoms.intern("Fact");
  Export* before = machine.registry.intern_export(name, fact, 1);
  CHECK(!before->has_code());
  CHECK(before->entry.load()[0] == op(loader_op_undefined));
  CHECK(before->entry.load()[1] == reinterpret_cast<Word>(before));
  Draft first = factorial();
  const LoadedModule* old = machine.load(first).module;
  REQUIRE(old != nullptr);
  CHECK(before->entry.load() == old->functions[0].entry);
  Draft second = factorial();
  const LoadedModule* fresh = machine.load(second).module;
  CHECK(before->entry.load() == fresh->functions[0].entry);
  CHECK(machine.registry.find_module(name) == fresh);
  CHECK(machine.registry.module_at(old->functions[0].entry) == old);
  Draft without("Fact");
  CHECK(machine.load(without).module != nullptr);
  CHECK(!before->has_code());
  CHECK(machine.registry.find_export(name, fact, 2) == nullptr);
  for (std::uint32_t i = 0; i < 5000; ++i) machine.registry.intern_export(name, fact, i);
  CHECK(machine.registry.find_export(name, fact, 1) == before);
}

TEST_CASE("natives are found or refused") {
  Machine machine;
  LoadResult good = load_module(machine.context(), native_module_image("Prim", {{"map_size", 1}}));
  REQUIRE(good.module != nullptr);
  const Word* at = good.module->functions[0].entry;
  CHECK(at[0] == op(op_tail_native));
  CHECK(at[1] == reinterpret_cast<Word>(&machine.native));
  CHECK(at[2] == 2 * 8 + 32);
  CHECK(at[3] == 1);
  LoadResult bad = load_module(machine.context(), native_module_image("Prim", {{"nothing", 1}}));
  CHECK(bad.module == nullptr);
  CHECK(bad.error == "module Prim: no native function Prim.nothing/1");
}

TEST_CASE("literals live in the literal area") {
  Machine machine;
  Draft draft;
  LiteralWriter writer;
  writer.tuple(2);
  writer.atom("a");
  writer.string(std::string(100, 'x'));
  ConstantRef tuple = draft.term(std::move(writer));
  draft.begin("f", 0, 2);
  draft.code.emit(op_enter);
  draft.code.emit(op_cmp_eq, Slot{1}, tuple, tuple);
  draft.code.emit(op_ret_const, tuple);
  draft.end();
  std::size_t before = machine.registry.literals().used_words();
  LoadResult result = machine.load(draft);
  INFO(result.error);
  REQUIRE(result.module != nullptr);
  Term term = result.module->constants.at(0);
  CHECK(machine.registry.literals().contains(term));
  CHECK(machine.registry.literals().used_words() > before);
  const Word* compare = result.module->functions[0].entry + 3;
  CHECK(compare[2] == reinterpret_cast<Word>(&result.module->constants[0]));
}

TEST_CASE("switches are sorted, or tables") {
  Machine machine;
  auto make = [&](Op op, std::vector<std::int64_t> keys) {
    Draft draft("S" + std::to_string(keys.size()) + std::to_string(keys[0]));
    draft.begin("f", 1, 2);
    draft.code.emit(op_enter);
    Label to = draft.code.new_label();
    std::vector<SwitchCase> cases;
    for (std::int64_t key : keys) cases.push_back({draft.integer(key), to});
    draft.code.emit(op, Slot{1}, to, cases);
    draft.code.bind(to);
    draft.code.emit(op_ret, Slot{1});
    draft.end();
    LoadResult result = machine.load(draft);
    INFO(result.error);
    REQUIRE(result.module != nullptr);
    return result.module->functions[0].entry + 3;
  };
  const Word* sparse = make(op_switch_imm, {900, 5, -1});
  CHECK(sparse[0] == op(op_switch_imm));
  CHECK(sparse[3] == 3);
  CHECK(sparse[4] == Term::small(5).bits);
  CHECK(sparse[6] == Term::small(900).bits);
  CHECK(sparse[8] == Term::small(-1).bits);
  const Word* dense = make(op_switch_imm, {4, 1, 2, 6});
  CHECK(dense[0] == op(loader_op_switch_imm_table));
  CHECK(dense[3] == Term::small(1).bits);
  CHECK(dense[4] == 6);
  CHECK(dense[5] == reinterpret_cast<Word>(dense + 11));
  const Word* sizes = make(op_switch_arity, {2, 3, 4});
  CHECK(sizes[0] == op(loader_op_switch_arity_table));
  CHECK(sizes[3] == 2);
  CHECK(sizes[4] == 3);
}

TEST_CASE("large frames have their live maps outside") {
  Machine machine;
  Draft draft;
  draft.begin("f", 1, 200);
  draft.code.emit(op_enter);
  draft.code.emit(op_move, Slot{130}, Slot{1});
  draft.code.emit(op_alloc, Number{2}, live({1, 130}));
  draft.code.emit(op_ret, Slot{130});
  draft.end();
  LoadResult result = machine.load(draft);
  INFO(result.error);
  REQUIRE(result.module != nullptr);
  const Word* alloc = result.module->functions[0].entry + 6;
  CHECK(alloc[1] == 2);
  CHECK(alloc[2] == 200 * 8 + 32 + 16);
  const Word* map = reinterpret_cast<const Word*>(alloc[3]);
  CHECK(map[0] == 3);
  CHECK(map[1] == 2);
  CHECK(map[3] == 4);
}

TEST_CASE("a frame that a call may have left without room makes it again") {
  Machine machine;
  Draft draft;
  ImportRef callee = draft.import("M", "f", 0);
  draft.begin("f", 0, 20);
  draft.code.emit(op_enter);
  draft.code.emit(op_call_ext, callee, Return{2, Slot{15}, live({})});
  draft.code.emit(op_call_ext, callee, Return{17, Slot{1}, live({15})});
  draft.code.emit(op_ret, Slot{15});
  draft.end();
  LoadResult result = machine.load(draft);
  INFO(result.error);
  REQUIRE(result.module != nullptr);
  const Word* at = result.module->functions[0].entry + 3;
  CHECK(at[0] == op(op_call_ext));
  // The result waits in the callee's slot 0 until there is room again.
  CHECK(at[4] == slot(2));
  CHECK(at[5] == 1);
  CHECK(at[6] == op(op_alloc));
  CHECK(at[7] == 0);
  CHECK(at[8] == 20 * 8 + 32);
  CHECK(at[9] == (1 << 3 | 1));
  CHECK(at[10] == op(op_move));
  CHECK(at[11] == slot(15));
  CHECK(at[12] == slot(2));
  CHECK(at[13] == op(op_call_ext));
  CHECK(at[19] == op(op_ret));
}

TEST_CASE("handlers are found by address") {
  Machine machine;
  Draft draft;
  ImportRef callee = draft.import("M", "f", 0);
  draft.begin("f", 1, 6);
  draft.code.emit(op_enter);
  Label a = draft.code.new_label(), b = draft.code.new_label(), c = draft.code.new_label();
  Label inner = draft.code.new_label(), outer = draft.code.new_label();
  draft.code.bind(a);
  draft.code.emit(op_call_ext, callee, Return{2, Slot{1}, live({})});
  draft.code.bind(b);
  draft.code.emit(op_call_ext, callee, Return{2, Slot{1}, live({})});
  draft.code.bind(c);
  draft.code.emit(op_ret, Slot{1});
  draft.code.bind(inner);
  draft.code.emit(op_catch, Slot{1}, Slot{2}, Slot{3});
  draft.code.emit(op_ret, Slot{1});
  draft.code.bind(outer);
  draft.code.emit(op_catch, Slot{1}, Slot{2}, Slot{3});
  draft.code.emit(op_ret, Slot{1});
  draft.code.exception_range(a, b, inner, ExceptionKind::Handler);
  draft.code.exception_range(a, c, outer, ExceptionKind::Handler);
  draft.end();
  LoadResult result = machine.load(draft);
  INFO(result.error);
  REQUIRE(result.module != nullptr);
  const LoadedModule& module = *result.module;
  const Word* first = module.functions[0].entry + 3;
  CHECK(module.exception_at(first - 3) == nullptr);
  REQUIRE(module.exception_at(first + 2) != nullptr);
  REQUIRE(module.exception_at(first + 8) != nullptr);
  CHECK(module.exception_at(first + 2)->handler < module.exception_at(first + 8)->handler);
  CHECK(module.exception_at(first + 12) == nullptr);
}

TEST_CASE("a module that is refused leaves nothing") {
  Machine machine;
  Draft draft;
  draft.string(std::string(1000, 'x'));
  draft.begin("f", 0, 2);
  draft.code.emit(op_enter);
  draft.code.emit(op_ret, Slot{1});
  draft.end();
  std::size_t before = machine.registry.literals().used_words();
  LoadResult result = machine.load(draft);
  CHECK(result.module == nullptr);
  CHECK(result.error ==
        "module Test: function f/0, line 1, offset 1 (ret): a slot is read that may hold nothing");
  CHECK(check_module(machine.context(), write_module(*draft.image)) == result.error);
  CHECK(machine.registry.literals().used_words() == before);
  CHECK(machine.registry.modules().empty());
}

TEST_CASE("a module as text") {
  CHECK(disassemble(*factorial().image) ==
        "module Fact, file \"fact.qu\"\n"
        "\n"
        "pub fn fact/1, frame 4, line 1\n"
        "    enter\n"
        "  .line 3\n"
        "    eq_imm s1, 0, L1\n"
        "    ret_const 1\n"
        "L1:\n"
        "  .line 4\n"
        "    sub_imm s3, s1, 1\n"
        "    call fact/1, base 2 -> s2, live {1}\n"
        "    mul s1, s1, s2\n"
        "    ret s1\n");
}
