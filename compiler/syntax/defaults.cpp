// Default parameters. `fn f(a, b = 1, c = a) …` is f/3 and two made functions: f/2 is
// `f(a, b) = f(a, b, a)` and f/1 is `f(a) = f(a, 1)`, each with one of the defaults for its last
// argument, so that a default may use the parameters before it.
#include "compiler/syntax/lexer.h"
#include "compiler/syntax/parser_impl.h"
#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

std::unordered_set<uint32_t> Resolver::names_in(Span span) {
  std::unordered_set<uint32_t> names;
  DiagnosticSink ignored;
  Lexer lexer(*file_.source, interner_, ignored, span);
  for (Token token = lexer.next(); token.kind != TokenKind::kEndOfFile; token = lexer.next()) {
    if (token.kind == TokenKind::kName) names.insert(static_cast<uint32_t>(token.symbol));
  }
  return names;
}

std::vector<Resolver::LowerArity> Resolver::take_defaults(Clause* clause, Symbol name) {
  std::vector<LowerArity> out;
  std::span<Pattern*> params = clause->params;
  size_t first = params.size();
  for (size_t i = 0; i < params.size(); ++i) {
    bool is_default = params[i]->kind == PatternKind::kDefault;
    if (is_default && first == params.size()) first = i;
    if (is_default || first == params.size()) continue;
    report(DiagCode::E0402, params[i]->span,
           "a parameter without a default follows one with a default", "defaults come last");
    return out;
  }
  if (first == params.size()) return out;
  std::vector<Expr*> values(params.size());
  for (size_t i = first; i < params.size(); ++i) {
    DefaultPattern* with_default = as<DefaultPattern>(params[i]);
    values[i] = with_default->value;
    params[i] = with_default->pattern;
    if (params[i]->kind == PatternKind::kVar) continue;
    report(DiagCode::E0403, params[i]->span, "only a plain parameter has a default",
           "name it, and take it apart in the body: `fn f(opts = %{}) { … }`");
    return out;
  }
  for (size_t i = params.size(); i > first; --i) {
    uint32_t arity = static_cast<uint32_t>(i - 1);
    Clause* made =
        default_clause(params.first(arity), arity, values[arity], name, params[arity]->span);
    out.push_back({made, arity});
  }
  return out;
}

// `(params) = name(params…, value)`. A parameter that is no plain name becomes one; where the
// default uses names of its pattern, the pattern is read once more from the source: `pattern as
// name`.
Clause* Resolver::default_clause(std::span<Pattern*> params, uint32_t arity, Expr* value,
                                 Symbol name, Span span) {
  Clause* clause = arena_.make<Clause>();
  clause->span = clause->head = join(span, value->span);
  std::unordered_set<uint32_t> used;
  bool used_known = false;
  std::span<Pattern*> made = arena_.array<Pattern*>(arity);
  std::span<Expr*> args = arena_.array<Expr*>(arity + 1);
  for (uint32_t i = 0; i < arity; ++i) {
    VarPattern* var = make<VarPattern>(params[i]->span);
    VarPattern* plain = dyn_as<VarPattern>(params[i]);
    var->name = plain != nullptr ? plain->name : interner_.intern("_arg " + std::to_string(i));
    made[i] = var;
    bool scalar = plain != nullptr || params[i]->kind == PatternKind::kWildcard ||
                  params[i]->kind == PatternKind::kLiteral;
    if (!scalar) {
      if (!used_known) used = names_in(value->span);
      used_known = true;
      bool shares = false;
      for (uint32_t symbol : names_in(params[i]->span)) shares |= used.contains(symbol);
      if (shares) {
        DiagnosticSink ignored;
        AsPattern* both = make<AsPattern>(params[i]->span);
        both->pattern = reparse_pattern(*file_.source, arena_, interner_, ignored, params[i]->span);
        both->height = static_cast<uint16_t>(both->pattern->height + 1);
        both->name = var;
        made[i] = both;
      }
    }
    NameExpr* arg = make<NameExpr>(params[i]->span);
    arg->name = var->name;
    args[i] = arg;
  }
  args[arity] = value;
  NameExpr* callee = make<NameExpr>(value->span);
  callee->name = name;
  CallExpr* call = make<CallExpr>(value->span);
  call->callee = callee;
  call->args = args;
  call->height = static_cast<uint16_t>(value->height + 1);
  clause->params = made;
  clause->body = call;
  return clause;
}

// A local function with defaults: the lower arities are local functions below it, and once more
// inside its clauses where it calls itself by name.
void Resolver::expand_local_defaults(LocalFnExpr* local, std::vector<Expr*>& out) {
  out.push_back(local);
  LambdaExpr* fn = local->lambda;
  bool any = false;
  for (size_t c = 0; c < fn->clauses.size(); ++c) {
    for (Pattern* param : fn->clauses[c]->params) {
      if (param->kind != PatternKind::kDefault) continue;
      if (c > 0) {
        report(DiagCode::E0405, param->span, "a default belongs to the first clause");
        return;
      }
      any = true;
    }
  }
  if (!any) return;
  Clause* first = fn->clauses[0];
  Span head = first->head;
  auto make_local = [&](const LowerArity& lower) {
    LambdaExpr* lambda = make<LambdaExpr>(head);
    lambda->name = fn->name;
    lambda->arity = lower.arity;
    lambda->clauses = arena_.copy(&lower.clause, 1);
    lambda->height = static_cast<uint16_t>(lower.clause->body->height + 2);
    LocalFnExpr* made = make<LocalFnExpr>(head);
    made->lambda = lambda;
    made->height = static_cast<uint16_t>(lambda->height + 1);
    return made;
  };
  for (const LowerArity& lower : take_defaults(first, fn->name)) out.push_back(make_local(lower));
  for (Clause* clause : fn->clauses) {
    if (!names_in(clause->body->span).contains(static_cast<uint32_t>(fn->name))) continue;
    DiagnosticSink ignored;
    Clause* again = reparse_clause(*file_.source, arena_, interner_, ignored, head);
    if (again == nullptr) continue;
    std::vector<Expr*> statements;
    for (const LowerArity& lower : take_defaults(again, fn->name)) {
      statements.push_back(make_local(lower));
    }
    statements.push_back(clause->body);
    BlockExpr* block = make<BlockExpr>(clause->body->span);
    block->statements = arena_.copy(statements);
    for (Expr* statement : statements) {
      if (statement->height >= block->height) {
        block->height = static_cast<uint16_t>(statement->height + 1);
      }
    }
    clause->body = block;
  }
}

}  // namespace quelea::compiler
