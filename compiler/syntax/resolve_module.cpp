// Modules: grouping clauses, constants, structs, behaviours, scripts, tests; and the entry point.
#include <algorithm>

#include "compiler/syntax/parts.h"
#include "compiler/syntax/resolve.h"
#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

namespace {

enum NativeFlag : uint32_t { NONE = 0, GUARD = 1, PURE = 2 };

struct PreludeEntry {
  const char* name;
  uint32_t arity;
  uint32_t flags;
};

constexpr PreludeEntry kPrelude[] = {
#define NATIVE(module, name, arity, symbol, flags) {#name, arity, static_cast<uint32_t>(flags)},
#include "vm/code/natives/prelude.def"
#undef NATIVE
};

uint64_t key_of(Symbol name, uint32_t arity) { return (static_cast<uint64_t>(name) << 32) | arity; }

}  // namespace

Resolver::Resolver(File& file, Arena& arena, Interner& interner, DiagnosticSink& sink,
                   ModuleInfoProvider* provider, const ResolveOptions& options)
    : file_(file),
      arena_(arena),
      interner_(interner),
      sink_(sink),
      provider_(provider),
      options_(options) {
  bindings_.resize(1);
  for (const PreludeEntry& entry : kPrelude) {
    prelude_.push_back({interner_.intern(entry.name), entry.arity, (entry.flags & GUARD) != 0});
  }
  std::stable_sort(
      prelude_.begin(), prelude_.end(),
      [](const PreludeFunction& a, const PreludeFunction& b) { return a.name < b.name; });
  for (size_t i = prelude_.size(); i > 0; --i) {
    prelude_first_[prelude_[i - 1].name] = static_cast<uint32_t>(i);
  }
}

bool Resolver::run() {
  uint32_t errors_before = sink_.error_count();
  size_t diagnostics_before = sink_.diagnostics().size();
  modules_.resize(file_.modules.size());
  for (size_t i = 0; i < file_.modules.size(); ++i) {
    Module* module = file_.modules[i];
    auto [at, fresh] = module_index_.try_emplace(static_cast<uint32_t>(module->name), i);
    if (!fresh) {
      report(DiagCode::E0411, module->name_span,
             "the module " + quoted(module->name) + " is declared twice in this file");
    }
  }
  for (size_t i = 0; i < modules_.size(); ++i) collect(file_.modules[i], modules_[i]);
  for (ModuleScope& scope : modules_) resolve_module(scope);
  bool ok = sink_.error_count() == errors_before;
  if (!ok) sink_.drop_consequences(diagnostics_before);
  sink_.sort(diagnostics_before);
  return ok;
}

void Resolver::collect(Module* module, ModuleScope& scope) {
  scope.module = module;
  module_ = &scope;
  collect_names(scope);
  group_functions(scope);
  collect_constants(scope);
}

// Aliases and imports.
void Resolver::collect_names(ModuleScope& scope) {
  Module* module = scope.module;
  for (const AliasDef& alias : module->aliases) {
    auto [at, fresh] = scope.aliases.try_emplace(static_cast<uint32_t>(alias.name), alias.module);
    if (!fresh && at->second != alias.module) {
      report(DiagCode::E0413, alias.span,
             quoted(alias.name) + " is an alias of " + quoted(at->second) + " already",
             "give one another name: `alias " + text(alias.module) + " as …`");
    }
  }
  for (ImportDef& import : module->imports) {
    if (!scope.aliases.empty()) {
      scope.any_alias = true;
      import.module = expand(import.module);
    }
    for (const ImportDef::Entry& entry : import.entries) {
      auto [at, fresh] = scope.imports.try_emplace(key_of(entry.name, entry.arity),
                                                   ModuleScope::Import{import.module, entry.span});
      if (!fresh && at->second.module != import.module) {
        report(
            DiagCode::E0414, entry.span,
            with_arity(entry.name, entry.arity) + " is imported from " + quoted(at->second.module) +
                " already",
            "call one with its module: `" + text(import.module) + "." + text(entry.name) + "(…)`");
      }
    }
  }
  scope.any_alias = !scope.aliases.empty();
  for (BehaviourRef& behaviour : module->behaviours) behaviour.module = expand(behaviour.module);
}

// ---------------------------------------------------------------------------------------------

