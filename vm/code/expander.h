// Instructions of the file format as words that run. The loader's second half; loaded_module.h
// shows the layout.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vm/code/instruction.h"
#include "vm/code/loaded_module.h"

namespace quelea {

/// What operands refer to, resolved. Indexes as in the image.
struct ExpandContext {
  const ModuleImage& image;
  const void* const* handlers;
  std::size_t red_zone_bytes;
  std::span<const Term> constants;  ///< Their addresses go into the code.
  std::span<Export* const> imports;
  std::span<const NativeEntry* const> natives;
  std::span<const FunEntry> lambdas;
};

/// Expands one verified function after the other; the words are position independent until `place`.
class Expander {
 public:
  explicit Expander(const ExpandContext& context) : context_(context) {}

  /// Appends function `index`; its words begin behind one for the address of its LoadedFunction.
  void expand_function(std::uint32_t index);
  /// The word of the instruction at `offset` of the function expanded last (of the next one, within
  /// an instruction).
  std::uint32_t word_at(std::uint32_t offset) const { return word_of_[offset]; }

  std::size_t size() const { return words_.size(); }
  /// First word of the function of that index.
  std::uint32_t entry_of(std::uint32_t function) const { return entries_[function]; }
  /// Copies everything to `code` and makes addresses of jump targets and functions.
  void place(Word* code);
  std::vector<std::unique_ptr<Word[]>> take_live_maps() { return std::move(live_maps_); }

 private:
  struct Fixup {
    std::uint32_t word;
    std::uint32_t target;  ///< Word, or index of a function.
  };

  void instruction(const Instruction& in);
  void operand(const Instruction& in, char letter, std::uint32_t value);
  void emit(Word word) { words_.push_back(word); }
  void emit_handler(unsigned number) { emit(reinterpret_cast<Word>(context_.handlers[number])); }
  void emit_slot(std::uint32_t slot) {
    emit(static_cast<Word>(-8 * static_cast<std::int64_t>(slot)));
  }
  void emit_value(std::uint32_t encoded);
  void emit_target(std::uint32_t offset);
  /// `extra` is live, too; 0: nothing more.
  void emit_live(const Instruction& in, std::uint32_t extra = 0);
  void emit_room(const Instruction& in);
  void emit_switch(const Instruction& in);
  bool may_lack_room(const Instruction& in) const;
  void emit_return(const Instruction& in);

  const ExpandContext& context_;
  const ImageFunction* function_ = nullptr;
  std::vector<Word> words_;
  std::vector<std::uint32_t> word_of_;
  std::vector<std::uint32_t> entries_;
  std::vector<Fixup> targets_;  ///< Of the function at work: offsets in the file's code.
  std::vector<Fixup> jumps_;
  std::vector<Fixup> calls_;
  std::vector<std::unique_ptr<Word[]>> live_maps_;
};

}  // namespace quelea
