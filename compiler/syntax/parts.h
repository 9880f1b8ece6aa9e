// What operators and data are made of: for rules that look at an expression and then at its parts.
#pragma once

#include "compiler/syntax/ast.h"

namespace quelea::compiler {

// Calls `visit` for each direct part of an operator or a piece of data, in order. False for any
// other kind of expression, of which nothing is visited; true for literals, which have no parts.
template <class Visit>
bool visit_parts(const Expr* e, const Visit& visit) {
  switch (e->kind) {
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kAtom:
    case ExprKind::kModule:
    case ExprKind::kString:
      return true;
    case ExprKind::kUnary:
      visit(as<UnaryExpr>(e)->operand);
      return true;
    case ExprKind::kBinary:
      visit(as<BinaryExpr>(e)->lhs);
      visit(as<BinaryExpr>(e)->rhs);
      return true;
    case ExprKind::kLogical:
      visit(as<LogicalExpr>(e)->lhs);
      visit(as<LogicalExpr>(e)->rhs);
      return true;
    case ExprKind::kTuple:
      for (Expr* element : as<TupleExpr>(e)->elements) visit(element);
      return true;
    case ExprKind::kList:
      for (Expr* element : as<ListExpr>(e)->elements) visit(element);
      if (as<ListExpr>(e)->tail != nullptr) visit(as<ListExpr>(e)->tail);
      return true;
    case ExprKind::kMap:
      for (const MapField& field : as<MapExpr>(e)->fields) {
        visit(field.key);
        visit(field.value);
      }
      return true;
    case ExprKind::kBin:
      for (const Segment& segment : as<BinExpr>(e)->segments) {
        visit(segment.value);
        if (segment.size != nullptr) visit(segment.size);
      }
      return true;
    case ExprKind::kField:
      visit(as<FieldExpr>(e)->object);
      return true;
    case ExprKind::kElement:
      visit(as<ElementExpr>(e)->object);
      return true;
    case ExprKind::kIndex:
      visit(as<IndexExpr>(e)->object);
      visit(as<IndexExpr>(e)->key);
      return true;
    default:
      return false;
  }
}

}  // namespace quelea::compiler
