#include "vm/heap/collector.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "vm/base/memory.h"
#include "vm/term/binary.h"

namespace quelea {

namespace {

#if QUELEA_GCSTRESS
constexpr std::size_t kSmallHeapWords = std::size_t{1} << 9;
constexpr std::size_t kFirstYoungWords = std::size_t{1} << 9;
constexpr std::size_t kMarkedWords = std::size_t{1} << 10;
#else
/// With more words in use than this a process gets an old space.
constexpr std::size_t kSmallHeapWords = std::size_t{1} << 14;
constexpr std::size_t kFirstYoungWords = std::size_t{1} << 15;
/// A smaller old space is copied, which takes less time in all: 1.5 ms on pages that are there.
constexpr std::size_t kMarkedWords = std::size_t{1} << 19;
#endif
constexpr std::size_t kMaxYoungWords = std::size_t{1} << 18;
constexpr std::size_t kMostPresentWords = std::size_t{1} << 20;
constexpr std::size_t kPrefetchWords = 8;

Word* allocate_words(std::size_t words) {
  auto result = static_cast<Word*>(allocate(words * sizeof(Word)));
  if (result == nullptr) no_memory();
  // A block of this size is filled soon.
  if (words >= kFirstYoungWords && words <= kMostPresentWords) {
    make_present(result, words * sizeof(Word));
  }
  return result;
}

/// Binaries have brought this collection on, and the machine has little room left for more: dead
/// ones in the old space must not be what refuses the next.
bool binaries_are_tight(const Heap& heap) {
  const BinaryAccount* account = heap.binary_account;
  return account != nullptr && heap.off_heap_bytes > account->collect_after &&
         !account->has_room(account->limit / 2);
}

}  // namespace

bool Heap::full_collection_ahead(std::size_t limit_words) const {
  if (old_ == nullptr) return false;
  if (full_due_) return true;
  // A cycle under way is the collection that is due, and what it left is no reason for another.
  if (waits_for_marking() || old_->is_exact) return false;
  if (old_->words > limit_words || binaries_are_tight(*this)) return true;
  return old_->marking == nullptr &&
         (old_->words > old_->full_at_words || old_->off_heap_bytes > old_->full_at_off_heap_bytes);
}

bool Heap::marks_old_space() const {
  return old_ != nullptr && old_->words > kMarkedWords && !old_->copy_due;
}

CollectionResult Collector::collect(StackTop& top, std::size_t room_bytes, Extent extent,
                                    RootScan scan) {
  if (heap_.in_fragment()) heap_.leave_fragment();
  const std::size_t before = heap_.used_words();
  if (heap_.old_ == nullptr && before > kSmallHeapWords) heap_.old();
  const bool small = heap_.old_ == nullptr;
  // Who needs to know what is dead now has to wait for it.
  const bool wait = extent != Extent::Due || heap_.full_due_ ||
                    (!small && (heap_.old_->words > limit_words_ || binaries_are_tight(heap_)));
  const bool whole = !small && (extent != Extent::Due || heap_.full_collection_ahead(limit_words_));
  full_ = whole && (extent == Extent::Copy || !heap_.marks_old_space());
  try {
    if (small) {
      collect_small(top, room_bytes, scan);
    } else {
      collect_generational(top, room_bytes, scan);
      heap_.old_->is_exact = false;
    }
  } catch (const std::bad_alloc&) {
    give_up();
    throw;
  }
  heap_.off_heap_bytes = 0;
  heap_.fragment_words_ = 0;
  heap_.collection_due_ = false;
  heap_.full_due_ = false;
  heap_.limit = heap_.hp;
  CollectionResult result;
  result.full = full_ || small;
  const std::size_t after = heap_.used_words();
  result.live_words = after;
  result.reclaimed_words = before > after ? before - after : 0;
  if (whole && !full_) begin_marking(top, wait, scan);
  return result;
}

void Collector::begin_marking(StackTop& top, bool wait, RootScan scan) {
  OldSpace& old = *heap_.old_;
  if (old.marking != nullptr) {
    if (!wait) return;
    if (!old.marking->is_marking()) {
      // Half of what is dead is gone already; the rest is a matter of moments.
      old.marking->wait_for();
      old.marking->once_more = true;
      return;
    }
    Marking::give_up(old);
  }
  marking_ = Marking::begin(old, foreign_.literals_begin, foreign_.literals_end);
  if (marking_ == nullptr) {
    // Later, then.
    old.full_at_words = old.words + old.words / 8;
    return;
  }
  scan_stack(top);
  scan(heap_, *this);
  if (wait) marking_->wait_for();
  marking_ = nullptr;
}

void Collector::prepare_from_space() {
  young_ = {heap_.block_, heap_.hp};
  for (Fragment* f = heap_.fragments_; f != nullptr; f = f->next) {
    if (f->top() == f->start()) continue;
    const bool first = fragment_count_++ == 0;
    if (first || f->start() < fragment_envelope_.begin) fragment_envelope_.begin = f->start();
    if (first || f->top() > fragment_envelope_.end) fragment_envelope_.end = f->top();
  }
}

/// Of the messages of a busy server none may live: their fragments are sorted when the first object
/// is looked for in them.
void Collector::sort_fragments() {
  fragment_ranges_ = static_cast<Range*>(allocate(fragment_count_ * sizeof(Range)));
  if (fragment_ranges_ == nullptr) no_memory();
  Range* at = fragment_ranges_;
  for (Fragment* f = heap_.fragments_; f != nullptr; f = f->next) {
    if (f->top() != f->start()) *at++ = {f->start(), f->top()};
  }
  std::sort(fragment_ranges_, at, [](const Range& a, const Range& b) { return a.begin < b.begin; });
}

bool Collector::in_fragments(const Word* object) {
  if (fragment_ranges_ == nullptr) sort_fragments();
  const Range* after =
      std::upper_bound(fragment_ranges_, fragment_ranges_ + fragment_count_, object,
                       [](const Word* o, const Range& r) { return o < r.begin; });
  return after != fragment_ranges_ && object < (after - 1)->end;
}

template <bool kAll>
inline bool Collector::in_from_space(const Word* object) {
  if (kAll) {
    // All that is not somebody else's is the heap's, and every root and field is visited once.
    return !(object >= foreign_.literals_begin && object < foreign_.literals_end) &&
           !(object >= foreign_.message_begin && object < foreign_.message_end);
  }
  if (object >= young_.begin && object < young_.end) return true;
  return object >= fragment_envelope_.begin && object < fragment_envelope_.end &&
         in_fragments(object);
}

void Collector::open_target() {
  OldSpace& old = *heap_.old_;
  to_hp_ = old.hp;
  to_limit_ = old.limit;
  targets_.push_back({to_hp_, nullptr});
}

void Collector::close_target() {
  targets_.back().top = to_hp_;
  heap_.old_->hp = to_hp_;
}

Word* Collector::next_target(std::size_t words) {
  OldSpace& old = *heap_.old_;
  close_target();
  if (!old.find_room(words)) old.add_segment(words);
  open_target();
  to_hp_ += words;
  return to_hp_ - words;
}

inline Word* Collector::to_space(std::size_t words) {
  if (QUELEA_LIKELY(static_cast<std::size_t>(to_limit_ - to_hp_) >= words)) {
    Word* result = to_hp_;
    to_hp_ += words;
    return result;
  }
  return next_target(words);
}

template <bool kAll>
inline void Collector::evacuate(Term& term) {
  Word* object = term.pointer();
  if (!in_from_space<kAll>(object)) return;
  const Word first = object[0];
  const Word tag = term.bits & kTagMask;
  if (tag == static_cast<Word>(Tag::Cons)) {
    if ((first & kTagMask) == static_cast<Word>(Tag::Header)) {
      term.bits = (first & ~kTagMask) | tag;
      return;
    }
    Word* copy = to_space(2);
    copy[0] = first;
    copy[1] = object[1];
    object[0] = reinterpret_cast<Word>(copy) | static_cast<Word>(Tag::Header);
    term = Term::cons(copy);
    return;
  }
  if ((first & kTagMask) != static_cast<Word>(Tag::Header)) {
    term.bits = first | tag;
    return;
  }
  const std::size_t words = 1 + Header{first}.payload_words();
  Word* copy = to_space(words);
  if (words <= 8) {
    for (std::size_t i = 0; i < words; ++i) copy[i] = object[i];
  } else {
    std::memcpy(copy, object, words * sizeof(Word));
  }
  object[0] = reinterpret_cast<Word>(copy);
  term.bits = reinterpret_cast<Word>(copy) | tag;
}

/// Scans whole objects from `at` until it meets `end`, which moves while objects are copied behind.
template <bool kAll>
inline void Collector::scan_words(Word*& at, Word* const& end) {
  while (at < end) {
    // What is copied soon is fetched now. The address may be any word: a prefetch never faults.
    if (kAll && end - at > static_cast<std::ptrdiff_t>(kPrefetchWords)) {
      __builtin_prefetch(reinterpret_cast<const void*>(at[kPrefetchWords]));
    }
    const Word word = *at;
    if ((word & kTagMask) == static_cast<Word>(Tag::Header)) {
      const Header header{word};
      at += is_raw_kind(header.kind()) ? 1 + header.payload_words() : 1;
      continue;
    }
    if (Term{word}.is_pointer()) evacuate<kAll>(*reinterpret_cast<Term*>(at));
    ++at;
  }
}

void Collector::scan_to_space() {
  if (full_) {
    scan_targets<true>();
  } else {
    scan_targets<false>();
  }
}

template <bool kAll>
void Collector::scan_targets() {
  if (targets_.empty()) {
    scan_words<kAll>(scan_at_, to_hp_);
    return;
  }
  for (;;) {
    // The open one may be closed while it is scanned; then its top is its end.
    while (scan_target_ + 1 == targets_.size() && scan_at_ < to_hp_) {
      Word* const end = to_hp_;
      scan_words<kAll>(scan_at_, end);
    }
    if (scan_target_ + 1 == targets_.size()) return;
    Word* const end = targets_[scan_target_].top;
    scan_words<kAll>(scan_at_, end);
    ++scan_target_;
    scan_at_ = targets_[scan_target_].begin;
  }
}

void Collector::scan_stack(StackTop& top) {
  auto slot = [this](Term* at) { root(*at); };
  Term* fp = top.fp;
  const ReturnPoint* point;
  if (top.at_return_point) {
    point = reinterpret_cast<const ReturnPoint*>(top.pc);
  } else {
    for_each_live(top.live_map, [&](std::uint32_t i) { slot(fp - i); });
    for (std::size_t i = 0; i < top.extra_count; ++i) {
      const std::size_t index = top.extra_first + i;
      if (!is_live(top.live_map, static_cast<std::uint32_t>(index))) slot(fp - index);
    }
    point = &return_point_of(fp);
  }
  while (point->base_bytes != 0) {
    fp = caller_of(fp, *point);
    for_each_live(point->live_map, [&](std::uint32_t i) { slot(fp - i); });
    point = &return_point_of(fp);
  }
}

void Collector::sweep_ref_binaries(Word* chain, Word*& survivors, std::size_t& bytes,
                                   const void*& last_counted) {
  while (chain != nullptr) {
    Word* next = reinterpret_cast<Word*>(chain[3]);
    const Word first = chain[0];
    if ((first & kTagMask) == static_cast<Word>(Tag::Header)) {
      ref_binary_bytes(Term::boxed(chain))->release();
    } else {
      Word* copy = reinterpret_cast<Word*>(first);
      copy[3] = reinterpret_cast<Word>(survivors);
      survivors = copy;
      const SharedBytes* shared = ref_binary_bytes(Term::boxed(copy));
      if (shared != last_counted) bytes += shared->capacity;
      last_counted = shared;
    }
    chain = next;
  }
}

void Collector::give_up() {
  for (Word* chain : {heap_.ref_binaries, from_chain_}) {
    for (; chain != nullptr; chain = reinterpret_cast<Word*>(chain[3])) {
      const bool moved = (chain[0] & kTagMask) != static_cast<Word>(Tag::Header);
      Word* object = moved ? reinterpret_cast<Word*>(chain[0]) : chain;
      ref_binary_bytes(Term::boxed(object))->release();
    }
  }
  heap_.ref_binaries = nullptr;
  release_pieces(from_segments_, from_fragments_);
  release(to_block_);
}

void Collector::free_young_fragments() {
  Fragment* fragment = heap_.fragments_;
  while (fragment != nullptr) {
    Fragment* next = fragment->next;
    release(fragment);
    fragment = next;
  }
  heap_.fragments_ = nullptr;
}

void Collector::collect_small(StackTop& top, std::size_t room_bytes, RootScan scan) {
  prepare_from_space();
  const std::size_t old_words = heap_.block_words();
  const auto stack_words =
      static_cast<std::size_t>(heap_.block_end_ - reinterpret_cast<Word*>(top.fp));
  const std::size_t room_words = room_bytes / sizeof(Word) + 1;
  const std::size_t used = heap_.used_words();
  // All may survive. What survived last time says how much will be wanted beyond.
  const std::size_t needed = used + stack_words + room_words;
  std::size_t words = std::max(old_words, std::size_t{heap_.min_block_words_});
  if (heap_.young_words_ != 0)
    words = std::max<std::size_t>(heap_.min_block_words_, heap_.young_words_);
  while (words < needed) words *= 2;
  move_to_block(top, room_words, allocate_words(words), words, nullptr, scan);
  // Twice what lives, and its stack, is the size that the next block should have.
  const auto live = static_cast<std::size_t>(heap_.hp - heap_.block_);
  std::size_t wanted = heap_.min_block_words_;
  while (wanted < 2 * (live + stack_words) + room_words) wanted *= 2;
  heap_.young_words_ = static_cast<std::uint32_t>(wanted);
}

void Collector::move_to_block(StackTop& top, std::size_t room_words, Word* block, std::size_t words,
                              Word* old_chain, RootScan scan) {
  const auto stack_words =
      static_cast<std::size_t>(heap_.block_end_ - reinterpret_cast<Word*>(top.fp));
  to_block_ = to_hp_ = block;
  to_limit_ = block + words;
  scan_at_ = block;
  scan_stack(top);
  scan(heap_, *this);
  scan_to_space();
  Word* survivors = nullptr;
  std::size_t bytes = 0;
  const void* last_counted = nullptr;
  sweep_ref_binaries(heap_.ref_binaries, survivors, bytes, last_counted);
  sweep_ref_binaries(old_chain, survivors, bytes, last_counted);
  heap_.ref_binaries = survivors;
  free_young_fragments();

  const Word* low =
      std::max<const Word*>(heap_.hp, reinterpret_cast<Word*>(top.fp) - (room_words - 1));
  const auto copied = static_cast<std::size_t>(heap_.block_end_ - low);
  std::memcpy(block + words - copied, low, copied * sizeof(Word));
  top.fp = reinterpret_cast<Term*>(block + words - stack_words);
  heap_.replace_block(block, words);
  to_block_ = nullptr;
  heap_.hp = to_hp_;
}

void Collector::compact(StackTop& top, std::size_t room_bytes, RootScan scan) {
  prepare_from_space();
  full_ = true;
  const auto stack_words =
      static_cast<std::size_t>(heap_.block_end_ - reinterpret_cast<Word*>(top.fp));
  const std::size_t room_words = room_bytes / sizeof(Word) + 1;
  const std::size_t words = heap_.used_words() + stack_words + room_words;
  Word* block = allocate_words(words);
  if (heap_.old_ != nullptr) take_old_space();
  delete std::exchange(heap_.old_, nullptr);
  try {
    move_to_block(top, room_words, block, words, from_chain_, scan);
  } catch (const std::bad_alloc&) {
    give_up();
    throw;
  }
  release_pieces(from_segments_, from_fragments_);
  heap_.fragment_words_ = 0;
  heap_.young_words_ = 0;
  heap_.limit = heap_.hp;
}

void Collector::take_old_space() {
  OldSpace& old = *heap_.old_;
  if (old.marking != nullptr) Marking::give_up(old);
  from_segments_ = std::exchange(old.segments, nullptr);
  from_fragments_ = std::exchange(old.fragments, nullptr);
  from_chain_ = std::exchange(old.ref_binaries, nullptr);
  old.forget_room();
  old.words = 0;
  old.held_words = 0;
  old.off_heap_bytes = 0;
  old.last_counted = nullptr;
  old.copy_due = false;
}

void Collector::collect_generational(StackTop& top, std::size_t room_bytes, RootScan scan) {
  OldSpace& old = *heap_.old_;
  prepare_from_space();
  const std::size_t young_used =
      static_cast<std::size_t>(heap_.hp - heap_.block_) + heap_.fragment_words_;
  if (full_) take_old_space();
  if (old.hp == nullptr && !old.find_room(kMinHoleWords)) old.add_segment(0);
  open_target();
  scan_at_ = to_hp_;
  scan_stack(top);
  scan(heap_, *this);
  scan_to_space();
  close_target();
  if (old.hp != old.limit) OldSpace::make_hole(old.hp, old.limit);
  sweep_ref_binaries(heap_.ref_binaries, old.ref_binaries, old.off_heap_bytes, old.last_counted);
  sweep_ref_binaries(from_chain_, old.ref_binaries, old.off_heap_bytes, old.last_counted);
  heap_.ref_binaries = from_chain_ = nullptr;
  free_young_fragments();
  heap_.hp = heap_.block_;

  std::size_t survived = 0;
  for (const Target& target : targets_) {
    survived += static_cast<std::size_t>(target.top - target.begin);
  }
  old.words += survived;
  if (full_) {
    old.set_next_full(limit_words_);
    release_pieces(std::exchange(from_segments_, nullptr), std::exchange(from_fragments_, nullptr));
  } else if (survived * 4 > young_used && heap_.young_words_ < kMaxYoungWords) {
    heap_.young_words_ *= 2;
  }
  fit_block(top, room_bytes);
}

void Collector::fit_block(StackTop& top, std::size_t room_bytes) {
  if (heap_.young_words_ < kFirstYoungWords) heap_.young_words_ = kFirstYoungWords;
  const auto stack_words =
      static_cast<std::size_t>(heap_.block_end_ - reinterpret_cast<Word*>(top.fp));
  const std::size_t room_words = room_bytes / sizeof(Word) + 1;
  const std::size_t free_wanted = std::max<std::size_t>(heap_.young_words_, stack_words);
  const std::size_t wanted = stack_words + room_words + free_wanted;
  bool replace = heap_.block_words() < wanted || heap_.block_words() / 4 > wanted;
#if QUELEA_GCSTRESS
  replace = true;
#endif
  if (!replace) return;
  replace_block(top, room_words, wanted + (stack_words > heap_.young_words_ ? stack_words / 2 : 0));
}

void Collector::replace_block(StackTop& top, std::size_t room_words, std::size_t words) {
  const std::size_t old_words = heap_.block_words();
  const auto stack_words =
      static_cast<std::size_t>(heap_.block_end_ - reinterpret_cast<Word*>(top.fp));
  const std::size_t copied = std::min({old_words, words, stack_words + room_words});
  Word* block = allocate_words(words);
  std::memcpy(block + words - copied, heap_.block_end_ - copied, copied * sizeof(Word));
  heap_.replace_block(block, words);
  heap_.hp = block;
  top.fp = reinterpret_cast<Term*>(block + words - stack_words);
}

}  // namespace quelea
