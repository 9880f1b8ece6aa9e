#include "compiler/core/ir.h"

#include <array>

namespace quelea::compiler {

namespace {

constexpr std::array<OpShape, kOpCount> make_shapes() {
  std::array<OpShape, kOpCount> shapes{};
  for (unsigned op = 0; op < kOpCount; ++op) {
    const OpInfo& info = op_info(static_cast<Op>(op));
    uint8_t results = 0;
    for (const char* letter = info.operands; *letter; ++letter)
      results += *letter == 'D' || *letter == 'R';
    bool effect =
        (info.flags & (op_flags::RAISES | op_flags::SAFE | op_flags::BRANCH | op_flags::STOP)) != 0;
    shapes[op] = {results, results != 0 && !effect};
  }
  shapes[op_catch].removable = false;
  return shapes;
}

constexpr std::array<OpShape, kOpCount> kShapes = make_shapes();

}  // namespace

const OpShape& op_shape(Op op) { return kShapes[op]; }

bool is_terminator(Op op) { return (op_info(op).flags & (op_flags::BRANCH | op_flags::STOP)) != 0; }

void IrFunction::clear() {
  insts.clear();
  operands.clear();
  blocks.clear();
  cases.clear();
  segments.clear();
  sites.assign(1, {});
  value_count = 0;
}

BlockId IrFunction::new_block(uint32_t params) {
  Block block;
  block.param_count = params;
  if (params != 0) {
    block.first_param = value_count;
    value_count += params;
  }
  blocks.push_back(block);
  return static_cast<BlockId>(blocks.size() - 1);
}

InstId IrFunction::append(BlockId block, const Inst& inst) {
  InstId id = static_cast<InstId>(insts.size());
  insts.push_back(inst);
  Block& b = blocks[block];
  if (b.last == kNoInst)
    b.first = id;
  else
    insts[b.last].next = id;
  b.last = id;
  return id;
}

uint32_t IrFunction::add_operands(std::span<const Ref> refs) {
  uint32_t at = static_cast<uint32_t>(operands.size());
  operands.insert(operands.end(), refs.begin(), refs.end());
  return at;
}

namespace {

std::string const_text(const ConstTable& consts, ConstId id) {
  const Const& c = consts[id];
  switch (c.kind) {
    case ConstKind::kInt:
      return std::to_string(c.value);
    case ConstKind::kAtom:
      return ":" + std::string(consts.text(Symbol(c.value)));
    case ConstKind::kString:
      return "\"" + std::string(c.text) + "\"";
    case ConstKind::kFloat:
      return std::to_string(consts.float_value(id));
    case ConstKind::kEmptyList:
      return "[]";
    default:
      return "const#" + std::to_string(id);
  }
}

std::string ref_text(const ConstTable& consts, Ref ref) {
  if (ref == kNoRef) return "-";
  if (is_const(ref)) return const_text(consts, const_id(ref));
  return "v" + std::to_string(ref);
}

}  // namespace

std::string dump(const IrFunction& function, const ConstTable& consts) {
  std::string out =
      "fn " + std::string(consts.text(function.name)) + "/" + std::to_string(function.arity) + "\n";
  for (BlockId b = 0; b < function.blocks.size(); ++b) {
    const Block& block = function.blocks[b];
    if (block.first == kNoInst) continue;
    out += "b" + std::to_string(b);
    for (uint32_t i = 0; i < block.param_count; ++i)
      out += " v" + std::to_string(block.first_param + i);
    if (block.handler != kNoBlock) out += " handler b" + std::to_string(block.handler);
    out += ":\n";
    for (InstId i = block.first; i != kNoInst; i = function.insts[i].next) {
      const Inst& inst = function.insts[i];
      if (inst.dead) continue;
      out += "  ";
      for (uint32_t r = 0; r < op_shape(inst.op).results && inst.result != kNoRef; ++r)
        out += "v" + std::to_string(inst.result + r) +
               (r + 1 < op_shape(inst.op).results ? ", " : " = ");
      out += op_info(inst.op).name;
      for (Ref ref : function.args(inst)) out += " " + ref_text(consts, ref);
      out += " #" + std::to_string(inst.imm[0]) + "," + std::to_string(inst.imm[1]);
      for (BlockId target : inst.target)
        if (target != kNoBlock) out += " b" + std::to_string(target);
      if (IrFunction::is_switch(inst.op))
        for (const SwitchEntry& entry : function.switch_cases(inst))
          out += " " + const_text(consts, entry.value) + "->b" + std::to_string(entry.target);
      out += "\n";
    }
  }
  return out;
}

}  // namespace quelea::compiler
