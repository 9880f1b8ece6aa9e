// The driver of one module: which functions there are, in which order they are compiled, what the
// image says about them.
#include "compiler/core/compile.h"

#include <algorithm>
#include <array>

#include "compiler/codegen/codegen.h"
#include "compiler/core/inline.h"
#include "compiler/core/lower.h"
#include "compiler/core/match.h"
#include "compiler/core/simplify.h"

namespace quelea::compiler {

namespace {

enum NativeFlag : uint32_t { NONE = 0, GUARD = 1, PURE = 2, BLOCKING = 4 };

struct NativeName {
  std::string_view module, name;
  uint32_t arity;
  uint32_t flags = NONE;
};
constexpr NativeName kNatives[] = {
#define NATIVE(module, name, arity, symbol, flags) \
  {#module, #name, arity, static_cast<uint32_t>(flags)},
#include "vm/code/natives/natives.def"
#undef NATIVE
};

constexpr bool is_before(const NativeName& a, const NativeName& b) {
  if (int order = a.name.compare(b.name); order != 0) return order < 0;
  if (a.arity != b.arity) return a.arity < b.arity;
  return a.module < b.module;
}

// In order of names. Sorted at compile time: a program that calls one native does not pay for all.
constexpr auto kByName = [] {
  std::array<uint16_t, std::size(kNatives)> indexes{};
  for (size_t i = 0; i < indexes.size(); i++) indexes[i] = static_cast<uint16_t>(i);
  std::sort(indexes.begin(), indexes.end(),
            [](uint16_t a, uint16_t b) { return is_before(kNatives[a], kNatives[b]); });
  return indexes;
}();

const NativeName* find_native(const NativeName& native) {
  auto at = std::lower_bound(
      kByName.begin(), kByName.end(), native,
      [](uint16_t index, const NativeName& name) { return is_before(kNatives[index], name); });
  return at != kByName.end() && !is_before(native, kNatives[*at]) ? &kNatives[*at] : nullptr;
}

}  // namespace

bool is_native(std::string_view module, std::string_view name, uint32_t arity) {
  return find_native({module, name, arity}) != nullptr;
}

bool is_pure_native(std::string_view module, std::string_view name, uint32_t arity) {
  const NativeName* native = find_native({module, name, arity});
  return native != nullptr && (native->flags & PURE) != 0;
}

// ModuleContext -----------------------------------------------------------------------------------

uint32_t ModuleContext::import(Symbol module_name, Symbol name, uint32_t arity) {
  CallKey key{static_cast<uint32_t>(module_name), static_cast<uint32_t>(name), arity};
  auto [at, is_new] = imports_.emplace(key, static_cast<uint32_t>(image.imports.size()));
  if (is_new) image.imports.push_back({name_id(module_name), name_id(name), arity});
  return at->second;
}

uint32_t ModuleContext::native(std::string_view module_name, std::string_view name,
                               uint32_t arity) {
  CallKey key{static_cast<uint32_t>(names.intern(module_name)),
              static_cast<uint32_t>(names.intern(name)), arity};
  auto found = natives_.find(key);
  if (found != natives_.end()) return found->second;
  if (!is_native(module_name, name, arity)) {
    natives_.emplace(key, UINT32_MAX);
    return UINT32_MAX;
  }
  uint32_t index = static_cast<uint32_t>(image.natives.size());
  natives_.emplace(key, index);
  image.natives.push_back({image.names.intern(module_name), image.names.intern(name), arity});
  return index;
}

uint32_t ModuleContext::lambda(uint32_t lifted_index) {
  Lifted& one = *lifted[lifted_index];
  if (one.lambda != UINT32_MAX) return one.lambda;
  one.lambda = static_cast<uint32_t>(image.lambdas.size());
  // The source's hash and the position tell versions of a module apart.
  uint64_t unique = image.source_hash * 0x9e3779b97f4a7c15u + one.function;
  image.lambdas.push_back({one.function, one.captured, unique});
  return one.lambda;
}

// Functions ---------------------------------------------------------------------------------------

void Lowerer::lower_function(const PendingFunction& pending, bool leaves_first) {
  f_.clear();
  leaves_first_ = leaves_first;
  ++epoch_;
  finallies_.clear();
  views_.clear();
  handler_ = kNoBlock;
  handler_kind_ = ExceptionKind::Handler;
  leave_kind_ = FunctionKind::kFunction;
  pos_ = pending.pos;
  site_ = 0;
  growth_ = 0;
  f_.name = pending.name;
  f_.index = pending.index;
  f_.pos = pending.pos;
  f_.exported = false;
  f_.captured = pending.lifted != nullptr ? pending.lifted->captured : 0;
  const Worker* entry_of = nullptr;
  if (pending.worker != nullptr) {
    f_.captured = static_cast<uint32_t>(pending.worker->params.size());
  } else if (pending.def != nullptr && pending.lambda == nullptr && !context_.workers.empty() &&
             pending.def->kind == FunctionKind::kFunction) {
    entry_of = context_.workers[pending.def->index];
  }
  uint32_t own = 0;
  if (pending.wrapped != nullptr)
    own = pending.arity;
  else
    own = pending.lambda != nullptr ? pending.lambda->arity : pending.def->arity;
  f_.arity = own + f_.captured;
  f_.value_count = f_.arity;
  if (pending.def != nullptr && pending.def != known_for_) {
    known_for_ = pending.def;
    size_t vars = pending.def->vars.size();
    known_.assign(vars, nullptr);
    if (env_.size() < vars) {
      env_.resize(vars, kNoRef);
      env_epoch_.resize(vars, 0);
    }
    lambda_count_ = 0;
  }
  def_ = pending.def;
  start(new_block());
  if (pending.wrapped != nullptr) return lower_wrapper_body(pending);
  if (pending.lambda != nullptr) {
    bind_captured(*pending.lifted, own);
    return lower_clauses(pending.lambda->clauses, own);
  }
  leave_kind_ = def_->kind;
  if (entry_of != nullptr) {
    lower_worker_entry(*entry_of);
  }
  if (pending.worker != nullptr) {
    for (uint32_t i = 0; i < pending.worker->params.size(); ++i) {
      uint32_t param = pending.worker->params[i];
      views_[param] = {param, own + i, true};
    }
    return lower_clauses(def_->clauses, own);
  }
  f_.exported = def_->is_pub;
  lower_clauses(def_->clauses, own);
}

ConstId Lowerer::evaluate_const(const Expr* e) {
  f_.clear();
  ++epoch_;
  known_for_ = nullptr;
  def_ = nullptr;
  handler_ = kNoBlock;
  finallies_.clear();
  views_.clear();
  start(new_block());
  Ref result = expr(e);
  return is_const(result) ? const_id(result) : kNoConst;
}

namespace {

class ModuleCompiler {
 public:
  explicit ModuleCompiler(ModuleContext& context)
      : context_(context), lowerer_(context), codegen_(context) {}

