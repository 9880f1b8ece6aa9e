// Numbers, characters, strings and atoms. The tokens hold spans; the parser decodes what they say
// (literals.h), so that a heredoc can lose its indentation before its escapes are read.
#include <algorithm>

#include "compiler/syntax/lexer.h"
#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

namespace {

bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool is_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

Token Lexer::number(Token token) {
  token.kind = TokenKind::kInt;
  unsigned char c = peek(1);
  bool element = previous_ == TokenKind::kDot;  // `t.0.1` is two elements, not a float
  if (peek() == '0' && !element && (c == 'x' || c == 'o' || c == 'b')) {
    return radix_number(token, c == 'x' ? 16 : c == 'o' ? 8 : 2);
  }
  auto digits = [&] {
    while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) ++at_;
  };
  digits();
  if (!element && peek() == '.' && is_digit(peek(1))) {
    token.kind = TokenKind::kFloat;
    ++at_;
    digits();
  }
  if (!element && (peek() == 'e' || peek() == 'E')) {
    uint32_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (is_digit(peek(1 + sign))) {
      token.kind = TokenKind::kFloat;
      at_ += 1 + sign;
      digits();
    }
  }
  token.span.end = at_;
  if (is_letter(peek())) {
    uint32_t bad = at_;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    token.kind = TokenKind::kError;
    std::string_view rest = text_.substr(bad, at_ - bad);
    error(DiagCode::E0010, {token.span.begin, at_},
          "the number runs into `" + std::string(rest.substr(0, 20)) + "`",
          rest[0] == '_' ? "`_` stands between digits" : "put a space or an operator between them");
    token.span.end = at_;
  }
  return token;
}

Token Lexer::radix_number(Token token, int radix) {
  at_ += 2;
  bool good = false;
  bool last_underscore = true;
  while (is_letter(peek()) || is_digit(peek())) {
    unsigned char c = peek();
    int value = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    if (c == '_') {
      if (last_underscore) break;
      last_underscore = true;
    } else {
      if (value >= radix) break;
      last_underscore = false;
      good = true;
    }
    ++at_;
  }
  bool ends = !is_letter(peek()) && !is_digit(peek());
  while (is_letter(peek()) || is_digit(peek())) ++at_;
  token.span.end = at_;
  if (!good || !ends || last_underscore) {
    token.kind = TokenKind::kError;
    const char* what = radix == 16  ? "hexadecimal (0-9, a-f)"
                       : radix == 8 ? "octal (0-7)"
                                    : "binary (0, 1)";
    error(DiagCode::E0010, token.span, std::string("a digit of this number is not ") + what);
  }
  return token;
}

Token Lexer::character(Token token) {
  token.kind = TokenKind::kChar;
  uint32_t at = at_ + 1;
  if (at < end_ && text_[at] == '\\') {
    token.flags |= kHasEscapes;
    at += 2;
    if (at <= end_ && (text_[at - 1] == 'x' || text_[at - 1] == 'u')) {
      while (at < end_ && text_[at] != '\'' && text_[at] != '\n') ++at;
    }
  } else if (at < end_ && text_[at] != '\n' && text_[at] != '\'') {
    at += utf8_length(static_cast<unsigned char>(text_[at]));
  }
  if (at < end_ && text_[at] == '\'' && at > at_ + 1) {
    at_ = at + 1;
    token.span.end = at_;
    return token;
  }
  // Where does it end? At the next quote of the line, if there is one.
  uint32_t quote = at_ + 1;
  while (quote < end_ && text_[quote] != '\'' && text_[quote] != '\n') ++quote;
  bool closed = quote < end_ && text_[quote] == '\'';
  token.kind = TokenKind::kError;
  token.span.end = closed ? quote + 1 : std::min(at_ + 2, end_);
  if (closed && quote > at_ + 1) {
    std::string inside(text_.substr(at_ + 1, quote - at_ - 1));
    error(DiagCode::E0011, token.span, "single quotes hold one character",
          inside.size() < 60 ? "a string is written \"" + inside + "\""
                             : "a string is written with double quotes");
  } else {
    error(DiagCode::E0011, token.span,
          closed ? "there is no character between the quotes" : "this quote is never closed",
          "a character is written 'a', a string \"a\"");
  }
  at_ = closed ? quote + 1 : at_ + 1;
  return token;
}

