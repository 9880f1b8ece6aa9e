#include "compiler/core/simplify.h"

#include <vector>

namespace quelea::compiler {

namespace {

BinaryOp arithmetic_of(Op op) {
  switch (op) {
    case op_add:
      return BinaryOp::kAdd;
    case op_sub:
      return BinaryOp::kSub;
    case op_mul:
      return BinaryOp::kMul;
    case op_fdiv:
      return BinaryOp::kDiv;
    case op_idiv:
      return BinaryOp::kIntDiv;
    case op_rem:
      return BinaryOp::kRem;
    case op_band:
      return BinaryOp::kBitAnd;
    case op_bor:
      return BinaryOp::kBitOr;
    case op_bxor:
      return BinaryOp::kBitXor;
    case op_bsl:
      return BinaryOp::kShiftLeft;
    default:
      return BinaryOp::kShiftRight;
  }
}

// Jumps to jumps are threaded, blocks with one way in are joined to it, block parameters that are
// always given the same value are replaced by it, and instructions whose results nobody reads are
// dropped, until nothing of it is left; each pass is linear.
class Simplifier {
 public:
  Simplifier(IrFunction& function, ConstTable& consts, bool is_tree)
      : f_(function), consts_(consts), is_tree_(is_tree) {}

  void run() {
    make_self_calls_loops();
    fold_anew();
    constexpr int kMaxDepth = 3;  // of tuples in tuples
    for (int depth = 0; depth < kMaxDepth && split_tuples(f_, consts_); ++depth) fold_anew();
    remove_dead();
    take_shortcuts();
    drop_dead_params();
    thread_jumps();
    find_reachable();
    join_tag_tests();
  }

 private:
  // What is known on some of the ways only: joins are split for them, and what they have done is
  // not done again.
  void take_shortcuts() {
    if (!split_paths(f_, is_tree_)) return;
    fold_anew();
    if (drop_repeats(f_)) fold_anew();
    remove_dead();
  }

  // With nothing replaced yet.
  void fold_anew() {
    subst_.assign(f_.value_count, kNoRef);
    find_reachable();
    thread_jumps();
    find_reachable();
    fold();
  }

  void fold() {
    constexpr int kMaxRounds = 4;
    for (int again = 0; again < kMaxRounds; ++again) {
      for (int round = 0; round < kMaxRounds && replace_params(); ++round) {
      }
      merge_blocks();
      if (!rewrite_operands()) break;
      find_reachable();
      thread_jumps();
      find_reachable();
    }
  }

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

  // A tail call of the function itself is a loop: its body becomes a block whose parameters are the
  // function's, so that those which every call passes on unchanged need not be moved or saved, and
  // the frame is checked once.
  void make_self_calls_loops() {
    bool any = false;
    for (const Inst& inst : f_.insts) any |= inst.op == op_tail_call && inst.imm[0] == f_.index;
    if (!any) return;
    BlockId head = f_.new_block(f_.arity);
    Ref first = f_.blocks[head].first_param;
    for (Ref& ref : f_.operands)
      if (is_value(ref) && ref < f_.arity) ref += first;
    for (Inst& inst : f_.insts) {
      if (inst.op != op_tail_call || inst.imm[0] != f_.index) continue;
      inst.op = op_loop;
      inst.target[0] = head;
    }
    f_.blocks[head].first = f_.blocks[0].first;
    f_.blocks[head].last = f_.blocks[0].last;
    f_.blocks[head].handler = f_.blocks[0].handler;
    f_.blocks[0].first = f_.blocks[0].last = kNoInst;
    Inst jump{.op = op_jump};
    jump.target[0] = head;
    jump.pos = f_.pos;
    std::vector<Ref> params;
    for (uint32_t i = 0; i < f_.arity; ++i) params.push_back(i);
    jump.args = f_.add_operands(params);
    jump.arg_count = f_.arity;
    f_.append(0, jump);
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
      InstId id = b.first;
      while (id != kNoInst && f_.insts[id].dead) id = f_.insts[id].next;
      if (b.param_count != 0 || id == kNoInst) return block;
      const Inst& only = f_.insts[id];
      if (only.op != op_jump || only.target[0] == block || !passes_nothing(only)) return block;
      block = only.target[0];
    }
    return block;
  }

  // All its arguments are for parameters that nobody reads.
  bool passes_nothing(const Inst& jump) const {
    for (Ref ref : f_.args(jump))
      if (ref != kNoRef) return false;
    return true;
  }

