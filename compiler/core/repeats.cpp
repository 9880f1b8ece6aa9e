// What is computed or tested again though a way that leads here has done so already.
//
// Values are never changed, so an operation on the same operands gives the same value; one that
// might raise has not, where control came past it. A test that was made before is decided by the
// edge that was taken. Blocks are visited down the tree of dominators with what is known on the
// way.
#include <unordered_map>
#include <vector>

#include "compiler/core/flow_graph.h"
#include "compiler/core/simplify.h"

namespace quelea::compiler {

namespace {

struct Key {
  Op op;
  uint32_t imm[2];
  Ref args[2];
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    constexpr size_t kMix = 0x9e3779b97f4a7c15u;
    size_t hash = key.op;
    for (uint32_t part : {key.imm[0], key.imm[1], key.args[0], key.args[1]})
      hash = (hash ^ part) * kMix;
    return hash;
  }
};

// Whether what the operation gives hangs on its operands alone and is worth keeping.
bool is_repeatable(Op op) {
  switch (op) {
    case op_get_head:
    case op_get_tail:
    case op_get_elem:
    case op_elem:
    case op_add:
    case op_sub:
    case op_mul:
    case op_fdiv:
    case op_idiv:
    case op_rem:
    case op_band:
    case op_bor:
    case op_bxor:
    case op_bsl:
    case op_bsr:
      return true;
    default:
      return false;
  }
}

bool is_plain_test(const Inst& inst) {
  const unsigned flags = op_info(inst.op).flags;
  return (flags & op_flags::BRANCH) != 0 && (flags & (op_flags::STOP | op_flags::SAFE)) == 0 &&
         inst.result == kNoRef && inst.op != op_recv_peek && inst.arg_count != 0 &&
         inst.arg_count <= 2;
}

// The test that a test is the opposite of, or itself.
Op positive(Op op, bool& negated) {
  negated = true;
  switch (op) {
    case op_ne_imm:
      return op_eq_imm;
    case op_ne:
      return op_eq;
    case op_ne_num:
      return op_eq_num;
    case op_ge:
      return op_lt;
    case op_ge_imm:
      return op_lt_imm;
    case op_gt_imm:
      return op_le_imm;
    default:
      negated = false;
      return op;
  }
}

class Repeats {
 public:
  explicit Repeats(IrFunction& function) : f_(function) {}

  // True when something was found.
  bool run() {
    for (const Block& block : f_.blocks)
      if (block.handler != kNoBlock) return false;  // what was done before a raise is not known
    graph_.build(f_);
    subst_.assign(f_.value_count, kNoRef);
    children_first_.assign(f_.blocks.size() + 1, 0);
    collect_children();
    walk();
    return found_;
  }

 private:
  static constexpr Ref kNo = 0, kYes = 1;

  void collect_children() {
    const std::vector<BlockId>& order = graph_.order();
    for (size_t i = 1; i < order.size(); ++i) ++children_first_[graph_.dominator(order[i]) + 1];
    for (size_t i = 1; i < children_first_.size(); ++i)
      children_first_[i] += children_first_[i - 1];
    children_.resize(children_first_.back());
    std::vector<uint32_t> at(children_first_.begin(), children_first_.end() - 1);
    for (size_t i = 1; i < order.size(); ++i)
      children_[at[graph_.dominator(order[i])]++] = order[i];
  }

  void walk() {
    struct Frame {
      BlockId block;
      uint32_t next;   // in children_
      size_t learned;  // how much was known before
    };
    std::vector<Frame> stack;
    auto push = [&](BlockId block) {
      stack.push_back({block, children_first_[block], learned_.size()});
      learn_from_edge(block);
      visit(block);
    };
    push(0);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next < children_first_[top.block + 1]) {
        push(children_[top.next++]);
        continue;
      }
      while (learned_.size() > top.learned) {
        known_.erase(learned_.back());
        learned_.pop_back();
      }
      stack.pop_back();
    }
  }

  Key key_of(const Inst& inst) const {
    Key key{inst.op, {inst.imm[0], inst.imm[1]}, {kNoRef, kNoRef}};
    if (inst.op == op_get_elem) key.imm[1] = 0;  // not a part of what it does
    for (uint32_t i = 0; i < inst.arg_count; ++i) key.args[i] = f_.args(inst)[i];
    return key;
  }

  // False when it was known.
  bool learn(const Key& key, Ref what) {
    if (!known_.emplace(key, what).second) return false;
    learned_.push_back(key);
    return true;
  }

  // Where one edge alone leads here, the test at its beginning has been decided.
  void learn_from_edge(BlockId block) {
    if (graph_.preds(block).size() != 1) return;
    const Inst& test = f_.terminator(graph_.preds(block)[0]);
    if (!is_plain_test(test) || test.target[0] == test.target[1]) return;
    bool negated;
    Key key = key_of(test);
    key.op = positive(test.op, negated);
    learn(key, (test.target[0] == block) != negated ? kYes : kNo);
  }

  void visit(BlockId block) {
    for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next) {
      Inst& inst = f_.insts[i];
      if (inst.dead) continue;
      for (Ref& ref : f_.args(inst))
        if (is_value(ref) && subst_[ref] != kNoRef) ref = subst_[ref];
      if (is_repeatable(inst.op)) {
        const Key key = key_of(inst);
        if (learn(key, inst.result)) continue;
        subst_[inst.result] = known_[key];
        inst.dead = found_ = true;
      } else if (is_plain_test(inst)) {
        decide(inst);
      }
    }
  }

  void decide(Inst& test) {
    bool negated;
    Key key = key_of(test);
    key.op = positive(test.op, negated);
    auto known = known_.find(key);
    if (known == known_.end()) return;
    const BlockId target = test.target[(known->second == kYes) != negated ? 0 : 1];
    test.op = op_jump;
    test.arg_count = 0;
    test.target[0] = target;
    test.target[1] = kNoBlock;
    found_ = true;
  }

  IrFunction& f_;
  FlowGraph graph_;
  std::vector<uint32_t> children_first_;  // by block, in the tree of dominators
  std::vector<BlockId> children_;
  std::vector<Ref> subst_;
  std::unordered_map<Key, Ref, KeyHash> known_;  // values; of tests kYes or kNo
  std::vector<Key> learned_;                     // in this order
  bool found_ = false;
};

}  // namespace

bool drop_repeats(IrFunction& function) { return Repeats(function).run(); }

}  // namespace quelea::compiler
