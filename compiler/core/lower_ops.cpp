// Operators and conditions.
#include "compiler/core/lower.h"
#include "compiler/core/match.h"

namespace quelea::compiler {

namespace {

bool is_compare(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }

Op arithmetic_op(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return op_add;
    case BinaryOp::kSub:
      return op_sub;
    case BinaryOp::kMul:
      return op_mul;
    case BinaryOp::kDiv:
      return op_fdiv;
    case BinaryOp::kIntDiv:
      return op_idiv;
    case BinaryOp::kRem:
      return op_rem;
    case BinaryOp::kBitAnd:
      return op_band;
    case BinaryOp::kBitOr:
      return op_bor;
    case BinaryOp::kBitXor:
      return op_bxor;
    case BinaryOp::kShiftLeft:
      return op_bsl;
    default:
      return op_bsr;
  }
}

struct TypeTest {
  const char* name;
  Op op;
};
constexpr TypeTest kTypeTests[] = {
    {"is_int", op_is_int},   {"is_float", op_is_float}, {"is_number", op_is_number},
    {"is_atom", op_is_atom}, {"is_bool", op_is_bool},   {"is_binary", op_is_binary},
    {"is_bits", op_is_bits}, {"is_list", op_is_list},   {"is_tuple", op_is_tuple},
    {"is_map", op_is_map},   {"is_pid", op_is_pid},     {"is_ref", op_is_ref},
    {"is_fun", op_is_fun},
};

}  // namespace

// Values ------------------------------------------------------------------------------------------

Ref Lowerer::lower_binary(const BinaryExpr* e) {
  switch (e->op) {
    case BinaryOp::kIn:
    case BinaryOp::kNotIn:
      return boolean(e, Mode::kValue);
    case BinaryOp::kConcat:
      return lower_concat(e);
    case BinaryOp::kAppend:
      // `[a, b] ++ rest` is `[a, b | rest]`.
      if (const ListExpr* list = dyn_as<const ListExpr>(e->lhs);
          list != nullptr && list->tail == nullptr) {
        Values elements;
        for (const Expr* element : list->elements) elements.push_back(expr(element));
        Ref rest = expr(e->rhs);
        if (elements.size() <= 64 || is_const(rest)) return make_list(elements, rest);
        return call_native("Prim", "append",
                           {make_list(elements, const_ref(consts_.empty_list())), rest});
      }
      break;
    default:
      break;
  }
  Ref a = expr(e->lhs);
  Ref b = expr(e->rhs);
  uint32_t outer = pos_;
  pos_ = e->op_span.begin;
  Ref result = binary_op(e->op, a, b);
  pos_ = outer;
  return result;
}

Ref Lowerer::binary_op(BinaryOp op, Ref a, Ref b) {
  if (is_const(a) && is_const(b)) {
    ConstId folded = consts_.binary(op, const_id(a), const_id(b));
    if (folded != kNoConst) return const_ref(folded);
  }
  switch (op) {
    case BinaryOp::kAppend:
      return call_native("Prim", "append", {a, b});
    case BinaryOp::kRange:
      return call_native("Prim", "range", {a, b});
    case BinaryOp::kSend:
      effect(op_send, {a, b});
      return b;
    case BinaryOp::kEqual:
      return value(op_cmp_eq_num, {a, b});
    case BinaryOp::kNotEqual:
      return value(op_cmp_ne_num, {a, b});
    case BinaryOp::kExactEqual:
      return value(op_cmp_eq, {a, b});
    case BinaryOp::kExactNotEqual:
      return value(op_cmp_ne, {a, b});
    case BinaryOp::kLess:
      return value(op_cmp_lt, {a, b});
    case BinaryOp::kGreater:
      return value(op_cmp_lt, {b, a});
    case BinaryOp::kLessEqual:
      return value(op_cmp_ge, {b, a});
    case BinaryOp::kGreaterEqual:
      return value(op_cmp_ge, {a, b});
    default:
      return value(arithmetic_op(op), {a, b});
  }
}

// `a <> b <> c` parses to the right; it is joined from the left, so that a growing `a` is appended
// to in place.
Ref Lowerer::lower_concat(const BinaryExpr* e) {
  Values parts;
  const Expr* rest = e;
  for (const BinaryExpr* at = e; at != nullptr && at->op == BinaryOp::kConcat;
       at = dyn_as<const BinaryExpr>(rest)) {
    parts.push_back(expr(at->lhs));
    rest = at->rhs;
    if ((rest->flags & kParenthesised) != 0) break;
  }
  parts.push_back(expr(rest));
  Ref result = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    ConstId folded = kNoConst;
    if (is_const(result) && is_const(parts[i]))
      folded = consts_.binary(BinaryOp::kConcat, const_id(result), const_id(parts[i]));
    result = folded != kNoConst ? const_ref(folded) : value(op_concat, {result, parts[i]});
  }
  return result;
}

