#include "compiler/core/simplify.h"

#include <vector>

namespace quelea::compiler {

namespace {

// Jumps to jumps are threaded, blocks with one way in are joined to it, block parameters that are always given the
// same value are replaced by it, and instructions whose results nobody reads are dropped, until nothing of it is
// left; each pass is linear.
class Simplifier {
 public:
  Simplifier(IrFunction& function, ConstTable& consts) : f_(function), consts_(consts) {}

  void run() {
    subst_.assign(f_.value_count, kNoRef);
    find_reachable();
    thread_jumps();
    find_reachable();
    constexpr int kMaxRounds = 4;
    for (int round = 0; round < kMaxRounds && replace_params(); ++round) {
    }
    merge_blocks();
    rewrite_operands();
    remove_dead();
    drop_dead_params();
  }

 private:
  Ref resolve(Ref ref) {
    if (!is_value(ref) || subst_[ref] == kNoRef) return ref;
    Ref root = ref;
    while (is_value(root) && subst_[root] != kNoRef) root = subst_[root];
    while (subst_[ref] != root) {
      Ref next = subst_[ref];
      subst_[ref] = root;
      ref = next;
    }
    return root;
  }

  void find_reachable() {
    pred_count_.assign(f_.blocks.size(), 0);
    order_.clear();
    std::vector<BlockId> todo{0};
    pred_count_[0] = 1;
    while (!todo.empty()) {
      BlockId block = todo.back();
      todo.pop_back();
      order_.push_back(block);
      auto visit = [&](BlockId target) {
        if (pred_count_[target]++ == 0) todo.push_back(target);
      };
      if (f_.blocks[block].first == kNoInst) continue;
      f_.each_target(f_.terminator(block), [&](BlockId& target) { visit(target); });
      BlockId handler = f_.blocks[block].handler;
      if (handler != kNoBlock && raises(block)) {
        visit(handler);
        ++pred_count_[handler];  // never to be joined to what raises
      } else {
        f_.blocks[block].handler = kNoBlock;
      }
    }
  }

  bool raises(BlockId block) const {
    for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
      if (!f_.insts[i].dead && (op_info(f_.insts[i].op).flags & op_flags::RAISES)) return true;
    return false;
  }

  // Where a jump to `block` ends up.
  BlockId thread(BlockId block) const {
    for (int steps = 0; steps < 16; ++steps) {
      const Block& b = f_.blocks[block];
      if (b.param_count != 0 || b.first != b.last || b.first == kNoInst) return block;
      const Inst& only = f_.insts[b.first];
      if (only.op != op_jump || only.arg_count != 0 || only.target[0] == block) return block;
      block = only.target[0];
    }
    return block;
  }

  void thread_jumps() {
    for (BlockId block : order_) {
      Inst& last = f_.terminator(block);
      bool defines = last.result != kNoRef;  // its first target holds its results: not to be shared
      f_.each_target(last, [&](BlockId& target) {
        if (!(defines && &target == &last.target[0])) target = thread(target);
      });
      if (last.target[0] != kNoBlock && last.target[0] == last.target[1] && last.result == kNoRef &&
          (op_info(last.op).flags & (op_flags::RAISES | op_flags::SAFE)) == 0) {
        last.op = op_jump;
        last.arg_count = 0;
        last.target[1] = kNoBlock;
      }
    }
  }

