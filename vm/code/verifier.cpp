#include "vm/code/verifier.h"

#include "vm/code/instruction.h"
#include "vm/code/verify_function.h"

namespace quelea {
namespace {

constexpr std::uint64_t kLeastWorkLimit = std::uint64_t{1} << 28;
constexpr std::uint64_t kWorkPerByte = 64;

}  // namespace

VerifyResult verify_module(const ModuleImage& image, std::span<const Term> constants,
                           const AtomTable& atoms) {
  VerifyContext context{image, constants, atoms,
                        kLeastWorkLimit + kWorkPerByte * image.code.size()};
  FunctionVerifier verifier(context);
  for (std::uint32_t i = 0; i < image.functions.size(); ++i) {
    if (const char* reason = verifier.verify(i)) return {false, i, verifier.offset(), reason};
  }
  return {};
}

std::string VerifyResult::message(const ModuleImage& image) const {
  const ImageFunction& in = image.functions[function];
  std::string text = "function " + image.names[in.name] + "/" + std::to_string(in.arity);
  std::uint32_t line = in.line;
  for (std::uint32_t i = in.lines_begin; i < in.lines_end; ++i)
    if (image.lines[i].offset <= offset) line = image.lines[i].line;
  if (line != 0) text += ", line " + std::to_string(line);
  text += ", offset " + std::to_string(offset);
  std::uint32_t at = in.code_begin + offset;
  if (at < in.code_end && image.code[at] < kOpCount)
    text += std::string(" (") + op_info(static_cast<Op>(image.code[at])).name + ")";
  return text + ": " + reason;
}

const char* FunctionVerifier::verify(std::uint32_t function) {
  function_ = &context_.image.functions[function];
  code_ = context_.image.code.data() + function_->code_begin;
  code_end_ = context_.image.code.data() + function_->code_end;
  size_ = function_->code_end - function_->code_begin;
  frame_ = function_->frame_slots;
  offset_ = 0;
  if (const char* error = scan()) return error;
  return flow();
}

}  // namespace quelea
