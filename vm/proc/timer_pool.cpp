#include "vm/proc/timer_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "vm/base/memory.h"

namespace quelea {

TimerPool::TimerPool(unsigned wheel, std::uint32_t generations)
    : number_base_(Word{1} << 63 | Word{wheel} << (kTimerGenerationBits + kTimerSlotBits)),
      generations_(generations) {}

TimerPool::~TimerPool() {
  for (Slab& slab : slabs_) {
    if (slab.timers != nullptr) quelea::release(slab.timers);
  }
}

/// There is one: the first from `turn` on.
std::uint32_t TimerPool::Slab::take_free() {
  std::uint32_t word = turn / 64;
  std::uint64_t bits = free[word] & ~std::uint64_t{0} << turn % 64;
  while (bits == 0) {
    word = (word + 1) % kSlabWords;
    bits = free[word];
  }
  const std::uint32_t i = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
  free[word] ^= bits & -bits;
  --free_count;
  turn = static_cast<std::uint16_t>((i + 1) % kSlabTimers);
  return i;
}

Timer* TimerPool::take() {
  if (first_ == kNone && new_slab() == kNone) return nullptr;
  const std::uint32_t index = first_;
  Slab& slab = slabs_[index];
  const std::uint32_t i = slab.take_free();
  if (slab.free_count == 0) unlink(index);
  Timer* timer = &slab.timers[i];
  const Word generation = timer->number == 0 ? slab.generation : generation_of(timer->number) + 1;
  timer->number = number_base_ | generation << kTimerSlotBits | index << kSlabBits | i;
  timer->place = Timer::kReserved;
  return timer;
}

void TimerPool::give_back(Timer* timer) {
  timer->place = Timer::kReserved;
  const std::uint32_t slot = slot_of(timer->number), index = slot >> kSlabBits;
  Slab& slab = slabs_[index];
  if (generation_of(timer->number) + 1 >= generations_) return;  // Used up.
  const std::uint32_t i = slot & (kSlabTimers - 1);
  slab.free[i / 64] |= std::uint64_t{1} << i % 64;
  if (slab.free_count++ == 0) {
    link_last(index);
  } else if (slab.free_count == kSlabTimers && index != first_) {
    release(index);
  }
}

Timer* TimerPool::find(Word number) const {
  const std::uint32_t slot = slot_of(number);
  const std::uint32_t index = slot >> kSlabBits, i = slot & (kSlabTimers - 1);
  if (index >= slabs_.size() || slabs_[index].timers == nullptr) return nullptr;
  if (!slabs_[index].is_running(i)) return nullptr;
  Timer* timer = &slabs_[index].timers[i];
  return timer->number == number ? timer : nullptr;
}

Timer* TimerPool::look_on() {
  if (looked_at_ >> kSlabBits >= slabs_.size()) {
    looked_at_ = 0;
    if (slabs_.empty()) return nullptr;
  }
  const Slab& slab = slabs_[looked_at_ >> kSlabBits];
  const std::uint32_t i = looked_at_ & (kSlabTimers - 1);
  if (slab.timers == nullptr) {
    looked_at_ += kSlabTimers - i;
    return nullptr;
  }
  ++looked_at_;
  return slab.is_running(i) ? &slab.timers[i] : nullptr;
}

bool TimerPool::new_vacant_slab() {
  if (slabs_.size() == kMaxSlabs) return false;
  try {
    slabs_.emplace_back();
  } catch (const std::bad_alloc&) {
    return false;
  }
  vacant_ = static_cast<std::uint32_t>(slabs_.size() - 1);
  return true;
}

/// Makes a slab with room, or gives memory to one that had to give it back; kNone where neither is
/// possible.
std::uint32_t TimerPool::new_slab() {
  if (vacant_ == kNone && !new_vacant_slab()) return kNone;
  // From the allocator, which keeps what falls free for a while: a mapping for each slab is two
  // changes of the address space, which other threads see, for 256 timers.
  void* memory = allocate_aligned(alignof(Timer), kSlabBytes);
  if (memory == nullptr) return kNone;
  make_present(memory, kSlabBytes);
  std::memset(memory, 0, kSlabBytes);
  const std::uint32_t index = vacant_;
  Slab& slab = slabs_[index];
  vacant_ = slab.next;
  slab.timers = static_cast<Timer*>(memory);  // Zeroes, which is what unused slots are.
  std::fill(std::begin(slab.free), std::end(slab.free), ~std::uint64_t{0});
  slab.free_count = kSlabTimers;
  ++slabs_in_use_;
  link_last(index);
  return index;
}

/// Gives an empty slab's memory back. None of its slots is used up: those are not free.
void TimerPool::release(std::uint32_t index) {
  unlink(index);
  Slab& slab = slabs_[index];
  std::uint32_t generation = slab.generation;
  for (std::uint32_t i = 0; i < kSlabTimers; ++i) {
    const Word number = slab.timers[i].number;
    if (number != 0) generation = std::max(generation, generation_of(number) + 1);
  }
  quelea::release(slab.timers);
  --slabs_in_use_;
  slab = Slab{};
  slab.generation = generation;
  slab.next = vacant_;
  vacant_ = index;
}

void TimerPool::link_last(std::uint32_t index) {
  Slab& slab = slabs_[index];
  slab.next = kNone;
  slab.previous = last_;
  (last_ != kNone ? slabs_[last_].next : first_) = index;
  last_ = index;
}

void TimerPool::unlink(std::uint32_t index) {
  Slab& slab = slabs_[index];
  (slab.previous != kNone ? slabs_[slab.previous].next : first_) = slab.next;
  (slab.next != kNone ? slabs_[slab.next].previous : last_) = slab.previous;
  slab.next = slab.previous = kNone;
}

}  // namespace quelea
