// Tokens, errors and recovery; see parser_impl.h for the idea.
#include "compiler/syntax/parser.h"

#include <algorithm>

#include "compiler/syntax/parser_impl.h"
#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

Parser::Parser(const SourceFile& source, Arena& arena, Interner& interner, DiagnosticSink& sink,
               const ParseOptions& options, Span range)
    : source_(source),
      text_(source.text()),
      arena_(arena),
      interner_(interner),
      sink_(sink),
      options_(options),
      lexer_(source, interner, sink, range) {
  previous_end_ = range.begin;
  advance();
  previous_end_ = range.begin;
}

void Parser::advance() {
  previous_end_ = cur_.span.end;
  previous_ = cur_;
  if (has_peek_) {
    cur_ = peek_;
    has_peek_ = false;
  } else {
    cur_ = lexer_.next();
  }
}

const Token& Parser::peek() {
  if (!has_peek_) {
    peek_ = lexer_.next();
    has_peek_ = true;
  }
  return peek_;
}

bool Parser::accept(TokenKind kind) {
  if (panic_ || cur_.kind != kind) return false;
  advance();
  return true;
}

bool Parser::accept_word(Symbol symbol) {
  if (panic_ || !at_word(symbol)) return false;
  advance();
  return true;
}

void Parser::skip_separators() {
  while (!panic_ && at_separator()) advance();
}

std::string Parser::shown(const Token& token) const {
  switch (token.kind) {
    case TokenKind::kEndOfFile:
    case TokenKind::kNewline:
    case TokenKind::kString:
    case TokenKind::kStringHead:
    case TokenKind::kStringMid:
    case TokenKind::kStringTail:
    case TokenKind::kError:
      return std::string(token_text(token.kind));
    default:
      break;
  }
  std::string text(source_.text(token.span).substr(0, 40));
  if (token.span.size() > 40) text = std::string(token_text(token.kind));
  return token.span.size() > 40 ? text : "`" + text + "`";
}

bool Parser::expect(TokenKind kind, std::string_view where) {
  if (accept(kind)) return true;
  if (panic_) return false;
  if (habit_token()) return false;
  fail(DiagCode::E0101, cur_.span,
       "expected " + std::string(token_text(kind)) + " " + std::string(where) + ", found " +
           shown(cur_));
  return false;
}

std::string Parser::unclosed_note(Span open, std::string_view bracket) const {
  Position position = source_.position(open.begin);
  return "the " + std::string(bracket) + " of line " + std::to_string(position.line) + ", column " +
         std::to_string(position.column) + " is still open";
}

// Where a `{` that is never closed lacks its `}`: a later brace of two that do not stand below each
// other was probably meant for another. Only errors pay for reading the text once more.
std::string Parser::unclosed_hint(Span open) const {
  DiagnosticSink ignored;
  Lexer lexer(source_, interner_, ignored, {open.begin, static_cast<uint32_t>(text_.size())});
  const auto indent_of = [&](uint32_t offset) {
    const Span line = source_.line_span(source_.line(offset));
    const std::string_view text = source_.text(line);
    return std::min(text.find_first_not_of(" \t"), text.size());
  };
  std::vector<Span> braces;
  Token last;
  for (Token token = lexer.next(); token.kind != TokenKind::kEndOfFile; token = lexer.next()) {
    if (token.kind != TokenKind::kNewline) last = token;
    if (token.kind == TokenKind::kLeftBrace || token.kind == TokenKind::kMapOpen ||
        token.kind == TokenKind::kStructOpen)
      braces.push_back(token.span);
    if (token.kind != TokenKind::kRightBrace || braces.empty()) continue;
    const Span opener = braces.back();
    braces.pop_back();
    if (!token.has(kOnNewLine) || indent_of(token.span.begin) >= indent_of(opener.begin)) continue;
    return "the `}` of line " + std::to_string(source_.line(token.span.begin)) +
           " closes the `{` of line " + std::to_string(source_.line(opener.begin)) +
           ", but stands further left than that line";
  }
  return last.symbol == words::kEnd ? "a block ends with `}`" : "";
}

bool Parser::close(TokenKind kind, Span open, std::string_view what) {
  if (accept(kind)) return true;
  if (panic_) return false;
  if (habit_token()) return false;
  std::string_view opener = source_.text(open);
  std::string hint = cur_.has(kOnNewLine) ? std::string() : neighbour_hint();
  if (at(TokenKind::kName) && previous_.kind == TokenKind::kName && what == "the parameters")
    hint = "a type stands behind the name: `name: Type`";
  if (hint.empty()) hint = unclosed_note(open, "`" + std::string(opener.substr(0, 2)) + "`");
  fail(DiagCode::E0102, cur_.span,
       "expected `,` or " + std::string(token_text(kind)) + " in " + std::string(what) +
           ", found " + shown(cur_),
       std::move(hint));
  return false;
}

