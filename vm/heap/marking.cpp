#include "vm/heap/marking.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "vm/heap/heap.h"
#include "vm/term/binary.h"

namespace quelea {

namespace {

#if QUELEA_GCSTRESS
constexpr std::size_t kStepWords = 64;
constexpr std::size_t kWaitedStepWords = std::size_t{1} << 12;
#else
/// About a tenth of a millisecond: what neighbours wait for.
constexpr std::size_t kStepWords = std::size_t{1} << 15;
constexpr std::size_t kWaitedStepWords = 2 * kStepWords;
#endif
constexpr std::size_t kMostStepWords = std::size_t{1} << 20;
/// Words to be marked for each that becomes old. What has to be fetched counts for more
/// (kFetchWords), so that the old space grows by more than a sixth meanwhile.
constexpr std::size_t kPace = 6;
/// What is owed is spread over about so many steps: a minor collection comes after as many slices.
constexpr std::size_t kDebtSteps = 16;
/// More bytes of binaries than this, and more than there were, and the process has to wait.
constexpr std::size_t kMinOffHeapBytes = std::size_t{32} << 20;
/// A larger object is looked at in parts.
constexpr std::size_t kPartWords = 64;
static_assert(kPartWords + 4 <= MarkStack::kRoomWords);
/// Words that have their bits in one row.
constexpr Word kRowBytes = 64 * sizeof(Word);
/// As many objects are being fetched while others are looked at.
constexpr std::size_t kAhead = 16;
/// An object that had to be fetched takes as long as so many words that are at hand.
constexpr std::int64_t kFetchWords = 8;
constexpr std::size_t kMostPlaces = std::size_t{1} << 16;

std::size_t next_bit(const std::uint64_t* bits, std::size_t at, std::size_t end, bool set) {
  while (at < end) {
    const std::uint64_t word = (set ? bits[at / 64] : ~bits[at / 64]) >> at % 64;
    if (word != 0) return std::min(end, at + static_cast<std::size_t>(std::countr_zero(word)));
    at = (at / 64 + 1) * 64;
  }
  return end;
}

/// Term::is_pointer as one test of a bit.
inline bool is_pointer(Word word) { return (0x0e0e0e0e >> (word & 31) & 1) != 0; }

}  // namespace

// Beginning and ending
// --------------------------------------------------------------------------------

Marking* Marking::begin(OldSpace& old, const Word* literals_begin, const Word* literals_end) {
  void* memory = allocate(sizeof(Marking));
  if (memory == nullptr) return nullptr;
  auto marking = new (memory) Marking(old);
  marking->literals_begin_ = literals_begin;
  marking->literals_end_ = literals_end;
  if (!marking->take_ranges() || !marking->index_ranges()) {
    marking->~Marking();
    release(memory);
    return nullptr;
  }
  marking->segments_ = std::exchange(old.segments, nullptr);
  marking->fragments_ = std::exchange(old.fragments, nullptr);
  marking->ref_binaries_ = std::exchange(old.ref_binaries, nullptr);
  marking->off_heap_bytes_ = std::exchange(old.off_heap_bytes, 0);
  old.last_counted = nullptr;
  old.forget_room();
  marking->snapshot_words_ = marking->seen_words_ = old.words;
  old.marking = marking;
  return marking;
}

bool Marking::take_ranges() {
  std::size_t count = 0;
  for (Segment* s = old_.segments; s != nullptr; s = s->next) ++count;
  for (Fragment* f = old_.fragments; f != nullptr; f = f->next) ++count;
  if (count == 0) return false;
  ranges_ = static_cast<Range*>(allocate(count * sizeof(Range)));
  if (ranges_ == nullptr) return false;
  for (Segment* s = old_.segments; s != nullptr; s = s->next) {
    ranges_[range_count_++] = {s->start(), s->words(), nullptr};
  }
  for (Fragment* f = old_.fragments; f != nullptr; f = f->next) {
    ranges_[range_count_++] = {f->start(), f->used_words(), nullptr};
  }
  std::sort(ranges_, ranges_ + range_count_,
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  last_ = ranges_;
  return true;
}

bool Marking::index_ranges() {
  const Range& last = ranges_[range_count_ - 1];
  span_bytes_ =
      reinterpret_cast<Word>(last.begin + last.words) - reinterpret_cast<Word>(ranges_[0].begin);
  const std::size_t wanted = std::min(8 * range_count_, kMostPlaces);
  while (span_bytes_ >> shift_ > wanted) ++shift_;
  const std::size_t count = (span_bytes_ >> shift_) + 2;
  places_ = static_cast<std::uint32_t*>(allocate(count * sizeof(std::uint32_t)));
  if (places_ == nullptr) return false;
  std::uint32_t range = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Word address = reinterpret_cast<Word>(ranges_[0].begin) + (i << shift_);
    while (range + 1 < range_count_ && reinterpret_cast<Word>(ranges_[range + 1].begin) <= address)
      ++range;
    places_[i] = range;
  }
  return true;
}

Marking::~Marking() {
  for (std::size_t i = 0; i < range_count_; ++i) release(ranges_[i].bits);
  release(ranges_);
  release(places_);
}

void Marking::give_up(OldSpace& old) {
  Marking& marking = *old.marking;
  auto splice = [](auto*& list, auto* more) {
    if (more == nullptr) return;
    auto* last = more;
    while (last->next != nullptr) last = last->next;
    last->next = list;
    list = more;
  };
  splice(old.segments, marking.segments_);
  splice(old.fragments, marking.fragments_);
  join_ref_binaries(old.ref_binaries, marking.ref_binaries_);
  old.off_heap_bytes += marking.off_heap_bytes_;
  end(old);
}

void Marking::end(OldSpace& old) {
  Marking* marking = std::exchange(old.marking, nullptr);
  marking->~Marking();
  release(marking);
}

std::size_t Marking::budget() {
  if (old_.words > seen_words_) debt_words_ += kPace * (old_.words - seen_words_);
  seen_words_ = old_.words;
  // Who makes more than can be looked through meanwhile has to wait.
  if (old_.words > 2 * snapshot_words_ ||
      old_.off_heap_bytes > std::max(kMinOffHeapBytes, off_heap_bytes_)) {
    waited_for_ = true;
  }
  if (waited_for_) return kWaitedStepWords;
  const std::size_t share = debt_words_ / kDebtSteps;
  debt_words_ -= share;
  return std::min(kStepWords + share, kMostStepWords);
}

bool Marking::step(std::size_t budget) {
  auto left = static_cast<std::int64_t>(budget);
  if (phase_ == Phase::Mark) mark(left);
  if (failed_) return true;
  if (phase_ == Phase::Binaries) drop_binaries(left);
  if (phase_ == Phase::Sweep) sweep(left);
  return phase_ == Phase::Over;
}

// Marking
// ---------------------------------------------------------------------------------------------

Marking::Range* Marking::find_range(const Word* object) {
  const Word offset = reinterpret_cast<Word>(object) - reinterpret_cast<Word>(ranges_[0].begin);
  if (offset >= span_bytes_) return nullptr;
  std::uint32_t low = places_[offset >> shift_];
  std::uint32_t high = places_[(offset >> shift_) + 1];
  while (low < high) {
    const std::uint32_t middle = (low + high + 1) / 2;
    if (ranges_[middle].begin <= object) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  Range& range = ranges_[low];
  if (object >= range.begin + range.words) return nullptr;
  last_ = &range;
  return &range;
}

bool Marking::make_bits(Range& range) {
  const std::size_t words = range.words / 64 + 1;
  range.bits = static_cast<std::uint64_t*>(allocate(words * sizeof(std::uint64_t)));
  if (range.bits == nullptr) return false;
  std::memset(range.bits, 0, words * sizeof(std::uint64_t));
  bit_words_ += words;
  return true;
}

void Marking::set_bits(std::uint64_t* bits, std::size_t first, std::size_t count) {
  std::uint64_t* at = bits + first / 64;
  const std::size_t offset = first % 64;
  if (offset + count <= 64) {
    *at |= (~std::uint64_t{0} >> (64 - count)) << offset;
    return;
  }
  *at++ |= ~std::uint64_t{0} << offset;
  for (count -= 64 - offset; count >= 64; count -= 64) *at++ = ~std::uint64_t{0};
  if (count != 0) *at |= ~std::uint64_t{0} >> (64 - count);
}

bool Marking::is_marked(const Word* object) {
  const Range* range = range_of(object);
  if (range == nullptr || range->bits == nullptr) return false;
  const auto index = static_cast<std::size_t>(object - range->begin);
  return (range->bits[index / 64] >> index % 64 & 1) != 0;
}

void Marking::root(Term term) {
  Word* at = stack_.make_room(stack_.top());
  if (at == nullptr) {
    failed_ = true;
    return;
  }
  *at++ = term.bits;
  stack_.set_top(at);
}

/// One step through what is to be marked, with all that it needs for an object in registers.
///
/// What lies in one of the windows, parts of pieces that were met last, is in the cache or comes
/// there by itself, and is visited at once. What lies elsewhere is fetched first: it waits in a
/// queue behind others that are being fetched. So a heap that lies in the order in which it is
/// walked costs no more than the walk, and one that does not waits for many objects at a time.
///
/// No function that is not inlined gets its address, or it would have to be in memory.
class Marking::Walk {
 public:
  Walk(Marking& marking, std::int64_t left)
      : marking_(marking), left_(left), at_(marking.stack_.make_room(marking.stack_.top())) {}

  /// True: nothing is left to be looked at.
  [[gnu::always_inline]] bool run() {
    while (QUELEA_LIKELY(at_ != nullptr)) {
      Word word = at_[-1];
      if (QUELEA_LIKELY(word != 0)) {
        --at_;
        if (QUELEA_UNLIKELY(Term{word}.tag() == Tag::Header)) {
          const Word* rest = Term{word}.pointer();
          const auto end = reinterpret_cast<Word*>(*--at_);
          word = push_fields(rest, static_cast<std::size_t>(end - rest));
        }
      } else if (Word* below = marking_.stack_.leave_chunk()) {
        at_ = below;
        continue;
      } else {
        if (first_ == last_) return true;
        word = fetched();
      }
      while (word != 0) {
        if (QUELEA_UNLIKELY(left_ <= 0)) {
          *at_++ = word;
          return false;
        }
        if (QUELEA_UNLIKELY(!holds(window_, word)) && (word = elsewhere(word)) == 0) break;
        word = visit(word);
      }
    }
    return false;
  }

  /// Notes where to go on. Gives what is left of the budget.
  [[gnu::always_inline]] std::int64_t leave() {
    while (first_ != last_ && at_ != nullptr) {
      at_ = marking_.stack_.make_room(at_);
      if (at_ != nullptr) *at_++ = ahead_[first_++ % kAhead];
    }
    if (at_ == nullptr) marking_.failed_ = true;
    marking_.stack_.set_top(at_);
    return left_;
  }

 private:
  [[gnu::always_inline]] static bool holds(const Window& window, Word word) {
    return (word & ~kTagMask) - window.begin < window.bytes;
  }

  /// Gives the object that is looked at instead, and that one's window; 0: none yet.
  [[gnu::always_inline]] Word elsewhere(Word word) {
    const Word* object = Term{word}.pointer();
    if (object >= marking_.literals_begin_ && object < marking_.literals_end_) return nothing();
    window_ = marking_.window_place(object);
    if (holds(window_, word)) return word;
    __builtin_prefetch(object);
    ahead_[last_++ % kAhead] = word;
    return last_ - first_ < kAhead ? 0 : fetched();
  }

  [[gnu::always_inline]] Word fetched() {
    const Word word = ahead_[first_++ % kAhead];
    left_ -= kFetchWords;
    Window& place = marking_.window_place(Term{word}.pointer());
    if (!holds(place, word) && !marking_.move_window(place, Term{word}.pointer())) {
      if (marking_.failed_) at_ = nullptr;
      return 0;
    }
    window_ = place;
    return word;
  }

  /// Marks what a term in the window refers to. Gives what to visit next: one of those that it
  /// refers to, as the others are pushed; or 0.
  [[gnu::always_inline]] Word visit(Word word) {
    Word* object = Term{word}.pointer();
    const std::size_t index = (reinterpret_cast<Word>(object) - window_.begin) / sizeof(Word);
    const unsigned column = index % 64;
    std::uint64_t* const row = window_.bits + index / 64;
    const std::uint64_t marked = *row;
    if ((marked >> column & 1) != 0) return nothing();
    if (Term{word}.is_boxed()) {
      const Word header = object[0];
      const std::size_t payload = Header{header}.payload_words();
      if (QUELEA_LIKELY(column + payload < 64)) {
        *row = marked | ((std::uint64_t{2} << payload) - 1) << column;
      } else {
        set_bits(window_.bits, index, 1 + payload);
      }
      left_ -= 2;
      return is_raw_kind(Header{header}.kind()) ? 0 : push_fields(object + 1, payload);
    }
    left_ -= 3;
    *row = marked | std::uint64_t{3} << column;
    if (QUELEA_UNLIKELY(column == 63)) row[1] |= 1;
    if (QUELEA_UNLIKELY(Term{word}.is_float())) return 0;
    const Term head{object[0]};
    const Term tail{object[1]};
    if (tail.is_pointer()) {
      if (!head.is_pointer()) return tail.bits;
      if (QUELEA_UNLIKELY(!make_room())) return 0;
      *at_++ = tail.bits;
      return head.bits;
    }
    return head.is_pointer() ? head.bits : 0;
  }

  /// What leads to nothing new takes its time, too.
  [[gnu::always_inline]] Word nothing() {
    --left_;
    return 0;
  }

  [[gnu::always_inline]] bool make_room() {
    at_ = marking_.stack_.make_room(at_);
    return at_ != nullptr;
  }

  /// Gives the last term, and pushes the others; a part of many, and the rest as a whole.
  [[gnu::always_inline]] Word push_fields(const Word* at, std::size_t count) {
    if (QUELEA_UNLIKELY(!make_room())) return 0;
    if (QUELEA_UNLIKELY(count > kPartWords)) {
      *at_++ = reinterpret_cast<Word>(at + count);
      *at_++ = reinterpret_cast<Word>(at + kPartWords) | static_cast<Word>(Tag::Header);
      count = kPartWords;
    }
    left_ -= static_cast<std::int64_t>(count);
    Word* const pushed = at_;
    Word last = 0;
    for (const Word* const end = at + count; at != end; ++at) {
      if (!is_pointer(*at)) continue;
      last = *at;
      *at_++ = last;
    }
    if (at_ == pushed) return 0;
    --at_;
    return last;
  }

  Marking& marking_;
  std::int64_t left_;
  Word* at_;  ///< Of the stack; null: there is no memory for it, or for bits.
  Window window_{};
  Word ahead_[kAhead];
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

/// False where the object is not the cycle's: a message that a receive looked at when it began. Or
/// there is no memory for bits.
bool Marking::move_window(Window& window, const Word* object) {
  Range* range = find_range(object);
  if (range == nullptr) return false;
  if (range->bits == nullptr && !make_bits(*range)) {
    failed_ = true;
    return false;
  }
  // Where the addresses of its place begin, or a row of bits before.
  const Word begin = reinterpret_cast<Word>(range->begin);
  const Word place = reinterpret_cast<Word>(object) / kWindowBytes * kWindowBytes;
  const Word row = place > begin ? (place - begin) / kRowBytes : 0;
  window.begin = begin + row * kRowBytes;
  window.bytes = std::min(range->words * sizeof(Word) - row * kRowBytes, kWindowBytes + kRowBytes);
  window.bits = range->bits + row;
  return true;
}

void Marking::mark(std::int64_t& left) {
  Walk walk(*this, left);
  if (walk.run()) phase_ = Phase::Binaries;
  left = walk.leave();
}

// Sweeping
// --------------------------------------------------------------------------------------------

void Marking::drop_binaries(std::int64_t& left) {
  while (ref_binaries_ != nullptr) {
    if (left <= 0) return;
    Word* object = ref_binaries_;
    ref_binaries_ = reinterpret_cast<Word*>(object[3]);
    SharedBytes* shared = ref_binary_bytes(Term::boxed(object));
    left -= 8 + static_cast<std::int64_t>(shared->capacity / 4096);
    if (!is_marked(object)) {
      shared->release();
      continue;
    }
    object[3] = reinterpret_cast<Word>(old_.ref_binaries);
    old_.ref_binaries = object;
    if (shared != old_.last_counted) old_.off_heap_bytes += shared->capacity;
    old_.last_counted = shared;
  }
  off_heap_bytes_ = 0;
  phase_ = Phase::Sweep;
}

void Marking::sweep(std::int64_t& left) {
  while (left > 0) {
    if (Segment* segment = segments_) {
      segments_ = segment->next;
      if (make_holes(segment->start(), left)) {
        segment->next = old_.segments;
        old_.segments = segment;
      } else {
        old_.held_words -= segment->words();
        release_segment(segment);
      }
    } else if (Fragment* fragment = fragments_) {
      fragments_ = fragment->next;
      if (make_holes(fragment->start(), left)) {
        fragment->next = old_.fragments;
        old_.fragments = fragment;
      } else {
        old_.held_words -= fragment->used_words();
        release(fragment);
      }
    } else {
      old_.words -= snapshot_words_ - live_words_;
      phase_ = Phase::Over;
      return;
    }
  }
}

bool Marking::make_holes(Word* begin, std::int64_t& left) {
  left -= 16;
  const Range* range = range_of(begin);
  if (range->bits == nullptr) return false;
  std::size_t dead = 0;
  const std::size_t first = next_bit(range->bits, 0, range->words, true);
  if (first == range->words) return false;
  for (std::size_t at = 0; at < range->words;) {
    const std::size_t from = next_bit(range->bits, at, range->words, false);
    at = next_bit(range->bits, from, range->words, true);
    if (from == at) break;
    old_.add_hole(begin + from, begin + at);
    dead += at - from;
    left -= 8;
  }
  left -= static_cast<std::int64_t>(range->words / 64);
  live_words_ += range->words - dead;
  return true;
}

}  // namespace quelea
