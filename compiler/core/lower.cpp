#include "compiler/core/lower.h"

#include <algorithm>

#include "compiler/core/match.h"

namespace quelea::compiler {

Lowerer::Lowerer(ModuleContext& context)
    : context_(context), consts_(context.consts), patterns_(new PatternCompiler(*this)) {}
Lowerer::~Lowerer() { delete patterns_; }

// Blocks and instructions -------------------------------------------------------------------------

void Lowerer::start(BlockId block) {
  cur_ = block;
  f_.blocks[block].handler = handler_;
  f_.blocks[block].handler_kind = handler_kind_;
}

InstId Lowerer::emit(Op op, std::span<const Ref> args, uint32_t imm0, uint32_t imm1) {
  if (cur_ == kNoBlock) start(new_block());
  Inst inst{.op = op};
  inst.args = f_.add_operands(args);
  inst.arg_count = static_cast<uint32_t>(args.size());
  inst.imm[0] = imm0;
  inst.imm[1] = imm1;
  inst.pos = pos_;
  inst.site = site_;
  uint32_t results = op_shape(op).results;
  if (results != 0) {
    inst.result = f_.value_count;
    f_.value_count += results;
  }
  return f_.append(cur_, inst);
}

Ref Lowerer::value(Op op, std::span<const Ref> args, uint32_t imm0, uint32_t imm1) {
  return f_.insts[emit(op, args, imm0, imm1)].result;
}

void Lowerer::jump(BlockId target, std::span<const Ref> args, Op op) {
  if (!reachable()) return;
  InstId id = emit(op, args);
  f_.insts[id].target[0] = target;
  cur_ = kNoBlock;
}

Ref Lowerer::test(Op op, std::initializer_list<Ref> args, BlockId yes, BlockId no, uint32_t imm0,
                  uint32_t imm1) {
  InstId id = emit(op, std::span<const Ref>(args.begin(), args.size()), imm0, imm1);
  f_.insts[id].target[0] = yes;
  f_.insts[id].target[1] = no;
  cur_ = kNoBlock;
  return f_.insts[id].result;
}

void Lowerer::emit_switch(Op op, Ref subject, uint32_t first_case, uint32_t count, BlockId other) {
  InstId id = emit(op, {&subject, 1}, first_case, count);
  f_.insts[id].target[1] = other;
  cur_ = kNoBlock;
}

void Lowerer::stop(Op op, std::span<const Ref> args, uint32_t imm0, uint32_t imm1) {
  emit(op, args, imm0, imm1);
  cur_ = kNoBlock;
}

Ref Lowerer::source_text(Span span) {
  return const_ref(consts_.string(context_.source.text(span)));
}

// Joins -------------------------------------------------------------------------------------------

Lowerer::Join Lowerer::begin_join(Mode mode) {
  Join join{mode};
  if (mode != Mode::kTail) join.block = new_block(mode == Mode::kValue ? 1 : 0);
  return join;
}

void Lowerer::branch_value(Join& join, Ref value) {
  if (!reachable()) return;
  if (join.mode == Mode::kTail) return ret(value);
  if (join.mode == Mode::kValue) return jump(join.block, {value});
  jump(join.block);
}

void Lowerer::branch(Join& join, const Expr* e) {
  if (!reachable()) start(new_block());
  if (e == nullptr) return branch_value(join, nil());
  Ref value = lower(e, join.mode);
  if (join.mode != Mode::kTail) branch_value(join, value);
}

Ref Lowerer::end_join(Join& join) {
  if (join.mode == Mode::kTail) {
    cur_ = kNoBlock;
    return kNoRef;
  }
  start(join.block);
  return join.mode == Mode::kValue ? f_.blocks[join.block].first_param : nil();
}

Ref Lowerer::finish(Ref value, Mode mode) {
  if (mode != Mode::kTail) return value;
  if (reachable()) ret(value);
  return kNoRef;
}

// Expressions -------------------------------------------------------------------------------------

Ref Lowerer::lower(const Expr* e, Mode mode) {
  uint32_t outer = pos_;
  pos_ = e->span.begin;
  Ref result;
  switch (e->kind) {
    case ExprKind::kCall:
      result = lower_call(as<CallExpr>(e), mode);
      break;
    case ExprKind::kBlock:
      result = lower_block(as<BlockExpr>(e), mode);
      break;
    case ExprKind::kIf:
      result = lower_if(as<IfExpr>(e), mode);
      break;
    case ExprKind::kCase:
      result = lower_case(as<CaseExpr>(e), mode);
      break;
    case ExprKind::kReceive:
      result = lower_receive(as<ReceiveExpr>(e), mode);
      break;
    case ExprKind::kTry:
      result = lower_try(as<TryExpr>(e), mode);
      break;
    case ExprKind::kMatch:
      result = lower_match(as<MatchExpr>(e), mode);
      break;
    case ExprKind::kLogical:
      result = lower_logical(as<LogicalExpr>(e), mode);
      break;
    default:
      result = finish(lower_value(e), mode);
  }
  pos_ = outer;
  return result;
}

Ref Lowerer::lower_value(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kInt:
      return const_ref(consts_.literal(*as<IntExpr>(e), false));
    case ExprKind::kFloat:
      return const_ref(consts_.number(as<FloatExpr>(e)->value));
    case ExprKind::kAtom:
      return atom(as<AtomExpr>(e)->name);
    case ExprKind::kModule:
      return atom(as<ModuleExpr>(e)->name);
    case ExprKind::kString:
      return const_ref(consts_.string(as<StringExpr>(e)->text));
    case ExprKind::kInterp:
      return lower_interp(as<InterpExpr>(e));
    case ExprKind::kName:
      return lower_name(as<NameExpr>(e));
    case ExprKind::kFunRef:
      return lower_fun_ref(as<FunRefExpr>(e));
    case ExprKind::kLambda:
      return closure(*lift(as<LambdaExpr>(e)));
    case ExprKind::kLocalFn: {
      const LocalFnExpr* local = as<LocalFnExpr>(e);
      bind_lambda(local->var, local->lambda);
      return env_[static_cast<uint32_t>(local->var)];
    }
    case ExprKind::kBinary:
      return lower_binary(as<BinaryExpr>(e));
    case ExprKind::kUnary:
      return lower_unary(as<UnaryExpr>(e));
    case ExprKind::kIs:
      return boolean(e, Mode::kValue);
    case ExprKind::kTryOp:
      return lower_try_op(as<TryOpExpr>(e));
    case ExprKind::kTuple:
      return lower_tuple(as<TupleExpr>(e));
    case ExprKind::kList:
      return lower_list(as<ListExpr>(e));
    case ExprKind::kMap:
      return lower_map(as<MapExpr>(e));
    case ExprKind::kStruct:
      return lower_struct(as<StructExpr>(e));
    case ExprKind::kMapUpdate:
      return lower_update(as<MapUpdateExpr>(e));
    case ExprKind::kField: {
      const FieldExpr* field = as<FieldExpr>(e);
      Ref object = expr(field->object);
      return value(op_map_index, {object, atom(field->name)});
    }
    case ExprKind::kElement: {
      const ElementExpr* element = as<ElementExpr>(e);
      Ref object = expr(element->object);
      return value(op_elem, {object}, element->index);
    }
    case ExprKind::kIndex: {
      const IndexExpr* index = as<IndexExpr>(e);
      Ref object = expr(index->object);
      Ref key = expr(index->key);
      return value(op_map_index, {object, key});
    }
    case ExprKind::kBin:
      return lower_bin(as<BinExpr>(e));
    case ExprKind::kFor:
      return lower_for(as<ForExpr>(e));
    case ExprKind::kListComp:
      return lower_list_comp(as<ListCompExpr>(e));
    case ExprKind::kMapComp:
      return lower_map_comp(as<MapCompExpr>(e));
    case ExprKind::kBinComp:
      return lower_bin_comp(as<BinCompExpr>(e));
    case ExprKind::kAssert:
      return lower_assert(as<AssertExpr>(e));
    default:
      return nil();
  }
}

