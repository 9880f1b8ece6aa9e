// Slots for values.
#include <algorithm>
#include <bit>

#include "compiler/codegen/codegen.h"

namespace quelea::compiler {

void CodeGenerator::occupy(uint32_t slot, Ref value) {
  if (slot / 64 >= occupied_.size()) occupied_.resize(slot / 64 + 1, 0);
  if (slot >= holder_.size()) holder_.resize(slot + 1, kNoRef);
  occupied_[slot / 64] |= uint64_t{1} << slot % 64;
  holder_[slot] = value;
  held_ = live_sets_.insert(held_, value);
  need_slots(slot + 1);
}

uint32_t CodeGenerator::lowest_free() const {
  for (size_t i = 0; i < occupied_.size(); ++i) {
    uint64_t free = ~occupied_[i] & (i == 0 ? ~uint64_t{1} : ~uint64_t{0});
    if (free != 0)
      return static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(free)));
  }
  return static_cast<uint32_t>(std::max<size_t>(occupied_.size() * 64, 1));
}

uint32_t CodeGenerator::highest_occupied() const {
  for (size_t i = occupied_.size(); i-- > 0;)
    if (occupied_[i] != 0)
      return static_cast<uint32_t>(i * 64 + 63 -
                                   static_cast<size_t>(std::countl_zero(occupied_[i])));
  return 0;
}

uint32_t CodeGenerator::save_live() {
  size_t words = occupied_.size();
  while (words != 0 && occupied_[words - 1] == 0) --words;
  uint32_t at = static_cast<uint32_t>(live_words_.size());
  live_words_.push_back(words);
  live_words_.insert(live_words_.end(), occupied_.begin(),
                     occupied_.begin() + static_cast<ptrdiff_t>(words));
  return at;
}

// Where the window of a coming call may begin: above what is live across it, with room below for
// values that are still to come and live across it too.
uint32_t CodeGenerator::tentative_base(InstId call, uint32_t position, BlockId block) {
  uint32_t call_position = position_[call];
  uint32_t highest = highest_occupied();
  while (highest != 0 && !(occupied(highest) && lives_past(holder_[highest], call_position, block)))
    --highest;
  uint32_t coming = 0;
  InstId id = call_scan_;
  for (; id != kNoInst && position_[id] < call_position; id = f_->insts[id].next) {
    const Inst& inst = f_->insts[id];
    if (inst.dead || inst.result == kNoRef || position_[id] <= position) continue;
    for (uint32_t r = 0; r < op_shape(inst.op).results; ++r)
      coming += lives_past(inst.result + r, call_position, block);
  }
  uint32_t base = highest + 1;
  for (uint32_t free = highest - occupied_up_to(highest); free < coming; ++base)
    free += !occupied(base);
  return base;
}

uint32_t CodeGenerator::occupied_up_to(uint32_t slot) const {
  int count = 0;
  for (size_t i = 0; i < occupied_.size() && i * 64 <= slot; ++i) {
    const uint32_t behind = slot - static_cast<uint32_t>(i) * 64;
    count +=
        std::popcount(behind >= 63 ? occupied_[i] : occupied_[i] & ((uint64_t{2} << behind) - 1));
  }
  return static_cast<uint32_t>(count);
}

uint32_t CodeGenerator::window_slot(Ref value, uint32_t position, BlockId block) {
  const Hint& hint = hints_[value];
  uint32_t& base = base_[hint.inst];
  if (base == 0) {
    base = tentative_base(hint.inst, position, block);
    constexpr int kTries = 4;
    for (int i = 0; i < kTries && occupied(base + 1 + hint.slot); ++i) ++base;
  }
  return base + 1 + hint.slot;
}

bool CodeGenerator::is_loop_head(BlockId block) const {
  for (uint32_t i = pred_first_[block]; i < pred_first_[block + 1]; ++i)
    if (order_index_[preds_[i]] >= order_index_[block]) return true;
  return false;
}

uint32_t CodeGenerator::choose_slot(Ref value, uint32_t position, BlockId block) {
  const Hint& hint = hints_[value];
  uint32_t wish = 0;
  if (hint.inst != kNoInst) {
    if (hint.block == block)
      wish = window_slot(value, position, block);
    else if (!is_loop_head(block))
      wish = hint.wish;
  } else if (hint.param != kNoRef) {
    wish = slots_[hint.param] != kNoSlot ? slots_[hint.param] : param_wish_[hint.param];
    // The first that goes to a parameter chooses for it. What goes round in a loop stays where it
    // was before.
    if (wish == 0 && !is_loop_head(def_block_[hint.param])) wish = hints_[hint.param].wish;
  } else {
    wish = hint.slot;
  }
  if (wish != 0 && !occupied(wish)) return wish;
  return lowest_free();
}

void CodeGenerator::give(Ref value, uint32_t slot) {
  slots_[value] = slot;
  occupy(slot, value);
  Ref param = hints_[value].param;
  if (param != kNoRef && param_wish_[param] == 0) param_wish_[param] = slot;
}

