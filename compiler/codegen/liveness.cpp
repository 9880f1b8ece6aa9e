// Which values are live where.
#include <algorithm>

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

// What lives out of a block, into those that come after it and into its handler.
LiveSet CodeGenerator::live_out(BlockId block) {
  LiveSet set = 0;
  f_->each_target(f_->terminator(block),
                  [&](BlockId& target) { set = live_sets_.unite(set, live_in_[target]); });
  if (f_->blocks[block].handler != kNoBlock)
    set = live_sets_.unite(set, live_in_[f_->blocks[block].handler]);
  return set;
}

// Finds what lives into a block by what lives out of it. True: that has changed.
bool CodeGenerator::flow_through(BlockId block) {
  const IrFunction& f = *f_;
  const Block& b = f.blocks[block];
  live_sets_.keep();
  LiveSet set = live_out(block);
  const auto define = [&](Ref first, uint32_t count) {
    for (Ref value = first; value < first + count; ++value)
      if (def_block_[value] == block) set = live_sets_.erase(set, value);
  };
  define(b.first_param, b.param_count);
  if (block == 0) define(0, f.arity);
  if (const InstId test = entry_def_[block]; test != kNoInst)
    define(f.insts[test].result, op_shape(f.insts[test].op).results);
  for (InstId i = b.first; i != kNoInst; i = f.insts[i].next) {
    const Inst& inst = f.insts[i];
    if (!inst.dead && inst.result != kNoRef) define(inst.result, op_shape(inst.op).results);
  }
  for (InstId i = b.first; i != kNoInst; i = f.insts[i].next) {
    if (f.insts[i].dead) continue;
    for (Ref ref : f.args(f.insts[i]))
      if (is_value(ref) && def_block_[ref] != block) set = live_sets_.insert(set, ref);
  }
  if (live_sets_.equal(set, live_in_[block])) {
    live_sets_.forget();
    return false;
  }
  live_in_[block] = set;
  return true;
}

// From the end upwards; again where what lives into a loop has become more, since that lives out of
// where the loop goes round.
void CodeGenerator::find_liveness() {
  collect_uses();
  live_sets_.reset(f_->value_count);
  live_in_.assign(f_->blocks.size(), 0);
  for (bool again = true; again;) {
    again = false;
    for (size_t i = order_.size(); i-- > 0;)
      again |= flow_through(order_[i]) && is_loop_head(order_[i]);
  }
  live_sets_.keep();
}

// Where the window of a call will probably begin: above what lives across it, if that lies as low
// as it can but for what waits for a later call.
uint32_t CodeGenerator::expected_base() const {
  uint32_t base = living_ + 1;
  for (const Waiting& one : waiting_) base = std::max(base, one.wish + 1);
  return base;
}

// Going up past an instruction: its results do not live before it.
void CodeGenerator::leave_behind(const Inst& inst, BlockId block) {
  if (inst.result == kNoRef) return;
  for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) {
    const Ref value = inst.result + r;
    if (def_block_[value] != block || !is_living(value, block)) continue;
    --living_;
    std::erase_if(waiting_, [&](const Waiting& one) { return one.value == value; });
  }
}

void CodeGenerator::hint_arguments(InstId id, BlockId block, uint32_t first, uint32_t base) {
  constexpr size_t kMaxWaiting = 8;
  const Inst& inst = f_->insts[id];
  std::span<const Ref> args = f_->args(inst);
  for (uint32_t i = first; i < args.size(); ++i) {
    if (!is_value(args[i]) || !last_use_[inst.args + i]) continue;
    const uint32_t wish = base + 1 + i - first;
    hints_[args[i]] = {id, wish, i - first, kNoRef, block};
    if (waiting_.size() < kMaxWaiting && args[i] >= f_->arity) waiting_.push_back({args[i], wish});
  }
}

// Where a value that dies in this instruction would best lie.
void CodeGenerator::hint_operands(InstId id, BlockId block, uint32_t base) {
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
      return hint_arguments(id, block, first, base);
    case op_tail_fun:
    case op_tail_dyn:
      first = 1;
      [[fallthrough]];
    case op_tail_call:
    case op_tail_ext:
    case op_tail_native:
      for (uint32_t i = first; i < args.size(); ++i)
        if (is_value(args[i]) && last_use_[inst.args + i])
          hints_[args[i]] = {kNoInst, 0, i - first + 1, kNoRef, block};
      return;
    case op_jump:
    case op_loop: {
      Ref param = f_->blocks[inst.target[0]].first_param;
      for (uint32_t i = 0; i < args.size(); ++i)
        if (is_value(args[i]) && last_use_[inst.args + i])
          hints_[args[i]] = {kNoInst, 0, 0, param + i, block};
      return;
    }
    default:
      return;
  }
}

void CodeGenerator::block_last_uses(BlockId block) {
  IrFunction& f = *f_;
  live_sets_.forget();
  live_out_ = live_out(block);
  living_ = live_sets_.count(live_out_);
  waiting_.clear();
  auto is_new = [&](Ref value) {
    if (is_living(value, block)) return false;
    stamp_[value] = order_index_[block] + 1;
    ++living_;
    return true;
  };
  // Backwards over a chain that is linked forwards.
  worklist_.clear();
  for (InstId i = f.blocks[block].first; i != kNoInst; i = f.insts[i].next)
    if (!f.insts[i].dead) worklist_.push_back(i);
  while (!worklist_.empty()) {
    InstId id = worklist_.back();
    worklist_.pop_back();
    const Inst& inst = f.insts[id];
    leave_behind(inst, block);
    const uint32_t base = expected_base();
    for (uint32_t i = 0; i < inst.arg_count; ++i) {
      Ref ref = f.operands[inst.args + i];
      if (is_value(ref) && is_new(ref)) last_use_[inst.args + i] = 1;
    }
    hint_operands(id, block, base);
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
