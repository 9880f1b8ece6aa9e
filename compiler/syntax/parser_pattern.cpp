// Patterns.
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

Pattern* Parser::literal_pattern(Expr* literal) {
  LiteralPattern* p = make<LiteralPattern>(literal->span);
  p->literal = literal;
  return p;
}

Pattern* Parser::var_pattern(Symbol name, Span span) {
  VarPattern* p = make<VarPattern>(span);
  p->name = name;
  return p;
}

Pattern* Parser::as_suffix(Pattern* inner) {
  if (!accept(TokenKind::kAs)) return inner;
  AsPattern* p = make<AsPattern>(inner->span);
  p->pattern = inner;
  Span span = cur_.span;
  Symbol name = expect_name("a name after `as`");
  if (name == words::kUnderscore) {
    fail(DiagCode::E0140, span, "`as _` names nothing", "give it a name, or drop the `as`");
  }
  p->name = as<VarPattern>(var_pattern(name, span));
  p->span = from(inner->span.begin);
  over(p, inner);
  return p;
}

// altpat = pat {"|" pat} ["as" NAME]
Pattern* Parser::alt_pattern() {
  Pattern* first = plain_pattern();
  if (at(TokenKind::kBar)) {
    size_t base = patterns_.size();
    patterns_.push_back(first);
    while (accept(TokenKind::kBar)) patterns_.push_back(plain_pattern());
    AltPattern* p = make<AltPattern>(from(first->span.begin));
    p->alternatives = take(patterns_, base);
    over_all(p, p->alternatives);
    first = p;
  }
  return as_suffix(first);
}

// pattern = pat ["as" NAME]
Pattern* Parser::pattern() { return as_suffix(plain_pattern()); }

// pat = pat1 [".." pat1 | "<>" pat]
Pattern* Parser::plain_pattern() {
  Nesting nesting(*this);
  if (panic_) return error_pattern();
  Pattern* first = primary_pattern();
  if (accept(TokenKind::kDotDot)) return range_pattern(first, primary_pattern());
  if (accept(TokenKind::kConcat)) return prefix_pattern(first, plain_pattern());
  return first;
}

Pattern* Parser::range_pattern(Pattern* low, Pattern* high) {
  if (panic_) return low;
  auto bound = [](Pattern* p) -> IntExpr* {
    LiteralPattern* literal = dyn_as<LiteralPattern>(p);
    return literal == nullptr ? nullptr : dyn_as<IntExpr>(literal->literal);
  };
  RangePattern* p = make<RangePattern>(join(low->span, high->span));
  p->low = bound(low);
  p->high = bound(high);
  if (p->low == nullptr || p->high == nullptr) {
    Span span = p->low == nullptr ? low->span : high->span;
    fail(DiagCode::E0141, span, "a range pattern runs between two integers",
         "as in `1..9` or `'a'..'z'`; compare other values in a guard: `n when n in a..b`");
    return low;
  }
  return p;
}

Pattern* Parser::prefix_pattern(Pattern* text, Pattern* rest) {
  if (panic_) return text;
  LiteralPattern* literal = dyn_as<LiteralPattern>(text);
  if (literal == nullptr || literal->literal->kind != ExprKind::kString) {
    fail(DiagCode::E0142, text->span, "the left of `<>` in a pattern is a string literal",
         "`\"prefix\" <> rest` matches a beginning; to split elsewhere use `<<…>>` or `String`");
    return text;
  }
  PrefixPattern* p = make<PrefixPattern>(join(text->span, rest->span));
  p->prefix = as<StringExpr>(literal->literal)->text;
  p->rest = rest;
  over(p, rest);
  return p;
}

Pattern* Parser::number_pattern() {
  uint32_t begin = cur_.span.begin;
  bool negative = accept(TokenKind::kMinus);
  Expr* literal;
  if (at(TokenKind::kFloat)) {
    FloatExpr* e = as<FloatExpr>(float_literal());
    if (negative) e->value = -e->value;
    literal = e;
  } else if (at(TokenKind::kInt)) {
    IntExpr* e = as<IntExpr>(int_literal());
    e->negative = negative;
    if (negative) e->value = -e->value;
    literal = e;
  } else {
    fail(DiagCode::E0143, cur_.span, "expected a number after `-`, found " + shown(cur_));
    return error_pattern();
  }
  literal->span = from(begin);
  return literal_pattern(literal);
}