// Occupies the slots of what is live into the block, and gives slots to what is defined at its
// beginning. Mostly that is what the block before has left.
void CodeGenerator::enter_block(BlockId block) {
  IrFunction& f = *f_;
  const LiveSet before = held_;
  live_sets_.keep();
  live_sets_.each_only_in(before, live_in_[block], [&](Ref value) { release(slots_[value]); });
  live_sets_.each_only_in(live_in_[block], before,
                          [&](Ref value) { occupy(slots_[value], value); });
  const Block& b = f.blocks[block];
  uint32_t position = b.first != kNoInst ? position_[b.first] : 0;
  // Which values die in this block, and where.
  for (InstId i = b.first; i != kNoInst; i = f.insts[i].next) {
    const Inst& inst = f.insts[i];
    if (inst.dead) continue;
    for (uint32_t k = 0; k < inst.arg_count; ++k) {
      if (!last_use_[inst.args + k]) continue;
      death_block_[f.operands[inst.args + k]] = block;
      death_position_[f.operands[inst.args + k]] = position_[i];
    }
  }
  call_scan_ = b.first;
  if (block == 0) {
    for (uint32_t i = 0; i < f.arity; ++i) {
      slots_[i] = i + 1;
      if (used_[i]) occupy(i + 1, i);
    }
  }
  for (uint32_t i = 0; i < b.param_count; ++i) {
    Ref param = b.first_param + i;
    if (!used_[param]) continue;
    uint32_t wish = param_wish_[param];
    give(param, wish != 0 && !occupied(wish) ? wish : choose_slot(param, position, block));
  }
  if (entry_def_[block] == kNoInst) return;
  const Inst& test = f.insts[entry_def_[block]];
  uint32_t count = op_shape(test.op).results;
  give_results(test.result, count, position, block);
}

// Those that know where they want to be come first.
void CodeGenerator::give_results(Ref first, uint32_t count, uint32_t position, BlockId block) {
  auto has_hint = [&](Ref value) {
    const Hint& hint = hints_[value];
    return hint.inst != kNoInst || hint.param != kNoRef || hint.slot != 0;
  };
  for (bool hinted : {true, false})
    for (Ref value = first; value < first + count; ++value)
      if (has_hint(value) == hinted) give(value, choose_slot(value, position, block));
  for (Ref value = first; value < first + count; ++value)
    if (!used_[value]) release(slots_[value]);
}

namespace {

bool is_call(Op op) {
  return op == op_call || op == op_call_ext || op == op_call_fun || op == op_call_dyn ||
         op == op_call_native;
}

uint32_t words_built(const Inst& inst) {
  switch (inst.op) {
    case op_cons:
      return 2;
    case op_list:
      return 2 * (inst.arg_count - 1);
    case op_tuple:
      return 1 + inst.arg_count;
    default:
      return 2 + inst.arg_count;
  }
}

}  // namespace

void CodeGenerator::allocate_inst(InstId id, BlockId block, bool& open_credit,
                                  InstId& credit_head) {
  IrFunction& f = *f_;
  const Inst& inst = f.insts[id];
  unsigned flags = op_info(inst.op).flags;
  uint32_t position = position_[id];
  if (flags & op_flags::CREDIT) {
    constexpr uint32_t kMaxWords = 1u << 20;
    uint32_t words = words_built(inst);
    if (!open_credit || credit_[credit_head] + words > kMaxWords) {
      open_credit = true;
      credit_head = id;
      live_[id] = save_live();
    }
    credit_[credit_head] += words;
  }
  if (flags & (op_flags::ALLOCS | op_flags::SAFE)) open_credit = false;
  for (uint32_t i = 0; i < inst.arg_count; ++i)
    if (last_use_[inst.args + i]) release(slots_[f.operands[inst.args + i]]);
  if (flags & op_flags::SAFE) live_[id] = save_live();
  if (is_call(inst.op)) {
    base_[id] = std::max(base_[id], highest_occupied() + 1);
    need_slots(window_end(inst, base_[id]));
  }
  if (inst.result == kNoRef || (id == f.blocks[block].last && inst.target[0] != kNoBlock)) return;
  uint32_t count = op_shape(inst.op).results;
  give_results(inst.result, count, position, block);
}

void CodeGenerator::allocate_block(BlockId block) {
  enter_block(block);
  bool open_credit = false;
  InstId credit_head = kNoInst;
  for (InstId i = f_->blocks[block].first; i != kNoInst; i = f_->insts[i].next) {
    if (f_->insts[i].dead) continue;
    call_scan_ = i;
    allocate_inst(i, block, open_credit, credit_head);
  }
}

void CodeGenerator::allocate() {
  IrFunction& f = *f_;
  frame_slots_ = f.arity + 1;
  slots_.assign(f.value_count, kNoSlot);
  param_wish_.assign(f.value_count, 0);
  used_.assign(f.value_count, 0);
  death_block_.assign(f.value_count, kNoBlock);
  death_position_.assign(f.value_count, 0);
  base_.assign(f.insts.size(), 0);
  live_.assign(f.insts.size(), kNoIndex);
  credit_.assign(f.insts.size(), 0);
  live_words_.clear();
  occupied_.clear();
  held_ = 0;
  for (BlockId block : order_)
    for (InstId i = f.blocks[block].first; i != kNoInst; i = f.insts[i].next)
      if (!f.insts[i].dead)
        for (Ref ref : f.args(f.insts[i]))
          if (is_value(ref)) used_[ref] = 1;
  for (BlockId block : order_) allocate_block(block);
  allocated_slots_ = frame_slots_;
}

}  // namespace quelea::compiler