Ref Lowerer::lower_name(const NameExpr* e) {
  if (e->var != VarId::kNone) {
    uint32_t var = static_cast<uint32_t>(e->var);
    // A lambda's own name, and local functions of enclosing functions, have no value here yet.
    if (known_[var] != nullptr && env_epoch_[var] != epoch_) return closure(*known_[var]);
    return use(env_[var]);
  }
  if (e->constant == nullptr) return nil();
  const ConstDef& constant = *e->constant;
  if (constant.module == &context_.module && constant.index < context_.const_values.size()) {
    ConstId id = context_.const_values[constant.index];
    if (id != kNoConst) return const_ref(id);
  }
  // What cannot be folded (it would raise, say) is evaluated where it is used.
  constexpr uint32_t kMaxDepth = 100;
  constexpr size_t kMaxInsts = size_t{1} << 22;
  if (const_depth_ >= kMaxDepth || f_.insts.size() > kMaxInsts) {
    context_.sink.report(
        DiagCode::E0901, &context_.source, constant.span,
        "the constant `" + std::string(context_.names.text(constant.name)) + "` is too large",
        "make it a function");
    return nil();
  }
  ++const_depth_;
  Ref result = expr(constant.value);
  --const_depth_;
  return result;
}

Ref Lowerer::lower_interp(const InterpExpr* e) {
  std::vector<Ref> parts;
  std::string text;
  bool constant = true;
  for (const Expr* part : e->parts) {
    Ref ref = expr(part);
    parts.push_back(ref);
    if (!is_const(ref)) {
      constant = false;
      continue;
    }
    const Const& c = consts_[const_id(ref)];
    if (c.kind == ConstKind::kString)
      text += c.text;
    else if (c.kind == ConstKind::kInt)
      text += std::to_string(c.value);
    else if (c.kind == ConstKind::kAtom)
      text += context_.names.text(Symbol(c.value));
    else
      constant = false;
  }
  if (constant) return const_ref(consts_.string(text));
  return value(op_interpolate, parts);
}

