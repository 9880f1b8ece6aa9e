// The verifier's second pass: what every slot surely holds when an instruction runs.
//
// Instructions are walked in order from each target whose state changed. A state is stored for
// targets only (of jumps and handlers); what lies between follows from it. States only ever lose
// knowledge, so this ends; blocks are taken in order of their code, so that code without loops is
// walked once.
#include <algorithm>

#include "vm/code/verify_function.h"

namespace quelea {
namespace {

/// Slots of all states that are stored at a time.
constexpr std::uint64_t kMaxStoredSlots = std::uint64_t{1} << 26;
constexpr SlotState kLargestKnownTuple = 0xfff0;

SlotState tuple_of(std::uint64_t elements) {
  return static_cast<SlotState>(kTuple + std::min<std::uint64_t>(elements, kLargestKnownTuple));
}

/// What holds where two ways meet; written so that the loop over slots becomes vector code.
SlotState meet_slot(SlotState a, SlotState b) {
  SlotState least = std::min(a, b);
  bool as_least = a == b || least == kUnknown || least >= kTuple;
  return as_least ? least : kAnyTerm;
}

}  // namespace

const char* FunctionVerifier::flow() {
  stored_index_.assign(size_, 0);
  stored_.clear();
  stored_slots_ = 0;
  queued_.assign(size_, 0);
  state_.assign(frame_, kUnknown);
  std::fill_n(state_.begin() + 1, function_->arity, kAnyTerm);
  if (const char* error = run_block(0)) return error;
  while (!queue_.empty()) {
    std::uint32_t at = queue_.top();
    queue_.pop();
    queued_[at] = 0;
    state_ = stored_[stored_index_[at] - 1];
    if (const char* error = run_block(at)) {
      queue_ = {};
      return error;
    }
  }
  return nullptr;
}

const char* FunctionVerifier::run_block(std::uint32_t offset) {
  credit_ = 0;
  Instruction in;
  for (std::uint32_t at = offset;; at = in.next) {
    offset_ = at;
    read_instruction(code_, code_end_, at, in);
    context_.work += 4 + in.run_count + in.live_bytes;
    if (context_.work > context_.work_limit) return kTooComplex;
    if (const char* error = step(in)) return error;
    if (in.info().flags & op_flags::STOP) return nullptr;
    if (marks_[in.next] & kTarget) return meet(in.next);
  }
}

/// One instruction: what it needs, what it does to the state, where it may go besides the next one.
const char* FunctionVerifier::step(const Instruction& in) {
  unsigned flags = in.info().flags;
  if (const char* error = read_operands(in)) return error;
  if (const char* error = calls(in)) return error;
  if (flags & op_flags::CREDIT) {
    if (const char* error = spend_credit(in)) return error;
  }
  if (flags & (op_flags::SAFE | op_flags::ALLOCS)) credit_ = 0;
  if (flags & op_flags::SAFE) {
    if (const char* error = keep_live(in)) return error;
  }
  if (flags & op_flags::RAISES) {
    if (const char* error = meet_handler(in)) return error;
  }
  if (flags & op_flags::BRANCH) {
    if (const char* error = branch_edges(in)) return error;
  }
  write_results(in);
  refine(in);
  if (in.op == op_alloc) credit_ = in.values[0];
  return nullptr;
}

const char* FunctionVerifier::read_operands(const Instruction& in) {
  const std::uint32_t* value = in.values;
  const char* error = nullptr;
  for (const char* letter = in.info().operands; *letter != 0 && error == nullptr; ++letter) {
    switch (*letter) {
      case 'Z':
      case 'Y':
        continue;
      case 'S':
        error = read(*value);
        break;
      case 'P':
        if (state_[*value] != kConsCell) error = "a slot that may hold no list cell";
        break;
      case 'Q':
        if (state_[*value] < kTuple ||
            value[1] >= static_cast<std::uint32_t>(state_[*value] - kTuple))
          error = "a slot that may hold no tuple, or none that large";
        break;
      case 'X':
        error = read_value(*value);
        break;
      case 'V':
        in.for_each_value([&](std::uint32_t encoded) {
          if (error == nullptr) error = read_value(encoded);
        });
        break;
      case 'G':
        in.for_each_segment([&](SegmentView segment) {
          if (error == nullptr) error = read_value(segment.value);
          if (error == nullptr) error = read_value(segment.size);
        });
        break;
    }
    ++value;
  }
  return error;
}

const char* FunctionVerifier::read_arguments(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t slot = first; slot < first + count; ++slot) {
    if (state_[slot] == kUnknown) return "an argument that may hold nothing";
  }
  return nullptr;
}

const char* FunctionVerifier::calls(const Instruction& in) {
  switch (in.op) {
    case op_call:
    case op_call_ext:
    case op_call_fun:
    case op_call_dyn:
    case op_call_native:
      return read_arguments(in.base + 1, arity_of_call(in));
    case op_tail_call:
    case op_tail_ext:
    case op_tail_fun:
    case op_tail_dyn:
    case op_tail_native:
      return read_arguments(1, arity_of_call(in));
    case op_new_cons:
      // Begins again after a collection.
      for (unsigned i = 1; i <= 2; ++i)
        if (!(in.values[i] & 1) && !in.is_live(in.values[i] >> 1))
          return "an operand of new_cons outside of its live map";
      return nullptr;
    case op_recv_wait_until:
      // Runs again from its beginning after a message that no arm wanted.
      return in.is_live(in.values[0]) ? nullptr : "the time to wait must be in the live map";
    default:
      return nullptr;
  }
}

