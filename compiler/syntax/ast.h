// The syntax tree: what the parser makes, and what the resolver then knows about it.
//
// Nodes live in an Arena, have no virtual functions and are never freed one by one. Expressions and
// patterns are two families, each a header (kind, flags, height, span) followed by the struct of
// its kind; `as<CallExpr>(e)` is the checked downcast. The parser has taken the sugar out that
// needs no scopes: `x |> f(a)` is a call, `key: value` arguments are one map argument, `p = e`
// holds a pattern, `(e)` is e with kParenthesised. The resolver (resolve.h) fills in the fields
// marked "resolved:"; after it has succeeded
//
//   - every variable is a VarId, unique within its FunctionDef, so shadowing is gone;
//   - every call and function reference says what it reaches (TargetKind);
//   - aliases are expanded: a module symbol is always the full dotted name;
//   - default parameters are gone: each lower arity is a FunctionDef (or local function) of its
//   own;
//   - local functions are LocalFnExpr statements that hold a LambdaExpr.
//
// Heights are capped (kMaxHeight), so walking the tree by recursion is safe.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <string_view>

#include "compiler/syntax/interner.h"
#include "compiler/syntax/source.h"

namespace quelea::compiler {

// Expressions, patterns and types nested deeper than this are refused with an error.
inline constexpr uint16_t kMaxHeight = 1000;

// Dense from 0 within one FunctionDef, nested lambdas included.
enum class VarId : uint32_t { kNone = 0xffffffffu };

enum class ExprKind : uint8_t {
#define EXPR(name) k##name,
#include "compiler/syntax/nodes.def"
};

enum class PatternKind : uint8_t {
#define PATTERN(name) k##name,
#include "compiler/syntax/nodes.def"
};

enum ExprFlag : uint8_t {
  kParenthesised = 1,  // stood in parentheses of its own
  kMultiline = 2,      // string: a heredoc; list, map, call: closing bracket on a later line
  kRaw = 4,            // string: written raw
  kSynthetic = 8,      // made by the parser or the resolver; the span is that of its cause
};

struct Expr {
  ExprKind kind;
  uint8_t flags = 0;
  uint16_t height = 1;  // 1 + the largest height below
  Span span;
};

struct Pattern {
  PatternKind kind;
  uint8_t flags = 0;
  uint16_t height = 1;
  Span span;
};

template <class T, class Base>
T* as(Base* node) {
  assert(node->kind == T::kKind);
  return static_cast<T*>(node);
}
template <class T, class Base>
const T* as(const Base* node) {
  assert(node->kind == T::kKind);
  return static_cast<const T*>(node);
}
// Null when the node is of another kind.
template <class T, class Base>
T* dyn_as(Base* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<T*>(node) : nullptr;
}

struct FunctionDef;
struct ConstDef;
struct StructDef;
struct Module;
struct TypeExpr;
struct BlockExpr;

// ---------------------------------------------------------------------------------------------
// Literals and names

// An integer of any size. `small`: it is in `value`. Otherwise `digits` (without underscores and
// radix prefix) in base `radix`. `negative` is set in patterns only (`-1`), and already applied to
// `value`; expressions use UnaryExpr. Character literals are integers too.
struct IntExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kInt;
  int64_t value;
  std::string_view digits;
  uint8_t radix;
  bool small;
  bool negative;
  bool is_char;  // written 'a'
};

// Finite always. A pattern's minus sign is applied (`-0.0` is kept).
struct FloatExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kFloat;
  double value;
};

// `:name`, `true`, `false`, `nil`.
struct AtomExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kAtom;
  Symbol name;
};

// A module name used as a value. resolved: `name` is the full name, aliases expanded.
struct ModuleExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kModule;
  Symbol name;
};

// A string without interpolation: escapes decoded, valid UTF-8.
struct StringExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kString;
  std::string_view text;
};

// An interpolated string: StringExpr and other expressions, in order; each of the others stands for
// `to_string(e)`. At least one part is not a StringExpr made by the parser (kSynthetic).
struct InterpExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kInterp;
  std::span<Expr*> parts;
};

// A name in value position. resolved: a local variable (`var`) or a constant (`constant`). The
// callee of a CallExpr is never resolved by this: see CallExpr.
struct NameExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kName;
  Symbol name;
  VarId var = VarId::kNone;      // resolved: the variable, or kNone
  ConstDef* constant = nullptr;  // resolved: the constant, or null
};

