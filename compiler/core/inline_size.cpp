// What is small enough to come in the place of a call.
#include <algorithm>

#include "compiler/core/inline.h"
#include "compiler/syntax/parts.h"

namespace quelea::compiler {

namespace {

// Nodes of clauses. Larger ones gain little and make the callers grow.
constexpr int kMaxNodes = 32;
constexpr int kMaxLeafNodes = 16;
// Of a function whose first ones are leaves, or that is inlined.
constexpr size_t kMaxClauses = 4;

bool is_comparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }

// Counts the nodes of what may come in the place of a call. Of a leaf, what may raise is no part.
class Measure {
 public:
  Measure(const Interner& names, const FunctionDef& function, bool is_leaf = false)
      : names_(names),
        function_(function),
        is_leaf_(is_leaf),
        left_(is_leaf ? kMaxLeafNodes : kMaxNodes) {}

  int left() const { return left_; }

  // `is_tail`: where the value of the whole comes from.
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
        return as<const NameExpr>(e)->var != VarId::kNone || !is_leaf_;
      case ExprKind::kTuple:
      case ExprKind::kList:
        return parts_fit(e);
      case ExprKind::kBinary:
        return (is_comparison(as<const BinaryExpr>(e)->op) || !is_leaf_) && parts_fit(e);
      case ExprKind::kLogical: {
        auto logical = as<const LogicalExpr>(e);
        return condition_fits(logical->lhs) && fits(logical->rhs, is_tail);
      }
      case ExprKind::kBlock: {
        auto statements = as<const BlockExpr>(e)->statements;
        return all_of(statements, [&](const Expr* statement) {
          return fits(statement, is_tail && statement == statements.back());
        });
      }
      case ExprKind::kIf: {
        auto choice = as<const IfExpr>(e);
        return condition_fits(choice->condition) && fits(choice->then_branch, is_tail) &&
               fits(choice->else_branch, is_tail);
      }
      case ExprKind::kCall:
        return call_fits(as<const CallExpr>(e), is_tail);
      default:
        return !is_leaf_ && what_raises_fits(e, is_tail);
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
        return !is_leaf_ && deep_pattern_fits(pattern);
    }
  }
  bool all_fit(std::span<Pattern* const> parts) {
    return all_of(parts, [&](const Pattern* part) { return fits(part); });
  }

 private:
  template <class Range, class Test>
  static bool all_of(const Range& range, const Test& test) {
    return std::all_of(range.begin(), range.end(), test);
  }
  bool all_fit(std::span<Expr* const> parts) {
    return all_of(parts, [&](const Expr* part) { return fits(part, false); });
  }
  bool fields_fit(std::span<const PatternField> fields) {
    return all_of(fields, [&](const PatternField& field) { return fits(field.value); });
  }
  bool deep_pattern_fits(const Pattern* pattern) {
    switch (pattern->kind) {
      case PatternKind::kRange:
        return true;
      case PatternKind::kPin:
        return fits(as<const PinPattern>(pattern)->value, false);
      case PatternKind::kMap:
        return fields_fit(as<const MapPattern>(pattern)->fields);
      case PatternKind::kStruct:
        return fields_fit(as<const StructPattern>(pattern)->fields);
      case PatternKind::kBin:
        return all_of(as<const BinPattern>(pattern)->segments, [&](const Segment& segment) {
          return fits(segment.pattern) && fits(segment.size, false);
        });
      case PatternKind::kPrefix:
        return fits(as<const PrefixPattern>(pattern)->rest);
      case PatternKind::kAs:
        return fits(as<const AsPattern>(pattern)->pattern);
      case PatternKind::kAlt:
        return all_fit(as<const AltPattern>(pattern)->alternatives);
      default:
        return false;
    }
  }

  // Of operators and data.
  bool parts_fit(const Expr* e) {
    bool good = true;
    return visit_parts(e, [&](const Expr* part) { good = good && fits(part, false); }) && good;
  }

  bool what_raises_fits(const Expr* e, bool is_tail) {
    switch (e->kind) {
      case ExprKind::kUnary:
      case ExprKind::kMap:
      case ExprKind::kField:
      case ExprKind::kElement:
      case ExprKind::kIndex:
      case ExprKind::kBin:
        return parts_fit(e);
      case ExprKind::kInterp:
        return all_fit(as<const InterpExpr>(e)->parts);
      case ExprKind::kMatch:
        return fits(as<const MatchExpr>(e)->pattern) && fits(as<const MatchExpr>(e)->value, false);
      case ExprKind::kIs:
        return fits(as<const IsExpr>(e)->pattern) && fits(as<const IsExpr>(e)->value, false);
      case ExprKind::kCase: {
        auto choice = as<const CaseExpr>(e);
        return fits(choice->subject, false) && all_of(choice->arms, [&](const Arm& arm) {
                 return fits(arm.pattern) && fits(arm.guard, false) && fits(arm.body, is_tail);
               });
      }
      default:
        return false;
    }
  }

  bool call_fits(const CallExpr* call, bool is_tail) {
    const Target& target = call->target;
    switch (target.kind) {
      case TargetKind::kFunction:
        return !is_leaf_ && target.function != &function_ && all_fit(call->args);
      case TargetKind::kRemote:
        return !is_leaf_ && (!is_tail || ends_as_known(call, names_.text(target.module))) &&
               all_fit(call->args);
      case TargetKind::kPrelude:
        return (!is_leaf_ || is_type_test(call)) &&
               (!is_tail || is_intrinsic(names_.text(target.name), call->args.size()) ||
                ends_as_known(call, "Prelude")) &&
               all_fit(call->args);
      default:
        return !is_leaf_ && !is_tail && fits(target.object, false) && all_fit(call->args);
    }
  }

  // A native may go on as a call of something else, unless it only computes.
  bool ends_as_known(const CallExpr* call, std::string_view module) const {
    const std::string_view name = names_.text(call->target.name);
    const uint32_t count = static_cast<uint32_t>(call->args.size());
    return !is_native(module, name, count) || is_pure_native(module, name, count);
  }

  // A type test of one argument never raises.
  bool is_type_test(const CallExpr* call) const {
    return call->target.kind == TargetKind::kPrelude && call->args.size() == 1 &&
           names_.text(call->target.name).substr(0, 3) == "is_";
  }

  // What is not surely true or false may raise where a boolean is wanted.
  bool condition_fits(const Expr* e) {
    const bool surely = e->kind == ExprKind::kBinary
                            ? is_comparison(as<const BinaryExpr>(e)->op)
                            : e->kind == ExprKind::kCall && is_type_test(as<const CallExpr>(e));
    return (surely || !is_leaf_) && fits(e, false);
  }

  const Interner& names_;
  const FunctionDef& function_;
  bool is_leaf_;
  int left_;
};

}  // namespace

