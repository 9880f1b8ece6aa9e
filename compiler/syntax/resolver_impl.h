// The resolver's class; its parts are in resolve*.cpp by what they do.
//
// Scopes are one stack of bindings. `visible_` maps a symbol to the topmost binding of that name,
// and a binding remembers what it shadows, so a lookup is one array access and leaving a scope
// undoes its bindings. Bindings that `is` makes (and `=` where it may not be reached, right of
// `and` and `or`) live shorter than their block: a Region unlinks them when they end.
//
// A function with its lambdas shares one numbering of variables. Lambdas form levels; a name found
// on an outer level is a capture of every level between.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/syntax/arena.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/diagnostics.h"
#include "compiler/syntax/resolve.h"
#include "compiler/syntax/token.h"

namespace quelea::compiler {

// An array indexed by symbol that grows as needed.
template <class T>
class SymbolMap {
 public:
  T& operator[](Symbol symbol) {
    size_t at = static_cast<size_t>(symbol);
    if (at >= items_.size()) items_.resize(at + at / 2 + 64);
    return items_[at];
  }
  T get(Symbol symbol) const {
    size_t at = static_cast<size_t>(symbol);
    return at < items_.size() ? items_[at] : T{};
  }
  void clear() { items_.clear(); }

 private:
  std::vector<T> items_;
};

// The prelude's functions, from the table of natives.
struct PreludeFunction {
  Symbol name;
  uint32_t arity;
  bool guard;
};

// The near miss of a name among candidates: the closest within a third of its length, or empty.
class NearMiss {
 public:
  explicit NearMiss(std::string_view wanted) : wanted_(wanted) {}
  void offer(std::string_view candidate);
  bool found() const { return !best_.empty(); }
  const std::string& best() const { return best_; }

 private:
  std::string_view wanted_;
  std::string best_;
  size_t distance_ = SIZE_MAX;
};

class Resolver {
 public:
  Resolver(File& file, Arena& arena, Interner& interner, DiagnosticSink& sink,
           ModuleInfoProvider* provider, const ResolveOptions& options);
  bool run();

 private:
  static constexpr uint32_t kNone = 0;  // index 0 of bindings_ is unused

  enum class BindingKind : uint8_t { kVariable, kLocalFn };
  enum class ScopeKind : uint8_t { kBlock, kIf, kFor, kArm, kLambda, kFunction, kScript };

  struct Binding {
    Symbol name;
    VarId var;
    uint32_t shadows;  // binding index, or kNone
    uint32_t level;    // of the lambda it belongs to
    Span span;
    BindingKind kind;
    bool read;
    bool quiet;         // no warning when it is never read
    ScopeKind scope;    // where it was bound
    uint32_t arity;     // kLocalFn
    const Expr* cause;  // the MatchExpr that binds it, or null
    const Expr* owner;  // the if, for, ... whose block it is in, or null
  };

  struct Level {
    LambdaExpr* lambda;  // null: the function itself
    std::vector<VarId> captures;
    std::unordered_set<uint32_t> captured;  // when there are many
  };

  struct Scope {
    ScopeKind kind;
    size_t base;
    const Expr* owner;
  };

  struct PatternName {
    Symbol name;
    VarId var;
    Span span;
    bool read;
  };

  // What a pattern being resolved has bound so far.
  struct PatternSlot {
    uint32_t pattern = 0;
    uint32_t index = 0;  // in pattern_names_, from the pattern's base
    bool bound = false;
  };

  struct ModuleScope {
    Module* module = nullptr;
    SymbolMap<FunctionDef*> functions;  // the first of a name; next_ links the arities
    std::unordered_map<FunctionDef*, FunctionDef*> next;
    std::unordered_map<uint32_t, Symbol> aliases;
    struct Import {
      Symbol module;
      Span span;
      bool used = false;
    };
    std::unordered_map<uint64_t, Import> imports;  // by name and arity
    std::unordered_map<uint32_t, ConstDef*> constants;
    bool any_alias = false;
    // Who refers to which function of the module, by index, in order of the first: for what is
    // never called. kOutside: the script, a test, a constant.
    struct Use {
      uint32_t by, function;
    };
    std::vector<Use> uses;
    std::unordered_set<const ConstDef*> read_constants;
  };
  static constexpr uint32_t kOutside = UINT32_MAX;

