// Expressions: which scopes they open, and the static rules about them.
#include "compiler/syntax/parts.h"
#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

// In a scope of its own.
void Resolver::expr_scoped(Expr* e, ScopeKind kind, const Expr* owner) {
  push_scope(kind, owner);
  expr(e);
  pop_scope();
}

// The body of an arm, clause or loop: a block's statements share the scope that is open already, so
// that a name bound by the pattern and bound anew in the block are one scope's.
void Resolver::body(Expr* e) {
  if (e->kind == ExprKind::kBlock) {
    block_statements(as<BlockExpr>(e)->statements);
  } else {
    expr(e);
  }
}

void Resolver::block(BlockExpr* e, ScopeKind kind, const Expr* owner) {
  push_scope(kind, owner);
  block_statements(e->statements);
  pop_scope();
}

void Resolver::block_statements(std::span<Expr*>& statements) {
  uint32_t outer_conditional = conditional_;
  conditional_ = 0;
  size_t region = begin_region();
  bool expanded = false;
  std::vector<Expr*> list;
  for (size_t i = 0; i < statements.size(); ++i) {
    LocalFnExpr* local = dyn_as<LocalFnExpr>(statements[i]);
    if (local == nullptr) {
      expr(statements[i]);
      if (expanded) list.push_back(statements[i]);
      if (i + 1 < statements.size()) thrown_away(statements[i]);
      continue;
    }
    std::vector<Expr*> made;
    expand_local_defaults(local, made);
    if (made.size() > 1 && !expanded) {
      list.assign(statements.begin(), statements.begin() + static_cast<ptrdiff_t>(i));
      expanded = true;
    }
    for (size_t k = 0; k < made.size(); ++k) {
      quiet_ = k > 0;
      local_function(as<LocalFnExpr>(made[k]));
      quiet_ = false;
    }
    if (expanded) list.insert(list.end(), made.begin(), made.end());
  }
  if (expanded) statements = arena_.copy(list);
  end_region(region);
  conditional_ = outer_conditional;
}

void Resolver::expr(Expr* e) {
  switch (e->kind) {
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kAtom:
    case ExprKind::kString:
    case ExprKind::kError:
      return;
    case ExprKind::kName:
      return name(as<NameExpr>(e));
    case ExprKind::kCall:
      return call(as<CallExpr>(e));
    case ExprKind::kFunRef:
      return function_ref(as<FunRefExpr>(e));
    case ExprKind::kLambda:
      refuse_defaults(as<LambdaExpr>(e));
      return lambda(as<LambdaExpr>(e));
    case ExprKind::kLocalFn:
      return local_function(as<LocalFnExpr>(e));
    case ExprKind::kMatch:
      return match(as<MatchExpr>(e));
    case ExprKind::kBlock:
      return block(as<BlockExpr>(e), ScopeKind::kBlock, nullptr);
    case ExprKind::kIf:
      return if_expr(as<IfExpr>(e));
    case ExprKind::kReceive:
      return receive(as<ReceiveExpr>(e));
    case ExprKind::kTry:
      return try_expr(as<TryExpr>(e));
    case ExprKind::kFor:
      return for_expr(as<ForExpr>(e));
    case ExprKind::kAssert:
      return assertion(as<AssertExpr>(e));
    case ExprKind::kCase:
      expr(as<CaseExpr>(e)->subject);
      for (Arm& each : as<CaseExpr>(e)->arms) arm(each, e);
      return;
    case ExprKind::kListComp:
    case ExprKind::kMapComp:
    case ExprKind::kBinComp:
      return comprehension(e);
    case ExprKind::kWildcard:
    case ExprKind::kPin:
    case ExprKind::kAlt:
    case ExprKind::kAs:
      return pattern_only(e);
    default:
      return parts(e);
  }
}

