#include "vm/heap/old_space.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "vm/base/memory.h"
#include "vm/heap/heap.h"

namespace quelea {

namespace {
constexpr std::size_t kMinSegmentWords = std::size_t{1} << 12;
/// Small enough for some to be free as a whole, and for one to be looked through in one step.
constexpr std::size_t kMaxSegmentWords = std::size_t{1} << 17;
/// How many holes are looked at for an object before it gets a new segment.
constexpr int kHoleTries = 4;
}  // namespace

Hole* OldSpace::make_hole(Word* begin, Word* end) {
  auto hole = reinterpret_cast<Hole*>(begin);
  hole->header = Header::make(Kind::Hole, static_cast<std::size_t>(end - begin) - 1).bits;
#if QUELEA_GCSTRESS
  // Whoever still looks at what was here sees nonsense at once.
  std::memset(begin + 1, 0xf7, static_cast<std::size_t>(end - begin - 1) * sizeof(Word));
#endif
  return hole;
}

void OldSpace::add_hole(Word* begin, Word* end) {
  if (begin == end) return;
  Hole* hole = make_hole(begin, end);
  const auto words = static_cast<std::size_t>(end - begin);
  if (words < kMinHoleWords) return;
  Hole*& list = words >= kLargeHoleWords ? large_holes : small_holes;
  hole->next = list;
  list = hole;
  hole_words += words;
}

bool OldSpace::find_room(std::size_t words) {
  if (hp != nullptr && static_cast<std::size_t>(limit - hp) >= words) return true;
  for (Hole** list : {&large_holes, &small_holes}) {
    int tries = 0;
    for (Hole** link = list; *link != nullptr && tries < kHoleTries; ++tries) {
      Hole* hole = *link;
      if (hole->words() < words) {
        link = &hole->next;
        continue;
      }
      *link = hole->next;
      hole_words -= hole->words();
      if (hp != nullptr) add_hole(hp, limit);
      hp = &hole->header;
      limit = hp + hole->words();
      return true;
    }
  }
  return false;
}

void OldSpace::add_segment(std::size_t words) {
  if (hp != nullptr) add_hole(hp, limit);
  const std::size_t size =
      std::max(words + 1, std::clamp(held_words / 4, kMinSegmentWords, kMaxSegmentWords));
  void* memory = allocate(sizeof(Segment) + size * sizeof(Word));
  if (memory == nullptr) no_memory();
  // A small old space may never fill it.
  if (size >= kMaxSegmentWords) make_present(memory, sizeof(Segment) + size * sizeof(Word));
  segments = new (memory) Segment{segments, nullptr};
  hp = segments->start();
  limit = hp + size;
  segments->limit = limit;
  held_words += size;
}

void OldSpace::set_next_full(std::size_t limit_words) {
  const std::size_t growth = words > limit_words / 2 ? limit_words / 4 : words;
  full_at_words = std::max(words + growth, kMinFullAtWords);
  full_at_off_heap_bytes = std::max(2 * off_heap_bytes, kMinFullAtOffHeapBytes);
}

bool OldSpace::is_wasteful() const {
  const std::size_t lost = held_words - words - free_words();
  return lost > words || held_words > words * 5 / 2 + 4 * kMaxSegmentWords;
}

void OldSpace::forget_room() {
  hp = nullptr;
  limit = nullptr;
  large_holes = nullptr;
  small_holes = nullptr;
  hole_words = 0;
}

void release_segment(Segment* segment) {
#if QUELEA_GCSTRESS
  std::memset(segment->start(), 0xf7, segment->words() * sizeof(Word));
#endif
  release(segment);
}

void release_pieces(Segment* segments, Fragment* fragments) {
  while (segments != nullptr) {
    Segment* next = segments->next;
    release_segment(segments);
    segments = next;
  }
  while (fragments != nullptr) {
    Fragment* next = fragments->next;
    release(fragments);
    fragments = next;
  }
}

}  // namespace quelea
