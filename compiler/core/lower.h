// Lowering: from the resolved tree to the core.
//
// One Lowerer walks one function at a time and emits instructions in evaluation order. Variables
// are never assigned twice, so the SSA form needs no construction: a VarId maps to a Ref, and where
// control joins, the joining block has a parameter. An expression is lowered in one of three modes:
// for its value, for its effect, or in tail position, where it ends the block itself. `cur_ ==
// kNoBlock` says that control does not get here; instructions that are emitted all the same go to a
// block without predecessors, which is never visited again.
//
// Lambdas are lifted: each becomes a function of the module whose captured variables are extra
// parameters at the end. A call of a lambda that is known where it is called passes them directly;
// a closure is built where the lambda is a value, and is dropped as dead code where it turns out
// that nobody needs it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/core/compile.h"
#include "compiler/core/consts.h"
#include "compiler/core/ir.h"
#include "compiler/syntax/ast.h"

namespace quelea::compiler {

enum class Mode : uint8_t { kValue, kEffect, kTail };

// A lambda or local function that has become a function of the module.
struct Lifted {
  uint32_t function = 0;         // index in the image
  uint32_t arity = 0;            // without captured variables
  uint32_t captured = 0;         // values in the closure
  bool packed = false;           // they are too many for parameters: one tuple of them
  std::span<VarId> captures;     // the variables they are of (none for a wrapper's object)
  uint32_t lambda = UINT32_MAX;  // in the image's lambda table, when a closure of it is made
};

struct Worker;

// A function of the module that is still to be lowered.
struct PendingFunction {
  const FunctionDef* def = nullptr;  // the function, or the one around `lambda`
  const LambdaExpr* lambda = nullptr;
  const Worker* worker = nullptr;  // lower it as this
  const Target* wrapped =
      nullptr;  // a function value of something that is called otherwise: `&Mod.f/1`
  Lifted* lifted = nullptr;
  Symbol name = Symbol::kNone;
  uint32_t index = 0;
  uint32_t arity = 0;  // of `wrapped`
  uint32_t pos = 0;
};

// A function that takes binaries apart from the front gets a worker: a second function to which
// such a parameter comes as a binary of whole bytes and a position in it at a byte, so that passing
// on "the rest" makes no sub-binary and needs no check. The function itself calls the worker with
// position 0 where its arguments are binaries of whole bytes.
struct Worker {
  uint32_t function = 0;  // index in the image
  std::span<uint32_t>
      params;  // those that have a position, which come behind the ordinary parameters
};

// What the functions of one module share while it is compiled.
class ModuleContext {
 public:
  ModuleContext(const Module& module, const SourceFile& source, Arena& arena, Interner& names,
                DiagnosticSink& sink, const CompileOptions& options, ModuleImage& image)
      : module(module),
        source(source),
        arena(arena),
        names(names),
        sink(sink),
        options(options),
        image(image),
        consts(arena, names) {}

  const Module& module;
  const SourceFile& source;
  Arena& arena;
  Interner& names;
  DiagnosticSink& sink;
  const CompileOptions& options;
  ModuleImage& image;
  ConstTable consts;

  // Where arms that are never reached begin: said once, though code may be lowered several times.
  std::unordered_set<uint32_t> unreached;
  std::vector<Worker*> workers;       // by FunctionDef::index; null: none
  std::vector<ConstId> const_values;  // by ConstDef::index; kNoConst: not evaluated or not foldable
  std::vector<PendingFunction> pending;

  uint32_t import(Symbol module_name, Symbol name, uint32_t arity);
  // UINT32_MAX when there is no such native.
  uint32_t native(std::string_view module_name, std::string_view name, uint32_t arity);
  // A `closure` instruction names its lambda by position in `lifted`; it gets a place in the image
  // when it is emitted.
  std::vector<Lifted*> lifted;
  uint32_t add_lifted(Lifted& one) {
    lifted.push_back(&one);
    return static_cast<uint32_t>(lifted.size() - 1);
  }
  uint32_t lambda(uint32_t lifted_index);
  // The fun value of a function of this module, or of a wrapper, made once.
  std::unordered_map<std::string, Lifted*> function_values;
  uint32_t reserve_function() {
    image.functions.emplace_back();
    return static_cast<uint32_t>(image.functions.size() - 1);
  }
  NameId name_id(Symbol name) { return image.names.intern(names.text(name)); }
  uint32_t inline_size(const FunctionDef& function);  // as the function of inline.h, kept

