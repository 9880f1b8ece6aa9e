// Calls, functions as values, lambdas.
#include <algorithm>

#include "compiler/core/inline.h"
#include "compiler/core/lower.h"

namespace quelea::compiler {

Ref Lowerer::call(Op plain, Op tail, std::span<const Ref> args, Mode mode, uint32_t imm0,
                  uint32_t imm1) {
  if (mode != Mode::kTail) return value(plain, args, imm0, imm1);
  stop(tail, args, imm0, imm1);
  return kNoRef;
}

Ref Lowerer::call_native(std::string_view module, std::string_view name, std::span<const Ref> args,
                         Mode mode) {
  uint32_t index = context_.native(module, name, static_cast<uint32_t>(args.size()));
  return call(op_call_native, op_tail_native, args, mode, index);
}

Ref Lowerer::call_lifted(const Lifted& lifted, std::span<const Ref> args, Mode mode) {
  Values all(args.begin(), args.end());
  add_captured(lifted, all);
  return call(op_call, op_tail_call, all, mode, lifted.function);
}

Ref Lowerer::lower_call(const CallExpr* e, Mode mode) {
  const Target& target = e->target;
  if (target.kind == TargetKind::kPrelude) {
    // Those that are tests have instructions.
    if (is_type_test(e)) return finish(boolean(e, Mode::kValue), mode);
  }
  Values args;
  bool has_object = target.kind == TargetKind::kDynamic || target.kind == TargetKind::kValue;
  if (has_object) args.push_back(kNoRef);
  const Worker* worker = nullptr;
  if (target.kind == TargetKind::kFunction && !context_.workers.empty())
    worker = context_.workers[target.function->index];
  auto argument = [&](uint32_t i) {
    bool view = worker != nullptr &&
                std::find(worker->params.begin(), worker->params.end(), i) != worker->params.end();
    args.push_back(view ? view_or_value(e->args[i]) : expr(e->args[i]));
  };
  uint32_t first = 0;
  if (e->piped && !e->args.empty()) argument(first++);
  if (has_object) args[0] = expr(target.object);
  for (uint32_t i = first; i < e->args.size(); ++i) argument(i);
  const Place here{pos_, site_};
  if (mode != Mode::kTail && ends_inlined(e)) {
    pos_ = f_.sites[here.site].pos;
    site_ = f_.sites[here.site].caller;
  }
  Ref result = call_target(e, args, worker, mode);
  pos_ = here.pos;
  site_ = here.site;
  return result;
}

// `args`: the fun or the module first where that is a value.
Ref Lowerer::call_target(const CallExpr* e, Values& args, const Worker* worker, Mode mode) {
  const Target& target = e->target;
  uint32_t count = static_cast<uint32_t>(e->args.size());
  switch (target.kind) {
    case TargetKind::kLocal: {
      uint32_t var = static_cast<uint32_t>(target.var);
      const Lifted* known = known_[var];
      if (known != nullptr && known->arity == count) return call_lifted(*known, args, mode);
      Ref fun =
          known != nullptr && env_epoch_[var] != epoch_ ? closure(*known_[var]) : use(env_[var]);
      args.insert(args.begin(), fun);
      return call(op_call_fun, op_tail_fun, args, mode, count);
    }
    case TargetKind::kFunction:
      if (worker == nullptr && has_room_for(*target.function))
        return lower_inlined(*target.function, args, mode);
      if (leaves_first_ && mode != Mode::kTail && target.function->index == f_.index &&
          worker == nullptr) {
        const size_t clauses = clauses_to_leaf(*target.function, context_.names);
        if (clauses != 0) return call_behind_leaves(*target.function, clauses, args);
      }
      if (worker != nullptr && add_worker_args(worker, args))
        return call(op_call, op_tail_call, args, mode, worker->function);
      return call(op_call, op_tail_call, args, mode, target.function->index);
    case TargetKind::kPrelude:
      return call_prelude(e, args, mode);
    case TargetKind::kRemote: {
      std::string_view module = context_.names.text(target.module);
      uint32_t native = context_.native(module, context_.names.text(target.name), count);
      if (native != UINT32_MAX) return call(op_call_native, op_tail_native, args, mode, native);
      return call(op_call_ext, op_tail_ext, args, mode,
                  context_.import(target.module, target.name, count));
    }
    case TargetKind::kDynamic:
      return call(op_call_dyn, op_tail_dyn, args, mode, consts_.atom(target.name), count);
    case TargetKind::kValue:
      return call(op_call_fun, op_tail_fun, args, mode, count);
    default:
      return nil();
  }
}

bool Lowerer::is_type_test(const CallExpr* e) const {
  std::string_view name = context_.names.text(e->target.name);
  if (name.substr(0, 3) != "is_" || name == "is_string") return false;
  if (name == "is_map_key") return e->args.size() == 2;
  if (name != "is_fun") return e->args.size() == 1;
  if (e->args.size() == 1) return true;
  const IntExpr* arity = dyn_as<const IntExpr>(e->args[1]);
  return arity != nullptr && arity->small && arity->value >= 0 && arity->value <= 255;
}

namespace {

enum class Intrinsic : uint8_t {
  kNone,
  kSelf,
  kError,
  kExit,
  kThrow,
  kReraise,
  kSend,
  kElem,
  kHd,
  kTl,
  kMin,
  kMax,
  kTupleSize,
  kMapSize,
  kByteSize,
  kBitSize
};

struct IntrinsicName {
  std::string_view name;
  uint32_t arity;
  Intrinsic what;
};
constexpr IntrinsicName kIntrinsics[] = {
    {"self", 0, Intrinsic::kSelf},
    {"error", 1, Intrinsic::kError},
    {"exit", 1, Intrinsic::kExit},
    {"throw", 1, Intrinsic::kThrow},
    {"reraise", 3, Intrinsic::kReraise},
    {"send", 2, Intrinsic::kSend},
    {"elem", 2, Intrinsic::kElem},
    {"hd", 1, Intrinsic::kHd},
    {"tl", 1, Intrinsic::kTl},
    {"min", 2, Intrinsic::kMin},
    {"max", 2, Intrinsic::kMax},
    {"tuple_size", 1, Intrinsic::kTupleSize},
    {"map_size", 1, Intrinsic::kMapSize},
    {"byte_size", 1, Intrinsic::kByteSize},
    {"bit_size", 1, Intrinsic::kBitSize},
};

Intrinsic find_intrinsic(std::string_view name, size_t arity) {
  for (const IntrinsicName& one : kIntrinsics)
    if (one.arity == arity && one.name == name) return one.what;
  return Intrinsic::kNone;
}

}  // namespace

bool is_intrinsic(std::string_view name, size_t arity) {
  return find_intrinsic(name, arity) != Intrinsic::kNone;
}

Ref Lowerer::call_prelude(const CallExpr* e, std::span<const Ref> args, Mode mode) {
  std::string_view name = context_.names.text(e->target.name);
  switch (find_intrinsic(name, args.size())) {
    case Intrinsic::kSelf:
      return finish(value(op_self_pid, {}), mode);
    case Intrinsic::kError:
      raise(raise_error, args[0]);
      return after_stop(mode);
    case Intrinsic::kExit:
      raise(raise_exit, args[0]);
      return after_stop(mode);
    case Intrinsic::kThrow:
      raise(raise_throw_, args[0]);
      return after_stop(mode);
    case Intrinsic::kReraise:
      stop(op_reraise, args);
      return after_stop(mode);
    case Intrinsic::kSend:
      effect(op_send, {args[0], args[1]});
      return finish(args[1], mode);
    case Intrinsic::kElem: {
      if (!is_const(args[1]) || !consts_.is_small(const_id(args[1]))) break;
      int64_t index = consts_[const_id(args[1])].value;
      if (index < 0 || index > 1 << 24) break;
      return finish(value(op_elem, {args[0]}, static_cast<uint32_t>(index)), mode);
    }
    case Intrinsic::kHd:
    case Intrinsic::kTl: {
      // What is no list is the native's to complain about.
      Join join = begin_join(mode);
      BlockId cons = new_block(), other = new_block();
      test(op_is_cons, {args[0]}, cons, other);
      start(cons);
      branch_value(join, value(name == "hd" ? op_get_head : op_get_tail, {args[0]}));
      start(other);
      Ref result = call_native("Prelude", name, args, mode);
      if (mode != Mode::kTail) branch_value(join, result);
      return end_join(join);
    }
    case Intrinsic::kMin:
    case Intrinsic::kMax: {
      // Of equals the first.
      Join join = begin_join(mode);
      BlockId first = new_block(), second = new_block();
      bool min = name == "min";
      test_compare(BinaryOp::kLess, args[min ? 1 : 0], args[min ? 0 : 1], second, first);
      start(first);
      branch_value(join, args[0]);
      start(second);
      branch_value(join, args[1]);
      return end_join(join);
    }
    case Intrinsic::kTupleSize:
      return size(op_tuple_size, name, args[0], mode);
    case Intrinsic::kMapSize:
      return size(op_map_size, name, args[0], mode);
    case Intrinsic::kByteSize:
      return size(op_byte_size, name, args[0], mode);
    case Intrinsic::kBitSize:
      return size(op_bit_size, name, args[0], mode);
    default:
      break;
  }
  return call_native("Prelude", name, args, mode);
}

// A guard fails where there is no size; elsewhere the native says what is wrong.
Ref Lowerer::size(Op op, std::string_view name, Ref whole, Mode mode) {
  BlockId good = new_block();
  if (handler_ != kNoBlock && handler_kind_ == ExceptionKind::Guard) {
    Ref result = test(op, {whole}, good, handler_);
    start(good);
    return finish(result, mode);
  }
  BlockId bad = new_block();
  Ref result = test(op, {whole}, good, bad);
  start(bad);
  Mode how = mode == Mode::kTail ? Mode::kTail : Mode::kValue;
  Ref never = call_native("Prelude", name, std::span<const Ref>(&whole, 1), how);
  // It has raised. A block that ends here lies behind the others, where nobody must jump over it.
  if (how != Mode::kTail) stop(op_raise, {&never, 1}, raise_error);
  start(good);
  return finish(result, mode);
}

// After a call that never returns: what follows is not reached, but still lowered.
Ref Lowerer::after_stop(Mode mode) { return mode == Mode::kTail ? kNoRef : nil(); }

void Lowerer::add_captured(const Lifted& lifted, Values& args) {
  Values values;
  for (VarId var : lifted.captures) values.push_back(variable(var));
  if (lifted.packed)
    args.push_back(make_tuple(values));
  else
    args.insert(args.end(), values.begin(), values.end());
}

// In the function itself: captured values are its parameters from `first` on.
void Lowerer::bind_captured(const Lifted& lifted, Ref first) {
  uint32_t count = static_cast<uint32_t>(lifted.captures.size());
  if (lifted.packed) {
    BlockId good = new_block(), never = new_block();
    test(op_is_tuple_n, {first}, good, never, count);
    start(never);
    raise(raise_badarg, first);
    start(good);
  }
  for (uint32_t i = 0; i < count; ++i) {
    Ref captured = lifted.packed ? value(op_get_elem, {first}, i) : first + i;
    env_[static_cast<uint32_t>(lifted.captures[i])] = captured;
  }
}

// Functions as values -----------------------------------------------------------------------------

Ref Lowerer::closure(Lifted& lifted) {
  Values captured;
  add_captured(lifted, captured);
  return value(op_closure, captured, context_.add_lifted(lifted));
}

Ref Lowerer::wrapper(const Target& target, uint32_t arity, Ref object) {
  std::string key = std::to_string(static_cast<int>(target.kind)) + "/" + std::to_string(arity) +
                    "/" + std::string(context_.names.text(target.module)) + "/" +
                    std::string(context_.names.text(target.name));
  Lifted*& lifted = context_.function_values[key];
  if (lifted == nullptr) {
    lifted = context_.arena.make<Lifted>();
    lifted->arity = arity;
    lifted->captured = object != kNoRef ? 1 : 0;
    if (target.kind == TargetKind::kFunction) {
      lifted->function = target.function->index;
    } else {
      lifted->function = context_.reserve_function();
      std::string name = "-fun ";
      if (target.module != Symbol::kNone)
        name += std::string(context_.names.text(target.module)) + ".";
      name += std::string(context_.names.text(target.name)) + "-";
      context_.pending.push_back({.wrapped = &target,
                                  .lifted = lifted,
                                  .name = context_.names.intern(name),
                                  .index = lifted->function,
                                  .arity = arity,
                                  .pos = pos_});
    }
  }
  Values captured;
  if (object != kNoRef) captured.push_back(object);
  return value(op_closure, captured, context_.add_lifted(*lifted));
}

Ref Lowerer::lower_fun_ref(const FunRefExpr* e) {
  switch (e->target.kind) {
    case TargetKind::kLocal: {
      uint32_t var = static_cast<uint32_t>(e->target.var);
      if (known_[var] != nullptr && env_epoch_[var] != epoch_) return closure(*known_[var]);
      return use(env_[var]);
    }
    case TargetKind::kDynamic:
    case TargetKind::kValue:
      return wrapper(e->target, e->arity, expr(e->target.object));
    case TargetKind::kRemote:
      if (!is_native(context_.names.text(e->target.module), context_.names.text(e->target.name),
                     e->arity))
        return const_ref(consts_.exported(e->target.module, e->target.name, e->arity));
      return wrapper(e->target, e->arity, kNoRef);
    default:
      return wrapper(e->target, e->arity, kNoRef);
  }
}

void Lowerer::lower_wrapper_body(const PendingFunction& pending) {
  Values args;
  for (uint32_t i = 0; i < pending.arity; ++i) args.push_back(i);
  const Target& target = *pending.wrapped;
  switch (target.kind) {
    case TargetKind::kPrelude:
      call_native("Prelude", context_.names.text(target.name), args, Mode::kTail);
      break;
    case TargetKind::kRemote:
      call_native(context_.names.text(target.module), context_.names.text(target.name), args,
                  Mode::kTail);
      break;
    default:
      args.insert(args.begin(), pending.arity);  // the captured object
      stop(op_tail_dyn, args, consts_.atom(target.name), pending.arity);
  }
}

Symbol Lowerer::lambda_name(const LambdaExpr* e) {
  bool script = def_->kind == FunctionKind::kScript;
  std::string name = "-" + (script ? "$script" : std::string(context_.names.text(def_->name))) +
                     "/" + std::to_string(def_->arity) + "-";
  if (e->name != Symbol::kNone)
    name += std::string(context_.names.text(e->name)) + "-";
  else
    name += "fun-" + std::to_string(lambda_count_++) + "-";
  return context_.names.intern(name);
}

// Makes a lambda a function of the module. Captured variables that are themselves known lambdas are
// replaced by what those capture: the function can call them, or make closures of them, by itself.
Lifted* Lowerer::lift(const LambdaExpr* e) {
  Lifted* lifted = context_.arena.make<Lifted>();
  lifted->arity = e->arity;
  lifted->function = context_.reserve_function();
  std::vector<VarId> captures;
  auto add = [&](VarId var) {
    if (std::find(captures.begin(), captures.end(), var) == captures.end()) captures.push_back(var);
  };
  for (VarId var : e->captures) {
    const Lifted* known = known_[static_cast<uint32_t>(var)];
    if (known == nullptr)
      add(var);
    else
      for (VarId inner : known->captures) add(inner);
  }
  lifted->captures = context_.arena.copy(captures);
  constexpr size_t kMaxParameters = 200;
  lifted->packed = captures.size() > 1 && captures.size() + e->arity > kMaxParameters;
  lifted->captured = lifted->packed ? 1 : static_cast<uint32_t>(captures.size());
  if (e->self != VarId::kNone) known_[static_cast<uint32_t>(e->self)] = lifted;
  context_.pending.push_back({.def = def_,
                              .lambda = e,
                              .lifted = lifted,
                              .name = lambda_name(e),
                              .index = lifted->function,
                              .pos = e->span.begin});
  return lifted;
}

void Lowerer::bind_lambda(VarId var, const LambdaExpr* e) {
  Lifted* lifted = lift(e);
  uint32_t index = static_cast<uint32_t>(var);
  known_[index] = lifted;
  env_[index] = closure(*lifted);
  env_epoch_[index] = epoch_;
}

}  // namespace quelea::compiler