void Resolver::add_function(ModuleScope& scope, std::vector<FunctionDef*>& list,
                            FunctionDef* function) {
  FunctionDef*& first = scope.functions[function->name];
  if (first != nullptr) scope.next[function] = first;
  first = function;
  list.push_back(function);
}

void Resolver::group_functions(ModuleScope& scope) {
  Module* module = scope.module;
  std::vector<FunctionDef*> list;
  struct Made {
    FunctionDef* function;
    FunctionDef* full;
  };
  std::vector<Made> made;
  std::vector<Clause*> clauses;
  std::span<FunctionDef*> parsed = module->functions;
  for (size_t i = 0; i < parsed.size();) {
    FunctionDef* f = parsed[i];
    clauses.assign(1, f->clauses[0]);
    size_t end = i + 1;
    for (; end < parsed.size(); ++end) {
      FunctionDef* next = parsed[end];
      if (next->name != f->name || next->arity != f->arity) break;
      clauses.push_back(next->clauses[0]);
      if (next->is_pub && !f->is_pub) {
        report(DiagCode::E0406, next->span, "`pub` belongs to the first clause",
               "the first clause of " + with_arity(f->name, f->arity) + " is in line " +
                   line_of(f->span));
      }
      for (Pattern* param : next->clauses[0]->params) {
        if (param->kind != PatternKind::kDefault) continue;
        report(DiagCode::E0405, param->span, "a default belongs to the first clause",
               "the first clause of " + with_arity(f->name, f->arity) + " is in line " +
                   line_of(f->span));
        break;
      }
    }
    i = end;
    if (FunctionDef* before = find_function(scope, f->name, f->arity)) {
      report(DiagCode::E0401, f->span,
             "the clauses of " + with_arity(f->name, f->arity) + " stand apart",
             "the others are in line " + line_of(before->span) +
                 "; clauses of one function stand together");
      continue;
    }
    for (const LowerArity& lower : take_defaults(f->clauses[0], f->name)) {
      FunctionDef* other = arena_.make<FunctionDef>();
      other->kind = FunctionKind::kDefaults;
      other->is_pub = f->is_pub;
      other->name = f->name;
      other->arity = lower.arity;
      other->span = f->span;
      other->module = module;
      other->clauses = arena_.copy(&lower.clause, 1);
      made.push_back({other, f});
    }
    if (clauses.size() > 1) f->clauses = arena_.copy(clauses);
    add_function(scope, list, f);
  }
  for (const Made& each : made) {
    FunctionDef* f = each.function;
    if (FunctionDef* other = find_function(scope, f->name, f->arity)) {
      report(DiagCode::E0404, other->kind == FunctionKind::kDefaults ? f->span : other->span,
             with_arity(f->name, f->arity) + " is defined already by the defaults of " +
                 with_arity(each.full->name, each.full->arity),
             "which is in line " + line_of(each.full->span));
      continue;
    }
    add_function(scope, list, f);
  }
  struct_function(scope, list);
  for (size_t i = 0; i < list.size(); ++i) list[i]->index = static_cast<uint32_t>(i);
  module->functions = arena_.copy(list);
}

// `__struct__/0`: the struct with all its defaults.
void Resolver::struct_function(ModuleScope& scope, std::vector<FunctionDef*>& list) {
  StructDef* structure = scope.module->structure;
  if (structure == nullptr) return;
  std::vector<MapField> fields;
  AtomExpr* key = make<AtomExpr>(structure->span);
  key->name = words::kStructKey;
  ModuleExpr* value = make<ModuleExpr>(structure->span);
  value->name = scope.module->name;
  fields.push_back({key, value});
  MapExpr* map = make<MapExpr>(structure->span);
  map->flags = 0;
  map->height = 2;
  std::unordered_map<uint32_t, Span> seen;
  for (const StructField& field : structure->fields) {
    auto [at, fresh] = seen.try_emplace(static_cast<uint32_t>(field.name), field.span);
    if (!fresh) {
      report(DiagCode::E0407, field.span, "the field " + quoted(field.name) + " is declared twice");
      continue;
    }
    AtomExpr* name = make<AtomExpr>(field.span);
    name->name = field.name;
    Expr* initial = field.default_value;
    if (initial == nullptr) {
      AtomExpr* nil = make<AtomExpr>(field.span);
      nil->name = words::kNil;
      initial = nil;
    }
    map->height = std::max<uint16_t>(map->height, static_cast<uint16_t>(initial->height + 1));
    fields.push_back({name, initial});
  }
  map->fields = arena_.copy(fields);
  Clause* clause = arena_.make<Clause>();
  clause->span = clause->head = structure->span;
  clause->body = map;
  FunctionDef* f = arena_.make<FunctionDef>();
  f->kind = FunctionKind::kStruct;
  f->is_pub = true;
  f->name = words::kStructKey;
  f->span = structure->span;
  f->clauses = arena_.copy(&clause, 1);
  f->module = scope.module;
  if (find_function(scope, f->name, 0) != nullptr) {
    report(DiagCode::E0404, structure->span, "`__struct__/0` is defined by the struct");
    return;
  }
  add_function(scope, list, f);
}