 private:
  struct CallKey {
    uint32_t module, name, arity;
    bool operator==(const CallKey&) const = default;
  };
  struct CallHash {
    size_t operator()(const CallKey& key) const {
      return (key.module * 0x9e3779b97f4a7c15u ^ key.name) * 0x9e3779b97f4a7c15u + key.arity;
    }
  };
  std::unordered_map<CallKey, uint32_t, CallHash> imports_;
  std::unordered_map<CallKey, uint32_t, CallHash> natives_;
  std::vector<uint32_t> inline_sizes_;  // by FunctionDef::index
};

bool is_native(std::string_view module, std::string_view name, uint32_t arity);
// One that only computes: it never calls back.
bool is_pure_native(std::string_view module, std::string_view name, uint32_t arity);
// A function of the prelude that is instructions; in some cases a call of a pure native.
bool is_intrinsic(std::string_view name, size_t arity);

// The parameters that the worker of this function would take with a position: patterns bind the
// rest behind them.
std::vector<uint32_t> view_params(const FunctionDef& function, const Interner& names);

struct Pat;
class PatternCompiler;

class Lowerer {
 public:
  explicit Lowerer(ModuleContext& context);
  ~Lowerer();

  // Lowers into function(), which is valid until the next call. `leaves_first`: where the function
  // calls itself, its leaves come before the call (inline.cpp).
  void lower_function(const PendingFunction& pending, bool leaves_first = false);
  // Lowers an expression of a constant in a function of its own; kNoConst when it cannot be folded.
  ConstId evaluate_const(const Expr* value);
  IrFunction& function() { return f_; }

 private:
  friend class PatternCompiler;

  // Where control comes together after branches.
  struct Join {
    Mode mode;
    BlockId block = kNoBlock;
  };
  // An `after` block that leaving a `try` must run. Its block's parameters: what to do then, and up
  // to three values.
  struct Finally {
    BlockId block;
    bool returns = false;  // somebody returns through it
  };
  // What a loop over generators does with each combination of elements.
  enum class LoopKind : uint8_t { kEffect, kFold, kList, kMap, kBin };
  struct LoopBody {
    LoopKind kind;
    const Expr* body = nullptr;              // kEffect, kFold, kList
    const Pattern* acc = nullptr;            // kFold
    const MapField* field = nullptr;         // kMap
    std::span<const Segment> segments = {};  // kBin
    std::span<const Generator> generators = {};
  };
  // The values of a generator's source.
  struct Source {
    enum Kind : uint8_t { kList, kRange, kBits } kind = kList;
    Ref value = kNoRef;
    Ref high = kNoRef;  // kRange: value..high
  };
  using Values = std::vector<Ref>;
  // A function whose body is lowered in the place of a call.
  struct Inlining {
    const FunctionDef* function;
    const Expr* body;  // of the clause that is lowered
    const Inlining* outer;
  };
  // Where in the source what comes is, and in whose body.
  struct Place {
    uint32_t pos;
    uint16_t site;
  };

  // A value that is what a binary holds from a position on. Lazy: the value's own Ref is that of
  // the binary, and the part is made where it is used as a value.
  struct View {
    Ref binary;
    Ref position;
    bool lazy;
  };
  const View* find_view(Ref value) const {
    if (views_.empty()) return nullptr;
    auto found = views_.find(value);
    return found == views_.end() ? nullptr : &found->second;
  }
  // The value itself, of what may be a lazy view.
  Ref use(Ref value);
  // The value of an expression, or a view where it is the name of one.
  Ref view_or_value(const Expr* e);
  Ref variable(VarId var) { return use(env_[static_cast<uint32_t>(var)]); }

  // Blocks and instructions ---------------------------------------------------
  BlockId new_block(uint32_t params = 0) { return f_.new_block(params); }
  void start(BlockId block);
  bool reachable() const { return cur_ != kNoBlock; }
  InstId emit(Op op, std::span<const Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0);
  Ref value(Op op, std::initializer_list<Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0) {
    return value(op, std::span<const Ref>(args.begin(), args.size()), imm0, imm1);
  }
  Ref value(Op op, std::span<const Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0);
  void effect(Op op, std::initializer_list<Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0) {
    emit(op, std::span<const Ref>(args.begin(), args.size()), imm0, imm1);
  }
  // Ends the block.
  void jump(BlockId target, std::initializer_list<Ref> args = {}) {
    jump(target, std::span<const Ref>(args.begin(), args.size()));
  }
  void jump(BlockId target, std::span<const Ref> args, Op op = op_jump);
  Ref test(Op op, std::initializer_list<Ref> args, BlockId yes, BlockId no, uint32_t imm0 = 0,
           uint32_t imm1 = 0);
  void emit_switch(Op op, Ref subject, uint32_t first_case, uint32_t count, BlockId other);
  void stop(Op op, std::initializer_list<Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0) {
    stop(op, std::span<const Ref>(args.begin(), args.size()), imm0, imm1);
  }
  void stop(Op op, std::span<const Ref> args, uint32_t imm0 = 0, uint32_t imm1 = 0);
  void raise(RaiseKind kind, Ref reason) { stop(op_raise, {reason}, kind); }
  // Returns from the function; in tail position also `ret`.
  void ret(Ref value) { stop(op_ret, {value}); }
  void leave_function(Ref value, const Expr* cause);

