// Lists, maps, structs, binaries and the comprehensions of each.
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

Expr* Parser::list() {
  Span open = cur_.span;
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  size_t base = exprs_.size();
  Expr* tail = nullptr;
  bool first = true;
  while (!panic_ && !at(TokenKind::kRightBracket)) {
    if (cur_.has(kBeforeColon) && at(TokenKind::kName)) {
      fail(DiagCode::E0115, cur_.span, "a list has no labels",
           "a map is `%{key: value}`, a list of pairs `[(:key, value)]`");
      break;
    }
    Expr* element = expr();
    if (first && at(TokenKind::kFor)) {
      advance();
      ListCompExpr* e = make<ListCompExpr>(open);
      e->element = element;
      e->generators = generators();
      close(TokenKind::kRightBracket, open, "a comprehension");
      no_slash_ = outer_slash;
      e->span = from(open.begin);
      over(e, element);
      over_generators(e, e->generators);
      return e;
    }
    first = false;
    if (accept(TokenKind::kAs)) {
      AsExpr* as_expr = make<AsExpr>(element->span);
      as_expr->value = element;
      as_expr->name_span = cur_.span;
      as_expr->name = expect_name("a name after `as`");
      as_expr->span = from(element->span.begin);
      over(as_expr, element);
      element = as_expr;
    }
    exprs_.push_back(element);
    if (accept(TokenKind::kBar)) {
      tail = expr();
      if (at(TokenKind::kComma)) {
        fail(DiagCode::E0116, cur_.span, "nothing follows the tail of a list",
             "`[a, b | rest]`: what stands before `|` are elements, behind it is the rest");
      }
      break;
    }
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBracket, open, "a list");
  no_slash_ = outer_slash;
  ListExpr* e = make<ListExpr>(from(open.begin));
  if (previous_.has(kOnNewLine)) e->flags |= kMultiline;
  e->elements = take(exprs_, base);
  e->tail = tail;
  over_all(e, e->elements);
  over(e, tail);
  return e;
}

// `label: value` or `key => value`
MapField Parser::field() {
  MapField field{nullptr, nullptr};
  bool label = cur_.has(kBeforeColon) && (at(TokenKind::kName) || at(TokenKind::kModuleName));
  if (label) {
    AtomExpr* key = make<AtomExpr>(cur_.span);
    key->name = cur_.symbol;
    field.key = key;
    advance();
    advance();
    field.value = expr();
    return field;
  }
  field.key = expr();
  if (panic_) {
    field.value = field.key;
    return field;
  }
  if (!at(TokenKind::kFatArrow)) {
    std::string hint = "an entry is `key: value` for an atom, `key => value` for anything else";
    if (at(TokenKind::kAssign)) hint = "it is `key: value`";
    fail(DiagCode::E0117, cur_.span, "expected `=>` after a map's key, found " + shown(cur_), hint);
  }
  accept(TokenKind::kFatArrow);
  field.value = expr();
  return field;
}

Expr* Parser::map() {
  Span open = cur_.span;
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  size_t base = fields_.size();
  Expr* result = nullptr;
  bool first = true;
  while (!panic_ && !at(TokenKind::kRightBrace)) {
    bool label = cur_.has(kBeforeColon);
    if (first && !label) {
      Expr* key = expr();
      if (accept(TokenKind::kBar)) {
        result = map_update(key, open.begin, open);
        break;
      }
      if (!panic_ && !at(TokenKind::kFatArrow)) {
        fail(DiagCode::E0117, cur_.span, "expected `=>` after a map's key, found " + shown(cur_),
             key->kind == ExprKind::kMatch ? "it is `key: value`"
             : at(TokenKind::kColon) || at(TokenKind::kAtom)
                 ? "only a plain name takes `:`; a string key is written `\"key\" => value`"
                 : "an entry is `key: value` for an atom, `key => value` for anything else");
      }
      accept(TokenKind::kFatArrow);
      fields_.push_back({key, expr()});
    } else {
      fields_.push_back(field());
    }
    if (first && at(TokenKind::kFor)) {
      advance();
      MapCompExpr* e = make<MapCompExpr>(open);
      e->field = fields_.back();
      fields_.pop_back();
      e->generators = generators();
      over(e, e->field.key);
      over(e, e->field.value);
      over_generators(e, e->generators);
      result = e;
      break;
    }
    first = false;
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBrace, open, "a map");
  no_slash_ = outer_slash;
  if (result != nullptr) {
    result->span = from(open.begin);
    fields_.resize(base);
    return result;
  }
  MapExpr* e = make<MapExpr>(from(open.begin));
  if (previous_.has(kOnNewLine)) e->flags |= kMultiline;
  e->fields = take(fields_, base);
  over_fields(e, e->fields);
  return e;
}

