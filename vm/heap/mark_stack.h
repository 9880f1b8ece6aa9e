// What a cycle of marking still has to look at: words in a list of chunks, so that growing copies
// nothing.
#pragma once

#include <cstddef>

#include "vm/base/memory.h"
#include "vm/term/term.h"

namespace quelea {

class MarkStack {
 public:
  MarkStack() = default;
  ~MarkStack() {
    release(spare_);
    while (top_ != nullptr) drop_top();
  }
  MarkStack(const MarkStack&) = delete;
  MarkStack& operator=(const MarkStack&) = delete;

  bool empty() const { return at_ == begin_; }
  /// False: there is no memory for it.
  bool push(Word word) {
    if (QUELEA_UNLIKELY(at_ == end_) && !grow()) return false;
    *at_++ = word;
    return true;
  }
  /// Only where it is not empty. A chunk that becomes empty is left at once, so that `empty` is a
  /// comparison.
  Word pop() {
    const Word word = *--at_;
    if (QUELEA_UNLIKELY(at_ == begin_) && top_->below != nullptr) leave_chunk();
    return word;
  }
  std::size_t held_words() const { return chunks_ * sizeof(Chunk) / sizeof(Word); }

 private:
  static constexpr std::size_t kChunkWords = (std::size_t{1} << 12) - 1;
  struct Chunk {
    Chunk* below;
    Word words[kChunkWords];
  };

  bool grow() {
    Chunk* chunk = spare_;
    spare_ = nullptr;
    if (chunk == nullptr) {
      chunk = static_cast<Chunk*>(allocate(sizeof(Chunk)));
      if (chunk == nullptr) return false;
      ++chunks_;
    }
    chunk->below = top_;
    top_ = chunk;
    begin_ = at_ = chunk->words;
    end_ = begin_ + kChunkWords;
    return true;
  }
  void leave_chunk() {
    release(spare_);
    if (spare_ != nullptr) --chunks_;
    spare_ = top_;
    top_ = top_->below;
    begin_ = top_->words;
    at_ = end_ = begin_ + kChunkWords;
  }
  void drop_top() {
    Chunk* below = top_->below;
    release(top_);
    top_ = below;
  }

  Word* at_ = nullptr;
  Word* begin_ = nullptr;
  Word* end_ = nullptr;
  Chunk* top_ = nullptr;
  Chunk* spare_ = nullptr;  ///< One, so that going up and down at a border costs nothing.
  std::size_t chunks_ = 0;
};

}  // namespace quelea
