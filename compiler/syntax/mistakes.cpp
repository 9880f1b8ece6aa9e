// What is valid and surely not meant: it binds where a comparison was wanted, or raises whenever it
// is reached.
#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

namespace {

bool is_text(const Expr* e) { return e->kind == ExprKind::kString || e->kind == ExprKind::kInterp; }
bool is_number(const Expr* e) { return e->kind == ExprKind::kInt || e->kind == ExprKind::kFloat; }
bool is_list(const Expr* e) { return e->kind == ExprKind::kList || e->kind == ExprKind::kListComp; }
// What never is a number.
bool is_no_number(const Expr* e) {
  return is_text(e) || is_list(e) || e->kind == ExprKind::kAtom || e->kind == ExprKind::kTuple ||
         e->kind == ExprKind::kMap;
}

}  // namespace

// `if x = 1`: without parentheses that is a comparison with one `=` too few.
void Resolver::warn_condition(const Expr* condition, size_t first_binding) {
  if (condition->kind != ExprKind::kMatch || (condition->flags & kParenthesised) != 0) return;
  const MatchExpr* binding = as<const MatchExpr>(condition);
  const PatternKind kind = binding->pattern->kind;
  const bool compares = kind == PatternKind::kVar || kind == PatternKind::kLiteral;
  std::string left = short_text(binding->pattern->span), right = short_text(binding->value->span);
  if (left.empty() || right.empty()) {
    left = compares ? "a" : "pattern";
    right = "b";
  }
  const std::string meant = compares ? "a comparison is `" + left + " == " + right
                                     : "a pattern is tested by `" + right + " is " + left;
  report(DiagCode::W0314, condition->span, "this binds, and does not compare",
         meant + "`; parentheses around it say that it is meant to bind");
  // More about the same names would only lead astray.
  for (size_t i = first_binding; i < bindings_.size(); ++i) {
    bindings_[i].read = true;
    if (bindings_[i].shadows != kNone) bindings_[bindings_[i].shadows].read = true;
  }
}

void Resolver::warn_operands(const BinaryExpr* e) {
  switch (e->op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kIntDiv:
    case BinaryOp::kRem:
      for (const Expr* side : {e->lhs, e->rhs}) {
        if (!is_no_number(side)) continue;
        std::string_view hint;
        if (e->op == BinaryOp::kAdd && is_text(side))
          hint = "text is joined by `a <> b`, or put into a string: `\"${a}\"`";
        if (e->op == BinaryOp::kAdd && is_list(side)) hint = "lists are joined by `a ++ b`";
        return report(DiagCode::W0315, side->span, "this is no number, and raises here",
                      std::string(hint));
      }
      return;
    case BinaryOp::kAppend:
      if (!is_text(e->lhs) && !is_number(e->lhs)) return;
      return report(DiagCode::W0315, e->lhs->span, "this is no list, and raises here",
                    is_text(e->lhs) ? "`++` joins lists, `a <> b` text" : "");
    case BinaryOp::kConcat:
      for (const Expr* side : {e->lhs, e->rhs}) {
        if (!is_number(side) && !is_list(side)) continue;
        return report(DiagCode::W0315, side->span, "this is no text, and raises here",
                      is_list(side) ? "lists are joined by `a ++ b`"
                                    : "numbers go into a string: `\"${a}\"`");
      }
      return;
    default:
      return;
  }
}

// `Name = value`: an atom on the left, where a variable was wanted.
void Resolver::warn_module_pattern(const MatchExpr* e) {
  const LiteralPattern* literal = dyn_as<const LiteralPattern>(e->pattern);
  if (literal == nullptr || literal->literal->kind != ExprKind::kModule) return;
  const std::string name = text(as<const ModuleExpr>(literal->literal)->name);
  report(DiagCode::W0316, e->pattern->span,
         "`" + name + "` is the name of a module here, and no variable",
         "a variable's name begins with a small letter");
}

}  // namespace quelea::compiler
