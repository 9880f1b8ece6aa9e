// Type declarations and annotations: parsed and kept, without effect on what runs.
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

TypeExpr* Parser::make_type(TypeKind kind, uint32_t begin) {
  TypeExpr* t = arena_.make<TypeExpr>();
  t->kind = kind;
  t->span = {begin, begin};
  return t;
}

// type = ["|"] type1 {"|" type1}
TypeExpr* Parser::type() {
  Nesting nesting(*this);
  uint32_t begin = cur_.span.begin;
  if (panic_) return make_type(TypeKind::kNamed, begin);
  accept(TokenKind::kBar);
  TypeExpr* first = primary_type();
  if (!at(TokenKind::kBar)) return first;
  std::vector<TypeExpr*> items{first};
  while (accept(TokenKind::kBar)) items.push_back(primary_type());
  TypeExpr* t = make_type(TypeKind::kUnion, begin);
  t->items = arena_.copy(items);
  t->span = from(begin);
  over_all(t, t->items);
  return t;
}

std::span<TypeExpr*> Parser::type_list(TokenKind closer, Span open) {
  std::vector<TypeExpr*> items;
  while (!panic_ && !at(closer)) {
    items.push_back(type());
    if (!accept(TokenKind::kComma)) break;
  }
  close(closer, open, "a type");
  return arena_.copy(items);
}

TypeExpr* Parser::primary_type() {
  uint32_t begin = cur_.span.begin;
  if (panic_) return make_type(TypeKind::kNamed, begin);
  TypeExpr* t = nullptr;
  Span open = cur_.span;
  switch (cur_.kind) {
    case TokenKind::kLeftParen: {
      advance();
      bool outer = no_slash_;
      t = make_type(TypeKind::kTuple, begin);
      t->items = type_list(TokenKind::kRightParen, open);
      no_slash_ = outer;
      // `(T)` is grouping, `(T,)` a tuple of one.
      bool comma = text_.substr(0, previous_.span.begin).find_last_not_of(" \t\r\n") !=
                       std::string_view::npos &&
                   text_[text_.substr(0, previous_.span.begin).find_last_not_of(" \t\r\n")] == ',';
      if (t->items.size() == 1 && !comma) return t->items[0];
      break;
    }
    case TokenKind::kLeftBracket:
      advance();
      t = make_type(TypeKind::kList, begin);
      t->items = type_list(TokenKind::kRightBracket, open);
      if (!panic_ && t->items.size() != 1) {
        fail(DiagCode::E0146, from(begin), "a list type names the type of its elements: `[Int]`");
      }
      break;
    case TokenKind::kMapOpen:
      t = map_type();
      break;
    case TokenKind::kFn:
      t = fn_type();
      break;
    case TokenKind::kModuleName:
      t = make_type(TypeKind::kNamed, begin);
      t->name = cur_.symbol;
      advance();
      if (at(TokenKind::kLeftParen)) {
        open = cur_.span;
        advance();
        t->items = type_list(TokenKind::kRightParen, open);
      }
      break;
    case TokenKind::kName:
      t = make_type(TypeKind::kVar, begin);
      t->name = cur_.symbol;
      advance();
      break;
    case TokenKind::kAtom:
    case TokenKind::kQuotedAtom:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNil:
      t = make_type(TypeKind::kLiteral, begin);
      t->literal = atom_literal();
      break;
    case TokenKind::kString:
      t = make_type(TypeKind::kLiteral, begin);
      t->literal = string_literal();
      break;
    case TokenKind::kInt:
    case TokenKind::kMinus:
      t = number_type();
      break;
    default: {
      std::string hint;
      if (at(TokenKind::kLeftBrace)) hint = "a map type is `%{key: Type}`";
      fail(DiagCode::E0146, cur_.span, "expected a type, found " + shown(cur_), hint);
      return make_type(TypeKind::kNamed, begin);
    }
  }
  t->span = from(begin);
  over_all(t, t->items);
  return t;
}

// %{name: T, other?: T, K => V}
TypeExpr* Parser::map_type() {
  Span open = cur_.span;
  TypeExpr* t = make_type(TypeKind::kMap, open.begin);
  advance();
  std::vector<TypeField> fields;
  while (!panic_ && !at(TokenKind::kRightBrace)) {
    TypeField field{};
    bool label = cur_.has(kBeforeColon);
    bool optional = !label && is_word(cur_) && peek().kind == TokenKind::kQuestion;
    if (label || optional) {
      AtomExpr* name = make<AtomExpr>(cur_.span);
      name->name = cur_.symbol;
      field.label = name;
      field.optional = optional;
      advance();
      accept(TokenKind::kQuestion);
      expect(TokenKind::kColon, "after the field's name");
    } else {
      field.key = type();
      expect(TokenKind::kFatArrow, "after the type of the keys");
    }
    field.value = type();
    over(t, field.key);
    over(t, field.value);
    fields.push_back(field);
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBrace, open, "a map type");
  t->fields = arena_.copy(fields);
  return t;
}

// fn(A, B): R
TypeExpr* Parser::fn_type() {
  TypeExpr* t = make_type(TypeKind::kFn, cur_.span.begin);
  advance();
  Span open = cur_.span;
  if (!expect(TokenKind::kLeftParen, "after `fn` in a type")) return t;
  t->items = type_list(TokenKind::kRightParen, open);
  expect(TokenKind::kColon, "and the type of the result");
  Nesting nesting(*this);
  t->result = primary_type();
  over(t, t->result);
  return t;
}

// 1, -1, 0..255
TypeExpr* Parser::number_type() {
  uint32_t begin = cur_.span.begin;
  auto bound = [&]() -> IntExpr* {
    bool negative = accept(TokenKind::kMinus);
    if (!at(TokenKind::kInt)) {
      fail(DiagCode::E0146, cur_.span, "expected an integer, found " + shown(cur_));
      return nullptr;
    }
    IntExpr* e = as<IntExpr>(int_literal());
    e->negative = negative;
    if (negative) e->value = -e->value;
    return e;
  };
  IntExpr* low = bound();
  TypeExpr* t = make_type(TypeKind::kLiteral, begin);
  t->literal = low;
  if (accept(TokenKind::kDotDot)) {
    t->kind = TypeKind::kRange;
    t->literal = nullptr;
    t->low = low;
    t->high = bound();
  }
  return t;
}

}  // namespace quelea::compiler
