// Inlining happens while lowering: the body of a small function is lowered in the place of the
// call, with its parameters bound to the arguments, which have been evaluated.
//
// What may be inlined is chosen so that nobody can tell, also not from a trace. The body binds no
// names, so its variables are the parameters alone. Nothing in it raises, but calls in tail
// position, where the function's own frame would be gone anyway: it builds, compares, chooses and
// passes on.
//
// Of a function that calls itself twice, as those that walk trees do, more than half of all calls
// end in a leaf: a clause that only returns something. Where it calls itself, the leaf's clauses
// come before the call, so that only what is no leaf is called. Nothing in those can raise either.
#include "compiler/core/inline.h"

#include <algorithm>

#include "compiler/core/match.h"

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

  // Whether a pattern only looks at what is there.
  bool fits(const Pattern* pattern) {
    if (pattern == nullptr) return true;
    if (--left_ < 0) return false;
    switch (pattern->kind) {
      case PatternKind::kWildcard:
      case PatternKind::kVar:
      case PatternKind::kLiteral:
        return true;
      case PatternKind::kTuple:
        return all_fit(as<const TuplePattern>(pattern)->elements);
      case PatternKind::kList: {
        auto list = as<const ListPattern>(pattern);
        return all_fit(list->elements) && fits(list->tail);
      }
      default:
        return false;
    }
  }
  bool all_fit(std::span<Pattern* const> parts) {
    for (const Pattern* part : parts)
      if (!fits(part)) return false;
    return true;
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

bool is_leaf(const Clause& clause, const Interner& names) {
  Measure measure(names);
  return measure.all_fit(clause.params) && measure.fits(clause.guard, false) &&
         measure.fits(clause.body, false);
}

size_t clauses_to_leaf(const FunctionDef& function, const Interner& names) {
  constexpr size_t kMaxClauses = 4;
  size_t found = 0;
  for (size_t i = 0; i < std::min(function.clauses.size(), kMaxClauses); ++i) {
    const Clause& clause = *function.clauses[i];
    Measure measure(names);
    if (!measure.all_fit(clause.params) || !measure.fits(clause.guard, false)) break;
    if (is_leaf(clause, names)) found = i + 1;
  }
  return found;
}

bool is_tree_recursive(IrFunction& f) {
  // From each call of itself, whether another is reached. Functions with more calls are not small.
  constexpr size_t kMaxCalls = 8;
  std::vector<BlockId> calling;
  for (BlockId block = 0; block < f.blocks.size(); ++block)
    for (InstId i = f.blocks[block].first; i != kNoInst; i = f.insts[i].next)
      if (!f.insts[i].dead && f.insts[i].op == op_call && f.insts[i].imm[0] == f.index)
        calling.push_back(block);
  if (calling.size() < 2 || calling.size() > kMaxCalls) return false;
  std::vector<uint8_t> calls(f.blocks.size(), 0);
  for (BlockId block : calling)
    if (calls[block]++ != 0) return true;
  for (BlockId from : calling) {
    std::vector<uint8_t> seen(f.blocks.size(), 0);
    std::vector<BlockId> work{from};
    while (!work.empty()) {
      BlockId block = work.back();
      work.pop_back();
      if (f.blocks[block].last == kNoInst) continue;
      bool found = false;
      f.each_target(f.terminator(block), [&](BlockId& target) {
        found |= calls[target] != 0;
        if (!seen[target]) work.push_back(target);
        seen[target] = 1;
      });
      if (found) return true;
    }
  }
  return false;
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

// A call of the function in itself: its leaves first.
Ref Lowerer::call_behind_leaves(const FunctionDef& function, size_t count,
                                std::span<const Ref> args) {
  std::vector<Ref> env(function.vars.size(), kNoRef);
  env_.swap(env);
  const uint32_t pos = pos_;
  std::vector<MatchArm> arms;
  for (const Clause* clause : std::span(function.clauses).first(count))
    arms.push_back({clause->params, clause->guard});
  Join join = begin_join(Mode::kValue);
  BlockId other = new_block();
  MatchResult result = patterns_->compile(args, arms, other);
  for (size_t i = 0; i < count; ++i) {
    patterns_->enter(result, static_cast<uint32_t>(i));
    if (is_leaf(*function.clauses[i], context_.names))
      branch(join, function.clauses[i]->body);
    else
      jump(other);
  }
  env_.swap(env);
  pos_ = pos;
  start(other);
  branch_value(join, value(op_call, args, function.index));
  return end_join(join);
}

}  // namespace quelea::compiler