// Operators and data: nothing but their parts, in order.
void Resolver::parts(Expr* e) {
  switch (e->kind) {
    case ExprKind::kModule:
      as<ModuleExpr>(e)->name = expand(as<ModuleExpr>(e)->name);
      return;
    case ExprKind::kInterp:
      return exprs(as<InterpExpr>(e)->parts);
    case ExprKind::kBinary:
      expr(as<BinaryExpr>(e)->lhs);
      expr(as<BinaryExpr>(e)->rhs);
      return warn_operands(as<BinaryExpr>(e));
    case ExprKind::kLogical:
    case ExprKind::kIs: {
      size_t region = begin_region();
      exposing(e);
      return end_region(region);
    }
    case ExprKind::kUnary:
      return expr(as<UnaryExpr>(e)->operand);
    case ExprKind::kTryOp:
      return expr(as<TryOpExpr>(e)->value);
    case ExprKind::kTuple:
      return exprs(as<TupleExpr>(e)->elements);
    case ExprKind::kList:
      exprs(as<ListExpr>(e)->elements);
      if (as<ListExpr>(e)->tail != nullptr) expr(as<ListExpr>(e)->tail);
      return;
    case ExprKind::kMap:
      return map_fields(as<MapExpr>(e)->fields, (e->flags & kSynthetic) != 0);
    case ExprKind::kStruct:
      return struct_expr(as<StructExpr>(e));
    case ExprKind::kMapUpdate:
      expr(as<MapUpdateExpr>(e)->base);
      for (MapUpdate& update : as<MapUpdateExpr>(e)->updates) {
        if (update.key != nullptr) expr(update.key);
        expr(update.value);
      }
      return;
    case ExprKind::kField:
      return field(as<FieldExpr>(e));
    case ExprKind::kElement:
      return expr(as<ElementExpr>(e)->object);
    case ExprKind::kIndex:
      expr(as<IndexExpr>(e)->object);
      return expr(as<IndexExpr>(e)->key);
    case ExprKind::kBin:
      return segments(as<BinExpr>(e)->segments);
    default:
      return;
  }
}

void Resolver::field(FieldExpr* e) {
  expr(e->object);
  ModuleExpr* module = dyn_as<ModuleExpr>(e->object);
  if (module == nullptr) return;
  std::string path = text(module->name) + "." + text(e->name);
  report(DiagCode::E0306, e->span, "`" + path + "` is a function, not a value",
         "call it, `" + path + "()`, or refer to it, `&" + path + "/1`");
}

// The first list is outside the scope, the element inside it and after all generators.
void Resolver::comprehension(Expr* e) {
  std::span<Generator> list = e->kind == ExprKind::kListComp  ? as<ListCompExpr>(e)->generators
                              : e->kind == ExprKind::kMapComp ? as<MapCompExpr>(e)->generators
                                                              : as<BinCompExpr>(e)->generators;
  expr(list[0].source);
  push_scope(ScopeKind::kBlock);
  generators(list, true);
  if (ListCompExpr* comp = dyn_as<ListCompExpr>(e)) {
    expr(comp->element);
  } else if (MapCompExpr* map = dyn_as<MapCompExpr>(e)) {
    expr(map->field.key);
    expr(map->field.value);
  } else {
    segments(as<BinCompExpr>(e)->segments);
  }
  pop_scope();
}

void Resolver::pattern_only(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kWildcard:
      report(DiagCode::E0307, e->span, "`_` has no value",
             "in a pattern it matches anything; a function of one argument is `fn(x) = …`");
      return;
    case ExprKind::kPin:
      report(DiagCode::E0308, e->span, "`^` stands in patterns only",
             "outside of them the name alone is its value; exclusive or is `a bxor b`");
      return;
    case ExprKind::kAs:
      report(DiagCode::E0308, e->span, "`as` stands in patterns only", "`name = e` binds a value");
      return;
    default:
      report(DiagCode::E0308, e->span, "`a | b` stands in patterns only",
             "of integers it is `a bor b`, of booleans `a or b`");
      return;
  }
}

// Leaves what `is` binds in the region, for the right of `and` and for the branch of `if`.
void Resolver::exposing(Expr* e) {
  if (IsExpr* is = dyn_as<IsExpr>(e)) {
    expr(is->value);
    size_t before = bindings_.size();
    bind_pattern(is->pattern);
    for (size_t i = before; i < bindings_.size(); ++i) region_.push_back(static_cast<uint32_t>(i));
    return;
  }
  LogicalExpr* logical = dyn_as<LogicalExpr>(e);
  if (logical == nullptr) {
    expr(e);
    return;
  }
  if (logical->is_and) {
    exposing(logical->lhs);
    ++conditional_;
    exposing(logical->rhs);
    --conditional_;
    return;
  }
  // Neither side of `or` says which of them held.
  expr(logical->lhs);
  size_t region = begin_region();
  ++conditional_;
  expr(logical->rhs);
  --conditional_;
  end_region(region);
}

