// Literals: tokens to nodes. Strings with `${…}` come from the lexer in parts with the tokens of
// the expressions between them.
#include <algorithm>

#include "compiler/syntax/literals.h"
#include "compiler/syntax/parser_impl.h"
#include "compiler/syntax/utf8.h"

namespace quelea::compiler {

Expr* Parser::int_literal() {
  IntExpr* e = make<IntExpr>(cur_.span);
  std::string_view text = source_.text(cur_.span);
  bool plain = text.size() <= 18;
  int64_t value = 0;
  for (size_t i = 0; plain && i < text.size(); ++i) {
    plain = text[i] >= '0' && text[i] <= '9';
    value = value * 10 + (text[i] - '0');
  }
  e->radix = 10;
  if (plain) {
    e->small = true;
    e->value = value;
  } else {
    IntText decoded = decode_int(text);
    e->small = decoded.small;
    e->value = decoded.small ? decoded.value : 0;
    e->radix = static_cast<uint8_t>(decoded.radix);
    if (!decoded.small) e->digits = arena_.copy_text(decoded.digits);
  }
  advance();
  return e;
}

Expr* Parser::float_literal() {
  FloatExpr* e = make<FloatExpr>(cur_.span);
  if (!decode_float(source_.text(cur_.span), &e->value)) {
    complain(DiagCode::E0015, cur_.span, "the number is too large for a float",
             "the largest is 1.7976931348623157e308; integers have no limit");
  }
  advance();
  return e;
}

Expr* Parser::char_literal() {
  IntExpr* e = make<IntExpr>(cur_.span);
  e->small = true;
  e->radix = 10;
  e->is_char = true;
  std::string_view raw = source_.text({cur_.span.begin + 1, cur_.span.end - 1});
  if (cur_.has(kHasEscapes)) {
    std::string text;
    LiteralError error;
    if (!decode_escapes(raw, cur_.span.begin + 1, text, error)) {
      complain(DiagCode::E0016, error.span, error.message, error.hint);
    } else {
      e->value = decode_utf8(text);
    }
  } else {
    e->value = decode_utf8(raw);
  }
  advance();
  return e;
}

std::string_view Parser::decode(const Token& token, std::string_view raw, uint32_t offset) {
  if (!token.has(kHasEscapes) || token.has(kRawText)) return raw;
  std::string text;
  text.reserve(raw.size());
  LiteralError error;
  if (!decode_escapes(raw, offset, text, error)) {
    complain(DiagCode::E0016, error.span, error.message, error.hint);
  }
  return arena_.copy_text(text);
}

namespace {

std::string_view raw_text(const SourceFile& source, const Token& token) {
  return source.text({token.span.begin + token.prefix, token.span.end - token.suffix});
}

uint8_t string_flags(const Token& token) {
  uint8_t flags = 0;
  if (token.has(kHeredoc)) flags |= kMultiline;
  if (token.has(kRawText)) flags |= kRaw;
  return flags;
}

}  // namespace

Expr* Parser::string_literal() {
  if (at(TokenKind::kStringHead) || cur_.has(kHeredoc)) return interpolation();
  StringExpr* e = make<StringExpr>(cur_.span);
  e->flags = string_flags(cur_);
  e->text = decode(cur_, raw_text(source_, cur_), cur_.span.begin + cur_.prefix);
  advance();
  return e;
}

Expr* Parser::atom_literal() {
  AtomExpr* e = make<AtomExpr>(cur_.span);
  e->name = cur_.symbol;
  if (at(TokenKind::kQuotedAtom)) {
    std::string_view text = decode(cur_, raw_text(source_, cur_), cur_.span.begin + 2);
    auto leads = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    size_t characters = static_cast<size_t>(std::count_if(text.begin(), text.end(), leads));
    if (characters > kMaxNameCharacters) {
      complain(DiagCode::E0017, cur_.span,
               "an atom has at most 255 characters, this one has " + std::to_string(characters));
    }
    e->name = interner_.intern(text);
  }
  advance();
  return e;
}

Expr* Parser::string_part(const Token& token, std::string_view text) {
  StringExpr* part = make<StringExpr>(token.span);
  part->flags = kSynthetic;
  part->text = text;
  return part;
}

// A string with parts, or a heredoc with or without them.
Expr* Parser::interpolation() {
  Nesting nesting(*this);
  if (panic_) return error_expr();
  Token first = cur_;
  std::vector<Token> tokens;  // the text parts; tokens[i] stands before exprs[i]
  std::vector<Expr*> values;
  bool more = at(TokenKind::kStringHead);
  tokens.push_back(cur_);
  advance();
  bool outer_slash = no_slash_;
  no_slash_ = false;
  while (more && !panic_) {
    if (at(TokenKind::kStringMid) || at(TokenKind::kStringTail)) {
      fail(DiagCode::E0106, tokens.back().span, "there is no expression in this `${}`",
           "a plain `$` before a brace is written `\\$`");
      break;
    }
    values.push_back(expr());
    if (panic_) break;
    if (!at(TokenKind::kStringMid) && !at(TokenKind::kStringTail)) {
      fail(DiagCode::E0107, cur_.span, "expected `}` after the expression, found " + shown(cur_));
      break;
    }
    tokens.push_back(cur_);
    more = at(TokenKind::kStringMid);
    advance();
  }
  no_slash_ = outer_slash;
  if (panic_) return error_expr();
  std::vector<Expr*> texts;
  if (first.has(kHeredoc)) {
    heredoc_parts(tokens, texts);
  } else {
    for (const Token& token : tokens) {
      std::string_view text =
          decode(token, raw_text(source_, token), token.span.begin + token.prefix);
      texts.push_back(string_part(token, text));
    }
  }
  Span span{first.span.begin, tokens.back().span.end};
  if (values.empty()) {
    texts[0]->span = span;
    texts[0]->flags = string_flags(first);
    return texts[0];
  }
  InterpExpr* e = make<InterpExpr>(span);
  e->flags = string_flags(first);
  std::vector<Expr*> parts;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!as<StringExpr>(texts[i])->text.empty()) parts.push_back(texts[i]);
    if (i < values.size()) parts.push_back(values[i]);
  }
  e->parts = arena_.copy(parts);
  over_all(e, e->parts);
  return e;
}

