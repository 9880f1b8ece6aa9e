// Patterns to decision trees.
//
// A match is a matrix: a row for each clause (alternatives become rows of their own), a column for
// each value that is looked at. Step by step one column is chosen, the value of that column is
// tested once for what the first row wants there, and the matrix splits: rows that can still match
// when the test holds, with columns for the parts of the value, and rows that can still match when
// it does not. So no path tests twice what it knows. Rows that say nothing about the tested value
// are in both halves; their bodies are compiled once all the same, because a finished row is only a
// leaf that jumps to its arm.
//
// Copying rows could blow up on hostile input. A budget bounds it: past the budget the first row is
// tried alone and the others follow in one shared block, which repeats tests but never code.
//
// Parts of values are read late (`Occ` knows how), where a test or a leaf needs them first. What is
// known on the current path (parts read, shapes tested) is undone from a trail when another path is
// taken up. Nothing recurses on the shape of patterns: open halves are tasks on a stack, and the
// half where the test holds comes first.
//
// Binaries: a column that holds a position in a binary; its test is the read of the first row's
// next segment, which all rows with the same read share.
#pragma once

#include <span>
#include <vector>

#include "compiler/core/ir.h"
#include "compiler/core/lower.h"
#include "compiler/syntax/ast.h"

namespace quelea::compiler {

enum class PatKind : uint8_t { kVar, kAs, kAlt, kConst, kEqual, kRange, kTuple, kCons, kMap, kBin };

struct Pat;

struct PatField {
  Ref key;
  Pat* value;  // null: anything
};

// One segment of a binary pattern, ready to be read.
struct PatSegment {
  Op op;  // op_bs_literal, bs_int, bs_float, bs_bits, bs_rest, bs_utf
  uint32_t flags = 0;
  uint32_t unit = 1;
  const Expr* size = nullptr;  // not a constant
  ConstId size_const = kNoConst;
  ConstId literal = kNoConst;  // bs_literal: the bytes
  Pat* value = nullptr;        // null: anything
};

// A pattern without sugar; null stands for one that matches anything and binds nothing.
struct Pat {
  PatKind kind;
  bool repeat = false;                      // kVar: compare with what `var` holds
  VarId var = VarId::kNone;                 // kVar, kAs
  ConstId low = kNoConst, high = kNoConst;  // kConst: low; kRange
  Ref ref = kNoRef;                         // kEqual
  std::span<Pat*> parts;                    // kTuple; kCons: head, tail; kAs: 1; kAlt
  std::span<PatField> fields;               // kMap
  std::span<PatSegment> segments;           // kBin
};

struct MatchArm {
  std::span<Pattern* const> patterns;
  const Expr* guard = nullptr;
  Span span = {};  // the arm's or the clause's head
};

// A way to get to an arm: the block that ends there, and the values of the arm's variables.
struct MatchLeaf {
  uint32_t arm;
  BlockId block;
  Ref* values;
  MatchLeaf* next;  // of the same arm
};

struct MatchResult {
  struct Arm {
    MatchLeaf* leaves = nullptr;
    uint32_t leaf_count = 0;
    std::span<VarId> vars;
  };
  std::span<Arm> arms;
};

class PatternCompiler {
 public:
  explicit PatternCompiler(Lowerer& lowerer) : l_(lowerer) {}

  // Emits the tests; ends the current block. Goes to `fail` (a block without parameters) when no
  // arm matches. Pins are evaluated first, here.
  MatchResult compile(std::span<const Ref> subjects, std::span<const MatchArm> arms, BlockId fail);
  // The same in two steps: a receive evaluates its pins before it looks at messages.
  std::vector<Pat*> convert_all(std::span<const MatchArm> arms);
  MatchResult compile(std::span<const Ref> subjects, std::span<const MatchArm> arms,
                      std::span<Pat* const> pats, BlockId fail);
  // Begins the body of an arm, its variables bound. False: the arm is never reached.
  bool enter(const MatchResult& result, uint32_t arm);
  // Converts a pattern on its own, for the segments of generators.
  Pat* convert(const Pattern* pattern);
  std::span<PatSegment> convert_segments(std::span<const Segment> segments);
  // Emits the read of one segment: the value (kNoRef for what has none) in `result`, the position
  // behind it in `next`. Control goes on in the `yes` block.
  void read_segment(const PatSegment& segment, Ref binary, Ref position, bool want_value,
                    BlockId yes, BlockId no, Ref& result, Ref& next);

 private:
  using OccId = uint32_t;
  enum class Known : uint8_t {
    kNothing,
    kInt,
    kTuple,
    kCons,
    kEmptyList,
    kMap,
    kBits,
    kAtom,
    kFloat,
    kOther
  };
  enum class Projection : uint8_t { kNone, kElement, kHead, kTail };
  struct Negative;

