// A cycle of marking: how a large old space is collected while its process works on.
//
// The problem: a full collection by copying stops its process for as long as all takes that lives,
// a quarter of a second for 400 MB, and needs as much memory again.
//
// The idea. Terms are immutable, and old objects refer only to older ones. So what was in the old
// space when a cycle began can be reached from nothing but the roots of that moment: what was dead
// then stays dead, and no barrier tells of changes, because there are none. What becomes old later
// is in pieces that are not part of the cycle, and counts as alive.
//
//   begin      right after a minor collection, when all that lives is old: the pieces of the old
//              space become the cycle's, the roots are noted.
//   mark       in steps, by the owner, before its slices. A bit for each word of a living object;
//              the bits are beside the pieces, because a cons has no header that could hold one.
//   binaries   the references of dead RefBinary objects are dropped, in steps.
//   sweep      in steps: pieces where nothing lives are given back, runs of words without a bit
//              become holes, which the next survivors fill.
//
// Between steps anything may happen to the process but a collection that moves what is old: that
// one gives the cycle up first, and so does whoever cannot get memory for it. Nothing is lost by
// it. A step does as much as it is told in words and not by the clock, so that the deterministic
// machine stays that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/heap/mark_stack.h"
#include "vm/heap/old_space.h"
#include "vm/term/term.h"

namespace quelea {

class Marking {
 public:
  /// All that is in the old space now is what will be looked through. `literals`: not to be looked
  /// at. Null: there is no memory for it.
  static Marking* begin(OldSpace& old, const Word* literals_begin, const Word* literals_end);
  /// Before the first step.
  void root(Term term);

  /// Does about `budget` words of work. True: the cycle is over, and the old space has its pieces
  /// again; or it has to be given up, for want of memory (`failed`).
  bool step(std::size_t budget);
  bool failed() const { return failed_; }
  /// Gives the pieces back as they were, as far as they were not swept, and ends the cycle.
  static void give_up(OldSpace& old);
  /// Ends a cycle that is over.
  static void end(OldSpace& old);

  /// How much the next step should do, so that the cycle ends before the old space is much larger;
  /// asked once before each.
  std::size_t budget();
  /// The process waits for the end. Else it works on between the steps.
  bool is_waited_for() const { return waited_for_; }
  void wait_for() { waited_for_ = true; }
  /// Nothing was decided yet: giving up now leaves everything as it was.
  bool is_marking() const { return phase_ == Phase::Mark; }
  bool is_sweeping() const { return phase_ == Phase::Sweep; }
  /// When it is over another one is to begin, for what has died meanwhile.
  bool once_more = false;

  std::size_t snapshot_words() const { return snapshot_words_; }
  std::size_t off_heap_bytes() const { return off_heap_bytes_; }
  /// Of the cycle itself: bits and stack.
  std::size_t extra_words() const { return bit_words_ + stack_.held_words(); }
  Word* ref_binaries() const { return ref_binaries_; }
  Segment* segments() const { return segments_; }
  Fragment* fragments() const { return fragments_; }

 private:
  static constexpr std::size_t kWindows = 16;
  static constexpr Word kWindowBytes = Word{1} << 18;

  enum class Phase : std::uint8_t { Mark, Binaries, Sweep, Over };
  struct Range {
    Word* begin;
    std::size_t words;
    std::uint64_t* bits;  ///< One a word; null: none was set yet.
  };

  /// A part of a range, and where its bits are.
  struct Window {
    Word begin;
    Word bytes;
    std::uint64_t* bits;
  };

  explicit Marking(OldSpace& old) : old_(old) {}
  ~Marking();
  bool take_ranges();
  bool index_ranges();

  Range* range_of(const Word* object) {
    const auto offset = reinterpret_cast<Word>(object) - reinterpret_cast<Word>(last_->begin);
    return QUELEA_LIKELY(offset < last_->words * sizeof(Word)) ? last_ : find_range(object);
  }
  Range* find_range(const Word* object);
  bool is_marked(const Word* object);
  Window& window_place(const Word* object) {
    return windows_[reinterpret_cast<Word>(object) / kWindowBytes % kWindows];
  }
  bool move_window(Window& window, const Word* object);
  bool make_bits(Range& range);
  static void set_bits(std::uint64_t* bits, std::size_t first, std::size_t count);

  class Walk;
  void mark(std::int64_t& left);
  void drop_binaries(std::int64_t& left);
  void sweep(std::int64_t& left);
  /// Makes holes of what is not marked in a piece. False: nothing lives in it.
  bool make_holes(Word* begin, std::int64_t& left);

  OldSpace& old_;
  const Word* literals_begin_ = nullptr;
  const Word* literals_end_ = nullptr;
  Phase phase_ = Phase::Mark;
  bool failed_ = false;
  bool waited_for_ = false;

  // What the cycle looks through: from the old space, and back to it by the sweep.
  Segment* segments_ = nullptr;
  Fragment* fragments_ = nullptr;
  Word* ref_binaries_ = nullptr;
  std::size_t off_heap_bytes_ = 0;
  std::size_t snapshot_words_ = 0;
  std::size_t live_words_ = 0;

  // Ranges in order of address. places_[(address - lowest) >> shift_] is the first range that may
  // hold it.
  Range* ranges_ = nullptr;
  std::size_t range_count_ = 0;
  std::uint32_t* places_ = nullptr;
  std::size_t span_bytes_ = 0;
  unsigned shift_ = 0;
  Range* last_ = nullptr;
  std::size_t bit_words_ = 0;
  Window windows_[kWindows] = {};  ///< Each at the place of its address.

  MarkStack stack_;
  std::size_t seen_words_ = 0;  ///< Of the old space, at the last step.
  std::size_t debt_words_ = 0;  ///< To be marked for what became old since the cycle began.
};

}  // namespace quelea
