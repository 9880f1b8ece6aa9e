// From the core to bytecode.
//
// Four passes over a function, all linear but for what live maps cost:
//
//   1. order and legalise (legalize.cpp): blocks in reverse post-order with the true side of a test
//   next; constants that
//      an operation cannot hold get a `load`, operations with a small constant become their `_imm`
//      form.
//   2. liveness (liveness.cpp): for each block the values that are live into it, found from the end
//   upwards in sets that share what they have in common (live_sets.h), so that the cost is what
//   changes; then, in each block, which operands are last uses.
//   3. slots (slots.cpp): the function is in SSA form, so going through the blocks in dominance
//   order and giving each
//      value a slot that no live value holds needs no backtracking. Slots are plenty; the art is in
//      the choice: a value that will be an argument is put where the call wants it, one that goes
//      to a block parameter where that lies. Safe points get their live maps, calls their base,
//      runs of building instructions one `alloc`.
//   4. emission (emit.cpp): instructions, parallel moves where hints did not work out, lines,
//   exception ranges.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/codegen/live_sets.h"
#include "compiler/core/ir.h"
#include "compiler/core/lower.h"
#include "vm/code/assembler.h"

namespace quelea::compiler {

inline constexpr uint32_t kMaxFunctionSlots = 60000;

class CodeGenerator {
 public:
  explicit CodeGenerator(ModuleContext& context)
      : context_(context), consts_(context.consts), assembler_(context.image) {}

  void generate(IrFunction& function);
  // What the sets of living values took, for tests.
  size_t live_size() const { return live_sets_.size(); }

 private:
  static constexpr uint32_t kNoSlot = 0;  // slot 0 is the return address
  static constexpr uint32_t kNoIndex = 0xffffffffu;

  // Passes --------------------------------------------------------------------
  void order_blocks();
  void legalize();
  void legalize_inst(InstId id, InstId before, BlockId block);
  void use_immediate(Inst& inst);
  void find_liveness();
  void collect_uses();
  LiveSet live_out(BlockId block);
  bool flow_through(BlockId block);
  void find_last_uses();
  void block_last_uses(BlockId block);
  void hint_operands(InstId id, BlockId block, uint32_t base);
  void hint_arguments(InstId id, BlockId block, uint32_t first, uint32_t base);
  bool is_living(Ref value, BlockId block) const {
    return stamp_[value] == order_index_[block] + 1 || live_sets_.contains(live_out_, value);
  }
  void leave_behind(const Inst& inst, BlockId block);
  uint32_t expected_base() const;
  void allocate();
  void allocate_block(BlockId block);
  void enter_block(BlockId block);
  void allocate_inst(InstId id, BlockId block, bool& open_credit, InstId& credit_head);
  void drop_empty_blocks();
  void emit_function();

  // Slots ---------------------------------------------------------------------
  bool occupied(uint32_t slot) const {
    return slot / 64 < occupied_.size() && (occupied_[slot / 64] >> slot % 64 & 1) != 0;
  }
  void occupy(uint32_t slot, Ref value);
  void release(uint32_t slot) {
    occupied_[slot / 64] &= ~(uint64_t{1} << slot % 64);
    held_ = live_sets_.erase(held_, holder_[slot]);
  }
  uint32_t lowest_free() const;
  uint32_t highest_occupied() const;
  uint32_t occupied_up_to(uint32_t slot) const;
  bool is_loop_head(BlockId block) const;
  uint32_t choose_slot(Ref value, uint32_t position, BlockId block);
  uint32_t window_slot(Ref value, uint32_t position, BlockId block);
  uint32_t tentative_base(InstId call, uint32_t position, BlockId block);
  void give(Ref value, uint32_t slot);
  void give_results(Ref first, uint32_t count, uint32_t position, BlockId block);
  void need_slots(uint32_t count) {
    if (count > frame_slots_) frame_slots_ = count;
  }
  // Slots up to the end of a call's window. A frame that ends there needs no check of its room when
  // the call has returned; natives, and calls that find out what they call, may want one more.
  static uint32_t window_end(const Inst& inst, uint32_t base) {
    const bool known = inst.op == op_call || inst.op == op_call_ext;
    const bool with_object = inst.op == op_call_fun || inst.op == op_call_dyn;
    return base + 1 + inst.arg_count - with_object + (known ? 0 : 1);
  }
  uint32_t save_live();
  bool lives_past(Ref value, uint32_t position, BlockId block) const {
    return death_block_[value] != block || death_position_[value] > position;
  }

