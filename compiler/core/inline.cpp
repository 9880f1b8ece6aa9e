// Inlining happens while lowering: the body of a small function is lowered in the place of the
// call, with its parameters bound to the arguments, which have been evaluated.
//
// What may be inlined is chosen so that nobody can tell, also not from a trace. The body binds no
// names, so its variables are the parameters alone. Nothing in it raises, but calls in tail
// position, where the function's own frame would be gone anyway: it builds, compares, chooses and
// passes on.
#include "compiler/core/inline.h"

namespace quelea::compiler {

namespace {

// Nodes of the body. Larger ones gain little and make the callers grow.
constexpr int kMaxNodes = 16;

bool is_comparison(BinaryOp op) {
  switch (op) {
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kExactEqual:
    case BinaryOp::kExactNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual:
      return true;
    default:
      return false;
  }
}

class Measure {
 public:
  explicit Measure(const Interner& names) : names_(names) {}

  // Whether `e` is of the simple kind and there is room for it.
  bool fits(const Expr* e, bool is_tail) {
    if (e == nullptr) return true;
    if (--left_ < 0) return false;
    switch (e->kind) {
      case ExprKind::kInt:
      case ExprKind::kFloat:
      case ExprKind::kAtom:
      case ExprKind::kModule:
      case ExprKind::kString:
        return true;
      case ExprKind::kName:
        return as<const NameExpr>(e)->var != VarId::kNone;
      case ExprKind::kBinary: {
        auto binary = as<const BinaryExpr>(e);
        return is_comparison(binary->op) && fits(binary->lhs, false) && fits(binary->rhs, false);
      }
      case ExprKind::kLogical: {
        auto logical = as<const LogicalExpr>(e);
        return is_boolean(logical->lhs) && fits(logical->lhs, false) && fits(logical->rhs, is_tail);
      }
      case ExprKind::kTuple:
        return all_fit(as<const TupleExpr>(e)->elements);
      case ExprKind::kList: {
        auto list = as<const ListExpr>(e);
        return all_fit(list->elements) && fits(list->tail, false);
      }
      case ExprKind::kBlock: {
        auto statements = as<const BlockExpr>(e)->statements;
        return statements.size() == 1 && fits(statements[0], is_tail);
      }
      case ExprKind::kIf: {
        auto choice = as<const IfExpr>(e);
        return is_boolean(choice->condition) && fits(choice->condition, false) &&
               fits(choice->then_branch, is_tail) && fits(choice->else_branch, is_tail);
      }
      case ExprKind::kCall:
        return call_fits(as<const CallExpr>(e), is_tail);
      default:
        return false;
    }
  }

 private:
  bool all_fit(std::span<Expr* const> parts) {
    for (const Expr* part : parts)
      if (!fits(part, false)) return false;
    return true;
  }

  bool call_fits(const CallExpr* call, bool is_tail) {
    switch (call->target.kind) {
      case TargetKind::kFunction:
        return is_tail && all_fit(call->args);
      case TargetKind::kRemote:
        return is_tail &&
               !is_native(names_.text(call->target.module), names_.text(call->target.name),
                          call->args.size()) &&
               all_fit(call->args);
      case TargetKind::kPrelude:
        return is_type_test(call) && fits(call->args[0], false);
      default:
        return false;
    }
  }

  // A type test of one argument never raises.
  bool is_type_test(const CallExpr* call) const {
    return call->target.kind == TargetKind::kPrelude && call->args.size() == 1 &&
           names_.text(call->target.name).substr(0, 3) == "is_";
  }

  // Surely true or false: what else stands where a boolean is wanted raises.
  bool is_boolean(const Expr* e) const {
    if (e->kind == ExprKind::kBinary) return is_comparison(as<const BinaryExpr>(e)->op);
    return e->kind == ExprKind::kCall && is_type_test(as<const CallExpr>(e));
  }

  const Interner& names_;
  int left_ = kMaxNodes;
};

}  // namespace

const Clause* inline_clause(const FunctionDef& function, const Interner& names) {
  if (function.kind != FunctionKind::kFunction && function.kind != FunctionKind::kDefaults)
    return nullptr;
  if (function.clauses.size() != 1 || function.clauses[0]->guard != nullptr) return nullptr;
  const Clause* clause = function.clauses[0];
  for (const Pattern* param : clause->params) {
    if (param->kind == PatternKind::kWildcard) continue;
    auto name = dyn_as<const VarPattern>(param);
    if (name == nullptr || name->repeat) return nullptr;
  }
  return Measure(names).fits(clause->body, true) ? clause : nullptr;
}

Ref Lowerer::lower_inlined(const FunctionDef& function, const Clause& clause,
                           std::span<const Ref> args, Mode mode) {
  std::vector<Ref> env(function.vars.size(), kNoRef);
  for (size_t i = 0; i < args.size(); ++i)
    if (auto name = dyn_as<const VarPattern>(clause.params[i]))
      env[static_cast<uint32_t>(name->var)] = args[i];
  std::vector<Lifted*> known(function.vars.size(), nullptr);
  env_.swap(env);
  known_.swap(known);
  const uint32_t pos = pos_;
  ++inline_depth_;
  Ref result = lower(clause.body, mode);
  --inline_depth_;
  pos_ = pos;
  env_.swap(env);
  known_.swap(known);
  return result;
}

}  // namespace quelea::compiler
