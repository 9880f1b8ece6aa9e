// Ways that come together only to be told apart again.
//
// Where one way into a join passes a constant, or one ends at once and the other calls, what
// follows is often shorter for one of them: tests are decided, sums folded, moves not needed. A
// join is split by copying all that it dominates for one of its ways in; nothing else needs repair,
// because what lies behind that gets values of the copied blocks through its parameters.
//
//   fn check((l, r)) = 1 + check(l) + check(r)     both leaves: 3, without an addition
#include <algorithm>
#include <vector>

#include "compiler/core/flow_graph.h"
#include "compiler/core/simplify.h"

namespace quelea::compiler {

namespace {

class PathSplitter {
 public:
  PathSplitter(IrFunction& function, bool eager) : f_(function), eager_(eager) {}

  bool run() {
    for (const Block& block : f_.blocks)
      if (block.handler != kNoBlock) return false;
    if (!eager_ && !any_constant()) return false;
    const size_t before = f_.insts.size();
    const size_t budget = eager_ ? kMaxEager : kMaxCopied;
    while (f_.insts.size() - before < budget && split_one()) {
    }
    return f_.insts.size() != before;
  }

 private:
  // Instructions: of one copy, of all copies in a function.
  static constexpr size_t kMaxRegion = 24;
  static constexpr size_t kMaxCopied = 48;
  static constexpr size_t kMaxEager = 96;

  bool any_constant() const {
    return std::any_of(f_.insts.begin(), f_.insts.end(), [&](const Inst& inst) {
      std::span<const Ref> args = f_.args(inst);
      return inst.op == op_jump && !inst.dead && std::any_of(args.begin(), args.end(), is_const);
    });
  }

  bool split_one() {
    graph_.build(f_);
    for (BlockId join : graph_.order()) {
      if (f_.blocks[join].param_count == 0 || graph_.preds(join).size() < 2) continue;
      if (graph_.is_loop_head(join)) continue;
      const BlockId way = way_to_split(join);
      if (way == kNoBlock || !collect(join)) continue;
      if (!eager_ && !helps(join, way)) continue;
      copy(way);
      return true;
    }
    return false;
  }

  // The way in that passes a constant; else the first that does more than jump.
  BlockId way_to_split(BlockId join) const {
    for (BlockId pred : graph_.preds(join)) {
      if (f_.terminator(pred).op != op_jump) return kNoBlock;
      for (Ref arg : f_.args(f_.terminator(pred)))
        if (is_const(arg)) return pred;
    }
    return eager_ ? graph_.preds(join)[0] : kNoBlock;
  }

  // Whether a constant that comes this way decides a test or makes an operation one of constants.
  bool helps(BlockId join, BlockId way) const {
    const Inst& jump = f_.terminator(way);
    const Block& to = f_.blocks[join];
    auto becomes_const = [&](Ref ref) {
      if (!is_value(ref)) return true;
      return ref >= to.first_param && ref < to.first_param + to.param_count &&
             is_const(f_.args(jump)[ref - to.first_param]);
    };
    for (BlockId block : region_)
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next) {
        const Inst& inst = f_.insts[i];
        if (inst.dead || inst.arg_count == 0) continue;
        const unsigned flags = op_info(inst.op).flags;
        const bool decides = (flags & op_flags::BRANCH) != 0 && inst.op != op_jump &&
                             inst.op != op_loop && (flags & op_flags::SAFE) == 0;
        if (!decides && !can_fold(inst.op)) continue;
        std::span<const Ref> args = f_.args(inst);
        if (std::all_of(args.begin(), args.end(), becomes_const)) return true;
      }
    return false;
  }

  // Finds what `join` dominates: it has no loops, so that is what all ways lead to from here. False
  // when that is too much, or must not be copied.
  bool collect(BlockId join) {
    region_.assign(1, join);
    arrived_.clear();
    size_t count = 0;
    for (size_t at = 0; at < region_.size(); ++at) {
      const BlockId block = region_[at];
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
        count += !f_.insts[i].dead;
      if (count > kMaxRegion) return false;
      bool has_loop = false;
      f_.each_target(f_.terminator(block), [&](BlockId& target) {
        has_loop |= graph_.is_before(block, target) && graph_.is_loop_head(target);
        arrived_.push_back(target);
        const auto ways = std::count(arrived_.begin(), arrived_.end(), target);
        if (static_cast<size_t>(ways) == graph_.preds(target).size() &&
            graph_.is_before(block, target))
          region_.push_back(target);
      });
      if (has_loop) return false;
    }
    return true;
  }

  // Copies the region for the jump that ends `way`.
  void copy(BlockId way) {
    values_.assign(f_.value_count, kNoRef);
    blocks_.assign(f_.blocks.size(), kNoBlock);
    for (BlockId block : region_) {
      const Block original = f_.blocks[block];
      const BlockId twin = f_.new_block(original.param_count);
      blocks_[block] = twin;
      for (uint32_t i = 0; i < original.param_count; ++i)
        values_[original.first_param + i] = f_.blocks[twin].first_param + i;
      for (InstId i = original.first; i != kNoInst; i = f_.insts[i].next) {
        const Inst& inst = f_.insts[i];
        if (inst.dead || inst.result == kNoRef) continue;
        for (uint32_t r = 0; r < op_shape(inst.op).results; ++r)
          values_[inst.result + r] = f_.new_value();
      }
    }
    for (BlockId block : region_)
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
        if (!f_.insts[i].dead) copy_inst(f_.insts[i], blocks_[block]);
    f_.terminator(way).target[0] = blocks_[region_[0]];
  }

  void copy_inst(Inst inst, BlockId to) {
    auto twin_of = [&](Ref ref) {
      return is_value(ref) && ref < values_.size() && values_[ref] != kNoRef ? values_[ref] : ref;
    };
    std::vector<Ref> args(f_.args(inst).begin(), f_.args(inst).end());
    for (Ref& ref : args) ref = twin_of(ref);
    inst.args = f_.add_operands(args);
    if (inst.result != kNoRef) inst.result = twin_of(inst.result);
    inst.next = kNoInst;
    if (IrFunction::is_switch(inst.op)) {
      const uint32_t first = static_cast<uint32_t>(f_.cases.size());
      for (uint32_t i = 0; i < inst.imm[1]; ++i) f_.cases.push_back(f_.cases[inst.imm[0] + i]);
      inst.imm[0] = first;
    }
    f_.each_target(inst, [&](BlockId& target) {
      if (blocks_[target] != kNoBlock) target = blocks_[target];
    });
    f_.append(to, inst);
  }

  IrFunction& f_;
  const bool eager_;
  FlowGraph graph_;
  std::vector<BlockId> region_;   // the join first
  std::vector<BlockId> arrived_;  // where the region's edges lead
  std::vector<Ref> values_;       // by value: its copy
  std::vector<BlockId> blocks_;   // by block: its copy
};

}  // namespace

bool split_paths(IrFunction& function, bool eager) { return PathSplitter(function, eager).run(); }

}  // namespace quelea::compiler