// Data --------------------------------------------------------------------------------------------

namespace {

bool all_const(std::span<const Ref> refs) {
  for (Ref ref : refs)
    if (!is_const(ref)) return false;
  return true;
}

std::vector<ConstId> const_ids(std::span<const Ref> refs) {
  std::vector<ConstId> ids;
  ids.reserve(refs.size());
  for (Ref ref : refs) ids.push_back(const_id(ref));
  return ids;
}

// A list with more elements than this, not all constant, is built in pieces, so that they need not
// all be live at once.
constexpr size_t kListPiece = 128;

}  // namespace

Ref Lowerer::make_tuple(std::span<const Ref> elements) {
  if (all_const(elements)) return const_ref(consts_.tuple(const_ids(elements)));
  return value(op_tuple, elements);
}

Ref Lowerer::make_list(std::span<const Ref> elements, Ref tail) {
  if (elements.empty()) return tail;
  if (all_const(elements) && is_const(tail))
    return const_ref(consts_.list(const_ids(elements), const_id(tail)));
  if (elements.size() == 1) return value(op_cons, {elements[0], tail});
  std::vector<Ref> args(elements.begin(), elements.end());
  args.push_back(tail);
  return value(op_list, args);
}

Ref Lowerer::lower_tuple(const TupleExpr* e) {
  std::vector<Ref> elements;
  elements.reserve(e->elements.size());
  for (const Expr* element : e->elements) elements.push_back(expr(element));
  return make_tuple(elements);
}

Ref Lowerer::lower_list(const ListExpr* e) {
  std::vector<Ref> piece;
  Ref reversed = kNoRef;  // the pieces before this one
  bool constant = true;   // the piece so far
  for (const Expr* element : e->elements) {
    piece.push_back(expr(element));
    constant = constant && is_const(piece.back());
    if (piece.size() < kListPiece || constant) continue;
    if (reversed == kNoRef) reversed = const_ref(consts_.empty_list());
    reversed = make_list(std::vector<Ref>(piece.rbegin(), piece.rend()), reversed);
    piece.clear();
    constant = true;
  }
  Ref tail = e->tail != nullptr ? expr(e->tail) : const_ref(consts_.empty_list());
  tail = make_list(piece, tail);
  if (reversed == kNoRef) return tail;
  return call_native("Prim", "reverse", {reversed, tail});
}

Ref Lowerer::make_map(std::span<const Ref> pairs) {
  constexpr size_t kMaxFlat = 32;
  bool plain = true;
  std::vector<uint32_t> order;  // pair numbers, sorted by key, the last of equal keys
  for (size_t i = 0; i < pairs.size(); i += 2)
    plain &= is_const(pairs[i]) && consts_.is_plain_key(const_id(pairs[i]));
  if (plain) {
    for (uint32_t i = 0; i < pairs.size() / 2; ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return consts_.key_less(const_id(pairs[2 * a]), const_id(pairs[2 * b]));
    });
    size_t kept = 0;
    for (size_t i = 0; i < order.size(); ++i)
      if (i + 1 == order.size() || pairs[2 * order[i]] != pairs[2 * order[i + 1]])
        order[kept++] = order[i];
    order.resize(kept);
    if (all_const(pairs)) {
      std::vector<ConstId> ids;
      for (uint32_t i : order) {
        ids.push_back(const_id(pairs[2 * i]));
        ids.push_back(const_id(pairs[2 * i + 1]));
      }
      return const_ref(consts_.map(ids));
    }
    if (order.size() <= kMaxFlat && !order.empty()) {
      std::vector<ConstId> keys;
      std::vector<Ref> values;
      for (uint32_t i : order) {
        keys.push_back(const_id(pairs[2 * i]));
        values.push_back(pairs[2 * i + 1]);
      }
      return value(op_map_literal, values, consts_.tuple(keys));
    }
  }
  return value(op_map_build, pairs);
}

