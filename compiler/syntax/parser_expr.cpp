// Expressions: a Pratt parse over the operator table of the reference (section 4).
#include <array>

#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

std::string_view binary_op_text(BinaryOp op) {
  static constexpr std::string_view kTexts[] = {
#define BINARY_OP(name, text) text,
#include "compiler/syntax/nodes.def"
  };
  return kTexts[static_cast<size_t>(op)];
}

namespace {

struct InfixOp {
  uint8_t level = kLevelNone;
  bool right = false;
  BinaryOp op = BinaryOp::kAdd;
};

constexpr size_t kTokenKinds = static_cast<size_t>(TokenKind::kNil) + 1;

constexpr std::array<InfixOp, kTokenKinds> make_infix_table() {
  std::array<InfixOp, kTokenKinds> table{};
  auto set = [&](TokenKind kind, Level level, BinaryOp op, bool right = false) {
    table[static_cast<size_t>(kind)] = {level, right, op};
  };
  using enum TokenKind;
  set(kAssign, kLevelMatch, BinaryOp::kAdd, true);
  set(kBang, kLevelSend, BinaryOp::kSend, true);
  set(kOr, kLevelOr, BinaryOp::kAdd);
  set(kOrOr, kLevelOr, BinaryOp::kAdd);
  set(kAnd, kLevelAnd, BinaryOp::kAdd);
  set(kAndAnd, kLevelAnd, BinaryOp::kAdd);
  set(kEqual, kLevelCompare, BinaryOp::kEqual);
  set(kNotEqual, kLevelCompare, BinaryOp::kNotEqual);
  set(kExactEqual, kLevelCompare, BinaryOp::kExactEqual);
  set(kExactNotEqual, kLevelCompare, BinaryOp::kExactNotEqual);
  set(kLess, kLevelCompare, BinaryOp::kLess);
  set(kLessEqual, kLevelCompare, BinaryOp::kLessEqual);
  set(kGreater, kLevelCompare, BinaryOp::kGreater);
  set(kGreaterEqual, kLevelCompare, BinaryOp::kGreaterEqual);
  set(kIn, kLevelCompare, BinaryOp::kIn);
  set(kNot, kLevelCompare, BinaryOp::kNotIn);  // when `in` follows
  set(kName, kLevelCompare, BinaryOp::kAdd);   // when it is `is`
  set(kPipe, kLevelPipe, BinaryOp::kAdd);
  set(kDotDot, kLevelRange, BinaryOp::kRange);
  set(kAppend, kLevelConcat, BinaryOp::kAppend, true);
  set(kConcat, kLevelConcat, BinaryOp::kConcat, true);
  set(kPlus, kLevelAdd, BinaryOp::kAdd);
  set(kMinus, kLevelAdd, BinaryOp::kSub);
  set(kBor, kLevelAdd, BinaryOp::kBitOr);
  set(kBxor, kLevelAdd, BinaryOp::kBitXor);
  set(kStar, kLevelMultiply, BinaryOp::kMul);
  set(kSlash, kLevelMultiply, BinaryOp::kDiv);
  set(kDiv, kLevelMultiply, BinaryOp::kIntDiv);
  set(kRem, kLevelMultiply, BinaryOp::kRem);
  set(kBand, kLevelMultiply, BinaryOp::kBitAnd);
  set(kBsl, kLevelMultiply, BinaryOp::kShiftLeft);
  set(kBsr, kLevelMultiply, BinaryOp::kShiftRight);
  return table;
}
constexpr std::array<InfixOp, kTokenKinds> kInfix = make_infix_table();

}  // namespace

Expr* Parser::expr(int min_level) {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  Expr* lhs = prefix();
  return infix(lhs, min_level);
}