// ---------------------------------------------------------------------------------------------

void Resolver::collect_constants(ModuleScope& scope) {
  for (ConstDef* constant : scope.module->constants) {
    auto [at, fresh] = scope.constants.try_emplace(static_cast<uint32_t>(constant->name), constant);
    if (fresh) continue;
    report(DiagCode::E0311, constant->span,
           "the constant " + quoted(constant->name) + " is defined twice",
           "the other one is in line " + line_of(at->second->span));
  }
}

// Refuses what cannot be known at compile time.
void Resolver::constant_expr(Expr* e) {
  switch (e->kind) {
    case ExprKind::kName:
    case ExprKind::kWildcard:
    case ExprKind::kPin:
    case ExprKind::kAlt:
    case ExprKind::kAs:
    case ExprKind::kError:
      return;
    case ExprKind::kField:
    case ExprKind::kElement:
    case ExprKind::kIndex:
      break;
    case ExprKind::kBinary:
      if (as<BinaryExpr>(e)->op == BinaryOp::kSend) break;
      [[fallthrough]];
    default:
      if (visit_parts(e, [this](Expr* part) { constant_expr(part); })) return;
  }
  report(DiagCode::E0310, e->span, "a constant's value must be known at compile time",
         "it is made of literals, operators, tuples, lists, maps and other constants; what is "
         "computed "
         "goes into a function");
}

// Resolves the values, finds cycles and puts definitions before uses. No recursion: chains of
// constants may be as long as they like.
void Resolver::order_constants(Module* module) {
  std::span<ConstDef*> constants = module->constants;
  if (constants.empty()) return;
  for (size_t i = 0; i < constants.size(); ++i) constants[i]->index = static_cast<uint32_t>(i);
  std::vector<std::vector<ConstDef*>> uses(constants.size());
  constant_mode_ = true;
  for (size_t i = 0; i < constants.size(); ++i) {
    begin_function();
    push_scope(ScopeKind::kFunction);
    constant_uses_ = &uses[i];
    uint32_t errors = sink_.error_count();
    constant_expr(constants[i]->value);
    if (errors == sink_.error_count()) expr(constants[i]->value);
    pop_scope();
  }
  constant_uses_ = nullptr;
  constant_mode_ = false;
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state(constants.size(), kNew);
  std::vector<ConstDef*> order;
  struct Visit {
    ConstDef* constant;
    size_t next;
  };
  std::vector<Visit> stack;
  for (ConstDef* root : constants) {
    if (state[root->index] != kNew) continue;
    stack.push_back({root, 0});
    state[root->index] = kOpen;
    while (!stack.empty()) {
      Visit& top = stack.back();
      std::vector<ConstDef*>& needs = uses[top.constant->index];
      if (top.next == needs.size()) {
        state[top.constant->index] = kDone;
        order.push_back(top.constant);
        stack.pop_back();
        continue;
      }
      ConstDef* used = needs[top.next++];
      if (state[used->index] == kOpen) {
        report(DiagCode::E0309, used->span,
               "the constant " + quoted(used->name) + " depends on itself");
      } else if (state[used->index] == kNew) {
        state[used->index] = kOpen;
        stack.push_back({used, 0});
      }
    }
  }
  for (size_t i = 0; i < order.size(); ++i) order[i]->index = static_cast<uint32_t>(i);
  module->constants = arena_.copy(order);
}

// ---------------------------------------------------------------------------------------------

