// Files, modules and declarations.
#include <algorithm>
#include <string>

#include "compiler/driver/module_path.h"
#include "compiler/syntax/parser_impl.h"

namespace quelea::compiler {

struct Parser::ModuleParts {
  Module* module = nullptr;
  bool is_file_level = false;
  std::vector<FunctionDef*> functions;
  std::vector<ConstDef*> constants;
  std::vector<BehaviourRef> behaviours;
  std::vector<CallbackDef*> callbacks;
  std::vector<TypeDef*> types;
  std::vector<TestDef*> tests;
  std::vector<AliasDef> aliases;
  std::vector<ImportDef> imports;
  std::vector<Expr*> body;
};

Symbol Parser::script_name() const {
  std::string_view path = source_.name();
  size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return interner_.intern(script_module(path));
}

File* Parser::parse_file() {
  ModuleParts parts;
  parts.module = arena_.make<Module>();
  parts.is_file_level = true;
  Doc* header_doc = nullptr;
  while (at_separator()) advance();
  if (at(TokenKind::kModule) && peek().kind == TokenKind::kModuleName) {
    // A header, unless it turns out to be a block.
    Token module_token = cur_;
    header_doc = take_doc();
    advance();
    Symbol name = cur_.symbol;
    Span name_span = cur_.span;
    if (peek().kind != TokenKind::kLeftBrace) {
      advance();
      parts.module->name = name;
      parts.module->name_span = name_span;
      parts.module->doc = header_doc;
      if (!at_separator() && !at(TokenKind::kEndOfFile)) {
        std::string hint = "the declarations of the module follow on the next lines";
        if (at_word(words::kDo)) hint = "there is no `do … end`: the file is the module";
        fail(DiagCode::E0147, cur_.span,
             "expected the end of the line after the module's name, found " + shown(cur_), hint);
        recover({0, module_token.span.begin, kNoOpen});
      }
    } else {
      lexer_.restart(module_token.span.begin, 0);
      has_peek_ = false;
      cur_ = lexer_.next();
      cur_.flags = module_token.flags;
      cur_.doc_begin = module_token.doc_begin;
    }
  }
  if (parts.module->name == Symbol::kNone) {
    parts.module->is_script = true;
    parts.module->name = script_name();
  }
  items(parts, {}, false);
  parts.module->span = {0, static_cast<uint32_t>(text_.size())};
  modules_.push_back(finish_module(parts));
  File* file = arena_.make<File>();
  file->source = &source_;
  file->modules = arena_.copy(modules_);
  return file;
}

void Parser::items(ModuleParts& parts, Span open, bool in_braces) {
  uint32_t errors_before = sink_.error_count();
  uint32_t outer_column = item_column_;
  skip_separators();
  while (!panic_ && !at(TokenKind::kEndOfFile)) {
    if (at(TokenKind::kRightBrace) && in_braces) break;
    // What a brace too many has left outside; that has been said.
    if (at(TokenKind::kRightBrace) && outside_) {
      advance();
      skip_separators();
      continue;
    }
    Anchor start{cur_.depth, cur_.span.begin, in_braces ? open.begin : kNoOpen};
    if (cur_.has(kOnNewLine)) item_column_ = indentation_of(cur_.span.begin);
    size_t expressions = parts.body.size();
    item(parts);
    bool is_expr = parts.body.size() > expressions;
    if (!is_expr) outside_ = false;
    bool ends =
        at_separator() || at(TokenKind::kEndOfFile) || (in_braces && at(TokenKind::kRightBrace));
    if (!panic_ && !ends) side_by_side(is_expr ? parts.body.back() : nullptr);
    if (panic_) recover(start);
    skip_separators();
  }
  item_column_ = outer_column;
  if (!in_braces || accept(TokenKind::kRightBrace) || aborted_) return;
  if (sink_.error_count() == errors_before) {
    fail(DiagCode::E0125, open, "this `{` is never closed", unclosed_hint(open));
  }
  panic_ = true;
}

void Parser::item(ModuleParts& parts) {
  Doc* doc = cur_.has(kHasDoc) ? take_doc() : nullptr;
  switch (cur_.kind) {
    case TokenKind::kModule:
      module_block(doc);
      return;
    case TokenKind::kPub:
      advance();
      if (at(TokenKind::kFn)) {
        function_item(parts, true, doc);
      } else {
        fail(DiagCode::E0148, cur_.span, "expected `fn` after `pub`, found " + shown(cur_),
             "`pub` exports functions; constants, types and structs need no `pub`");
      }
      return;
    case TokenKind::kFn:
      if (peek().kind == TokenKind::kName) {
        function_item(parts, false, doc);
        return;
      }
      break;
    case TokenKind::kConst:
      const_item(parts, doc);
      return;
    case TokenKind::kAlias:
      alias_item(parts);
      return;
    case TokenKind::kImport:
      import_item(parts);
      return;
    case TokenKind::kBehaviour: {
      uint32_t begin = cur_.span.begin;
      advance();
      Symbol module = expect_module("a module's name after `behaviour`");
      if (!panic_) parts.behaviours.push_back({module, from(begin)});
      return;
    }
    case TokenKind::kName:
      if (word_item(parts, doc)) return;
      break;
    default:
      break;
  }
  Expr* e = expr();
  if (!parts.module->is_script && !panic_) {
    bool bare_word = e->kind == ExprKind::kName && !at_separator();
    if (!bare_word && !outside_) {
      outside_ = true;
      complain(DiagCode::E0149, e->span, "a module holds declarations only",
               "put the expression into a function, or drop the `module` header to make a script");
    }
  }
  parts.body.push_back(e);
}

// Declarations that begin with a word that is a keyword only there.
bool Parser::word_item(ModuleParts& parts, Doc* doc) {
  Symbol word = cur_.symbol;
  TokenKind next = TokenKind::kEndOfFile;
  if (word == words::kTest || word == words::kType || word == words::kStruct ||
      word == words::kCallback || word == words::kOptional) {
    next = peek().kind;
  }
  if (word == words::kTest && (next == TokenKind::kString || next == TokenKind::kStringHead)) {
    test_item(parts);
    return true;
  }
  if (word == words::kType && next == TokenKind::kModuleName) {
    type_item(parts, doc);
    return true;
  }
  bool word_follows = next == TokenKind::kName || is_keyword(next);
  // `struct is …` and the like are comparisons of a variable of that name.
  if (word_follows && peek_.symbol == words::kIs && !peek_.has(kBeforeColon)) return false;
  if (word == words::kStruct && next == TokenKind::kName) {
    struct_item(parts, doc);
    return true;
  }
  if (word == words::kCallback && word_follows) {
    callback_item(parts, false, doc);
    return true;
  }
  if (word == words::kOptional && word_follows && peek_.symbol == words::kCallback) {
    advance();
    callback_item(parts, true, doc);
    return true;
  }
  return false;
}

void Parser::module_block(Doc* doc) {
  Nesting nesting(*this);
  uint32_t begin = cur_.span.begin;
  advance();
  ModuleParts parts;
  parts.module = arena_.make<Module>();
  parts.module->name_span = cur_.span;
  parts.module->doc = doc;
  parts.module->name = expect_module("a module's name after `module`");
  if (panic_) return;
  Span open = cur_.span;
  if (!at(TokenKind::kLeftBrace)) {
    fail(DiagCode::E0150, cur_.span, "expected `{` after the module's name, found " + shown(cur_),
         "a header `module Name` is the first line of its file; a module inside a file is "
         "`module Name { … }`");
    return;
  }
  advance();
  items(parts, open, true);
  parts.module->span = from(begin);
  modules_.push_back(finish_module(parts));
}

void Parser::function_item(ModuleParts& parts, bool is_pub, Doc* doc) {
  uint32_t begin = cur_.span.begin;
  advance();
  FunctionDef* f = arena_.make<FunctionDef>();
  f->kind = FunctionKind::kFunction;
  f->is_pub = is_pub;
  f->doc = doc;
  f->module = parts.module;
  std::string_view name_text = source_.text(cur_.span);
  f->name = expect_word("the function's name");
  if (panic_) return;
  Clause* made = clause(begin);
  f->span = made->head;
  f->arity = static_cast<uint32_t>(made->params.size());
  f->clauses = arena_.copy(&made, 1);
  parts.functions.push_back(f);
  if (doc != nullptr) doc_tests(parts, doc, name_text);
}

void Parser::const_item(ModuleParts& parts, Doc* doc) {
  advance();
  ConstDef* c = arena_.make<ConstDef>();
  c->span = cur_.span;
  c->doc = doc;
  c->module = parts.module;
  c->name = expect_name("the constant's name");
  expect(TokenKind::kAssign, "and the constant's value");
  c->value = expr(kLevelSend);
  if (!panic_) parts.constants.push_back(c);
}

void Parser::alias_item(ModuleParts& parts) {
  uint32_t begin = cur_.span.begin;
  advance();
  AliasDef alias{};
  alias.module = expect_module("a module's name after `alias`");
  if (panic_) return;
  std::string_view text = interner_.text(alias.module);
  size_t dot = text.rfind('.');
  alias.name =
      dot == std::string_view::npos ? alias.module : interner_.intern(text.substr(dot + 1));
  if (accept(TokenKind::kAs)) {
    Span span = cur_.span;
    alias.name = expect_module("the module's name here");
    if (!panic_ && interner_.text(alias.name).find('.') != std::string_view::npos) {
      fail(DiagCode::E0151, span, "the name after `as` has no dots");
    }
  }
  alias.span = from(begin);
  if (!panic_) parts.aliases.push_back(alias);
}

void Parser::import_item(ModuleParts& parts) {
  ImportDef import{};
  uint32_t begin = cur_.span.begin;
  advance();
  import.module = expect_module("a module's name after `import`");
  if (panic_) return;
  Span open = cur_.span;
  if (!at(TokenKind::kLeftParen)) {
    fail(DiagCode::E0152, cur_.span, "expected the functions to import, found " + shown(cur_),
         "an import lists them: `import Enum (map/2, filter/2)`; without one call `Enum.map(…)`");
    return;
  }
  advance();
  std::vector<ImportDef::Entry> entries;
  while (!panic_ && !at(TokenKind::kRightParen)) {
    ImportDef::Entry entry{};
    uint32_t entry_begin = cur_.span.begin;
    entry.name = expect_word("a function's name");
    expect(TokenKind::kSlash, "and the number of its arguments");
    if (!panic_ && !at(TokenKind::kInt)) {
      fail(DiagCode::E0112, cur_.span, "expected the number of arguments, found " + shown(cur_));
    }
    if (panic_) return;
    IntExpr* arity = as<IntExpr>(int_literal());
    entry.arity = arity->small && arity->value < 256 ? static_cast<uint32_t>(arity->value) : 256;
    entry.span = from(entry_begin);
    entries.push_back(entry);
    if (!accept(TokenKind::kComma)) break;
  }
  close(TokenKind::kRightParen, open, "an import");
  import.entries = arena_.copy(entries);
  import.span = from(begin);
  if (!panic_) parts.imports.push_back(import);
}

void Parser::callback_item(ModuleParts& parts, bool optional, Doc* doc) {
  uint32_t begin = cur_.span.begin;
  advance();
  CallbackDef* c = arena_.make<CallbackDef>();
  c->optional = optional;
  c->doc = doc;
  c->name = expect_word("the callback's name");
  Clause head{};
  clause_params(&head);
  c->params = head.params;
  c->param_types = head.param_types;
  c->arity = static_cast<uint32_t>(head.params.size());
  if (accept(TokenKind::kColon)) c->result_type = type();
  c->span = from(begin);
  if (!panic_) parts.callbacks.push_back(c);
}

void Parser::struct_item(ModuleParts& parts, Doc* doc) {
  uint32_t begin = cur_.span.begin;
  advance();
  std::vector<StructField> fields;
  do {
    StructField field{};
    field.span = cur_.span;
    field.name = expect_name("a field's name");
    if (accept(TokenKind::kColon)) field.type = type();
    if (accept(TokenKind::kAssign)) field.default_value = expr(kLevelSend);
    fields.push_back(field);
  } while (accept(TokenKind::kComma) && !at_separator() && !at(TokenKind::kEndOfFile));
  if (panic_) return;
  if (parts.module->structure != nullptr) {
    complain(DiagCode::E0153, from(begin), "a module has one struct",
             "put the other one into a module of its own: `module Name { struct … }`");
    return;
  }
  StructDef* s = arena_.make<StructDef>();
  s->span = from(begin);
  s->fields = arena_.copy(fields);
  s->module = parts.module;
  s->doc = doc;
  parts.module->structure = s;
}

void Parser::type_item(ModuleParts& parts, Doc* doc) {
  uint32_t begin = cur_.span.begin;
  advance();
  TypeDef* t = arena_.make<TypeDef>();
  t->doc = doc;
  t->name = expect_module("the type's name");
  if (at(TokenKind::kLeftParen)) {
    Span open = cur_.span;
    advance();
    std::vector<Symbol> params;
    while (!panic_ && !at(TokenKind::kRightParen)) {
      params.push_back(expect_name("a type variable"));
      if (!accept(TokenKind::kComma)) break;
    }
    close(TokenKind::kRightParen, open, "the type's parameters");
    t->params = arena_.copy(params);
  }
  expect(TokenKind::kAssign, "and the type");
  t->type = type();
  t->span = from(begin);
  if (!panic_) parts.types.push_back(t);
}

TestDef* Parser::make_test(std::string_view name, Span span, Expr* body) {
  Clause* only = arena_.make<Clause>();
  only->span = body->span;
  only->head = span;
  only->body = body;
  FunctionDef* f = arena_.make<FunctionDef>();
  f->kind = FunctionKind::kTest;
  f->name = interner_.intern("test " + std::string(name));
  f->span = span;
  f->clauses = arena_.copy(&only, 1);
  TestDef* test = arena_.make<TestDef>();
  test->name = name;
  test->span = span;
  test->function = f;
  return test;
}

void Parser::test_item(ModuleParts& parts) {
  uint32_t begin = cur_.span.begin;
  advance();
  Expr* name = string_literal();
  if (panic_) return;
  Span head = from(begin);
  if (name->kind != ExprKind::kString) {
    fail(DiagCode::E0154, name->span, "a test's name is a plain string");
    return;
  }
  Expr* body = block();
  if (panic_) return;
  TestDef* test = make_test(as<StringExpr>(name)->text, head, body);
  test->function->module = parts.module;
  parts.tests.push_back(test);
}

// ---------------------------------------------------------------------------------------------

namespace {

std::string_view doc_line(std::string_view line) {
  size_t begin = line.find("##");
  line.remove_prefix(begin == std::string_view::npos ? line.size() : begin + 2);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

// The `##` lines above the current token.
Doc* Parser::take_doc() {
  if (!cur_.has(kHasDoc)) return nullptr;
  Doc* doc = arena_.make<Doc>();
  doc->span = {cur_.doc_begin, cur_.span.begin};
  std::string text;
  std::vector<DocExample> examples;
  uint32_t begin = cur_.doc_begin;
  bool in_expr = false;
  while (begin < cur_.span.begin) {
    size_t newline = text_.find('\n', begin);
    if (newline == std::string_view::npos || newline >= cur_.span.begin) break;
    std::string_view raw = text_.substr(begin, newline - begin);
    std::string_view line = doc_line(raw);
    uint32_t offset = static_cast<uint32_t>(line.data() - text_.data());
    uint32_t end = offset + static_cast<uint32_t>(line.size());
    bool is_example = line.starts_with("> ");
    if (is_example && in_expr) {
      examples.back().expr.end = end;
    } else if (is_example) {
      examples.push_back({{offset + 2, end}, {end, end}, 0});
    } else if (in_expr && line.find_first_not_of(" \t") != std::string_view::npos) {
      examples.back().value = {offset, end};
    }
    in_expr = is_example;
    text += line;
    text += '\n';
    begin = static_cast<uint32_t>(newline) + 1;
  }
  for (DocExample& example : examples) example.line = source_.line(example.expr.begin);
  if (text.ends_with('\n')) text.pop_back();
  doc->text = arena_.copy_text(text);
  doc->examples = arena_.copy(examples);
  return doc;
}

// An example is a test: its lines run in order, and the last one's value must equal the value line.
void Parser::doc_tests(ModuleParts& parts, const Doc* doc, std::string_view name) {
  if (!options_.tests) return;
  for (const DocExample& example : doc->examples) {
    std::vector<Expr*> statements;
    for (uint32_t begin = example.expr.begin; begin < example.expr.end;) {
      size_t newline = text_.find('\n', begin);
      uint32_t end =
          std::min(static_cast<uint32_t>(std::min(newline, text_.size())), example.expr.end);
      uint32_t start = begin;
      if (begin != example.expr.begin) {
        std::string_view line = doc_line(text_.substr(begin, end - begin));
        start = static_cast<uint32_t>(line.data() - text_.data()) + 2;
      }
      Parser part(source_, arena_, interner_, sink_, {}, {start, end});
      std::vector<Expr*> made = part.parse_fragment();
      statements.insert(statements.end(), made.begin(), made.end());
      begin = end + 1;
    }
    if (statements.empty()) continue;
    if (example.value.size() != 0) {
      Parser part(source_, arena_, interner_, sink_, {}, example.value);
      std::vector<Expr*> value = part.parse_fragment();
      if (value.size() != 1) {
        complain(DiagCode::E0155, example.value, "the value of a doc example is one expression");
        continue;
      }
      BinaryExpr* equal = make<BinaryExpr>(statements.back()->span);
      equal->op = BinaryOp::kExactEqual;
      equal->lhs = statements.back();
      equal->rhs = value[0];
      over(equal, equal->lhs);
      over(equal, equal->rhs);
      AssertExpr* check = make<AssertExpr>(statements.back()->span);
      check->flags = kSynthetic;
      check->assert_kind = AssertKind::kValue;
      check->value = equal;
      over(check, equal);
      statements.back() = check;
    }
    BlockExpr* body = make<BlockExpr>({example.expr.begin, example.value.end});
    body->statements = arena_.copy(statements);
    over_all(body, body->statements);
    std::string title = "doc " + std::string(name) + ", line " + std::to_string(example.line);
    TestDef* test = make_test(arena_.copy_text(title), example.expr, body);
    test->function->module = parts.module;
    parts.tests.push_back(test);
  }
}

Module* Parser::finish_module(ModuleParts& parts) {
  Module* m = parts.module;
  if (m->doc != nullptr) doc_tests(parts, m->doc, "module");
  group_local_functions(parts.body, 0);
  m->functions = arena_.copy(parts.functions);
  m->constants = arena_.copy(parts.constants);
  m->behaviours = arena_.copy(parts.behaviours);
  m->callbacks = arena_.copy(parts.callbacks);
  m->types = arena_.copy(parts.types);
  m->tests = arena_.copy(parts.tests);
  m->aliases = arena_.copy(parts.aliases);
  m->imports = arena_.copy(parts.imports);
  m->body = arena_.copy(parts.body);
  return m;
}

}  // namespace quelea::compiler