  void run() {
    const Module& module = context_.module;
    context_.image.name = context_.name_id(module.name);
    context_.image.files.push_back(context_.source.name());
    evaluate_constants();
    // Functions have the places that the resolver numbered.
    context_.image.functions.resize(module.functions.size());
    make_workers();
    for (const FunctionDef* function : module.functions) {
      compile(function, function->index, function->name);
      const Worker* worker = context_.workers.empty() ? nullptr : context_.workers[function->index];
      if (worker == nullptr) continue;
      compile_one({.def = function,
                   .worker = worker,
                   .name = function->name,
                   .index = worker->function,
                   .pos = function->span.begin},
                  false);
      compile_pending();
    }
    if (module.script != nullptr)
      compile(module.script, context_.reserve_function(), context_.names.intern("$script"), true);
    if (context_.options.tests) compile_tests();
    describe();
  }

 private:
  void evaluate_constants() {
    const Module& module = context_.module;
    context_.const_values.assign(module.constants.size(), kNoConst);
    for (const ConstDef* constant : module.constants) {
      ConstId id = lowerer_.evaluate_const(constant->value);
      if (id != kNoConst && context_.consts[id].weight > kMaxConstWeight) {
        context_.sink.report(
            DiagCode::E0901, &context_.source, constant->span,
            "the constant `" + std::string(context_.names.text(constant->name)) + "` is too large",
            "make it a function");
        continue;
      }
      context_.const_values[constant->index] = id;
    }
  }