Ref Lowerer::lower_map(const MapExpr* e) {
  // A big literal is built in pieces, as a list is.
  constexpr size_t kPiece = 128;
  std::vector<Ref> pairs;
  Ref map = kNoRef;
  bool constant = true;
  for (const MapField& field : e->fields) {
    pairs.push_back(expr(field.key));
    pairs.push_back(expr(field.value));
    constant = constant && all_const(std::span(pairs).last(2));
    if (pairs.size() < kPiece || constant) continue;
    if (map == kNoRef) {
      map = make_map(pairs);
    } else {
      pairs.insert(pairs.begin(), map);
      map = value(op_map_put, pairs);
    }
    pairs.clear();
    constant = true;
  }
  if (map == kNoRef) return make_map(pairs);
  if (pairs.empty()) return map;
  pairs.insert(pairs.begin(), map);
  return value(op_map_put, pairs);
}

Ref Lowerer::lower_struct(const StructExpr* e) {
  std::vector<Ref> given;
  for (const MapField& field : e->fields) {
    given.push_back(expr(field.key));
    given.push_back(expr(field.value));
  }
  if (e->def != nullptr && e->def->module == &context_.module) {
    // Defaults that are constants need no call.
    std::vector<Ref> pairs{atom("__struct__"), atom(e->name)};
    bool simple = true;
    for (const StructField& field : e->def->fields) {
      Ref value = nil();
      if (field.default_value != nullptr) {
        ConstId id = simple_const(field.default_value);
        simple &= id != kNoConst;
        if (id != kNoConst) value = const_ref(id);
      }
      pairs.push_back(atom(field.name));
      pairs.push_back(value);
    }
    if (simple) {
      pairs.insert(pairs.end(), given.begin(), given.end());
      return make_map(pairs);
    }
  }
  Ref base = kNoRef;
  if (e->name == context_.module.name) {
    for (const FunctionDef* function : context_.module.functions)
      if (function->kind == FunctionKind::kStruct)
        base = call(op_call, op_tail_call, {}, Mode::kValue, function->index);
  }
  if (base == kNoRef)
    base = call(op_call_ext, op_tail_ext, {}, Mode::kValue,
                context_.import(e->name, context_.names.intern("__struct__"), 0));
  if (given.empty()) return base;
  given.insert(given.begin(), base);
  return value(op_map_update, given);
}

// A literal, or a constant that is one: what needs no instructions.
ConstId Lowerer::simple_const(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kAtom:
    case ExprKind::kModule:
    case ExprKind::kString:
      return const_id(lower_value(e));
    case ExprKind::kUnary: {
      const UnaryExpr* unary = as<UnaryExpr>(e);
      ConstId operand = unary->op == UnaryOp::kNegate ? simple_const(unary->operand) : kNoConst;
      return operand == kNoConst ? kNoConst : consts_.negate(operand);
    }
    case ExprKind::kList:
      return as<ListExpr>(e)->elements.empty() ? consts_.empty_list() : kNoConst;
    case ExprKind::kMap:
      return as<MapExpr>(e)->fields.empty() ? consts_.map({}) : kNoConst;
    case ExprKind::kName: {
      const ConstDef* constant = as<NameExpr>(e)->constant;
      if (constant == nullptr || constant->module != &context_.module) return kNoConst;
      return context_.const_values[constant->index];
    }
    default:
      return kNoConst;
  }
}

Ref Lowerer::update_path(Ref base, std::span<const Symbol> path, Ref new_value) {
  std::vector<Ref> maps{base};
  for (size_t i = 0; i + 1 < path.size(); ++i)
    maps.push_back(value(op_map_index, {maps.back(), atom(path[i])}));
  for (size_t i = path.size(); i-- > 0;)
    new_value = value(op_map_update, {maps[i], atom(path[i]), new_value});
  return new_value;
}

Ref Lowerer::lower_update(const MapUpdateExpr* e) {
  Ref map = expr(e->base);
  std::vector<std::pair<Ref, Ref>> values;
  for (const MapUpdate& update : e->updates) {
    Ref key = update.key != nullptr ? expr(update.key) : kNoRef;
    if (update.key == nullptr && update.path.size() == 1) key = atom(update.path[0]);
    Ref field = expr(update.value);
    values.emplace_back(key, field);
  }
  for (size_t i = 0; i < values.size();) {
    if (values[i].first == kNoRef) {
      map = update_path(map, e->updates[i].path, values[i].second);
      ++i;
      continue;
    }
    std::vector<Ref> args{map};
    for (; i < values.size() && values[i].first != kNoRef; ++i) {
      args.push_back(values[i].first);
      args.push_back(values[i].second);
    }
    map = value(op_map_update, args);
  }
  return map;
}

}  // namespace quelea::compiler