Expr* Parser::infix(Expr* lhs, int min_level) {
  while (!panic_) {
    InfixOp op = kInfix[static_cast<size_t>(cur_.kind)];
    if (op.level == kLevelNone || op.level < min_level) return lhs;
    switch (cur_.kind) {
      case TokenKind::kAssign:
        lhs = match_operator(lhs);
        continue;
      case TokenKind::kOrOr:
      case TokenKind::kAndAnd:
        habit_token();
        panic_ = aborted_;
        [[fallthrough]];
      case TokenKind::kOr:
      case TokenKind::kAnd:
        lhs = logical(lhs, at(TokenKind::kAnd) || at(TokenKind::kAndAnd));
        continue;
      case TokenKind::kPipe:
        lhs = pipe(lhs);
        continue;
      case TokenKind::kName:
        if (cur_.symbol != words::kIs) return lhs;
        lhs = compare_chain(is_operator(lhs));
        continue;
      case TokenKind::kNot:
        if (peek().kind != TokenKind::kIn) return lhs;
        break;
      case TokenKind::kSlash:
        if (no_slash_) return lhs;
        break;
      default:
        break;
    }
    BinaryExpr* e = make<BinaryExpr>(lhs->span);
    e->op = op.op;
    e->op_span = cur_.span;
    if (at(TokenKind::kNot)) {
      advance();
      e->op_span.end = cur_.span.end;
    }
    advance();
    e->lhs = lhs;
    e->rhs = expr(op.right ? op.level : op.level + 1);
    e->span = from(lhs->span.begin);
    over(e, e->lhs);
    over(e, e->rhs);
    lhs = e;
    if (op.level == kLevelCompare || op.level == kLevelRange) lhs = compare_chain(e);
  }
  return lhs;
}

// `a < b < c` is refused here, after the first comparison has been made.
Expr* Parser::compare_chain(Expr* made) {
  if (panic_) return made;
  bool is_range = made->kind == ExprKind::kBinary && as<BinaryExpr>(made)->op == BinaryOp::kRange;
  uint8_t level = is_range ? kLevelRange : kLevelCompare;
  bool chains = kInfix[static_cast<size_t>(cur_.kind)].level == level;
  if (at(TokenKind::kName)) chains = chains && cur_.symbol == words::kIs;
  if (at(TokenKind::kNot)) chains = chains && peek().kind == TokenKind::kIn;
  if (!chains) return made;
  if (is_range) {
    fail(DiagCode::E0108, cur_.span, "ranges do not chain", "a range is `first..last`");
  } else {
    fail(DiagCode::E0108, cur_.span, "comparisons do not chain",
         "join two with `and`, as in `a < b and b < c`, or use parentheses");
  }
  return made;
}

Expr* Parser::match_operator(Expr* lhs) {
  advance();
  Pattern* pattern = to_pattern(lhs);
  MatchExpr* e = make<MatchExpr>(lhs->span);
  e->pattern = pattern;
  e->value = expr(kLevelMatch);
  e->span = from(lhs->span.begin);
  over(e, e->pattern);
  over(e, e->value);
  return e;
}

Expr* Parser::logical(Expr* lhs, bool is_and) {
  advance();
  LogicalExpr* e = make<LogicalExpr>(lhs->span);
  e->is_and = is_and;
  e->lhs = lhs;
  e->rhs = expr((is_and ? kLevelAnd : kLevelOr) + 1);
  e->span = from(lhs->span.begin);
  over(e, e->lhs);
  over(e, e->rhs);
  return e;
}

Expr* Parser::is_operator(Expr* lhs) {
  advance();
  IsExpr* e = make<IsExpr>(lhs->span);
  e->value = lhs;
  e->pattern = pattern();
  e->span = from(lhs->span.begin);
  over(e, e->value);
  over(e, e->pattern);
  return e;
}

Expr* Parser::pipe(Expr* lhs) {
  advance();
  if (at(TokenKind::kMatch) && peek().kind == TokenKind::kLeftBrace) {
    CaseExpr* e = make<CaseExpr>(lhs->span);
    advance();
    e->subject = lhs;
    e->arms = arms("match");
    e->span = from(lhs->span.begin);
    over(e, lhs);
    for (const Arm& arm : e->arms) {
      over(e, arm.pattern);
      over(e, arm.guard);
      over(e, arm.body);
    }
    return e;
  }
  Expr* rhs = expr(kLevelPipe + 1);
  if (panic_) return lhs;
  return pipe_into(lhs, rhs, lhs->span.begin);
}

// `x |> f(a)` is `f(x, a)`; a `?` behind the call stays outside.
Expr* Parser::pipe_into(Expr* value, Expr* rhs, uint32_t begin) {
  Span span{begin, rhs->span.end};
  if (rhs->kind == ExprKind::kTryOp && (rhs->flags & kParenthesised) == 0) {
    TryOpExpr* e = as<TryOpExpr>(rhs);
    e->value = pipe_into(value, e->value, begin);
    e->span = span;
    over(e, e->value);
    return e;
  }
  CallExpr* e = nullptr;
  if (rhs->kind == ExprKind::kCall && (rhs->flags & kParenthesised) == 0 &&
      !as<CallExpr>(rhs)->piped) {
    e = as<CallExpr>(rhs);
    std::span<Expr*> args = arena_.array<Expr*>(e->args.size() + 1);
    args[0] = value;
    for (size_t i = 0; i < e->args.size(); ++i) args[i + 1] = e->args[i];
    e->args = args;
  } else if (rhs->kind == ExprKind::kName || rhs->kind == ExprKind::kField) {
    e = make<CallExpr>(span);
    e->callee = rhs;
    e->args = arena_.array<Expr*>(1);
    e->args[0] = value;
    over(e, rhs);
  } else {
    fail(DiagCode::E0109, rhs->span, "the right side of `|>` is a call",
         "write `x |> f(a)`, `x |> Mod.f` or `x |> match { … }`");
    return value;
  }
  e->piped = true;
  e->span = span;
  over(e, value);
  return e;
}

