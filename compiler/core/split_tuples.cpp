// Tuples that go round in a loop only to be taken apart again.
//
//   for x in xs with (least, sum) = (x0, 0) { (min(least, x), sum + x) }
//
// A block parameter is split where every way into the block passes a tuple of one size that is
// built for it (or a parameter that is split itself), and where it is only ever tested, taken
// apart, returned, or shown by a raise. Its elements become parameters of their own, and the tuples
// are dead.
#include <algorithm>
#include <vector>

#include "compiler/core/simplify.h"

namespace quelea::compiler {

namespace {

constexpr uint32_t kMaxElements = 8;

class TupleSplitter {
 public:
  TupleSplitter(IrFunction& function, ConstTable& consts) : f_(function), consts_(consts) {}

  bool run() {
    if (!collect()) return false;
    while (drop_bad()) {
    }
    bool any = false;
    for (BlockId block : blocks_)
      for (uint32_t i = 0; i < f_.blocks[block].param_count; ++i)
        any |= is_candidate(f_.blocks[block].first_param + i);
    if (!any) return false;
    make_params();
    rewrite();
    return true;
  }

 private:
  static constexpr uint8_t kUnknown = 0, kNever = 255;

  bool is_candidate(Ref ref) const {
    return is_value(ref) && ref < sizes_.size() && sizes_[ref] != kUnknown && sizes_[ref] != kNever;
  }

  // The size of the tuple that an argument is known to be; kUnknown for a parameter still in
  // question.
  uint8_t size_of(Ref arg) const {
    if (is_const(arg)) {
      const Const& c = consts_[const_id(arg)];
      bool good = c.kind == ConstKind::kTuple && c.count >= 1 && c.count <= kMaxElements;
      return good ? static_cast<uint8_t>(c.count) : kNever;
    }
    if (!is_value(arg)) return kNever;
    if (is_param_[arg]) return sizes_[arg];
    const Inst* made = def(arg);
    bool good = made != nullptr && made->op == op_tuple && made->arg_count <= kMaxElements;
    return good ? static_cast<uint8_t>(made->arg_count) : kNever;
  }

  const Inst* def(Ref ref) const { return defs_[ref] == kNoInst ? nullptr : &f_.insts[defs_[ref]]; }

  template <class Visit>
  void each_inst(const Visit& visit) {
    for (BlockId block : blocks_)
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
        if (!f_.insts[i].dead) visit(f_.insts[i], i, block);
  }
  template <class Visit>
  void each_argument(const Visit& visit) {
    for (BlockId block : blocks_) {
      const Inst& last = f_.terminator(block);
      if (last.op != op_jump && last.op != op_loop) continue;
      const Block& to = f_.blocks[last.target[0]];
      for (uint32_t i = 0; i < to.param_count; ++i)
        visit(to.first_param + i, f_.operands[last.args + i]);
    }
  }

  void find_blocks() {
    std::vector<uint8_t> seen(f_.blocks.size(), 0);
    blocks_.assign(1, 0);
    seen[0] = 1;
    auto visit = [&](BlockId target) {
      if (seen[target] || f_.blocks[target].first == kNoInst) return;
      seen[target] = 1;
      blocks_.push_back(target);
    };
    for (size_t i = 0; i < blocks_.size(); ++i) {
      BlockId block = blocks_[i];
      f_.each_target(f_.terminator(block), [&](BlockId& target) { visit(target); });
      if (f_.blocks[block].handler != kNoBlock) visit(f_.blocks[block].handler);
    }
  }

  // First guesses: the size of any tuple that is passed. False when there is nothing to do.
  bool collect() {
    find_blocks();
    sizes_.assign(f_.value_count, kUnknown);
    is_param_.assign(f_.value_count, 0);
    defs_.assign(f_.value_count, kNoInst);
    bool tuples = false;
    for (BlockId block : blocks_)
      for (uint32_t i = 0; i < f_.blocks[block].param_count; ++i)
        is_param_[f_.blocks[block].first_param + i] = 1;
    each_inst([&](const Inst& inst, InstId id, BlockId) {
      tuples |= inst.op == op_tuple;
      if (inst.result != kNoRef) defs_[inst.result] = id;
    });
    if (!tuples) return false;
    for (int round = 0; round < 4; ++round)
      each_argument([&](Ref param, Ref arg) {
        uint8_t size = size_of(arg);
        if (arg != param && size != kUnknown && sizes_[param] == kUnknown) sizes_[param] = size;
      });
    return true;
  }

  // Takes back what does not hold. True when something changed.
  bool drop_bad() {
    bool changed = false;
    auto refuse = [&](Ref param) {
      if (!is_candidate(param)) return;
      sizes_[param] = kNever;
      changed = true;
    };
    each_argument([&](Ref param, Ref arg) {
      if (is_candidate(param) && size_of(arg) != sizes_[param]) refuse(param);
      if (is_candidate(arg) && sizes_[arg] != sizes_[param]) refuse(arg);
    });
    each_inst([&](const Inst& inst, InstId, BlockId block) {
      if (inst.op == op_jump || inst.op == op_loop || inst.op == op_ret) return;
      bool takes_apart = inst.op == op_get_elem || inst.op == op_is_tuple ||
                         inst.op == op_is_tuple_n || inst.op == op_is_tagged_tuple;
      bool raises = f_.terminator(block).op == op_raise;
      for (Ref ref : f_.args(inst)) {
        if (!is_candidate(ref)) continue;
        bool in_bounds = inst.op != op_get_elem || inst.imm[0] < sizes_[ref];
        if ((!takes_apart && !raises) || !in_bounds) refuse(ref);
      }
    });
    return changed;
  }

