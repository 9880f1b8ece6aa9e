// The two passes of the verifier over one function; see verifier.h.
#pragma once

#include <cstdint>
#include <queue>
#include <span>
#include <vector>

#include "vm/code/exception_ranges.h"
#include "vm/code/instruction.h"
#include "vm/code/module_image.h"
#include "vm/term/atoms.h"

namespace quelea {

struct VerifyContext {
  const ModuleImage& image;
  std::span<const Term> constants;
  const AtomTable& atoms;
  /// Steps so far and at most, in all functions together; about four slots looked at are one.
  std::uint64_t work_limit = 0;
  std::uint64_t work = 0;
};

inline constexpr const char* kTooComplex = "code that is too complex to verify";

/// What is known of a slot: nothing, a term, a cons cell, or kTuple + n: a tuple of at least n
/// elements.
using SlotState = std::uint16_t;
inline constexpr SlotState kUnknown = 0, kAnyTerm = 1, kConsCell = 2, kTuple = 3;

class FunctionVerifier {
 public:
  explicit FunctionVerifier(VerifyContext& context) : context_(context) {}

  /// Null when the function is good; else what is wrong at `offset()`.
  const char* verify(std::uint32_t function);
  std::uint32_t offset() const { return offset_; }

 private:
  // verify_scan.cpp
  const char* scan();
  const char* scan_shape(const Instruction& in);
  const char* scan_operands(const Instruction& in);
  const char* scan_slot(std::uint32_t slot) const;
  const char* scan_value(std::uint32_t encoded) const;
  const char* scan_target(const Instruction& in, std::uint32_t offset);
  const char* scan_live(const Instruction& in, std::uint32_t limit) const;
  const char* scan_return(const Instruction& in, std::uint32_t arguments) const;
  const char* scan_cases(const Instruction& in);
  const char* scan_segments(const Instruction& in) const;
  const char* scan_special(const Instruction& in);
  const char* scan_map_keys(std::uint32_t constant, std::uint32_t count);
  const char* scan_tags(Term tags);
  const char* scan_binary_operands(const Instruction& in) const;
  const char* check_targets();
  const char* check_exceptions();
  bool constant_is_small(std::uint32_t index) const { return context_.constants[index].is_small(); }

  // verify_flow.cpp
  const char* flow();
  const char* run_block(std::uint32_t offset);
  const char* step(const Instruction& in);
  const char* read_operands(const Instruction& in);
  const char* read_arguments(std::uint32_t first, std::uint32_t count);
  const char* calls(const Instruction& in);
  const char* keep_live(const Instruction& in);
  const char* spend_credit(const Instruction& in);
  const char* meet_handler(const Instruction& in);
  const char* meet(std::uint32_t target);
  const char* branch_edges(const Instruction& in);
  void write_results(const Instruction& in);
  void refine(const Instruction& in);
  const char* read(std::uint32_t slot) const {
    return state_[slot] == kUnknown ? "a slot is read that may hold nothing" : nullptr;
  }
  const char* read_value(std::uint32_t encoded) const {
    return encoded & 1 ? nullptr : read(encoded >> 1);
  }

  std::uint32_t arity_of_call(const Instruction& in) const;

  VerifyContext& context_;
  const ImageFunction* function_ = nullptr;
  const std::uint8_t* code_ = nullptr;
  const std::uint8_t* code_end_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t frame_ = 0;
  std::uint32_t offset_ = 0;

  /// Per byte of code: is it the beginning of an instruction, a target, a `catch`?
  static constexpr std::uint8_t kStart = 1, kTarget = 2, kCatch = 4;
  std::vector<std::uint8_t> marks_;
  std::vector<ExceptionSpan> spans_;

  std::vector<SlotState> state_;
  std::uint32_t credit_ = 0;
  /// Per byte of code: 1 + index of the state stored for it, 0 for none yet.
  std::vector<std::uint32_t> stored_index_;
  std::vector<std::vector<SlotState>> stored_;
  std::uint64_t stored_slots_ = 0;
  std::vector<std::uint8_t> queued_;
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> queue_;
};

}  // namespace quelea
