// The parser's class; its parts are in parser*.cpp by what they parse.
//
// Errors: fail() reports one and sets `panic_`. While panic_ is set nothing is consumed and nothing
// more is reported; every production returns at once, up to the nearest statement or item, which
// recovers: it goes on at the next line that is indented no deeper than where it began, or at the
// brace that closes its block. So one slip makes one message.
//
// Depth: productions that recurse hold a Nesting, and nodes count their height (a chain of `+` is
// parsed by a loop but is a deep tree). Past kMaxHeight either way parsing ends with one error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/arena.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/diagnostics.h"
#include "compiler/syntax/lexer.h"
#include "compiler/syntax/parser.h"

namespace quelea::compiler {

// Levels of the operator table in section 4 of the reference.
enum Level : uint8_t {
  kLevelNone = 0,
  kLevelMatch = 1,
  kLevelSend = 2,
  kLevelOr = 3,
  kLevelAnd = 4,
  kLevelNot = 5,
  kLevelCompare = 6,
  kLevelPipe = 7,
  kLevelRange = 8,
  kLevelConcat = 9,
  kLevelAdd = 10,
  kLevelMultiply = 11,
  kLevelPrefix = 12,
};

class Parser {
 public:
  Parser(const SourceFile& source, Arena& arena, Interner& interner, DiagnosticSink& sink,
         const ParseOptions& options, Span range);

  File* parse_file();
  // The statements of a piece of text, for doc examples.
  std::vector<Expr*> parse_fragment();
  Pattern* parse_pattern_fragment() { return alt_pattern(); }
  // `fn name(params)` again; null when it does not parse.
  Clause* parse_head_fragment();

