#include "vm/proc/memory_guard.h"

#include "vm/native/native.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

/// What `count` signals take, to judge by the first of them.
std::size_t estimate_words(const Signal* oldest, std::uint32_t count) {
  constexpr std::uint32_t kSample = 256;
  std::size_t words = 0;
  std::uint32_t seen = 0;
  for (const Fragment* at = oldest; at != nullptr && seen < kSample; at = at->next, ++seen) {
    words += message_words(*static_cast<const Signal*>(at));
  }
  return seen == 0 ? 0 : words / seen * std::max(seen, count);
}

}  // namespace

std::size_t weigh(const Process& p) {
  std::size_t words = p.held_words();
  if (p.has_flag(Process::kWeighsMessages)) {
    words += p.extra_record->message_words;
  } else {
    words += estimate_words(as_signal(p.first_message), p.message_count);
  }
  if (p.has_backlog()) {
    const SignalBacklog& backlog = *p.extra_record->backlog;
    words += estimate_words(backlog.oldest(), backlog.turned());
  }
  std::size_t bytes = words * sizeof(Word) + p.outside_bytes();
  if (const ProcessExtra* x = p.extra_record) {
    // A tag is a signal and an entry of the table.
    constexpr std::size_t kTagBytes = 2 * sizeof(Signal);
    bytes += x->bytes() + (x->tags != nullptr ? x->tags->size() * kTagBytes : 0);
  }
  if (p.native_state == nullptr) return bytes;
  // Part of it may be in the heap.
  return std::max(bytes,
                  static_cast<std::size_t>(std::max<std::int64_t>(0, p.native_state->taken_bytes)));
}

MemoryGuard::~MemoryGuard() {
  return_left_pages();
  if (most_.load(std::memory_order_relaxed) >= kKeptWhenIdle) return_free_pages();
}

void MemoryGuard::fold(MemoryMeter& meter) {
  const std::int64_t balance = thread_memory().balance();
  const std::int64_t change = balance - meter.counted;
  const std::int64_t taken = taken_.fetch_add(change, std::memory_order_relaxed) + change;
  meter.counted = balance;
  if (taken > peak_.load(std::memory_order_relaxed)) {
    peak_.store(taken, std::memory_order_relaxed);
    if (taken > most_.load(std::memory_order_relaxed)) {
      most_.store(taken, std::memory_order_relaxed);
    }
  } else {
    const std::int64_t keep = std::max(kKeptWhenBusy, taken);
    if (most_.load(std::memory_order_relaxed) - taken > keep) return_unneeded(keep);
  }
}

std::uint64_t MemoryGuard::return_unneeded(std::int64_t keep) {
  const std::uint64_t now = Vm::real_monotonic_ns();
  std::uint64_t end = span_end_ns_.load(std::memory_order_relaxed);
  if (now < end) return end;
  // Who comes second at the same moment finds a span that has just begun.
  if (!span_end_ns_.compare_exchange_strong(end, now + kSpanNs, std::memory_order_relaxed)) {
    return end;
  }
  const std::int64_t taken = taken_.load(std::memory_order_relaxed);
  const std::int64_t unneeded =
      most_.load(std::memory_order_relaxed) - peak_.load(std::memory_order_relaxed);
  peak_.store(taken, std::memory_order_relaxed);
  if (unneeded < keep) return now + kSpanNs;
  most_.store(taken, std::memory_order_relaxed);
  if (!vm_.schedulers().run_errand(page_return_)) return_free_pages();
  return kNever;
}

std::uint64_t MemoryGuard::when_idle(MemoryMeter& meter) {
  fold(meter);
  const std::int64_t kept =
      most_.load(std::memory_order_relaxed) - taken_.load(std::memory_order_relaxed);
  return kept < kKeptWhenIdle ? kNever : return_unneeded(kKeptWhenIdle);
}

void MemoryGuard::note_heap(Process& p) {
  try {
    note(p);
  } catch (const std::bad_alloc&) {
    // It is noted after a later collection.
  }
}

/// Where it holds much, or did, and that has changed.
void MemoryGuard::note(Process& p) {
  const std::size_t bytes = weigh(p);
  const std::size_t noted = p.extra_record != nullptr ? p.extra_record->noted_bytes : 0;
  const std::size_t changed = bytes > noted ? bytes - noted : noted - bytes;
  const std::size_t much = reserve_is_used() ? std::size_t{kFoldBytes} : limit_bytes() / 64;
  if (changed <= noted / 8 || (noted == 0 && bytes <= much)) return;
  p.extra().noted_bytes = bytes;
  std::lock_guard hold(lock_);
  Holder& holder = large_[p.self().bits];
  if (!holder.expected) holder.bytes = static_cast<std::int64_t>(bytes);
}

void MemoryGuard::fold_slice(MemoryMeter& meter, Process& p, std::int64_t grown) {
  fold(meter);
  if (p.native_state != nullptr) p.native_state->taken_bytes += grown;
}

void MemoryGuard::look_at(Process& p, std::int64_t grown) {
  note(p);
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
    std::size_t& noted = p.extra().noted_bytes;
    noted = std::max(noted, std::size_t{1});
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

void MemoryGuard::forget_all() {
  std::lock_guard hold(lock_);
  large_.clear();
  expected_.store(0, std::memory_order_relaxed);
}

}  // namespace quelea
