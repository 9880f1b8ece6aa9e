// `==` of integers is `===`, which need not look for floats.
//
// Which values are integers: what sizes, bits and division give; sums and products of integers;
// what comes to a block parameter from each of the ways there. The last two are believed until
// something speaks against it, so that what is counted in a loop is one.
#include <algorithm>
#include <string_view>
#include <vector>

#include "compiler/core/simplify.h"

namespace quelea::compiler {

namespace {

constexpr std::string_view kIntegerNatives[] = {"length",    "round",   "trunc",      "floor",
                                                "ceil",      "hash",    "tuple_size", "map_size",
                                                "byte_size", "bit_size"};

class ExactTests {
 public:
  ExactTests(IrFunction& function, ConstTable& consts, const ModuleImage& image)
      : f_(function), consts_(consts), image_(image) {}

  void run() {
    if (std::none_of(f_.insts.begin(), f_.insts.end(), is_numeric_test) || !find_integers()) return;
    for (Inst& inst : f_.insts)
      if (is_numeric_test(inst)) make_exact(inst);
  }

 private:
  static bool is_numeric_test(const Inst& inst) {
    return !inst.dead &&
           (inst.op == op_eq_num || inst.op == op_cmp_eq_num || inst.op == op_cmp_ne_num);
  }

  bool is_integer(Ref ref) const {
    return is_const(ref) ? consts_.is_integer(const_id(ref)) : ref != kNoRef && integer_[ref] != 0;
  }
  bool all_integers(const Inst& inst) const {
    std::span<const Ref> args = f_.args(inst);
    return std::all_of(args.begin(), args.end(), [&](Ref ref) { return is_integer(ref); });
  }

  bool gives_integer(const Inst& inst) const {
    switch (inst.op) {
      case op_add:
      case op_sub:
      case op_mul:
      case op_neg:
        return all_integers(inst);
      case op_idiv:
      case op_rem:
      case op_band:
      case op_bor:
      case op_bxor:
      case op_bnot:
      case op_bsl:
      case op_bsr:
      case op_tuple_size:
      case op_map_size:
      case op_byte_size:
      case op_bit_size:
      case op_bs_int:
      case op_bs_byte:
      case op_bs_utf:
        return true;
      case op_call_native: {
        const ImageImport& native = image_.natives[inst.imm[0]];
        return std::find(std::begin(kIntegerNatives), std::end(kIntegerNatives),
                         image_.names[native.name]) != std::end(kIntegerNatives) &&
               image_.names[native.module] == "Prelude";
      }
      default:
        return false;
    }
  }

  // False when that takes too long.
  bool find_integers() {
    constexpr int kMaxRounds = 8;
    integer_.assign(f_.value_count, 1);
    std::fill_n(integer_.begin(), f_.arity, 0);
    for (int round = 0; round < kMaxRounds; ++round) {
      has_changed_ = false;
      for (const Inst& inst : f_.insts)
        if (!inst.dead) look_at(inst);
      if (!has_changed_) return true;
    }
    return false;
  }

  void look_at(const Inst& inst) {
    if (inst.result != kNoRef && integer_[inst.result] != 0 && !gives_integer(inst))
      for (uint32_t r = 0; r < op_shape(inst.op).results; ++r) deny(inst.result + r);
    if (inst.op != op_jump && inst.op != op_loop) return;
    Ref param = f_.blocks[inst.target[0]].first_param;
    for (Ref ref : f_.args(inst)) {
      if (ref != kNoRef && !is_integer(ref)) deny(param);
      ++param;
    }
  }
  void deny(Ref value) {
    has_changed_ |= integer_[value] != 0;
    integer_[value] = 0;
  }

  void make_exact(Inst& inst) {
    std::span<Ref> args = f_.args(inst);
    if (!all_integers(inst)) return;
    if (inst.op != op_eq_num) {
      inst.op = inst.op == op_cmp_eq_num ? op_cmp_eq : op_cmp_ne;
      return;
    }
    if (is_const(args[0])) std::swap(args[0], args[1]);
    inst.op = op_eq;
    if (!is_const(args[1]) || !consts_.is_small(const_id(args[1]))) return;
    inst.op = op_eq_imm;
    inst.imm[0] = const_id(args[1]);
    inst.arg_count = 1;
  }

  IrFunction& f_;
  ConstTable& consts_;
  const ModuleImage& image_;
  std::vector<uint8_t> integer_;  // by value
  bool has_changed_ = false;
};

}  // namespace

void test_exactly(IrFunction& function, ConstTable& consts, const ModuleImage& image) {
  ExactTests(function, consts, image).run();
}

}  // namespace quelea::compiler
