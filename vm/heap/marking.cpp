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
constexpr std::size_t kWaitedStepWords = kStepWords;
#endif
constexpr std::size_t kMostStepWords = std::size_t{1} << 20;
/// Words to be marked for each that becomes old: the old space grows by a third at most.
constexpr std::size_t kPace = 3;
/// What is owed is spread over about so many steps: a minor collection comes after as many slices.
constexpr std::size_t kDebtSteps = 16;
/// More bytes of binaries than this, and more than there were, and the process has to wait.
constexpr std::size_t kMinOffHeapBytes = std::size_t{32} << 20;
/// A larger object is looked at in parts.
constexpr std::ptrdiff_t kPartWords = 64;
constexpr std::size_t kMostPlaces = std::size_t{1} << 16;

std::size_t next_bit(const std::uint64_t* bits, std::size_t at, std::size_t end, bool set) {
  while (at < end) {
    const std::uint64_t word = (set ? bits[at / 64] : ~bits[at / 64]) >> at % 64;
    if (word != 0) return std::min(end, at + static_cast<std::size_t>(std::countr_zero(word)));
    at = (at / 64 + 1) * 64;
  }
  return end;
}

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
    ranges_[range_count_++] = {f->start, f->used_words(), nullptr};
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
  if (Word* last = marking.ref_binaries_) {
    while (last[3] != 0) last = reinterpret_cast<Word*>(last[3]);
    last[3] = reinterpret_cast<Word>(old.ref_binaries);
    old.ref_binaries = marking.ref_binaries_;
  }
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

void Marking::mark(std::int64_t& left) {
  while (left > 0 && !failed_) {
    if (stack_.empty()) {
      phase_ = Phase::Binaries;
      return;
    }
    const Term term{stack_.pop()};
    if (QUELEA_LIKELY(term.tag() != Tag::Header)) {
      visit(term, left);
    } else {
      Word* at = term.pointer();
      visit_words(at, reinterpret_cast<Word*>(stack_.pop()), left);
    }
  }
}

/// A chain of conses is followed by a loop, as far as the budget goes.
inline void Marking::visit(Term term, std::int64_t& left) {
  for (;;) {
    --left;
    Word* object = term.pointer();
    Range* range = range_of(object);
    // What is not the cycle's: literals, or a message that a receive looked at when it began.
    if (QUELEA_UNLIKELY(range == nullptr)) return;
    if (QUELEA_UNLIKELY(range->bits == nullptr) && !make_bits(*range)) {
      failed_ = true;
      return;
    }
    const auto index = static_cast<std::size_t>(object - range->begin);
    std::uint64_t& word = range->bits[index / 64];
    if ((word >> index % 64 & 1) != 0) return;
    if (term.is_boxed()) return visit_boxed(*range, index, object, left);
    --left;
    word |= std::uint64_t{3} << index % 64;
    if (index % 64 == 63) range->bits[index / 64 + 1] |= 1;
    if (term.is_float()) return;
    const Term head{object[0]};
    const Term tail{object[1]};
    if (QUELEA_UNLIKELY(left <= 0)) {
      note(tail);
      return note(head);
    }
    if (head.is_pointer()) {
      note(tail);
      term = head;
    } else if (tail.is_pointer()) {
      term = tail;
    } else {
      return;
    }
  }
}

inline void Marking::visit_boxed(const Range& range, std::size_t index, Word* object,
                                 std::int64_t& left) {
  const Header header{object[0]};
  const std::size_t words = 1 + header.payload_words();
  set_bits(range.bits, index, words);
  if (is_raw_kind(header.kind())) return;
  visit_words(object + 1, object + words, left);
}

void Marking::visit_words(Word* at, Word* end, std::int64_t& left) {
  if (end - at > kPartWords) {
    Word* const rest = at + kPartWords;
    if (!stack_.push(reinterpret_cast<Word>(end)) ||
        !stack_.push(reinterpret_cast<Word>(rest) | static_cast<Word>(Tag::Header))) {
      failed_ = true;
      return;
    }
    end = rest;
  }
  left -= end - at;
  while (end > at) note(Term{*--end});
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
      if (make_holes(fragment->start, left)) {
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
