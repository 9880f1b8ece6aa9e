#include "compiler/syntax/interner.h"

#include "compiler/syntax/token.h"

namespace quelea::compiler {

Interner::Interner() {
  slots_.resize(1024);
  texts_.push_back({});
  // The order makes words::kX constants: see token.h.
#define KEYWORD(name, text) intern(text);
#define WORD(name, text) intern(text);
#include "compiler/syntax/tokens.def"
}

Symbol Interner::intern(std::string_view text, uint32_t hash) {
  if (text.empty()) return Symbol::kNone;
  size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].symbol != 0) {
    if (slots_[at].hash == hash && texts_[slots_[at].symbol] == text) {
      return static_cast<Symbol>(slots_[at].symbol);
    }
    at = (at + 1) & mask;
  }
  uint32_t symbol = static_cast<uint32_t>(texts_.size());
  texts_.push_back(arena_.copy_text(text));
  slots_[at] = {hash, symbol};
  if (texts_.size() * 2 > slots_.size()) grow();
  return static_cast<Symbol>(symbol);
}

Symbol Interner::find(std::string_view text) const {
  uint32_t hash = hash_text(text);
  size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].symbol != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && texts_[slots_[at].symbol] == text) {
      return static_cast<Symbol>(slots_[at].symbol);
    }
  }
  return Symbol::kNone;
}

void Interner::grow() {
  std::vector<Slot> bigger(slots_.size() * 2);
  size_t mask = bigger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.symbol == 0) continue;
    size_t at = slot.hash & mask;
    while (bigger[at].symbol != 0) at = (at + 1) & mask;
    bigger[at] = slot;
  }
  slots_.swap(bigger);
}

}  // namespace quelea::compiler