  // Emission ------------------------------------------------------------------
  struct Move {
    uint32_t to;
    Ref constant;   // or
    uint32_t from;  // a slot
  };
  Slot slot(Ref value) const { return {slots_[value]}; }
  quelea::Value operand(Ref ref);
  void emit_block(size_t position);
  void emit_inst(InstId id, BlockId next);
  void emit_call(const Inst& inst, InstId id);
  void emit_tail_call(const Inst& inst);
  void emit_jump(const Inst& inst, InstId id, BlockId next);
  bool emit_uncons(const Inst& test, BlockId next);
  void emit_test(const Inst& inst, InstId id, BlockId next);
  void emit_switch(const Inst& inst);
  void emit_operands(const Inst& inst, InstId id);
  void emit_alloc(InstId id);
  void emit_moves(std::vector<Move>& moves, uint32_t scratch_above);
  void add_move(std::vector<Move>& moves, uint32_t to, Ref from);
  void emit_ranges();
  void set_line(const Inst& inst);
  InlineRef inlined(uint32_t site);
  void load_live(uint32_t saved);
  Label label(BlockId block);

  ModuleContext& context_;
  ConstTable& consts_;
  Assembler assembler_;
  IrFunction* f_ = nullptr;

  std::vector<BlockId> order_;
  std::vector<uint32_t> order_index_;  // by block; kNoIndex: not reached
  std::vector<uint32_t> pred_first_;   // by block: [pred_first_[b], pred_first_[b + 1]) in preds_
  std::vector<BlockId> preds_;
  std::vector<BlockId> def_block_;  // by value
  LiveSets live_sets_;
  std::vector<LiveSet> live_in_;  // by block
  std::vector<BlockId> worklist_;

  std::vector<uint8_t> last_use_;  // by operand
  LiveSet live_out_ = 0;           // of the block that is walked
  std::vector<uint32_t> stamp_;    // by value: the block whose walk saw it live besides
  struct Hint {
    InstId inst = kNoInst;  // a call, with `slot` its argument's number
    uint32_t wish = 0;      // where that argument will probably be, for values of other blocks
    uint32_t slot = 0;      // or a fixed slot
    Ref param = kNoRef;     // or a block parameter
    BlockId block = kNoBlock;
  };
  std::vector<Hint> hints_;  // by value
  // Going up through a block: how many values live here, and those of them that wait for a call.
  struct Waiting {
    Ref value;
    uint32_t wish;
  };
  uint32_t living_ = 0;
  std::vector<Waiting> waiting_;
  std::vector<uint32_t> position_;        // by instruction, in order of emission
  std::vector<uint32_t> death_position_;  // by value, within death_block_
  std::vector<BlockId> death_block_;

  std::vector<uint32_t> slots_;  // by value
  std::vector<uint32_t>
      param_wish_;  // by value: the slot an argument for this parameter already has
  std::vector<uint64_t> occupied_;
  LiveSet held_ = 0;            // the values in occupied slots
  std::vector<Ref> holder_;     // by slot
  std::vector<uint32_t> base_;  // by instruction: of calls
  std::vector<uint32_t> live_;  // by instruction: of safe points, in live_words_: count, then words
  std::vector<uint64_t> live_words_;
  std::vector<uint32_t> credit_;   // by instruction: words of the alloc before it
  std::vector<InstId> entry_def_;  // by block: the test whose results exist from here on
  std::vector<uint8_t> used_;      // by value: somebody reads it
  InstId call_scan_ = kNoInst;     // where the walk through the current block is
  uint32_t frame_slots_ = 1;
  uint32_t allocated_slots_ = 1;  // slots that values have; those above are for moves

  std::vector<BlockId> forward_;  // by block: where to go instead
  std::vector<Label> labels_;     // by block
  std::vector<uint8_t> has_label_;
  std::vector<Move> moves_;
  LiveMap live_map_;
  Label end_label_;
  uint32_t line_offset_ = kNoIndex, line_ = 0;
  std::vector<InlineRef> inline_refs_;  // by site; 0: not in the image yet
};

}  // namespace quelea::compiler