  void thread_jumps() {
    for (BlockId block : order_) {
      if (f_.blocks[block].first == kNoInst) continue;  // joined to another
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
        if (subst_[param] != kNoRef || given_[param] == kNoRef || given_[param] == kVaries)
          continue;
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
          if (subst_[n.first_param + i] == kNoRef && arg != n.first_param + i)
            subst_[n.first_param + i] = arg;
        }
        last.dead = true;
        last.next = n.first;
        b.last = n.last;
        n.first = n.last = kNoInst;
      }
    }
  }

  // Operands get what their values were replaced by; what is known at once is folded. True when a
  // test was decided.
  bool rewrite_operands() {
    defs_.assign(f_.value_count, kNoInst);
    bool decided = false, replaced = false;
    for (BlockId block : order_) {
      for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next) {
        Inst& inst = f_.insts[i];
        if (inst.dead) continue;
        for (Ref& ref : f_.args(inst)) ref = resolve(ref);
        if (inst.result != kNoRef) defs_[inst.result] = i;
        if (Ref part = known_part(inst); part != kNoRef) {
          subst_[inst.result] = part;
          inst.dead = replaced = true;
        } else if (inst.target[1] != kNoBlock) {
          decided |= decide(inst);
        }
      }
    }
    // An argument of a back edge may have been replaced after it was seen.
    if (replaced)
      for (BlockId block : order_)
        for (InstId i = f_.blocks[block].first; i != kNoInst; i = f_.insts[i].next)
          for (Ref& ref : f_.args(f_.insts[i])) ref = resolve(ref);
    return decided;
  }

  const Inst* def(Ref ref) const {
    if (!is_value(ref) || defs_[ref] == kNoInst) return nullptr;
    const Inst& inst = f_.insts[defs_[ref]];
    return inst.result == ref ? &inst : nullptr;
  }

  // The tuple of which all elements are put together again in order.
  Ref same_tuple(const Inst& inst) {
    Ref whole = kNoRef;
    for (uint32_t i = 0; i < inst.arg_count; ++i) {
      const Inst* element = def(f_.args(inst)[i]);
      if (element == nullptr || element->op != op_get_elem) return kNoRef;
      if (element->imm[0] != i || element->imm[1] != inst.arg_count) return kNoRef;
      if (i != 0 && f_.args(*element)[0] != whole) return kNoRef;
      whole = f_.args(*element)[0];
    }
    return whole;
  }

  // What an operation on constants gives.
  Ref fold_inst(const Inst& inst) {
    std::span<const Ref> args = f_.args(inst);
    std::vector<ConstId> ids;
    for (Ref arg : args) {
      if (!is_const(arg)) return inst.op == op_tuple ? same_tuple(inst) : kNoRef;
      ids.push_back(const_id(arg));
    }
    if (inst.op == op_tuple) {
      const ConstId tuple = consts_.tuple(ids);
      return consts_[tuple].weight <= kMaxConstWeight ? const_ref(tuple) : kNoRef;
    }
    const ConstId folded = consts_.binary(arithmetic_of(inst.op), ids[0], ids[1]);
    return folded != kNoConst ? const_ref(folded) : kNoRef;
  }

  // The value of a part of a tuple or cell that is a constant or was built here.
  Ref known_part(const Inst& inst) {
    if (inst.op == op_cons) {
      // `[x | rest]` of what was taken apart as `[x | rest]`.
      const Inst* head = def(f_.args(inst)[0]);
      const Inst* tail = def(f_.args(inst)[1]);
      bool same = head != nullptr && tail != nullptr && head->op == op_get_head &&
                  tail->op == op_get_tail && f_.args(*head)[0] == f_.args(*tail)[0];
      return same ? f_.args(*head)[0] : kNoRef;
    }
    if (can_fold(inst.op)) return fold_inst(inst);
    if (inst.op != op_get_elem && inst.op != op_get_head && inst.op != op_get_tail &&
        inst.op != op_elem)
      return kNoRef;
    Ref whole = f_.args(inst)[0];
    bool element = inst.op == op_get_elem || inst.op == op_elem;
    if (is_const(whole)) {
      const Const& c = consts_[const_id(whole)];
      std::span<const ConstId> parts = consts_.children(const_id(whole));
      if (element)
        return c.kind == ConstKind::kTuple && inst.imm[0] < c.count ? const_ref(parts[inst.imm[0]])
                                                                    : kNoRef;
      if (c.kind != ConstKind::kList) return kNoRef;
      if (inst.op == op_get_head) return const_ref(parts[0]);
      if (c.count == 2) return const_ref(parts[1]);
      constexpr uint32_t kShort =
          32;  // else a loop over a long constant would copy it at every step
      if (c.count > kShort) return kNoRef;
      std::vector<ConstId> rest(parts.begin() + 1, parts.end() - 1);
      return const_ref(consts_.list(rest, parts.back()));
    }
    const Inst* made = def(whole);
    if (made == nullptr) return kNoRef;
    std::span<const Ref> parts = f_.args(*made);
    if (element)
      return made->op == op_tuple && inst.imm[0] < parts.size() ? parts[inst.imm[0]] : kNoRef;
    if (made->op == op_list && inst.op == op_get_head) return parts[0];
    if (made->op != op_cons) return kNoRef;
    return parts[inst.op == op_get_head ? 0 : 1];
  }

  enum class Answer : uint8_t { kYes, kNo, kUnknown };
  static Answer answer(bool yes) { return yes ? Answer::kYes : Answer::kNo; }

  Answer test_const(const Inst& inst, ConstId id) const {
    const Const& c = consts_[id];
    ConstKind kind = c.kind;
    switch (inst.op) {
      case op_is_int:
        return answer(consts_.is_integer(id));
      case op_is_float:
        return answer(kind == ConstKind::kFloat);
      case op_is_number:
        return answer(consts_.is_number(id));
      case op_is_atom:
        return answer(kind == ConstKind::kAtom);
      case op_is_bool:
        return answer(consts_.is_atom(id, "true") || consts_.is_atom(id, "false"));
      case op_is_binary:
        return answer(kind == ConstKind::kString);
      case op_is_bits:
        return answer(kind == ConstKind::kString || kind == ConstKind::kBits);
      case op_is_cons:
        return answer(kind == ConstKind::kList);
      case op_is_list:
        return answer(kind == ConstKind::kList || kind == ConstKind::kEmptyList);
      case op_is_tuple:
        return answer(kind == ConstKind::kTuple);
      case op_is_tuple_n:
        return answer(kind == ConstKind::kTuple && c.count == inst.imm[0]);
      case op_is_tagged_tuple:
        return answer(kind == ConstKind::kTuple && c.count == inst.imm[0] &&
                      consts_.children(id)[0] == inst.imm[1]);
      case op_is_map:
        return answer(kind == ConstKind::kMap);
      case op_is_pid:
      case op_is_ref:
        return Answer::kNo;
      case op_is_fun:
        return answer(kind == ConstKind::kExport);
      case op_is_fun_n:
        return answer(kind == ConstKind::kExport && c.arity == inst.imm[0]);
      case op_eq_imm:
        return answer(id == inst.imm[0]);
      case op_ne_imm:
        return answer(id != inst.imm[0]);
      case op_lt_imm:
      case op_ge_imm:
      case op_gt_imm:
      case op_le_imm: {
        if (!consts_.is_number(id)) return Answer::kUnknown;
        int order = consts_.compare_numbers(id, inst.imm[0]);
        if (inst.op == op_lt_imm) return answer(order < 0);
        if (inst.op == op_ge_imm) return answer(order >= 0);
        return answer(inst.op == op_gt_imm ? order > 0 : order <= 0);
      }
      case op_eq: {
        Ref other = f_.args(inst)[1];
        if (!is_const(other)) return Answer::kUnknown;
        if (const_id(other) == id) return Answer::kYes;
        return consts_.is_immediate(id) || consts_.is_immediate(const_id(other)) ? Answer::kNo
                                                                                 : Answer::kUnknown;
      }
      case op_test_true:
        if (consts_.is_atom(id, "true")) return Answer::kYes;
        return consts_.is_atom(id, "false") ? Answer::kNo : Answer::kUnknown;
      default:
        return Answer::kUnknown;
    }
  }

  // A test of what an instruction of this function built.
  Answer test_built(const Inst& inst, const Inst& made) const {
    bool tuple = made.op == op_tuple, cell = made.op == op_cons || made.op == op_list;
    if (!tuple && !cell) return Answer::kUnknown;
    switch (inst.op) {
      case op_is_tuple:
        return answer(tuple);
      case op_is_tuple_n:
        return answer(tuple && made.arg_count == inst.imm[0]);
      case op_is_tagged_tuple: {
        if (!tuple || made.arg_count != inst.imm[0]) return Answer::kNo;
        Ref tag = f_.args(made)[0];
        return is_const(tag) ? answer(const_id(tag) == inst.imm[1]) : Answer::kUnknown;
      }
      case op_is_cons:
      case op_is_list:
        return answer(cell);
      case op_is_int:
      case op_is_float:
      case op_is_number:
      case op_is_atom:
      case op_is_bits:
      case op_is_binary:
      case op_is_map:
      case op_eq_imm:
        return Answer::kNo;
      default:
        return Answer::kUnknown;
    }
  }

  bool decide(Inst& inst) {
    Answer known = Answer::kUnknown;
    Ref subject = inst.arg_count != 0 ? f_.args(inst)[0] : kNoRef;
    if (IrFunction::is_switch(inst.op)) return decide_switch(inst, subject);
    if (is_const(subject))
      known = test_const(inst, const_id(subject));
    else if (const Inst* made = def(subject); made != nullptr)
      known = test_built(inst, *made);
    if (known == Answer::kUnknown) return false;
    BlockId target = inst.target[known == Answer::kYes ? 0 : 1];
    become_jump(inst, target);
    return true;
  }

  bool decide_switch(Inst& inst, Ref subject) {
    if (!is_const(subject)) return false;
    const Const& c = consts_[const_id(subject)];
    BlockId target = inst.target[1];
    for (const SwitchEntry& entry : f_.switch_cases(inst)) {
      bool hit = inst.op == op_switch_arity
                     ? c.kind == ConstKind::kTuple && consts_[entry.value].value == c.count
                     : entry.value == const_id(subject);
      if (hit) target = entry.target;
    }
    become_jump(inst, target);
    return true;
  }

  static void become_jump(Inst& inst, BlockId target) {
    inst.op = op_jump;
    inst.arg_count = 0;
    inst.target[0] = target;
    inst.target[1] = kNoBlock;
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
    drop_unread_results();
    while (!candidates.empty()) {
      Inst& inst = f_.insts[candidates.back()];
      candidates.pop_back();
      if (inst.dead) continue;
      bool used = false;
      for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) used |= uses_[inst.result + r] != 0;
      if (used) continue;
      inst.dead = true;
      for (Ref ref : f_.args(inst))
        if (is_value(ref) && --uses_[ref] == 0 && def[ref] != kNoInst)
          candidates.push_back(def[ref]);
    }
  }

  // A test of a tuple's size and then of its first element, both leading to the same place, is one
  // instruction.
  void join_tag_tests() {
    for (BlockId block : order_) {
      if (f_.blocks[block].first == kNoInst) continue;
      Inst& size = f_.terminator(block);
      if (size.op != op_is_tuple_n || pred_count_[size.target[0]] != 1) continue;
      BlockId next = size.target[0];
      InstId at = f_.blocks[next].first;
      while (at != kNoInst && f_.insts[at].dead) at = f_.insts[at].next;
      if (at == kNoInst || f_.insts[at].op != op_get_elem) continue;
      Inst& element = f_.insts[at];
      Inst& tag = f_.terminator(next);
      bool only = element.next == f_.blocks[next].last && uses_[element.result] == 1;
      if (!only || element.imm[0] != 0 || f_.args(element)[0] != f_.args(size)[0]) continue;
      if (tag.op != op_eq_imm || f_.args(tag)[0] != element.result ||
          tag.target[1] != size.target[1])
        continue;
      size.op = op_is_tagged_tuple;
      size.imm[1] = tag.imm[0];
      size.target[0] = tag.target[0];
      element.dead = true;
    }
  }

  // Fallible instructions whose value nobody reads need only say whether they would succeed.
  void drop_unread_results() {
    for (BlockId block : order_) {
      if (f_.blocks[block].first == kNoInst) continue;
      Inst& last = f_.terminator(block);
      if (last.result == kNoRef || uses_[last.result] != 0) continue;
      if (last.op == op_bs_rest) {
        if (last.imm[0] == 1 || last.imm[1] == kRestSurely)
          become_jump(last, last.target[0]);
        else
          last.op = op_bs_unit;
        last.result = kNoRef;
      } else if (last.op == op_map_get) {
        last.op = op_map_has;
        last.result = kNoRef;
      }
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
  const bool is_tree_;  // it calls itself twice before it returns
  std::vector<Ref> subst_;
  std::vector<Ref> given_;
  std::vector<InstId> defs_;  // by value
  std::vector<uint32_t> pred_count_;
  std::vector<uint32_t> uses_;
  std::vector<BlockId> order_;
};

}  // namespace

bool can_fold(Op op) { return op == op_tuple || (op >= op_add && op <= op_bsr); }

void simplify(IrFunction& function, ConstTable& consts, bool is_tree) {
  Simplifier(function, consts, is_tree).run();
}

}  // namespace quelea::compiler
