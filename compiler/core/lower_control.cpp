// Blocks, branches, matches, receive, exceptions, assertions.
#include "compiler/core/lower.h"
#include "compiler/core/match.h"
#include "compiler/core/receive_hints.h"

namespace quelea::compiler {

Ref Lowerer::lower_block(const BlockExpr* e, Mode mode) {
  if (e->statements.empty()) return finish(nil(), mode);
  for (size_t i = 0; i + 1 < e->statements.size(); ++i) lower(e->statements[i], Mode::kEffect);
  return lower(e->statements.back(), mode);
}

Ref Lowerer::lower_if(const IfExpr* e, Mode mode) {
  Join join = begin_join(mode);
  BlockId yes = new_block(), no = new_block();
  cond(e->condition, yes, no);
  start(yes);
  branch(join, e->then_branch);
  start(no);
  branch(join, e->else_branch);
  return end_join(join);
}

Ref Lowerer::lower_case(const CaseExpr* e, Mode mode) {
  Ref subject = view_or_value(e->subject);
  std::vector<MatchArm> arms;
  arms.reserve(e->arms.size());
  for (const Arm& arm : e->arms) arms.push_back({{&arm.pattern, 1}, arm.guard, arm.pattern->span});
  Join join = begin_join(mode);
  BlockId fail = new_block();
  MatchResult result = patterns_->compile({&subject, 1}, arms, fail);
  for (size_t i = 0; i < e->arms.size(); ++i) {
    patterns_->enter(result, static_cast<uint32_t>(i));
    branch(join, e->arms[i].body);
  }
  start(fail);
  raise(raise_case_clause, use(subject));
  return end_join(join);
}

Ref Lowerer::lower_match(const MatchExpr* e, Mode mode) {
  const VarPattern* name = dyn_as<const VarPattern>(e->pattern);
  const LambdaExpr* lambda = dyn_as<const LambdaExpr>(e->value);
  if (name != nullptr && lambda != nullptr) {
    bind_lambda(name->var, lambda);
    return finish(env_[static_cast<uint32_t>(name->var)], mode);
  }
  Ref subject = view_or_value(e->value);
  match_or_raise(e->pattern, subject, raise_badmatch);
  return mode == Mode::kEffect ? kNoRef : finish(use(subject), mode);
}

void Lowerer::match_or_raise(const Pattern* pattern, Ref subject, RaiseKind kind) {
  if (pattern->kind == PatternKind::kWildcard) return;
  if (const VarPattern* name = dyn_as<const VarPattern>(pattern)) {
    env_[static_cast<uint32_t>(name->var)] = subject;
    return;
  }
  Pattern* one = const_cast<Pattern*>(pattern);
  MatchArm arm{{&one, 1}, nullptr};
  BlockId fail = new_block();
  MatchResult result = patterns_->compile({&subject, 1}, {&arm, 1}, fail);
  start(fail);
  raise(kind, use(subject));
  if (!patterns_->enter(result, 0)) start(new_block());
}

// The clauses of a function or lambda over its parameters.
void Lowerer::lower_clauses(std::span<Clause* const> clauses, uint32_t arity) {
  bool plain = clauses.size() == 1 && clauses[0]->guard == nullptr;
  for (uint32_t i = 0; plain && i < arity; ++i) {
    const Pattern* param = clauses[0]->params[i];
    const VarPattern* name = dyn_as<const VarPattern>(param);
    plain = param->kind == PatternKind::kWildcard || (name != nullptr && !name->repeat);
    if (plain && name != nullptr) env_[static_cast<uint32_t>(name->var)] = i;
  }
  if (plain) {
    lower(clauses[0]->body, Mode::kTail);
    return;
  }
  Values params;
  for (uint32_t i = 0; i < arity; ++i) params.push_back(i);
  std::vector<MatchArm> arms;
  for (const Clause* clause : clauses)
    arms.push_back({clause->params, clause->guard, clause->head});
  BlockId fail = new_block();
  MatchResult result = patterns_->compile(params, arms, fail);
  for (size_t i = 0; i < clauses.size(); ++i) {
    patterns_->enter(result, static_cast<uint32_t>(i));
    lower(clauses[i]->body, Mode::kTail);
  }
  start(fail);
  // The trace shows the arguments: they must be in their slots.
  for (Ref& param : params) param = use(param);
  stop(op_raise, params, raise_function_clause);
}

// Receive -----------------------------------------------------------------------------------------

Ref Lowerer::lower_receive(const ReceiveExpr* e, Mode mode) {
  std::vector<MatchArm> arms;
  for (const Arm& arm : e->arms) arms.push_back({{&arm.pattern, 1}, arm.guard, arm.pattern->span});
  std::vector<Pat*> pats = patterns_->convert_all(arms);
  Ref timeout = e->timeout != nullptr ? expr(e->timeout) : kNoRef;
  Join join = begin_join(mode);
  start_receive(pats);
  BlockId head = new_block(), got = new_block(), none = new_block(), skip = new_block();
  jump(head);
  start(head);
  Ref message = test(op_recv_peek, {}, got, none);
  start(got);
  MatchResult result = patterns_->compile({&message, 1}, arms, pats, skip);
  for (size_t i = 0; i < e->arms.size(); ++i) {
    patterns_->enter(result, static_cast<uint32_t>(i));
    effect(op_recv_take, {});
    branch(join, e->arms[i].body);
  }
  start(skip);
  effect(op_recv_skip, {});
  jump(head, {}, op_loop);
  start(none);
  wait_for_message(timeout, head);
  if (timeout != kNoRef) branch(join, e->timeout_body);
  return end_join(join);
}

void Lowerer::start_receive(std::span<const Pat* const> pats) {
  const ReceiveHints hints = receive_hints(pats, consts_);
  const Ref none = const_ref(consts_.empty_list());
  const bool has_reference = hints.reference != kNoRef && is_value(hints.reference);
  effect(op_recv_start, {has_reference ? use(hints.reference) : none},
         hints.tags.empty() ? consts_.empty_list() : consts_.tuple(hints.tags));
}

// Sleeps until there is a message, then goes to `head`; with a timeout, goes on here when it is
// over.
void Lowerer::wait_for_message(Ref timeout, BlockId head) {
  if (timeout == kNoRef || is_const_atom(timeout, "infinity")) {
    InstId id = emit(op_recv_wait, {});
    f_.insts[id].target[0] = head;
    cur_ = kNoBlock;
    if (timeout != kNoRef) start(new_block());
    return;
  }
  BlockId over = new_block();
  test(op_recv_wait_until, {timeout}, over, head);
  start(over);
}

// Exceptions --------------------------------------------------------------------------------------

namespace {

// What an `after` block does when it is done.
constexpr int64_t kGoOn = 0, kReraise = 1, kReturn = 2;

}  // namespace

Ref Lowerer::lower_try(const TryExpr* e, Mode mode) {
  BlockId outer = handler_;
  ExceptionKind outer_kind = handler_kind_;
  bool has_after = e->after != nullptr;
  Join join = begin_join(mode);
  Finally last{kNoBlock};
  BlockId cleanup = kNoBlock;  // catches what leaves the body or an arm, for `after`
  if (has_after) {
    last.block = new_block(4);
    cleanup = new_block();
    finallies_.push_back(&last);
  }
  BlockId handler = e->arms.empty() ? cleanup : new_block();
  handler_ = handler;
  handler_kind_ = ExceptionKind::Handler;
  BlockId body = new_block();
  jump(body);
  start(body);
  Ref result = lower(e->body, mode == Mode::kEffect ? Mode::kEffect : Mode::kValue);
  handler_ = has_after ? cleanup : outer;
  handler_kind_ = has_after ? ExceptionKind::Handler : outer_kind;
  leave_try(join, last.block, result);
  if (!e->arms.empty()) {
    start(handler);
    lower_catch(e, join, last.block);
  }
  handler_ = outer;
  handler_kind_ = outer_kind;
  if (has_after) {
    finallies_.pop_back();
    start(cleanup);
    Ref caught = value(op_catch, {});
    jump(last.block, {integer(kReraise), caught, caught + 1, caught + 2});
    lower_finally(e, last, join);
  }
  return end_join(join);
}

// The value of a try's body or of one of its arms is there.
void Lowerer::leave_try(Join& join, BlockId last, Ref result) {
  if (!reachable()) return;
  if (last != kNoBlock)
    return jump(last, {integer(kGoOn), result == kNoRef ? nil() : result, nil(), nil()});
  BlockId done = new_block();
  jump(done);
  start(done);
  branch_value(join, result == kNoRef ? nil() : result);
}

void Lowerer::lower_catch(const TryExpr* e, Join& join, BlockId last) {
  Ref caught = value(op_catch, {});
  // A trace as a value is made only where somebody wants one.
  bool early_trace = false;
  for (const CatchArm& arm : e->arms)
    early_trace |= arm.trace != nullptr &&
                   (arm.guard != nullptr || (arm.trace->kind != PatternKind::kVar &&
                                             arm.trace->kind != PatternKind::kWildcard));
  Values subjects{caught, caught + 1};
  if (early_trace) subjects.push_back(call_native("Prim", "trace", {caught + 2}));
  std::vector<MatchArm> arms;
  WildcardPattern any{};
  any.kind = PatternKind::kWildcard;
  std::vector<Pattern*> patterns;
  patterns.reserve(e->arms.size() * 3);
  for (const CatchArm& arm : e->arms) {
    size_t at = patterns.size();
    patterns.push_back(arm.klass);
    patterns.push_back(arm.reason);
    if (early_trace) patterns.push_back(arm.trace != nullptr ? arm.trace : &any);
    arms.push_back({std::span<Pattern* const>(patterns.data() + at, patterns.size() - at),
                    arm.guard, Span{arm.klass->span.begin, arm.reason->span.end}});
  }
  BlockId fail = new_block();
  MatchResult result = patterns_->compile(subjects, arms, fail);
  for (size_t i = 0; i < e->arms.size(); ++i) {
    const CatchArm& arm = e->arms[i];
    patterns_->enter(result, static_cast<uint32_t>(i));
    if (!reachable()) start(new_block());
    if (const VarPattern* trace = early_trace ? nullptr : dyn_as<const VarPattern>(arm.trace))
      env_[static_cast<uint32_t>(trace->var)] = call_native("Prim", "trace", {caught + 2});
    if (last == kNoBlock) {
      branch(join, arm.body);
    } else {
      Ref value = lower(arm.body, join.mode == Mode::kEffect ? Mode::kEffect : Mode::kValue);
      leave_try(join, last, value);
    }
  }
  start(fail);
  stop(op_reraise, {caught, caught + 1, caught + 2});
}

void Lowerer::lower_finally(const TryExpr* e, const Finally& last, Join& join) {
  start(last.block);
  Ref what = f_.blocks[last.block].first_param;
  lower(e->after, Mode::kEffect);
  if (!reachable()) return;
  BlockId go_on = new_block(), leave = new_block(), again = new_block();
  test(op_eq_imm, {what}, go_on, leave, consts_.integer(kGoOn));
  start(go_on);
  branch_value(join, what + 1);
  start(leave);
  if (last.returns) {
    BlockId back = new_block();
    test(op_eq_imm, {what}, again, back, consts_.integer(kReraise));
    start(back);
    leave_function(what + 1, nullptr);
  } else {
    jump(again);
  }
  start(again);
  stop(op_reraise, {what + 1, what + 2, what + 3});
}

void Lowerer::leave_function(Ref result, const Expr* cause) {
  if (!finallies_.empty()) {
    finallies_.back()->returns = true;
    return jump(finallies_.back()->block, {integer(kReturn), result, nil(), nil()});
  }
  if (leave_kind_ == FunctionKind::kScript) return raise(raise_exit, result);
  if (leave_kind_ == FunctionKind::kTest) return raise_assert(cause, {{"value", result}});
  ret(result);
}

// `e?`
Ref Lowerer::lower_try_op(const TryOpExpr* e) {
  Ref v = expr(e->value);
  BlockId done = new_block(1), pair = new_block(), no_pair = new_block(), error_pair = new_block();
  BlockId atom_ok = new_block(), no_ok = new_block(), leave = new_block(), bad = new_block();
  BlockId no_error_pair = new_block();
  test(op_is_tagged_tuple, {v}, pair, no_pair, 2, consts_.atom("ok"));
  start(pair);
  jump(done, {value(op_get_elem, {v}, 1)});
  start(no_pair);
  test(op_eq_imm, {v}, atom_ok, no_ok, consts_.atom("ok"));
  start(atom_ok);
  jump(done, {v});
  start(no_ok);
  test(op_is_tagged_tuple, {v}, error_pair, no_error_pair, 2, consts_.atom("error"));
  start(error_pair);
  jump(leave);
  start(no_error_pair);
  test(op_eq_imm, {v}, leave, bad, consts_.atom("error"));
  start(bad);
  raise(raise_badmatch, v);
  start(leave);
  leave_function(v, e);
  start(done);
  return f_.blocks[done].first_param;
}

// Assertions --------------------------------------------------------------------------------------

void Lowerer::raise_assert(const Expr* e, std::initializer_list<std::pair<const char*, Ref>> more) {
  Values pairs{atom("expr"), e != nullptr ? source_text(e->span) : nil()};
  for (const auto& [key, value] : more) {
    pairs.push_back(atom(key));
    pairs.push_back(value);
  }
  Ref info = make_map(pairs);
  Values reason{atom("assert"), info};
  raise(raise_error, make_tuple(reason));
}

Ref Lowerer::lower_assert(const AssertExpr* e) {
  switch (e->assert_kind) {
    case AssertKind::kMatch: {
      Ref subject = expr(e->value);
      Pattern* pattern = e->pattern;
      MatchArm arm{{&pattern, 1}, nullptr};
      BlockId fail = new_block();
      MatchResult result = patterns_->compile({&subject, 1}, {&arm, 1}, fail);
      start(fail);
      raise_assert(e, {{"value", subject}});
      if (!patterns_->enter(result, 0)) start(new_block());
      return subject;
    }
    case AssertKind::kValue:
      assert_value(e);
      return atom("true");
    default:
      return assert_receive(e);
  }
}

void Lowerer::assert_value(const AssertExpr* e) {
  BlockId good = new_block(), bad = new_block();
  const BinaryExpr* compare = dyn_as<const BinaryExpr>(e->value);
  if (compare != nullptr && compare->op >= BinaryOp::kEqual &&
      compare->op <= BinaryOp::kGreaterEqual) {
    Ref a = expr(compare->lhs);
    Ref b = expr(compare->rhs);
    test_compare(compare->op, a, b, good, bad);
    start(bad);
    raise_assert(e->value, {{"left", a}, {"right", b}});
  } else if (const IsExpr* is = dyn_as<const IsExpr>(e->value)) {
    Ref subject = expr(is->value);
    Pattern* pattern = is->pattern;
    MatchArm arm{{&pattern, 1}, nullptr};
    MatchResult result = patterns_->compile({&subject, 1}, {&arm, 1}, bad);
    if (patterns_->enter(result, 0)) jump(good);
    start(bad);
    raise_assert(e->value, {{"value", subject}});
  } else {
    Ref v = expr(e->value);
    test(op_eq_imm, {v}, good, bad, consts_.boolean(true));
    start(bad);
    raise_assert(e->value, {{"value", v}});
  }
  start(good);
}

Ref Lowerer::assert_receive(const AssertExpr* e) {
  constexpr int64_t kDefaultTimeoutMs = 100;
  Pattern* pattern = e->pattern;
  MatchArm arm{{&pattern, 1}, e->guard};
  std::vector<Pat*> pats = patterns_->convert_all({&arm, 1});
  Ref timeout = e->timeout != nullptr ? expr(e->timeout) : integer(kDefaultTimeoutMs);
  start_receive(pats);
  BlockId head = new_block(), got = new_block(), none = new_block(), skip = new_block();
  jump(head);
  start(head);
  Ref message = test(op_recv_peek, {}, got, none);
  start(got);
  MatchResult result = patterns_->compile({&message, 1}, {&arm, 1}, pats, skip);
  start(skip);
  effect(op_recv_skip, {});
  jump(head, {}, op_loop);
  start(none);
  wait_for_message(timeout, head);
  BlockId over = cur_;
  bool wanted = e->assert_kind == AssertKind::kReceive;
  if (wanted) {
    raise_assert(e, {{"timeout", timeout}});
    patterns_->enter(result, 0);
    effect(op_recv_take, {});
    return message;
  }
  if (patterns_->enter(result, 0)) {
    effect(op_recv_take, {});
    raise_assert(e, {{"message", message}});
  }
  cur_ = over;
  return atom("true");
}

}  // namespace quelea::compiler