// After `%{base |`: `a.b.c: v` and `key => v`.
Expr* Parser::map_update(Expr* base, uint32_t begin, Span open) {
  MapUpdateExpr* e = make<MapUpdateExpr>({begin, begin});
  e->base = base;
  over(e, base);
  std::vector<MapUpdate> updates;
  while (!panic_ && !at(TokenKind::kRightBrace)) {
    MapUpdate update{};
    std::vector<Symbol> path;
    bool label = cur_.has(kBeforeColon) && (at(TokenKind::kName) || at(TokenKind::kModuleName));
    if (label) {
      path.push_back(cur_.symbol);
      advance();
      advance();
    } else {
      Expr* key = expr();
      if (at(TokenKind::kColon) && previous_.has(kBeforeColon)) {
        // A chain of fields turns out to be a path.
        std::vector<Symbol> reversed;
        Expr* at_expr = key;
        while (FieldExpr* field = dyn_as<FieldExpr>(at_expr)) {
          reversed.push_back(field->name);
          at_expr = field->object;
        }
        NameExpr* root = dyn_as<NameExpr>(at_expr);
        if (root == nullptr) {
          fail(DiagCode::E0118, key->span, "this is no path of field names",
               "a deep update is `%{w | player.pos.x: 3}`");
          break;
        }
        path.push_back(root->name);
        path.insert(path.end(), reversed.rbegin(), reversed.rend());
        advance();
      } else {
        update.key = key;
        if (!panic_ && !at(TokenKind::kFatArrow)) {
          fail(DiagCode::E0117, cur_.span, "expected `=>` after a map's key, found " + shown(cur_),
               "an update is `%{m | key: value}` or `%{m | key => value}`");
        }
        accept(TokenKind::kFatArrow);
      }
    }
    update.path = arena_.copy(path);
    update.value = expr();
    over(e, update.key);
    over(e, update.value);
    updates.push_back(update);
    if (!accept(TokenKind::kComma)) break;
  }
  if (!panic_ && updates.empty()) {
    fail(DiagCode::E0119, cur_.span, "expected what to update after `|`",
         unclosed_note(open, "`%{`"));
  }
  e->updates = arena_.copy(updates);
  return e;
}

Expr* Parser::struct_literal() {
  Span open = cur_.span;
  StructExpr* e = make<StructExpr>(open);
  e->name = cur_.symbol;
  e->name_span = {open.begin + 1, open.end - 1};
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  size_t base = fields_.size();
  while (!panic_ && !at(TokenKind::kRightBrace)) {
    if (!cur_.has(kBeforeColon) || !(at(TokenKind::kName) || at(TokenKind::kModuleName))) {
      fail(DiagCode::E0120, cur_.span, "expected a field's name and `:`, found " + shown(cur_),
           "a struct is `%Name{field: value}`, an update of one `%{s | field: value}`");
      break;
    }
    fields_.push_back(field());
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightBrace, {open.end - 1, open.end}, "a struct");
  no_slash_ = outer_slash;
  e->span = from(open.begin);
  if (previous_.has(kOnNewLine)) e->flags |= kMultiline;
  e->fields = take(fields_, base);
  over_fields(e, e->fields);
  return e;
}

// ---------------------------------------------------------------------------------------------

Expr* Parser::binary() {
  Span open = cur_.span;
  advance();
  bool outer_slash = no_slash_;
  size_t base = segments_.size();
  std::span<Generator> gens;
  bool comprehension = false;
  while (!panic_ && !at(TokenKind::kRightBinary)) {
    Segment made = segment(false);
    segments_.push_back(made);
    if (at(TokenKind::kFor)) {
      advance();
      no_slash_ = false;
      comprehension = true;
      gens = generators();
      break;
    }
    if (!accept(TokenKind::kComma)) break;
  }
  no_slash_ = outer_slash;
  close(TokenKind::kRightBinary, open, "a binary");
  if (comprehension) {
    BinCompExpr* e = make<BinCompExpr>(from(open.begin));
    e->segments = take(segments_, base);
    e->generators = gens;
    over_segments(e, e->segments);
    over_generators(e, e->generators);
    return e;
  }
  BinExpr* e = make<BinExpr>(from(open.begin));
  e->segments = take(segments_, base);
  over_segments(e, e->segments);
  return e;
}