Symbol Parser::expect_word(std::string_view what) {
  if (panic_) return Symbol::kNone;
  if (is_word(cur_) ||
      (at(TokenKind::kModuleName) && source_.text(cur_.span).find('.') == std::string_view::npos)) {
    Symbol symbol = cur_.symbol;
    advance();
    return symbol;
  }
  fail(DiagCode::E0103, cur_.span, "expected " + std::string(what) + ", found " + shown(cur_));
  return Symbol::kNone;
}

Symbol Parser::expect_name(std::string_view what) {
  if (panic_) return Symbol::kNone;
  if (at(TokenKind::kName)) {
    Symbol symbol = cur_.symbol;
    advance();
    return symbol;
  }
  std::string hint;
  if (is_keyword(cur_.kind)) hint = shown(cur_) + " is a keyword and cannot be a name here";
  if (at(TokenKind::kModuleName)) hint = "names begin with a small letter or `_`";
  fail(DiagCode::E0103, cur_.span, "expected " + std::string(what) + ", found " + shown(cur_),
       hint);
  return Symbol::kNone;
}

Symbol Parser::expect_module(std::string_view what) {
  if (panic_) return Symbol::kNone;
  if (at(TokenKind::kModuleName)) {
    Symbol symbol = cur_.symbol;
    advance();
    return symbol;
  }
  fail(DiagCode::E0104, cur_.span, "expected " + std::string(what) + ", found " + shown(cur_),
       "module names begin with a capital letter: `Chat.Room`");
  return Symbol::kNone;
}

// ---------------------------------------------------------------------------------------------

void Parser::fail(DiagCode code, Span span, std::string message, std::string hint) {
  if (panic_) return;
  complain(code, span, std::move(message), std::move(hint));
  panic_ = true;
}

void Parser::complain(DiagCode code, Span span, std::string message, std::string hint) {
  if (aborted_) return;
  // The lexer has said already what is wrong with an error token.
  if (cur_.kind != TokenKind::kError || span.begin != cur_.span.begin) {
    sink_.report(code, &source_, span, std::move(message), std::move(hint));
  }
  if (sink_.full()) abort();
}

void Parser::too_deep() {
  if (aborted_) return;
  complain(DiagCode::E0105, cur_.span,
           "this is nested more than " + std::to_string(kMaxHeight) + " levels deep",
           "move inner parts into functions or variables of their own");
  abort();
}

// Ends the parse: every further token is the end of the file.
void Parser::abort() {
  aborted_ = true;
  panic_ = true;
  lexer_.stop();
  has_peek_ = false;
  cur_ = Token{};
  cur_.span = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text_.size())};
}

Expr* Parser::error_expr() { return make<ErrorExpr>(cur_.span); }
Pattern* Parser::error_pattern() { return make<ErrorPattern>(cur_.span); }

// Bytes between the beginning of the line and the token that is first on it.
uint32_t Parser::indentation_of(uint32_t offset) const {
  uint32_t begin = offset;
  while (begin > 0 && text_[begin - 1] != '\n') --begin;
  uint32_t first = begin;
  while (first < offset && (text_[first] == ' ' || text_[first] == '\t')) ++first;
  return first - begin;
}

namespace {

// A line that begins with one of these belongs to what stands before it.
bool belongs_to_line_before(TokenKind kind) {
  switch (kind) {
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kRightBinary:
    case TokenKind::kStringMid:
    case TokenKind::kStringTail:
    case TokenKind::kLeftBrace:
    case TokenKind::kElse:
    case TokenKind::kWhen:
    case TokenKind::kPipe:
    case TokenKind::kBar:
    case TokenKind::kDot:
    case TokenKind::kAssign:
    case TokenKind::kConcat:
    case TokenKind::kAppend:
    case TokenKind::kAnd:
    case TokenKind::kOr:
      return true;
    default:
      return false;
  }
}

}  // namespace

// A declaration that stands where the items of the module stand: whatever is open is not closed.
bool Parser::at_item_start() const {
  switch (cur_.kind) {
    case TokenKind::kPub:
    case TokenKind::kConst:
    case TokenKind::kAlias:
    case TokenKind::kImport:
    case TokenKind::kBehaviour:
    case TokenKind::kModule:
      return cur_.has(kOnNewLine) && indentation_of(cur_.span.begin) <= item_column_;
    default:
      return false;
  }
}