  Ref atom(std::string_view text) { return const_ref(consts_.atom(text)); }
  Ref atom(Symbol name) { return const_ref(consts_.atom(name)); }
  Ref integer(int64_t number) { return const_ref(consts_.integer(number)); }
  Ref nil() { return atom("nil"); }
  bool is_const_atom(Ref ref, std::string_view text) const {
    return is_const(ref) && consts_.is_atom(const_id(ref), text);
  }
  Ref source_text(Span span);

  // Expressions ---------------------------------------------------------------
  Ref expr(const Expr* e) { return lower(e, Mode::kValue); }
  Ref lower(const Expr* e, Mode mode);
  Ref lower_value(const Expr* e);  // those that have no control flow of their own
  void cond(const Expr* e, BlockId yes, BlockId no);
  Ref finish(Ref value, Mode mode);  // a value that is there, in any mode

  Join begin_join(Mode mode);
  void branch(Join& join, const Expr* e);  // null: nil
  void branch_value(Join& join, Ref value);
  Ref end_join(Join& join);

  Ref lower_name(const NameExpr* e);
  Ref lower_interp(const InterpExpr* e);
  Ref lower_binary(const BinaryExpr* e);
  Ref binary_op(BinaryOp op, Ref a, Ref b);
  Ref lower_concat(const BinaryExpr* e);
  Ref lower_unary(const UnaryExpr* e);
  Ref lower_logical(const LogicalExpr* e, Mode mode);
  Ref boolean(const Expr* e, Mode mode);  // a condition as a value
  bool test_binary(const BinaryExpr* e, BlockId yes, BlockId no);
  void test_compare(BinaryOp op, Ref a, Ref b, BlockId yes, BlockId no);
  void test_in(const BinaryExpr* e, BlockId yes, BlockId no);
  void test_in_range(Ref v, Ref low, Ref high, BlockId yes, BlockId no);
  bool test_call(const CallExpr* e, BlockId yes, BlockId no);
  void test_value(Ref value, BlockId yes, BlockId no);

  Ref make_tuple(std::span<const Ref> elements);
  Ref make_list(std::span<const Ref> elements, Ref tail);
  Ref make_map(std::span<const Ref> pairs);
  Ref lower_tuple(const TupleExpr* e);
  Ref lower_list(const ListExpr* e);
  Ref lower_map(const MapExpr* e);
  Ref lower_struct(const StructExpr* e);
  ConstId simple_const(const Expr* e);
  Ref lower_update(const MapUpdateExpr* e);
  Ref update_path(Ref base, std::span<const Symbol> path, Ref value);
  Ref lower_bin(const BinExpr* e);
  // The operands of the segments, and their descriptions in f_.segments; returns the first
  // description.
  uint32_t lower_segments(std::span<const Segment> segments, std::vector<Ref>& operands);
  bool fold_segments(std::span<const Segment> segments, std::span<const Ref> operands, Ref& result);

  // Calls ---------------------------------------------------------------------
  Ref lower_call(const CallExpr* e, Mode mode);
  Ref call(Op plain, Op tail, std::span<const Ref> args, Mode mode, uint32_t imm0 = 0,
           uint32_t imm1 = 0);
  Ref call_target(const CallExpr* e, Values& args, const Worker* worker, Mode mode);
  // Puts the body of a small function in the place of its call (inline.cpp).
  bool has_room_for(const FunctionDef& function) const;
  bool ends_inlined(const CallExpr* call) const;
  Ref lower_inlined(const FunctionDef& function, std::span<const Ref> args, Mode mode);
  Ref lower_inlined_clauses(Inlining& inlining, std::span<const Ref> args, Mode mode, Place outer);
  Ref call_behind_leaves(const FunctionDef& function, size_t count, std::span<const Ref> args);
  Ref call_lifted(const Lifted& lifted, std::span<const Ref> args, Mode mode);
  Ref call_prelude(const CallExpr* e, std::span<const Ref> args, Mode mode);
  Ref size(Op op, std::string_view name, Ref whole, Mode mode);
  Ref call_native(std::string_view module, std::string_view name, std::span<const Ref> args,
                  Mode mode);
  Ref call_native(std::string_view module, std::string_view name, std::initializer_list<Ref> args) {
    return call_native(module, name, std::span<const Ref>(args.begin(), args.size()), Mode::kValue);
  }
  Ref lower_fun_ref(const FunRefExpr* e);
  Ref closure(Lifted& lifted);
  void add_captured(const Lifted& lifted, std::vector<Ref>& args);
  void bind_captured(const Lifted& lifted, Ref first);
  Ref wrapper(const Target& target, uint32_t arity, Ref object);
  bool is_type_test(const CallExpr* e) const;
  Ref after_stop(Mode mode);
  Lifted* lift(const LambdaExpr* e);
  Symbol lambda_name(const LambdaExpr* e);
  void bind_lambda(VarId var, const LambdaExpr* e);
  void lower_wrapper_body(const PendingFunction& pending);
  void lower_worker_entry(const Worker& worker);
  bool add_worker_args(const Worker* worker, std::vector<Ref>& args);

