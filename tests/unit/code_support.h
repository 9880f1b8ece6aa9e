// Small modules for tests of vm/code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vm/code/assembler.h"
#include "vm/code/constants.h"
#include "vm/code/module_image.h"
#include "vm/code/scratch_alloc.h"
#include "vm/code/verifier.h"

namespace quelea::test {

inline LiveMap live(std::initializer_list<std::uint32_t> slots) {
  LiveMap map;
  for (std::uint32_t slot : slots) map.add(slot);
  return map;
}

/// A module under construction.
struct Draft {
  std::unique_ptr<ModuleImage> image = std::make_unique<ModuleImage>();
  Assembler code{*image};

  explicit Draft(std::string_view name = "Test") { image->name = image->names.intern(name); }

  NameId name(std::string_view text) { return image->names.intern(text); }
  ConstantRef integer(std::int64_t value) { return {image->constants.integer(value)}; }
  ConstantRef atom(std::string_view text) { return {image->constants.atom(name(text))}; }
  ConstantRef string(std::string_view text) { return {image->constants.string(text)}; }
  ConstantRef term(LiteralWriter writer) {
    return {image->constants.term(writer.take(), image->names)};
  }
  ImportRef import(std::string_view module, std::string_view function, std::uint32_t arity) {
    image->imports.push_back({name(module), name(function), arity});
    return {static_cast<std::uint32_t>(image->imports.size() - 1)};
  }
  NativeRef native(std::string_view module, std::string_view function, std::uint32_t arity) {
    image->natives.push_back({name(module), name(function), arity});
    return {static_cast<std::uint32_t>(image->natives.size() - 1)};
  }
  void begin(std::string_view function, std::uint32_t arity, std::uint32_t frame,
             bool exported = true) {
    ImageFunction entry;
    entry.name = name(function);
    entry.arity = arity;
    entry.frame_slots = frame;
    entry.exported = exported;
    entry.line = 1;
    code.begin_function(entry);
  }
  void end() { code.end_function(); }
};

/// fact(0) = 1; fact(n) = n * fact(n - 1), with a tail of odds and ends that other tests look at.
inline Draft factorial() {
  Draft draft("Fact");
  draft.image->files.push_back("fact.qu");
  draft.begin("fact", 1, 4);
  Label other = draft.code.new_label();
  draft.code.emit(op_enter);
  draft.code.line(3);
  draft.code.emit(op_eq_imm, Slot{1}, draft.integer(0), other);
  draft.code.emit(op_ret_const, draft.integer(1));
  draft.code.bind(other);
  draft.code.line(4);
  draft.code.emit(op_sub_imm, Slot{3}, Slot{1}, draft.integer(1));
  draft.code.emit(op_call, FunctionRef{0}, Return{2, Slot{2}, live({1})});
  draft.code.emit(op_mul, Slot{1}, Slot{1}, Slot{2});
  draft.code.emit(op_ret, Slot{1});
  draft.end();
  return draft;
}

/// Empty when the verifier takes it, else its message.
inline std::string verify(const ModuleImage& image) {
  AtomTable atoms;
  ScratchAlloc alloc;
  ConstantTerms constants = decode_constants(image, alloc, atoms, {});
  if (!constants.error.empty()) return constants.error;
  VerifyResult result = verify_module(image, constants.terms, atoms);
  return result.ok ? "" : result.message(image);
}

}  // namespace quelea::test
