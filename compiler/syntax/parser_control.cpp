// Blocks, branches, receive, try, loops, and the clauses of functions and lambdas.
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

namespace {

template <class Node, class Over>
void over_arms(std::span<Arm> arms, Node* node, Over over) {
  for (const Arm& arm : arms) {
    over(node, arm.pattern);
    over(node, arm.guard);
    over(node, arm.body);
  }
}

}  // namespace

Expr* Parser::block() {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  if (!at(TokenKind::kLeftBrace)) {
    if (habit_token()) return error_expr();
    if (at_word(words::kDo) || at_word(words::kThen)) {
      previous_.span = cur_.span;
      habit_after_name(cur_.symbol);
      return error_expr();
    }
    std::string hint;
    if (at(TokenKind::kArrow))
      hint = "`->` belongs to the arms of `match`, `receive` and `fn { … }`";
    if (at(TokenKind::kColon)) {
      hint = "a block stands in braces: `{ … }`";
    }
    if (hint.empty() && !cur_.has(kOnNewLine)) {
      hint = "blocks stand in braces: `{ … }`";
    }
    fail(DiagCode::E0124, cur_.span, "expected a block, found " + shown(cur_), hint);
    return error_expr();
  }
  Span open = cur_.span;
  advance();
  std::vector<Expr*> list;
  bool closed = braced(open, [&] {
    list.push_back(statement());
    return list.back();
  });
  if (closed) group_local_functions(list, 0);
  BlockExpr* e = make<BlockExpr>(from(open.begin));
  e->statements = arena_.copy(list);
  over_all(e, e->statements);
  return e;
}

// The parts of what stands in braces, after the opening one, up to and with the closing one. `part`
// parses one and gives the expression it ends with. Recovers from errors in the parts.
template <class Part>
bool Parser::braced(Span open, Part part) {
  uint32_t errors_before = sink_.error_count();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  skip_separators();
  while (!panic_ && !at(TokenKind::kRightBrace) && !at(TokenKind::kEndOfFile)) {
    if (at_item_start()) {
      unwinding_ = true;
      break;
    }
    Anchor start{cur_.depth, cur_.span.begin, open.begin};
    Expr* last = part();
    bool ends = at_separator() || at(TokenKind::kRightBrace) || at(TokenKind::kEndOfFile);
    if (!panic_ && !ends) side_by_side(last);
    if (unwinding_) break;
    if (panic_) recover(start);
    skip_separators();
  }
  no_slash_ = outer_slash;
  if (accept(TokenKind::kRightBrace)) return true;
  if (!aborted_ && sink_.error_count() == errors_before) {
    fail(DiagCode::E0125, open, "this `{` is never closed", unclosed_hint(open));
  }
  panic_ = true;
  return false;
}

Expr* Parser::statement() {
  if (at(TokenKind::kFn) && peek().kind == TokenKind::kName) return local_function();
  if (at(TokenKind::kPub) || at(TokenKind::kConst) || at(TokenKind::kAlias) ||
      at(TokenKind::kImport) || at(TokenKind::kBehaviour) || at(TokenKind::kModule)) {
    std::string hint = at(TokenKind::kPub) ? "a function inside a block is local: `fn name(…)`"
                                           : "move it to file level";
    fail(DiagCode::E0126, cur_.span, shown(cur_) + " stands at file level only", hint);
    return error_expr();
  }
  return expr();
}

Expr* Parser::local_function() {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  uint32_t begin = cur_.span.begin;
  advance();
  LambdaExpr* lambda = make<LambdaExpr>({begin, begin});
  lambda->name = expect_name("the function's name");
  Clause* made = clause(begin);
  lambda->clauses = arena_.copy(&made, 1);
  lambda->arity = static_cast<uint32_t>(made->params.size());
  lambda->span = from(begin);
  over_clause(lambda, made);
  LocalFnExpr* e = make<LocalFnExpr>(lambda->span);
  e->lambda = lambda;
  over(e, lambda);
  return e;
}

