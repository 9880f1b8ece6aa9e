// The core: a function in SSA form, between syntax tree and bytecode.
//
// A function is basic blocks; a block is a chain of instructions whose last one leaves it.
// Operations are those of opcodes.def, so that emission needs no second table, with these
// differences:
//
//   - operands are Refs: values (dense numbers, each defined once) or constants;
//   - blocks have parameters instead of phis; only `jump` and `loop` pass arguments, so a block
//   that a test or a
//     switch leads to has none;
//   - a test's first target is where it falls through (true), the second is where it jumps; what a
//   fallible
//     instruction defines (`map_get`, `bs_int`, …) exists in its first target only, which has no
//     other predecessor;
//   - calls hold their arguments as operands; slots, live maps, moves and `alloc` come with code
//   generation;
//   - a block may have a handler: where control goes when an instruction in it raises.
//
// Everything is in vectors that are reused from function to function; an instruction is 40 bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compiler/core/consts.h"
#include "vm/code/module_image.h"
#include "vm/code/opcodes.h"

namespace quelea::compiler {

// A value or, with the upper bit set, a constant.
using Ref = uint32_t;
inline constexpr Ref kNoRef = 0xffffffffu;
inline constexpr Ref kConstBit = 0x80000000u;
constexpr bool is_const(Ref ref) { return (ref & kConstBit) != 0 && ref != kNoRef; }
constexpr bool is_value(Ref ref) { return (ref & kConstBit) == 0; }
constexpr Ref const_ref(ConstId id) { return id | kConstBit; }
constexpr ConstId const_id(Ref ref) { return ref & ~kConstBit; }

using BlockId = uint32_t;
using InstId = uint32_t;
inline constexpr BlockId kNoBlock = 0xffffffffu;
inline constexpr InstId kNoInst = 0xffffffffu;

struct Inst {
  Op op;
  bool dead = false;
  uint16_t site = 0;         // in IrFunction::sites
  uint32_t result = kNoRef;  // the first; others follow (as many as the operation has D operands)
  uint32_t args = 0;         // in IrFunction::operands
  uint32_t arg_count = 0;
  uint32_t imm[2] = {
      0, 0};  // U, I, B, C, F, E, N, J operands in order; a switch or bs_build: index in its table
  BlockId target[2] = {kNoBlock, kNoBlock};
  uint32_t pos = 0;  // offset in the source, in the body of the site
  InstId next = kNoInst;
};
static_assert(sizeof(Inst) == 40);

// A function's body in the place of its call.
struct InlineSite {
  static constexpr uint16_t kNobody = 0xffff;  // of a tail call: its caller's frame is gone

  uint32_t function;  // in the image's function table
  uint32_t pos;       // of the call
  uint16_t caller;    // the site that the call stands in
};

struct Block {
  InstId first = kNoInst, last = kNoInst;
  Ref first_param = kNoRef;
  uint32_t param_count = 0;
  BlockId handler = kNoBlock;
  ExceptionKind handler_kind = ExceptionKind::Handler;
};

// imm[1] of a `get_elem` says how many elements the tuple has, where that is known (else 0).
//
// In imm[1] of a `bs_rest` whose binary and position are known to be of whole bytes: it cannot
// fail.
inline constexpr uint32_t kRestSurely = 1;

struct SwitchEntry {
  ConstId value;
  BlockId target;
};

struct SegmentInfo {
  uint32_t flags;
  uint32_t unit;
};

// How many values an operation defines, and whether it may be dropped when nobody reads them.
struct OpShape {
  uint8_t results;
  bool removable;
};
const OpShape& op_shape(Op op);
bool is_terminator(Op op);

class IrFunction {
 public:
  std::vector<Inst> insts;
  std::vector<Ref> operands;
  std::vector<Block> blocks;
  std::vector<SwitchEntry> cases;  // a switch has imm[0] = first, imm[1] = count
  std::vector<SegmentInfo>
      segments;  // bs_build, bs_append: imm[0] = first; operands: (bs_append's S), value, size…
  std::vector<InlineSite> sites;  // 0: the function's own code
  uint32_t value_count = 0;

  Symbol name = Symbol::kNone;
  uint32_t index = 0;  // in the image's function table
  uint32_t arity = 0;  // captured values included; parameters are values 0..arity-1
  uint32_t captured = 0;
  bool exported = false;
  uint32_t pos = 0;

  void clear();
  Ref new_value() { return value_count++; }
  BlockId new_block(uint32_t params = 0);
  uint16_t add_site(const InlineSite& site) {
    sites.push_back(site);
    return static_cast<uint16_t>(sites.size() - 1);
  }
  InstId append(BlockId block, const Inst& inst);
  // Copies the operands to the pool.
  uint32_t add_operands(std::span<const Ref> refs);
  std::span<Ref> args(const Inst& inst) { return {operands.data() + inst.args, inst.arg_count}; }
  std::span<const Ref> args(const Inst& inst) const {
    return {operands.data() + inst.args, inst.arg_count};
  }
  std::span<SwitchEntry> switch_cases(const Inst& inst) {
    return {cases.data() + inst.imm[0], inst.imm[1]};
  }
  std::span<const SwitchEntry> switch_cases(const Inst& inst) const {
    return {cases.data() + inst.imm[0], inst.imm[1]};
  }
  Inst& terminator(BlockId block) { return insts[blocks[block].last]; }
  const Inst& terminator(BlockId block) const { return insts[blocks[block].last]; }

  // Calls `visit(BlockId&)` for each successor, the handler not included.
  template <class Visit>
  void each_target(Inst& inst, const Visit& visit) {
    for (BlockId& target : inst.target)
      if (target != kNoBlock) visit(target);
    if (is_switch(inst.op))
      for (SwitchEntry& entry : switch_cases(inst)) visit(entry.target);
  }
  static bool is_switch(Op op) {
    return op == op_switch_imm || op == op_switch_arity || op == op_switch_string;
  }
};

// For tests and debugging: the function as text.
std::string dump(const IrFunction& function, const ConstTable& consts);

}  // namespace quelea::compiler
