// Inlining happens while lowering: the body of a small function is lowered in the place of the
// call, with its parameters bound to the arguments, which have been evaluated.
//
// Nobody can tell, also not from a trace. What is lowered for a body carries its site: whose body
// it is, and where the call stood (`InlineSite`); a trace makes frames of that. A call that ends a
// body would have replaced the frame of the body's function, and so would a call that ends the
// function that is lowered have replaced that one's: such a call has the place of the call whose
// frame is left. Where arguments match no clause the function itself is called, and complains.
//
// A body in another one's place is taken for its value, and there a call that ends it returns to
// what is around; so it must be one that surely replaces the frame or never has one. What finds out
// what it calls when it runs (a fun, an impure native) may not end a body.
//
// Of a function that calls itself twice, as those that walk trees do, more than half of all calls
// end in a leaf: a clause that only returns something. Where it calls itself, the leaf's clauses
// come before the call, so that only what is no leaf is called. Nothing in those can raise.
#include "compiler/core/inline.h"

#include <algorithm>

#include "compiler/core/match.h"

namespace quelea::compiler {

namespace {

// A call takes about as many nodes itself. What bodies have more makes a function grow, by so many
// nodes at most.
constexpr uint32_t kCallNodes = 8;
constexpr uint32_t kMaxGrowth = 256;
// Bodies in each other's places.
constexpr int kMaxDepth = 2;

uint32_t growth_by(uint32_t size) { return size > kCallNodes ? size - kCallNodes : 0; }

// Whether `call` is where the value of `body` comes from.
bool ends_in(const Expr* body, const Expr* call) {
  if (body == nullptr || body == call) return body != nullptr;
  switch (body->kind) {
    case ExprKind::kBlock: {
      auto statements = as<const BlockExpr>(body)->statements;
      return !statements.empty() && ends_in(statements.back(), call);
    }
    case ExprKind::kIf:
      return ends_in(as<const IfExpr>(body)->then_branch, call) ||
             ends_in(as<const IfExpr>(body)->else_branch, call);
    case ExprKind::kLogical:
      return ends_in(as<const LogicalExpr>(body)->rhs, call);
    case ExprKind::kCase: {
      auto arms = as<const CaseExpr>(body)->arms;
      return std::any_of(arms.begin(), arms.end(),
                         [&](const Arm& arm) { return ends_in(arm.body, call); });
    }
    default:
      return false;
  }
}

// One clause that takes its arguments as they are.
bool is_plain(const FunctionDef& function) {
  const Clause& clause = *function.clauses[0];
  return function.clauses.size() == 1 && clause.guard == nullptr &&
         std::all_of(clause.params.begin(), clause.params.end(), [](const Pattern* param) {
           auto name = dyn_as<const VarPattern>(param);
           return param->kind == PatternKind::kWildcard || (name != nullptr && !name->repeat);
         });
}

}  // namespace

uint32_t ModuleContext::inline_size(const FunctionDef& function) {
  constexpr uint32_t kUnknown = UINT32_MAX;
  if (inline_sizes_.empty()) inline_sizes_.assign(module.functions.size(), kUnknown);
  uint32_t& size = inline_sizes_[function.index];
  if (size == kUnknown) size = options.inlining ? compiler::inline_size(function, names) : 0;
  return size;
}

bool Lowerer::has_room_for(const FunctionDef& function) const {
  int depth = 0;
  if (&function == def_) return false;
  for (const Inlining* at = inlining_; at != nullptr; at = at->outer)
    if (at->function == &function || ++depth == kMaxDepth) return false;
  const uint32_t size = context_.inline_size(function);
  return size != 0 && growth_ + growth_by(size) <= kMaxGrowth &&
         f_.sites.size() < InlineSite::kNobody;
}

// Whether a call leaves nothing of the body around it, as one that replaces its frame.
bool Lowerer::ends_inlined(const CallExpr* call) const {
  const Target& target = call->target;
  const bool replaces =
      target.kind == TargetKind::kFunction ||
      (target.kind == TargetKind::kRemote &&
       !is_native(context_.names.text(target.module), context_.names.text(target.name),
                  static_cast<uint32_t>(call->args.size())));
  return inlining_ != nullptr && replaces && ends_in(inlining_->body, call);
}

Ref Lowerer::lower_inlined(const FunctionDef& function, std::span<const Ref> args, Mode mode) {
  growth_ += growth_by(context_.inline_size(function));
  const uint16_t caller = mode == Mode::kTail ? InlineSite::kNobody : site_;
  const Place outer{pos_, site_};
  std::vector<Ref> env(function.vars.size(), kNoRef);
  std::vector<Lifted*> known(function.vars.size(), nullptr);
  env_.swap(env);
  known_.swap(known);
  Inlining inlining{&function, nullptr, inlining_};
  inlining_ = &inlining;
  site_ = f_.add_site({function.index, pos_, caller});
  Ref result = lower_inlined_clauses(inlining, args, mode, outer);
  inlining_ = inlining.outer;
  pos_ = outer.pos;
  site_ = outer.site;
  env_.swap(env);
  known_.swap(known);
  return result;
}

Ref Lowerer::lower_inlined_clauses(Inlining& inlining, std::span<const Ref> args, Mode mode,
                                   Place outer) {
  const FunctionDef& function = *inlining.function;
  if (is_plain(function)) {
    const Clause& clause = *function.clauses[0];
    for (size_t i = 0; i < args.size(); ++i)
      if (auto name = dyn_as<const VarPattern>(clause.params[i]))
        env_[static_cast<uint32_t>(name->var)] = args[i];
    inlining.body = clause.body;
    return lower(clause.body, mode);
  }
  std::vector<MatchArm> arms;
  for (const Clause* clause : function.clauses) arms.push_back({clause->params, clause->guard});
  Join join = begin_join(mode);
  BlockId other = new_block();
  MatchResult result = patterns_->compile(args, arms, other);
  for (uint32_t i = 0; i < arms.size(); ++i) {
    if (!patterns_->enter(result, i)) continue;
    inlining.body = function.clauses[i]->body;
    branch(join, inlining.body);
  }
  pos_ = outer.pos;
  site_ = outer.site;
  start(other);
  Ref refused = call(op_call, op_tail_call, args, mode, function.index);
  if (mode != Mode::kTail) branch_value(join, refused);
  return end_join(join);
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
    if (is_leaf(function, *function.clauses[i], context_.names))
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