void Resolver::match(MatchExpr* e) {
  expr(e->value);
  size_t before = bindings_.size();
  bind_pattern(e->pattern, e);
  warn_module_pattern(e);
  if (conditional_ == 0) return;
  for (size_t i = before; i < bindings_.size(); ++i) region_.push_back(static_cast<uint32_t>(i));
}

void Resolver::if_expr(IfExpr* e) {
  size_t region = begin_region();
  const size_t first_binding = bindings_.size();
  exposing(e->condition);
  warn_condition(e->condition, first_binding);
  uint32_t outer = conditional_;
  if (e->then_branch->kind == ExprKind::kBlock) {
    block(as<BlockExpr>(e->then_branch), ScopeKind::kIf, e);
  } else {
    expr(e->then_branch);
  }
  conditional_ = outer;
  end_region(region);
  if (e->else_branch == nullptr) return;
  if (e->else_branch->kind == ExprKind::kBlock) {
    block(as<BlockExpr>(e->else_branch), ScopeKind::kIf, nullptr);
  } else {
    // `else if`: its condition is reached only sometimes.
    expr_scoped(e->else_branch, ScopeKind::kIf);
  }
}

void Resolver::arm(Arm& arm, const Expr* owner) {
  push_scope(ScopeKind::kArm, owner);
  bool in_receive = owner->kind == ExprKind::kReceive;
  bind_pattern(arm.pattern, nullptr, in_receive);
  if (arm.guard != nullptr) guard(arm.guard);
  body(arm.body);
  pop_scope();
}

void Resolver::receive(ReceiveExpr* e) {
  if (e->timeout != nullptr) expr(e->timeout);
  for (Arm& each : e->arms) arm(each, e);
  if (e->timeout_body != nullptr) expr_scoped(e->timeout_body, ScopeKind::kArm, e);
}

void Resolver::try_expr(TryExpr* e) {
  expr(e->body);
  for (CatchArm& arm : e->arms) {
    push_scope(ScopeKind::kArm, e);
    begin_pattern();
    pattern(arm.klass);
    pattern(arm.reason);
    if (arm.trace != nullptr) pattern(arm.trace);
    end_pattern(false, nullptr);
    if (arm.guard != nullptr) guard(arm.guard);
    body(arm.body);
    pop_scope();
  }
  if (e->after != nullptr) expr(e->after);
}

void Resolver::generators(std::span<Generator> generators, bool first_done) {
  for (size_t i = 0; i < generators.size(); ++i) {
    if (i > 0 || !first_done) expr(generators[i].source);
    bind_pattern(generators[i].pattern);
    if (generators[i].filter != nullptr) expr(generators[i].filter);
  }
}

// Order: the first list, then the initial value, both outside the loop's scope.
void Resolver::for_expr(ForExpr* e) {
  expr(e->generators[0].source);
  if (e->initial != nullptr) expr(e->initial);
  push_scope(ScopeKind::kFor, e);
  generators(e->generators, true);
  if (e->acc != nullptr) bind_pattern(e->acc);
  body(e->body);
  pop_scope();
}

void Resolver::assertion(AssertExpr* e) {
  switch (e->assert_kind) {
    case AssertKind::kValue: {
      size_t region = begin_region();
      exposing(e->value);
      end_region(region);
      return;
    }
    case AssertKind::kMatch:
      expr(e->value);
      bind_pattern(e->pattern, nullptr);
      return;
    case AssertKind::kReceive:
      if (e->timeout != nullptr) expr(e->timeout);
      bind_pattern(e->pattern, nullptr, true);
      if (e->guard != nullptr) guard(e->guard);
      return;
    case AssertKind::kNotReceive:
      if (e->timeout != nullptr) expr(e->timeout);
      push_scope(ScopeKind::kArm);
      bind_pattern(e->pattern, nullptr, true);
      if (e->guard != nullptr) guard(e->guard);
      pop_scope();
      return;
  }
}

// ---------------------------------------------------------------------------------------------

void Resolver::clause(Clause* clause) {
  push_scope(levels_.size() > 1 ? ScopeKind::kLambda : ScopeKind::kFunction);
  begin_pattern();
  for (Pattern* p : clause->params) pattern(p);
  end_pattern(false, nullptr);
  if (clause->guard != nullptr) guard(clause->guard);
  body(clause->body);
  pop_scope();
}