// Strips the first line, the indentation of the closing line from every line, and the closing line
// itself; its newline stays.
void Parser::heredoc_parts(std::vector<Token>& tokens, std::vector<Expr*>& parts) {
  std::string_view last = raw_text(source_, tokens.back());
  size_t newline = last.rfind('\n');
  std::string_view closing = newline == std::string_view::npos ? last : last.substr(newline + 1);
  bool own_line = newline != std::string_view::npos &&
                  closing.find_first_not_of(" \t") == std::string_view::npos;
  if (!own_line) {
    Span end{tokens.back().span.end - 3, tokens.back().span.end};
    complain(DiagCode::E0012, end, "the closing \"\"\" of a heredoc stands on a line of its own",
             "its indentation is taken off every line of the text");
    closing = {};
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    std::string_view raw = raw_text(source_, token);
    bool line_begins = false;
    if (i == 0) {
      size_t end = raw.find('\n');
      raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
      line_begins = true;
    }
    if (i + 1 == tokens.size() && own_line) {
      // The first line's newline is gone already when the heredoc is empty.
      raw = raw.substr(0, raw.size() - closing.size());
    }
    std::string text;
    LiteralError error;
    bool escapes = token.has(kHasEscapes) && !token.has(kRawText);
    while (!raw.empty()) {
      size_t end = raw.find('\n');
      std::string_view line = raw.substr(0, end == std::string_view::npos ? raw.size() : end + 1);
      raw.remove_prefix(line.size());
      size_t strip = 0;
      while (line_begins && strip < closing.size() && strip < line.size() &&
             (line[strip] == ' ' || line[strip] == '\t')) {
        ++strip;
      }
      line.remove_prefix(strip);
      line_begins = true;
      uint32_t offset = static_cast<uint32_t>(line.data() - text_.data());
      // A backslash before the newline belongs to the line, so a line decodes by itself.
      if (!escapes) {
        text += line;
      } else if (!decode_escapes(line, offset, text, error)) {
        complain(DiagCode::E0016, error.span, error.message, error.hint);
        break;
      }
    }
    parts.push_back(string_part(token, arena_.copy_text(text)));
  }
}

}  // namespace quelea::compiler