  // New parameters for all blocks that have split ones: a block's parameters lie together.
  void make_params() {
    elements_.assign(f_.value_count, kNoRef);
    renamed_.assign(f_.value_count, kNoRef);
    old_.resize(f_.blocks.size());
    for (BlockId block : blocks_) {
      Block& b = f_.blocks[block];
      old_[block] = {b.first_param, b.param_count};
      uint32_t extra = 0;
      bool any = false;
      for (uint32_t i = 0; i < b.param_count; ++i) {
        bool split = is_candidate(b.first_param + i);
        any |= split;
        extra += split ? sizes_[b.first_param + i] - 1u : 0;
      }
      if (!any) continue;
      Ref next = f_.value_count;
      Ref first = next;
      f_.value_count += b.param_count + extra;
      for (uint32_t i = 0; i < b.param_count; ++i) {
        Ref param = b.first_param + i;
        if (is_candidate(param)) {
          elements_[param] = next;
          next += sizes_[param];
        } else {
          renamed_[param] = next++;
        }
      }
      b.first_param = first;
      b.param_count += extra;
    }
  }

  Ref element(Ref tuple, uint32_t index) {
    if (is_candidate(tuple)) return elements_[tuple] + index;
    if (is_const(tuple)) return const_ref(consts_.children(const_id(tuple))[index]);
    return f_.args(*def(tuple))[index];
  }

  Ref rename(Ref ref) const {
    return is_value(ref) && ref < renamed_.size() && renamed_[ref] != kNoRef ? renamed_[ref] : ref;
  }

  // The tuple after all, where it is returned or shown.
  Ref rebuild(Ref param, InstId before, InstId id, BlockId block) {
    std::vector<Ref> parts;
    for (uint32_t i = 0; i < sizes_[param]; ++i) parts.push_back(elements_[param] + i);
    Inst tuple{.op = op_tuple};
    tuple.args = f_.add_operands(parts);
    tuple.arg_count = static_cast<uint32_t>(parts.size());
    tuple.result = f_.new_value();
    tuple.pos = f_.insts[id].pos;
    tuple.next = id;
    InstId at = static_cast<InstId>(f_.insts.size());
    f_.insts.push_back(tuple);
    if (before == kNoInst)
      f_.blocks[block].first = at;
    else
      f_.insts[before].next = at;
    return tuple.result;
  }

  void rewrite_jump(InstId id) {
    BlockId target = f_.insts[id].target[0];
    std::vector<Ref> args;
    for (uint32_t i = 0; i < old_[target].count; ++i) {
      Ref param = old_[target].first + i;
      Ref arg = f_.operands[f_.insts[id].args + i];
      if (!is_candidate(param)) {
        args.push_back(arg);
        continue;
      }
      for (uint32_t k = 0; k < sizes_[param]; ++k) args.push_back(element(arg, k));
    }
    f_.insts[id].args = f_.add_operands(args);
    f_.insts[id].arg_count = static_cast<uint32_t>(args.size());
  }

  void rewrite_inst(InstId id, InstId& before, BlockId block) {
    Op op = f_.insts[id].op;
    if ((op == op_jump || op == op_loop) && f_.insts[id].target[0] != kNoBlock)
      return rewrite_jump(id);
    Ref first = f_.insts[id].arg_count != 0 ? f_.args(f_.insts[id])[0] : kNoRef;
    if (is_candidate(first)) {
      Inst& inst = f_.insts[id];
      uint32_t size = sizes_[first];
      BlockId decided = kNoBlock;
      switch (op) {
        case op_get_elem:
          renamed_.resize(f_.value_count, kNoRef);
          renamed_[inst.result] = elements_[first] + inst.imm[0];
          inst.dead = true;
          return;
        case op_is_tuple:
          decided = inst.target[0];
          break;
        case op_is_tuple_n:
          decided = inst.target[inst.imm[0] == size ? 0 : 1];
          break;
        case op_is_tagged_tuple:
          if (inst.imm[0] != size) {
            decided = inst.target[1];
            break;
          }
          inst.op = op_eq_imm;
          f_.args(inst)[0] = elements_[first];
          inst.imm[0] = inst.imm[1];
          return;
        default:
          break;
      }
      if (decided != kNoBlock) {
        inst.op = op_jump;
        inst.arg_count = 0;
        inst.target[0] = decided;
        inst.target[1] = kNoBlock;
        return;
      }
    }
    for (uint32_t i = 0; i < f_.insts[id].arg_count; ++i) {
      Ref ref = f_.operands[f_.insts[id].args + i];
      if (!is_candidate(ref)) continue;
      Ref tuple = rebuild(ref, before, id, block);
      before = static_cast<InstId>(f_.insts.size() - 1);
      f_.operands[f_.insts[id].args + i] = tuple;
    }
  }

  void rewrite() {
    for (BlockId block : blocks_) {
      InstId before = kNoInst;
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next) {
        if (!f_.insts[i].dead) rewrite_inst(i, before, block);
        before = i;
      }
    }
    // Elements may be parameters, or elements, that have new names themselves.
    for (Ref& ref : f_.operands)
      for (int steps = 0; steps < 64 && rename(ref) != ref; ++steps) ref = rename(ref);
  }

  struct Params {
    Ref first;
    uint32_t count;
  };
  IrFunction& f_;
  ConstTable& consts_;
  std::vector<BlockId> blocks_;
  std::vector<uint8_t> sizes_;     // by value: of candidates
  std::vector<uint8_t> is_param_;  // by value
  std::vector<InstId> defs_;       // by value
  std::vector<Ref> elements_;      // by value: the first of the parameters for its elements
  std::vector<Ref> renamed_;       // by value
  std::vector<Params> old_;        // by block
};

}  // namespace

bool split_tuples(IrFunction& function, ConstTable& consts) {
  return TupleSplitter(function, consts).run();
}

}  // namespace quelea::compiler