  // --- modules (resolve_module.cpp)
  void collect(Module* module, ModuleScope& scope);
  void group_functions(ModuleScope& scope);
  void add_function(ModuleScope& scope, std::vector<FunctionDef*>& list, FunctionDef* function);
  void collect_names(ModuleScope& scope);
  void collect_constants(ModuleScope& scope);
  void struct_function(ModuleScope& scope, std::vector<FunctionDef*>& list);
  void order_constants(Module* module);
  void resolve_module(ModuleScope& scope);
  void resolve_script(Module* module);
  void resolve_function(FunctionDef* function);
  void resolve_tests(Module* module);
  void check_behaviours(Module* module);
  void check_callbacks(Module* module, const BehaviourRef& behaviour,
                       const std::vector<ModuleInfo::Function>& callbacks);
  void constant_expr(Expr* e);
  FunctionDef* find_function(const ModuleScope& scope, Symbol name, uint32_t arity) const;
  const ModuleScope* find_module(Symbol name) const;

  // --- what nothing uses (unused.cpp)
  void warn_unused_declarations(ModuleScope& scope);
  void warn_unused_functions(ModuleScope& scope);
  void collect_words(std::string_view text, std::unordered_set<uint32_t>& words) const;
  std::unordered_set<uint32_t> words_of_tests(const Module& module) const;

  // --- default parameters (defaults.cpp)
  // The functions of lower arity that a clause's defaults define, highest arity first; strips the
  // defaults from the clause.
  struct LowerArity {
    Clause* clause;
    uint32_t arity;
  };
  std::vector<LowerArity> take_defaults(Clause* clause, Symbol name);
  Clause* default_clause(std::span<Pattern*> params, uint32_t arity, Expr* value, Symbol name,
                         Span span);
  std::unordered_set<uint32_t> names_in(Span span);
  void expand_local_defaults(LocalFnExpr* local, std::vector<Expr*>& out);

  // --- scopes (resolve_scope.cpp)
  void begin_function();
  void end_function(FunctionDef* function);
  void push_scope(ScopeKind kind, const Expr* owner = nullptr);
  void pop_scope();
  size_t begin_region() const { return region_.size(); }
  void end_region(size_t base);
  uint32_t declare(Symbol name, VarId var, Span span, BindingKind kind = BindingKind::kVariable);
  VarId new_var(Symbol name, Span span);
  void unlink(uint32_t binding);
  void warn_unused(const Binding& binding);
  void warn_rebinding(const Binding& binding);
  std::string rebinding_hint(const Binding& binding) const;
  VarId read(uint32_t binding);
  uint32_t lookup(Symbol name) const { return visible_.get(name); }

  // --- expressions (resolve_expr.cpp)
  void expr(Expr* e);
  void parts(Expr* e);
  void field(FieldExpr* e);
  void comprehension(Expr* e);
  void expr_scoped(Expr* e, ScopeKind kind, const Expr* owner = nullptr);
  void exposing(Expr* e);
  void exprs(std::span<Expr*> list) {
    for (Expr* e : list) expr(e);
  }
  void name(NameExpr* e);
  void unknown_name(NameExpr* e);
  void block(BlockExpr* e, ScopeKind kind, const Expr* owner);
  void block_statements(std::span<Expr*>& statements);
  void body(Expr* e);
  void refuse_defaults(const LambdaExpr* e);
  void lambda(LambdaExpr* e);
  void local_function(LocalFnExpr* e);
  void clause(Clause* clause);
  void if_expr(IfExpr* e);
  // mistakes.cpp
  void warn_condition(const Expr* condition, size_t first_binding);
  void warn_operands(const BinaryExpr* e);
  void warn_module_pattern(const MatchExpr* e);
  void for_expr(ForExpr* e);
  void receive(ReceiveExpr* e);
  void try_expr(TryExpr* e);
  void arm(Arm& arm, const Expr* owner);
  void generators(std::span<Generator> generators, bool first_done);
  void assertion(AssertExpr* e);
  void match(MatchExpr* e);
  void map_fields(std::span<MapField> fields, bool labels);
  void struct_expr(StructExpr* e);
  void segments(std::span<Segment> segments);
  void thrown_away(const Expr* e);
  bool is_pure(const Expr* e) const;
  void pattern_only(const Expr* e);
  void guard(Expr* e);
  void check_guard(const Expr* e);
  bool guard_operator(const Expr* e) const;
  bool guard_call(const CallExpr* call) const;

