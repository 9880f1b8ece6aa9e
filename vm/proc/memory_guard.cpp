#include "vm/proc/memory_guard.h"

#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

std::size_t words_of_list(const Fragment* message) {
  std::size_t words = 0;
  for (; message != nullptr; message = message->next) {
    words += sizeof(Signal) / sizeof(Word) + message->used_words();
    for (const Fragment* more = static_cast<const Signal*>(message)->more; more != nullptr;
         more = more->next) {
      words += more->used_words();
    }
  }
  return words;
}

/// Those in the mailbox, and those that are about to be.
std::uint32_t known_messages(const Process& p) {
  return p.message_count + (p.has_backlog() ? p.extra_record->backlog->turned() : 0);
}

}  // namespace

std::size_t weigh(const Process& p) {
  std::size_t words = p.held_words() + words_of_list(p.first_message);
  if (p.has_backlog()) words += words_of_list(p.extra_record->backlog->oldest());
  return words * sizeof(Word) + p.outside_bytes();
}

void MemoryGuard::fold(MemoryMeter& meter) {
  const std::int64_t balance = thread_memory().balance();
  const std::int64_t change = balance - meter.counted;
  const std::int64_t taken = taken_.fetch_add(change, std::memory_order_relaxed) + change;
  meter.counted = balance;
  const std::int64_t peak = peak_.load(std::memory_order_relaxed);
  if (taken > peak) {
    peak_.store(taken, std::memory_order_relaxed);
  } else if (peak - taken > std::max(kKeptWhenBusy, taken)) {
    return_pages(Vm::real_monotonic_ns());
  }
}

void MemoryGuard::return_pages(std::uint64_t now_ns) {
  peak_.store(taken_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  returned_ns_.store(now_ns, std::memory_order_relaxed);
  return_free_pages();
}

std::uint64_t MemoryGuard::when_idle(MemoryMeter& meter) {
  fold(meter);
  constexpr std::uint64_t kNever = ~std::uint64_t{0};
  const std::int64_t kept =
      peak_.load(std::memory_order_relaxed) - taken_.load(std::memory_order_relaxed);
  if (kept < kKeptWhenIdle) return kNever;
  const std::uint64_t now = Vm::real_monotonic_ns();
  const std::uint64_t due = returned_ns_.load(std::memory_order_relaxed) + kReturnEveryNs;
  if (now < due) return due;
  return_pages(now);
  return kNever;
}

void MemoryGuard::note_heap(Process& p) {
  const std::size_t bytes = p.held_words() * sizeof(Word) + p.outside_bytes();
  if (bytes <= limit_bytes() / 64) return;
  try {
    note(p, bytes);
  } catch (const std::bad_alloc&) {
    // It is noted after a later collection.
  }
}

void MemoryGuard::note(Process& p, std::size_t bytes) {
  p.extra().is_noted_as_large = true;
  std::lock_guard hold(lock_);
  Holder& holder = large_[p.self().bits];
  if (!holder.expected) holder.bytes = static_cast<std::int64_t>(bytes);
}

void MemoryGuard::look_at(Process& p, std::int64_t grown) {
  const std::uint32_t messages = known_messages(p);
  if (messages >= kManyMessages) {
    ProcessExtra& x = p.extra();
    // Looking at every message is paid by those that came since.
    if (messages >= 2 * x.weighed_messages || messages <= x.weighed_messages / 2) {
      x.weighed_messages = messages;
      note(p, weigh(p));
    }
  }
  if (QUELEA_UNLIKELY(is_over() || reserve_is_used())) relieve(p, grown);
}

/// Who is to be killed next, or null.
Process* MemoryGuard::choose_locked(Process& p, std::int64_t grown, std::uint64_t now) {
  Word most_pid = 0;
  Holder* most = nullptr;
  for (auto& [pid, holder] : large_) {
    if (holder.expected && now - holder.chosen_ns > kPatienceNs) {
      holder.expected = false;
      expected_.fetch_sub(holder.bytes, std::memory_order_relaxed);
    }
    if (holder.chosen_ns != 0 || (most != nullptr && holder.bytes <= most->bytes)) continue;
    most_pid = pid;
    most = &holder;
  }
  if (most == nullptr || (is_over() && most->bytes < limit_ / 64)) {
    if (grown < kFoldBytes) return nullptr;
    p.extra().is_noted_as_large = true;
    most_pid = p.self().bits;
    most = &large_[most_pid];
    if (most->chosen_ns != 0) return nullptr;
    most->bytes = std::max(most->bytes, grown);
  }
  most->chosen_ns = now;
  most->expected = true;
  expected_.fetch_add(most->bytes, std::memory_order_relaxed);
  return p.vm().processes().find(Term{most_pid});
}

void MemoryGuard::relieve(Process& p, std::int64_t grown) {
  std::lock_guard hold(lock_);
  const std::uint64_t now = Vm::real_monotonic_ns();
  // One at a time where only the reserve is missing: how much that takes is not known.
  const auto lacks_reserve = [&] {
    return reserve_is_used() && expected_.load(std::memory_order_relaxed) == 0 && !keep_reserve();
  };
  while (is_over() || lacks_reserve()) {
    // First: who is chosen must be told.
    OwnedSignal signal(make_signal(p.vm(), SignalKind::MemoryFull, Term::none(), Term::none()));
    Process* victim = choose_locked(p, grown, now);
    if (victim == nullptr) return;
    p.post(*victim, signal.release());
  }
}

void MemoryGuard::forget(MemoryMeter& meter, Process& p) {
  fold(meter);
  std::lock_guard hold(lock_);
  auto found = large_.find(p.self().bits);
  if (found == large_.end()) return;
  if (found->second.expected) {
    expected_.fetch_sub(found->second.bytes, std::memory_order_relaxed);
  }
  large_.erase(found);
}

}  // namespace quelea