Expr* Parser::prefix() {
  uint32_t begin = cur_.span.begin;
  UnaryOp op;
  switch (cur_.kind) {
    case TokenKind::kNot:
      op = UnaryOp::kNot;
      break;
    case TokenKind::kMinus:
      op = UnaryOp::kNegate;
      break;
    case TokenKind::kBnot:
      op = UnaryOp::kBitNot;
      break;
    case TokenKind::kAssert:
      return assertion();
    default:
      return postfix(primary());
  }
  advance();
  UnaryExpr* e = make<UnaryExpr>({begin, begin});
  e->op = op;
  e->operand = expr(op == UnaryOp::kNot ? kLevelNot : kLevelPrefix);
  e->span = from(begin);
  over(e, e->operand);
  return e;
}

Expr* Parser::assertion() {
  uint32_t begin = cur_.span.begin;
  advance();
  bool negated = false;
  if (at(TokenKind::kNot) && peek().kind == TokenKind::kReceive) {
    advance();
    negated = true;
  }
  if (at(TokenKind::kReceive) && peek().kind != TokenKind::kLeftBrace) {
    return assert_receive(begin, negated);
  }
  AssertExpr* e = make<AssertExpr>({begin, begin});
  Expr* value = expr();
  if (negated) {
    UnaryExpr* no = make<UnaryExpr>(value->span);
    no->op = UnaryOp::kNot;
    no->operand = value;
    over(no, value);
    value = no;
  }
  e->assert_kind = AssertKind::kValue;
  e->value = value;
  MatchExpr* match = dyn_as<MatchExpr>(value);
  if (match != nullptr && (match->flags & kParenthesised) == 0) {
    e->assert_kind = AssertKind::kMatch;
    e->pattern = match->pattern;
    e->value = match->value;
    over(e, e->pattern);
  }
  e->span = from(begin);
  over(e, e->value);
  return e;
}

Expr* Parser::assert_receive(uint32_t begin, bool negated) {
  advance();
  AssertExpr* e = make<AssertExpr>({begin, begin});
  e->assert_kind = negated ? AssertKind::kNotReceive : AssertKind::kReceive;
  e->pattern = alt_pattern();
  e->guard = guard();
  if (accept_word(words::kAfter)) e->timeout = expr(kLevelSend);
  e->span = from(begin);
  over(e, e->pattern);
  over(e, e->guard);
  over(e, e->timeout);
  return e;
}

Expr* Parser::postfix(Expr* object) {
  while (!panic_) {
    switch (cur_.kind) {
      case TokenKind::kLeftParen:
        if (!cur_.has(kTouchesPrevious)) return object;
        object = call(object);
        break;
      case TokenKind::kLeftBracket: {
        if (!cur_.has(kTouchesPrevious)) return object;
        Span open = cur_.span;
        advance();
        bool outer_slash = no_slash_;
        no_slash_ = false;
        IndexExpr* e = make<IndexExpr>(object->span);
        e->object = object;
        e->key = expr();
        close(TokenKind::kRightBracket, open, "an index");
        no_slash_ = outer_slash;
        e->span = from(object->span.begin);
        over(e, e->object);
        over(e, e->key);
        object = e;
        break;
      }
      case TokenKind::kDot:
        object = dot(object);
        break;
      case TokenKind::kQuestion: {
        advance();
        if (is_ternary()) {
          fail_ternary();
          return object;
        }
        TryOpExpr* e = make<TryOpExpr>(from(object->span.begin));
        e->value = object;
        over(e, object);
        object = e;
        break;
      }
      default:
        return object;
    }
  }
  return object;
}