// Adjacent clauses of one name and arity become one local function.
void Parser::group_local_functions(std::vector<Expr*>& list, size_t base) {
  size_t kept = base;
  for (size_t i = base; i < list.size();) {
    LocalFnExpr* first = dyn_as<LocalFnExpr>(list[i]);
    size_t end = i + 1;
    if (first != nullptr) {
      LambdaExpr* lambda = first->lambda;
      std::vector<Clause*> clauses(lambda->clauses.begin(), lambda->clauses.end());
      for (; end < list.size(); ++end) {
        LocalFnExpr* next = dyn_as<LocalFnExpr>(list[end]);
        bool same = next != nullptr && next->lambda->name == lambda->name &&
                    next->lambda->arity == lambda->arity;
        if (!same) break;
        clauses.push_back(next->lambda->clauses[0]);
        over_clause(lambda, next->lambda->clauses[0]);
        lambda->span.end = next->span.end;
      }
      if (clauses.size() > 1) lambda->clauses = arena_.copy(clauses);
      over(first, lambda);
      first->span = lambda->span;
    }
    list[kept++] = list[i];
    i = end;
  }
  list.resize(kept);
}

// ---------------------------------------------------------------------------------------------

Expr* Parser::guard() {
  if (!accept(TokenKind::kWhen)) return nullptr;
  return expr(kLevelSend);
}

Expr* Parser::rhs() {
  if (at(TokenKind::kLeftBrace)) return block();
  return expr();
}

Expr* Parser::if_expr() {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  IfExpr* e = make<IfExpr>(cur_.span);
  advance();
  e->condition = expr();
  e->then_branch = block();
  if (accept(TokenKind::kElse)) {
    e->else_branch = at(TokenKind::kIf) ? if_expr() : block();
  }
  e->span = from(e->span.begin);
  over(e, e->condition);
  over(e, e->then_branch);
  over(e, e->else_branch);
  return e;
}

Expr* Parser::match_expr() {
  CaseExpr* e = make<CaseExpr>(cur_.span);
  advance();
  if (at(TokenKind::kLeftBrace)) {
    fail(DiagCode::E0127, cur_.span, "expected the value to match",
         "it is `match value { pattern -> … }`; conditions are chained with `if … else if …`");
    return e;
  }
  e->subject = expr();
  e->arms = arms("match");
  e->span = from(e->span.begin);
  over(e, e->subject);
  over_arms(e->arms, e, [this](auto* a, auto* b) { over(a, b); });
  return e;
}

std::span<Arm> Parser::arms(std::string_view what) {
  if (panic_) return {};
  if (!at(TokenKind::kLeftBrace)) {
    fail(DiagCode::E0128, cur_.span,
         "expected `{` and the arms of `" + std::string(what) + "`, found " + shown(cur_),
         "an arm is `pattern -> value`");
    return {};
  }
  Span open = cur_.span;
  advance();
  std::vector<Arm> list;
  braced(open, [&] {
    list.push_back(arm());
    return list.back().body;
  });
  return arena_.copy(list);
}

Arm Parser::arm() {
  Arm out{};
  uint32_t begin = cur_.span.begin;
  out.pattern = alt_pattern();
  out.guard = guard();
  if (!panic_ && !at(TokenKind::kArrow)) {
    std::string hint = "an arm is `pattern -> value` or `pattern when condition -> value`";
    if (at(TokenKind::kFatArrow)) hint = "the arrow of an arm is `->`";
    if (at(TokenKind::kIf)) hint = "a guard is written `when`";
    fail(DiagCode::E0129, cur_.span, "expected `->` after the pattern, found " + shown(cur_), hint);
  }
  accept(TokenKind::kArrow);
  out.body = rhs();
  out.span = from(begin);
  return out;
}

// `word` may stand on the line after a closing brace.
bool Parser::clause_word(Symbol word) {
  if (panic_) return false;
  if (accept_word(word)) return true;
  if (!at(TokenKind::kNewline)) return false;
  const Token& next = peek();
  if (next.kind != TokenKind::kName || next.symbol != word) return false;
  advance();
  advance();
  return true;
}

