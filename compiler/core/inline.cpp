// Inlining happens while lowering: the body of a small function is lowered in the place of the
// call, with its parameters bound to the arguments, which have been evaluated.
//
// What may be inlined is chosen so that nobody can tell. The body binds no names, so its variables
// are the parameters alone. A call in it stands in tail position, where the function's own frame
// would be gone anyway, or is a prelude function that guards may use. What is left is that an
// operator that raises shows its own line, but the caller's name, in the trace.
#include "compiler/core/inline.h"

namespace quelea::compiler {

namespace {

// Nodes of the body. Larger ones gain little and make the callers grow.
constexpr int kMaxNodes = 16;

bool is_guard_native(std::string_view name, size_t arity) {
  enum Flags { GUARD = 1, PURE = 2, BLOCKING = 4 };
  struct Native {
    std::string_view name;
    uint32_t arity;
    int flags;
  };
  static constexpr Native kNatives[] = {
#define NATIVE(module, name, arity, symbol, flags) {#name, arity, flags},
#include "vm/code/natives/prelude.def"
#undef NATIVE
  };
  for (const Native& native : kNatives)
    if (native.arity == arity && native.name == name) return (native.flags & GUARD) != 0;
  return false;
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
      case ExprKind::kUnary:
        return fits(as<const UnaryExpr>(e)->operand, false);
      case ExprKind::kBinary: {
        auto binary = as<const BinaryExpr>(e);
        return fits(binary->lhs, false) && fits(binary->rhs, false);
      }
      case ExprKind::kLogical: {
        auto logical = as<const LogicalExpr>(e);
        return fits(logical->lhs, false) && fits(logical->rhs, is_tail);
      }
      case ExprKind::kField:
        return fits(as<const FieldExpr>(e)->object, false);
      case ExprKind::kElement:
        return fits(as<const ElementExpr>(e)->object, false);
      case ExprKind::kIndex: {
        auto index = as<const IndexExpr>(e);
        return fits(index->object, false) && fits(index->key, false);
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
        return fits(choice->condition, false) && fits(choice->then_branch, is_tail) &&
               fits(choice->else_branch, is_tail);
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
      case TargetKind::kRemote:
        return is_tail && all_fit(call->args);
      case TargetKind::kPrelude:
        return is_guard_native(names_.text(call->target.name), call->args.size()) &&
               all_fit(call->args);
      default:
        return false;
    }
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
