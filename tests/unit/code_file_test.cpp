#include <catch2/catch.hpp>

#include "tests/unit/code_support.h"
#include "vm/code/disassembler.h"
#include "vm/code/instruction.h"
#include "vm/code/module_file.h"

using namespace quelea;
using namespace quelea::test;

namespace {

/// Something in every chunk.
Draft everything() {
  Draft draft = factorial();
  ModuleImage& image = *draft.image;
  LiteralWriter writer;
  writer.tuple(2);
  writer.atom("point");
  writer.list(2);
  writer.integer(-1);
  writer.number(2.5);
  writer.empty_list();
  ConstantRef point = draft.term(writer);
  image.constants.big(true, std::string(20, '\x7f'));
  image.constants.empty_list();
  draft.import("String", "length", 1);
  draft.native("Prim", "map_size", 1);
  draft.begin("test one", 0, 3, false);
  Label start = draft.code.new_label(), end = draft.code.new_label(),
        handler = draft.code.new_label();
  draft.code.emit(op_enter);
  draft.code.bind(start);
  image.inlines.push_back({0, 1, 9, 0});
  image.inlines.push_back({1, 2, 3, 0});
  draft.code.line(9, 0, 2);
  draft.code.emit(op_call_ext, ImportRef{0}, Return{1, Slot{1}, live({})});
  draft.code.bind(end);
  draft.code.emit(op_ret, Slot{1});
  draft.code.bind(handler);
  draft.code.emit(op_catch, Slot{1}, Slot{2}, Slot{2});
  draft.code.emit(op_ret, Slot{1});
  draft.code.exception_range(start, end, handler, ExceptionKind::Handler);
  draft.end();
  image.lambdas.push_back({0, 0, 0x123456789abcdef0u});
  image.source_hash = 77;
  image.docs.push_back({DocKind::Function, 0, 1, 3, "fn fact(n: Int)", "Factorial."});
  image.behaviours.push_back(draft.name("GenServer"));
  image.callbacks.push_back({draft.name("init"), 1, true});
  image.has_struct = true;
  image.struct_fields.push_back({draft.name("hp"), true});
  image.attributes.push_back({draft.name("max"), point.index});
  image.tests.push_back({"one", 1, 9, false});
  return draft;
}

}  // namespace

TEST_CASE("a written module reads back as it was") {
  Draft draft = everything();
  std::string file = write_module(*draft.image);
  ModuleFileResult result = read_module(file);
  INFO(result.error.message());
  REQUIRE(result.image != nullptr);
  CHECK(write_module(*result.image) == file);
  CHECK(disassemble(*result.image) == disassemble(*draft.image));
  CHECK(result.image->tests.at(0).name == "one");
  CHECK(result.image->docs.at(0).text == "Factorial.");
  CHECK(result.image->lambdas.at(0).unique == 0x123456789abcdef0u);
  CHECK(result.image->struct_fields.at(0).has_default);
}

TEST_CASE("inlined bodies name what is there, and no circle leads through them") {
  const auto refusal = [](auto change) {
    Draft draft = everything();
    change(*draft.image);
    return read_module(write_module(*draft.image)).error.reason;
  };
  CHECK(refusal([](ModuleImage&) {}).empty());
  CHECK(refusal([](ModuleImage& image) { image.inlines[0].function = 2; }) == "no such function");
  CHECK(refusal([](ModuleImage& image) { image.inlines[0].caller = 2; }) ==
        "inlined into what comes later");
  CHECK(refusal([](ModuleImage& image) { image.inlines[1].caller = 3; }) ==
        "inlined into what comes later");
  CHECK(refusal([](ModuleImage& image) { image.inlines[1].file = 1; }) == "no such file");
  CHECK(refusal([](ModuleImage& image) { image.lines.back().inlined = 3; }) ==
        "no such inlined body");
}

TEST_CASE("the interface of a module is read without its code") {
  std::string file = write_module(*everything().image);
  ModuleFileResult result = read_module_interface(file);
  REQUIRE(result.image != nullptr);
  CHECK(result.image->functions.size() == 2);
  CHECK(result.image->code.empty());
  CHECK(result.image->docs.size() == 1);
}

TEST_CASE("a file cut anywhere is refused and says where") {
  std::string file = write_module(*everything().image);
  for (std::size_t size = 0; size < file.size(); ++size) {
    ModuleFileResult result = read_module(std::string_view(file).substr(0, size));
    CHECK(result.image == nullptr);
    CHECK(!result.error.reason.empty());
    CHECK(result.error.offset <= file.size());
  }
  CHECK(read_module(file + "x").error.reason == "bytes behind the last chunk");
}

TEST_CASE("files of other versions and other instruction sets are refused") {
  std::string file = write_module(*everything().image);
  std::string other = file;
  other[4] = 9;
  CHECK(read_module(other).error.message().find("format version 9") != std::string::npos);
  other = file;
  other[8] = static_cast<char>(other[8] + 1);
  CHECK(read_module(other).error.message().find("compile the module again") != std::string::npos);
  CHECK(read_module("#!/bin/sh").error.reason == "not a Quelea module file");
}

TEST_CASE("counts that lie take no memory") {
  std::string file = write_module(*everything().image);
  // The first number of every chunk, its count, becomes huge.
  std::size_t at = 16;
  while (at < file.size()) {
    std::size_t size = 0;
    for (unsigned i = 0; i < 4; ++i)
      size |= static_cast<std::size_t>(static_cast<unsigned char>(file[at + 4 + i])) << 8 * i;
    if (size >= 5 && file.substr(at, 4) != "Code") {
      std::string bad = file;
      bad.replace(at + 8, 5, "\xff\xff\xff\xff\x0f");
      CHECK(read_module(bad).image == nullptr);
    }
    at += 8 + size;
  }
}

TEST_CASE("numbers have one form") {
  const std::uint8_t padded[] = {0x80, 0x00};
  ByteCursor cursor(padded, padded + 2);
  cursor.varint();
  CHECK(cursor.failed());
  const std::uint8_t largest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  ByteCursor wide(largest, largest + 10);
  CHECK(wide.varint() == UINT64_MAX);
  CHECK(!wide.failed());
  const std::uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
  ByteCursor too_wide(over, over + 10);
  too_wide.varint();
  CHECK(too_wide.failed());
}

TEST_CASE("equal constants have one index") {
  ModuleImage image;
  LiteralWriter small;
  small.integer(3);
  CHECK(image.constants.integer(3) == image.constants.term(small.take(), image.names));
  CHECK(image.constants.string("ab") == image.constants.string("ab"));
  CHECK(image.constants.number(0.0) != image.constants.number(-0.0));
  CHECK(image.constants.integer(1) != image.constants.number(1.0));
  LiteralWriter atom;
  atom.atom("ok");
  std::uint32_t index = image.constants.term(atom.take(), image.names);
  CHECK(image.constants[index].kind == ConstantKind::Atom);
  std::int64_t largest = (std::int64_t{1} << 60) - 1;
  CHECK(image.constants[image.constants.integer(largest)].is_immediate());
  CHECK(image.constants[image.constants.integer(-largest - 1)].is_immediate());
  CHECK(!image.constants[image.constants.integer(largest + 1)].is_immediate());
  CHECK(image.constants.big(false, std::string("\x05\0\0", 3)) == image.constants.integer(5));
}