  // Control -------------------------------------------------------------------
  Ref lower_block(const BlockExpr* e, Mode mode);
  Ref lower_if(const IfExpr* e, Mode mode);
  Ref lower_case(const CaseExpr* e, Mode mode);
  Ref lower_match(const MatchExpr* e, Mode mode);
  void match_or_raise(const Pattern* pattern, Ref value, RaiseKind kind);
  Ref lower_receive(const ReceiveExpr* e, Mode mode);
  Ref lower_try(const TryExpr* e, Mode mode);
  void lower_catch(const TryExpr* e, Join& join, BlockId last);
  void leave_try(Join& join, BlockId last, Ref result);
  void lower_finally(const TryExpr* e, const Finally& last, Join& join);
  Ref lower_try_op(const TryOpExpr* e);
  Ref lower_assert(const AssertExpr* e);
  void assert_value(const AssertExpr* e);
  Ref assert_receive(const AssertExpr* e);
  void start_receive(std::span<const Pat* const> pats);
  void wait_for_message(Ref timeout, BlockId head);
  void raise_assert(const Expr* e, std::initializer_list<std::pair<const char*, Ref>> more);
  void lower_clauses(std::span<Clause* const> clauses, uint32_t arity);

  // Loops ---------------------------------------------------------------------
  Ref lower_for(const ForExpr* e);
  Ref lower_list_comp(const ListCompExpr* e);
  Ref lower_map_comp(const MapCompExpr* e);
  Ref lower_bin_comp(const BinCompExpr* e);
  Source lower_source(const Generator& generator);
  // Runs the generators from `at` on; `carried` are the values that go round, on return those at
  // the end.
  void generate(LoopBody& body, size_t at, Values& carried, const Source& source);
  void generate_next(LoopBody& body, size_t at, Values& carried);
  Values finish_round(LoopBody& body, size_t at, const Values& carried, BlockId skip, BlockId next);
  void generate_list(LoopBody& body, size_t at, Values& carried, Ref source);
  void generate_range(LoopBody& body, size_t at, Values& carried, const Source& source);
  void generate_bits(LoopBody& body, size_t at, Values& carried, Ref source);
  void run_body(LoopBody& body, Values& carried);
  void match_element(const Pattern* pattern, Ref element, BlockId skip);
  void filter_element(const Generator& generator, BlockId skip);
  BlockId loop_head(Values& carried, std::initializer_list<Ref> initial);
  void next_source(Ref iterator, BlockId head, std::initializer_list<Ref> more,
                   const Values& carried, BlockId exit);
  Ref read_generator(const BinPattern* pattern, Ref binary, Ref position, BlockId head,
                     const Values& carried, BlockId exit);
  void loop_to(BlockId head, std::initializer_list<Ref> own, const Values& carried);

  ModuleContext& context_;
  ConstTable& consts_;
  IrFunction f_;
  PatternCompiler* patterns_;

  const FunctionDef* def_ = nullptr;  // the function whose VarIds are in use
  const FunctionDef* known_for_ = nullptr;
  FunctionKind leave_kind_ = FunctionKind::kFunction;
  BlockId cur_ = kNoBlock;
  BlockId handler_ = kNoBlock;
  ExceptionKind handler_kind_ = ExceptionKind::Handler;
  uint32_t pos_ = 0;   // of what is being lowered
  uint16_t site_ = 0;  // in f_.sites: whose it is
  uint32_t lambda_count_ = 0;
  uint32_t const_depth_ = 0;
  std::vector<Ref> env_;                // by VarId
  uint32_t epoch_ = 0;                  // counts the functions lowered
  std::vector<uint32_t> env_epoch_;     // by VarId, for those in known_: when env_ was set
  const Inlining* inlining_ = nullptr;  // the innermost
  uint32_t growth_ = 0;                 // of the function by bodies, so far
  bool leaves_first_ = false;
  std::vector<Lifted*> known_;  // by VarId: the lambda that the variable surely holds
  std::vector<Finally*> finallies_;
  std::unordered_map<Ref, View> views_;
};

}  // namespace quelea::compiler
