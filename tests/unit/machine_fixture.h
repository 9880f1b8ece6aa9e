// For tests of the machine: a module written instruction by instruction, loaded and run.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "vm/code/assembler.h"
#include "vm/code/code_registry.h"
#include "vm/code/loader.h"
#include "vm/interp/load.h"
#include "vm/interp/machine.h"
#include "vm/term/etf.h"
#include "vm/term/inspect.h"

namespace quelea {

/// Keeps what the machine says.
struct TestHost : Host {
  bool write(int fd, std::string_view bytes) override {
    (fd == 1 ? out : err) += bytes;
    return true;
  }
  void log(LogLevel, std::string_view line) override { remarks += std::string(line) + "\n"; }
  std::string out, err, remarks;
};

/// Module T under construction.
class TestModule {
 public:
  TestModule() : image(std::make_unique<ModuleImage>()), code(*image) {
    image->name = image->names.intern("T");
  }

  ConstantRef empty_list() { return {image->constants.empty_list()}; }
  ConstantRef integer(std::int64_t value) { return {image->constants.integer(value)}; }
  ConstantRef atom(std::string_view text) {
    return {image->constants.atom(image->names.intern(text))};
  }
  ConstantRef nil() { return {image->constants.empty_list()}; }
  ConstantRef term(LiteralWriter& writer) {
    return {image->constants.term(writer.take(), image->names)};
  }
  NativeRef native(std::string_view module, std::string_view name, std::uint32_t arity) {
    image->natives.push_back({image->names.intern(module), image->names.intern(name), arity});
    return {static_cast<std::uint32_t>(image->natives.size() - 1)};
  }
  void begin(std::string_view name, std::uint32_t arity, std::uint32_t slots,
             std::uint32_t captured = 0) {
    ImageFunction function;
    function.name = image->names.intern(name);
    function.arity = arity;
    function.captured = captured;
    function.frame_slots = slots;
    function.exported = captured == 0;
    function.line = 1;
    code.begin_function(function);
    code.emit(op_enter);
    code.line(1);
  }
  void end() { code.end_function(); }

  std::unique_ptr<ModuleImage> image;
  Assembler code;
};

class TestMachine {
 public:
  TestMachine() {
    VmConfig config;
    config.host = &host;
    vm = make_vm(config);
  }

  void load(TestModule& module) {
    const LoadResult result = load_module(load_context(*vm), std::move(module.image));
    INFO(result.error);
    REQUIRE(result.module != nullptr);
  }

  /// Runs `T.function()` and gives its value as `inspect` shows it, or the report of its end.
  std::string run(const std::string& function) {
    RunRequest request;
    request.module = "T";
    request.function = function;
    request.encode_result = true;
    const RunResult result = run_main(*vm, request);
    if (result.end != RunResult::End::Normal) return result.report;
    std::vector<Word> memory(1 << 20);
    TermAlloc alloc;
    alloc.hp = memory.data();
    alloc.limit = memory.data() + memory.size();
    const EtfDecodeResult decoded =
        etf_decode(alloc, reinterpret_cast<const std::uint8_t*>(result.value.data()),
                   result.value.size(), vm->atoms());
    REQUIRE(decoded.error == nullptr);
    std::string text;
    inspect(text, decoded.term, vm->atoms());
    return text;
  }

  TestHost host;
  std::unique_ptr<Vm> vm;
};

inline LiveMap live(std::initializer_list<std::uint32_t> slots) {
  LiveMap map;
  for (std::uint32_t slot : slots) map.add(slot);
  return map;
}

}  // namespace quelea