Expr* Parser::dot(Expr* object) {
  advance();
  if (at(TokenKind::kInt)) {
    ElementExpr* e = make<ElementExpr>({object->span.begin, cur_.span.end});
    e->object = object;
    uint64_t index = 0;
    for (char c : source_.text(cur_.span)) {
      if (c >= '0' && c <= '9') index = index * 10 + static_cast<uint64_t>(c - '0');
      if (index > 0xffffffffu) index = 0xffffffffu;
    }
    e->index = static_cast<uint32_t>(index);
    over(e, object);
    advance();
    return e;
  }
  if (!is_word(cur_)) {
    std::string hint;
    if (at(TokenKind::kLeftParen)) hint = "a function value is called `f(x)`, without the dot";
    if (at(TokenKind::kLeftBrace)) hint = "a map is updated with `%{m | key: value}`";
    if (at(TokenKind::kString) || at(TokenKind::kStringHead))
      hint = "strings are joined by `a <> b`";
    if (at(TokenKind::kLeftBracket)) hint = "an index is `m[k]`, without the dot";
    fail(DiagCode::E0110, cur_.span, "expected a field or function after `.`, found " + shown(cur_),
         hint);
    return object;
  }
  FieldExpr* e = make<FieldExpr>({object->span.begin, cur_.span.end});
  e->object = object;
  e->name = cur_.symbol;
  e->name_span = cur_.span;
  over(e, object);
  advance();
  return e;
}

Expr* Parser::call(Expr* callee) {
  Span open = cur_.span;
  CallExpr* e = make<CallExpr>(callee->span);
  e->callee = callee;
  bool multiline = false;
  e->args = arguments(open, &multiline);
  if (multiline) e->flags |= kMultiline;
  e->span = from(callee->span.begin);
  over(e, callee);
  over_all(e, e->args);
  return e;
}

// `(args)` with the labels folded into one map.
std::span<Expr*> Parser::arguments(Span open, bool* multiline) {
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  size_t base = exprs_.size();
  size_t field_base = fields_.size();
  uint32_t labels_begin = 0;
  while (!panic_ && !at(TokenKind::kRightParen)) {
    Span span = cur_.span;
    bool label = cur_.has(kBeforeColon) && (at(TokenKind::kName) || at(TokenKind::kModuleName));
    if (label) {
      if (fields_.size() == field_base) labels_begin = span.begin;
      fields_.push_back(field());
    } else {
      Expr* arg = expr();
      if (fields_.size() > field_base && !panic_) {
        complain(DiagCode::E0111, arg->span, "an argument without a label after one with a label",
                 "labels come last: they become one map, the last argument");
      }
      exprs_.push_back(arg);
    }
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightParen, open, "a call's arguments");
  *multiline = previous_.has(kOnNewLine);
  no_slash_ = outer_slash;
  if (fields_.size() > field_base) {
    MapExpr* labels = make<MapExpr>({labels_begin, previous_end_});
    labels->flags = kSynthetic;
    labels->fields = take(fields_, field_base);
    over_fields(labels, labels->fields);
    exprs_.push_back(labels);
  }
  return take(exprs_, base);
}

Expr* Parser::function_reference() {
  uint32_t begin = cur_.span.begin;
  advance();
  FunRefExpr* e = make<FunRefExpr>({begin, begin});
  if (at(TokenKind::kModuleName)) {
    ModuleExpr* module = make<ModuleExpr>(cur_.span);
    module->name = cur_.symbol;
    e->object = module;
    advance();
    expect(TokenKind::kDot, "after the module");
  } else if (at(TokenKind::kName) && peek().kind == TokenKind::kDot) {
    NameExpr* name = make<NameExpr>(cur_.span);
    name->name = cur_.symbol;
    e->object = name;
    advance();
    advance();
  }
  e->name = expect_word("a function's name after `&`, as in `&name/2`");
  if (!panic_ && !at(TokenKind::kSlash)) {
    fail(DiagCode::E0112, cur_.span,
         "expected `/` and the number of arguments, found " + shown(cur_),
         "a function as a value is written `&name/2`; a new function is `fn(x) = …`");
    return e;
  }
  accept(TokenKind::kSlash);
  if (!panic_ && !at(TokenKind::kInt)) {
    fail(DiagCode::E0112, cur_.span, "expected the number of arguments, found " + shown(cur_),
         "a function as a value is written `&name/2`");
    return e;
  }
  if (panic_) return e;
  IntExpr* arity = as<IntExpr>(int_literal());
  bool fits = arity->small && arity->value <= 255;
  if (!fits) {
    complain(DiagCode::E0113, arity->span, "a function has at most 255 parameters");
  }
  e->arity = fits ? static_cast<uint32_t>(arity->value) : 0;
  e->span = from(begin);
  over(e, e->object);
  return e;
}

