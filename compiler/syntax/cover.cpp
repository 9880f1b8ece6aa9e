// The one cover of the grammar: in `p = e` the left side was read as an expression and becomes a
// pattern when the `=` is seen.
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

Pattern* Parser::not_a_pattern(Span span, std::string hint) {
  if (hint.empty()) {
    hint =
        "patterns are made of names, literals, tuples, lists, maps and binaries; compare values "
        "with `==`";
  }
  if (!panic_) fail(DiagCode::E0145, span, "this cannot be a pattern", std::move(hint));
  return error_pattern();
}

std::span<Pattern*> Parser::to_patterns(std::span<Expr*> items) {
  std::span<Pattern*> out = arena_.array<Pattern*>(items.size());
  for (size_t i = 0; i < items.size(); ++i) out[i] = to_pattern(items[i]);
  return out;
}

namespace {

Expr* negated_number(UnaryExpr* e) {
  if (e->op != UnaryOp::kNegate) return nullptr;
  if (IntExpr* i = dyn_as<IntExpr>(e->operand); i != nullptr && !i->negative && !i->is_char) {
    i->negative = true;
    i->value = -i->value;
    i->span = e->span;
    return i;
  }
  if (FloatExpr* f = dyn_as<FloatExpr>(e->operand)) {
    f->value = -f->value;
    f->span = e->span;
    return f;
  }
  return nullptr;
}

}  // namespace

Pattern* Parser::to_pattern(Expr* e) {
  if (panic_) return error_pattern();
  switch (e->kind) {
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kAtom:
    case ExprKind::kModule:
    case ExprKind::kString:
      return literal_pattern(e);
    case ExprKind::kName:
      return var_pattern(as<NameExpr>(e)->name, e->span);
    case ExprKind::kWildcard:
      return make<WildcardPattern>(e->span);
    case ExprKind::kUnary: {
      Expr* literal = negated_number(as<UnaryExpr>(e));
      return literal == nullptr ? not_a_pattern(e->span) : literal_pattern(literal);
    }
    case ExprKind::kPin: {
      PinPattern* p = make<PinPattern>(e->span);
      p->value = as<PinExpr>(e)->value;
      over(p, p->value);
      return p;
    }
    case ExprKind::kTuple: {
      TuplePattern* p = make<TuplePattern>(e->span);
      p->elements = to_patterns(as<TupleExpr>(e)->elements);
      over_all(p, p->elements);
      return p;
    }
    case ExprKind::kList: {
      ListPattern* p = make<ListPattern>(e->span);
      p->elements = to_patterns(as<ListExpr>(e)->elements);
      if (as<ListExpr>(e)->tail != nullptr) p->tail = to_pattern(as<ListExpr>(e)->tail);
      over_all(p, p->elements);
      over(p, p->tail);
      return p;
    }
    case ExprKind::kMap:
      return cover_map(e, as<MapExpr>(e)->fields);
    case ExprKind::kStruct:
      return cover_map(e, as<StructExpr>(e)->fields);
    case ExprKind::kBin: {
      BinPattern* p = make<BinPattern>(e->span);
      p->segments = as<BinExpr>(e)->segments;
      for (Segment& segment : p->segments) {
        segment.pattern = to_pattern(segment.value);
        segment.value = nullptr;
      }
      over_segments(p, p->segments);
      return p;
    }
    case ExprKind::kBinary:
      return cover_binary(e);
    case ExprKind::kAlt: {
      AltPattern* p = make<AltPattern>(e->span);
      p->alternatives = to_patterns(as<AltExpr>(e)->alternatives);
      over_all(p, p->alternatives);
      return p;
    }
    case ExprKind::kAs: {
      AsExpr* from = as<AsExpr>(e);
      AsPattern* p = make<AsPattern>(e->span);
      p->pattern = to_pattern(from->value);
      p->name = as<VarPattern>(var_pattern(from->name, from->name_span));
      over(p, p->pattern);
      return p;
    }
    case ExprKind::kInterp:
      return not_a_pattern(e->span, "`${…}` has no place in a pattern; pin it: `^(\"…\")`");
    case ExprKind::kCall:
      return not_a_pattern(e->span, "a call stands on the right: `name = f(x)`");
    case ExprKind::kField:
    case ExprKind::kIndex:
    case ExprKind::kElement:
      return not_a_pattern(e->span,
                           "values do not change; `%{m | key: value}` makes a map with another "
                           "value, `^m.key` compares");
    case ExprKind::kError:
      return error_pattern();
    default:
      return not_a_pattern(e->span);
  }
}

Pattern* Parser::cover_binary(Expr* e) {
  BinaryExpr* from = as<BinaryExpr>(e);
  if (from->op == BinaryOp::kConcat) {
    Pattern* text = to_pattern(from->lhs);
    return prefix_pattern(text, to_pattern(from->rhs));
  }
  if (from->op == BinaryOp::kRange) {
    Pattern* low = to_pattern(from->lhs);
    return range_pattern(low, to_pattern(from->rhs));
  }
  return not_a_pattern(e->span);
}

Pattern* Parser::cover_map(Expr* e, std::span<MapField> fields) {
  std::span<PatternField> out = arena_.array<PatternField>(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    out[i].key = to_pattern(fields[i].key);
    out[i].value = to_pattern(fields[i].value);
  }
  auto finish = [&](auto* p) {
    p->fields = out;
    for (const PatternField& field : out) {
      over(p, field.key);
      over(p, field.value);
    }
    return p;
  };
  if (e->kind == ExprKind::kMap) return finish(make<MapPattern>(e->span));
  StructPattern* p = make<StructPattern>(e->span);
  p->name = as<StructExpr>(e)->name;
  p->name_span = as<StructExpr>(e)->name_span;
  return finish(p);
}

}  // namespace quelea::compiler