// ---------------------------------------------------------------------------------------------
// Calls and functions

enum class TargetKind : uint8_t {
  kUnresolved,  // before resolution, or after an error in it
  kLocal,       // the fun in variable `var` (a local function's arity has been checked)
  kFunction,    // `function`, of this module
  kPrelude,     // `name`/arity of the prelude (also for `Prelude.f`)
  kRemote,      // `module`.`name`: static names, newest loaded version; imports become this
  kDynamic,     // `object`.name where object is an expression: module name or map with a field
  kValue,       // any other expression (`object`) that yields a fun
};

struct Target {
  TargetKind kind = TargetKind::kUnresolved;
  VarId var = VarId::kNone;         // kLocal
  Symbol module = Symbol::kNone;    // kRemote
  Symbol name = Symbol::kNone;      // kFunction, kPrelude, kRemote, kDynamic
  FunctionDef* function = nullptr;  // kFunction: the definition of the right arity
  Expr* object = nullptr;           // kDynamic, kValue: evaluated before the arguments
};

// `callee(args)`. parsed: callee is NameExpr (`f(x)`), FieldExpr (`M.f(x)`, `m.f(x)`) or any other
// expression. Label arguments have become a MapExpr (kSynthetic), the last argument. A pipe's left
// side has become args[0] (`piped`), and is evaluated first.
// resolved: use `target`, not `callee`.
struct CallExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kCall;
  Expr* callee;
  std::span<Expr*> args;
  bool piped;
  Target target;
};

// `&name/2`, `&Mod.name/2`, `&m.name/2`. resolved: target; kDynamic keeps `object` (a NameExpr).
struct FunRefExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kFunRef;
  Expr* object;  // ModuleExpr, NameExpr, or null
  Symbol name;
  uint32_t arity;
  Target target;
};

// One clause of a function or lambda. The parameters are one pattern (a name may recur).
struct Clause {
  Span span;                         // of the whole clause, body included
  Span head;                         // of `fn name(params)`
  std::span<Pattern*> params;        // resolved: kDefault patterns are gone
  std::span<TypeExpr*> param_types;  // empty, or one (or null) a parameter
  TypeExpr* result_type;             // null: none
  Expr* guard;                       // null: none
  Expr* body;                        // BlockExpr or any expression
};

// `fn(x) = e`, `fn { … }`, and the function of a LocalFnExpr. All clauses have the same arity.
struct LambdaExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kLambda;
  Symbol name;  // kNone: anonymous
  std::span<Clause*> clauses;
  uint32_t arity;
  VarId self = VarId::kNone;  // resolved: the variable that is this fun within itself
  // resolved: variables of enclosing functions that it or a lambda inside it reads, each once;
  // never includes `self`.
  std::span<VarId> captures;
};

// Statement `fn name(…) …` in a block: adjacent clauses of one name and arity are one statement.
// resolved: binds `var` for the statements below; the body refers to itself by lambda->self.
struct LocalFnExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kLocalFn;
  LambdaExpr* lambda;
  VarId var = VarId::kNone;
};

// ---------------------------------------------------------------------------------------------
// Operators

enum class BinaryOp : uint8_t {
#define BINARY_OP(name, text) k##name,
#include "compiler/syntax/nodes.def"
};
std::string_view binary_op_text(BinaryOp op);

// Strict operators: both sides are evaluated, left first. `..` is kRange.
struct BinaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  BinaryOp op;
  Span op_span;
  Expr* lhs;
  Expr* rhs;
};

// `and`, `or`: rhs is in tail position where the whole is; names that `is` binds in lhs are bound
// in the rhs of `and`.
struct LogicalExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kLogical;
  bool is_and;
  Expr* lhs;
  Expr* rhs;
};

enum class UnaryOp : uint8_t { kNegate, kBitNot, kNot };

struct UnaryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  UnaryOp op;
  Expr* operand;
};

// `pattern = value`; its value is that of `value`. Names stay bound for the rest of the block.
struct MatchExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatch;
  Pattern* pattern;
  Expr* value;
};

// `value is pattern`: a boolean.
struct IsExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kIs;
  Expr* value;
  Pattern* pattern;
};

// `e?`
struct TryOpExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kTryOp;
  Expr* value;
};

// ---------------------------------------------------------------------------------------------
// Data