Pattern* Parser::primary_pattern() {
  if (panic_) return error_pattern();
  switch (cur_.kind) {
    case TokenKind::kName: {
      Pattern* p;
      if (cur_.symbol == words::kUnderscore) {
        p = make<WildcardPattern>(cur_.span);
      } else {
        p = var_pattern(cur_.symbol, cur_.span);
      }
      advance();
      if (at(TokenKind::kLeftParen) && cur_.has(kTouchesPrevious)) {
        return not_a_pattern(join(p->span, cur_.span),
                             "a call cannot be matched; test it in a guard, or pin its value: "
                             "`^(f(x))`");
      }
      return p;
    }
    case TokenKind::kModuleName: {
      ModuleExpr* e = make<ModuleExpr>(cur_.span);
      e->name = cur_.symbol;
      advance();
      if (at(TokenKind::kLeftBrace) && cur_.has(kTouchesPrevious)) {
        return not_a_pattern(
            e->span, "a struct pattern is `%" + std::string(source_.text(e->span)) + "{…}`");
      }
      return literal_pattern(e);
    }
    case TokenKind::kInt:
    case TokenKind::kFloat:
    case TokenKind::kMinus:
      return number_pattern();
    case TokenKind::kChar:
      return literal_pattern(char_literal());
    case TokenKind::kString:
    case TokenKind::kStringHead: {
      Expr* e = string_literal();
      if (panic_) return error_pattern();
      if (e->kind != ExprKind::kString) {
        return not_a_pattern(e->span, "`${…}` has no place in a pattern; pin it: `^(\"…\")`");
      }
      return literal_pattern(e);
    }
    case TokenKind::kAtom:
    case TokenKind::kQuotedAtom:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNil:
      return literal_pattern(atom_literal());
    case TokenKind::kLeftParen:
      return paren_pattern();
    case TokenKind::kLeftBracket:
      return list_pattern();
    case TokenKind::kMapOpen:
    case TokenKind::kStructOpen:
      return map_pattern();
    case TokenKind::kLeftBinary:
      return bin_pattern();
    case TokenKind::kCaret: {
      Expr* e = pin();
      if (panic_) return error_pattern();
      return to_pattern(e);
    }
    default:
      break;
  }
  if (habit_token()) return error_pattern();
  std::string hint;
  if (at(TokenKind::kLeftBrace)) hint = "a tuple is `(a, b)`, a map `%{key: pattern}`";
  if (at(TokenKind::kEqual) || at(TokenKind::kLess) || at(TokenKind::kGreater) ||
      at(TokenKind::kLessEqual) || at(TokenKind::kGreaterEqual) || at(TokenKind::kNotEqual)) {
    hint = "a value matches itself: `1 -> …`; a comparison is a guard: `n when n > 1 -> …`";
  }
  if (at(TokenKind::kElse)) hint = "the arm for everything else is `_ -> …`";
  if (is_keyword(cur_.kind) && hint.empty())
    hint = shown(cur_) + " is a keyword and cannot be a name";
  fail(DiagCode::E0144, cur_.span, "expected a pattern, found " + shown(cur_), hint);
  return error_pattern();
}

Pattern* Parser::paren_pattern() {
  Span open = cur_.span;
  advance();
  size_t base = patterns_.size();
  bool comma = false;
  while (!panic_ && !at(TokenKind::kRightParen)) {
    patterns_.push_back(alt_pattern());
    comma = accept(TokenKind::kComma);
    if (!comma) break;
  }
  close(TokenKind::kRightParen, open, "a pattern in parentheses");
  if (patterns_.size() == base + 1 && !comma) {
    Pattern* inner = patterns_.back();
    patterns_.pop_back();
    inner->flags |= kParenthesised;
    return inner;
  }
  TuplePattern* p = make<TuplePattern>(from(open.begin));
  p->elements = take(patterns_, base);
  over_all(p, p->elements);
  return p;
}

Pattern* Parser::list_pattern() {
  Span open = cur_.span;
  advance();
  size_t base = patterns_.size();
  Pattern* tail = nullptr;
  while (!panic_ && !at(TokenKind::kRightBracket)) {
    patterns_.push_back(pattern());
    if (accept(TokenKind::kBar)) {
      tail = pattern();
      break;
    }
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBracket, open, "a list pattern");
  ListPattern* p = make<ListPattern>(from(open.begin));
  p->elements = take(patterns_, base);
  p->tail = tail;
  over_all(p, p->elements);
  over(p, tail);
  return p;
}

Pattern* Parser::map_pattern() {
  Span open = cur_.span;
  bool is_struct = at(TokenKind::kStructOpen);
  Symbol name = cur_.symbol;
  advance();
  size_t base = pattern_fields_.size();
  while (!panic_ && !at(TokenKind::kRightBrace)) {
    PatternField field{};
    bool label = cur_.has(kBeforeColon) && (at(TokenKind::kName) || at(TokenKind::kModuleName));
    if (label) {
      AtomExpr* key = make<AtomExpr>(cur_.span);
      key->name = cur_.symbol;
      field.key = literal_pattern(key);
      advance();
      advance();
    } else {
      Nesting nesting(*this);  // Keys nest without passing plain_pattern().
      field.key = primary_pattern();
      if (!panic_ && !at(TokenKind::kFatArrow)) {
        fail(DiagCode::E0117, cur_.span, "expected `=>` after the key, found " + shown(cur_),
             "an entry is `key: pattern` for an atom, `key => pattern` for anything else");
      }
      accept(TokenKind::kFatArrow);
    }
    field.value = pattern();
    pattern_fields_.push_back(field);
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBrace, {open.end - 1, open.end}, "a map pattern");
  std::span<PatternField> fields = take(pattern_fields_, base);
  auto over_all_fields = [&](auto* p) {
    for (const PatternField& field : fields) {
      over(p, field.key);
      over(p, field.value);
    }
    p->fields = fields;
    return p;
  };
  if (!is_struct) return over_all_fields(make<MapPattern>(from(open.begin)));
  StructPattern* p = make<StructPattern>(from(open.begin));
  p->name = name;
  p->name_span = {open.begin + 1, open.end - 1};
  return over_all_fields(p);
}

Pattern* Parser::bin_pattern() {
  Nesting nesting(*this);  // Segments nest without passing plain_pattern().
  if (panic_) return error_pattern();
  Span open = cur_.span;
  advance();
  size_t base = segments_.size();
  while (!panic_ && !at(TokenKind::kRightBinary)) {
    Segment made = segment(true);
    segments_.push_back(made);
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBinary, open, "a binary pattern");
  BinPattern* p = make<BinPattern>(from(open.begin));
  p->segments = take(segments_, base);
  over_segments(p, p->segments);
  return p;
}

}  // namespace quelea::compiler