Expr* Parser::receive_expr() {
  ReceiveExpr* e = make<ReceiveExpr>(cur_.span);
  advance();
  Span head = cur_.span;
  e->arms = arms("receive");
  if (clause_word(words::kAfter)) {
    if (at(TokenKind::kLeftBrace)) {
      fail(DiagCode::E0130, cur_.span, "expected the time in milliseconds after `after`",
           "it is `receive { … } after 1000 { … }`");
      return e;
    }
    e->timeout = expr(kLevelSend);
    e->timeout_body = block();
  } else if (e->arms.empty() && !panic_) {
    complain(DiagCode::E0131, head, "a receive without arms wants an `after`",
             "`receive { } after 1000 { … }` only waits");
  }
  e->span = from(e->span.begin);
  over_arms(e->arms, e, [this](auto* a, auto* b) { over(a, b); });
  over(e, e->timeout);
  over(e, e->timeout_body);
  return e;
}

Expr* Parser::try_expr() {
  TryExpr* e = make<TryExpr>(cur_.span);
  advance();
  e->body = block();
  if (clause_word(words::kCatch)) {
    e->arms = catch_arms();
  }
  if (clause_word(words::kAfter)) e->after = block();
  if (e->arms.empty() && e->after == nullptr && !panic_) {
    if (at_word(words::kRescue) || at_word(words::kFinally)) {
      previous_.span = cur_.span;
      habit_after_name(cur_.symbol);
      return e;
    }
    std::string hint = "it is `try { … } catch { error reason -> … } after { … }`";
    fail(DiagCode::E0132, e->span, "`try` wants a `catch` or an `after`", hint);
  }
  e->span = from(e->span.begin);
  over(e, e->body);
  for (const CatchArm& arm : e->arms) {
    over(e, arm.reason);
    over(e, arm.trace);
    over(e, arm.guard);
    over(e, arm.body);
  }
  over(e, e->after);
  return e;
}

std::span<CatchArm> Parser::catch_arms() {
  if (panic_) return {};
  Span open = cur_.span;
  uint32_t errors_before = sink_.error_count();
  if (!at(TokenKind::kLeftBrace) && !habit_token()) {
    fail(DiagCode::E0101, cur_.span, "expected `{` after `catch`, found " + shown(cur_),
         "it is `try { … } catch { error reason -> … }`");
  }
  if (!accept(TokenKind::kLeftBrace)) return {};
  std::vector<CatchArm> list;
  braced(open, [&] {
    list.push_back(catch_arm());
    return list.back().body;
  });
  if (list.empty() && sink_.error_count() == errors_before) {
    fail(DiagCode::E0128, open, "a `catch` wants at least one arm",
         "an arm is `class pattern -> value`, as in `error reason -> …`");
  }
  return arena_.copy(list);
}

CatchArm Parser::catch_arm() {
  CatchArm out{};
  uint32_t begin = cur_.span.begin;
  Span class_span = cur_.span;
  bool has_class = at(TokenKind::kName) && peek().kind != TokenKind::kArrow &&
                   peek().kind != TokenKind::kWhen && peek().kind != TokenKind::kComma;
  if (!has_class) {
    fail(
        DiagCode::E0133, cur_.span, "expected a class before the pattern of this catch arm",
        "it is `error reason -> …`, `exit reason -> …`, `throw value -> …`, or `_ reason -> …` for "
        "any of them");
    return out;
  }
  Symbol klass = cur_.symbol;
  advance();
  if (klass == words::kUnderscore) {
    out.klass = make<WildcardPattern>(class_span);
  } else if (klass == words::kError || klass == words::kExit || klass == words::kThrow) {
    AtomExpr* atom = make<AtomExpr>(class_span);
    atom->name = klass;
    out.klass = literal_pattern(atom);
  } else {
    out.klass = var_pattern(klass, class_span);
  }
  out.reason = alt_pattern();
  if (accept(TokenKind::kComma)) out.trace = pattern();
  out.guard = guard();
  expect(TokenKind::kArrow, "after the pattern");
  out.body = rhs();
  out.span = from(begin);
  return out;
}

