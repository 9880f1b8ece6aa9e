// Loops over generators: `for`, folds and the three comprehensions, all as loops in place.
//
// A generator is a loop whose head block has as parameters the state of the iteration and the
// values that go round: the accumulator, if there is one. The body of the loop is the next
// generator or, inside the last, the body proper.
#include "compiler/core/lower.h"
#include "compiler/core/match.h"

namespace quelea::compiler {

Ref Lowerer::lower_for(const ForExpr* e) {
  LoopBody body{e->acc != nullptr ? LoopKind::kFold : LoopKind::kEffect};
  body.body = e->body;
  body.acc = e->acc;
  body.generators = e->generators;
  Source source = lower_source(e->generators[0]);
  Values carried;
  if (e->acc != nullptr) carried.push_back(expr(e->initial));
  generate(body, 0, carried, source);
  return e->acc != nullptr ? carried[0] : atom("ok");
}

Ref Lowerer::lower_list_comp(const ListCompExpr* e) {
  LoopBody body{LoopKind::kList};
  body.body = e->element;
  body.generators = e->generators;
  Ref empty = const_ref(consts_.empty_list());
  Values carried{empty};
  generate(body, 0, carried, lower_source(e->generators[0]));
  return call_native("Prim", "reverse", {carried[0], empty});
}

Ref Lowerer::lower_map_comp(const MapCompExpr* e) {
  LoopBody body{LoopKind::kMap};
  body.field = &e->field;
  body.generators = e->generators;
  Values carried{const_ref(consts_.map({}))};
  generate(body, 0, carried, lower_source(e->generators[0]));
  return carried[0];
}

Ref Lowerer::lower_bin_comp(const BinCompExpr* e) {
  LoopBody body{LoopKind::kBin};
  body.segments = e->segments;
  body.generators = e->generators;
  Values carried{const_ref(consts_.string(""))};
  generate(body, 0, carried, lower_source(e->generators[0]));
  return carried[0];
}

void Lowerer::run_body(LoopBody& body, Values& carried) {
  switch (body.kind) {
    case LoopKind::kEffect:
      lower(body.body, Mode::kEffect);
      return;
    case LoopKind::kFold:
      match_or_raise(body.acc, carried[0], raise_badmatch);
      carried[0] = expr(body.body);
      return;
    case LoopKind::kList:
      carried[0] = value(op_cons, {expr(body.body), carried[0]});
      return;
    case LoopKind::kMap: {
      Ref key = expr(body.field->key);
      Ref field = expr(body.field->value);
      carried[0] = value(op_map_put, {carried[0], key, field});
      return;
    }
    case LoopKind::kBin: {
      Values operands{carried[0]};
      uint32_t first = lower_segments(body.segments, operands);
      carried[0] = value(op_bs_append, operands, first);
      return;
    }
  }
}

Lowerer::Source Lowerer::lower_source(const Generator& generator) {
  Source source;
  const BinaryExpr* range = dyn_as<const BinaryExpr>(generator.source);
  if (range != nullptr && range->op == BinaryOp::kRange) {
    source.kind = Source::kRange;
    source.value = expr(range->lhs);
    source.high = expr(range->rhs);
    return source;
  }
  if (generator.pattern->kind == PatternKind::kBin) source.kind = Source::kBits;
  source.value = expr(generator.source);
  return source;
}

void Lowerer::generate(LoopBody& body, size_t at, Values& carried, const Source& source) {
  switch (source.kind) {
    case Source::kList:
      return generate_list(body, at, carried, source.value);
    case Source::kRange:
      return generate_range(body, at, carried, source);
    case Source::kBits:
      return generate_bits(body, at, carried, source.value);
  }
}

void Lowerer::generate_next(LoopBody& body, size_t at, Values& carried) {
  if (at == body.generators.size()) return run_body(body, carried);
  Source source = lower_source(body.generators[at]);
  generate(body, at, carried, source);
}

// Jumps into the head of a loop whose own parameters begin with `initial`; on return `carried` are
// its parameters.
BlockId Lowerer::loop_head(Values& carried, std::initializer_list<Ref> initial) {
  uint32_t own = static_cast<uint32_t>(initial.size());
  BlockId head = new_block(own + static_cast<uint32_t>(carried.size()));
  Values args(initial);
  args.insert(args.end(), carried.begin(), carried.end());
  jump(head, args);
  for (size_t i = 0; i < carried.size(); ++i)
    carried[i] = f_.blocks[head].first_param + own + static_cast<uint32_t>(i);
  return head;
}

void Lowerer::loop_to(BlockId head, std::initializer_list<Ref> own, const Values& carried) {
  Values args(own);
  args.insert(args.end(), carried.begin(), carried.end());
  jump(head, args, op_loop);
}

void Lowerer::match_element(const Pattern* pattern, Ref element, BlockId skip) {
  if (pattern->kind == PatternKind::kWildcard) return;
  if (const VarPattern* name = dyn_as<const VarPattern>(pattern)) {
    env_[static_cast<uint32_t>(name->var)] = element;
    return;
  }
  Pattern* one = const_cast<Pattern*>(pattern);
  MatchArm arm{{&one, 1}, nullptr};
  MatchResult result = patterns_->compile({&element, 1}, {&arm, 1}, skip);
  if (!patterns_->enter(result, 0)) start(new_block());
}

void Lowerer::filter_element(const Generator& generator, BlockId skip) {
  if (generator.filter == nullptr) return;
  BlockId pass = new_block();
  cond(generator.filter, pass, skip);
  start(pass);
}

// `iterator` is no cons cell: [] ends the loop, anything else is asked for more.
void Lowerer::next_source(Ref iterator, BlockId head, std::initializer_list<Ref> more,
                          const Values& carried, BlockId exit) {
  BlockId generator = new_block();
  test(op_eq_imm, {iterator}, exit, generator, consts_.empty_list());
  start(generator);
  Values args{call_native("Prim", "generator", {iterator})};
  args.insert(args.end(), more);
  args.insert(args.end(), carried.begin(), carried.end());
  jump(head, args, op_loop);
}

// What is done with an element that matched: its filter, then all that is inside. Both it and those
// that were skipped go on in `next`; gives what the loop carries there.
Lowerer::Values Lowerer::finish_round(LoopBody& body, size_t at, const Values& carried,
                                      BlockId skip, BlockId next) {
  filter_element(body.generators[at], skip);
  Values inner = carried;
  generate_next(body, at + 1, inner);
  jump(next, inner);
  start(skip);
  jump(next, carried);
  start(next);
  Values after;
  for (uint32_t i = 0; i < carried.size(); ++i) after.push_back(f_.blocks[next].first_param + i);
  return after;
}

void Lowerer::generate_list(LoopBody& body, size_t at, Values& carried, Ref source) {
  const Generator& generator = body.generators[at];
  BlockId head = loop_head(carried, {source});
  start(head);
  Ref iterator = f_.blocks[head].first_param;
  BlockId cons = new_block(), other = new_block(), exit = new_block();
  BlockId next = new_block(static_cast<uint32_t>(carried.size()));
  test(op_is_cons, {iterator}, cons, other);
  start(cons);
  Ref element = value(op_get_head, {iterator});
  Ref rest = value(op_get_tail, {iterator});
  BlockId skip = new_block();
  match_element(generator.pattern, element, skip);
  loop_to(head, {rest}, finish_round(body, at, carried, skip, next));
  start(other);
  next_source(iterator, head, {}, carried, exit);
  start(exit);
}

void Lowerer::generate_range(LoopBody& body, size_t at, Values& carried, const Source& source) {
  const Generator& generator = body.generators[at];
  BlockId bad = kNoBlock;
  for (Ref bound : {source.value, source.high}) {
    if (is_const(bound) && consts_.is_integer(const_id(bound))) continue;
    if (bad == kNoBlock) bad = new_block();
    BlockId good = new_block();
    test(op_is_int, {bound}, good, bad);
    start(good);
  }
  if (bad != kNoBlock) {
    // The native raises what the range as a value would raise.
    BlockId good = cur_;
    start(bad);
    Ref list = call_native("Prim", "range", {source.value, source.high});
    raise(raise_bad_generator, list);
    cur_ = good;
  }
  BlockId head = loop_head(carried, {source.value});
  start(head);
  Ref i = f_.blocks[head].first_param;
  BlockId inside = new_block(), exit = new_block();
  BlockId next = new_block(static_cast<uint32_t>(carried.size()));
  test_compare(BinaryOp::kLessEqual, i, source.high, inside, exit);
  start(inside);
  BlockId skip = new_block();
  match_element(generator.pattern, i, skip);
  Values after = finish_round(body, at, carried, skip, next);
  Ref incremented = value(op_add, {i, integer(1)});
  loop_to(head, {incremented}, after);
  start(exit);
}

// `<<…>> in source`: over a binary the loop walks positions; over anything else it matches each
// element. Both are one loop, because there is one body: the position is nil in a list.
void Lowerer::generate_bits(LoopBody& body, size_t at, Values& carried, Ref source) {
  const Generator& generator = body.generators[at];
  const BinPattern* pattern = as<BinPattern>(generator.pattern);
  BlockId enter = new_block(1), binary = new_block(), list = new_block();
  test(op_is_bits, {source}, binary, list);
  start(binary);
  jump(enter, {integer(0)});
  start(list);
  jump(enter, {nil()});
  start(enter);
  BlockId head = loop_head(carried, {source, f_.blocks[enter].first_param});
  start(head);
  Ref iterator = f_.blocks[head].first_param, position = iterator + 1;
  BlockId cons = new_block(), other = new_block(), exit = new_block(), elements = new_block();
  BlockId bits = new_block();
  test(op_eq_imm, {position}, elements, bits, consts_.nil());
  start(elements);
  test(op_is_cons, {iterator}, cons, other);
  start(cons);
  Ref element = value(op_get_head, {iterator});
  Ref rest = value(op_get_tail, {iterator});
  BlockId skip = new_block();
  Pattern* one = generator.pattern;
  MatchArm arm{{&one, 1}, nullptr};
  MatchResult result = patterns_->compile({&element, 1}, {&arm, 1}, skip);
  patterns_->enter(result, 0);
  std::span<VarId> vars = result.arms[0].vars;
  uint32_t var_count = static_cast<uint32_t>(vars.size());
  // Where both meet: the state to go on with, and the pattern's names.
  BlockId meet = new_block(2 + var_count);
  auto meet_with = [&](Ref next_iterator, Ref next_position) {
    Values args{next_iterator, next_position};
    for (VarId var : vars) args.push_back(variable(var));
    jump(meet, args);
  };
  meet_with(rest, nil());
  start(skip);
  loop_to(head, {rest, nil()}, carried);
  start(other);
  next_source(iterator, head, {nil()}, carried, exit);
  start(bits);
  Ref next_position = read_generator(pattern, iterator, position, head, carried, exit);
  bool whole = next_position == kNoRef;  // a segment took the rest: the last round
  meet_with(whole ? const_ref(consts_.empty_list()) : iterator, whole ? nil() : next_position);
  start(meet);
  Ref meet_param = f_.blocks[meet].first_param;
  for (uint32_t i = 0; i < var_count; ++i)
    env_[static_cast<uint32_t>(vars[i])] = meet_param + 2 + i;
  BlockId next = new_block(static_cast<uint32_t>(carried.size())), filtered = new_block();
  Values after = finish_round(body, at, carried, filtered, next);
  loop_to(head, {meet_param, meet_param + 1}, after);
  start(exit);
}

// Reads the segments of one element. Ends the loop where the binary is too short; an element that
// is there but does not match is skipped, so values are compared only after all have been read. The
// position behind, or kNoRef.
Ref Lowerer::read_generator(const BinPattern* pattern, Ref binary, Ref position, BlockId head,
                            const Values& carried, BlockId exit) {
  std::span<PatSegment> segments = patterns_->convert_segments(pattern->segments);
  Values values;
  std::vector<Pat*> pats;
  for (PatSegment& segment : segments) {
    if (segment.op == op_bs_literal) {
      Pat* text = context_.arena.make<Pat>();
      text->kind = PatKind::kConst;
      text->low = segment.literal;
      int64_t size = static_cast<int64_t>(consts_[segment.literal].text.size());
      segment = {.op = op_bs_bits, .unit = 8, .size_const = consts_.integer(size), .value = text};
    }
    BlockId yes = new_block();
    Ref result, next;
    patterns_->read_segment(segment, binary, position, segment.value != nullptr, yes, exit, result,
                            next);
    start(yes);
    position = next;
    if (segment.value == nullptr) continue;
    if (segment.value->kind == PatKind::kVar && !segment.value->repeat) {
      env_[static_cast<uint32_t>(segment.value->var)] = result;
    } else {
      values.push_back(result);
      pats.push_back(segment.value);
    }
  }
  if (pats.empty()) return position;
  BlockId skip = new_block();
  Pattern* none = nullptr;
  std::vector<Pattern*> placeholders(pats.size(), none);
  MatchArm arm{placeholders, nullptr};
  MatchResult result = patterns_->compile(values, {&arm, 1}, pats, skip);
  bool some = patterns_->enter(result, 0);
  BlockId matched = cur_;
  start(skip);
  if (position == kNoRef)
    jump(exit);
  else
    loop_to(head, {binary, position}, carried);
  if (some)
    cur_ = matched;
  else
    start(new_block());
  return position;
}

}  // namespace quelea::compiler
