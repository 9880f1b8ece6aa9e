#include "vm/heap/heap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <unordered_set>
#include <utility>

#include "vm/base/memory.h"
#include "vm/heap/marking.h"
#include "vm/term/binary.h"

namespace quelea {

namespace {
constexpr std::size_t kMinFragmentWords = 256;
constexpr std::size_t kMaxFragmentWords = std::size_t{1} << 17;
constexpr std::size_t kLeastPresentWords = std::size_t{1} << 13;
}  // namespace

void release_fragment(Fragment* fragment) {
  release_ref_binaries(fragment->ref_binaries);
  release(fragment);
}

Fragment* make_fragment(std::size_t words) {
  const std::size_t bytes = Fragment::kHeaderBytes + words * sizeof(Word);
  void* memory = words <= Fragment::kMostUsed ? allocate(bytes) : nullptr;
  if (memory == nullptr) no_memory();
  // More than that is for whoever writes it.
  if (words >= kLeastPresentWords && words <= kMaxFragmentWords) make_present(memory, bytes);
  return new (memory) Fragment(words);
}

bool Heap::init_block(std::size_t words) {
  auto block = static_cast<Word*>(allocate(words * sizeof(Word)));
  if (block == nullptr) return false;
  init_embedded_block(block, words);
  block_embedded_ = false;
  return true;
}

void Heap::init_embedded_block(Word* block, std::size_t words) {
  block_ = block;
  block_end_ = block + words;
  block_embedded_ = true;
  hp = block;
  limit = block;
  set_min_block_words(words);
}

void Heap::replace_block(Word* block, std::size_t words) {
#if QUELEA_GCSTRESS
  // Whoever still looks at the old place sees nonsense at once.
  std::memset(block_, 0xf7, block_words() * sizeof(Word));
#endif
  if (!block_embedded_) release(block_);
  block_ = block;
  block_end_ = block + words;
  block_embedded_ = false;
}

void Heap::release_all() {
  if (block_ == nullptr) return;
  release_ref_binaries(ref_binaries);
  ref_binaries = nullptr;
  while (fragments_ != nullptr) {
    Fragment* next = fragments_->next;
    release(fragments_);
    fragments_ = next;
  }
  if (old_ != nullptr) {
    if (old_->marking != nullptr) Marking::give_up(*old_);
    release_ref_binaries(old_->ref_binaries);
    release_pieces(old_->segments, old_->fragments);
    delete old_;
    old_ = nullptr;
  }
  if (!block_embedded_) release(block_);
  block_ = block_end_ = hp = limit = block_hp_ = nullptr;
}

std::size_t Heap::used_words() const {
  const Word* top = block_hp_ != nullptr ? block_hp_ : hp;
  return static_cast<std::size_t>(top - block_) + fragment_words_ +
         (old_ != nullptr ? old_->words : 0);
}

std::size_t Heap::held_words() const {
  std::size_t words = block_words() + fragment_words_;
  if (old_ != nullptr) words += old_->held_words;
  if (is_marking()) words += old_->marking->extra_words();
  return words;
}

std::size_t Heap::outside_bytes() const {
  std::size_t bytes = off_heap_bytes;
  if (old_ != nullptr) bytes += old_->off_heap_bytes;
  if (is_marking()) bytes += old_->marking->off_heap_bytes();
  return bytes;
}

void Heap::finish_marking(std::size_t limit_words) {
  Marking& marking = *old_->marking;
  const bool once_more = marking.once_more;
  old_->is_exact = marking.is_waited_for() && !once_more;
  if (marking.failed()) {
    // No memory for marks is no reason to look for it again soon, nor one to wait.
    Marking::give_up(*old_);
    old_->full_at_words = old_->words + old_->words / 8;
    return;
  }
  Marking::end(*old_);
  old_->set_next_full(limit_words);
  old_->copy_due = old_->is_wasteful();
  if (once_more || old_->copy_due) set_collection_due(true);
}

bool Heap::waits_for_marking() const { return is_marking() && old_->marking->is_waited_for(); }

bool Heap::for_each_binary(std::size_t most,
                           const std::function<void(const SharedBytes&)>& visit) const {
  std::unordered_set<const SharedBytes*> seen;
  for (Word* chain : {ref_binaries, old_ != nullptr ? old_->ref_binaries : nullptr,
                      is_marking() ? old_->marking->ref_binaries() : nullptr}) {
    for (; chain != nullptr; chain = reinterpret_cast<Word*>(chain[3])) {
      if (most-- == 0) return false;
      const SharedBytes* shared = ref_binary_bytes(Term::boxed(chain));
      if (seen.insert(shared).second) visit(*shared);
    }
  }
  return true;
}

std::size_t Heap::binary_bytes(std::size_t most) const {
  std::size_t bytes = 0;
  const bool is_all =
      for_each_binary(most, [&](const SharedBytes& shared) { bytes += shared.capacity; });
  return is_all ? bytes : outside_bytes();
}

void Heap::set_min_block_words(std::size_t words) {
  min_block_words_ = static_cast<std::uint32_t>(
      std::min<std::size_t>(words, std::numeric_limits<std::uint32_t>::max()));
}

OldSpace& Heap::old() {
  if (old_ == nullptr) old_ = new OldSpace;
  return *old_;
}

Word* Heap::alloc_in_fragment(std::size_t words) {
  collection_due_ = true;
  if (block_hp_ != nullptr) {
    fragment_words_ += static_cast<std::uint32_t>(hp - fragments_->top());
    fragments_->set_top(hp);
  }
  // Goes on in the newest fragment, if natives made it and it has room.
  if (fragments_ == nullptr || fragments_->free < words) {
    const std::size_t grown = std::min(kMaxFragmentWords, 2 * std::size_t{fragment_words_});
    Fragment* fragment = make_fragment(std::max({words, grown, kMinFragmentWords}));
    fragment->next = fragments_;
    fragments_ = fragment;
  }
  if (block_hp_ == nullptr) block_hp_ = hp;
  Word* result = fragments_->top();
  hp = result + words;
  limit = fragments_->limit();
  return result;
}

void Heap::leave_fragment() {
  const auto made = static_cast<std::size_t>(hp - fragments_->top());
  fragments_->set_top(hp);
  fragment_words_ = static_cast<std::uint32_t>(
      std::min<std::size_t>(fragment_words_ + made, std::numeric_limits<std::uint32_t>::max()));
  hp = block_hp_;
  limit = block_hp_;
  block_hp_ = nullptr;
}

void Heap::adopt(Fragment* fragment, bool as_old) {
  join_ref_binaries(as_old ? old_->ref_binaries : ref_binaries,
                    std::exchange(fragment->ref_binaries, nullptr));
  // Nobody builds in it: `alloc_in_fragment` must not find room.
  fragment->close();
  if (as_old) {
    fragment->next = old_->fragments;
    old_->fragments = fragment;
    old_->words += fragment->used_words();
    old_->held_words += fragment->used_words();
  } else {
    fragment->next = fragments_;
    fragments_ = fragment;
    fragment_words_ = static_cast<std::uint32_t>(std::min<std::size_t>(
        fragment_words_ + fragment->used_words(), std::numeric_limits<std::uint32_t>::max()));
  }
}

}  // namespace quelea