Ref Lowerer::lower_unary(const UnaryExpr* e) {
  if (e->op == UnaryOp::kNot) {
    Ref operand = expr(e->operand);
    if (is_const_atom(operand, "true")) return atom("false");
    if (is_const_atom(operand, "false")) return atom("true");
    return value(op_not_bool, {operand});
  }
  if (const IntExpr* literal = dyn_as<const IntExpr>(e->operand);
      literal && e->op == UnaryOp::kNegate)
    return const_ref(consts_.literal(*literal, true));
  Ref operand = expr(e->operand);
  if (is_const(operand)) {
    ConstId id = const_id(operand);
    ConstId folded = e->op == UnaryOp::kNegate ? consts_.negate(id) : consts_.bit_not(id);
    if (folded != kNoConst) return const_ref(folded);
  }
  return value(e->op == UnaryOp::kNegate ? op_neg : op_bnot, {operand});
}

Ref Lowerer::lower_logical(const LogicalExpr* e, Mode mode) {
  Join join = begin_join(mode);
  BlockId rest = new_block(), known = new_block();
  if (e->is_and)
    cond(e->lhs, rest, known);
  else
    cond(e->lhs, known, rest);
  start(rest);
  branch(join, e->rhs);
  start(known);
  branch_value(join, atom(e->is_and ? "false" : "true"));
  return end_join(join);
}

Ref Lowerer::boolean(const Expr* e, Mode mode) {
  Join join = begin_join(mode);
  BlockId yes = new_block(), no = new_block();
  cond(e, yes, no);
  start(yes);
  branch_value(join, atom("true"));
  start(no);
  branch_value(join, atom("false"));
  return end_join(join);
}

// Conditions --------------------------------------------------------------------------------------

void Lowerer::cond(const Expr* e, BlockId yes, BlockId no) {
  uint32_t outer = pos_;
  pos_ = e->span.begin;
  switch (e->kind) {
    case ExprKind::kLogical: {
      const LogicalExpr* logical = as<LogicalExpr>(e);
      BlockId rest = new_block();
      if (logical->is_and)
        cond(logical->lhs, rest, no);
      else
        cond(logical->lhs, yes, rest);
      start(rest);
      cond(logical->rhs, yes, no);
      break;
    }
    case ExprKind::kUnary:
      if (as<UnaryExpr>(e)->op == UnaryOp::kNot)
        cond(as<UnaryExpr>(e)->operand, no, yes);
      else
        test_value(expr(e), yes, no);
      break;
    case ExprKind::kBinary:
      if (!test_binary(as<BinaryExpr>(e), yes, no)) test_value(expr(e), yes, no);
      break;
    case ExprKind::kCall:
      if (!test_call(as<CallExpr>(e), yes, no)) test_value(expr(e), yes, no);
      break;
    case ExprKind::kIs: {
      const IsExpr* is = as<IsExpr>(e);
      Ref subject = expr(is->value);
      Pattern* pattern = is->pattern;
      MatchArm arm{{&pattern, 1}, nullptr};
      MatchResult result = patterns_->compile({&subject, 1}, {&arm, 1}, no);
      if (patterns_->enter(result, 0)) jump(yes);
      break;
    }
    default:
      test_value(expr(e), yes, no);
  }
  pos_ = outer;
}

void Lowerer::test_value(Ref condition, BlockId yes, BlockId no) {
  if (is_const_atom(condition, "true")) return jump(yes);
  if (is_const_atom(condition, "false")) return jump(no);
  test(op_test_true, {condition}, yes, no);
}

bool Lowerer::test_binary(const BinaryExpr* e, BlockId yes, BlockId no) {
  if (e->op == BinaryOp::kIn) {
    test_in(e, yes, no);
    return true;
  }
  if (e->op == BinaryOp::kNotIn) {
    test_in(e, no, yes);
    return true;
  }
  if (!is_compare(e->op)) return false;
  Ref a = expr(e->lhs);
  Ref b = expr(e->rhs);
  test_compare(e->op, a, b, yes, no);
  return true;
}

