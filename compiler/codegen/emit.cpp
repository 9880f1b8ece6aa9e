// Emission: the core with slots becomes bytecode.
#include <algorithm>
#include <cstring>

#include "compiler/codegen/codegen.h"

namespace quelea::compiler {

namespace {

// The test that holds where this one does not, for tests that define nothing.
Op inverse(Op op) {
  switch (op) {
    case op_eq_imm:
      return op_ne_imm;
    case op_ne_imm:
      return op_eq_imm;
    case op_eq:
      return op_ne;
    case op_ne:
      return op_eq;
    case op_eq_num:
      return op_ne_num;
    case op_ne_num:
      return op_eq_num;
    case op_lt:
      return op_ge;
    case op_ge:
      return op_lt;
    case op_lt_imm:
      return op_ge_imm;
    case op_ge_imm:
      return op_lt_imm;
    case op_gt_imm:
      return op_le_imm;
    case op_le_imm:
      return op_gt_imm;
    default:
      return op;
  }
}

}  // namespace

quelea::Value CodeGenerator::operand(Ref ref) {
  if (is_const(ref)) return ConstantRef{consts_.in_image(const_id(ref), context_.image)};
  return slot(ref);
}

Label CodeGenerator::label(BlockId block) {
  if (!has_label_[block]) {
    labels_[block] = assembler_.new_label();
    has_label_[block] = 1;
  }
  return labels_[block];
}

void CodeGenerator::load_live(uint32_t saved) {
  live_map_.clear();
  uint64_t count = live_words_[saved];
  for (uint64_t w = 0; w < count; ++w)
    for (uint64_t bits = live_words_[saved + 1 + w]; bits != 0; bits &= bits - 1)
      live_map_.add(static_cast<uint32_t>(w * 64 + static_cast<uint64_t>(__builtin_ctzll(bits))));
}

void CodeGenerator::set_line(const Inst& inst) {
  if ((op_info(inst.op).flags & (op_flags::RAISES | op_flags::SAFE)) == 0) return;
  if (inst.pos != line_offset_) {
    line_offset_ = inst.pos;
    line_ = context_.source.line(inst.pos);
  }
  assembler_.line(line_, 0, inlined(inst.site));
}

// Sites are few levels deep.
InlineRef CodeGenerator::inlined(uint32_t site) {
  if (site == 0 || inline_refs_[site] != 0) return inline_refs_[site];
  const InlineSite& from = f_->sites[site];
  ImageInline entry{.function = from.function};
  if (from.caller != InlineSite::kNobody) {
    entry.caller = 1 + inlined(from.caller);
    entry.line = context_.source.line(from.pos);
  }
  context_.image.inlines.push_back(entry);
  return inline_refs_[site] = static_cast<InlineRef>(context_.image.inlines.size());
}

// Parallel moves ----------------------------------------------------------------------------------

void CodeGenerator::add_move(std::vector<Move>& moves, uint32_t to, Ref from) {
  if (is_const(from))
    moves.push_back({to, from, 0});
  else if (slots_[from] != to)
    moves.push_back({to, kNoRef, slots_[from]});
}

// All at once: no move may overwrite what another still reads. Slots from `scratch` on are free.
void CodeGenerator::emit_moves(std::vector<Move>& moves, uint32_t scratch) {
  auto is_read = [&](uint32_t slot) {
    return std::any_of(moves.begin(), moves.end(), [&](const Move& other) {
      return other.constant == kNoRef && other.from == slot;
    });
  };
  while (!moves.empty()) {
    bool progress = false;
    for (size_t i = 0; i < moves.size();) {
      Move move = moves[i];
      moves[i] = moves.back();
      moves.pop_back();
      if (is_read(move.to)) {
        moves.push_back(move);
        std::swap(moves[i], moves.back());
        ++i;
        continue;
      }
      if (move.constant != kNoRef)
        assembler_.emit(op_load, Slot{move.to},
                        ConstantRef{consts_.in_image(const_id(move.constant), context_.image)});
      else
        assembler_.emit(op_move, Slot{move.to}, Slot{move.from});
      progress = true;
    }
    if (progress || moves.empty()) continue;
    // A cycle: one of its slots is kept aside.
    uint32_t aside = moves[0].to;
    need_slots(scratch + 1);
    assembler_.emit(op_move, Slot{scratch}, Slot{aside});
    for (Move& move : moves)
      if (move.constant == kNoRef && move.from == aside) move.from = scratch;
  }
}

// Instructions ------------------------------------------------------------------------------------

void CodeGenerator::emit_alloc(InstId id) {
  load_live(live_[id]);
  assembler_.emit(op_alloc, Number{credit_[id]}, live_map_);
}

// Everything whose operands are in its letters.
void CodeGenerator::emit_operands(const Inst& inst, InstId id) {
  const OpInfo& info = op_info(inst.op);
  std::span<const Ref> args = f_->args(inst);
  size_t arg = 0, imm = 0, target = inst.target[0] != kNoBlock ? 1 : 0;
  uint32_t result = 0;
  size_t fixed_behind_run = 0;  // operands after a V
  if (const char* run = std::strchr(info.operands, 'V'))
    for (const char* letter = run + 1; *letter; ++letter)
      fixed_behind_run += *letter == 'X' || *letter == 'S';
  if (inst.op == op_recv_wait) target = 0;
  assembler_.begin(inst.op);
  for (const char* letter = info.operands; *letter; ++letter) {
    switch (*letter) {
      case 'D':
        assembler_.operand(slot(inst.result + result++));
        break;
      case 'S':
      case 'P':
      case 'Q':
        assembler_.operand(slot(args[arg++]));
        break;
      case 'X':
        assembler_.operand(operand(args[arg++]));
        break;
      case 'U':
        assembler_.operand(Number{inst.imm[imm++]});
        break;
      case 'B':
      case 'C':
        assembler_.operand(ConstantRef{consts_.in_image(inst.imm[imm++], context_.image)});
        break;
      case 'L':
        assembler_.operand(label(forward_[inst.target[target++]]));
        break;
      case 'J':
        assembler_.operand(LambdaRef{context_.lambda(inst.imm[imm++])});
        break;
      case 'M':
        load_live(live_[id]);
        if (inst.op == op_recv_wait_until) live_map_.add(slots_[args[0]]);
        assembler_.operand(live_map_);
        break;
      case 'V': {
        std::vector<quelea::Value> values;
        size_t count = args.size() - arg - fixed_behind_run;
        for (size_t i = 0; i < count; ++i) values.push_back(operand(args[arg++]));
        assembler_.operand(values);
        break;
      }
      case 'G': {
        std::vector<quelea::BinarySegment> segments;
        for (size_t i = 0; arg < args.size(); ++i, arg += 2) {
          const SegmentInfo& segment = f_->segments[inst.imm[0] + i];
          segments.push_back(
              {segment.flags, segment.unit, operand(args[arg]), operand(args[arg + 1])});
        }
        assembler_.operand(segments);
        break;
      }
      default:
        break;
    }
  }
  assembler_.finish();
}

void CodeGenerator::emit_call(const Inst& inst, InstId id) {
  std::span<const Ref> args = f_->args(inst);
  uint32_t base = base_[id];
  bool with_object = inst.op == op_call_fun || inst.op == op_call_dyn;
  uint32_t count = static_cast<uint32_t>(args.size()) - with_object;
  moves_.clear();
  for (uint32_t i = 0; i < count; ++i) add_move(moves_, base + 1 + i, args[i + with_object]);
  Slot object{0};
  if (with_object) {
    object = slot(args[0]);
    bool overwritten = object.index > base && object.index <= base + count;
    if (overwritten) {
      moves_.push_back({base + 1 + count, kNoRef, object.index});
      object.index = base + 1 + count;
    }
  }
  // Moves must not be in the way of a fun that stays where it is: it is below the window or above.
  emit_moves(moves_, std::max(allocated_slots_, base + count + 2));
  need_slots(window_end(inst, base));
  load_live(live_[id]);
  Return point{base, slot(inst.result), live_map_};
  set_line(inst);
  switch (inst.op) {
    case op_call:
      assembler_.emit(op_call, FunctionRef{inst.imm[0]}, point);
      return;
    case op_call_ext:
      assembler_.emit(op_call_ext, ImportRef{inst.imm[0]}, point);
      return;
    case op_call_native:
      assembler_.emit(op_call_native, NativeRef{inst.imm[0]}, point);
      return;
    case op_call_fun:
      assembler_.emit(op_call_fun, object, Number{count}, point);
      return;
    default:
      assembler_.emit(op_call_dyn, object,
                      ConstantRef{consts_.in_image(inst.imm[0], context_.image)}, Number{count},
                      point);
  }
}

void CodeGenerator::emit_tail_call(const Inst& inst) {
  std::span<const Ref> args = f_->args(inst);
  bool with_object = inst.op == op_tail_fun || inst.op == op_tail_dyn;
  uint32_t count = static_cast<uint32_t>(args.size()) - with_object;
  moves_.clear();
  for (uint32_t i = 0; i < count; ++i) add_move(moves_, 1 + i, args[i + with_object]);
  Slot object{0};
  if (with_object) {
    object = Slot{is_const(args[0]) ? 0 : slots_[args[0]]};
    if (object.index <= count) {
      object.index = count + 1;
      add_move(moves_, count + 1, args[0]);
    }
  }
  need_slots(count + 2);
  emit_moves(moves_, std::max(allocated_slots_, count + 2));
  set_line(inst);
  switch (inst.op) {
    case op_tail_call:
      assembler_.emit(op_tail_call, FunctionRef{inst.imm[0]});
      return;
    case op_tail_ext:
      assembler_.emit(op_tail_ext, ImportRef{inst.imm[0]});
      return;
    case op_tail_native:
      assembler_.emit(op_tail_native, NativeRef{inst.imm[0]});
      return;
    case op_tail_fun:
      assembler_.emit(op_tail_fun, object, Number{count});
      return;
    default:
      assembler_.emit(op_tail_dyn, object,
                      ConstantRef{consts_.in_image(inst.imm[0], context_.image)}, Number{count});
  }
}

void CodeGenerator::emit_jump(const Inst& inst, InstId id, BlockId next) {
  const Block& to = f_->blocks[inst.target[0]];
  BlockId target = forward_[inst.target[0]];
  std::span<const Ref> args = f_->args(inst);
  moves_.clear();
  for (uint32_t i = 0; i < to.param_count; ++i) {
    Ref param = to.first_param + i;
    if (args.size() > i && args[i] != kNoRef && slots_[param] != kNoSlot)
      add_move(moves_, slots_[param], args[i]);
  }
  emit_moves(moves_, allocated_slots_);
  if (inst.op == op_loop) {
    load_live(live_[id]);
    for (uint32_t i = 0; i < to.param_count; ++i)
      if (slots_[to.first_param + i] != kNoSlot) live_map_.add(slots_[to.first_param + i]);
    set_line(inst);
    assembler_.emit(op_loop, label(target), live_map_);
  } else if (target != next) {
    assembler_.emit(op_jump, label(target));
  }
}

void CodeGenerator::emit_test(const Inst& inst, InstId id, BlockId next) {
  Inst test = inst;
  for (BlockId& target : test.target) target = forward_[target];
  if (test.target[1] == next && test.target[0] != next && inverse(test.op) != test.op) {
    test.op = inverse(test.op);
    std::swap(test.target[0], test.target[1]);
  }
  set_line(test);
  if (test.op == op_is_cons && test.target[0] == next && emit_uncons(test, next)) return;
  emit_operands(test, id);
  if (test.target[0] != next) assembler_.emit(op_jump, label(test.target[0]));
}

// A test for a cell whose head or tail, or both, are read at once when it is one.
bool CodeGenerator::emit_uncons(const Inst& test, BlockId next) {
  if (pred_first_[next + 1] - pred_first_[next] != 1) return false;
  Ref list = f_->args(test)[0];
  uint32_t head = kNoSlot, tail = kNoSlot;
  InstId id = f_->blocks[next].first;
  InstId reads[2];
  int count = 0;
  for (; id != kNoInst && count < 2; id = f_->insts[id].next) {
    const Inst& inst = f_->insts[id];
    if (inst.dead) continue;
    if ((inst.op != op_get_head && inst.op != op_get_tail) || f_->args(inst)[0] != list) break;
    uint32_t& part = inst.op == op_get_head ? head : tail;
    if (part != kNoSlot) break;
    part = slots_[inst.result];
    reads[count++] = id;
    if (part == slots_[list]) break;  // the list is gone
  }
  if (count == 0) return false;
  for (int i = 0; i < count; ++i) f_->insts[reads[i]].dead = true;
  // A part that nobody wants goes to a slot that nobody uses.
  uint32_t dump = allocated_slots_;
  if (head == kNoSlot || tail == kNoSlot) need_slots(dump + 1);
  assembler_.emit(op_uncons, Slot{head != kNoSlot ? head : dump},
                  Slot{tail != kNoSlot ? tail : dump}, slot(list), label(forward_[test.target[1]]));
  return true;
}

void CodeGenerator::emit_switch(const Inst& inst) {
  std::vector<SwitchCase> cases;
  for (const SwitchEntry& entry : f_->switch_cases(inst))
    cases.push_back({ConstantRef{consts_.in_image(entry.value, context_.image)},
                     label(forward_[entry.target])});
  assembler_.emit(inst.op, slot(f_->args(inst)[0]), label(forward_[inst.target[1]]), cases);
}

void CodeGenerator::emit_inst(InstId id, BlockId next) {
  const Inst& inst = f_->insts[id];
  unsigned flags = op_info(inst.op).flags;
  if (inst.op == op_cons && credit_[id] == 2) {
    load_live(live_[id]);
    assembler_.emit(op_new_cons, slot(inst.result), operand(f_->args(inst)[0]),
                    operand(f_->args(inst)[1]), live_map_);
    return;
  }
  if (credit_[id] != 0) emit_alloc(id);
  switch (inst.op) {
    case op_jump:
    case op_loop:
      return emit_jump(inst, id, next);
    case op_call:
    case op_call_ext:
    case op_call_fun:
    case op_call_dyn:
    case op_call_native:
      return emit_call(inst, id);
    case op_tail_call:
    case op_tail_ext:
    case op_tail_fun:
    case op_tail_dyn:
    case op_tail_native:
      return emit_tail_call(inst);
    case op_switch_imm:
    case op_switch_arity:
    case op_switch_string:
      return emit_switch(inst);
    case op_raise: {
      std::span<const Ref> args = f_->args(inst);
      if (inst.imm[0] == raise_function_clause) {
        moves_.clear();
        for (uint32_t i = 0; i < args.size(); ++i) add_move(moves_, i + 1, args[i]);
        emit_moves(moves_,
                   std::max<uint32_t>(allocated_slots_, static_cast<uint32_t>(args.size()) + 2));
        set_line(inst);
        quelea::Value none = ConstantRef{consts_.in_image(consts_.nil(), context_.image)};
        assembler_.emit(op_raise, Number{inst.imm[0]}, none);
        return;
      }
      set_line(inst);
      assembler_.emit(op_raise, Number{inst.imm[0]}, operand(args[0]));
      return;
    }
    case op_bs_append: {
      break;
    }
    default:
      break;
  }
  if ((flags & op_flags::BRANCH) != 0 && (flags & op_flags::STOP) == 0)
    return emit_test(inst, id, next);
  set_line(inst);
  emit_operands(inst, id);
}

// Function ----------------------------------------------------------------------------------------

void CodeGenerator::emit_block(size_t position) {
  BlockId block = order_[position];
  BlockId next = position + 1 < order_.size() ? order_[position + 1] : kNoBlock;
  assembler_.bind(label(block));
  for (InstId i = f_->blocks[block].first; i != kNoInst; i = f_->insts[i].next) {
    const Inst& inst = f_->insts[i];
    if (inst.dead) continue;
    // Head and tail of one cell are read together.
    InstId after = inst.next;
    while (after != kNoInst && f_->insts[after].dead) after = f_->insts[after].next;
    if (after != kNoInst && inst.op == op_get_head && f_->insts[after].op == op_get_tail &&
        f_->args(inst)[0] == f_->args(f_->insts[after])[0] &&
        slots_[inst.result] != slots_[f_->args(inst)[0]]) {
      assembler_.emit(op_get_cell, slot(inst.result), slot(f_->insts[after].result),
                      slot(f_->args(inst)[0]));
      i = after;
      continue;
    }
    emit_inst(i, next);
  }
}

// One entry for each run of blocks with the same handler.
void CodeGenerator::emit_ranges() {
  for (size_t i = 0; i < order_.size();) {
    const Block& block = f_->blocks[order_[i]];
    size_t end = i + 1;
    while (end < order_.size() && f_->blocks[order_[end]].handler == block.handler &&
           f_->blocks[order_[end]].handler_kind == block.handler_kind)
      ++end;
    if (block.handler != kNoBlock) {
      Label stop = end < order_.size() ? label(order_[end]) : end_label_;
      assembler_.exception_range(label(order_[i]), stop, label(forward_[block.handler]),
                                 block.handler_kind);
    }
    i = end;
  }
}

// With slots chosen, many jumps have nothing left to move; whoever leads to them leads to their
// targets instead.
void CodeGenerator::drop_empty_blocks() {
  auto is_empty = [&](BlockId block) {
    InstId id = f_->blocks[block].first;
    while (f_->insts[id].dead) id = f_->insts[id].next;
    const Inst& inst = f_->insts[id];
    if (block == 0 || inst.op != op_jump || inst.target[0] == block) return false;
    Ref param = f_->blocks[inst.target[0]].first_param;
    for (Ref ref : f_->args(inst)) {
      bool moves = ref != kNoRef && slots_[param] != kNoSlot &&
                   (is_const(ref) || slots_[ref] != slots_[param]);
      if (moves) return false;
      ++param;
    }
    return true;
  };
  forward_.resize(f_->blocks.size());
  std::vector<uint8_t> empty(f_->blocks.size(), 0);
  for (BlockId block : order_) {
    forward_[block] = block;
    empty[block] = is_empty(block);
  }
  for (BlockId block : order_) {
    if (!empty[block]) continue;
    constexpr int kMaxSteps = 16;
    BlockId target = block;
    for (int i = 0; i < kMaxSteps && empty[target]; ++i) target = f_->terminator(target).target[0];
    if (empty[target]) empty[target] = 0;  // a circle, or a long way: this one stays
    forward_[block] = target;
  }
  std::erase_if(order_, [&](BlockId block) { return empty[block] != 0; });
}

void CodeGenerator::emit_function() {
  drop_empty_blocks();
  ImageFunction function;
  function.name = context_.name_id(f_->name);
  function.arity = f_->arity;
  function.captured = f_->captured;
  function.exported = f_->exported;
  function.line = context_.source.line(f_->pos);
  labels_.resize(std::max(labels_.size(), f_->blocks.size()));
  has_label_.assign(f_->blocks.size(), 0);
  inline_refs_.assign(f_->sites.size(), 0);
  assembler_.begin_function(function, f_->index);
  assembler_.line(function.line);
  line_offset_ = f_->pos;
  line_ = function.line;
  end_label_ = assembler_.new_label();
  assembler_.emit(op_enter);
  for (size_t i = 0; i < order_.size(); ++i) emit_block(i);
  assembler_.bind(end_label_);
  emit_ranges();
  assembler_.set_frame_slots(frame_slots_ + 1);
  assembler_.end_function();
}

void CodeGenerator::generate(IrFunction& function) {
  f_ = &function;
  order_blocks();
  legalize();
  find_liveness();
  find_last_uses();
  allocate();
  if (frame_slots_ > kMaxFunctionSlots) {
    context_.sink.report(DiagCode::E0902, &context_.source, {function.pos, function.pos + 1},
                         "this function holds too many values at the same time",
                         "split it, or put the values in a list");
    return;
  }
  emit_function();
}

}  // namespace quelea::compiler
