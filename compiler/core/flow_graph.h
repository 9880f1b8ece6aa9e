// Order, ways in and dominators of a function's blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/core/ir.h"

namespace quelea::compiler {

class FlowGraph {
 public:
  void build(IrFunction& f);

  // Reverse post-order: of two blocks, one that dominates the other comes first.
  const std::vector<BlockId>& order() const { return order_; }
  std::span<const BlockId> preds(BlockId block) const {
    return {preds_.data() + pred_first_[block], preds_.data() + pred_first_[block + 1]};
  }
  // The nearest block on every way to this one; the first block's is itself.
  BlockId dominator(BlockId block) const { return dominator_[block]; }
  // In reverse post-order; edges that go back are those to what is not behind.
  bool is_before(BlockId a, BlockId b) const { return index_[a] < index_[b]; }
  bool is_loop_head(BlockId block) const {
    for (BlockId pred : preds(block))
      if (index_[pred] >= index_[block]) return true;
    return false;
  }

 private:
  static constexpr uint32_t kUnreached = 0xffffffffu;

  template <class Visit>
  static void each_successor(IrFunction& f, BlockId block, const Visit& visit) {
    f.each_target(f.terminator(block), [&](BlockId& target) { visit(target); });
    if (f.blocks[block].handler != kNoBlock) visit(f.blocks[block].handler);
  }
  void find_order(IrFunction& f);
  void find_preds(IrFunction& f);
  void find_dominators();

  std::vector<BlockId> order_;
  std::vector<uint32_t> index_;  // by block: its place in order_
  std::vector<uint32_t> pred_first_;
  std::vector<BlockId> preds_;
  std::vector<BlockId> dominator_;
  std::vector<BlockId> targets_;
};

}  // namespace quelea::compiler
