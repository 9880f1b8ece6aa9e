#include "vm/proc/epochs.h"

#include "vm/base/assert.h"
#include "vm/proc/process.h"

namespace quelea {

void Epochs::add(EpochMember& member) {
  const std::size_t count = member_count_.load(std::memory_order_relaxed);
  QUELEA_ASSERT(count < kMaxMembers);
  members_[count].store(&member, std::memory_order_release);
  // Sequentially consistent as the load in `retire`: who misses us there took the process away
  // before we first look.
  member_count_.store(count + 1, std::memory_order_seq_cst);
}

void Epochs::come(EpochMember& member) { announce(member); }

void Epochs::leave(EpochMember& member) {
  // Release: whoever advances past us sees that we are done with what we held.
  member.announced_.store(EpochMember::kAway, std::memory_order_release);
}

void Epochs::announce(EpochMember& member) {
  const std::uint64_t now = now_.load(std::memory_order_seq_cst);
  member.announced_.store(now, std::memory_order_seq_cst);
  // Before the first look into the table in this epoch: see the head of epochs.h.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (EpochMember::Bag& bag : member.bags_) {
    if (bag.first != nullptr && bag.epoch + 2 <= now) empty(bag);
  }
}

void Epochs::retire(EpochMember& member, Process& process) {
  // Alone there is nobody else who could have found it.
  if (member_count_.load(std::memory_order_seq_cst) == 1) {
    free_(process);
    return;
  }
  const std::uint64_t now = now_.load(std::memory_order_seq_cst);
  EpochMember::Bag& bag = member.bags_[now % member.bags_.size()];
  // What is still in it is three epochs old.
  if (bag.epoch != now) {
    empty(bag);
    bag.epoch = now;
  }
  process.next_in_queue = bag.first;
  bag.first = &process;
  if (++member.retired_ >= kRetiredPerTry) {
    member.retired_ = 0;
    try_advance();
  }
}

void Epochs::try_advance() {
  std::uint64_t now = now_.load(std::memory_order_seq_cst);
  const std::size_t count = member_count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t announced =
        members_[i].load(std::memory_order_acquire)->announced_.load(std::memory_order_seq_cst);
    if (announced != EpochMember::kAway && announced != now) return;
  }
  now_.compare_exchange_strong(now, now + 1, std::memory_order_seq_cst);
}

void Epochs::empty(EpochMember::Bag& bag) {
  Process* process = bag.first;
  bag.first = nullptr;
  while (process != nullptr) {
    Process* next = process->next_in_queue;
    free_(*process);
    process = next;
  }
}

void Epochs::drain() {
  const std::size_t count = member_count_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    for (EpochMember::Bag& bag : members_[i].load(std::memory_order_acquire)->bags_) empty(bag);
  }
}

}  // namespace quelea
