#include "vm/code/expander.h"

#include <algorithm>
#include <cstring>

#include "vm/term/binary.h"

namespace quelea {
namespace {

/// Slots whose bits fit in a map of one word.
constexpr std::uint32_t kShortMapSlots = 63;

/// Whether a table by value is better than searching: at least a third of it is used.
bool is_dense(std::uint64_t range, std::size_t cases) { return range <= 3 * cases + 4; }

}  // namespace

void Expander::expand_function(std::uint32_t index) {
  function_ = &context_.image.functions[index];
  const std::uint8_t* code = context_.image.code.data() + function_->code_begin;
  const std::uint8_t* end = context_.image.code.data() + function_->code_end;
  std::uint32_t size = function_->code_end - function_->code_begin;
  if (entries_.size() <= index) entries_.resize(context_.image.functions.size());
  emit(0);
  entries_[index] = static_cast<std::uint32_t>(words_.size());
  word_of_.resize(size + 1);
  targets_.clear();
  Instruction in;
  for (std::uint32_t at = 0; at < size; at = in.next) {
    read_instruction(code, end, at, in);
    word_of_[at] = static_cast<std::uint32_t>(words_.size());
    instruction(in);
    std::fill(word_of_.begin() + at + 1, word_of_.begin() + in.next + 1,
              static_cast<std::uint32_t>(words_.size()));
  }
  for (Fixup fixup : targets_) jumps_.push_back({fixup.word, word_of_[fixup.target]});
}

void Expander::instruction(const Instruction& in) {
  if (in.op == op_switch_imm || in.op == op_switch_arity || in.op == op_switch_string)
    return emit_switch(in);
  emit_handler(in.op);
  const std::uint32_t* value = in.values;
  for (const char* letter = in.info().operands; *letter != 0; ++letter) {
    if (*letter == 'Z') {
      emit_room(in);
    } else if (*letter == 'Y') {
      emit(in.op == op_tail_native ? context_.natives[in.values[0]]->arity : function_->arity);
    } else {
      operand(in, *letter, *value++);
    }
  }
}

void Expander::operand(const Instruction& in, char letter, std::uint32_t value) {
  switch (letter) {
    case 'D':
    case 'S':
    case 'P':
    case 'Q':
      return emit_slot(value);
    case 'X':
      return emit_value(value);
    case 'C':
    case 'B':
      return emit(context_.constants[value].bits);
    case 'U':
      if (in.op == op_is_tuple_n || in.op == op_is_tagged_tuple)
        return emit(Header::make(Kind::Tuple, value).bits);
      return emit(value);
    case 'L':
      return emit_target(value);
    case 'F':
      calls_.push_back({static_cast<std::uint32_t>(words_.size()), value});
      return emit(0);
    case 'E':
      return emit(reinterpret_cast<Word>(context_.imports[value]));
    case 'N':
      return emit(reinterpret_cast<Word>(context_.natives[value]));
    case 'J':
      return emit(reinterpret_cast<Word>(&context_.lambdas[value]));
    case 'M':
      return emit_live(in);
    case 'R':
      return emit_return(in);
    case 'V':
      emit(in.run_count);
      in.for_each_value([&](std::uint32_t encoded) { emit_value(encoded); });
      return;
    case 'G':
      emit(in.run_count);
      in.for_each_segment([&](SegmentView segment) {
        emit(segment.flags);
        emit(segment.unit);
        emit_value(segment.value);
        emit_value(segment.size);
      });
      return;
    default:
      QUELEA_ASSERT(false && "an operand letter without a layout");
  }
}

void Expander::emit_value(std::uint32_t encoded) {
  if (encoded & 1)
    emit(reinterpret_cast<Word>(&context_.constants[encoded >> 1]));
  else
    emit_slot(encoded >> 1);
}

void Expander::emit_target(std::uint32_t offset) {
  targets_.push_back({static_cast<std::uint32_t>(words_.size()), offset});
  emit(0);
}

void Expander::emit_room(const Instruction& in) {
  Word bytes = Word{8} * function_->frame_slots + context_.red_zone_bytes;
  if (in.op == op_alloc) bytes += Word{8} * in.values[0];
  emit(bytes);
}

void Expander::emit_live(const Instruction& in, std::uint32_t extra) {
  std::size_t bytes = std::max<std::size_t>(in.live_bytes, extra == 0 ? 0 : extra / 8 + 1);
  auto byte = [&](std::size_t i) {
    Word bits = i < in.live_bytes ? in.live[i] : 0;
    return extra != 0 && i == extra / 8 ? bits | Word{1} << extra % 8 : bits;
  };
  bool is_short = bytes <= kShortMapSlots / 8 || (bytes == 8 && byte(7) < 0x80);
  if (is_short) {
    Word bits = 0;
    for (std::size_t i = 0; i < bytes; ++i) bits |= byte(i) << 8 * i;
    return emit(bits << 1 | 1);
  }
  std::size_t count = (bytes + 7) / 8;
  auto table = std::make_unique<Word[]>(1 + count);
  table[0] = count;
  for (std::size_t i = 0; i < bytes; ++i) table[1 + i / 8] |= byte(i) << 8 * (i % 8);
  emit(reinterpret_cast<Word>(table.get()));
  live_maps_.push_back(std::move(table));
}

/// Whether heap may lie where slots of this frame are, when the call has returned. The callee made
/// sure of no more than its own frame and the red zone, and may have filled the rest or moved the
/// stack to a smaller block. So what is surely left is its slot 0 and the red zone (a frame is
/// never smaller, and this holds again for what it calls). A native that calls nothing leaves the
/// room of its caller as it was.
bool Expander::may_lack_room(const Instruction& in) const {
  if (in.op == op_call_native &&
      (context_.natives[in.values[0]]->flags & (kNativeGuard | kNativePure)) != 0)
    return false;
  return function_->frame_slots > in.base + 1 + context_.red_zone_bytes / 8;
}

/// The return point; behind it, where room may lack, an `alloc` of nothing that makes it.
void Expander::emit_return(const Instruction& in) {
  std::uint32_t surely_there =
      in.base + 1 + static_cast<std::uint32_t>(context_.red_zone_bytes / 8);
  bool lacks = may_lack_room(in);
  // A result must not be written to a slot that may not be there: it waits where the callee's frame
  // was.
  bool waits = lacks && in.destination >= surely_there;
  std::uint32_t first_destination = waits ? in.base : in.destination;
  emit_handler(loader_op_return_point);
  emit(Word{8} * in.base);
  emit_slot(first_destination);
  emit_live(in);
  if (!lacks) return;
  emit_handler(op_alloc);
  emit(0);
  emit(Word{8} * function_->frame_slots + context_.red_zone_bytes);
  emit_live(in, first_destination);
  if (!waits) return;
  emit_handler(op_move);
  emit_slot(in.destination);
  emit_slot(in.base);
}

void Expander::emit_switch(const Instruction& in) {
  struct Case {
    Word key;
    std::uint32_t target;
  };
  std::vector<Case> cases;
  cases.reserve(in.run_count);
  in.for_each_case([&](CaseView one) {
    Term term = context_.constants[one.constant];
    Word key = in.op == op_switch_arity ? static_cast<Word>(term.small_value()) : term.bits;
    cases.push_back({key, one.target});
  });
  if (in.op == op_switch_string) {
    std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) {
      std::string_view left = binary_view({a.key}).text(), right = binary_view({b.key}).text();
      return left.size() != right.size() ? left.size() < right.size() : left < right;
    });
  } else {
    std::sort(cases.begin(), cases.end(),
              [](const Case& a, const Case& b) { return a.key < b.key; });
  }
  // Immediates of one tag differ by multiples of 8.
  Word step = in.op == op_switch_imm ? 8 : 1;
  Word range = cases.empty() ? 0 : (cases.back().key - cases.front().key) / step + 1;
  bool one_tag = std::all_of(cases.begin(), cases.end(), [&](const Case& one) {
    return (one.key - cases.front().key) % step == 0;
  });
  bool as_table =
      in.op != op_switch_string && cases.size() >= 3 && one_tag && is_dense(range, cases.size());
  if (!as_table) {
    emit_handler(in.op);
    emit_slot(in.values[0]);
    emit_target(in.values[1]);
    emit(cases.size());
    for (const Case& one : cases) {
      emit(one.key);
      emit_target(one.target);
    }
    return;
  }
  emit_handler(in.op == op_switch_imm ? loader_op_switch_imm_table : loader_op_switch_arity_table);
  emit_slot(in.values[0]);
  emit_target(in.values[1]);
  emit(cases.front().key);
  emit(range);
  std::size_t next = 0;
  for (Word key = cases.front().key; next < cases.size(); key += step)
    emit_target(cases[next].key == key ? cases[next++].target : in.values[1]);
}

void Expander::place(Word* code) {
  if (!words_.empty()) std::memcpy(code, words_.data(), words_.size() * sizeof(Word));
  for (Fixup jump : jumps_) code[jump.word] = reinterpret_cast<Word>(code + jump.target);
  for (Fixup call : calls_) code[call.word] = reinterpret_cast<Word>(code + entries_[call.target]);
}

}  // namespace quelea