// Reads the current token anew, with only the brackets open that were open at the anchor.
void Parser::reread(uint32_t depth) {
  Token token = cur_;
  lexer_.restart(token.span.begin, depth);
  has_peek_ = false;
  cur_ = lexer_.next();
  cur_.flags = token.flags;
  cur_.doc_begin = token.doc_begin;
}

// Goes on to where the next part of a block (or item of a file) begins, or to the brace that closes
// the block. What is indented deeper than the part that failed belongs to that part, and so does a
// closing bracket on a line of its own, unless it stands where the block's brace should.
void Parser::recover(const Anchor& anchor) {
  if (aborted_) return;
  bool in_block = anchor.open != kNoOpen;
  uint32_t column = indentation_of(anchor.begin);
  uint32_t close_column = in_block ? indentation_of(anchor.open) : 0;
  lexer_.set_quiet(true);
  if (has_peek_ && !at(TokenKind::kNewline)) reread(cur_.depth);
  bool resumes = true;
  for (;; advance()) {
    if (at(TokenKind::kEndOfFile)) break;
    if (at(TokenKind::kSemicolon) && cur_.depth <= anchor.depth) break;
    bool line_begins = cur_.has(kOnNewLine) && cur_.span.begin > anchor.begin;
    bool stops = false;
    if (line_begins && !at(TokenKind::kNewline)) {
      uint32_t indented = indentation_of(cur_.span.begin);
      if (at(TokenKind::kRightBrace)) {
        stops = in_block && indented <= close_column;
      } else {
        stops = at_item_start() || (indented <= column && !belongs_to_line_before(cur_.kind));
        // A line that stands no deeper than the block's own is not of the block.
        resumes = !stops || !in_block || indented > close_column || at_item_start();
      }
    } else if (at(TokenKind::kRightBrace) && in_block && lexer_.depth() < anchor.depth) {
      std::string_view between = text_.substr(anchor.open, cur_.span.begin - anchor.open);
      stops = between.find('\n') == std::string_view::npos;
    }
    if (!stops) continue;
    lexer_.set_quiet(false);
    if (resumes) reread(anchor.depth);
    break;
  }
  lexer_.set_quiet(false);
  panic_ = !resumes;
  unwinding_ = false;
}

// ---------------------------------------------------------------------------------------------

std::vector<Expr*> Parser::parse_fragment() {
  std::vector<Expr*> out;
  skip_separators();
  while (!panic_ && !at(TokenKind::kEndOfFile)) {
    Expr* e = statement();
    out.push_back(e);
    if (!panic_ && !at_separator() && !at(TokenKind::kEndOfFile)) side_by_side(e);
    skip_separators();
  }
  return out;
}

Clause* Parser::parse_head_fragment() {
  if (!accept(TokenKind::kFn)) return nullptr;
  expect_word("the function's name");
  Clause* clause = arena_.make<Clause>();
  clause_params(clause);
  return panic_ ? nullptr : clause;
}

Pattern* reparse_pattern(const SourceFile& source, Arena& arena, Interner& interner,
                         DiagnosticSink& sink, Span span) {
  return Parser(source, arena, interner, sink, {}, span).parse_pattern_fragment();
}

Clause* reparse_clause(const SourceFile& source, Arena& arena, Interner& interner,
                       DiagnosticSink& sink, Span head) {
  return Parser(source, arena, interner, sink, {}, head).parse_head_fragment();
}

ParseResult parse(const SourceFile& source, Arena& arena, Interner& interner, DiagnosticSink& sink,
                  const ParseOptions& options) {
  uint32_t errors_before = sink.error_count();
  size_t diagnostics_before = sink.diagnostics().size();
  std::string_view text = source.text();
  bool readable = true;
  if (text.size() > SourceFile::kMaxBytes) {
    sink.report(DiagCode::E0002, nullptr, {}, source.name() + ": the file is larger than 1 GiB",
                "split it into modules");
    readable = false;
  } else if (size_t bad = find_invalid_utf8(text); bad < text.size()) {
    uint32_t at = static_cast<uint32_t>(bad);
    if (text[bad] == '\0') {
      sink.report(DiagCode::E0001, &source, {at, at + 1}, "a NUL byte does not belong into source",
                  "in a string it is written \\0");
    } else {
      sink.report(DiagCode::E0001, &source, {at, at + 1}, "the file is not valid UTF-8 here",
                  "save it as UTF-8; \\xHH writes a code point");
    }
    readable = false;
  }
  uint32_t size = readable ? static_cast<uint32_t>(text.size()) : 0;
  Parser parser(source, arena, interner, sink, options, {0, size});
  File* file = parser.parse_file();
  sink.sort(diagnostics_before);
  return {file, sink.error_count() == errors_before};
}

}  // namespace quelea::compiler
