// What a cycle of marking still has to look at: words in a list of chunks, so that growing copies
// nothing.
//
// Who works with it holds its top in a register: `at`, the place for the next word. Below the first
// word of a chunk lies a 0, which no word that is pushed may be; so popping is a load and a test.
#pragma once

#include <cstddef>
#include <utility>

#include "vm/base/memory.h"
#include "vm/term/term.h"

namespace quelea {

class MarkStack {
 public:
  /// How many words may be pushed after `make_room`.
  static constexpr std::size_t kRoomWords = 72;

  MarkStack() = default;
  ~MarkStack() {
    release(spare_);
    while (chunk_ != nullptr) release(std::exchange(chunk_, chunk_->below));
  }
  MarkStack(const MarkStack&) = delete;
  MarkStack& operator=(const MarkStack&) = delete;

  /// Null: nothing was ever pushed.
  Word* top() const { return top_; }
  void set_top(Word* at) { top_ = at; }
  /// Where to push from now on; null: there is no memory for it.
  Word* make_room(Word* at) { return QUELEA_LIKELY(at < limit_) ? at : grow(at); }
  /// A 0 is below `at`: the top of the chunk below, or null where that was the last.
  Word* leave_chunk();
  std::size_t held_words() const { return chunks_ * sizeof(Chunk) / sizeof(Word); }

 private:
  static constexpr std::size_t kChunkWords = (std::size_t{1} << 12) - 2;
  struct Chunk {
    Chunk* below;
    Word* below_top;  ///< Of the chunk below, which need not be full.
    Word words[kChunkWords];
  };

  Word* grow(Word* at);
  void enter(Chunk* chunk) {
    chunk_ = chunk;
    limit_ = chunk->words + (kChunkWords - kRoomWords);
  }

  Word* top_ = nullptr;
  Word* limit_ = nullptr;  ///< From here on a chunk has no room.
  Chunk* chunk_ = nullptr;
  Chunk* spare_ = nullptr;  ///< One, so that going up and down at a border costs nothing.
  std::size_t chunks_ = 0;
};

inline Word* MarkStack::leave_chunk() {
  if (chunk_->below == nullptr) return nullptr;
  release(spare_);
  if (spare_ != nullptr) --chunks_;
  spare_ = chunk_;
  Word* at = chunk_->below_top;
  enter(chunk_->below);
  return at;
}

inline Word* MarkStack::grow(Word* at) {
  Chunk* chunk = std::exchange(spare_, nullptr);
  if (chunk == nullptr) {
    chunk = static_cast<Chunk*>(allocate(sizeof(Chunk)));
    if (chunk == nullptr) return nullptr;
    ++chunks_;
  }
  chunk->below = chunk_;
  chunk->below_top = at;
  chunk->words[0] = 0;
  enter(chunk);
  return chunk->words + 1;
}

}  // namespace quelea