 private:
  struct Nesting {
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser.depth_ > kMaxHeight) parser.too_deep();
    }
    ~Nesting() { --parser_.depth_; }
    Parser& parser_;
  };

  // Where a part of a block or an item of a file began, for recovery.
  static constexpr uint32_t kNoOpen = UINT32_MAX;
  struct Anchor {
    uint32_t depth;  // brackets open there
    uint32_t begin;
    uint32_t open;  // the brace of the block, or kNoOpen at file level
  };

  // --- tokens (parser.cpp)
  void advance();
  const Token& peek();
  bool at(TokenKind kind) const { return cur_.kind == kind; }
  bool at_word(Symbol symbol) const {
    return cur_.kind == TokenKind::kName && cur_.symbol == symbol;
  }
  bool accept(TokenKind kind);
  bool accept_word(Symbol symbol);
  bool at_separator() const { return at(TokenKind::kNewline) || at(TokenKind::kSemicolon); }
  void skip_separators();
  // Reports "expected `)` after …" unless the token is there.
  bool expect(TokenKind kind, std::string_view where);
  // The closing bracket of what began at `open`.
  bool close(TokenKind kind, Span open, std::string_view what);
  Symbol expect_word(std::string_view what);
  Symbol expect_name(std::string_view what);
  Symbol expect_module(std::string_view what);
  std::string shown(const Token& token) const;
  Span from(uint32_t begin) const { return {begin, previous_end_ > begin ? previous_end_ : begin}; }

  // --- errors (parser.cpp, habits.cpp)
  void fail(DiagCode code, Span span, std::string message, std::string hint = {});
  // An error after which parsing goes on as if all were well.
  void complain(DiagCode code, Span span, std::string message, std::string hint = {});
  void too_deep();
  void abort();
  void recover(const Anchor& anchor);
  void reread(uint32_t depth);
  bool at_item_start() const;
  uint32_t indentation_of(uint32_t offset) const;
  Expr* error_expr();
  Pattern* error_pattern();
  void unexpected_operand();
  void side_by_side(Expr* before);
  std::string neighbour_hint() const;
  bool habit_after_name(Symbol name);
  void habit_for();
  bool habit_token();
  bool is_ternary() const;
  void fail_ternary();
  std::string unclosed_hint(Span open) const;
  std::string unclosed_note(Span open, std::string_view bracket) const;

  // --- expressions (parser_expr.cpp)
  Expr* expr(int min_level = kLevelMatch);
  Expr* infix(Expr* lhs, int min_level);
  Expr* prefix();
  Expr* postfix(Expr* primary);
  Expr* primary();
  Expr* match_operator(Expr* lhs);
  Expr* logical(Expr* lhs, bool is_and);
  Expr* compare_chain(Expr* made);
  Expr* pipe(Expr* lhs);
  Expr* pipe_into(Expr* value, Expr* rhs, uint32_t begin);
  Expr* is_operator(Expr* lhs);
  Expr* assertion();
  Expr* assert_receive(uint32_t begin, bool negated);
  Expr* call(Expr* callee);
  Expr* dot(Expr* object);
  std::span<Expr*> arguments(Span open, bool* multiline);
  Expr* function_reference();
  Expr* lambda();
  Expr* paren();
  Expr* pin();
  Expr* cover_element();

  // --- literals (parser_literal.cpp)
  Expr* int_literal();
  Expr* float_literal();
  Expr* char_literal();
  Expr* string_literal();
  Expr* atom_literal();
  std::string_view decode(const Token& token, std::string_view raw, uint32_t offset);
  Expr* interpolation();
  void heredoc_parts(std::vector<Token>& tokens, std::vector<Expr*>& parts);
  Expr* string_part(const Token& token, std::string_view text);

  // --- data (parser_data.cpp)
  Expr* list();
  Expr* map();
  Expr* struct_literal();
  Expr* map_update(Expr* base, uint32_t begin, Span open);
  MapField field();
  Expr* binary();
  Segment segment(bool is_pattern);
  void segment_types(Segment& segment);
  bool segment_word(Segment& segment, Symbol word, bool& unit_given);

  // --- control (parser_control.cpp)
  Expr* block();
  template <class Part>
  bool braced(Span open, Part part);
  Expr* statement();
  void group_local_functions(std::vector<Expr*>& statements, size_t base);
  Expr* local_function();
  Expr* if_expr();
  Expr* match_expr();
  Expr* receive_expr();
  Expr* try_expr();
  Expr* for_expr();
  std::span<Arm> arms(std::string_view what);
  Arm arm();
  CatchArm catch_arm();
  std::span<CatchArm> catch_arms();
  std::span<Generator> generators();
  Expr* rhs();
  Expr* guard();
  bool clause_word(Symbol word);
  Clause* arrow_clause();
  Clause* clause(uint32_t begin);
  void clause_params(Clause* clause);
  Expr* clause_body();

  // --- patterns (parser_pattern.cpp)
  Pattern* alt_pattern();
  Pattern* pattern();
  Pattern* plain_pattern();
  Pattern* primary_pattern();
  Pattern* as_suffix(Pattern* pattern);
  Pattern* number_pattern();
  Pattern* paren_pattern();
  Pattern* list_pattern();
  Pattern* map_pattern();
  Pattern* bin_pattern();
  Pattern* literal_pattern(Expr* literal);
  Pattern* var_pattern(Symbol name, Span span);
  Pattern* range_pattern(Pattern* low, Pattern* high);
  Pattern* prefix_pattern(Pattern* text, Pattern* rest);
  Pattern* param();
  // The cover of `p = e` (cover.cpp).
  Pattern* to_pattern(Expr* expr);
  Pattern* cover_binary(Expr* expr);
  Pattern* cover_map(Expr* expr, std::span<MapField> fields);
  Pattern* not_a_pattern(Span span, std::string hint = {});
  std::span<Pattern*> to_patterns(std::span<Expr*> items);

  // --- types (parser_type.cpp)
  TypeExpr* type();
  TypeExpr* primary_type();
  TypeExpr* make_type(TypeKind kind, uint32_t begin);
  TypeExpr* map_type();
  TypeExpr* fn_type();
  TypeExpr* number_type();
  std::span<TypeExpr*> type_list(TokenKind closer, Span open);

  // --- declarations (parser_decl.cpp)
  struct ModuleParts;
  void items(ModuleParts& parts, Span open, bool in_braces);
  void item(ModuleParts& parts);
  bool word_item(ModuleParts& parts, Doc* doc);
  void module_block(Doc* doc);
  void function_item(ModuleParts& parts, bool is_pub, Doc* doc);
  void const_item(ModuleParts& parts, Doc* doc);
  void alias_item(ModuleParts& parts);
  void import_item(ModuleParts& parts);
  void callback_item(ModuleParts& parts, bool optional, Doc* doc);
  void struct_item(ModuleParts& parts, Doc* doc);
  void type_item(ModuleParts& parts, Doc* doc);
  void test_item(ModuleParts& parts);
  Doc* take_doc();
  void doc_tests(ModuleParts& parts, const Doc* doc, std::string_view name);
  TestDef* make_test(std::string_view name, Span span, Expr* body);
  Module* finish_module(ModuleParts& parts);
  Symbol script_name() const;

  // --- nodes
  template <class T>
  T* make(Span span) {
    T* node = new (arena_.allocate(sizeof(T), alignof(T))) T();
    node->kind = T::kKind;
    node->span = span;
    return node;
  }
  // Makes the parent at least one higher than the child.
  template <class Parent, class Child>
  void over(Parent* parent, const Child* child) {
    if (child == nullptr || child->height < parent->height) return;
    parent->height = static_cast<uint16_t>(child->height + 1);
    if (parent->height > kMaxHeight) too_deep();
  }
  template <class Parent, class Child>
  void over_all(Parent* parent, std::span<Child*> children) {
    for (Child* child : children) over(parent, child);
  }
  template <class Parent>
  void over_fields(Parent* parent, std::span<MapField> fields) {
    for (const MapField& field : fields) {
      over(parent, field.key);
      over(parent, field.value);
    }
  }
  template <class Parent>
  void over_segments(Parent* parent, std::span<Segment> segments) {
    for (const Segment& segment : segments) {
      over(parent, segment.value);
      over(parent, segment.pattern);
      over(parent, segment.size);
    }
  }
  template <class Parent>
  void over_generators(Parent* parent, std::span<Generator> generators) {
    for (const Generator& generator : generators) {
      over(parent, generator.pattern);
      over(parent, generator.source);
      over(parent, generator.filter);
    }
  }
  template <class Parent>
  void over_clause(Parent* parent, const Clause* clause) {
    for (Pattern* pattern : clause->params) over(parent, pattern);
    over(parent, clause->guard);
    over(parent, clause->body);
  }
  template <class T>
  std::span<T> take(std::vector<T>& stack, size_t base) {
    std::span<T> out = arena_.copy(stack.data() + base, stack.size() - base);
    stack.resize(base);
    return out;
  }

  const SourceFile& source_;
  std::string_view text_;
  Arena& arena_;
  Interner& interner_;
  DiagnosticSink& sink_;
  ParseOptions options_;
  Lexer lexer_;
  Token cur_;
  Token peek_;
  bool has_peek_ = false;
  bool panic_ = false;
  bool aborted_ = false;
  bool unwinding_ = false;    // with panic_: up to the items of the module
  bool outside_ = false;      // expressions in a module have been complained of
  uint32_t item_column_ = 0;  // the indentation of the item being parsed
  bool no_slash_ = false;     // in a binary segment: `/` starts the type list
  uint32_t previous_end_ = 0;
  Token previous_;
  uint32_t depth_ = 0;
  // Stacks on which lists grow before they move to the arena.
  std::vector<Expr*> exprs_;
  std::vector<Pattern*> patterns_;
  std::vector<MapField> fields_;
  std::vector<PatternField> pattern_fields_;
  std::vector<Segment> segments_;
  std::vector<Module*> modules_;
};

// Fresh nodes from source that has been parsed before: for defaults, whose patterns are needed
// twice.
Pattern* reparse_pattern(const SourceFile& source, Arena& arena, Interner& interner,
                         DiagnosticSink& sink, Span span);
Clause* reparse_clause(const SourceFile& source, Arena& arena, Interner& interner,
                       DiagnosticSink& sink, Span head);

}  // namespace quelea::compiler