// A lambda has one arity, so that a caller who holds it as a value knows how to call it.
void Resolver::refuse_defaults(const LambdaExpr* e) {
  for (const Clause* clause : e->clauses) {
    for (const Pattern* param : clause->params) {
      if (param->kind != PatternKind::kDefault) continue;
      report(DiagCode::E0412, param->span, "a lambda's parameters have no defaults",
             "declare a function: `fn name(x = …) = …` has them, in a block too");
      return;
    }
  }
}

// The name of a named lambda is visible in itself only.
void Resolver::lambda(LambdaExpr* e) {
  uint32_t outer_conditional = conditional_;
  conditional_ = 0;
  size_t region = begin_region();
  levels_.push_back({e, {}, {}});
  push_scope(ScopeKind::kLambda);
  if (e->name != Symbol::kNone) {
    e->self = new_var(e->name, e->span);
    uint32_t index = declare(e->name, e->self, e->span, BindingKind::kLocalFn);
    bindings_[index].arity = e->arity;
    bindings_[index].quiet = true;
  }
  bool outer_quiet = quiet_;
  for (Clause* each : e->clauses) clause(each);
  quiet_ = outer_quiet;
  pop_scope();
  e->captures = arena_.copy(levels_.back().captures);
  levels_.pop_back();
  end_region(region);
  conditional_ = outer_conditional;
}

void Resolver::local_function(LocalFnExpr* e) {
  LambdaExpr* fn = e->lambda;
  uint32_t before = lookup(fn->name);
  bool clash = before != kNone && bindings_[before].kind == BindingKind::kLocalFn &&
               bindings_[before].arity == fn->arity && before >= scopes_.back().base;
  lambda(fn);
  Span span = fn->clauses.empty() ? fn->span : fn->clauses[0]->head;
  if (clash) {
    report(DiagCode::E0401, span,
           "the clauses of " + with_arity(fn->name, fn->arity) + " stand apart",
           "the others are in line " + line_of(bindings_[before].span) +
               "; clauses of one function stand together");
  }
  e->var = new_var(fn->name, span);
  uint32_t index = declare(fn->name, e->var, span, BindingKind::kLocalFn);
  bindings_[index].arity = fn->arity;
}

// ---------------------------------------------------------------------------------------------

namespace {

// Literal keys as text that tells kinds apart; empty: not a literal.
std::string key_text(const Expr* key, const Interner& interner) {
  switch (key->kind) {
    case ExprKind::kAtom:
      return ":" + std::string(interner.text(as<AtomExpr>(key)->name));
    case ExprKind::kString:
      return "\"" + std::string(as<StringExpr>(key)->text);
    case ExprKind::kInt:
      if (as<IntExpr>(key)->small) return "i" + std::to_string(as<IntExpr>(key)->value);
      return {};
    default:
      return {};
  }
}

}  // namespace

void Resolver::map_fields(std::span<MapField> fields, bool labels) {
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < fields.size(); ++i) {
    expr(fields[i].key);
    expr(fields[i].value);
    if (fields.size() < 2) continue;
    bool duplicate = false;
    const Expr* key = fields[i].key;
    if (fields.size() <= 8 && key->kind == ExprKind::kAtom) {
      for (size_t k = 0; k < i && !duplicate; ++k) {
        const AtomExpr* other = dyn_as<const AtomExpr>(static_cast<const Expr*>(fields[k].key));
        duplicate = other != nullptr && other->name == as<AtomExpr>(key)->name;
      }
    } else {
      std::string shown = key_text(key, interner_);
      duplicate = !shown.empty() && !seen.insert(shown).second;
    }
    if (!duplicate) continue;
    std::string shown = short_text(key->span);
    if (labels) {
      report(DiagCode::E0410, key->span, "the label `" + shown + "` is given twice");
    } else {
      report(DiagCode::W0306, key->span,
             "the key `" + shown + "` appears twice; the last one wins");
    }
  }
}

void Resolver::struct_expr(StructExpr* e) {
  e->name = expand(e->name);
  check_struct_fields(e->name, e->name_span, &e->def);
  for (MapField& field : e->fields) {
    check_field(e->name, e->def, as<AtomExpr>(field.key)->name, field.key->span);
  }
  map_fields(e->fields, false);
}

void Resolver::segments(std::span<Segment> list) {
  for (Segment& segment : list) {
    expr(segment.value);
    if (segment.size != nullptr) expr(segment.size);
    check_segment(segment, false, false);
  }
}