void Resolver::resolve_module(ModuleScope& scope) {
  module_ = &scope;
  Module* module = scope.module;
  uint32_t errors_before = sink_.error_count();
  script_names_.clear();
  order_constants(module);
  if (!module->body.empty() && module->is_script) resolve_script(module);
  for (FunctionDef* function : module->functions) {
    if (sink_.full()) return;
    resolve_function(function);
  }
  for (const ImportDef& import : module->imports) {
    for (const ImportDef::Entry& entry : import.entries) {
      check_remote(import.module, entry.name, entry.arity, entry.span);
    }
  }
  check_behaviours(module);
  if (options_.warnings && sink_.error_count() == errors_before) warn_unused_declarations(scope);
  resolve_tests(module);
}

void Resolver::resolve_function(FunctionDef* function) {
  begin_function();
  function_ = function->index;
  quiet_ = function->kind == FunctionKind::kDefaults;
  push_scope(ScopeKind::kFunction);
  for (Clause* each : function->clauses) clause(each);
  pop_scope();
  quiet_ = false;
  function_ = kOutside;
  end_function(function);
}

void Resolver::resolve_script(Module* module) {
  std::span<Expr*> statements = module->body;
  BlockExpr* block = make<BlockExpr>(join(statements.front()->span, statements.back()->span));
  for (Expr* each : statements) {
    if (each->height >= block->height) block->height = static_cast<uint16_t>(each->height + 1);
  }
  Clause* clause = arena_.make<Clause>();
  clause->span = clause->head = block->span;
  clause->body = block;
  FunctionDef* f = arena_.make<FunctionDef>();
  f->kind = FunctionKind::kScript;
  f->is_pub = true;
  f->name = words::kScriptName;
  f->span = block->span;
  f->clauses = arena_.copy(&clause, 1);
  f->module = module;
  begin_function();
  in_script_ = true;
  push_scope(ScopeKind::kScript);
  block_statements(statements);
  block->statements = statements;
  for (size_t i = 1; i < bindings_.size(); ++i) {
    script_names_.emplace(static_cast<uint32_t>(bindings_[i].name), bindings_[i].span);
  }
  pop_scope();
  in_script_ = false;
  end_function(f);
  module->script = f;
}

void Resolver::resolve_tests(Module* module) {
  if (!options_.tests) {
    module->tests = {};
    return;
  }
  for (TestDef* test : module->tests) {
    begin_function();
    push_scope(ScopeKind::kFunction);
    for (Clause* each : test->function->clauses) clause(each);
    pop_scope();
    end_function(test->function);
  }
}

void Resolver::check_behaviours(Module* module) {
  for (const BehaviourRef& behaviour : module->behaviours) {
    if (const ModuleScope* scope = find_module(behaviour.module)) {
      std::vector<ModuleInfo::Function> callbacks;
      for (const CallbackDef* each : scope->module->callbacks) {
        callbacks.push_back({text(each->name), each->arity, each->optional});
      }
      check_callbacks(module, behaviour, callbacks);
      continue;
    }
    if (provider_ == nullptr) continue;
    const ModuleInfo* info = module_info(behaviour.module);
    if (info == nullptr) {
      warn_unknown_module(behaviour.module, behaviour.span);
    } else {
      check_callbacks(module, behaviour, info->callbacks);
    }
  }
}

void Resolver::check_callbacks(Module*, const BehaviourRef& behaviour,
                               const std::vector<ModuleInfo::Function>& callbacks) {
  std::string missing;
  std::string hidden;
  for (const ModuleInfo::Function& each : callbacks) {
    FunctionDef* f = find_function(*module_, interner_.intern(each.name), each.arity);
    if (f != nullptr && f->is_pub) continue;
    if (f == nullptr && each.optional) continue;
    if (f != nullptr) module_->uses.push_back({kOutside, f->index});  // it is spoken of here
    std::string& list = f == nullptr ? missing : hidden;
    list += (list.empty() ? "`" : ", `") + each.name + "/" + std::to_string(each.arity) + "`";
  }
  std::string who = quoted(behaviour.module);
  if (!missing.empty()) {
    report(DiagCode::W0310, behaviour.span, "the behaviour " + who + " wants " + missing,
           "define it, exported: `pub fn`");
  } else if (!hidden.empty()) {
    report(DiagCode::W0310, behaviour.span,
           "the behaviour " + who + " wants " + hidden + " exported", "declare it `pub fn`");
  }
}

bool resolve(File& file, Arena& arena, Interner& interner, DiagnosticSink& sink,
             ModuleInfoProvider* modules, const ResolveOptions& options) {
  return Resolver(file, arena, interner, sink, modules, options).run();
}

}  // namespace quelea::compiler