Token Lexer::string(Token token, bool raw) {
  uint32_t start = at_ + (raw ? 1 : 0);
  bool heredoc = text_.substr(start, std::min<size_t>(3, end_ - start)) == "\"\"\"";
  token.prefix = static_cast<uint8_t>((raw ? 1 : 0) + (heredoc ? 3 : 1));
  if (raw) token.flags |= kRawText;
  at_ += token.prefix;
  if (heredoc) {
    uint32_t at = at_;
    while (at < end_ && (text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\r')) ++at;
    if (at < end_ && text_[at] != '\n') {
      token.span.end = at_;
      error(DiagCode::E0012, token.span, "the text of a heredoc begins on the next line",
            "write \"\"\", the lines of the text, and \"\"\" on a line of its own");
      // Passed as a whole, so that its text makes no further messages.
      size_t close = text_.substr(0, end_).find("\"\"\"", at_);
      at_ = close == std::string_view::npos ? end_ : static_cast<uint32_t>(close) + 3;
      token.kind = TokenKind::kError;
      return token;
    }
    at_ = at;
  }
  return string_text(token, TokenKind::kString, TokenKind::kStringHead, heredoc);
}

Token Lexer::string_text(Token token, TokenKind complete, TokenKind open, bool heredoc) {
  if (heredoc) token.flags |= kHeredoc;
  bool raw = token.has(kRawText);
  while (at_ < end_) {
    unsigned char c = peek();
    if (c == '"') {
      bool closes = !heredoc || (peek(1) == '"' && peek(2) == '"');
      uint32_t length = heredoc ? 3 : 1;
      if (closes) {
        token.suffix = static_cast<uint8_t>(length);
        return make(token, complete, length);
      }
    } else if (c == '\\' && !raw) {
      token.flags |= kHasEscapes;
      ++at_;
      if (at_ >= end_) break;
      if (peek() == '\n' && !heredoc) break;
    } else if (c == '$' && !raw && peek(1) == '{') {
      token.suffix = 2;
      brackets_.push_back(heredoc ? Bracket::kInterpHeredoc : Bracket::kInterp);
      return make(token, open, 2);
    } else if (c == '\n' && !heredoc) {
      break;
    }
    ++at_;
  }
  token.kind = TokenKind::kError;
  Span shown{token.span.begin, token.span.begin + token.prefix};
  if (shown.end > at_) shown.end = at_;
  token.span.end = at_;
  bool middle = complete == TokenKind::kStringTail;
  error(DiagCode::E0013, shown,
        middle ? "the string is not closed after this" : "this string is never closed",
        heredoc ? "it ends with \"\"\" on a line of its own"
                : "a string ends on its line; one of several lines is a heredoc: \"\"\"");
  return token;
}

Token Lexer::colon(Token token) {
  unsigned char before = at_ > begin_ ? static_cast<unsigned char>(text_[at_ - 1]) : ' ';
  bool touches = is_letter(before) || is_digit(before) || before == ')' || before == ']' ||
                 before == '}' || before == '?' ||
                 (before == '>' && previous_ == TokenKind::kRightBinary);
  unsigned char next = peek(1);
  if (next == ':') return make(token, TokenKind::kColonColon, 2);
  if (touches && token.has(kTouchesPrevious)) return make(token, TokenKind::kColon, 1);
  if (is_letter(next)) {
    uint32_t at = at_ + 1;
    while (at < end_ && (is_letter(static_cast<unsigned char>(text_[at])) ||
                         is_digit(static_cast<unsigned char>(text_[at])) || text_[at] == '@')) {
      ++at;
    }
    token.symbol = name(text_.substr(at_ + 1, at - at_ - 1));
    return make(token, TokenKind::kAtom, at - at_);
  }
  if (next == '"') {
    ++at_;
    token.prefix = 2;
    ++at_;
    Token text = string_text(token, TokenKind::kQuotedAtom, TokenKind::kStringHead, false);
    if (text.kind == TokenKind::kStringHead) {
      brackets_.pop_back();
      error(DiagCode::E0014, text.span, "an atom cannot be interpolated",
            "`String.to_atom(\"…\")` makes one at run time; a plain `$` is written `\\$`");
      text.kind = TokenKind::kError;
      while (at_ < end_ && text_[at_] != '"' && text_[at_] != '\n') ++at_;
      if (at_ < end_ && text_[at_] == '"') ++at_;
    }
    return text;
  }
  return make(token, TokenKind::kColon, 1);
}

}  // namespace quelea::compiler
