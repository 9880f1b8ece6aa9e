// The collector of one process's heap.
//
// The problem: most objects die young, the few that live are not to be copied again and again while
// a heap grows, millions of processes have heaps of a few words, and a stack may be ten million
// frames deep.
//
// The idea. Copying, after Cheney: roots are copied to the target space, then the target space is
// scanned word by word, and what it points to is copied behind. Four kinds:
//
//   small   A process that uses little has a block and nothing else. All live objects are copied to
//           a new block, of a size that what survives last time suggests.
//   minor   A process that uses more has an old space. All young objects that live go to the old
//           space at once; the block is empty afterwards and stays where it is, stack included.
//           Each object that lives is copied once. Terms are immutable, so that the old space never
//           points to young objects and is not scanned.
//   copy    When the old space has doubled since the last full collection, everything is copied to
//           new segments and the old ones are freed.
//   mark    Where that would take long: a minor collection, behind which a cycle of marking begins
//           that goes on beside the process (vm/heap/marking.h).
//
// After a collection at least as many words of the block are free as the stack has, so that
// scanning a deep stack is paid by what was allocated since the last time.
//
// Objects outside of the heap (shared bytes) are counted, and freed through the chains of RefBinary
// objects, whose from-space copies say whether they were moved.
//
// A forwarded cons has a header's tag in its first word, a forwarded box an aligned address in its
// header: neither can be there otherwise.
#pragma once

#include <cstddef>
#include <vector>

#include "vm/base/memory.h"
#include "vm/heap/heap.h"
#include "vm/heap/marking.h"
#include "vm/heap/stack.h"

namespace quelea {

/// The frame where a process stopped.
struct StackTop {
  Term* fp;
  const Word* pc;        ///< At a return point: that one.
  bool at_return_point;  ///< fp is a callee's that is gone; there is no frame of its own.
  Word live_map;
  std::size_t extra_first;  ///< Slots [extra_first, extra_first + extra_count) are live, too.
  std::size_t extra_count;
};

/// Addresses that are not the heap's although its slots may refer to them.
struct ForeignRanges {
  const Word* literals_begin = nullptr;
  const Word* literals_end = nullptr;
  /// The message that a receive looks at; not adopted yet.
  const Word* message_begin = nullptr;
  const Word* message_end = nullptr;
};

/// What a collection is to do beyond the young space.
enum class Extent {
  Due,   ///< What is due.
  Full,  ///< Everything: by copying, or by a cycle that the process waits for.
  Copy,  ///< Everything, at once.
};

struct CollectionResult {
  bool full = false;
  std::size_t live_words = 0;  ///< Of a small or full collection; else what survived.
  std::size_t reclaimed_words = 0;
};

class Collector {
 public:
  /// Visits the roots outside of the stack by calling `collector.root`.
  using RootScan = void (*)(Heap& heap, Collector& collector);

  /// `limit_words`: what the process may use. Near it the old space is collected more often, so
  /// that the copy that a full collection makes fits, too.
  Collector(Heap& heap, const ForeignRanges& foreign, std::size_t limit_words)
      : heap_(heap), foreign_(foreign), limit_words_(limit_words) {}
  ~Collector() { release(fragment_ranges_); }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Collects so that `room_bytes` are free between hp and top.fp; moves the stack if it must, and
  /// then changes top.fp.
  CollectionResult collect(StackTop& top, std::size_t room_bytes, Extent extent, RootScan scan);
  /// Right after a collection: begins a cycle of marking. `wait`: one for what is dead now, and the
  /// process goes on behind it (`waits_for_marking`, unless there is no memory for a cycle).
  void begin_marking(StackTop& top, bool wait, RootScan scan);
  /// For a process that will sleep: moves all that it has into one block that is no larger than
  /// that and `room_bytes`, and gives everything else back. Sized by what was in use before, it is
  /// called right after a full collection.
  void compact(StackTop& top, std::size_t room_bytes, RootScan scan);

  void root(Term& term) {
    if (!term.is_pointer()) return;
    if (QUELEA_UNLIKELY(marking_ != nullptr)) {
      marking_->root(term);
    } else if (full_) {
      evacuate<true>(term);
    } else {
      evacuate<false>(term);
    }
  }
  /// True where roots that did not change since the last collection must be visited nevertheless.
  bool wants_all() const { return full_ || marking_ != nullptr || heap_.old_ == nullptr; }
  /// True where what roots lead to is in the old space afterwards: only then need they not be
  /// visited again before they change.
  bool fills_old() const { return heap_.old_ != nullptr; }

 private:
  struct Range {
    const Word* begin;
    const Word* end;
  };
  /// Where survivors went, one after the other.
  struct Target {
    Word* begin;
    Word* top;
  };

  /// There is no memory to go on with: what is in two places is put so that `release_all` gives all
  /// back. Nothing else may be done with the heap any more.
  void give_up();
  void collect_small(StackTop& top, std::size_t room_bytes, RootScan scan);
  void collect_generational(StackTop& top, std::size_t room_bytes, RootScan scan);
  void prepare_from_space();
  void sort_fragments();
  // kAll: the whole heap is collected, so that all that is nobody else's is in the from-space.
  template <bool kAll>
  bool in_from_space(const Word* object);
  bool in_fragments(const Word* object);
  template <bool kAll>
  void evacuate(Term& term);
  Word* to_space(std::size_t words);
  Word* next_target(std::size_t words);
  void open_target();
  void close_target();
  void scan_stack(StackTop& top);
  void scan_to_space();
  template <bool kAll>
  void scan_targets();
  template <bool kAll>
  void scan_words(Word*& at, Word* const& end);
  /// Drops the references of the dead; counts what the living hold, one buffer in a row once.
  void sweep_ref_binaries(Word* chain, Word*& survivors, std::size_t& bytes,
                          const void*& last_counted);
  void free_young_fragments();
  /// Begins to copy the old space as a whole: what it was made of becomes `from_…`.
  void take_old_space();
  /// A block of another size, where too little of the present one would be free or far too much.
  void fit_block(StackTop& top, std::size_t room_bytes);
  /// Copies what lives, and the stack, to a new block of `words` words. `old_chain`: binaries of an
  /// old space that is left, too.
  void move_to_block(StackTop& top, std::size_t room_words, Word* block, std::size_t words,
                     Word* old_chain, RootScan scan);
  void replace_block(StackTop& top, std::size_t room_words, std::size_t words);

  Heap& heap_;
  const ForeignRanges foreign_;
  const std::size_t limit_words_;
  bool full_ = false;
  Marking* marking_ = nullptr;  ///< While its roots are noted.
  Range young_{};
  Range* fragment_ranges_ = nullptr;  ///< Sorted; null: nobody has asked yet.
  std::size_t fragment_count_ = 0;
  Range fragment_envelope_{};
  Word* to_block_ = nullptr;  ///< A new block that is not the heap's yet.
  Word* to_hp_ = nullptr;
  Word* to_limit_ = nullptr;
  Word* scan_at_ = nullptr;
  std::vector<Target> targets_;  ///< In the old space, in order of filling; the last one is open.
  std::size_t scan_target_ = 0;
  /// Of a collection that copies all: the old space that is left.
  Segment* from_segments_ = nullptr;
  Fragment* from_fragments_ = nullptr;
  Word* from_chain_ = nullptr;
};

}  // namespace quelea
