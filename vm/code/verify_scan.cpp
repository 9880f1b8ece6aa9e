// The verifier's first pass: everything that can be said of an instruction by looking at it alone.
#include <algorithm>
#include <bit>

#include "vm/code/loaded_module.h"
#include "vm/code/segments.h"
#include "vm/code/verify_function.h"
#include "vm/term/binary.h"
#include "vm/term/compare.h"

namespace quelea {
namespace {

constexpr std::uint32_t kMaxAllocWords = 1u << 22;
constexpr std::uint32_t kMaxUnit = 256;
constexpr std::uint32_t kMaxMapLiteral = 32;

}  // namespace

const char* FunctionVerifier::scan() {
  if (size_ == 0) return "function without code";
  marks_.assign(size_, 0);
  Instruction in;
  bool open = false;  // the instruction before may fall through
  for (std::uint32_t at = 0; at < size_; at = in.next) {
    offset_ = at;
    if (!read_instruction(code_, code_end_, at, in)) return "not a whole instruction";
    marks_[at] |= kStart;
    if (const char* error = scan_shape(in)) return error;
    if (const char* error = scan_operands(in)) return error;
    if (const char* error = scan_special(in)) return error;
    if (context_.work > context_.work_limit) return kTooComplex;
    if (in.op == op_catch) {
      if (open) return "a catch that is fallen into";
      marks_[at] |= kCatch;
    }
    open = !(in.info().flags & op_flags::STOP);
  }
  if (open) return "the code runs off its end";
  if (const char* error = check_targets()) return error;
  return check_exceptions();
}

const char* FunctionVerifier::scan_shape(const Instruction& in) {
  if (in.offset != 0) return in.op == op_enter ? "enter inside of a function" : nullptr;
  if (in.op == op_enter) return nullptr;
  if (in.op == op_tail_native && in.next == size_) return nullptr;
  return "a function that does not begin with enter";
}

const char* FunctionVerifier::scan_slot(std::uint32_t slot) const {
  return slot >= 1 && slot < frame_ ? nullptr : "no such slot in the frame";
}

const char* FunctionVerifier::scan_value(std::uint32_t encoded) const {
  if (!(encoded & 1)) return scan_slot(encoded >> 1);
  return encoded >> 1 < context_.constants.size() ? nullptr : "no such constant";
}

/// A jump back must pay a reduction, or a loop could never be interrupted.
const char* FunctionVerifier::scan_target(const Instruction& in, std::uint32_t offset) {
  if (offset == 0 || offset >= size_) return "a jump out of the function, or to its enter";
  if (offset <= in.offset && !(in.info().flags & op_flags::SAFE))
    return "a jump back by an instruction that is no safe point";
  marks_[offset] |= kTarget;
  return nullptr;
}

const char* FunctionVerifier::scan_live(const Instruction& in, std::uint32_t limit) const {
  if (in.live_bytes == 0) return nullptr;
  if (in.live[0] & 1) return "slot 0 in a live map";
  std::uint64_t last = in.live[in.live_bytes - 1];
  std::uint64_t highest =
      (std::uint64_t{in.live_bytes} - 1) * 8 + static_cast<std::uint64_t>(std::bit_width(last)) - 1;
  return highest < limit ? nullptr : "a live map with slots that are not there";
}

std::uint32_t FunctionVerifier::arity_of_call(const Instruction& in) const {
  const ModuleImage& image = context_.image;
  switch (in.op) {
    case op_call:
    case op_tail_call:
      return image.functions[in.values[0]].arity;
    case op_call_ext:
    case op_tail_ext:
      return image.imports[in.values[0]].arity;
    case op_call_native:
    case op_tail_native:
      return image.natives[in.values[0]].arity;
    case op_call_fun:
    case op_tail_fun:
      return in.values[1];
    case op_call_dyn:
    case op_tail_dyn:
      return in.values[2];
    default:
      return 0;
  }
}

const char* FunctionVerifier::scan_return(const Instruction& in, std::uint32_t arguments) const {
  if (arguments > kMaxArity) return "too many arguments";
  if (in.base < 1 || in.base >= frame_ || arguments >= frame_ - in.base)
    return "arguments outside of the frame";
  if (const char* error = scan_slot(in.destination)) return error;
  return scan_live(in, in.base);
}

const char* FunctionVerifier::scan_operands(const Instruction& in) {
  const ModuleImage& image = context_.image;
  const std::uint32_t* value = in.values;
  const char* error = nullptr;
  auto index = [&](std::size_t size, const char* reason) {
    if (*value >= size) error = reason;
  };
  for (const char* letter = in.info().operands; *letter != 0 && error == nullptr; ++letter) {
    switch (*letter) {
      case 'Z':
      case 'Y':
        continue;
      case 'D':
      case 'S':
      case 'P':
      case 'Q':
        error = scan_slot(*value);
        break;
      case 'X':
        error = scan_value(*value);
        break;
      case 'C':
        index(context_.constants.size(), "no such constant");
        break;
      case 'B':
        index(context_.constants.size(), "no such constant");
        if (error == nullptr && !context_.constants[*value].is_immediate())
          error = "a constant that is not immediate";
        break;
      case 'L':
        error = scan_target(in, *value);
        break;
      case 'F':
        index(image.functions.size(), "no such function");
        break;
      case 'E':
        index(image.imports.size(), "no such import");
        break;
      case 'N':
        index(image.natives.size(), "no such native");
        break;
      case 'J':
        index(image.lambdas.size(), "no such lambda");
        break;
      case 'M':
        error = scan_live(in, frame_);
        break;
      case 'R':
        error = scan_return(in, arity_of_call(in));
        break;
      case 'V':
        in.for_each_value([&](std::uint32_t encoded) {
          if (error == nullptr) error = scan_value(encoded);
        });
        break;
      case 'W':
        error = scan_cases(in);
        break;
      case 'G':
        error = scan_segments(in);
        break;
    }
    ++value;
  }
  return error;
}

const char* FunctionVerifier::scan_cases(const Instruction& in) {
  const char* error = nullptr;
  std::vector<Term> seen;
  in.for_each_case([&](CaseView one) {
    if (error != nullptr) return;
    if (one.constant >= context_.constants.size()) {
      error = "no such constant";
      return;
    }
    Term term = context_.constants[one.constant];
    bool good = in.op == op_switch_string  ? is_binary(term)
                : in.op == op_switch_arity ? term.is_small() && term.small_value() >= 0 &&
                                                 term.small_value() < (std::int64_t{1} << 32)
                                           : term.is_immediate();
    error = good ? scan_target(in, one.target) : "a switch constant of the wrong kind";
    seen.push_back(term);
    if (good && in.op == op_switch_string) context_.work += binary_bytes(term) / 8;
  });
  if (error != nullptr) return error;
  auto text = [](Term term) { return binary_view(term).text(); };
  bool strings = in.op == op_switch_string;
  std::sort(seen.begin(), seen.end(),
            [&](Term a, Term b) { return strings ? text(a) < text(b) : a.bits < b.bits; });
  auto equal = [&](Term a, Term b) { return strings ? text(a) == text(b) : a == b; };
  if (std::adjacent_find(seen.begin(), seen.end(), equal) != seen.end())
    return "a switch with equal constants";
  return nullptr;
}

const char* FunctionVerifier::scan_segments(const Instruction& in) const {
  const char* error = nullptr;
  in.for_each_segment([&](SegmentView segment) {
    if (error != nullptr) return;
    constexpr std::uint32_t kKnown =
        kSegmentTypeMask | kSegmentSigned | kSegmentLittle | kSegmentWhole;
    SegmentType type = segment_type(segment.flags);
    if ((segment.flags & ~kKnown) != 0 || type > SegmentType::Utf32 ||
        ((segment.flags & kSegmentWhole) && type != SegmentType::Bits))
      error = "unknown segment flags";
    else if (segment.unit < 1 || segment.unit > kMaxUnit)
      error = "a segment unit out of range";
    else if (const char* bad = scan_value(segment.value))
      error = bad;
    else
      error = scan_value(segment.size);
  });
  return error;
}

const char* FunctionVerifier::scan_map_keys(std::uint32_t constant, std::uint32_t count) {
  Term keys = context_.constants[constant];
  if (!is_tuple(keys) || tuple_size(keys) != count || count < 1 || count > kMaxMapLiteral)
    return "keys that are no tuple of 1 to 32, one a value";
  for (std::size_t i = 1; i < count; ++i) {
    std::size_t work = 0;
    int order = compare_keys(tuple_at(keys, i - 1), tuple_at(keys, i), context_.atoms, &work);
    context_.work += work;
    if (order >= 0) return "keys of a map not in order";
  }
  return nullptr;
}

/// What a receive may match by: a tuple of immediates, or [].
const char* FunctionVerifier::scan_tags(Term tags) {
  if (tags.is_nil_list()) return nullptr;
  if (!is_tuple(tags)) return "tags of a receive that are no tuple";
  context_.work += tuple_size(tags);
  for (std::size_t i = 0; i < tuple_size(tags); ++i)
    if (!tuple_at(tags, i).is_immediate()) return "a tag of a receive that is not immediate";
  return nullptr;
}

const char* FunctionVerifier::scan_binary_operands(const Instruction& in) const {
  auto unit = [](std::uint32_t value) {
    return value >= 1 && value <= kMaxUnit ? nullptr : "a segment unit out of range";
  };
  auto type = [&](std::uint32_t flags, auto... allowed) {
    bool known = (flags & ~(kSegmentTypeMask | kSegmentSigned | kSegmentLittle)) == 0;
    bool good = known && ((segment_type(flags) == allowed) || ...);
    return good ? nullptr : "segment flags that do not fit";
  };
  const char* error = nullptr;
  switch (in.op) {
    case op_bs_int:
      error = unit(in.values[5]);
      return error != nullptr ? error : type(in.values[6], SegmentType::Int);
    case op_bs_float:
      error = unit(in.values[5]);
      return error != nullptr ? error : type(in.values[6], SegmentType::Float);
    case op_bs_bits:
      return unit(in.values[5]);
    case op_bs_rest:
      return unit(in.values[3]);
    case op_bs_utf:
      return type(in.values[4], SegmentType::Utf8, SegmentType::Utf16, SegmentType::Utf32);
    case op_bs_skip:
      return unit(in.values[4]);
    case op_bs_unit:
      return unit(in.values[2]);
    case op_bs_literal:
      return is_binary(context_.constants[in.values[3]]) ? nullptr : "a constant that is no binary";
    default:
      return nullptr;
  }
}

/// Rules of single instructions that their operand letters do not say.
const char* FunctionVerifier::scan_special(const Instruction& in) {
  auto small = [&](unsigned operand) { return constant_is_small(in.values[operand]); };
  auto small_value = [&](unsigned operand) {
    return context_.constants[in.values[operand]].small_value();
  };
  constexpr const char* kWantsSmall = "a constant that is no small integer";
  switch (in.op) {
    case op_tail_call:
    case op_tail_ext:
    case op_tail_native:
    case op_tail_fun:
    case op_tail_dyn: {
      std::uint32_t arguments = arity_of_call(in);
      if (arguments > kMaxArity) return "too many arguments";
      if (arguments >= frame_) return "arguments outside of the frame";
      if ((in.op == op_tail_fun || in.op == op_tail_dyn) && in.values[0] <= arguments)
        return "what is called lies within its arguments";
      if (in.op == op_tail_dyn && !context_.constants[in.values[1]].is_atom())
        return "a function name that is no atom";
      return nullptr;
    }
    case op_call_dyn:
      return context_.constants[in.values[1]].is_atom() ? nullptr
                                                        : "a function name that is no atom";
    case op_alloc:
      return in.values[0] <= kMaxAllocWords ? nullptr : "too many words";
    case op_tuple:
      return in.run_count >= 1 ? nullptr : "a tuple of nothing";
    case op_closure: {
      const ImageLambda& lambda = context_.image.lambdas[in.values[1]];
      return lambda.captured == in.run_count ? nullptr
                                             : "captured values not as in the lambda table";
    }
    case op_map_literal:
      return scan_map_keys(in.values[1], in.run_count);
    case op_is_tagged_tuple:
      return in.values[1] >= 1 ? nullptr : "a tag in a tuple of nothing";
    case op_lt_imm:
    case op_ge_imm:
    case op_gt_imm:
    case op_le_imm:
      return small(1) ? nullptr : kWantsSmall;
    case op_add_imm:
    case op_sub_imm:
    case op_mul_imm:
    case op_band_imm:
      return small(2) ? nullptr : kWantsSmall;
    case op_idiv_imm:
    case op_rem_imm:
      if (!small(2)) return kWantsSmall;
      return small_value(2) != 0 ? nullptr : "a division by zero";
    case op_bsl_imm:
    case op_bsr_imm:
      if (!small(2)) return kWantsSmall;
      return small_value(2) >= 0 ? nullptr : "a negative shift";
    case op_map_build:
      return in.run_count % 2 == 0 ? nullptr : "a key without a value";
    case op_map_put:
    case op_map_update:
      return in.run_count % 2 == 0 ? nullptr : "a key without a value";
    case op_recv_start:
      return scan_tags(context_.constants[in.values[0]]);
    case op_raise:
      return in.values[0] < kRaiseKindCount ? nullptr : "an unknown kind of exception";
    default:
      return scan_binary_operands(in);
  }
}

const char* FunctionVerifier::check_targets() {
  for (std::uint32_t at = 0; at < size_; ++at) {
    if (!(marks_[at] & kTarget)) continue;
    offset_ = at;
    if (!(marks_[at] & kStart)) return "a jump into the middle of an instruction";
    if (marks_[at] & kCatch) return "a jump to a catch";
  }
  return nullptr;
}

const char* FunctionVerifier::check_exceptions() {
  std::span<const ExceptionEntry> entries(
      context_.image.exceptions.data() + function_->exceptions_begin,
      function_->exceptions_end - function_->exceptions_begin);
  for (const ExceptionEntry& entry : entries) {
    offset_ = entry.handler;
    if (entry.handler == 0 || !(marks_[entry.handler] & kStart))
      return "an exception handler that is no instruction";
    bool wants_catch = entry.kind == ExceptionKind::Handler;
    if (((marks_[entry.handler] & kCatch) != 0) != wants_catch)
      return "an exception handler must begin with catch, a guard's must not";
    if (entry.handler < entry.end) return "an exception handler before the end of its range";
    marks_[entry.handler] |= kTarget;
  }
  spans_ = flatten_exceptions(entries);
  return nullptr;
}

}  // namespace quelea
