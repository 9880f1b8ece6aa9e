// One step of the decision tree: the test of one column, and the halves it leads to.
#include <algorithm>

#include "compiler/core/match.h"
#include "vm/code/segments.h"

namespace quelea::compiler {

namespace {

// From so many alternatives on, a switch is better than a chain of tests.
constexpr size_t kSwitchImmediates = 4;
constexpr size_t kSwitchStrings = 4;
constexpr size_t kSwitchArities = 3;

}  // namespace

// The rows that can match once the value in `column` passed a test, without that column and with
// one for each of `added`. `choose(cell, parts, kept)` returns false for a row that cannot match,
// fills in the cells of the added columns, and sets `kept` where something about the value itself
// is still open.
template <class Select>
std::span<PatternCompiler::Row*> PatternCompiler::select(const State& state, size_t column,
                                                         bool keep, std::span<const OccId> added,
                                                         const Select& choose,
                                                         std::span<OccId>& cols) {
  size_t width = state.cols.size();
  size_t wide = width - 1 + added.size() + 1;  // the kept column is the last
  bool any_kept = keep;
  std::vector<Row*> rows;
  std::vector<Pat*> parts(added.size());
  for (Row* old : state.rows) {
    std::fill(parts.begin(), parts.end(), nullptr);
    Pat* kept = nullptr;
    if (!choose(old->cells[column], parts.data(), kept)) continue;
    Row* row = new_row(*old, wide);
    Pat** out = std::copy(old->cells, old->cells + column, row->cells);
    out = std::copy(parts.begin(), parts.end(), out);
    out = std::copy(old->cells + column + 1, old->cells + width, out);
    *out = kept;
    any_kept |= kept != nullptr;
    bool open = kept != nullptr;
    for (size_t i = 0; i < added.size(); ++i) strip(*row, column + i, added[i]);
    for (size_t i = 0; i + 1 < wide; ++i) open |= row->cells[i] != nullptr;
    rows.push_back(row);
    if (!open && row->guard == nullptr && !row->has_checks) break;  // nothing gets past it
  }
  size_t columns = any_kept ? wide : wide - 1;
  cols = l_.context_.arena.array<OccId>(columns);
  OccId* out = std::copy(state.cols.begin(), state.cols.begin() + column, cols.data());
  out = std::copy(added.begin(), added.end(), out);
  out = std::copy(state.cols.begin() + column + 1, state.cols.end(), out);
  if (any_kept) *out = state.cols[column];
  constexpr size_t kWide = 8;
  if (columns > kWide) cols = drop_closed(rows, cols);
  return l_.context_.arena.copy(rows);
}

// Takes out the columns in which no row wants anything, in place: the parts of a long pattern would
// pile up.
std::span<PatternCompiler::OccId> PatternCompiler::drop_closed(std::span<Row*> rows,
                                                               std::span<OccId> cols) {
  size_t kept = 0;
  for (size_t i = 0; i < cols.size(); ++i) {
    if (std::all_of(rows.begin(), rows.end(), [&](Row* row) { return row->cells[i] == nullptr; }))
      continue;
    for (Row* row : rows) row->cells[kept] = row->cells[i];
    cols[kept++] = cols[i];
  }
  return cols.first(kept);
}

// A string next to binary patterns, or matched with a part of a binary, is bytes and then the end.
bool PatternCompiler::spell_strings(State& state, size_t column) {
  auto is_string = [&](const Pat* cell) {
    return cell != nullptr && cell->kind == PatKind::kConst &&
           l_.consts_[cell->low].kind == ConstKind::kString;
  };
  if (occs_[state.cols[column]].position != kNoRef) return false;
  bool strings = false, binaries = l_.find_view(occs_[state.cols[column]].value) != nullptr;
  for (const Row* row : state.rows) {
    strings |= is_string(row->cells[column]);
    binaries |= row->cells[column] != nullptr && row->cells[column]->kind == PatKind::kBin;
  }
  if (!strings || !binaries) return false;
  std::vector<Row*> rows;
  for (Row* row : state.rows) {
    if (is_string(row->cells[column])) {
      Row* copy = new_row(*row, state.cols.size());
      std::copy(row->cells, row->cells + state.cols.size(), copy->cells);
      Pat* bytes = make(PatKind::kBin);
      if (!l_.consts_[row->cells[column]->low].text.empty()) {
        bytes->segments = l_.context_.arena.array<PatSegment>(1);
        bytes->segments[0] = {.op = op_bs_literal, .literal = row->cells[column]->low};
      }
      copy->cells[column] = bytes;
      row = copy;
    }
    rows.push_back(row);
  }
  state.rows = l_.context_.arena.copy(rows);
  return true;
}

const Pat* PatternCompiler::cons_to_ask_first(const State& state, size_t column) const {
  constexpr size_t kLookAt = 4;  // rows
  const Occ& occ = occs_[state.cols[column]];
  if (occ.known != Known::kNothing) return nullptr;
  for (const Negative* no = occ.negatives; no != nullptr; no = no->next)
    if (no->pat->kind == PatKind::kCons) return nullptr;
  for (size_t i = 1; i < state.rows.size() && i < kLookAt; ++i) {
    const Pat* cell = state.rows[i]->cells[column];
    if (cell != nullptr && cell->kind == PatKind::kCons) return cell;
  }
  return nullptr;
}

bool PatternCompiler::step(State& state, size_t column) {
  if (state.rows[0]->cells[column]->kind == PatKind::kConst ||
      state.rows[0]->cells[column]->kind == PatKind::kBin)
    spell_strings(state, column);
  const Pat* pat = state.rows[0]->cells[column];
  // Whether a list goes on is asked before whether it ends: that is what loops do most.
  if (pat->kind == PatKind::kConst && l_.consts_[pat->low].kind == ConstKind::kEmptyList)
    if (const Pat* cell = cons_to_ask_first(state, column))
      return step_yes_no(state, column, cell, state.rows);
  switch (pat->kind) {
    case PatKind::kConst:
      return step_const(state, column, pat);
    case PatKind::kTuple: {
      OccId occ = state.cols[column];
      if (occs_[occ].known == Known::kTuple) {
        enter_parts(state, column, pat, state.rows);
        return true;
      }
      std::vector<uint32_t> arities;
      for (const Row* row : state.rows) {
        const Pat* cell = row->cells[column];
        if (cell == nullptr || cell->kind != PatKind::kTuple) continue;
        uint32_t arity = static_cast<uint32_t>(cell->parts.size());
        if (std::find(arities.begin(), arities.end(), arity) == arities.end())
          arities.push_back(arity);
        if (arities.size() > 64) break;
      }
      if (arities.size() >= kSwitchArities && arities.size() <= 64)
        return step_switch_arity(state, column, arities);
      return step_yes_no(state, column, pat);
    }
    case PatKind::kCons:
      if (occs_[state.cols[column]].known == Known::kCons) {
        enter_parts(state, column, pat, state.rows);
        return true;
      }
      return step_yes_no(state, column, pat);
    case PatKind::kMap:
      return step_map(state, column, pat);
    case PatKind::kBin:
      if (occs_[state.cols[column]].position != kNoRef) return step_segment(state, column, pat);
      return step_bin(state, column, pat);
    default:
      return step_yes_no(state, column, pat);
  }
}

bool PatternCompiler::step_const(State& state, size_t column, const Pat* pat) {
  bool immediate = l_.consts_.is_immediate(pat->low);
  bool string = l_.consts_[pat->low].kind == ConstKind::kString;
  if (!immediate && !string) return step_yes_no(state, column, pat);
  std::vector<ConstId> values;
  uint64_t maybe_rows = 0;
  for (const Row* row : state.rows) {
    const Pat* cell = row->cells[column];
    if (cell == nullptr || cell->kind == PatKind::kEqual || cell->kind == PatKind::kBin)
      ++maybe_rows;
    if (cell == nullptr || cell->kind != PatKind::kConst) continue;
    bool fits = immediate ? l_.consts_.is_immediate(cell->low)
                          : l_.consts_[cell->low].kind == ConstKind::kString;
    if (fits) values.push_back(cell->low);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() < (immediate ? kSwitchImmediates : kSwitchStrings))
    return step_yes_no(state, column, pat);
  if (work_ + maybe_rows * values.size() > budget_) {
    // Too many rows would be in every case: only those up to the first of them get into the switch.
    size_t first = 0;
    while (state.rows[first]->cells[column] != nullptr &&
           state.rows[first]->cells[column]->kind == PatKind::kConst)
      ++first;
    if (first < state.rows.size()) {
      BlockId rest = l_.new_block();
      tasks_.push_back({state.rows.subspan(first), state.cols, rest, state.fail,
                        static_cast<uint32_t>(trail_.size()), 0, nullptr, false});
      state.rows = state.rows.first(first);
      state.fail = rest;
      return true;
    }
  }
  return step_switch(state, column, immediate ? op_switch_imm : op_switch_string, values);
}

bool PatternCompiler::step_switch(State& state, size_t column, Op op,
                                  std::span<const ConstId> values) {
  OccId occ = state.cols[column];
  Ref subject = read(occ);
  Arena& arena = l_.context_.arena;
  std::vector<std::vector<Row*>> groups(values.size());
  auto index_of = [&](ConstId id) {
    auto at = std::lower_bound(values.begin(), values.end(), id);
    return at != values.end() && *at == id ? static_cast<size_t>(at - values.begin()) : SIZE_MAX;
  };
  std::vector<Row*> others;
  std::vector<Pat*> tested(values.size());
  for (size_t i = 0; i < values.size(); ++i) tested[i] = constant(values[i]);
  for (Row* row : state.rows) {
    const Pat* cell = row->cells[column];
    if (cell != nullptr && cell->kind == PatKind::kConst) {
      size_t group = index_of(cell->low);
      if (group != SIZE_MAX) {
        groups[group].push_back(row);
        continue;
      }
      others.push_back(row);
      continue;
    }
    others.push_back(row);
    for (size_t i = 0; i < values.size(); ++i)
      if (cell == nullptr || fit(tested[i], cell) != Fit::kNo) groups[i].push_back(row);
  }
  BlockId other = otherwise(arena.copy(others), state.cols, state.fail, occ, nullptr);
  uint32_t first_case = static_cast<uint32_t>(l_.f_.cases.size());
  for (size_t i = 0; i < values.size(); ++i) {
    std::span<OccId> cols;
    State group{arena.copy(groups[i]), state.cols, state.fail};
    std::span<Row*> rows = select(
        group, column, false, {},
        [&](Pat* cell, Pat**, Pat*& kept) {
          if (cell == nullptr) return true;
          Fit how = fit(tested[i], cell);
          if (how == Fit::kMaybe) kept = cell;
          return how != Fit::kNo;
        },
        cols);
    BlockId block = l_.new_block();
    tasks_.push_back({rows, cols, block, state.fail, static_cast<uint32_t>(trail_.size()), occ,
                      tested[i], true});
    l_.f_.cases.push_back({values[i], block});
  }
  l_.emit_switch(op, subject, first_case, static_cast<uint32_t>(values.size()), other);
  return false;
}

bool PatternCompiler::step_switch_arity(State& state, size_t column,
                                        std::span<const uint32_t> arities) {
  OccId occ = state.cols[column];
  Ref subject = read(occ);
  std::vector<Row*> others;
  for (Row* row : state.rows) {
    const Pat* cell = row->cells[column];
    if (cell == nullptr || cell->kind != PatKind::kTuple) others.push_back(row);
  }
  Arena& arena = l_.context_.arena;
  BlockId other = otherwise(arena.copy(others), state.cols, state.fail, occ, nullptr);
  uint32_t first_case = static_cast<uint32_t>(l_.f_.cases.size());
  for (uint32_t arity : arities) {
    Pat* tuple = make(PatKind::kTuple);
    tuple->parts = arena.array<Pat*>(arity);
    State group = state;
    enter_parts(group, column, tuple, state.rows);
    BlockId block = l_.new_block();
    tasks_.push_back({group.rows, group.cols, block, state.fail,
                      static_cast<uint32_t>(trail_.size()), occ, tuple, true});
    l_.f_.cases.push_back({l_.consts_.integer(arity), block});
  }
  l_.emit_switch(op_switch_arity, subject, first_case, static_cast<uint32_t>(arities.size()),
                 other);
  return false;
}

// The state for a value that `pat`'s test holds for; tuples and cells get columns for their parts.
void PatternCompiler::enter_parts(State& state, size_t column, const Pat* pat,
                                  std::span<Row*> rows) {
  OccId occ = state.cols[column];
  std::vector<OccId> added;
  if (pat->kind == PatKind::kTuple) {
    for (uint32_t i = 0; i < pat->parts.size(); ++i)
      added.push_back(add_occ({.parent = occ, .projection = Projection::kElement, .index = i}));
  } else if (pat->kind == PatKind::kCons) {
    added.push_back(add_occ({.parent = occ, .projection = Projection::kHead}));
    added.push_back(add_occ({.parent = occ, .projection = Projection::kTail}));
  }
  State whole{rows, state.cols, state.fail};
  std::span<OccId> cols;
  state.rows = select(
      whole, column, false, added,
      [&](Pat* cell, Pat** parts, Pat*& kept) {
        if (cell == nullptr) return true;
        Fit how = fit(pat, cell);
        if (how == Fit::kMaybe) kept = cell;
        if (how == Fit::kYes) std::copy(cell->parts.begin(), cell->parts.end(), parts);
        return how != Fit::kNo;
      },
      cols);
  state.cols = cols;
}

// A compare of integers when the subject may be anything: integers only.
bool PatternCompiler::emit_test(OccId occ, const Pat* pat, BlockId yes, BlockId no) {
  Ref subject = read(occ);
  switch (pat->kind) {
    case PatKind::kConst:
      if (l_.consts_.is_immediate(pat->low))
        l_.test(op_eq_imm, {subject}, yes, no, pat->low);
      else
        l_.test(op_eq, {subject, const_ref(pat->low)}, yes, no);
      return true;
    case PatKind::kEqual:
      l_.test(op_eq, {l_.use(subject), pat->ref}, yes, no);
      return true;
    case PatKind::kRange: {
      if (occs_[occ].known != Known::kInt) {
        BlockId is_int = l_.new_block();
        l_.test(op_is_int, {subject}, is_int, no);
        l_.start(is_int);
      }
      BlockId above = l_.new_block();
      l_.test_compare(BinaryOp::kGreaterEqual, subject, const_ref(pat->low), above, no);
      l_.start(above);
      l_.test_compare(BinaryOp::kLessEqual, subject, const_ref(pat->high), yes, no);
      return true;
    }
    case PatKind::kTuple:
      l_.test(op_is_tuple_n, {subject}, yes, no, static_cast<uint32_t>(pat->parts.size()));
      return true;
    case PatKind::kCons:
      l_.test(op_is_cons, {subject}, yes, no);
      return true;
    case PatKind::kMap:
      l_.test(op_is_map, {subject}, yes, no);
      return true;
    default:
      l_.test(op_is_bits, {subject}, yes, no);
      return true;
  }
}

bool PatternCompiler::step_yes_no(State& state, size_t column, const Pat* pat) {
  return step_yes_no(state, column, pat, state.rows.subspan(1));
}

// `others`: the rows that may match where the test fails.
bool PatternCompiler::step_yes_no(State& state, size_t column, const Pat* pat,
                                  std::span<Row*> others) {
  OccId occ = state.cols[column];
  read(occ);
  BlockId yes = l_.new_block();
  BlockId no = otherwise(others, state.cols, state.fail, occ, pat);
  emit_test(occ, pat, yes, no);
  l_.start(yes);
  learn(occ, pat, true);
  OccId parts = static_cast<OccId>(occs_.size());
  enter_parts(state, column, pat, state.rows);
  if (pat->kind == PatKind::kCons) {
    // Together with the test they are one instruction; what nobody wants is dropped later.
    read(parts);
    read(parts + 1);
  }
  return true;
}

bool PatternCompiler::step_map(State& state, size_t column, const Pat* pat) {
  OccId occ = state.cols[column];
  if (pat->fields.empty()) {
    if (occs_[occ].known != Known::kMap) return step_yes_no(state, column, pat);
    enter_parts(state, column, pat, state.rows);
    return true;
  }
  Ref key = pat->fields[0].key;
  Ref subject = read(occ);
  OccId part = add_occ({});
  bool wanted = false;
  std::span<OccId> cols;
  std::span<Row*> rows = select(
      state, column, false, {&part, 1},
      [&](Pat* cell, Pat** parts, Pat*& kept) {
        if (cell == nullptr) return true;
        Known known = class_of(cell);
        if (known != Known::kMap && known != Known::kNothing) return false;
        kept = cell;
        if (cell->kind != PatKind::kMap) return true;
        for (size_t i = 0; i < cell->fields.size(); ++i) {
          if (cell->fields[i].key != key) continue;
          parts[0] = cell->fields[i].value;
          wanted |= parts[0] != nullptr;
          kept = nullptr;
          if (cell->fields.size() > 1) {
            kept = make(PatKind::kMap);
            kept->fields = l_.context_.arena.array<PatField>(cell->fields.size() - 1);
            auto rest =
                std::copy(cell->fields.begin(), cell->fields.begin() + i, kept->fields.begin());
            std::copy(cell->fields.begin() + i + 1, cell->fields.end(), rest);
          }
          return true;
        }
        if (cell->fields.empty()) kept = nullptr;
        return true;
      },
      cols);
  Pat* fact = make(PatKind::kMap);
  fact->fields = pat->fields.first(1);
  BlockId yes = l_.new_block();
  BlockId no = otherwise(state.rows.subspan(1), state.cols, state.fail, occ, fact);
  if (wanted)
    occs_[part].value = l_.test(op_map_get, {subject, key}, yes, no);
  else
    l_.test(op_map_has, {subject, key}, yes, no);
  l_.start(yes);
  learn(occ, fact, true);
  state.rows = rows;
  state.cols = cols;
  return true;
}

// Binaries ----------------------------------------------------------------------------------------

bool PatternCompiler::step_bin(State& state, size_t column, const Pat* pat) {
  OccId occ = state.cols[column];
  Ref binary = read(occ);
  if (occs_[occ].known != Known::kBits) {
    BlockId yes = l_.new_block();
    BlockId no = otherwise(state.rows.subspan(1), state.cols, state.fail, occ, pat);
    emit_test(occ, pat, yes, no);
    l_.start(yes);
    learn(occ, pat, true);
  }
  const Lowerer::View* view = l_.find_view(binary);
  OccId at = add_occ({.value = view != nullptr ? view->binary : binary,
                      .position = view != nullptr ? view->position : l_.integer(0),
                      .aligned = true,
                      .whole = view != nullptr});
  occs_[at].parent = at;
  std::span<OccId> cols;
  state.rows = select(
      state, column, false, {&at, 1},
      [&](Pat* cell, Pat** parts, Pat*& kept) {
        if (cell == nullptr) return true;
        if (cell->kind == PatKind::kBin) {
          parts[0] = cell;
          return true;
        }
        kept = cell;
        Known known = class_of(cell);
        return known == Known::kBits || known == Known::kNothing;
      },
      cols);
  state.cols = cols;
  return true;
}

void PatternCompiler::read_segment(const PatSegment& segment, Ref binary, Ref position,
                                   bool want_value, BlockId yes, BlockId no, Ref& result,
                                   Ref& next) {
  result = next = kNoRef;
  Ref size = segment.size_const == kNoConst ? kNoRef : const_ref(segment.size_const);
  if (segment.size != nullptr) {
    // A size that raises is a segment that is not there.
    BlockId saved = l_.handler_, begin = l_.new_block(), end = l_.new_block();
    ExceptionKind saved_kind = l_.handler_kind_;
    l_.handler_ = no;
    l_.handler_kind_ = ExceptionKind::Guard;
    l_.jump(begin);
    l_.start(begin);
    size = l_.expr(segment.size);
    l_.handler_ = saved;
    l_.handler_kind_ = saved_kind;
    l_.jump(end);
    l_.start(end);
  }
  bool one_byte = segment.op == op_bs_int && segment.flags == 0 && segment.size_const != kNoConst &&
                  segment.unit == 1 && l_.consts_.integer(8) == segment.size_const && want_value;
  if (one_byte) {
    result = l_.test(op_bs_byte, {binary, position}, yes, no);
    next = result + 1;
    return;
  }
  bool skip = !want_value && (segment.op == op_bs_int || segment.op == op_bs_bits);
  if (skip) {
    next = l_.test(op_bs_skip, {binary, position, size}, yes, no, segment.unit);
    return;
  }
  switch (segment.op) {
    case op_bs_literal:
      next = l_.test(op_bs_literal, {binary, position}, yes, no, segment.literal);
      return;
    case op_bs_int:
    case op_bs_float:
      result = l_.test(segment.op, {binary, position, size}, yes, no, segment.unit, segment.flags);
      break;
    case op_bs_bits:
      result = l_.test(op_bs_bits, {binary, position, size}, yes, no, segment.unit);
      break;
    case op_bs_utf:
      result = l_.test(op_bs_utf, {binary, position}, yes, no, segment.flags);
      break;
    default:
      if (want_value)
        result = l_.test(op_bs_rest, {binary, position}, yes, no, segment.unit);
      else if (segment.unit != 1)
        l_.test(op_bs_unit, {binary, position}, yes, no, segment.unit);
      else
        l_.jump(yes);
      return;
  }
  next = result + 1;
}

// Where an instruction would go that cannot fail.
BlockId PatternCompiler::never() {
  BlockId from = l_.cur_, block = l_.new_block();
  l_.start(block);
  l_.raise(raise_badarg, l_.nil());
  l_.cur_ = from;
  return block;
}

// True where behind the segment is at a byte when before it is.
bool PatternCompiler::keeps_alignment(const PatSegment& segment) const {
  if (segment.op == op_bs_literal || segment.op == op_bs_utf || segment.unit % 8 == 0) return true;
  if (segment.size_const == kNoConst || l_.consts_[segment.size_const].kind != ConstKind::kInt)
    return segment.op == op_bs_rest;
  return l_.consts_[segment.size_const].value % 8 == 0;
}

bool PatternCompiler::is_byte_read(const PatSegment& segment) const {
  return segment.op == op_bs_int && segment.flags == 0 && segment.unit == 1 &&
         segment.size_const == l_.consts_.integer(8);
}

// The byte that the segment wants to see, or -1.
int PatternCompiler::wanted_byte(const PatSegment& segment) const {
  if (!is_byte_read(segment) || segment.value == nullptr || segment.value->kind != PatKind::kConst)
    return -1;
  const Const& c = l_.consts_[segment.value->low];
  return c.kind == ConstKind::kInt && c.value >= 0 && c.value <= 255 ? static_cast<int>(c.value)
                                                                     : -1;
}

// Literals next to other literals or bytes are taken a byte at a time, so that one read decides
// between the rows; bytes that stand alone are one literal. Changes cells in place: null where
// nothing is to be changed.
Pat* PatternCompiler::respell(const Pat* cell, bool by_byte) {
  std::span<PatSegment> from = cell->segments;
  std::vector<PatSegment> to;
  size_t used = 0;
  if (by_byte) {
    if (from[0].op != op_bs_literal) return nullptr;
    std::string_view text = l_.consts_[from[0].literal].text;
    if (text.empty()) return nullptr;
    Pat* byte = constant(l_.consts_.integer(static_cast<unsigned char>(text[0])));
    to.push_back({.op = op_bs_int, .size_const = l_.consts_.integer(8), .value = byte});
    if (text.size() > 1)
      to.push_back({.op = op_bs_literal, .literal = l_.consts_.string(text.substr(1))});
    used = 1;
  } else {
    std::string text;
    for (; used < from.size(); ++used) {
      if (int byte = wanted_byte(from[used]); byte >= 0)
        text += static_cast<char>(byte);
      else if (from[used].op == op_bs_literal)
        text += l_.consts_[from[used].literal].text;
      else
        break;
    }
    if (used < 2) return nullptr;
    to.push_back({.op = op_bs_literal, .literal = l_.consts_.string(text)});
  }
  to.insert(to.end(), from.begin() + static_cast<ptrdiff_t>(used), from.end());
  Pat* result = make(PatKind::kBin);
  result->segments = l_.context_.arena.copy(to);
  return result;
}

// True when cells of the column were written anew.
bool PatternCompiler::respell_literals(State& state, size_t column) {
  const PatSegment& first = state.rows[0]->cells[column]->segments[0];
  bool literals = false, others = false;
  for (const Row* row : state.rows) {
    const Pat* cell = row->cells[column];
    if (cell == nullptr || cell->segments.empty()) continue;
    const PatSegment& segment = cell->segments[0];
    literals |= segment.op == op_bs_literal;
    if (row != state.rows[0] && (segment.op == op_bs_literal || is_byte_read(segment)))
      others |= &segment != &first && (segment.op != op_bs_literal || !same_read(segment, first));
  }
  if (others && !literals) return false;
  bool changed = false;
  std::vector<Row*> rows(state.rows.begin(), state.rows.end());
  for (size_t i = 0; i < rows.size() && (others || i == 0); ++i) {
    Pat* cell = rows[i]->cells[column];
    if (cell == nullptr || cell->segments.empty()) continue;
    Pat* anew = respell(cell, others);
    if (anew == nullptr) continue;
    Row* copy = new_row(*rows[i], state.cols.size());
    std::copy(rows[i]->cells, rows[i]->cells + state.cols.size(), copy->cells);
    copy->cells[column] = anew;
    rows[i] = copy;
    changed = true;
  }
  if (changed) state.rows = l_.context_.arena.copy(rows);
  return changed;
}

bool PatternCompiler::step_segment(State& state, size_t column, const Pat* pat) {
  if (!pat->segments.empty() && respell_literals(state, column)) pat = state.rows[0]->cells[column];
  OccId occ = state.cols[column];
  Ref binary = occs_[occ].value, position = occs_[occ].position;
  BlockId yes = l_.new_block();
  std::span<OccId> cols;
  if (pat->segments.empty()) {
    std::span<Row*> rows = select(
        state, column, false, {},
        [&](Pat* cell, Pat**, Pat*& kept) {
          if (cell != nullptr && !cell->segments.empty()) kept = cell;
          return true;
        },
        cols);
    BlockId no = otherwise(state.rows.subspan(1), state.cols, state.fail, occ, pat);
    l_.test(op_bs_end, {binary, position}, yes, no);
    l_.start(yes);
    state.rows = rows;
    state.cols = cols;
    return true;
  }
  const PatSegment& segment = pat->segments[0];
  if (segment.size != nullptr)
    for (Binding* b = state.rows[0]->bindings; b != nullptr; b = b->next)
      if (!b->check) l_.env_[static_cast<uint32_t>(b->var)] = read(b->occ);
  Known known = segment.op == op_bs_float                              ? Known::kFloat
                : segment.op == op_bs_bits || segment.op == op_bs_rest ? Known::kBits
                                                                       : Known::kInt;
  bool aligned = occs_[occ].aligned && keeps_alignment(segment);
  bool whole = occs_[occ].whole;
  OccId parts[2] = {add_occ({.known = known}), add_occ({.value = binary,
                                                        .parent = occ,
                                                        .position = position,
                                                        .aligned = aligned,
                                                        .whole = whole})};
  bool wanted = false;
  std::span<Row*> rows = select(
      state, column, false, parts,
      [&](Pat* cell, Pat** out, Pat*& kept) {
        if (cell == nullptr) return true;
        if (cell->segments.empty() || !same_read(segment, cell->segments[0])) {
          kept = cell;
          return true;
        }
        out[0] = cell->segments[0].value;
        wanted |= out[0] != nullptr;
        if (segment.op == op_bs_rest) return true;
        out[1] = make(PatKind::kBin);
        out[1]->segments = cell->segments.subspan(1);
        return true;
      },
      cols);
  // The fact for the rows to come; a size that depends on names is nobody else's.
  bool is_rest = segment.op == op_bs_rest && segment.unit == 8 && aligned;
  const bool is_all = segment.op == op_bs_rest && segment.unit == 1;
  BlockId no = is_all || (is_rest && whole)
                   ? never()
                   : otherwise(state.rows.subspan(1), state.cols, state.fail, occ, pat);
  if (segment.size != nullptr && no == state.fail) {
    // A guard's way out must not be shared with blocks that have parameters of their own.
    no = l_.new_block();
    tasks_.push_back(
        {{}, state.cols, no, state.fail, static_cast<uint32_t>(trail_.size()), 0, nullptr, false});
  }
  Ref result = kNoRef, next = kNoRef;
  if (is_rest && whole && !wanted)
    l_.jump(yes);
  else
    read_segment(segment, binary, position, wanted, yes, no, result, next);
  l_.start(yes);
  occs_[parts[0]].value = result;
  if (is_rest && whole && wanted) l_.f_.insts.back().imm[1] = kRestSurely;
  // From here on the binary is known to be one of whole bytes.
  if (is_rest && wanted) l_.views_[result] = {binary, position, false};
  if (next != kNoRef) occs_[parts[1]].position = next;
  state.rows = rows;
  state.cols = cols;
  return true;
}

}  // namespace quelea::compiler
