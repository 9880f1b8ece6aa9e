// The memory of one process.
//
// A process has one block in which its heap grows upwards and its stack downwards; they meet in the
// middle:
//
//   block_                 hp                  fp - frame        fp                    block_end_
//   +----------------------+--------------------+-----------------+-----------------------+
//   | young objects        |       free         | current frame   | frames of the callers |
//   +----------------------+--------------------+-----------------+-----------------------+
//
// Three more places hold objects of the process:
//   fragments   pieces outside of the block: received messages, and what natives built when the
//               block was full. They are as young as the block.
//   old space   segments that a collection moves young survivors to (vm/heap/old_space.h). They
//               stay where they are while the old space is large; a small one is copied now and
//               then. Small processes have none.
//   literals    shared by all processes, outside of every heap (vm/code/literal_area.h).
//
// Nothing here is shared between processes; only the owner (or whoever runs it) touches it. The
// collector is described in vm/heap/collector.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "vm/heap/old_space.h"
#include "vm/term/alloc.h"

namespace quelea {

struct SharedBytes;

/// Slots that every frame may use below its last one without a check (captured values of a called
/// fun).
inline constexpr std::size_t kRedZoneSlots = 4;
inline constexpr std::size_t kRedZoneBytes = kRedZoneSlots * sizeof(Word);

/// A piece of memory with terms outside of the block: a header, and words, of which [start, top)
/// are whole objects. Messages are fragments (vm/proc/signal.h), most of them of few words, and
/// there may be millions: so the header is small, and holds sizes instead of pointers.
struct Fragment {
  /// Where the words begin: behind the header of a signal, which has a word more.
  static constexpr std::size_t kHeaderBytes = 32;
  static constexpr std::size_t kMostUsed = (std::size_t{1} << 32) - 1;
  static constexpr std::size_t kMostFree = (std::size_t{1} << 24) - 1;

  Fragment* next = nullptr;
  Word* ref_binaries = nullptr;  ///< Chain of the RefBinary objects in it, as in TermAlloc.
  std::uint32_t used = 0;        ///< Words.
  std::uint32_t free : 24;       ///< Words behind them; what is beyond kMostFree is not used.
  std::uint32_t tag : 8 = 0;     ///< What a signal is.

  /// In memory of kHeaderBytes and so many words.
  explicit Fragment(std::size_t words)
      : free(static_cast<std::uint32_t>(std::min(words, kMostFree)) & kMostFree) {}

  std::size_t used_words() const { return used; }
  Word* start() { return reinterpret_cast<Word*>(reinterpret_cast<char*>(this) + kHeaderBytes); }
  Word* top() { return start() + used; }
  Word* limit() { return top() + free; }
  const Word* start() const { return const_cast<Fragment*>(this)->start(); }
  const Word* top() const { return const_cast<Fragment*>(this)->top(); }
  /// More of its words are in use.
  void set_top(const Word* top) {
    const auto more = static_cast<std::size_t>(top - this->top());
    used += static_cast<std::uint32_t>(more);
    free -= static_cast<std::uint32_t>(std::min<std::size_t>(more, free)) & kMostFree;
  }
  /// Nothing more is built in it.
  void close() { free = 0; }
};

class Heap : public TermAlloc {
 public:
  /// Takes a block of `words` words, the stack being empty. False: there is no memory for it.
  bool init_block(std::size_t words);
  /// The same with memory that belongs to somebody else: the heap's own record.
  void init_embedded_block(Word* block, std::size_t words);
  /// Gives everything back: block, fragments, old space, shared bytes.
  void release_all();

  Word* block() const { return block_; }
  Word* block_end() const { return block_end_; }
  std::size_t block_words() const { return static_cast<std::size_t>(block_end_ - block_); }
  /// Words of heap in use (block, fragments, old space), dead ones that were not collected yet
  /// included.
  std::size_t used_words() const;
  /// Words of memory held, the stack included.
  std::size_t held_words() const;

  /// Nothing but the first block, in the memory of its record: no collection makes it smaller.
  bool is_smallest() const {
    return block_embedded_ && fragments_ == nullptr && old_ == nullptr && ref_binaries == nullptr;
  }

  /// About how many bytes outside of it the heap keeps alive, shared ones counted fully.
  std::size_t outside_bytes() const;
  /// Bytes of the buffers that binaries of this heap refer to, each buffer once; of more than
  /// `most` binaries about as many.
  std::size_t binary_bytes(std::size_t most = static_cast<std::size_t>(-1)) const;
  std::size_t min_block_words() const { return min_block_words_; }
  /// Visits those buffers of `most` binaries. False: there are more.
  bool for_each_binary(std::size_t most,
                       const std::function<void(const SharedBytes&)>& visit) const;

  /// True while `alloc` builds in a fragment because the block was full.
  bool in_fragment() const { return block_hp_ != nullptr; }
  Word* block_top() const { return block_hp_ != nullptr ? block_hp_ : hp; }
  /// Goes back to the block after a native or slow path.
  void leave_fragment();
  /// `alloc` when the block is full: room in a fragment, and a collection is due.
  Word* alloc_in_fragment(std::size_t words);
  /// The old space, made where there is none.
  OldSpace& old();
  /// Makes a received message's memory part of this heap, `as_old` where there is an old space. It
  /// must refer to nothing but itself and literals. Wants no memory.
  void adopt(Fragment* fragment, bool as_old);
  /// A collection is wanted at the next safe point.
  bool collection_due() const { return collection_due_; }
  void set_collection_due(bool full) {
    collection_due_ = true;
    full_due_ = full_due_ || full;
  }
  void set_min_block_words(std::size_t words);
  /// The next collection will look at the old space, too, in a heap that may have so many words.
  bool full_collection_ahead(std::size_t limit_words) const;
  std::size_t old_words() const { return old_ != nullptr ? old_->words : 0; }
  /// Adopted messages have filled the old space.
  bool old_space_is_full() const { return old_ != nullptr && old_->words > old_->full_at_words; }
  /// A full collection marks (vm/heap/marking.h); else it copies.
  bool marks_old_space() const;
  /// A cycle of marking is under way.
  bool is_marking() const { return old_ != nullptr && old_->marking != nullptr; }
  /// The process goes on when that is over.
  bool waits_for_marking() const;
  /// Such a cycle has just ended: nothing that is dead is in the old space.
  bool old_space_is_exact() const { return old_ != nullptr && old_->is_exact; }

 protected:
  friend class Collector;
  friend class HeapWalker;

  /// After the last step of a cycle.
  void finish_marking(std::size_t limit_words);
  /// Another block takes the place of the present one, which is given back.
  void replace_block(Word* block, std::size_t words);

  Word* block_ = nullptr;
  Word* block_end_ = nullptr;
  Word* block_hp_ = nullptr;  ///< The block's hp while `hp` is in a fragment, else null.
  Fragment* fragments_ = nullptr;
  OldSpace* old_ = nullptr;
  std::uint32_t min_block_words_ = 0;
  std::uint32_t fragment_words_ = 0;  ///< In `fragments_`; saturates.
  std::uint32_t young_words_ = 0;     ///< Generational: wanted size of the young part of the block.
  bool collection_due_ = false;
  bool full_due_ = false;
  bool block_embedded_ = false;  ///< `block_` lies in the piece of memory of this record.
};

/// The fragment's memory and what it refers to outside.
void release_fragment(Fragment* fragment);
/// Memory for `words` words of terms; `release_fragment` gives it back.
Fragment* make_fragment(std::size_t words);

}  // namespace quelea
