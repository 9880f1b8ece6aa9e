// Binaries matched without garbage: parts of binaries that stay a binary and a position.
#include <algorithm>

#include "compiler/core/lower.h"

namespace quelea::compiler {

namespace {

// A pattern that binds a name to all that is left of a binary behind something.
bool binds_rest(const Pattern* pattern, const Interner& names) {
  const Pattern* rest = nullptr;
  if (const PrefixPattern* prefix = dyn_as<const PrefixPattern>(pattern)) rest = prefix->rest;
  if (const BinPattern* binary = dyn_as<const BinPattern>(pattern);
      binary && binary->segments.size() > 1) {
    const Segment& last = binary->segments.back();
    bool bytes = last.type == SegmentType::kBytes || last.type == SegmentType::kBits;
    if (bytes && last.size == nullptr && !last.string_literal) rest = last.pattern;
  }
  const VarPattern* name = rest != nullptr ? dyn_as<const VarPattern>(rest) : nullptr;
  return name != nullptr && names.text(name->name)[0] != '_';
}

// The body is `match name { … }` with an arm that binds a rest.
bool body_takes_apart(const Expr* body, VarId var, const Interner& names) {
  const BlockExpr* block = dyn_as<const BlockExpr>(body);
  if (block != nullptr && block->statements.size() == 1) body = block->statements[0];
  const CaseExpr* match = dyn_as<const CaseExpr>(body);
  if (match == nullptr) return false;
  const NameExpr* subject = dyn_as<const NameExpr>(match->subject);
  if (subject == nullptr || subject->var != var || var == VarId::kNone) return false;
  return std::any_of(match->arms.begin(), match->arms.end(),
                     [&](const Arm& arm) { return binds_rest(arm.pattern, names); });
}

}  // namespace

std::vector<uint32_t> view_params(const FunctionDef& function, const Interner& names) {
  constexpr uint32_t kMaxOrdinary = 32;
  std::vector<uint32_t> params;
  if (function.kind != FunctionKind::kFunction || function.arity > kMaxOrdinary) return params;
  for (uint32_t i = 0; i < function.arity; ++i) {
    bool view = false;
    for (const Clause* clause : function.clauses) view |= binds_rest(clause->params[i], names);
    if (!view && function.clauses.size() == 1) {
      const VarPattern* name = dyn_as<const VarPattern>(function.clauses[0]->params[i]);
      view = name != nullptr && body_takes_apart(function.clauses[0]->body, name->var, names);
    }
    if (view) params.push_back(i);
  }
  return params;
}

Ref Lowerer::use(Ref value) {
  if (value == kNoRef) return nil();
  const View* view = find_view(value);
  if (view == nullptr || !view->lazy) return value;
  View part = *view;
  BlockId made = new_block(), never = new_block();
  Ref bytes = test(op_bs_rest, {part.binary, part.position}, made, never, 8, kRestSurely);
  start(never);
  raise(raise_badarg, part.binary);
  start(made);
  return bytes;
}

Ref Lowerer::view_or_value(const Expr* e) {
  const NameExpr* name = dyn_as<const NameExpr>(e);
  if (name == nullptr || name->var == VarId::kNone) return expr(e);
  Ref value = env_[static_cast<uint32_t>(name->var)];
  bool is_view = known_[static_cast<uint32_t>(name->var)] == nullptr && find_view(value) != nullptr;
  return is_view ? value : expr(e);
}

// Goes on in the worker where the arguments are binaries of whole bytes; what follows is for all
// others.
void Lowerer::lower_worker_entry(const Worker& worker) {
  BlockId other = new_block();
  Values args;
  for (uint32_t i = 0; i < f_.arity; ++i) args.push_back(i);
  for (uint32_t param : worker.params) {
    BlockId binary = new_block();
    test(op_is_binary, {param}, binary, other);
    start(binary);
    args.push_back(integer(0));
  }
  stop(op_tail_call, args, worker.function);
  start(other);
}

// True when all that the worker takes apart are parts of binaries already; `args` are then the
// worker's.
bool Lowerer::add_worker_args(const Worker* worker, Values& args) {
  bool all = true;
  for (uint32_t param : worker->params) all &= find_view(args[param]) != nullptr;
  for (uint32_t param : worker->params) {
    if (!all) {
      args[param] = use(args[param]);
      continue;
    }
    const View* view = find_view(args[param]);
    args.push_back(view->position);
    args[param] = view->binary;
  }
  return all;
}

}  // namespace quelea::compiler