// ---------------------------------------------------------------------------------------------

bool Resolver::is_pure(const Expr* e) const {
  switch (e->kind) {
    case ExprKind::kName:
    case ExprKind::kLambda:
    case ExprKind::kFunRef:
      return true;
    case ExprKind::kBin:
    case ExprKind::kIndex:
      return false;
    case ExprKind::kBinary:
      if (as<BinaryExpr>(e)->op == BinaryOp::kSend) return false;
      [[fallthrough]];
    default: {
      bool pure = true;
      bool known = visit_parts(e, [&](const Expr* part) { pure = pure && is_pure(part); });
      return known && pure;
    }
  }
}

void Resolver::thrown_away(const Expr* e) {
  if (!is_pure(e)) return;
  char first = file_.source->text()[e->span.begin];
  if ((e->flags & kParenthesised) != 0 || e->kind == ExprKind::kBinary) {
    // The span of `(e)` is that of e.
    std::string_view source = file_.source->text();
    uint32_t at = e->span.begin;
    while (at > 0 && (source[at - 1] == ' ' || source[at - 1] == '(')) --at;
    if (source[at] == ' ') ++at;
    while (source[at] == ' ') ++at;
    first = source[at];
  }
  std::string hint;
  if (first == '(' || first == '[' || first == '-') {
    hint = "a line that begins with `";
    hint += first;
    hint +=
        "` is an expression of its own; to go on with the line before, end that with an operator "
        "or begin the bracket on it";
  } else if (e->kind == ExprKind::kBinary && as<BinaryExpr>(e)->op == BinaryOp::kEqual) {
    hint = "`name = value` binds, `assert a == b` checks";
  }
  report(DiagCode::W0305, e->span, "this value is thrown away", hint);
}

// ---------------------------------------------------------------------------------------------

void Resolver::guard(Expr* e) {
  check_guard(e);
  expr(e);
}

bool Resolver::guard_operator(const Expr* e) const {
  switch (as<BinaryExpr>(e)->op) {
    case BinaryOp::kSend:
    case BinaryOp::kAppend:
    case BinaryOp::kConcat:
      return false;
    default:
      return true;
  }
}

// Whether the call is of a function of the prelude that guards may call.
bool Resolver::guard_call(const CallExpr* call) const {
  const Expr* callee = call->callee;
  Symbol function = Symbol::kNone;
  uint32_t arity = static_cast<uint32_t>(call->args.size());
  if (const NameExpr* name = dyn_as<const NameExpr>(callee)) {
    function = name->name;
    if (lookup(function) != kNone || find_function(*module_, function, arity) != nullptr) {
      return false;
    }
  } else if (const FieldExpr* field = dyn_as<const FieldExpr>(callee)) {
    const ModuleExpr* module = dyn_as<const ModuleExpr>(static_cast<const Expr*>(field->object));
    if (module != nullptr && module->name == words::kPrelude) function = field->name;
  }
  for (uint32_t i = prelude_first_.get(function); i != 0 && i <= prelude_.size(); ++i) {
    const PreludeFunction& each = prelude_[i - 1];
    if (each.name != function) break;
    if (each.arity == arity && each.guard) return true;
  }
  return false;
}

// Reports the first thing in a guard that does not belong there.
void Resolver::check_guard(const Expr* e) {
  static constexpr const char* kHint =
      "guards hold comparisons, arithmetic, `and or not`, `in`, fields, elements, `m[k]`, type "
      "tests, "
      "sizes and the like; move the rest into the body with `if` or `match`";
  auto check_part = [this](const Expr* part) { check_guard(part); };
  switch (e->kind) {
    case ExprKind::kName:
    case ExprKind::kError:
      return;
    case ExprKind::kCall:
      if (!guard_call(as<CallExpr>(e))) {
        std::string shown = short_text(as<CallExpr>(e)->callee->span);
        report(DiagCode::E0503, e->span,
               (shown.empty() ? "this call" : "`" + shown + "`") + " cannot be called in a guard",
               kHint);
        return;
      }
      for (const Expr* arg : as<CallExpr>(e)->args) check_guard(arg);
      return;
    case ExprKind::kBinary:
      if (!guard_operator(e)) break;
      [[fallthrough]];
    default:
      if (visit_parts(e, check_part)) return;
  }
  report(DiagCode::E0503, e->span, "this cannot stand in a guard", kHint);
}

}  // namespace quelea::compiler
