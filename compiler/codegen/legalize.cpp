// Order of blocks, and operands that operations can hold.
#include <algorithm>

#include "compiler/codegen/codegen.h"

namespace quelea::compiler {

void CodeGenerator::order_blocks() {
  IrFunction& f = *f_;
  order_.clear();
  order_index_.assign(f.blocks.size(), kNoIndex);
  // Post-order by an explicit stack; successors are visited so that the first target of a test
  // comes last, and so lies next in the reversed order.
  struct Frame {
    BlockId block;
    uint32_t next;
  };
  std::vector<Frame> stack{{0, 0}};
  std::vector<BlockId> targets;
  std::vector<uint32_t> starts;  // of each frame's targets, by depth
  auto push_targets = [&](BlockId block) {
    starts.push_back(static_cast<uint32_t>(targets.size()));
    if (f.blocks[block].handler != kNoBlock) targets.push_back(f.blocks[block].handler);
    Inst& last = f.terminator(block);
    if (last.target[1] != kNoBlock) targets.push_back(last.target[1]);
    if (IrFunction::is_switch(last.op)) {
      std::span<SwitchEntry> cases = f.switch_cases(last);
      for (size_t i = cases.size(); i-- > 0;) targets.push_back(cases[i].target);
    }
    if (last.target[0] != kNoBlock) targets.push_back(last.target[0]);
  };
  order_index_[0] = 0;
  push_targets(0);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    uint32_t at = starts.back() + frame.next;
    if (at < targets.size()) {
      ++frame.next;
      BlockId target = targets[at];
      if (order_index_[target] != kNoIndex) continue;
      order_index_[target] = 0;
      stack.push_back({target, 0});
      push_targets(target);
      continue;
    }
    order_.push_back(frame.block);
    targets.resize(starts.back());
    starts.pop_back();
    stack.pop_back();
  }
  std::reverse(order_.begin(), order_.end());
  for (uint32_t i = 0; i < order_.size(); ++i) order_index_[order_[i]] = i;
}

// `x + 1` and the like have instructions with the constant inside.
void CodeGenerator::use_immediate(Inst& inst) {
  std::span<Ref> args = f_->args(inst);
  if (args.size() != 2) return;
  auto small = [&](Ref ref) { return is_const(ref) && consts_.is_small(const_id(ref)); };
  bool commutes = inst.op == op_add || inst.op == op_mul || inst.op == op_band;
  if (commutes && small(args[0]) && !is_const(args[1])) std::swap(args[0], args[1]);
  if (!small(args[1]) || is_const(args[0])) return;
  int64_t value = consts_[const_id(args[1])].value;
  Op op;
  switch (inst.op) {
    case op_add:
      op = op_add_imm;
      break;
    case op_sub:
      op = op_sub_imm;
      break;
    case op_mul:
      op = op_mul_imm;
      break;
    case op_idiv:
      op = value != 0 ? op_idiv_imm : inst.op;
      break;
    case op_rem:
      op = value != 0 ? op_rem_imm : inst.op;
      break;
    case op_band:
      op = op_band_imm;
      break;
    case op_bsl:
      op = value >= 0 ? op_bsl_imm : inst.op;
      break;
    case op_bsr:
      op = value >= 0 ? op_bsr_imm : inst.op;
      break;
    default:
      return;
  }
  if (op == inst.op) return;
  inst.op = op;
  inst.imm[0] = const_id(args[1]);
  inst.arg_count = 1;
}

// Puts loads in front of an instruction for the constants among its slot operands.
void CodeGenerator::legalize_inst(InstId id, InstId before, BlockId block) {
  use_immediate(f_->insts[id]);
  Op op = f_->insts[id].op;
  size_t arg = 0;
  auto load = [&](size_t index) {
    Inst& inst = f_->insts[id];
    Ref ref = f_->args(inst)[index];
    if (!is_const(ref)) return;
    Inst one{.op = op_load};
    one.imm[0] = const_id(ref);
    one.result = f_->new_value();
    one.pos = inst.pos;
    one.next = id;
    f_->args(inst)[index] = one.result;
    InstId at = static_cast<InstId>(f_->insts.size());
    f_->insts.push_back(one);
    if (before == kNoInst)
      f_->blocks[block].first = at;
    else
      f_->insts[before].next = at;
    before = at;
  };
  if (op == op_ret && is_const(f_->args(f_->insts[id])[0])) {
    Inst& inst = f_->insts[id];
    inst.imm[0] = const_id(f_->args(inst)[0]);
    inst.op = op_ret_const;
    inst.arg_count = 0;
    return;
  }
  // Calls and jumps take constants: they are moved to slots anyway.
  if (op == op_call_fun || op == op_call_dyn) return load(0);
  if (op == op_jump || op == op_loop || op == op_raise || op == op_tail_fun || op == op_tail_dyn)
    return;
  for (const char* letter = op_info(op).operands; *letter; ++letter) {
    switch (*letter) {
      case 'S':
      case 'P':
      case 'Q':
        load(arg++);
        break;
      case 'X':
        ++arg;
        break;
      case 'V':
      case 'G':
        return;  // what follows a run holds constants
      default:
        break;
    }
  }
}

void CodeGenerator::legalize() {
  for (BlockId block : order_) {
    InstId before = kNoInst;
    for (InstId i = f_->blocks[block].first; i != kNoInst; i = f_->insts[i].next) {
      if (f_->insts[i].dead) continue;
      legalize_inst(i, before, block);
      before = i;
    }
  }
}

}  // namespace quelea::compiler
