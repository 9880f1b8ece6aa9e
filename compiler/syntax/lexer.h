// Text to tokens, one at a time, with the newline rules of the language decided here.
//
// A newline is a token only where it ends something: the innermost open bracket must be a block's
// brace (or there is none), the line must not end in something that wants more, and the next line
// must not begin with something that goes on. So the lexer keeps a stack of open brackets. The
// parser truncates that stack when it recovers from an error (restart), so that one bracket too
// many does not silence the newlines of the rest of the file.
//
// The text must be valid UTF-8; parse() checks that first.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/syntax/diagnostics.h"
#include "compiler/syntax/interner.h"
#include "compiler/syntax/source.h"
#include "compiler/syntax/token.h"

namespace quelea::compiler {

// An atom has no more (vm/term/atoms.h).
inline constexpr size_t kMaxNameCharacters = 255;

class Lexer {
 public:
  // Lexes bytes [begin, end) of the file.
  Lexer(const SourceFile& source, Interner& interner, DiagnosticSink& sink, Span range);

  Token next();

  // Open brackets after the token that next() gave last.
  size_t depth() const { return brackets_.size(); }
  // Goes back (or on) to a token's beginning with only the outermost `depth` brackets open.
  void restart(uint32_t offset, size_t depth);
  // While the parser skips what it cannot read, errors in it are not reported.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  // Makes every further token the end of the file.
  void stop() {
    at_ = end_;
    pending_set_ = false;
    brackets_.clear();
    stopped_ = true;
  }

 private:
  enum class Bracket : uint8_t {
    kBlock,
    kMap,
    kInterp,         // `${` in a string
    kInterpHeredoc,  // `${` in a heredoc
    kParen,
    kSquare,
    kBinary,
  };
  static bool is_brace(Bracket bracket) { return bracket <= Bracket::kInterpHeredoc; }

  struct Trivia {
    bool newline = false;
    bool any = false;
    bool has_doc = false;
    uint32_t doc_begin = 0;
  };

  Trivia skip_trivia();
  Token scan(Token token);
  Symbol name(std::string_view text);
  Token word(Token token);
  Token module_name(Token token);
  Token number(Token token);
  Token radix_number(Token token, int radix);
  Token character(Token token);
  Token string(Token token, bool raw);
  // The text of a string from at_ on, up to a quote or `${`.
  Token string_text(Token token, TokenKind complete, TokenKind open, bool heredoc);
  Token colon(Token token);
  Token percent(Token token);
  Token symbol(Token token);
  Token unknown(Token token);
  Token make(Token token, TokenKind kind, uint32_t length);
  void open(Bracket bracket) { brackets_.push_back(bracket); }
  void close(Bracket bracket);
  Token right_brace(Token token);
  Token left(Token token, TokenKind kind, uint32_t length, Bracket bracket);
  Token right(Token token, TokenKind kind, uint32_t length, Bracket bracket);
  bool newlines_count() const { return brackets_.empty() || brackets_.back() == Bracket::kBlock; }
  void error(DiagCode code, Span span, std::string message, std::string hint = {});

  unsigned char peek(uint32_t ahead = 0) const {
    return at_ + ahead < end_ ? static_cast<unsigned char>(text_[at_ + ahead]) : 0;
  }

  const SourceFile& source_;
  Interner& interner_;
  DiagnosticSink& sink_;
  std::string_view text_;
  uint32_t begin_;
  uint32_t at_;
  uint32_t end_;
  bool stopped_ = false;
  bool quiet_ = false;
  bool pending_set_ = false;
  TokenKind previous_ = TokenKind::kNewline;  // the last token given
  bool previous_continues_ = true;
  bool previous_ends_operand_ = false;
  Token pending_;  // held back behind a newline token
  std::vector<Bracket> brackets_;
};

}  // namespace quelea::compiler