  // --- calls (resolve_call.cpp)
  void call(CallExpr* e);
  void named_call(CallExpr* e, NameExpr* callee);
  bool local_call(CallExpr* e, NameExpr* callee, uint32_t binding);
  bool find_target(Symbol name, uint32_t arity, Target* target);
  void function_ref(FunRefExpr* e);
  void remote(Target* target, ModuleExpr* module, Symbol name, uint32_t arity, Span span);
  std::string elsewhere(Symbol module, std::string_view name, uint32_t arity);
  void check_remote(Symbol module, Symbol name, uint32_t arity, Span span);
  void check_remote_in(const ModuleScope& scope, Symbol name, uint32_t arity, Span span);
  void unknown_function(Symbol name, uint32_t arity, Span span);
  std::string arities_of(Symbol name) const;
  Symbol expand(Symbol module);
  const ModuleInfo* module_info(Symbol module);
  bool warn_unknown_module(Symbol module, Span span);
  bool is_function_name(Symbol name) const;

  // --- patterns (resolve_pattern.cpp)
  void begin_pattern();
  void end_pattern(bool in_receive, const Expr* cause);
  void bind_pattern(Pattern* p, const Expr* cause = nullptr, bool in_receive = false);
  void pattern(Pattern* p);
  void var_pattern(VarPattern* p);
  void alternatives(AltPattern* p);
  void map_pattern(std::span<PatternField> fields);
  void struct_pattern(StructPattern* p);
  void bin_pattern(BinPattern* p);
  void check_segment(const Segment& segment, bool last, bool is_pattern);
  void pinned(Expr* e, bool sees_pattern);
  Expr* constant_of(Pattern* p);
  void map_key(PatternField& field);
  void check_struct_fields(Symbol name, Span span, StructDef** def);
  void check_field(Symbol struct_name, StructDef* def, Symbol field, Span span);

  void report(DiagCode code, Span span, std::string message, std::string hint = {}) {
    if (!options_.warnings && diag_severity(code) == Severity::kWarning) return;
    sink_.report(code, file_.source, span, std::move(message), std::move(hint));
  }
  std::string text(Symbol symbol) const { return std::string(interner_.text(symbol)); }
  std::string quoted(Symbol symbol) const { return "`" + text(symbol) + "`"; }
  std::string with_arity(Symbol name, uint32_t arity) const {
    return "`" + text(name) + "/" + std::to_string(arity) + "`";
  }
  std::string line_of(Span span) const { return std::to_string(file_.source->line(span.begin)); }
  // Source text when it is short and of one line, else empty.
  std::string short_text(Span span) const;

  template <class T>
  T* make(Span span) {
    T* node = new (arena_.allocate(sizeof(T), alignof(T))) T();
    node->kind = T::kKind;
    node->span = span;
    node->flags = kSynthetic;
    return node;
  }

  File& file_;
  Arena& arena_;
  Interner& interner_;
  DiagnosticSink& sink_;
  ModuleInfoProvider* provider_;
  ResolveOptions options_;

  std::vector<ModuleScope> modules_;
  std::unordered_map<uint32_t, size_t> module_index_;
  ModuleScope* module_ = nullptr;
  uint32_t function_ = kOutside;  // the index of the function being resolved
  std::vector<PreludeFunction> prelude_;
  SymbolMap<uint32_t> prelude_first_;  // index + 1 of the first of a name; a name's are adjacent
  std::unordered_map<uint32_t, const ModuleInfo*> infos_;
  std::unordered_set<uint32_t> unknown_modules_;  // warned about already
  std::unordered_map<uint32_t, Span> script_names_;
  bool in_script_ = false;

  std::vector<Binding> bindings_;
  SymbolMap<uint32_t> visible_;
  std::vector<Scope> scopes_;
  std::vector<Level> levels_;
  std::vector<uint32_t> region_;  // bindings that end before their block
  uint32_t conditional_ = 0;      // right of `and`, `or`: `=` binds in the region
  std::vector<VarInfo> vars_;
  std::unordered_map<uint32_t, Span> ended_;    // names bound in blocks that are over
  std::unordered_set<uint32_t> ended_is_;       // names that `is` bound, whose region is over
  std::unordered_set<uint32_t> unknown_names_;  // said once a function
  bool quiet_ = false;                          // made functions: no warnings about their names

  uint32_t next_pattern_ = 0;
  uint32_t pattern_ = 0;  // number of the pattern being resolved, 0: none
  size_t pattern_base_ = 0;
  std::vector<PatternName> pattern_names_;
  SymbolMap<PatternSlot> slots_;
  bool sees_pattern_ = false;  // in a segment's size: names of the pattern count

  bool constant_mode_ = false;
  std::vector<ConstDef*>* constant_uses_ = nullptr;
};

}  // namespace quelea::compiler
