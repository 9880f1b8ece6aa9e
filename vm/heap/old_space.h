// The old space of a process: pieces of memory with objects, and the holes between them.
//
//   segment: | header | objects, holes, objects, …, the range being filled, or a hole |
//
// Survivors of a minor collection go to one range of free words after another: what is left of
// holes, then new segments. A segment is made of whole objects at all times but during a
// collection; words that hold none are a Hole, so that a walker gets over them.
#pragma once

#include <cstddef>

#include "vm/term/term.h"

namespace quelea {

class Marking;
struct Fragment;

/// A piece of the old space; the words follow the header.
struct Segment {
  Segment* next;
  Word* limit;
  Word* start() { return reinterpret_cast<Word*>(this + 1); }
  std::size_t words() { return static_cast<std::size_t>(limit - start()); }
};

/// Free words in a segment. One of a single word is its header alone.
struct Hole {
  Word header;
  Hole* next;  ///< Where it is in a list: only those of at least kMinHoleWords are.

  std::size_t words() const { return 1 + Header{header}.payload_words(); }
};

/// Smaller holes are left alone until their neighbours die: filling them would cost more than the
/// words are worth.
inline constexpr std::size_t kMinHoleWords = 16;
/// Where objects that do not fit into any hole look first.
inline constexpr std::size_t kLargeHoleWords = std::size_t{1} << 12;

#if QUELEA_GCSTRESS
inline constexpr std::size_t kMinFullAtWords = std::size_t{1} << 10;
#else
inline constexpr std::size_t kMinFullAtWords = std::size_t{1} << 17;
#endif
inline constexpr std::size_t kMinFullAtOffHeapBytes = std::size_t{32} << 20;

struct OldSpace {
  Segment* segments = nullptr;
  Fragment* fragments = nullptr;  ///< Large messages that became old as they were.
  Word* hp = nullptr;             ///< The range being filled: [hp, limit), a hole meanwhile.
  Word* limit = nullptr;
  Hole* large_holes = nullptr;
  Hole* small_holes = nullptr;
  std::size_t words = 0;       ///< In use in all of them.
  std::size_t held_words = 0;  ///< In use or not.
  /// With more than this, the next collection is a full one.
  std::size_t full_at_words = kMinFullAtWords;
  Word* ref_binaries = nullptr;    ///< Chain of the RefBinary objects in the old space.
  std::size_t off_heap_bytes = 0;  ///< What those keep alive, roughly.
  std::size_t full_at_off_heap_bytes = kMinFullAtOffHeapBytes;  ///< The same limit for them.
  /// The buffer counted last: one that is appended to is met again in every collection.
  const void* last_counted = nullptr;
  /// A cycle under way (vm/heap/marking.h): what was here when it began is its own meanwhile.
  Marking* marking = nullptr;
  /// Too much is held for what lives: the next full collection copies.
  bool copy_due = false;
  /// A cycle that the process waited for has just ended: what is dead is not in `words`.
  bool is_exact = false;
  std::size_t hole_words = 0;  ///< In the lists.

  /// Makes [begin, end) a hole that a walker gets over. In no list.
  static Hole* make_hole(Word* begin, Word* end);
  /// Makes it one that will be filled if it is large enough.
  void add_hole(Word* begin, Word* end);
  /// The present range, or a hole with room for `words` words takes its place. False: there is
  /// none.
  bool find_room(std::size_t words);
  /// A new segment of at least `words` words takes the place of the range.
  void add_segment(std::size_t words);
  /// After a full collection: when the next one is due, in a heap that may have so many words.
  void set_next_full(std::size_t limit_words);
  /// So much is held in vain that the next full collection had better copy.
  bool is_wasteful() const;
  /// Forgets holes and range: all belong to somebody else now.
  void forget_room();
  /// Words in the holes that will be filled, and in the range.
  std::size_t free_words() const { return hole_words + static_cast<std::size_t>(limit - hp); }
};

void release_segment(Segment* segment);
void release_pieces(Segment* segments, Fragment* fragments);

}  // namespace quelea