  void compile(const FunctionDef* def, uint32_t index, Symbol name, bool exported = false) {
    compile_one({.def = def, .name = name, .index = index, .pos = def->span.begin}, exported);
    compile_pending();
  }

  void make_workers() {
    for (const FunctionDef* function : context_.module.functions) {
      std::vector<uint32_t> params = view_params(*function, context_.names);
      if (params.empty()) continue;
      if (context_.workers.empty())
        context_.workers.assign(context_.module.functions.size(), nullptr);
      context_.workers[function->index] =
          context_.arena.make<Worker>(context_.reserve_function(), context_.arena.copy(params));
    }
  }

  void compile_pending() {
    while (!context_.pending.empty()) {
      PendingFunction next = context_.pending.back();
      context_.pending.pop_back();
      compile_one(next, false);
    }
  }

  void compile_one(const PendingFunction& pending, bool exported) {
    const size_t functions = context_.image.functions.size();
    lowerer_.lower_function(pending);
    IrFunction& function = lowerer_.function();
    // Once more, where that is worth it and the first time has left nothing behind but the result.
    const bool is_tree = is_tree_recursive(function);
    if (is_tree && context_.image.functions.size() == functions)
      lowerer_.lower_function(pending, true);
    function.exported |= exported;
    simplify(function, context_.consts, is_tree);
    test_exactly(function, context_.consts, context_.image);
    codegen_.generate(function);
  }

  void compile_tests() {
    for (const TestDef* test : context_.module.tests) {
      uint32_t index = context_.reserve_function();
      std::string name = "-test " + std::string(test->name) + "-";
      compile(test->function, index, context_.names.intern(name));
      context_.image.tests.push_back(
          {std::string(test->name), index, context_.source.line(test->span.begin), false});
    }
  }

  void add_doc(DocKind kind, Symbol name, uint32_t arity, Span span, const Doc* doc) {
    if (doc == nullptr) return;
    context_.image.docs.push_back({kind, name == Symbol::kNone ? 0 : context_.name_id(name), arity,
                                   context_.source.line(span.begin),
                                   std::string(context_.source.text(span)),
                                   std::string(doc->text)});
  }

  void describe() {
    const Module& module = context_.module;
    ModuleImage& image = context_.image;
    add_doc(DocKind::Module, module.name, 0, module.name_span, module.doc);
    for (const FunctionDef* function : module.functions)
      add_doc(DocKind::Function, function->name, function->arity, function->span, function->doc);
    for (const ConstDef* constant : module.constants) {
      add_doc(DocKind::Constant, constant->name, 0, constant->span, constant->doc);
    }
    for (const BehaviourRef& behaviour : module.behaviours)
      image.behaviours.push_back(context_.name_id(behaviour.module));
    for (const CallbackDef* callback : module.callbacks)
      image.callbacks.push_back(
          {context_.name_id(callback->name), callback->arity, callback->optional});
    if (module.structure == nullptr) return;
    image.has_struct = true;
    for (const StructField& field : module.structure->fields)
      image.struct_fields.push_back({context_.name_id(field.name), field.default_value != nullptr});
  }

  ModuleContext& context_;
  Lowerer lowerer_;
  CodeGenerator codegen_;
};

uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

}  // namespace

std::unique_ptr<ModuleImage> compile_module(const Module& module, const SourceFile& source,
                                            Arena& arena, Interner& names, DiagnosticSink& sink,
                                            const CompileOptions& options) {
  auto image = std::make_unique<ModuleImage>();
  image->source_hash = hash_text(source.text(module.span));
  uint32_t errors = sink.error_count();
  ModuleContext context(module, source, arena, names, sink, options, *image);
  ModuleCompiler(context).run();
  if (sink.error_count() != errors) return nullptr;
  return image;
}

}  // namespace quelea::compiler