Expr* Parser::for_expr() {
  ForExpr* e = make<ForExpr>(cur_.span);
  advance();
  habit_for();
  e->generators = generators();
  if (accept_word(words::kWith)) {
    e->acc = pattern();
    expect(TokenKind::kAssign, "and the initial value of the fold");
    e->initial = expr(kLevelSend);
  }
  e->body = block();
  e->span = from(e->span.begin);
  over_generators(e, e->generators);
  over(e, e->acc);
  over(e, e->initial);
  over(e, e->body);
  return e;
}

std::span<Generator> Parser::generators() {
  std::vector<Generator> list;
  do {
    Generator out{};
    uint32_t begin = cur_.span.begin;
    out.pattern = pattern();
    if (!panic_ && !at(TokenKind::kIn)) {
      std::string hint = "it is `for pattern in list { … }`";
      bool arrow = at(TokenKind::kLess) && peek().kind == TokenKind::kMinus;
      if (arrow) hint = "`<-` is written `in`";
      if (at(TokenKind::kAssign)) hint = "a counted loop is `for i in 1..10 { … }`";
      fail(DiagCode::E0134, cur_.span, "expected `in` after the pattern, found " + shown(cur_),
           hint);
    }
    accept(TokenKind::kIn);
    out.source = expr(kLevelSend);
    if (accept(TokenKind::kIf)) out.filter = expr(kLevelSend);
    out.span = from(begin);
    list.push_back(out);
  } while (accept(TokenKind::kComma));
  return arena_.copy(list);
}

// ---------------------------------------------------------------------------------------------

// After `fn name` or `fn`: parameters, result type, guard, body.
Clause* Parser::clause(uint32_t begin) {
  Clause* out = arena_.make<Clause>();
  clause_params(out);
  out->head = from(begin);
  if (accept(TokenKind::kColon)) out->result_type = type();
  out->guard = guard();
  out->body = clause_body();
  out->span = from(begin);
  return out;
}

void Parser::clause_params(Clause* out) {
  if (panic_) return;
  Span open = cur_.span;
  if (!at(TokenKind::kLeftParen)) {
    std::string hint = "parameters stand in parentheses: `fn name(a, b)`";
    if (at(TokenKind::kName)) {
      std::string name(previous_.kind == TokenKind::kName ? source_.text(previous_.span) : "");
      hint = "parameters stand in parentheses: `fn " + name + "(" +
             std::string(source_.text(cur_.span)) + ") = …`";
    }
    fail(DiagCode::E0135, cur_.span, "expected `(` and the parameters, found " + shown(cur_), hint);
    return;
  }
  advance();
  std::vector<Pattern*> params;
  std::vector<TypeExpr*> types;
  bool any_type = false;
  while (!panic_ && !at(TokenKind::kRightParen)) {
    uint32_t begin = cur_.span.begin;
    Pattern* made = alt_pattern();
    TypeExpr* type_expr = accept(TokenKind::kColon) ? type() : nullptr;
    any_type |= type_expr != nullptr;
    if (accept(TokenKind::kAssign)) {
      DefaultPattern* with_default = make<DefaultPattern>({begin, begin});
      with_default->pattern = made;
      with_default->value = expr(kLevelSend);
      with_default->span = from(begin);
      over(with_default, made);
      over(with_default, with_default->value);
      made = with_default;
    }
    params.push_back(made);
    types.push_back(type_expr);
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightParen, open, "the parameters");
  if (params.size() > 255) {
    complain(DiagCode::E0113, open, "a function has at most 255 parameters");
    params.resize(255);
  }
  out->params = arena_.copy(params);
  if (any_type) out->param_types = arena_.copy(types);
}