uint32_t inline_size(const FunctionDef& function, const Interner& names) {
  if (function.kind != FunctionKind::kFunction && function.kind != FunctionKind::kDefaults)
    return 0;
  if (function.clauses.size() > kMaxClauses) return 0;
  Measure measure(names, function);
  for (const Clause* clause : function.clauses)
    if (!measure.all_fit(clause->params) || !measure.fits(clause->guard, false) ||
        !measure.fits(clause->body, true))
      return 0;
  return static_cast<uint32_t>(kMaxNodes - measure.left()) + 1;
}

bool is_leaf(const FunctionDef& function, const Clause& clause, const Interner& names) {
  Measure measure(names, function, true);
  return measure.all_fit(clause.params) && measure.fits(clause.guard, false) &&
         measure.fits(clause.body, false);
}

size_t clauses_to_leaf(const FunctionDef& function, const Interner& names) {
  size_t found = 0;
  for (size_t i = 0; i < std::min(function.clauses.size(), kMaxClauses); ++i) {
    const Clause& clause = *function.clauses[i];
    Measure measure(names, function, true);
    if (!measure.all_fit(clause.params) || !measure.fits(clause.guard, false)) break;
    if (is_leaf(function, clause, names)) found = i + 1;
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

}  // namespace quelea::compiler