// `()`, `(e)`, `(a, b)`, and for patterns `(a | b)` and `(e as name)`.
Expr* Parser::paren() {
  Span open = cur_.span;
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  size_t base = exprs_.size();
  bool comma = false;
  while (!panic_ && !at(TokenKind::kRightParen)) {
    exprs_.push_back(cover_element());
    comma = accept(TokenKind::kComma);
    if (!comma) break;
  }
  close(TokenKind::kRightParen, open, "parentheses");
  no_slash_ = outer_slash;
  if (exprs_.size() == base + 1 && !comma) {
    Expr* inner = exprs_.back();
    exprs_.pop_back();
    inner->flags |= kParenthesised;
    return inner;
  }
  TupleExpr* e = make<TupleExpr>(from(open.begin));
  if (previous_.has(kOnNewLine)) e->flags |= kMultiline;
  e->elements = take(exprs_, base);
  over_all(e, e->elements);
  return e;
}

// An element that may turn out to be part of a pattern: `a | b`, `e as name`.
Expr* Parser::cover_element() {
  Expr* first = expr();
  if (panic_) return first;
  if (at(TokenKind::kBar)) {
    size_t base = exprs_.size();
    exprs_.push_back(first);
    while (accept(TokenKind::kBar)) exprs_.push_back(expr());
    AltExpr* e = make<AltExpr>(from(first->span.begin));
    e->alternatives = take(exprs_, base);
    over_all(e, e->alternatives);
    first = e;
  }
  if (accept(TokenKind::kAs)) {
    AsExpr* e = make<AsExpr>(first->span);
    e->value = first;
    e->name_span = cur_.span;
    e->name = expect_name("a name after `as`");
    e->span = from(first->span.begin);
    over(e, first);
    first = e;
  }
  return first;
}

// `^name`, `^name.field.0`, `^(expr)`
Expr* Parser::pin() {
  Nesting nesting(*this);
  uint32_t begin = cur_.span.begin;
  advance();
  PinExpr* e = make<PinExpr>({begin, begin});
  if (at(TokenKind::kLeftParen)) {
    Span open = cur_.span;
    advance();
    e->value = expr(kLevelSend);
    close(TokenKind::kRightParen, open, "a pinned expression");
  } else if (at(TokenKind::kName)) {
    NameExpr* name = make<NameExpr>(cur_.span);
    name->name = cur_.symbol;
    advance();
    e->value = name;
    while (at(TokenKind::kDot) && !panic_) e->value = dot(e->value);
  } else {
    fail(DiagCode::E0114, cur_.span, "expected a name after `^`, found " + shown(cur_),
         "`^name` in a pattern compares with the value of name; any other value is `^(expr)`");
    return error_expr();
  }
  e->span = from(begin);
  over(e, e->value);
  return e;
}

Expr* Parser::primary() {
  if (panic_) return error_expr();
  switch (cur_.kind) {
    case TokenKind::kName: {
      if (cur_.symbol == words::kUnderscore) {
        WildcardExpr* e = make<WildcardExpr>(cur_.span);
        advance();
        return e;
      }
      NameExpr* e = make<NameExpr>(cur_.span);
      e->name = cur_.symbol;
      advance();
      return e;
    }
    case TokenKind::kModuleName: {
      ModuleExpr* e = make<ModuleExpr>(cur_.span);
      e->name = cur_.symbol;
      advance();
      return e;
    }
    case TokenKind::kInt:
      return int_literal();
    case TokenKind::kFloat:
      return float_literal();
    case TokenKind::kChar:
      return char_literal();
    case TokenKind::kString:
    case TokenKind::kStringHead:
      return string_literal();
    case TokenKind::kAtom:
    case TokenKind::kQuotedAtom:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNil:
      return atom_literal();
    case TokenKind::kLeftParen:
      return paren();
    case TokenKind::kLeftBracket:
      return list();
    case TokenKind::kMapOpen:
      return map();
    case TokenKind::kStructOpen:
      return struct_literal();
    case TokenKind::kLeftBinary:
      return binary();
    case TokenKind::kCaret:
      return pin();
    case TokenKind::kAmpersand:
      return function_reference();
    case TokenKind::kFn:
      return lambda();
    case TokenKind::kMatch:
      return match_expr();
    case TokenKind::kIf:
      return if_expr();
    case TokenKind::kReceive:
      return receive_expr();
    case TokenKind::kTry:
      return try_expr();
    case TokenKind::kFor:
      return for_expr();
    default:
      unexpected_operand();
      return error_expr();
  }
}

}  // namespace quelea::compiler
