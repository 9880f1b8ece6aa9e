// Names as numbers: equal names are equal symbols, and a symbol compares in one instruction.
//
// An interner may be shared by the files of one compilation; it is not thread safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "compiler/syntax/arena.h"

namespace quelea::compiler {

// Symbol 0 is "no name"; its text is empty.
enum class Symbol : uint32_t { kNone = 0 };

class Interner {
 public:
  Interner();

  Symbol intern(std::string_view text) { return intern(text, hash_text(text)); }
  // For the lexer, which has the hash of a word when it has read the word.
  Symbol intern(std::string_view text, uint32_t hash);
  // kNone when nobody has interned the text.
  Symbol find(std::string_view text) const;

  std::string_view text(Symbol symbol) const { return texts_[static_cast<uint32_t>(symbol)]; }
  size_t size() const { return texts_.size(); }

  static constexpr uint32_t kHashSeed = 0x811c9dc5u;
  static constexpr uint32_t hash_step(uint32_t hash, unsigned char byte) {
    return (hash ^ byte) * 0x01000193u;
  }
  static uint32_t hash_text(std::string_view text) {
    uint32_t hash = kHashSeed;
    for (unsigned char c : text) hash = hash_step(hash, c);
    return hash;
  }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t symbol;  // 0: free
  };
  void grow();

  Arena arena_;
  std::vector<std::string_view> texts_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
};

}  // namespace quelea::compiler
