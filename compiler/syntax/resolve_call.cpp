// Names and calls: what they reach, and what to say where they reach nothing.
#include <algorithm>

#include "compiler/syntax/resolver_impl.h"

namespace quelea::compiler {

namespace {

// Names of other languages for what Quelea calls otherwise.
struct Renamed {
  std::string_view theirs;
  std::string_view hint;
};
constexpr Renamed kValues[] = {
    {"null", "the absent value is `nil`"},
    {"none", "the absent value is `nil`"},
    {"undefined", "the absent value is `nil`"},
    {"nullptr", "the absent value is `nil`"},
    {"this", "there are no objects; a process's own pid is `self()`"},
    {"self", "a process's own pid is `self()`"},
    {"break",
     "a loop is left by matching or recursion: `Enum.find`, `Enum.take_while`, `Enum.reduce`"},
    {"continue", "generators skip what does not match: `for x in xs if wanted(x) { … }`"},
    {"return", "the value of a block is that of its last expression"},
    {"end", "blocks stand in braces"},
    {"console", "output goes through `println(v)`"},
};
constexpr Renamed kFunctions[] = {
    {"return", "the value of a block is that of its last expression"},
    {"len", "it is `length(list)`, `byte_size(binary)`, `map_size(map)`, `String.length(text)`"},
    {"size", "it is `length(list)`, `byte_size(binary)`, `map_size(map)`, `tuple_size(tuple)`"},
    {"str", "it is `to_string(v)`, or `\"${v}\"`"},
    {"puts", "it is `println(v)`"},
    {"printf", "it is `println(\"… ${v} …\")`"},
    {"println!", "it is `println(v)`"},
    {"raise", "it is `error(reason)` or `throw(value)`"},
    {"panic", "it is `error(reason)`"},
    {"while", "loop with `for x in xs { … }` or recurse"},
    {"switch", "it is `match value { … }`"},
    {"case", "it is `match value { … }`"},
    {"typeof", "there are type tests: `is_int(v)`, `is_string(v)`, …"},
    {"range", "a range is `first..last`"},
    {"map", "it is `Enum.map(xs, f)` or `[f(x) for x in xs]`"},
    {"filter", "it is `Enum.filter(xs, f)` or `[x for x in xs if f(x)]`"},
    {"reduce", "it is `Enum.reduce(xs, acc, fn(x, acc) = …)` or `for x in xs with acc = 0 { … }`"},
    {"sleep", "it is `Process.sleep(ms)`"},
    {"element", "it is `elem(t, 0)` or `t.0`"},
    {"setelement", "it is `put_elem(t, 0, v)`"},
    {"int", "it is `trunc(x)`, or `Int.parse(text)`"},
    {"halt", "it is `System.halt(status)`"},
};

template <size_t N>
std::string renamed(const Renamed (&table)[N], std::string_view name) {
  for (const Renamed& each : table) {
    if (each.theirs == name) return std::string(each.hint);
  }
  return {};
}

std::string takes(const std::string& arities) {
  return "it takes " + arities + (arities == "1" ? " argument" : " arguments");
}

uint64_t import_key(Symbol name, uint32_t arity) {
  return (static_cast<uint64_t>(name) << 32) | arity;
}

}  // namespace

FunctionDef* Resolver::find_function(const ModuleScope& scope, Symbol name, uint32_t arity) const {
  FunctionDef* f = scope.functions.get(name);
  while (f != nullptr && f->arity != arity) {
    auto next = scope.next.find(f);
    f = next == scope.next.end() ? nullptr : next->second;
  }
  return f;
}

const Resolver::ModuleScope* Resolver::find_module(Symbol name) const {
  auto found = module_index_.find(static_cast<uint32_t>(name));
  return found == module_index_.end() ? nullptr : &modules_[found->second];
}

// The full name behind an alias of the first part.
Symbol Resolver::expand(Symbol module) {
  if (!module_->any_alias) return module;
  auto whole = module_->aliases.find(static_cast<uint32_t>(module));
  if (whole != module_->aliases.end()) return whole->second;
  std::string_view name = interner_.text(module);
  size_t dot = name.find('.');
  if (dot == std::string_view::npos) return module;
  Symbol first = interner_.find(name.substr(0, dot));
  auto found = module_->aliases.find(static_cast<uint32_t>(first));
  if (first == Symbol::kNone || found == module_->aliases.end()) return module;
  return interner_.intern(text(found->second) + std::string(name.substr(dot)));
}

// ---------------------------------------------------------------------------------------------

void Resolver::name(NameExpr* e) {
  if (sees_pattern_) {
    const PatternSlot& slot = slots_[e->name];
    if (slot.pattern == pattern_ && slot.bound) {
      PatternName& bound = pattern_names_[pattern_base_ + slot.index];
      bound.read = true;
      e->var = bound.var;
      return;
    }
  }
  if (uint32_t index = lookup(e->name); index != kNone) {
    e->var = read(index);
    return;
  }
  auto constant = module_->constants.find(static_cast<uint32_t>(e->name));
  if (constant != module_->constants.end()) {
    e->constant = constant->second;
    module_->read_constants.insert(e->constant);
    if (constant_uses_ != nullptr) constant_uses_->push_back(e->constant);
    return;
  }
  unknown_name(e);
}

bool Resolver::is_function_name(Symbol name) const {
  return module_->functions.get(name) != nullptr || prelude_first_.get(name) != 0;
}

void Resolver::unknown_name(NameExpr* e) {
  if (!unknown_names_.insert(static_cast<uint32_t>(e->name)).second) return;
  std::string shown = quoted(e->name);
  if (constant_mode_) {
    report(DiagCode::E0310, e->span, shown + " is no constant",
           "a constant is made of literals, operators and other constants");
    return;
  }
  auto script = script_names_.find(static_cast<uint32_t>(e->name));
  if (!in_script_ && script != script_names_.end()) {
    report(DiagCode::E0304, e->span,
           "functions do not see the script's variables, and " + shown + " is one (line " +
               line_of(script->second) + ")",
           "pass it as an argument, or make it a constant: `const " + text(e->name) + " = …`");
    return;
  }
  if (ended_is_.contains(static_cast<uint32_t>(e->name))) {
    report(
        DiagCode::E0301, e->span, shown + " is not bound here",
        "what `is` binds is known on the right of `and` and in the branch of `if`; elsewhere use "
        "`match`");
    return;
  }
  auto ended = ended_.find(static_cast<uint32_t>(e->name));
  if (ended != ended_.end()) {
    report(DiagCode::E0301, e->span,
           shown + " is not bound here; the one of line " + line_of(ended->second) +
               " ended with its block",
           "bind the value of the whole: `" + text(e->name) + " = if … { … } else { … }`");
    return;
  }
  std::string hint = renamed(kValues, interner_.text(e->name));
  bool is_null = !hint.empty() && hint.find("nil") != std::string::npos;
  if (hint.empty() && is_function_name(e->name)) {
    report(DiagCode::E0305, e->span, shown + " is a function, not a variable",
           "call it, `" + text(e->name) + "(…)`, or refer to it, `&" + text(e->name) + "/" +
               arities_of(e->name).substr(0, 1) + "`");
    return;
  }
  if (hint.empty()) {
    NearMiss near(interner_.text(e->name));
    for (size_t i = 1; i < bindings_.size(); ++i) near.offer(interner_.text(bindings_[i].name));
    for (const auto& [symbol, constant] : module_->constants) {
      near.offer(interner_.text(constant->name));
    }
    if (near.found()) hint = "did you mean `" + near.best() + "`?";
  }
  report(is_null ? DiagCode::E0209 : DiagCode::E0301, e->span,
         "nothing is called " + shown + " here", hint);
}

// ---------------------------------------------------------------------------------------------

// A function by name and arity: of the module, imported, of the prelude.
bool Resolver::find_target(Symbol name, uint32_t arity, Target* target) {
  target->name = name;
  if (FunctionDef* function = find_function(*module_, name, arity)) {
    target->kind = TargetKind::kFunction;
    target->function = function;
    module_->uses.push_back({function_, function->index});
    return true;
  }
  if (!module_->imports.empty()) {
    auto import = module_->imports.find(import_key(name, arity));
    if (import != module_->imports.end()) {
      target->kind = TargetKind::kRemote;
      target->module = import->second.module;
      import->second.used = true;
      return true;
    }
  }
  for (uint32_t i = prelude_first_.get(name); i != 0 && i <= prelude_.size(); ++i) {
    if (prelude_[i - 1].name != name) break;
    if (prelude_[i - 1].arity != arity) continue;
    target->kind = TargetKind::kPrelude;
    return true;
  }
  return false;
}

void Resolver::call(CallExpr* e) {
  // A pipe's left side is evaluated before what it goes into.
  size_t first = e->piped ? 1 : 0;
  if (e->piped) expr(e->args[0]);
  uint32_t arity = static_cast<uint32_t>(e->args.size());
  switch (e->callee->kind) {
    case ExprKind::kName:
      named_call(e, as<NameExpr>(e->callee));
      break;
    case ExprKind::kField: {
      FieldExpr* field = as<FieldExpr>(e->callee);
      if ((field->flags & kParenthesised) != 0) {
        expr(field);
        e->target.kind = TargetKind::kValue;
        e->target.object = field;
      } else if (ModuleExpr* module = dyn_as<ModuleExpr>(field->object)) {
        remote(&e->target, module, field->name, arity, join(module->span, field->name_span));
      } else {
        expr(field->object);
        e->target.kind = TargetKind::kDynamic;
        e->target.name = field->name;
        e->target.object = field->object;
      }
      break;
    }
    case ExprKind::kModule:
      report(DiagCode::E0312, e->callee->span,
             "a module is not a function, so " + quoted(as<ModuleExpr>(e->callee)->name) +
                 " cannot be called",
             "call one of its functions, `Mod.f(x)`; a struct is `%Name{field: value}`");
      break;
    default:
      expr(e->callee);
      e->target.kind = TargetKind::kValue;
      e->target.object = e->callee;
      break;
  }
  for (size_t i = first; i < e->args.size(); ++i) expr(e->args[i]);
}

void Resolver::named_call(CallExpr* e, NameExpr* callee) {
  uint32_t arity = static_cast<uint32_t>(e->args.size());
  if (sees_pattern_) {
    const PatternSlot& slot = slots_[callee->name];
    if (slot.pattern == pattern_ && slot.bound) {
      name(callee);
      e->target.kind = TargetKind::kLocal;
      e->target.var = callee->var;
      return;
    }
  }
  if (uint32_t index = lookup(callee->name); index != kNone) {
    local_call(e, callee, index);
    return;
  }
  if (find_target(callee->name, arity, &e->target)) return;
  e->target.name = Symbol::kNone;
  unknown_function(callee->name, arity, callee->span);
}

bool Resolver::local_call(CallExpr* e, NameExpr* callee, uint32_t index) {
  uint32_t arity = static_cast<uint32_t>(e->args.size());
  uint32_t found = index;
  // Local functions of one name and several arities stand side by side.
  while (found != kNone && bindings_[found].kind == BindingKind::kLocalFn &&
         bindings_[found].arity != arity) {
    found = bindings_[found].shadows;
  }
  bool fits = found != kNone && (found == index || bindings_[found].kind == BindingKind::kLocalFn);
  if (!fits) {
    read(index);
    std::string wanted;
    for (uint32_t at = index; at != kNone && bindings_[at].kind == BindingKind::kLocalFn;
         at = bindings_[at].shadows) {
      std::string each = std::to_string(bindings_[at].arity);
      if (wanted != each) wanted += (wanted.empty() ? "" : " or ") + each;
    }
    report(DiagCode::E0303, callee->span,
           "the local function " + quoted(callee->name) + " takes " + wanted +
               (wanted == "1" ? " argument" : " arguments") + ", not " + std::to_string(arity));
    return false;
  }
  e->target.kind = TargetKind::kLocal;
  e->target.name = callee->name;
  e->target.var = read(found);
  callee->var = e->target.var;
  Target hidden;
  if (bindings_[found].kind == BindingKind::kVariable &&
      find_target(callee->name, arity, &hidden)) {
    report(DiagCode::W0307, callee->span,
           "this calls the variable " + quoted(callee->name) + " of line " +
               line_of(bindings_[found].span) + ", which hides the function " +
               with_arity(callee->name, arity),
           hidden.kind == TargetKind::kPrelude
               ? "rename the variable, or call `Prelude." + text(callee->name) + "(…)`"
               : "rename the variable if the function is meant");
  }
  return true;
}

std::string Resolver::arities_of(Symbol name) const {
  std::vector<uint32_t> arities;
  for (FunctionDef* f = module_->functions.get(name); f != nullptr;) {
    arities.push_back(f->arity);
    auto next = module_->next.find(f);
    f = next == module_->next.end() ? nullptr : next->second;
  }
  for (const auto& [key, import] : module_->imports) {
    if (static_cast<Symbol>(key >> 32) == name) arities.push_back(static_cast<uint32_t>(key));
  }
  for (uint32_t i = prelude_first_.get(name); i != 0 && i <= prelude_.size(); ++i) {
    if (prelude_[i - 1].name != name) break;
    arities.push_back(prelude_[i - 1].arity);
  }
  std::sort(arities.begin(), arities.end());
  arities.erase(std::unique(arities.begin(), arities.end()), arities.end());
  std::string out;
  for (size_t i = 0; i < arities.size(); ++i) {
    if (i > 0) out += i + 1 == arities.size() ? " or " : ", ";
    out += std::to_string(arities[i]);
  }
  return out;
}

void Resolver::unknown_function(Symbol name, uint32_t arity, Span span) {
  std::string arities = arities_of(name);
  if (!arities.empty()) {
    bool one = arities == "1";
    report(DiagCode::E0303, span,
           quoted(name) + " takes " + arities + (one ? " argument" : " arguments") + ", not " +
               std::to_string(arity));
    return;
  }
  std::string hint = renamed(kFunctions, interner_.text(name));
  auto script = script_names_.find(static_cast<uint32_t>(name));
  if (!in_script_ && script != script_names_.end()) {
    report(DiagCode::E0304, span,
           "functions do not see the script's variables, and " + quoted(name) + " is one (line " +
               line_of(script->second) + ")",
           "pass it as an argument, or make it a function: `fn " + text(name) + "(…) = …`");
    return;
  }
  if (hint.empty()) {
    NearMiss near(interner_.text(name));
    for (const FunctionDef* f : module_->module->functions) near.offer(interner_.text(f->name));
    for (const auto& [key, import] : module_->imports) {
      near.offer(interner_.text(static_cast<Symbol>(key >> 32)));
    }
    for (const PreludeFunction& each : prelude_) near.offer(interner_.text(each.name));
    for (size_t i = 1; i < bindings_.size(); ++i) near.offer(interner_.text(bindings_[i].name));
    if (near.found()) hint = "did you mean `" + near.best() + "`?";
  }
  auto ended = ended_.find(static_cast<uint32_t>(name));
  if (hint.empty() && ended != ended_.end()) {
    hint = "the one of line " + line_of(ended->second) + " ended with its block";
  }
  report(DiagCode::E0302, span, "there is no function " + with_arity(name, arity), hint);
}

void Resolver::function_ref(FunRefExpr* e) {
  if (ModuleExpr* module = dyn_as<ModuleExpr>(e->object)) {
    remote(&e->target, module, e->name, e->arity, e->span);
    return;
  }
  if (e->object != nullptr) {
    expr(e->object);
    e->target.kind = TargetKind::kDynamic;
    e->target.name = e->name;
    e->target.object = e->object;
    return;
  }
  for (uint32_t index = lookup(e->name); index != kNone; index = bindings_[index].shadows) {
    if (bindings_[index].kind != BindingKind::kLocalFn || bindings_[index].arity != e->arity) {
      continue;
    }
    e->target.kind = TargetKind::kLocal;
    e->target.name = e->name;
    e->target.var = read(index);
    return;
  }
  if (find_target(e->name, e->arity, &e->target)) {
    if (e->target.kind == TargetKind::kRemote) {
      check_remote(e->target.module, e->name, e->arity, e->span);
    }
    return;
  }
  e->target.name = Symbol::kNone;
  unknown_function(e->name, e->arity, e->span);
}

// ---------------------------------------------------------------------------------------------

void Resolver::remote(Target* target, ModuleExpr* module, Symbol name, uint32_t arity, Span span) {
  module->name = expand(module->name);
  target->name = name;
  target->module = module->name;
  if (module->name == words::kPrelude && find_module(module->name) == nullptr) {
    bool known = false;
    for (uint32_t i = prelude_first_.get(name); i != 0 && i <= prelude_.size(); ++i) {
      if (prelude_[i - 1].name != name) break;
      known |= prelude_[i - 1].arity == arity;
    }
    target->kind = known ? TargetKind::kPrelude : TargetKind::kRemote;
    if (!known) {
      NearMiss near(interner_.text(name));
      for (const PreludeFunction& each : prelude_) near.offer(interner_.text(each.name));
      report(DiagCode::W0309, span, "the prelude has no " + with_arity(name, arity),
             near.found() ? "did you mean `" + near.best() + "`?" : "");
    }
    return;
  }
  target->kind = TargetKind::kRemote;
  check_remote(module->name, name, arity, span);
}

const ModuleInfo* Resolver::module_info(Symbol module) {
  if (provider_ == nullptr) return nullptr;
  auto [at, fresh] = infos_.try_emplace(static_cast<uint32_t>(module), nullptr);
  if (fresh) at->second = provider_->find(interner_.text(module));
  return at->second;
}

bool Resolver::warn_unknown_module(Symbol module, Span span) {
  if (!unknown_modules_.insert(static_cast<uint32_t>(module)).second) return false;
  NearMiss near(interner_.text(module));
  for (const std::string& each : provider_->names()) near.offer(each);
  for (const ModuleScope& each : modules_) near.offer(interner_.text(each.module->name));
  for (const auto& [alias, full] : module_->aliases) {
    near.offer(interner_.text(static_cast<Symbol>(alias)));
  }
  std::string hint = provider_->why_missing(interner_.text(module));
  if (hint.empty() && near.found()) hint = "did you mean `" + near.best() + "`?";
  report(DiagCode::W0308, span, "the module " + quoted(module) + " cannot be found", hint);
  return true;
}

void Resolver::check_remote_in(const ModuleScope& scope, Symbol name, uint32_t arity, Span span) {
  FunctionDef* function = find_function(scope, name, arity);
  if (function != nullptr && function->is_pub) return;
  std::string path = text(scope.module->name) + "." + text(name) + "/" + std::to_string(arity);
  if (function != nullptr) {
    std::string hint = "declare it `pub fn`";
    if (&scope == module_) hint += ", or call it without the module: `" + text(name) + "(…)`";
    report(DiagCode::W0309, span, "`" + path + "` is private", hint);
    return;
  }
  NearMiss near(interner_.text(name));
  std::string arities;
  for (const FunctionDef* f : scope.module->functions) {
    if (!f->is_pub) continue;
    near.offer(interner_.text(f->name));
    if (f->name == name) arities += (arities.empty() ? "" : ", ") + std::to_string(f->arity);
  }
  std::string hint;
  if (near.found()) hint = "did you mean `" + near.best() + "`?";
  if (!arities.empty()) hint = takes(arities);
  report(DiagCode::W0309, span, "there is no function `" + path + "`", hint);
}

// A function that a module lacks may be where other languages have no modules for it: `List.map`,
// `Enum.length`.
std::string Resolver::elsewhere(Symbol module, std::string_view name, uint32_t arity) {
  for (const PreludeFunction& each : prelude_) {
    if (each.arity == arity && interner_.text(each.name) == name)
      return "it needs no module: `" + std::string(name) + "(…)`";
  }
  for (std::string_view other : {"Enum", "List", "Map", "String", "Binary", "Int", "Math"}) {
    const ModuleInfo* info = other == interner_.text(module) ? nullptr : provider_->find(other);
    if (info == nullptr) continue;
    for (const ModuleInfo::Function& each : info->exports) {
      if (each.name == name && each.arity == arity)
        return "did you mean `" + std::string(other) + "." + std::string(name) + "`?";
    }
  }
  return {};
}

void Resolver::check_remote(Symbol module, Symbol name, uint32_t arity, Span span) {
  if (quiet_) return;
  if (const ModuleScope* scope = find_module(module)) {
    check_remote_in(*scope, name, arity, span);
    return;
  }
  if (provider_ == nullptr) return;
  const ModuleInfo* info = module_info(module);
  if (info == nullptr) {
    warn_unknown_module(module, span);
    return;
  }
  if (info->is_broken) return;
  std::string_view wanted = interner_.text(name);
  std::string arities;
  NearMiss near(wanted);
  for (const ModuleInfo::Function& each : info->exports) {
    if (each.name == wanted && each.arity == arity) return;
    if (each.name == wanted) {
      arities += (arities.empty() ? "" : ", ") + std::to_string(each.arity);
    } else {
      near.offer(each.name);
    }
  }
  std::string hint;
  if (near.found()) hint = "did you mean `" + near.best() + "`?";
  if (!arities.empty()) hint = takes(arities);
  if (arities.empty()) {
    if (std::string better = elsewhere(module, wanted, arity); !better.empty()) hint = better;
  }
  report(DiagCode::W0309, span,
         "there is no function `" + text(module) + "." + text(name) + "/" + std::to_string(arity) +
             "`",
         hint);
}

}  // namespace quelea::compiler
