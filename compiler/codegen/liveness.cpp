// Which values are live where.
#include "compiler/codegen/codegen.h"

namespace quelea::compiler {

void CodeGenerator::collect_uses() {
  IrFunction& f = *f_;
  def_block_.assign(f.value_count, kNoBlock);
  entry_def_.assign(f.blocks.size(), kNoInst);
  for (uint32_t i = 0; i < f.arity; ++i) def_block_[i] = 0;
  pred_first_.assign(f.blocks.size() + 1, 0);
  auto each_successor = [&](BlockId block, const auto& visit) {
    f.each_target(f.terminator(block), [&](BlockId& target) { visit(target); });
    if (f.blocks[block].handler != kNoBlock) visit(f.blocks[block].handler);
  };
  for (BlockId block : order_) {
    const Block& b = f.blocks[block];
    for (uint32_t i = 0; i < b.param_count; ++i) def_block_[b.first_param + i] = block;
    for (InstId i = b.first; i != kNoInst; i = f.insts[i].next) {
      const Inst& inst = f.insts[i];
      if (inst.dead || inst.result == kNoRef) continue;
      // What a test defines exists in its first target, which nothing else leads to.
      bool later = i == b.last && inst.target[0] != kNoBlock;
      BlockId home = later ? inst.target[0] : block;
      if (later) entry_def_[home] = i;
      for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) def_block_[inst.result + r] = home;
    }
    each_successor(block, [&](BlockId target) { ++pred_first_[target + 1]; });
  }
  for (size_t i = 1; i < pred_first_.size(); ++i) pred_first_[i] += pred_first_[i - 1];
  preds_.resize(pred_first_.back());
  std::vector<uint32_t> at(pred_first_.begin(), pred_first_.end() - 1);
  for (BlockId block : order_)
    each_successor(block, [&](BlockId target) { preds_[at[target]++] = block; });
}

void CodeGenerator::mark_live_in(BlockId block, Ref value) {
  worklist_.assign(1, block);
  while (!worklist_.empty()) {
    BlockId b = worklist_.back();
    worklist_.pop_back();
    if (live_mark_[b] == value || def_block_[value] == b) continue;
    live_mark_[b] = value;
    live_nodes_.push_back({value, live_head_[b]});
    live_head_[b] = static_cast<uint32_t>(live_nodes_.size() - 1);
    for (uint32_t i = pred_first_[b]; i < pred_first_[b + 1]; ++i) worklist_.push_back(preds_[i]);
  }
}

void CodeGenerator::find_liveness() {
  IrFunction& f = *f_;
  collect_uses();
  // Uses in other blocks, by value.
  use_first_.assign(f.value_count + 1, 0);
  auto each_outer_use = [&](const auto& visit) {
    for (BlockId block : order_)
      for (InstId i = f.blocks[block].first; i != kNoInst; i = f.insts[i].next) {
        if (f.insts[i].dead) continue;
        for (Ref ref : f.args(f.insts[i]))
          if (is_value(ref) && def_block_[ref] != block) visit(ref, block);
      }
  };
  each_outer_use([&](Ref ref, BlockId) { ++use_first_[ref + 1]; });
  for (size_t i = 1; i < use_first_.size(); ++i) use_first_[i] += use_first_[i - 1];
  use_blocks_.resize(use_first_.back());
  std::vector<uint32_t> at(use_first_.begin(), use_first_.end() - 1);
  each_outer_use([&](Ref ref, BlockId block) { use_blocks_[at[ref]++] = block; });
  live_mark_.assign(f.blocks.size(), kNoRef);
  live_head_.assign(f.blocks.size(), kNoIndex);
  live_nodes_.clear();
  for (Ref value = 0; value < f.value_count; ++value)
    for (uint32_t i = use_first_[value]; i < use_first_[value + 1]; ++i)
      mark_live_in(use_blocks_[i], value);
}

// Where a value that dies in this instruction would best lie.
void CodeGenerator::hint_operands(InstId id, BlockId block) {
  const Inst& inst = f_->insts[id];
  std::span<const Ref> args = f_->args(inst);
  uint32_t first = 0;
  switch (inst.op) {
    case op_call_fun:
    case op_call_dyn:
      first = 1;
      [[fallthrough]];
    case op_call:
    case op_call_ext:
    case op_call_native:
      for (uint32_t i = first; i < args.size(); ++i)
        if (is_value(args[i]) && last_use_[inst.args + i])
          hints_[args[i]] = {id, i - first, kNoRef, block};
      return;
    case op_tail_fun:
    case op_tail_dyn:
      first = 1;
      [[fallthrough]];
    case op_tail_call:
    case op_tail_ext:
    case op_tail_native:
      for (uint32_t i = first; i < args.size(); ++i)
        if (is_value(args[i]) && last_use_[inst.args + i])
          hints_[args[i]] = {kNoInst, i - first + 1, kNoRef, block};
      return;
    case op_jump:
    case op_loop: {
      Ref param = f_->blocks[inst.target[0]].first_param;
      for (uint32_t i = 0; i < args.size(); ++i)
        if (is_value(args[i]) && last_use_[inst.args + i])
          hints_[args[i]] = {kNoInst, 0, param + i, block};
      return;
    }
    default:
      return;
  }
}

void CodeGenerator::block_last_uses(BlockId block) {
  IrFunction& f = *f_;
  uint32_t mark = order_index_[block] + 1;
  auto live_into = [&](BlockId target) {
    for (uint32_t n = live_head_[target]; n != kNoIndex; n = live_nodes_[n].next)
      stamp_[live_nodes_[n].value] = mark;
  };
  f.each_target(f.terminator(block), [&](BlockId& target) { live_into(target); });
  if (f.blocks[block].handler != kNoBlock) live_into(f.blocks[block].handler);
  // Backwards over a chain that is linked forwards.
  worklist_.clear();
  for (InstId i = f.blocks[block].first; i != kNoInst; i = f.insts[i].next)
    if (!f.insts[i].dead) worklist_.push_back(i);
  while (!worklist_.empty()) {
    InstId id = worklist_.back();
    worklist_.pop_back();
    const Inst& inst = f.insts[id];
    for (uint32_t i = 0; i < inst.arg_count; ++i) {
      Ref ref = f.operands[inst.args + i];
      if (!is_value(ref) || stamp_[ref] == mark) continue;
      stamp_[ref] = mark;
      last_use_[inst.args + i] = 1;
    }
    hint_operands(id, block);
  }
}

void CodeGenerator::find_last_uses() {
  last_use_.assign(f_->operands.size(), 0);
  stamp_.assign(f_->value_count, 0);
  hints_.assign(f_->value_count, {});
  uint32_t position = 0;
  position_.assign(f_->insts.size(), 0);
  for (BlockId block : order_) {
    for (InstId i = f_->blocks[block].first; i != kNoInst; i = f_->insts[i].next)
      position_[i] = position++;
    block_last_uses(block);
  }
}

}  // namespace quelea::compiler