Expr* Parser::clause_body() {
  if (panic_) return error_expr();
  if (accept(TokenKind::kAssign)) {
    if (at(TokenKind::kLeftBrace)) {
      fail(DiagCode::E0136, cur_.span, "a block does not follow `=`",
           "a function's body is `= expression` or `{ … }`; a map is `%{key: value}`");
      return error_expr();
    }
    return expr();
  }
  if (at(TokenKind::kLeftBrace)) return block();
  if (habit_token()) return error_expr();
  std::string hint = "a function is `fn name(x) = expression` or `fn name(x) { … }`";
  if (at(TokenKind::kArrow) || at(TokenKind::kFatArrow)) {
    fail(DiagCode::E0207, cur_.span, "a function's body does not follow an arrow",
         peek().kind == TokenKind::kModuleName
             ? "the type of the result is `fn f(x): Type = expression`"
             : "write `fn(x) = expression` or `fn(x) { … }`; arrows belong to arms: `fn { x -> … "
               "}`");
    return error_expr();
  }
  if (at(TokenKind::kIf)) hint = "a guard is `fn name(x) when condition = expression`";
  fail(DiagCode::E0137, cur_.span, "expected `=` or a block, found " + shown(cur_), hint);
  return error_expr();
}

Expr* Parser::lambda() {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  LambdaExpr* e = make<LambdaExpr>(cur_.span);
  uint32_t begin = cur_.span.begin;
  advance();
  if (at(TokenKind::kName)) {
    bool named = peek().kind == TokenKind::kLeftParen || peek().kind == TokenKind::kLeftBrace;
    if (!named) {
      std::string name(source_.text(cur_.span));
      fail(DiagCode::E0207, cur_.span, "parameters stand in parentheses",
           "write `fn(" + name + ") = expression`");
      return e;
    }
    e->name = cur_.symbol;
    advance();
  }
  if (!at(TokenKind::kLeftBrace)) {
    Clause* made = clause(begin);
    e->clauses = arena_.copy(&made, 1);
    e->arity = static_cast<uint32_t>(made->params.size());
    e->span = from(begin);
    over_clause(e, made);
    return e;
  }
  Span open = cur_.span;
  uint32_t errors_before = sink_.error_count();
  advance();
  std::vector<Clause*> clauses;
  braced(open, [&] {
    clauses.push_back(arrow_clause());
    over_clause(e, clauses.back());
    return clauses.back()->body;
  });
  if (clauses.empty() && sink_.error_count() == errors_before) {
    fail(DiagCode::E0138, open, "a function without arms",
         "a function of no arguments is `fn() { … }` or `fn() = expression`");
  }
  for (const Clause* each : clauses) {
    if (sink_.error_count() != errors_before) break;
    if (each->params.size() == clauses[0]->params.size()) continue;
    complain(DiagCode::E0139, each->head,
             "this arm takes " + std::to_string(each->params.size()) + ", the first one " +
                 std::to_string(clauses[0]->params.size()) + " arguments",
             "all arms of one function take the same number");
  }
  e->clauses = arena_.copy(clauses);
  e->arity = clauses.empty() ? 0 : static_cast<uint32_t>(clauses[0]->params.size());
  e->span = from(begin);
  return e;
}

// `a, b when guard -> rhs`
Clause* Parser::arrow_clause() {
  Clause* out = arena_.make<Clause>();
  uint32_t begin = cur_.span.begin;
  std::vector<Pattern*> params;
  do {
    params.push_back(alt_pattern());
  } while (accept(TokenKind::kComma));
  if (params.size() > 255) {
    complain(DiagCode::E0113, from(begin), "a function has at most 255 parameters");
    params.resize(255);
  }
  out->params = arena_.copy(params);
  out->head = from(begin);
  out->guard = guard();
  if (!panic_ && !at(TokenKind::kArrow)) {
    fail(DiagCode::E0129, cur_.span, "expected `->` after the pattern, found " + shown(cur_),
         "`fn { pattern -> value }` has arms; a function of no arguments is `fn() { … }`");
  }
  accept(TokenKind::kArrow);
  out->body = rhs();
  out->span = from(begin);
  return out;
}

}  // namespace quelea::compiler
