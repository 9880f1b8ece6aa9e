#include "compiler/core/flow_graph.h"

#include <algorithm>

namespace quelea::compiler {

void FlowGraph::build(IrFunction& f) {
  find_order(f);
  find_preds(f);
  find_dominators();
}

void FlowGraph::find_order(IrFunction& f) {
  order_.clear();
  index_.assign(f.blocks.size(), kUnreached);
  targets_.clear();
  struct Frame {
    BlockId block;
    size_t first, next;  // in targets_
  };
  std::vector<Frame> stack;
  auto push = [&](BlockId block) {
    index_[block] = 0;
    stack.push_back({block, targets_.size(), targets_.size()});
    each_successor(f, block, [&](BlockId target) { targets_.push_back(target); });
  };
  push(0);
  while (!stack.empty()) {
    Frame& top = stack.back();
    if (top.next < targets_.size()) {
      const BlockId target = targets_[top.next++];
      if (index_[target] == kUnreached) push(target);
      continue;
    }
    order_.push_back(top.block);
    targets_.resize(top.first);
    stack.pop_back();
  }
  std::reverse(order_.begin(), order_.end());
  for (uint32_t i = 0; i < order_.size(); ++i) index_[order_[i]] = i;
}

void FlowGraph::find_preds(IrFunction& f) {
  pred_first_.assign(f.blocks.size() + 1, 0);
  for (BlockId block : order_)
    each_successor(f, block, [&](BlockId target) { ++pred_first_[target + 1]; });
  for (size_t i = 1; i < pred_first_.size(); ++i) pred_first_[i] += pred_first_[i - 1];
  preds_.resize(pred_first_.back());
  std::vector<uint32_t> at(pred_first_.begin(), pred_first_.end() - 1);
  for (BlockId block : order_)
    each_successor(f, block, [&](BlockId target) { preds_[at[target]++] = block; });
}

// Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm.
void FlowGraph::find_dominators() {
  dominator_.assign(index_.size(), kNoBlock);
  dominator_[order_[0]] = order_[0];
  auto common = [&](BlockId a, BlockId b) {
    while (a != b) {
      while (index_[a] > index_[b]) a = dominator_[a];
      while (index_[b] > index_[a]) b = dominator_[b];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 1; i < order_.size(); ++i) {
      BlockId found = kNoBlock;
      for (BlockId pred : preds(order_[i])) {
        if (dominator_[pred] == kNoBlock) continue;
        found = found == kNoBlock ? pred : common(found, pred);
      }
      if (dominator_[order_[i]] == found) continue;
      dominator_[order_[i]] = found;
      changed = true;
    }
  }
}

}  // namespace quelea::compiler