  // A value that patterns look at, or a position in a binary.
  struct Occ {
    Ref value = kNoRef;  // kNoRef: not read yet on this path
    OccId parent = 0;    // the value that this is a part of; the position before this one
    Projection projection = Projection::kNone;
    Known known = Known::kNothing;
    uint32_t index = 0;     // kElement; with Known::kTuple: see arity
    uint32_t arity = 0;     // of a known tuple
    Ref position = kNoRef;  // set: `value` is a binary and this the position in it
    bool aligned = false;   // the position is at a byte, counted from a start that was
    bool whole = false;     // the binary is one of whole bytes
    Negative* negatives = nullptr;
  };
  static constexpr int kMaxNegatives = 8;  // looking at all would be quadratic
  struct Negative {
    const Pat* pat;
    Negative* next;
  };
  struct Binding {
    VarId var;
    OccId occ;
    bool check;  // must equal what var is bound to
    Binding* next;
  };
  struct Row {
    Pat** cells;
    Binding* bindings;  // the newest first
    const Expr* guard;
    uint32_t arm;
    bool has_checks;
  };
  struct Task {
    std::span<Row*> rows;
    std::span<OccId> cols;
    BlockId block;
    BlockId fail;
    uint32_t trail;
    OccId occ;        // what the branch knows about this one
    const Pat* fact;  // null: nothing
    bool holds;
  };
  enum class Fit : uint8_t { kYes, kNo, kMaybe };
  struct State {
    std::span<Row*> rows;
    std::span<OccId> cols;
    BlockId fail;
  };

  Pat* convert_list(const ListPattern* pattern);
  Pat* convert_map(std::span<const PatternField> fields, Pat* first_key_value, Symbol struct_name);
  Pat* convert_pin(const Expr* value);
  Ref key_value(const Pat* key);
  PatField convert_field(const PatternField& field);
  Pat* convert_prefix(const PrefixPattern* pattern);
  Pat* constant(ConstId id);
  Pat* make(PatKind kind);

  void warn_unreached(std::span<const MatchArm> arms, const MatchResult& result, size_t catch_all);
  OccId add_occ(const Occ& occ);
  void change(OccId occ);  // saves it on the trail
  void undo(uint32_t mark);
  Ref read(OccId occ);
  void learn(OccId occ, const Pat* pat, bool holds);
  void learn_before(OccId id, const Pat* failed);

  Row* new_row(const Row& from, size_t columns);
  void strip(Row& row, size_t column, OccId occ);
  void run(std::span<Row*> rows, std::span<OccId> cols, BlockId fail);
  void run_state(State state);
  bool leaf(State& state);
  void finish_row(Row& row, BlockId otherwise);
  void emit_guard(const Expr* guard, BlockId otherwise);
  size_t choose_column(const State& state) const;
  bool decided_no(const Row& row, const State& state) const;
  bool is_exhausted(const Pat* cell, const Negative* failed) const;
  std::span<Row*> expand_alternatives(const State& state, size_t column);
  static bool needs_alternatives(std::span<Row*> rows, size_t column);

  // Each returns false when the state ended (all halves are tasks).
  bool step(State& state, size_t column);
  bool spell_strings(State& state, size_t column);
  const Pat* cons_to_ask_first(const State& state, size_t column) const;
  bool step_const(State& state, size_t column, const Pat* pat);
  bool step_switch(State& state, size_t column, Op op, std::span<const ConstId> values);
  bool step_switch_arity(State& state, size_t column, std::span<const uint32_t> arities);
  bool step_yes_no(State& state, size_t column, const Pat* pat);
  bool step_yes_no(State& state, size_t column, const Pat* pat, std::span<Row*> others);
  bool step_map(State& state, size_t column, const Pat* pat);
  bool step_bin(State& state, size_t column, const Pat* pat);
  BlockId never();
  bool is_byte_read(const PatSegment& segment) const;
  int wanted_byte(const PatSegment& segment) const;
  Pat* respell(const Pat* cell, bool by_byte);
  bool respell_literals(State& state, size_t column);
  bool keeps_alignment(const PatSegment& segment) const;
  bool step_segment(State& state, size_t column, const Pat* pat);
  bool emit_test(OccId occ, const Pat* pat, BlockId yes, BlockId no);
  void enter_parts(State& state, size_t column, const Pat* pat, std::span<Row*> rows);
  std::span<Row*> without(std::span<Row*> rows, size_t column, const Pat* pat, OccId occ);
  BlockId otherwise(std::span<Row*> rows, std::span<OccId> cols, BlockId fail, OccId occ,
                    const Pat* fact);

  Fit fit(const Pat* tested, const Pat* cell) const;
  Known class_of(const Pat* pat) const;
  bool same_test(const Pat* a, const Pat* b) const;
  static bool same_read(const PatSegment& a, const PatSegment& b);
  bool is_excluded(const Pat* failed, const Pat* cell) const;
  uint64_t bits_of(const PatSegment& segment) const;  // at least so many
  bool is_ascii(const PatSegment& segment) const;
  bool in_range(ConstId value, const Pat* range) const;
  bool over_budget() const { return work_ > budget_; }

  static std::span<OccId> drop_closed(std::span<Row*> rows, std::span<OccId> cols);
  template <class Select>
  std::span<Row*> select(const State& state, size_t column, bool keep, std::span<const OccId> added,
                         const Select& select, std::span<OccId>& cols);

  Lowerer& l_;
  std::vector<Occ> occs_;
  std::vector<std::pair<OccId, Occ>> trail_;
  std::vector<Task> tasks_;
  MatchResult::Arm* arms_ = nullptr;
  uint64_t work_ = 0, budget_ = 0;
};

}  // namespace quelea::compiler