/// Slots outside of the live map are dead from here on; those inside must hold terms.
const char* FunctionVerifier::keep_live(const Instruction& in) {
  if (in.op == op_enter || in.op == op_tail_native) return nullptr;
  context_.work += frame_ / 4;
  std::uint32_t slot = 0;
  for (std::uint32_t i = 0; i < in.live_bytes; ++i) {
    std::uint8_t bits = in.live[i];
    for (std::uint32_t end = std::min(frame_, slot + 8); slot < end; ++slot, bits >>= 1) {
      if (!(bits & 1))
        state_[slot] = kUnknown;
      else if (state_[slot] == kUnknown)
        return "a live map with a slot that may hold nothing";
    }
  }
  std::fill(state_.begin() + slot, state_.end(), kUnknown);
  return nullptr;
}

const char* FunctionVerifier::spend_credit(const Instruction& in) {
  std::uint64_t words = 0;
  switch (in.op) {
    case op_cons:
      words = 2;
      break;
    case op_list:
      words = 2 * std::uint64_t{in.run_count};
      break;
    case op_tuple:
      words = 1 + std::uint64_t{in.run_count};
      break;
    default:  // closure, map_literal
      words = 2 + std::uint64_t{in.run_count};
  }
  if (words > credit_) return "more words built than the last alloc granted";
  credit_ -= static_cast<std::uint32_t>(words);
  return nullptr;
}

const char* FunctionVerifier::meet_handler(const Instruction& in) {
  auto after =
      std::upper_bound(spans_.begin(), spans_.end(), in.offset,
                       [](std::uint32_t at, const ExceptionSpan& span) { return at < span.start; });
  if (after == spans_.begin() || in.offset >= (after - 1)->end) return nullptr;
  // It may be collected with nothing but its arguments alive, and raise afterwards.
  if (in.op == op_tail_native) return "a native tail call inside of an exception range";
  return meet(context_.image.exceptions[function_->exceptions_begin + (after - 1)->entry].handler);
}

/// The current state reaches `target` too.
const char* FunctionVerifier::meet(std::uint32_t target) {
  context_.work += frame_ / 4 + 4;
  if (context_.work > context_.work_limit) return kTooComplex;
  if (stored_index_[target] == 0) {
    stored_slots_ += frame_;
    if (stored_slots_ > kMaxStoredSlots) return kTooComplex;
    stored_.push_back(state_);
    stored_index_[target] = static_cast<std::uint32_t>(stored_.size());
  } else {
    SlotState* stored = stored_[stored_index_[target] - 1].data();
    const SlotState* current = state_.data();
    SlotState changed = 0;
    for (std::uint32_t i = 0; i < frame_; ++i) {
      SlotState met = meet_slot(stored[i], current[i]);
      changed |= static_cast<SlotState>(met ^ stored[i]);
      stored[i] = met;
    }
    if (changed == 0) return nullptr;
  }
  if (!queued_[target]) {
    queued_[target] = 1;
    queue_.push(target);
  }
  return nullptr;
}

const char* FunctionVerifier::branch_edges(const Instruction& in) {
  const char* error = nullptr;
  const std::uint32_t* value = in.values;
  for (const char* letter = in.info().operands; *letter != 0; ++letter) {
    if (*letter == 'Z' || *letter == 'Y') continue;
    if (*letter == 'L' && (error = meet(*value)) != nullptr) return error;
    ++value;
  }
  if (in.run_count == 0 || in.info().operands[2] != 'W') return nullptr;
  SlotState before = state_[in.values[0]];
  in.for_each_case([&](CaseView one) {
    if (in.op == op_switch_arity) {
      auto size = static_cast<std::uint64_t>(context_.constants[one.constant].small_value());
      state_[in.values[0]] = tuple_of(size);
    }
    if (error == nullptr) error = meet(one.target);
  });
  state_[in.values[0]] = before;
  return error;
}

void FunctionVerifier::write_results(const Instruction& in) {
  const std::uint32_t* value = in.values;
  for (const char* letter = in.info().operands; *letter != 0; ++letter) {
    if (*letter == 'Z' || *letter == 'Y') continue;
    // What `move` copies is read by `refine`, which writes it.
    if (*letter == 'D' && in.op != op_move) state_[*value] = kAnyTerm;
    if (*letter == 'R') state_[in.destination] = kAnyTerm;
    ++value;
  }
}

/// Where more is known of a result or a tested slot than that it is a term.
void FunctionVerifier::refine(const Instruction& in) {
  switch (in.op) {
    case op_move:
      state_[in.values[0]] = state_[in.values[1]];
      break;
    case op_load: {
      Term term = context_.constants[in.values[1]];
      if (term.is_cons()) state_[in.values[0]] = kConsCell;
      if (is_tuple(term)) state_[in.values[0]] = tuple_of(tuple_size(term));
      break;
    }
    case op_cons:
    case op_new_cons:
      state_[in.values[0]] = kConsCell;
      break;
    case op_uncons:
      if (in.values[2] != in.values[0] && in.values[2] != in.values[1])
        state_[in.values[2]] = kConsCell;
      break;
    case op_list:
      if (in.run_count > 0) state_[in.values[0]] = kConsCell;
      break;
    case op_tuple:
      state_[in.values[0]] = tuple_of(in.run_count);
      break;
    case op_is_cons:
      state_[in.values[0]] = kConsCell;
      break;
    case op_is_tuple:
      if (state_[in.values[0]] < kTuple) state_[in.values[0]] = kTuple;
      break;
    case op_is_tuple_n:
    case op_is_tagged_tuple:
      state_[in.values[0]] = tuple_of(in.values[1]);
      break;
    default:
      break;
  }
}

}  // namespace quelea