struct TupleExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kTuple;
  std::span<Expr*> elements;
};

// `[a, b | tail]`
struct ListExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kList;
  std::span<Expr*> elements;
  Expr* tail;  // null: a proper list
};

struct MapField {
  Expr* key;  // AtomExpr for `k: v`
  Expr* value;
};

// `%{…}`: the last of equal keys wins.
struct MapExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kMap;
  std::span<MapField> fields;
};

// `%Name{…}`: keys are atoms. resolved: `name` is the full name; `def` when the struct is of this
// file. Otherwise its fields were checked against the ModuleInfoProvider, if that knew the module.
// In the general case it means `%{Name.__struct__() | fields}`.
struct StructExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kStruct;
  Symbol name;
  Span name_span;
  std::span<MapField> fields;
  StructDef* def = nullptr;
};

struct MapUpdate {
  std::span<Symbol> path;  // `player.pos.x: v` has three; empty: a `key => v` update
  Expr* key;               // for `key => v`, else null
  Expr* value;
};

// `%{base | …}`
struct MapUpdateExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kMapUpdate;
  Expr* base;
  std::span<MapUpdate> updates;
};

// `object.name` without a call
struct FieldExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kField;
  Expr* object;
  Symbol name;
  Span name_span;
};

// `object.0`
struct ElementExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kElement;
  Expr* object;
  uint32_t index;  // from 0
};

// `object[key]`
struct IndexExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kIndex;
  Expr* object;
  Expr* key;
};

enum class SegmentType : uint8_t { kInt, kFloat, kBytes, kBits, kUtf8, kUtf16, kUtf32 };
enum class Endian : uint8_t { kBig, kLittle, kNative };

// `value:size/type-sign-endian-unit(n)`. In an expression `value` is set, in a pattern `pattern`.
// Defaults are filled in by the parser: a string literal without type is kBytes (its own bytes),
// unit is 1 for int, float and bits, 8 for bytes. A null size means the type's default: 8 for int,
// 64 for float, the rest (pattern) or everything (expression) for bytes and bits.
struct Segment {
  Span span;
  Expr* value;
  Pattern* pattern;
  Expr* size;
  SegmentType type;
  Endian endian;
  bool is_signed;
  bool type_given;
  bool string_literal;  // value or pattern is a string literal "as it stands"; type not written
  uint16_t unit;
};

// `<<…>>`
struct BinExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBin;
  std::span<Segment> segments;
};

// ---------------------------------------------------------------------------------------------
// Control

// Statements in order; the value is the last one's, nil when empty.
struct BlockExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBlock;
  std::span<Expr*> statements;
};

struct IfExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kIf;
  Expr* condition;
  Expr* then_branch;
  Expr* else_branch;  // null: nil
};

struct Arm {
  Span span;
  Pattern* pattern;
  Expr* guard;  // null: none
  Expr* body;
};

struct CaseExpr : Expr {  // `match subject { … }`
  static constexpr ExprKind kKind = ExprKind::kCase;
  Expr* subject;
  std::span<Arm> arms;
};

struct ReceiveExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kReceive;
  std::span<Arm> arms;  // may be empty with a timeout
  Expr* timeout;        // null: none
  Expr* timeout_body;   // null exactly when timeout is
};

struct CatchArm {
  Span span;
  Pattern* klass;  // an atom literal (error, exit, throw), a wildcard or a variable
  Pattern* reason;
  Pattern* trace;  // null: not wanted
  Expr* guard;
  Expr* body;
};

struct TryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kTry;
  Expr* body;
  std::span<CatchArm> arms;  // may be empty when there is an after block
  Expr* after;               // null: none
};

// `pattern in source if filter`. A BinPattern over a binary walks segments.
struct Generator {
  Span span;
  Pattern* pattern;
  Expr* source;
  Expr* filter;  // null: none
};

// `for gens { … }` (value :ok) and `for gens with acc = initial { … }`.
struct ForExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kFor;
  std::span<Generator> generators;
  Pattern* acc;   // null: no fold
  Expr* initial;  // null exactly when acc is
  Expr* body;
};

struct ListCompExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kListComp;
  Expr* element;
  std::span<Generator> generators;
};

struct MapCompExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kMapComp;
  MapField field;
  std::span<Generator> generators;
};

struct BinCompExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinComp;
  std::span<Segment> segments;
  std::span<Generator> generators;
};

