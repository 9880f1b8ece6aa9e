#include "compiler/core/match.h"

#include <algorithm>

#include "vm/code/segments.h"

namespace quelea::compiler {

// Values and what is known of them ----------------------------------------------------------------

PatternCompiler::OccId PatternCompiler::add_occ(const Occ& occ) {
  occs_.push_back(occ);
  return static_cast<OccId>(occs_.size() - 1);
}

void PatternCompiler::change(OccId occ) { trail_.emplace_back(occ, occs_[occ]); }

void PatternCompiler::undo(uint32_t mark) {
  while (trail_.size() > mark) {
    occs_[trail_.back().first] = trail_.back().second;
    trail_.pop_back();
  }
}

Ref PatternCompiler::read(OccId id) {
  if (occs_[id].value != kNoRef) return occs_[id].value;
  // A part's parent has been read already: it was tested. Only tails of tails may still be open.
  OccId top = id;
  std::vector<OccId> chain;
  while (occs_[top].value == kNoRef) {
    chain.push_back(top);
    top = occs_[top].parent;
  }
  while (!chain.empty()) {
    OccId at = chain.back();
    chain.pop_back();
    change(at);
    Ref whole = occs_[occs_[at].parent].value;
    uint32_t index = occs_[at].index;
    Ref part = kNoRef;
    switch (occs_[at].projection) {
      case Projection::kElement:
        part = l_.value(op_get_elem, {whole}, index, occs_[occs_[at].parent].arity);
        break;
      case Projection::kHead:
        part = l_.value(op_get_head, {whole});
        break;
      default:
        part = l_.value(op_get_tail, {whole});
        break;
    }
    occs_[at].value = part;
  }
  return occs_[id].value;
}

PatternCompiler::Known PatternCompiler::class_of(const Pat* pat) const {
  switch (pat->kind) {
    case PatKind::kConst:
      switch (l_.consts_[pat->low].kind) {
        case ConstKind::kInt:
        case ConstKind::kBig:
          return Known::kInt;
        case ConstKind::kFloat:
          return Known::kFloat;
        case ConstKind::kAtom:
          return Known::kAtom;
        case ConstKind::kString:
        case ConstKind::kBits:
          return Known::kBits;
        case ConstKind::kEmptyList:
          return Known::kEmptyList;
        case ConstKind::kTuple:
          return Known::kTuple;
        case ConstKind::kList:
          return Known::kCons;
        case ConstKind::kMap:
          return Known::kMap;
        case ConstKind::kExport:
          return Known::kOther;
      }
      return Known::kNothing;
    case PatKind::kRange:
      return Known::kInt;
    case PatKind::kTuple:
      return Known::kTuple;
    case PatKind::kCons:
      return Known::kCons;
    case PatKind::kMap:
      return Known::kMap;
    case PatKind::kBin:
      return Known::kBits;
    default:
      return Known::kNothing;
  }
}

void PatternCompiler::learn(OccId id, const Pat* pat, bool holds) {
  change(id);
  Occ& occ = occs_[id];
  if (!holds) {
    occ.negatives = l_.context_.arena.make<Negative>(pat, occ.negatives);
    if (occ.position != kNoRef) learn_before(id, pat);
    return;
  }
  if (occ.position != kNoRef) return;
  Known known = class_of(pat);
  if (known == Known::kNothing) return;
  occ.known = known;
  if (pat->kind == PatKind::kTuple) occ.arity = static_cast<uint32_t>(pat->parts.size());
  if (pat->kind == PatKind::kConst && known == Known::kTuple)
    occ.arity = l_.consts_[pat->low].count;
}

// Where what is left behind a position is no number of bytes, it is none from a byte before it.
void PatternCompiler::learn_before(OccId id, const Pat* failed) {
  constexpr int kMaxSteps = 16;
  if (failed->segments.empty() || failed->segments[0].op != op_bs_rest ||
      failed->segments[0].unit != 8 || !occs_[id].aligned)
    return;
  for (int steps = 0; steps < kMaxSteps && occs_[id].parent != id; ++steps) {
    id = occs_[id].parent;
    if (!occs_[id].aligned) return;
    change(id);
    occs_[id].negatives = l_.context_.arena.make<Negative>(failed, occs_[id].negatives);
  }
}

bool PatternCompiler::same_read(const PatSegment& a, const PatSegment& b) {
  if (&a == &b) return true;
  return a.op == b.op && a.flags == b.flags && a.unit == b.unit && a.size == nullptr &&
         b.size == nullptr && a.size_const == b.size_const && a.literal == b.literal;
}

bool PatternCompiler::same_test(const Pat* a, const Pat* b) const {
  if (a == b) return true;
  if (a->kind != b->kind) return false;
  switch (a->kind) {
    case PatKind::kConst:
      return a->low == b->low;
    case PatKind::kEqual:
      return a->ref == b->ref;
    case PatKind::kRange:
      return a->low == b->low && a->high == b->high;
    case PatKind::kTuple:
      return a->parts.size() == b->parts.size();
    case PatKind::kCons:
      return true;
    default:
      return false;
  }
}

bool PatternCompiler::in_range(ConstId value, const Pat* range) const {
  return l_.consts_.is_integer(value) && l_.consts_.compare_numbers(range->low, value) <= 0 &&
         l_.consts_.compare_numbers(value, range->high) <= 0;
}

PatternCompiler::Fit PatternCompiler::fit(const Pat* tested, const Pat* cell) const {
  if (same_test(tested, cell)) return Fit::kYes;
  Known a = class_of(tested), b = class_of(cell);
  if (a == Known::kNothing || b == Known::kNothing) return Fit::kMaybe;
  if (a != b) return Fit::kNo;
  switch (tested->kind) {
    case PatKind::kConst:
      if (cell->kind == PatKind::kConst) return a == Known::kMap ? Fit::kMaybe : Fit::kNo;
      if (cell->kind == PatKind::kRange) return in_range(tested->low, cell) ? Fit::kYes : Fit::kNo;
      return Fit::kMaybe;
    case PatKind::kRange:
      if (cell->kind == PatKind::kConst)
        return in_range(cell->low, tested) ? Fit::kMaybe : Fit::kNo;
      if (in_range(tested->low, cell) && in_range(tested->high, cell)) return Fit::kYes;
      if (l_.consts_.compare_numbers(tested->high, cell->low) < 0) return Fit::kNo;
      return l_.consts_.compare_numbers(cell->high, tested->low) < 0 ? Fit::kNo : Fit::kMaybe;
    case PatKind::kTuple:
      if (cell->kind == PatKind::kTuple) return Fit::kNo;
      return l_.consts_[cell->low].count == tested->parts.size() ? Fit::kMaybe : Fit::kNo;
    case PatKind::kMap:
      return tested->fields.empty() && cell->kind == PatKind::kMap && cell->fields.empty()
                 ? Fit::kYes
                 : Fit::kMaybe;
    default:
      return Fit::kMaybe;
  }
}

// Rows --------------------------------------------------------------------------------------------

PatternCompiler::Row* PatternCompiler::new_row(const Row& from, size_t columns) {
  Row* row = l_.context_.arena.make<Row>(from);
  row->cells = l_.context_.arena.array<Pat*>(columns).data();
  constexpr size_t kCells = 8;  // cost as much again
  work_ += 1 + columns / kCells;
  return row;
}

// Takes names off a cell, so that null is the only cell that matches everything.
void PatternCompiler::strip(Row& row, size_t column, OccId occ) {
  Pat* pat = row.cells[column];
  while (pat != nullptr && (pat->kind == PatKind::kVar || pat->kind == PatKind::kAs)) {
    bool check = pat->kind == PatKind::kVar && pat->repeat;
    row.has_checks |= check;
    row.bindings = l_.context_.arena.make<Binding>(pat->var, occ, check, row.bindings);
    pat = pat->kind == PatKind::kAs ? pat->parts[0] : nullptr;
  }
  row.cells[column] = pat;
}

// Whether the tests that failed, together, leave nothing of what an integer or a range matches.
bool PatternCompiler::is_exhausted(const Pat* cell, const Negative* failed) const {
  const auto end_of = [&](ConstId id, int64_t& value) {
    value = l_.consts_[id].value;
    return l_.consts_[id].kind == ConstKind::kInt;
  };
  const auto interval = [&](const Pat* pat, int64_t& low, int64_t& high) {
    if (pat->kind == PatKind::kRange) return end_of(pat->low, low) && end_of(pat->high, high);
    return pat->kind == PatKind::kConst && end_of(pat->low, low) && end_of(pat->low, high);
  };
  int64_t low = 0, high = 0;
  if (!interval(cell, low, high)) return false;
  // Each failed test may take something off either end of what is left.
  for (bool shrinks = true; shrinks;) {
    shrinks = false;
    int seen = 0;
    for (const Negative* no = failed; no != nullptr && seen < kMaxNegatives;
         no = no->next, ++seen) {
      int64_t from = 0, to = 0;
      if (!interval(no->pat, from, to)) continue;
      const bool takes_low = from <= low && low <= to;
      const bool takes_high = from <= high && high <= to;
      if (takes_low && takes_high) return true;
      if (takes_low) low = to + 1;
      if (takes_high) high = from - 1;
      shrinks |= takes_low || takes_high;
    }
  }
  return false;
}

uint64_t PatternCompiler::bits_of(const PatSegment& segment) const {
  constexpr int64_t kMost = int64_t{1} << 48;  // nothing has more
  if (segment.op == op_bs_literal) return 8 * l_.consts_[segment.literal].text.size();
  if (segment.op == op_bs_utf) return 8;
  if (segment.size_const == kNoConst) return 0;
  const Const& size = l_.consts_[segment.size_const];
  const bool counts = size.kind == ConstKind::kInt && size.value >= 0 && size.value <= kMost;
  return counts ? static_cast<uint64_t>(size.value) * segment.unit : 0;
}

// Whether a binary pattern fails wherever the first read of another has failed at its place.
bool PatternCompiler::is_excluded(const Pat* failed, const Pat* cell) const {
  constexpr size_t kMostSegments = 16;  // looking at all, again and again, would be quadratic
  if (failed->segments.empty()) return cell->segments.empty();
  if (cell->segments.size() > kMostSegments)
    return same_read(failed->segments[0], cell->segments[0]);
  const PatSegment& read = failed->segments[0];
  const PatSegment* first = cell->segments.empty() ? nullptr : &cell->segments[0];
  if (first != nullptr && same_read(read, *first)) return true;
  switch (read.op) {
    case op_bs_rest: {
      // What is left is no multiple of the unit.
      uint64_t bits = 0;
      for (const PatSegment& segment : cell->segments) {
        const bool is_known =
            segment.op != op_bs_rest && segment.op != op_bs_utf && segment.size == nullptr;
        const uint32_t unit = segment.op == op_bs_utf ? 8 : segment.unit;
        if (!is_known && unit % read.unit != 0) return false;
        bits += is_known ? bits_of(segment) : 0;
      }
      return bits % read.unit == 0;
    }
    case op_bs_int:
    case op_bs_bits: {
      // Fewer bits are left than it has.
      uint64_t least = 0;
      for (const PatSegment& segment : cell->segments) least += bits_of(segment);
      return bits_of(read) != 0 && least >= bits_of(read);
    }
    case op_bs_literal:
      return first != nullptr && first->op == op_bs_literal &&
             l_.consts_[first->literal].text.starts_with(l_.consts_[read.literal].text);
    case op_bs_utf:
      // The text does not begin with a character.
      return read.flags == static_cast<uint32_t>(quelea::SegmentType::Utf8) && first != nullptr &&
             is_ascii(*first);
    default:
      return false;
  }
}

bool PatternCompiler::is_ascii(const PatSegment& segment) const {
  constexpr int kAsciiEnd = 0x80;
  if (segment.op != op_bs_literal)
    return wanted_byte(segment) >= 0 && wanted_byte(segment) < kAsciiEnd;
  std::string_view text = l_.consts_[segment.literal].text;
  return !text.empty() && static_cast<unsigned char>(text[0]) < kAsciiEnd;
}

bool PatternCompiler::decided_no(const Row& row, const State& state) const {
  for (size_t i = 0; i < state.cols.size(); ++i) {
    const Pat* cell = row.cells[i];
    if (cell == nullptr) continue;
    const Occ& occ = occs_[state.cols[i]];
    Known wanted = class_of(cell);
    if (occ.known != Known::kNothing && wanted != Known::kNothing && occ.position == kNoRef) {
      if (wanted != occ.known) return true;
      if (cell->kind == PatKind::kTuple && cell->parts.size() != occ.arity) return true;
    }
    if (cell->kind == PatKind::kRange && l_.consts_.compare_numbers(cell->low, cell->high) > 0)
      return true;
    if (occ.position == kNoRef && is_exhausted(cell, occ.negatives)) return true;
    int seen = 0;
    for (Negative* no = occ.negatives; no != nullptr && seen < kMaxNegatives;
         no = no->next, ++seen) {
      if (same_test(no->pat, cell)) return true;
      if (no->pat->kind == PatKind::kMap && cell->kind == PatKind::kMap) {
        if (no->pat->fields.empty()) return true;
        for (const PatField& field : cell->fields)
          if (field.key == no->pat->fields[0].key) return true;
      }
      if (no->pat->kind == PatKind::kBin && cell->kind == PatKind::kBin) {
        if (occ.position == kNoRef || is_excluded(no->pat, cell)) return true;
      }
    }
  }
  return false;
}

size_t PatternCompiler::choose_column(const State& state) const {
  constexpr size_t kLookAt = 64;  // rows
  size_t best = SIZE_MAX;
  size_t best_score = 0;
  for (size_t i = 0; i < state.cols.size(); ++i) {
    const Pat* cell = state.rows[0]->cells[i];
    if (cell == nullptr) continue;
    // Binaries last and from the left: sizes may read names bound elsewhere in the pattern.
    size_t score = 1;
    if (cell->kind != PatKind::kBin) {
      score = 2;
      for (size_t r = 1; r < state.rows.size() && r < kLookAt; ++r) {
        if (state.rows[r]->cells[i] == nullptr) continue;
        score += 1;
      }
    }
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

bool PatternCompiler::needs_alternatives(std::span<Row*> rows, size_t column) {
  return std::any_of(rows.begin(), rows.end(), [&](const Row* row) {
    return row->cells[column] != nullptr && row->cells[column]->kind == PatKind::kAlt;
  });
}

std::span<PatternCompiler::Row*> PatternCompiler::expand_alternatives(const State& state,
                                                                      size_t column) {
  std::vector<Row*> rows;
  for (Row* row : state.rows) {
    Pat* cell = row->cells[column];
    if (cell == nullptr || cell->kind != PatKind::kAlt) {
      rows.push_back(row);
      continue;
    }
    for (Pat* alternative : cell->parts) {
      Row* copy = new_row(*row, state.cols.size());
      std::copy(row->cells, row->cells + state.cols.size(), copy->cells);
      copy->cells[column] = alternative;
      strip(*copy, column, state.cols[column]);
      rows.push_back(copy);
    }
  }
  return l_.context_.arena.copy(rows);
}

// Leaves ------------------------------------------------------------------------------------------

void PatternCompiler::emit_guard(const Expr* guard, BlockId otherwise) {
  BlockId saved = l_.handler_;
  ExceptionKind saved_kind = l_.handler_kind_;
  l_.handler_ = otherwise;
  l_.handler_kind_ = ExceptionKind::Guard;
  BlockId begin = l_.new_block(), ok = l_.new_block();
  l_.jump(begin);
  l_.start(begin);
  l_.cond(guard, ok, otherwise);
  l_.handler_ = saved;
  l_.handler_kind_ = saved_kind;
  l_.start(ok);
}

// The first row matches but for repeated names and its guard.
void PatternCompiler::finish_row(Row& row, BlockId otherwise) {
  uint32_t count = 0;
  // The oldest first, so that parts are read in the order of the pattern.
  std::vector<const Binding*> bindings;
  for (Binding* b = row.bindings; b != nullptr; b = b->next)
    if (!b->check) bindings.push_back(b);
  for (; count < bindings.size(); ++count) {
    const Binding* b = bindings[bindings.size() - 1 - count];
    l_.env_[static_cast<uint32_t>(b->var)] = read(b->occ);
  }
  for (Binding* b = row.has_checks ? row.bindings : nullptr; b != nullptr; b = b->next) {
    if (!b->check) continue;
    BlockId equal = l_.new_block();
    l_.test(op_eq, {l_.use(read(b->occ)), l_.variable(b->var)}, equal, otherwise);
    l_.start(equal);
  }
  if (row.guard != nullptr) emit_guard(row.guard, otherwise);
  MatchResult::Arm& arm = arms_[row.arm];
  Arena& arena = l_.context_.arena;
  if (arm.leaf_count == 0) {
    arm.vars = arena.array<VarId>(count);
    for (Binding* b = row.bindings; b != nullptr; b = b->next)
      if (!b->check) arm.vars[--count] = b->var;
  }
  std::span<Ref> values = arena.array<Ref>(arm.vars.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = l_.env_[static_cast<uint32_t>(arm.vars[i])];
  arm.leaves = arena.make<MatchLeaf>(row.arm, l_.cur_, values.data(), arm.leaves);
  ++arm.leaf_count;
  l_.cur_ = kNoBlock;
}

// The first row has no open cells. False when it matches for sure.
bool PatternCompiler::leaf(State& state) {
  Row& row = *state.rows[0];
  if (row.guard == nullptr && !row.has_checks) {
    finish_row(row, kNoBlock);
    return false;
  }
  BlockId otherwise = state.rows.size() == 1 ? state.fail : l_.new_block();
  // Parts read for this row's names are there for the following rows too: the row's tests come
  // after them.
  finish_row(row, otherwise);
  if (state.rows.size() == 1) return false;
  l_.start(otherwise);
  state.rows = state.rows.subspan(1);
  return true;
}

// The walk ----------------------------------------------------------------------------------------

void PatternCompiler::run(std::span<Row*> rows, std::span<OccId> cols, BlockId fail) {
  tasks_.push_back({rows, cols, l_.cur_, fail, 0, 0, nullptr, false});
  while (!tasks_.empty()) {
    Task task = tasks_.back();
    tasks_.pop_back();
    undo(task.trail);
    if (l_.cur_ != task.block) l_.start(task.block);
    if (task.fact != nullptr) learn(task.occ, task.fact, task.holds);
    run_state({task.rows, task.cols, task.fail});
  }
  undo(0);
}

void PatternCompiler::run_state(State state) {
  constexpr size_t kRowsLookedAt = 8;  // cost as much as making one
  while (true) {
    if (state.rows.empty()) {
      l_.jump(state.fail);
      return;
    }
    if (decided_no(*state.rows[0], state)) {
      state.rows = state.rows.subspan(1);
      continue;
    }
    size_t column = choose_column(state);
    if (column == SIZE_MAX) {
      if (!leaf(state)) return;
      continue;
    }
    // A step looks at every row once or twice, even where it decides about one of them only.
    work_ += state.rows.size() / kRowsLookedAt;
    if (over_budget() && state.rows.size() > 1) {
      BlockId rest = l_.new_block();
      tasks_.push_back({state.rows.subspan(1), state.cols, rest, state.fail,
                        static_cast<uint32_t>(trail_.size()), 0, nullptr, false});
      state.rows = state.rows.first(1);
      state.fail = rest;
    }
    if (needs_alternatives(state.rows, column)) {
      state.rows = expand_alternatives(state, column);
      continue;
    }
    if (!step(state, column)) return;
  }
}

// Where to go when a test fails: a task for the rows, which know then that `fact` does not hold.
BlockId PatternCompiler::otherwise(std::span<Row*> rows, std::span<OccId> cols, BlockId fail,
                                   OccId occ, const Pat* fact) {
  if (rows.empty()) return fail;
  BlockId block = l_.new_block();
  tasks_.push_back(
      {rows, cols, block, fail, static_cast<uint32_t>(trail_.size()), occ, fact, false});
  return block;
}

std::vector<Pat*> PatternCompiler::convert_all(std::span<const MatchArm> arms) {
  std::vector<Pat*> pats;
  for (const MatchArm& arm : arms)
    for (const Pattern* pattern : arm.patterns) pats.push_back(convert(pattern));
  return pats;
}

MatchResult PatternCompiler::compile(std::span<const Ref> subjects, std::span<const MatchArm> arms,
                                     BlockId fail) {
  // Patterns first: pins may be any expression and may hold matches of their own.
  std::vector<Pat*> pats = convert_all(arms);
  return compile(subjects, arms, pats, fail);
}

MatchResult PatternCompiler::compile(std::span<const Ref> subjects, std::span<const MatchArm> arms,
                                     std::span<Pat* const> pats, BlockId fail) {
  Arena& arena = l_.context_.arena;
  occs_.clear();
  trail_.clear();
  work_ = 0;
  budget_ = 24 * arms.size() + 20000;
  MatchResult result;
  result.arms = arena.array<MatchResult::Arm>(arms.size());
  for (MatchResult::Arm& arm : result.arms) arm = {};
  std::span<OccId> cols = arena.array<OccId>(subjects.size());
  for (size_t i = 0; i < subjects.size(); ++i) {
    const Lowerer::View* view = l_.find_view(subjects[i]);
    cols[i] =
        add_occ({.value = subjects[i], .known = view != nullptr ? Known::kBits : Known::kNothing});
  }
  arms_ = result.arms.data();
  std::vector<Row*> rows;
  for (size_t a = 0; a < arms.size(); ++a) {
    Row* row = new_row(Row{nullptr, nullptr, arms[a].guard, static_cast<uint32_t>(a), false},
                       subjects.size());
    bool open = false;
    for (size_t i = 0; i < subjects.size(); ++i) {
      row->cells[i] = pats[a * subjects.size() + i];
      strip(*row, i, cols[i]);
      open |= row->cells[i] != nullptr;
    }
    rows.push_back(row);
    if (!open && row->guard == nullptr && !row->has_checks) break;
  }
  bool is_live = l_.reachable();
  if (!is_live) l_.start(l_.new_block());
  run(arena.copy(rows), cols, fail);
  bool any_view = std::any_of(subjects.begin(), subjects.end(),
                              [&](Ref subject) { return l_.find_view(subject) != nullptr; });
  if (is_live && !any_view && l_.inlining_ == nullptr)
    warn_unreached(arms, result, rows.size() - 1);
  return result;
}

// An arm to which no way leads is one that the arms before it leave nothing to match. Workers,
// inlined bodies and others that know more of a subject than its source says are no witnesses;
// `catch_all` is the last arm that was looked at.
void PatternCompiler::warn_unreached(std::span<const MatchArm> arms, const MatchResult& result,
                                     size_t catch_all) {
  ModuleContext& context = l_.context_;
  if (!context.options.warnings) return;
  for (size_t i = 1; i < arms.size(); ++i) {
    if (result.arms[i].leaf_count != 0 || arms[i].span.size() == 0) continue;
    if (!context.unreached.insert(arms[i].span.begin).second) continue;
    std::string hint;
    if (i > catch_all)
      hint = "the one in line " + std::to_string(context.source.line(arms[catch_all].span.begin)) +
             " matches everything";
    context.sink.report(DiagCode::W0501, &context.source, arms[i].span,
                        "this is never reached: what it matches, those before it take",
                        std::move(hint));
  }
}

bool PatternCompiler::enter(const MatchResult& result, uint32_t index) {
  const MatchResult::Arm& arm = result.arms[index];
  if (arm.leaf_count == 0) {
    // Still lowered, for what it declares; into blocks that nothing reaches.
    l_.cur_ = kNoBlock;
    return false;
  }
  size_t count = arm.vars.size();
  if (arm.leaf_count == 1 && l_.f_.blocks[arm.leaves->block].handler == l_.handler_) {
    l_.cur_ = arm.leaves->block;
    for (size_t i = 0; i < count; ++i)
      l_.env_[static_cast<uint32_t>(arm.vars[i])] = arm.leaves->values[i];
    return true;
  }
  // What all ways have in common needs no parameter, and stays a view where it is one.
  std::vector<uint32_t> differ;
  for (uint32_t i = 0; i < count; ++i) {
    Ref one = arm.leaves->values[i];
    bool same = true;
    for (MatchLeaf* leaf = arm.leaves; leaf != nullptr; leaf = leaf->next)
      same &= leaf->values[i] == one;
    l_.env_[static_cast<uint32_t>(arm.vars[i])] = one;
    if (!same) differ.push_back(i);
  }
  // Parts of one binary stay views: only their positions differ.
  auto same_binary = [&](uint32_t i) {
    const Lowerer::View* first = l_.find_view(arm.leaves->values[i]);
    bool same = first != nullptr;
    for (MatchLeaf* leaf = arm.leaves; same && leaf != nullptr; leaf = leaf->next) {
      const Lowerer::View* view = l_.find_view(leaf->values[i]);
      same = view != nullptr && view->binary == first->binary;
    }
    return same ? first->binary : kNoRef;
  };
  std::vector<Ref> binaries;
  for (uint32_t i : differ) binaries.push_back(same_binary(i));
  BlockId body = l_.new_block(static_cast<uint32_t>(differ.size()));
  std::vector<Ref> args(differ.size());
  for (MatchLeaf* leaf = arm.leaves; leaf != nullptr; leaf = leaf->next) {
    l_.cur_ = leaf->block;
    for (size_t i = 0; i < differ.size(); ++i) {
      Ref value = leaf->values[differ[i]];
      args[i] = binaries[i] != kNoRef ? l_.find_view(value)->position : l_.use(value);
    }
    l_.jump(body, args);
  }
  l_.start(body);
  for (uint32_t i = 0; i < differ.size(); ++i) {
    Ref param = l_.f_.blocks[body].first_param + i;
    l_.env_[static_cast<uint32_t>(arm.vars[differ[i]])] = param;
    if (binaries[i] != kNoRef) l_.views_[param] = {binaries[i], param, true};
  }
  return true;
}

}  // namespace quelea::compiler