  // Parameters that every way in gives the same value. True when something changed.
  bool replace_params() {
    constexpr Ref kVaries = kNoRef - 1;
    given_.assign(f_.value_count, kNoRef);
    for (BlockId block : order_) {
      const Inst& last = f_.terminator(block);
      if (last.op != op_jump && last.op != op_loop) continue;
      const Block& target = f_.blocks[last.target[0]];
      for (uint32_t i = 0; i < target.param_count; ++i) {
        Ref param = target.first_param + i;
        Ref arg = resolve(f_.operands[last.args + i]);
        if (arg == param) continue;
        if (given_[param] == kNoRef)
          given_[param] = arg;
        else if (given_[param] != arg)
          given_[param] = kVaries;
      }
    }
    bool changed = false;
    for (BlockId block : order_) {
      const Block& b = f_.blocks[block];
      for (uint32_t i = 0; i < b.param_count; ++i) {
        Ref param = b.first_param + i;
        if (subst_[param] != kNoRef || given_[param] == kNoRef || given_[param] == kVaries) continue;
        Ref root = resolve(given_[param]);
        if (root == param) continue;
        subst_[param] = root;
        changed = true;
      }
    }
    return changed;
  }

  void merge_blocks() {
    for (BlockId block : order_) {
      while (true) {
        Block& b = f_.blocks[block];
        if (b.first == kNoInst) break;
        Inst& last = f_.insts[b.last];
        if (last.op != op_jump) break;
        BlockId next = last.target[0];
        Block& n = f_.blocks[next];
        if (next == block || pred_count_[next] != 1 || n.first == kNoInst) break;
        if (n.handler != b.handler || n.handler_kind != b.handler_kind) {
          if (n.handler != kNoBlock) break;
          if (b.handler != kNoBlock && raises(next)) break;
        }
        for (uint32_t i = 0; i < n.param_count; ++i) {
          Ref arg = resolve(f_.operands[last.args + i]);
          if (subst_[n.first_param + i] == kNoRef && arg != n.first_param + i) subst_[n.first_param + i] = arg;
        }
        last.dead = true;
        last.next = n.first;
        b.last = n.last;
        n.first = n.last = kNoInst;
      }
    }
  }

  void rewrite_operands() {
    for (BlockId block : order_)
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
        if (!f_.insts[i].dead)
          for (Ref& ref : f_.args(f_.insts[i])) ref = resolve(ref);
  }

  void remove_dead() {
    uses_.assign(f_.value_count, 0);
    std::vector<InstId> def(f_.value_count, kNoInst);
    std::vector<InstId> candidates;
    for (BlockId block : order_) {
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next) {
        const Inst& inst = f_.insts[i];
        if (inst.dead) continue;
        for (Ref ref : f_.args(inst))
          if (is_value(ref)) ++uses_[ref];
        if (!op_shape(inst.op).removable) continue;
        for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) def[inst.result + r] = i;
        candidates.push_back(i);
      }
    }
    while (!candidates.empty()) {
      Inst& inst = f_.insts[candidates.back()];
      candidates.pop_back();
      if (inst.dead) continue;
      bool used = false;
      for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) used |= uses_[inst.result + r] != 0;
      if (used) continue;
      inst.dead = true;
      for (Ref ref : f_.args(inst))
        if (is_value(ref) && --uses_[ref] == 0 && def[ref] != kNoInst) candidates.push_back(def[ref]);
    }
  }

  // Arguments for parameters nobody reads need not be computed or moved.
  void drop_dead_params() {
    for (BlockId block : order_) {
      if (f_.blocks[block].first == kNoInst) continue;
      Inst& last = f_.terminator(block);
      if (last.op != op_jump && last.op != op_loop) continue;
      const Block& target = f_.blocks[last.target[0]];
      for (uint32_t i = 0; i < target.param_count; ++i) {
        Ref param = target.first_param + i;
        if (subst_[param] != kNoRef || uses_[param] == 0) f_.operands[last.args + i] = kNoRef;
      }
    }
  }

  IrFunction& f_;
  ConstTable& consts_;
  std::vector<Ref> subst_;
  std::vector<Ref> given_;
  std::vector<uint32_t> pred_count_;
  std::vector<uint32_t> uses_;
  std::vector<BlockId> order_;
};

}  // namespace

void simplify(IrFunction& function, ConstTable& consts) { Simplifier(function, consts).run(); }

}  // namespace quelea::compiler