Segment Parser::segment(bool is_pattern) {
  Segment out{};
  uint32_t begin = cur_.span.begin;
  if (is_pattern) {
    out.pattern = primary_pattern();
  } else {
    no_slash_ = true;
    out.value = expr(kLevelAdd);
  }
  if (accept(TokenKind::kColon)) {
    bool outer_slash = no_slash_;
    no_slash_ = false;
    if (at(TokenKind::kInt)) {
      out.size = int_literal();
    } else if (at(TokenKind::kName)) {
      NameExpr* name = make<NameExpr>(cur_.span);
      name->name = cur_.symbol;
      out.size = name;
      advance();
      if (at(TokenKind::kLeftParen) && cur_.has(kTouchesPrevious)) {
        fail(DiagCode::E0121, join(name->span, cur_.span), "a segment's size is no call",
             "an expression stands in parentheses: `value:(" +
                 std::string(source_.text(name->span).substr(0, 40)) + "(…))`");
      }
    } else if (at(TokenKind::kLeftParen)) {
      Span open = cur_.span;
      advance();
      out.size = expr(kLevelSend);
      close(TokenKind::kRightParen, open, "a segment's size");
    } else {
      fail(DiagCode::E0121, cur_.span, "expected a segment's size, found " + shown(cur_),
           "it is an integer, a name, or an expression in parentheses: `<<x:16, y:(n * 8)>>`");
    }
    no_slash_ = outer_slash;
  } else if (at(TokenKind::kColonColon)) {
    fail(DiagCode::E0121, cur_.span, "`::` is not used in binaries",
         "a segment is `value:size/type-sign-endian`, as in `<<n:16/unsigned-big, rest/bytes>>`");
  }
  out.unit = 0;
  if (accept(TokenKind::kSlash)) segment_types(out);
  bool string = out.value != nullptr
                    ? out.value->kind == ExprKind::kString
                    : out.pattern != nullptr && out.pattern->kind == PatternKind::kLiteral &&
                          as<LiteralPattern>(out.pattern)->literal->kind == ExprKind::kString;
  if (string && !out.type_given) {
    out.string_literal = true;
    out.type = SegmentType::kBytes;
  }
  if (out.unit == 0) out.unit = out.type == SegmentType::kBytes ? 8 : 1;
  out.span = from(begin);
  return out;
}

void Parser::segment_types(Segment& segment) {
  bool unit_given = false;
  do {
    Span span = cur_.span;
    Symbol word = expect_name("a segment's type");
    if (panic_) return;
    if (!segment_word(segment, word, unit_given)) {
      std::string text(source_.text(span).substr(0, 40));
      std::string hint =
          "there are int float bytes bits utf8 utf16 utf32, signed unsigned, big little native, "
          "unit(n)";
      if (text == "binary" || text == "string") hint = "bytes are `/bytes`";
      if (text == "bitstring") hint = "bits are `/bits`";
      if (text == "integer") hint = "integers are `/int`";
      if (text == "size") hint = "the size comes first: `value:16/int`";
      fail(DiagCode::E0122, span, "`" + text + "` is no type of a segment", hint);
      return;
    }
    if (unit_given && segment.unit == 0) {
      Span open = cur_.span;
      if (!expect(TokenKind::kLeftParen, "after `unit`")) return;
      if (!at(TokenKind::kInt)) {
        fail(DiagCode::E0123, cur_.span, "expected a number of bits, found " + shown(cur_));
        return;
      }
      Span number = cur_.span;
      IntExpr* unit = as<IntExpr>(int_literal());
      bool fits = unit->small && unit->value >= 1 && unit->value <= 256;
      if (!fits) complain(DiagCode::E0123, number, "a unit is 1 to 256 bits");
      segment.unit = fits ? static_cast<uint16_t>(unit->value) : 1;
      close(TokenKind::kRightParen, open, "a unit");
    }
  } while (accept(TokenKind::kMinus));
  if (unit_given && segment.type == SegmentType::kBytes && segment.unit != 8) {
    complain(DiagCode::E0123, previous_.span, "the unit of bytes is 8", "`bits` take any unit");
  }
}

bool Parser::segment_word(Segment& segment, Symbol word, bool& unit_given) {
  auto type = [&](SegmentType value) {
    segment.type = value;
    segment.type_given = true;
    return true;
  };
  if (word == words::kIntType) return type(SegmentType::kInt);
  if (word == words::kFloatType) return type(SegmentType::kFloat);
  if (word == words::kBytes) return type(SegmentType::kBytes);
  if (word == words::kBits) return type(SegmentType::kBits);
  if (word == words::kUtf8) return type(SegmentType::kUtf8);
  if (word == words::kUtf16) return type(SegmentType::kUtf16);
  if (word == words::kUtf32) return type(SegmentType::kUtf32);
  if (word == words::kSigned) return segment.is_signed = true;
  if (word == words::kUnsigned) return !(segment.is_signed = false);
  if (word == words::kBig) segment.endian = Endian::kBig;
  if (word == words::kLittle) segment.endian = Endian::kLittle;
  if (word == words::kNative) segment.endian = Endian::kNative;
  if (word == words::kUnit) return unit_given = true;
  return word == words::kBig || word == words::kLittle || word == words::kNative;
}

}  // namespace quelea::compiler