enum class AssertKind : uint8_t { kValue, kMatch, kReceive, kNotReceive };

// `assert e`, `assert p = e`, `assert receive p …`, `assert not receive p …`. `value` for kValue
// and kMatch; names in the pattern of kMatch and kReceive stay bound. `value` of kValue may be a
// BinaryExpr whose sides the failure shows.
struct AssertExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kAssert;
  AssertKind assert_kind;
  Expr* value;
  Pattern* pattern;
  Expr* guard;
  Expr* timeout;  // null: 100 ms
};

// ---------------------------------------------------------------------------------------------
// Only on the left of `=` while parsing; the resolver refuses them anywhere else, so that a
// resolved tree holds none.

struct WildcardExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kWildcard;
};
struct PinExpr : Expr {  // `^value`
  static constexpr ExprKind kKind = ExprKind::kPin;
  Expr* value;
};
struct AltExpr : Expr {  // `(a | b)`
  static constexpr ExprKind kKind = ExprKind::kAlt;
  std::span<Expr*> alternatives;
};
struct AsExpr : Expr {  // `e as name`
  static constexpr ExprKind kKind = ExprKind::kAs;
  Expr* value;
  Symbol name;
  Span name_span;
};
// Stands where a syntax error was; only in trees of files with errors.
struct ErrorExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kError;
};

// ---------------------------------------------------------------------------------------------
// Patterns

struct WildcardPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kWildcard;
};

// A name. resolved: `repeat` false binds `var`; true: `var` was bound earlier in the same pattern
// (or parameter list) and the value must be exactly equal. In alternatives, equal names have equal
// VarIds and each side binds them.
struct VarPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kVar;
  Symbol name;
  VarId var = VarId::kNone;
  bool repeat = false;
};

// IntExpr, FloatExpr, AtomExpr, ModuleExpr or StringExpr; compared exactly.
struct LiteralPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kLiteral;
  Expr* literal;
};

// `^name`, `^name.field`, `^(expr)`: the value is evaluated before the match and compared exactly.
// It reads names bound outside the pattern. In a receive it is evaluated once, at entry.
struct PinPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kPin;
  Expr* value;
};

struct TuplePattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kTuple;
  std::span<Pattern*> elements;
};

struct ListPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kList;
  std::span<Pattern*> elements;
  Pattern* tail;  // null: exactly these elements
};

struct PatternField {
  Pattern* key;  // LiteralPattern or PinPattern, or a tuple, list, ... of those (a constant)
  Pattern* value;
};

// Matches any map that has the keys.
struct MapPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kMap;
  std::span<PatternField> fields;
};

// As MapPattern with `:__struct__ => name` besides. resolved: full name, field names checked.
struct StructPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kStruct;
  Symbol name;
  Span name_span;
  std::span<PatternField> fields;
  StructDef* def = nullptr;
};

// Segment sizes may read names bound earlier in the pattern.
struct BinPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kBin;
  std::span<Segment> segments;
};

// `"text" <> rest`; the rest is a binary.
struct PrefixPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kPrefix;
  std::string_view prefix;
  Pattern* rest;
};

// `low..high`, inclusive: matches integers only. Both are IntExpr.
struct RangePattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kRange;
  IntExpr* low;
  IntExpr* high;
};

// `p as name`
struct AsPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kAs;
  Pattern* pattern;
  VarPattern* name;
};

struct AltPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kAlt;
  std::span<Pattern*> alternatives;
};

// `name = default` in a parameter list. Gone after resolution.
struct DefaultPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kDefault;
  Pattern* pattern;
  Expr* value;
};

struct ErrorPattern : Pattern {
  static constexpr PatternKind kKind = PatternKind::kError;
};

// ---------------------------------------------------------------------------------------------
// Types: kept for documentation and `quelea check`

enum class TypeKind : uint8_t {
  kUnion,    // items
  kTuple,    // items
  kList,     // items[0]
  kMap,      // fields
  kFn,       // items, result
  kNamed,    // name (`Mod.T` or a built-in), items are its arguments
  kVar,      // name
  kLiteral,  // literal
  kRange,    // low, high
};

struct TypeField {
  Expr* label;    // AtomExpr, or null for `type => type`
  TypeExpr* key;  // null for a label
  TypeExpr* value;
  bool optional;  // `name?: T`
};

