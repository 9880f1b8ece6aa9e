// Tokens and the symbols of known words.
#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/syntax/interner.h"
#include "compiler/syntax/source.h"

namespace quelea::compiler {

enum class TokenKind : uint8_t {
#define TOKEN(name, text) k##name,
#include "compiler/syntax/tokens.def"
#define KEYWORD(name, text) k##name,
#include "compiler/syntax/tokens.def"
};

// Symbols every interner has, at the same numbers.
namespace words {
enum Word : uint32_t {
  kNoWord = 0,
#define KEYWORD(name, text) kKeyword##name,
#include "compiler/syntax/tokens.def"
#define WORD(name, text) kWord##name,
#include "compiler/syntax/tokens.def"
};
#define WORD(name, text) inline constexpr Symbol k##name = static_cast<Symbol>(kWord##name);
#include "compiler/syntax/tokens.def"
inline constexpr Symbol kTrue = static_cast<Symbol>(kKeywordTrue);
inline constexpr Symbol kFalse = static_cast<Symbol>(kKeywordFalse);
inline constexpr Symbol kNil = static_cast<Symbol>(kKeywordNil);
}  // namespace words

inline constexpr uint32_t kKeywordCount = 0
#define KEYWORD(name, text) +1
#include "compiler/syntax/tokens.def"
    ;
inline constexpr TokenKind kFirstKeyword = TokenKind::kModule;

inline bool is_keyword(Symbol symbol) { return static_cast<uint32_t>(symbol) - 1 < kKeywordCount; }
inline TokenKind keyword_kind(Symbol symbol) {
  return static_cast<TokenKind>(static_cast<uint32_t>(kFirstKeyword) +
                                static_cast<uint32_t>(symbol) - 1);
}
inline bool is_keyword(TokenKind kind) { return kind >= kFirstKeyword; }

enum TokenFlag : uint8_t {
  kTouchesPrevious = 1,  // no space, comment or newline before it
  kOnNewLine = 2,        // first of its line
  kBeforeColon = 4,      // words: a `:` touches the end, so it may be a label
  kHasDoc = 8,           // `##` lines stand directly above
  kHasEscapes = 16,      // strings, characters
  kHeredoc = 32,         // strings
  kRawText = 64,         // strings
};

struct Token {
  TokenKind kind = TokenKind::kEndOfFile;
  uint8_t flags = 0;
  uint8_t prefix = 0;  // strings: bytes before the text begins (quotes, `r`)
  uint8_t suffix = 0;  // strings: bytes after the text ends
  Span span;
  Symbol symbol = Symbol::kNone;  // words, module names, unquoted atoms, structs
  uint32_t doc_begin = 0;         // with kHasDoc: the offset of the first `##`
  uint32_t depth = 0;             // brackets open before it

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

std::string_view token_text(TokenKind kind);
inline bool is_word(const Token& token) {
  return token.kind == TokenKind::kName || is_keyword(token.kind);
}

}  // namespace quelea::compiler
