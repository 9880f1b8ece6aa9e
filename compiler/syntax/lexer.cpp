#include "compiler/syntax/lexer.h"

#include <array>
#include <cstring>

#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

namespace {

enum CharClass : uint8_t {
  kOther = 0,
  kSpace = 1,
  kLower = 2,  // begins a name
  kUpper = 4,  // begins a module name
  kDigit = 8,
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = kLower;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = kUpper;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = kDigit;
  table['_'] = kLower;
  table[' '] = table['\t'] = table['\r'] = kSpace;
  return table;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

bool is_word_char(unsigned char c) { return (kClasses[c] & (kLower | kUpper | kDigit)) != 0; }

// After these a line goes on.
bool continues_line(TokenKind kind) {
  switch (kind) {
    case TokenKind::kNewline:
    case TokenKind::kSemicolon:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBracket:
    case TokenKind::kLeftBrace:
    case TokenKind::kMapOpen:
    case TokenKind::kStructOpen:
    case TokenKind::kLeftBinary:
    case TokenKind::kComma:
    case TokenKind::kColon:
    case TokenKind::kDot:
    case TokenKind::kDotDot:
    case TokenKind::kAssign:
    case TokenKind::kArrow:
    case TokenKind::kFatArrow:
    case TokenKind::kBar:
    case TokenKind::kPipe:
    case TokenKind::kBang:
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kExactEqual:
    case TokenKind::kExactNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
    case TokenKind::kAppend:
    case TokenKind::kConcat:
    case TokenKind::kPlus:
    case TokenKind::kMinus:
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kAndAnd:
    case TokenKind::kOrOr:
    case TokenKind::kAssignOp:
    case TokenKind::kIn:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kNot:
    case TokenKind::kDiv:
    case TokenKind::kRem:
    case TokenKind::kBand:
    case TokenKind::kBor:
    case TokenKind::kBxor:
    case TokenKind::kBnot:
    case TokenKind::kBsl:
    case TokenKind::kBsr:
    case TokenKind::kAs:
    case TokenKind::kWhen:
    case TokenKind::kElse:
      return true;
    default:
      return false;
  }
}

// A line that begins with one of these goes on with the line before.
bool begins_continuation(TokenKind kind) {
  switch (kind) {
    case TokenKind::kPipe:
    case TokenKind::kConcat:
    case TokenKind::kAppend:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kElse:
    case TokenKind::kWhen:
    case TokenKind::kDot:
    case TokenKind::kBar:
    case TokenKind::kAssign:
    case TokenKind::kLeftBrace:
    case TokenKind::kAndAnd:
    case TokenKind::kOrOr:
      return true;
    default:
      return false;
  }
}

bool ends_operand(TokenKind kind) {
  switch (kind) {
    case TokenKind::kName:
    case TokenKind::kModuleName:
    case TokenKind::kInt:
    case TokenKind::kChar:
    case TokenKind::kFloat:
    case TokenKind::kAtom:
    case TokenKind::kQuotedAtom:
    case TokenKind::kString:
    case TokenKind::kStringTail:
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kRightBrace:
    case TokenKind::kRightBinary:
    case TokenKind::kQuestion:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNil:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view token_text(TokenKind kind) {
  static constexpr std::string_view kTexts[] = {
#define TOKEN(name, text) text,
#include "compiler/syntax/tokens.def"
#define KEYWORD(name, text) "`" text "`",
#include "compiler/syntax/tokens.def"
  };
  return kTexts[static_cast<size_t>(kind)];
}

Lexer::Lexer(const SourceFile& source, Interner& interner, DiagnosticSink& sink, Span range)
    : source_(source),
      interner_(interner),
      sink_(sink),
      text_(source.text()),
      begin_(range.begin),
      at_(range.begin),
      end_(range.end) {
  if (at_ == 0 && text_.starts_with("\xEF\xBB\xBF")) begin_ = at_ = 3;
}

void Lexer::error(DiagCode code, Span span, std::string message, std::string hint) {
  if (quiet_) return;
  sink_.report(code, &source_, span, std::move(message), std::move(hint));
}

void Lexer::restart(uint32_t offset, size_t depth) {
  if (stopped_) return;
  at_ = offset;
  pending_set_ = false;
  // What has been closed since was a block, for the most part.
  brackets_.resize(depth, Bracket::kBlock);
  previous_ = TokenKind::kNewline;
  previous_continues_ = true;
  previous_ends_operand_ = false;
}

Token Lexer::make(Token token, TokenKind kind, uint32_t length) {
  at_ += length;
  token.kind = kind;
  token.span.end = at_;
  return token;
}

// A closer closes the nearest opener of its kind within the innermost braces; what was left open
// inside goes too. One that closes nothing changes nothing, and the parser complains.
void Lexer::close(Bracket bracket) {
  for (size_t i = brackets_.size(); i > 0; --i) {
    if (brackets_[i - 1] == bracket) {
      brackets_.resize(i - 1);
      return;
    }
    if (is_brace(brackets_[i - 1])) return;
  }
}

Token Lexer::left(Token token, TokenKind kind, uint32_t length, Bracket bracket) {
  brackets_.push_back(bracket);
  return make(token, kind, length);
}

Token Lexer::right(Token token, TokenKind kind, uint32_t length, Bracket bracket) {
  close(bracket);
  return make(token, kind, length);
}

// Closes the innermost block, map or `${`; after the last the string goes on.
Token Lexer::right_brace(Token token) {
  size_t i = brackets_.size();
  while (i > 0 && !is_brace(brackets_[i - 1])) --i;
  if (i == 0) return make(token, TokenKind::kRightBrace, 1);
  Bracket bracket = brackets_[i - 1];
  brackets_.resize(i - 1);
  if (bracket != Bracket::kInterp && bracket != Bracket::kInterpHeredoc) {
    return make(token, TokenKind::kRightBrace, 1);
  }
  ++at_;
  token.prefix = 1;
  return string_text(token, TokenKind::kStringTail, TokenKind::kStringMid,
                     bracket == Bracket::kInterpHeredoc);
}

Lexer::Trivia Lexer::skip_trivia() {
  Trivia trivia;
  bool line_begins = at_ == begin_;
  bool doc_line = false;  // the line that is being passed is a doc line
  for (;;) {
    unsigned char c = peek();
    if (c == '\n') {
      // A blank line, or a line of an ordinary comment, parts a doc from its declaration.
      if (trivia.newline && !doc_line) trivia.has_doc = false;
      doc_line = false;
      trivia.newline = trivia.any = true;
      line_begins = true;
      ++at_;
    } else if (kClasses[c] == kSpace) {
      trivia.any = true;
      ++at_;
    } else if (c == '#') {
      trivia.any = true;
      if (line_begins && peek(1) == '#' && peek(2) != '#') {
        doc_line = true;
        if (!trivia.has_doc) trivia.doc_begin = at_;
        trivia.has_doc = true;
      }
      const void* newline = std::memchr(text_.data() + at_, '\n', end_ - at_);
      at_ = newline == nullptr
                ? end_
                : static_cast<uint32_t>(static_cast<const char*>(newline) - text_.data());
    } else {
      if (at_ == begin_) trivia.newline = true;
      return trivia;
    }
    if (at_ >= end_) return trivia;
  }
}

Token Lexer::next() {
  Token token;
  if (pending_set_) {
    pending_set_ = false;
    token = pending_;
  } else {
    uint32_t line_end = at_;
    Trivia trivia = skip_trivia();
    token.span = {at_, at_};
    if (!trivia.any) token.flags |= kTouchesPrevious;
    if (trivia.newline) token.flags |= kOnNewLine;
    if (trivia.has_doc) {
      token.flags |= kHasDoc;
      token.doc_begin = trivia.doc_begin;
    }
    // The bracket that decides is the innermost one before the token.
    bool may_end_line = trivia.newline && !previous_continues_ && newlines_count();
    token.depth = static_cast<uint32_t>(brackets_.size());
    token = scan(token);
    if (may_end_line && !begins_continuation(token.kind)) {
      pending_ = token;
      pending_set_ = true;
      token = Token{};
      token.kind = TokenKind::kNewline;
      token.depth = pending_.depth;
      token.span = {line_end, line_end + (line_end < end_ ? 1 : 0)};
    }
  }
  bool is_operator = token.kind == TokenKind::kName && token.symbol == words::kIs &&
                     previous_ends_operand_ && !token.has(kOnNewLine);
  previous_continues_ = continues_line(token.kind) || is_operator;
  previous_ends_operand_ = ends_operand(token.kind);
  previous_ = token.kind;
  return token;
}

Token Lexer::scan(Token token) {
  if (at_ >= end_) {
    token.kind = TokenKind::kEndOfFile;
    return token;
  }
  unsigned char c = peek();
  if ((kClasses[c] & kLower) != 0) return word(token);
  if ((kClasses[c] & kUpper) != 0) return module_name(token);
  if ((kClasses[c] & kDigit) != 0) return number(token);
  switch (c) {
    case '"':
      return string(token, false);
    case '\'':
      return character(token);
    case ':':
      return colon(token);
    case '%':
      return percent(token);
    default:
      return symbol(token);
  }
}

// The symbol of a name, all of whose characters are ASCII. Names become atoms.
Symbol Lexer::name(std::string_view text) {
  if (text.size() > kMaxNameCharacters) {
    uint32_t begin = static_cast<uint32_t>(text.data() - text_.data());
    error(DiagCode::E0017, {begin, begin + static_cast<uint32_t>(text.size())},
          "a name has at most 255 characters, this one has " + std::to_string(text.size()));
    text = text.substr(0, kMaxNameCharacters);
  }
  return interner_.intern(text);
}

Token Lexer::word(Token token) {
  uint32_t hash = Interner::kHashSeed;
  uint32_t at = at_;
  while (at < end_ && is_word_char(static_cast<unsigned char>(text_[at]))) {
    hash = Interner::hash_step(hash, static_cast<unsigned char>(text_[at]));
    ++at;
  }
  std::string_view text = text_.substr(at_, at - at_);
  bool raw_string = text == "r" && at < end_ && text_[at] == '"';
  if (raw_string) return string(token, true);
  token.symbol = text.size() > kMaxNameCharacters ? name(text) : interner_.intern(text, hash);
  at_ = at;
  token.span.end = at;
  bool after_dot = previous_ == TokenKind::kDot;
  // `a:b` is a label; `a::b` is not of the language.
  if (peek() == ':' && peek(1) != ':') token.flags |= kBeforeColon;
  bool is_name = after_dot || previous_ == TokenKind::kFn || token.has(kBeforeColon);
  if (is_keyword(token.symbol) && !is_name) {
    token.kind = keyword_kind(token.symbol);
  } else {
    token.kind = TokenKind::kName;
  }
  return token;
}

// `A.B.C` is one token. After a dot any word is a name.
Token Lexer::module_name(Token token) {
  uint32_t at = at_;
  bool dotted = previous_ != TokenKind::kDot;
  for (;;) {
    while (at < end_ && is_word_char(static_cast<unsigned char>(text_[at]))) ++at;
    bool more = dotted && at + 1 < end_ && text_[at] == '.' &&
                (kClasses[static_cast<unsigned char>(text_[at + 1])] & kUpper) != 0;
    if (!more) break;
    ++at;
  }
  token.symbol = name(text_.substr(at_, at - at_));
  at_ = at;
  token.span.end = at;
  if (peek() == ':' && peek(1) != ':') token.flags |= kBeforeColon;
  token.kind = dotted ? TokenKind::kModuleName : TokenKind::kName;
  return token;
}

// `%{`, `%Name{`, or a lone percent sign.
Token Lexer::percent(Token token) {
  if (peek(1) == '{') return left(token, TokenKind::kMapOpen, 2, Bracket::kMap);
  uint32_t at = at_ + 1;
  while (at < end_ && (is_word_char(static_cast<unsigned char>(text_[at])) || text_[at] == '.')) {
    ++at;
  }
  bool is_struct = at < end_ && text_[at] == '{' && (kClasses[peek(1)] & kUpper) != 0;
  if (!is_struct) return make(token, TokenKind::kPercent, 1);
  token.symbol = interner_.intern(text_.substr(at_ + 1, at - at_ - 1));
  return left(token, TokenKind::kStructOpen, at + 1 - at_, Bracket::kMap);
}

Token Lexer::symbol(Token token) {
  unsigned char c = peek();
  unsigned char d = peek(1);
  unsigned char e = peek(2);
  using enum TokenKind;
  switch (c) {
    case '(':
      return left(token, kLeftParen, 1, Bracket::kParen);
    case ')':
      return right(token, kRightParen, 1, Bracket::kParen);
    case '[':
      return left(token, kLeftBracket, 1, Bracket::kSquare);
    case ']':
      return right(token, kRightBracket, 1, Bracket::kSquare);
    case '{':
      return left(token, kLeftBrace, 1, Bracket::kBlock);
    case '}':
      return right_brace(token);
    case ',':
      return make(token, kComma, 1);
    case ';':
      return make(token, kSemicolon, 1);
    case '.':
      return d == '.' ? make(token, kDotDot, 2) : make(token, kDot, 1);
    case '?':
      return make(token, kQuestion, 1);
    case '^':
      return make(token, kCaret, 1);
    case '@':
      return make(token, kAt, 1);
    case '~':
      return make(token, kTilde, 1);
    case '&':
      return d == '&' ? make(token, kAndAnd, 2) : make(token, kAmpersand, 1);
    case '|':
      if (d == '>') return make(token, kPipe, 2);
      return d == '|' ? make(token, kOrOr, 2) : make(token, kBar, 1);
    case '=':
      if (d == '=') return e == '=' ? make(token, kExactEqual, 3) : make(token, kEqual, 2);
      return d == '>' ? make(token, kFatArrow, 2) : make(token, kAssign, 1);
    case '!':
      if (d == '=') return e == '=' ? make(token, kExactNotEqual, 3) : make(token, kNotEqual, 2);
      return make(token, kBang, 1);
    case '<':
      if (d == '<') return left(token, kLeftBinary, 2, Bracket::kBinary);
      if (d == '>') return make(token, kConcat, 2);
      return d == '=' ? make(token, kLessEqual, 2) : make(token, kLess, 1);
    case '>':
      if (d == '>') return right(token, kRightBinary, 2, Bracket::kBinary);
      return d == '=' ? make(token, kGreaterEqual, 2) : make(token, kGreater, 1);
    case '+':
      if (d == '+') return make(token, kAppend, 2);
      return d == '=' ? make(token, kAssignOp, 2) : make(token, kPlus, 1);
    case '-':
      if (d == '>') return make(token, kArrow, 2);
      return d == '=' ? make(token, kAssignOp, 2) : make(token, kMinus, 1);
    case '*':
      return d == '=' ? make(token, kAssignOp, 2) : make(token, kStar, 1);
    case '/':
      return d == '=' ? make(token, kAssignOp, 2) : make(token, kSlash, 1);
    default:
      return unknown(token);
  }
}

// One message for a run of characters that begin no token.
Token Lexer::unknown(Token token) {
  uint32_t first = utf8_length(peek());
  std::string shown(text_.substr(at_, first));
  while (at_ < end_) {
    unsigned char c = peek();
    bool strange = c >= 0x80 || c == '$' || c == '`' || c == '\\' || c < ' ' || c == 0x7F;
    if (!strange || kClasses[c] == kSpace || c == '\n') break;
    at_ += utf8_length(c);
  }
  token.span.end = at_;
  token.kind = TokenKind::kError;
  if (static_cast<unsigned char>(shown[0]) < ' ' || shown[0] == 0x7F) {
    error(DiagCode::E0003, token.span, "a control character is not allowed here");
  } else if (shown == "“" || shown == "”" || shown == "‘" || shown == "’") {
    error(DiagCode::E0003, token.span, "`" + shown + "` cannot stand here",
          "quotes are straight: a string is `\"…\"`, a character `'c'`");
  } else if (static_cast<unsigned char>(shown[0]) >= 0x80) {
    error(DiagCode::E0003, token.span, "`" + shown + "` cannot stand here",
          "names are made of the letters a to z, digits and `_`; other text goes into strings");
  } else if (shown == "`") {
    error(DiagCode::E0003, token.span, "a backquote cannot stand here",
          "a string is `\"…\"`, an atom of any text `:\"…\"`");
  } else {
    error(DiagCode::E0003, token.span, "`" + shown + "` cannot stand here",
          shown == "\\" ? "a function is `fn(x) = expression`; a line goes on after an operator"
                        : "");
  }
  return token;
}

}  // namespace quelea::compiler