struct TypeExpr {
  TypeKind kind;
  uint16_t height = 1;
  Span span;
  Symbol name = Symbol::kNone;
  std::span<TypeExpr*> items;
  std::span<TypeField> fields;
  TypeExpr* result = nullptr;
  Expr* literal = nullptr;
  IntExpr* low = nullptr;
  IntExpr* high = nullptr;
};

// ---------------------------------------------------------------------------------------------
// Declarations

// `## > expr` lines followed by a `## value` line.
struct DocExample {
  Span expr;   // bytes of the first expression line to the end of the last
  Span value;  // empty when no value line follows
  uint32_t line;
};

struct Doc {
  Span span;
  std::string_view text;  // without `##` and one space, lines joined by newlines
  std::span<DocExample> examples;
};

enum class FunctionKind : uint8_t {
  kFunction,
  kScript,    // a script's expressions; name `__script__`, arity 0
  kTest,      // the block of a test; arity 0
  kStruct,    // `__struct__/0`: the defaults of the module's struct as a map
  kDefaults,  // a lower arity made from default parameters
};

struct VarInfo {
  Symbol name;
  Span span;  // of the binding
};

// All clauses of one name and arity.
struct FunctionDef {
  FunctionKind kind;
  bool is_pub;
  Symbol name;
  uint32_t arity;
  Span span;  // of the first clause's head
  std::span<Clause*> clauses;
  Doc* doc = nullptr;
  Module* module = nullptr;
  uint32_t index = 0;       // resolved: position in Module::functions
  std::span<VarInfo> vars;  // resolved: indexed by VarId
};

struct ConstDef {
  Symbol name;
  Span span;    // of the name
  Expr* value;  // literals, operators, data, other constants; no variables, no cycles
  Doc* doc = nullptr;
  Module* module = nullptr;
  uint32_t index = 0;  // resolved: position in Module::constants; constants it uses come earlier
};

struct StructField {
  Symbol name;
  Span span;
  TypeExpr* type;
  Expr* default_value;  // null: nil
};

struct StructDef {
  Span span;
  std::span<StructField> fields;
  Module* module = nullptr;
  Doc* doc = nullptr;
};

struct TypeDef {
  Symbol name;
  Span span;
  std::span<Symbol> params;
  TypeExpr* type;
  Doc* doc = nullptr;
};

struct CallbackDef {
  Symbol name;
  uint32_t arity;
  Span span;
  bool optional;
  std::span<Pattern*> params;
  std::span<TypeExpr*> param_types;
  TypeExpr* result_type;
  Doc* doc = nullptr;
};

struct BehaviourRef {
  Symbol module;  // resolved: the full name
  Span span;
};

struct TestDef {
  std::string_view name;
  Span span;
  FunctionDef* function;  // kTest, no parameters; not in Module::functions
};

struct AliasDef {
  Symbol module;
  Symbol name;  // what it is called here
  Span span;
};

struct ImportDef {
  struct Entry {
    Symbol name;
    uint32_t arity;
    Span span;
  };
  Symbol module;
  Span span;
  std::span<Entry> entries;
};

// One module of a file: its header's, a `module M { … }` block's, or the script itself.
// parsed: everything but `functions`, which are single clauses in source order (each FunctionDef
// has one clause) until the resolver groups them.
struct Module {
  Symbol name;  // full dotted name; a script's is `Script.<FileName>`
  Span name_span;
  Span span;
  bool is_script = false;
  Doc* doc = nullptr;
  std::span<FunctionDef*> functions;  // resolved: groups, defaults' arities and __struct__ included
  std::span<ConstDef*> constants;     // resolved: ordered so that uses follow definitions
  StructDef* structure = nullptr;
  std::span<BehaviourRef> behaviours;
  std::span<CallbackDef*> callbacks;
  std::span<TypeDef*> types;
  std::span<TestDef*> tests;  // doc examples included, as tests of their own
  std::span<AliasDef> aliases;
  std::span<ImportDef> imports;
  std::span<Expr*> body;          // parsed: a script's expressions in order
  FunctionDef* script = nullptr;  // resolved: those as a function (kScript); null: none
};

// What parse() makes. Modules in load order: nested blocks in source order, then the file's own
// (header or script) as the last, which is always there.
struct File {
  const SourceFile* source = nullptr;
  std::span<Module*> modules;
  Module* main() const { return modules.back(); }
};

}  // namespace quelea::compiler