void Lowerer::test_compare(BinaryOp op, Ref a, Ref b, BlockId yes, BlockId no) {
  if (is_const(a) && is_const(b)) {
    ConstId folded = consts_.binary(op, const_id(a), const_id(b));
    if (folded != kNoConst) return jump(consts_.is_atom(folded, "true") ? yes : no);
  }
  bool a_small = is_const(a) && consts_.is_small(const_id(a));
  bool b_small = is_const(b) && consts_.is_small(const_id(b));
  switch (op) {
    case BinaryOp::kNotEqual:
      return test_compare(BinaryOp::kEqual, a, b, no, yes);
    case BinaryOp::kExactNotEqual:
      return test_compare(BinaryOp::kExactEqual, a, b, no, yes);
    case BinaryOp::kEqual:
    case BinaryOp::kExactEqual: {
      if (is_const(a)) std::swap(a, b);
      // Numbers apart, == and === are the same.
      bool immediate = is_const(b) && consts_.is_immediate(const_id(b));
      bool exact = op == BinaryOp::kExactEqual || (immediate && !consts_.is_small(const_id(b)));
      if (exact && immediate)
        test(op_eq_imm, {a}, yes, no, const_id(b));
      else
        test(exact ? op_eq : op_eq_num, {a, b}, yes, no);
      return;
    }
    case BinaryOp::kLess:
      if (b_small)
        test(op_lt_imm, {a}, yes, no, const_id(b));
      else if (a_small)
        test(op_gt_imm, {b}, yes, no, const_id(a));
      else
        test(op_lt, {a, b}, yes, no);
      return;
    case BinaryOp::kGreaterEqual:
      if (b_small)
        test(op_ge_imm, {a}, yes, no, const_id(b));
      else if (a_small)
        test(op_le_imm, {b}, yes, no, const_id(a));
      else
        test(op_ge, {a, b}, yes, no);
      return;
    case BinaryOp::kGreater:
      return test_compare(BinaryOp::kLess, b, a, yes, no);
    default:
      return test_compare(BinaryOp::kGreaterEqual, b, a, yes, no);
  }
}

void Lowerer::test_in_range(Ref v, Ref low, Ref high, BlockId yes, BlockId no) {
  // The bounds must be integers, as for the range as a value; the native raises where they are not.
  BlockId bad = kNoBlock;
  for (Ref bound : {low, high}) {
    if (is_const(bound) && consts_.is_integer(const_id(bound))) continue;
    if (bad == kNoBlock) bad = new_block();
    BlockId good = new_block();
    test(op_is_int, {bound}, good, bad);
    start(good);
  }
  BlockId is_int = new_block(), above = new_block();
  test(op_is_int, {v}, is_int, no);
  start(is_int);
  test_compare(BinaryOp::kGreaterEqual, v, low, above, no);
  start(above);
  test_compare(BinaryOp::kLessEqual, v, high, yes, no);
  if (bad == kNoBlock) return;
  start(bad);
  call_native("Prim", "range", {low, high});
  jump(no);
}

void Lowerer::test_in(const BinaryExpr* e, BlockId yes, BlockId no) {
  Ref v = expr(e->lhs);
  if (const BinaryExpr* range = dyn_as<const BinaryExpr>(e->rhs);
      range && range->op == BinaryOp::kRange) {
    Ref low = expr(range->lhs);
    Ref high = expr(range->rhs);
    return test_in_range(v, low, high, yes, no);
  }
  constexpr size_t kMaxChain = 16;
  const ListExpr* list = dyn_as<const ListExpr>(e->rhs);
  if (list != nullptr && list->tail == nullptr && list->elements.size() <= kMaxChain) {
    Values elements;
    for (const Expr* element : list->elements) elements.push_back(expr(element));
    for (Ref element : elements) {
      BlockId next = new_block();
      test_compare(BinaryOp::kExactEqual, v, element, yes, next);
      start(next);
    }
    return jump(no);
  }
  Ref xs = expr(e->rhs);
  test(op_eq_imm, {call_native("Prim", "member", {v, xs})}, yes, no, consts_.boolean(true));
}

// Type tests of the prelude have instructions.
bool Lowerer::test_call(const CallExpr* e, BlockId yes, BlockId no) {
  if (e->target.kind != TargetKind::kPrelude) return false;
  std::string_view name = context_.names.text(e->target.name);
  if (name.size() < 6 || name.substr(0, 3) != "is_") return false;
  if (e->args.size() == 2 && name == "is_fun") {
    const IntExpr* arity = dyn_as<const IntExpr>(e->args[1]);
    if (arity == nullptr || !arity->small || arity->value < 0 || arity->value > 255) return false;
    test(op_is_fun_n, {expr(e->args[0])}, yes, no, static_cast<uint32_t>(arity->value));
    return true;
  }
  if (e->args.size() == 2 && name == "is_map_key") {
    // What is no map is the native's to complain about.
    Ref map = expr(e->args[0]);
    Ref key = expr(e->args[1]);
    BlockId is_map = new_block(), other = new_block();
    test(op_is_map, {map}, is_map, other);
    start(is_map);
    test(op_map_has, {map, key}, yes, no);
    start(other);
    test_value(call_native("Prelude", "is_map_key", {map, key}), yes, no);
    return true;
  }
  if (e->args.size() != 1) return false;
  for (const TypeTest& type : kTypeTests) {
    if (name != type.name) continue;
    test(type.op, {expr(e->args[0])}, yes, no);
    return true;
  }
  return false;
}

}  // namespace quelea::compiler
