#include "vm/proc/timers.h"

#include <algorithm>
#include <bit>

#include "vm/proc/process_table.h"

namespace quelea {

Timers::~Timers() {
  pool_.for_each_running([](Timer& timer) {
    if (timer.message != nullptr) drop_signal(timer.message);
  });
}

Word Timers::start_wake(std::uint64_t now_ns, std::uint64_t delay_ns, Term pid) {
  return start_message(now_ns, delay_ns, pid, nullptr);
}

Word Timers::start_message(std::uint64_t now_ns, std::uint64_t delay_ns, Term destination,
                           Signal* message) {
  std::lock_guard hold(lock_);
  Timer* timer = pool_.take();
  if (timer == nullptr) return 0;
  start_locked(timer, now_ns, delay_ns, destination, message);
  return timer->number;
}

Word Timers::reserve() {
  std::lock_guard hold(lock_);
  Timer* timer = pool_.take();
  return timer != nullptr ? timer->number : 0;
}

void Timers::start_reserved(Word number, std::uint64_t now_ns, std::uint64_t delay_ns,
                            Term destination, Signal* message) {
  std::lock_guard hold(lock_);
  start_locked(pool_.at(number), now_ns, delay_ns, destination, message);
}

void Timers::give_back(Word number) {
  std::lock_guard hold(lock_);
  pool_.give_back(pool_.at(number));
}

std::optional<Timers::Running> Timers::cancel_message(Word number) {
  std::optional<Running> cancelled;
  Signal* message;
  {
    std::lock_guard hold(lock_);
    Timer* timer = pool_.find(number);
    if (timer == nullptr || timer->message == nullptr) return cancelled;
    message = timer->message;
    cancelled = {timer->due_ns, timer->destination};
    finish_locked(timer);
  }
  drop_signal(message);
  return cancelled;
}

void Timers::cancel_wake(Word number) {
  std::lock_guard hold(lock_);
  if (Timer* timer = pool_.find(number)) finish_locked(timer);
}

std::optional<Timers::Running> Timers::find_message(Word number) {
  std::lock_guard hold(lock_);
  const Timer* timer = pool_.find(number);
  if (timer == nullptr || timer->message == nullptr) return std::nullopt;
  return Running{timer->due_ns, timer->destination};
}

void Timers::drop_some_of_ended(const ProcessTable& processes) {
  constexpr unsigned kLookedAt = 2;
  if (size() == 0) return;
  Signal* dropped[kLookedAt] = {};
  {
    std::lock_guard hold(lock_);
    for (Signal*& message : dropped) {
      Timer* const timer = pool_.look_on();
      if (timer == nullptr || timer->message == nullptr || !timer->destination.is_local_pid() ||
          processes.find(timer->destination) != nullptr) {
        continue;
      }
      message = timer->message;
      finish_locked(timer);
    }
  }
  for (Signal* message : dropped) {
    if (message != nullptr) drop_signal(message);
  }
}

std::size_t Timers::take_due(std::uint64_t now_ns, std::span<Due> due) {
  std::lock_guard hold(lock_);
  std::size_t count = 0;
  while (count < due.size()) {
    Timer* timer = lists_[kCurrent].first;
    if (timer == nullptr) {
      if (!advance_locked(tick_of(now_ns))) break;
      continue;
    }
    if (timer->due_ns > now_ns) break;
    due[count++] = {timer->number, timer->destination, timer->message};
    unlink_locked(timer);
    pool_.give_back(timer);
  }
  size_.store(size() - count, std::memory_order_relaxed);
  set_next_due(compute_next_due_locked());
  return count;
}

void Timers::start_locked(Timer* timer, std::uint64_t now_ns, std::uint64_t delay_ns,
                          Term destination, Signal* message) {
  timer->due_ns = delay_ns < kNever - 1 - now_ns ? now_ns + delay_ns : kNever - 1;
  timer->destination = destination;
  timer->message = message;
  // An empty wheel may jump, so that its first timers need not come down from high levels.
  if (empty()) position_ = std::max(position_, tick_of(now_ns));
  insert_locked(timer);
  size_.store(size() + 1, std::memory_order_relaxed);
  if (timer->due_ns < next_due_ns()) set_next_due(timer->due_ns);
}

void Timers::finish_locked(Timer* timer) {
  unlink_locked(timer);
  size_.store(size() - 1, std::memory_order_relaxed);
  if (lists_[timer->place].first == nullptr || timer->due_ns == next_due_ns()) {
    set_next_due(compute_next_due_locked());
  }
  pool_.give_back(timer);
}

void Timers::insert_locked(Timer* timer) {
  const std::uint64_t tick = tick_of(timer->due_ns);
  if (tick <= position_) {
    insert_in_order_locked(timer);
    return;
  }
  const auto highest_bit = static_cast<unsigned>(std::bit_width(tick ^ position_)) - 1;
  const unsigned level = highest_bit / kDigitBits;
  const unsigned digit = tick >> (level * kDigitBits) & (kDigits - 1);
  List& list = lists_[level * kDigits + digit];
  if (list.first == nullptr) {
    occupied_[level] |= std::uint64_t{1} << digit;
    list.earliest_ns = timer->due_ns;
  } else {
    list.earliest_ns = std::min(list.earliest_ns, timer->due_ns);
  }
  append_locked(timer, level * kDigits + digit);
}

/// Into `current`: behind all that are not due later. That is nearly always the end; how many it
/// may have to pass is bounded by the time that is left of the tick.
void Timers::insert_in_order_locked(Timer* timer) {
  List& list = lists_[kCurrent];
  Timer* before = list.last;
  while (before != nullptr && before->due_ns > timer->due_ns) before = before->previous;
  timer->place = kCurrent;
  timer->previous = before;
  timer->next = before != nullptr ? before->next : list.first;
  (before != nullptr ? before->next : list.first) = timer;
  (timer->next != nullptr ? timer->next->previous : list.last) = timer;
}

void Timers::append_locked(Timer* timer, unsigned place) {
  List& list = lists_[place];
  timer->place = place;
  timer->next = nullptr;
  timer->previous = list.last;
  (list.last != nullptr ? list.last->next : list.first) = timer;
  list.last = timer;
}

void Timers::unlink_locked(Timer* timer) {
  const unsigned place = timer->place;
  List& list = lists_[place];
  (timer->previous != nullptr ? timer->previous->next : list.first) = timer->next;
  (timer->next != nullptr ? timer->next->previous : list.last) = timer->previous;
  if (list.first == nullptr && place != kCurrent) {
    occupied_[place / kDigits] &= ~(std::uint64_t{1} << place % kDigits);
  }
}

/// Moves the position to the first list with timers, but not past `tick`, and its timers to where
/// they are seen from there; `current` is empty before. False: the position is at `tick`.
bool Timers::advance_locked(std::uint64_t tick) {
  unsigned level = 0;
  while (level < kLevels && occupied_[level] == 0) ++level;
  if (level < kLevels) {
    // All lists of a level come after the position, so that the lowest digit is the next.
    const auto digit = static_cast<std::uint64_t>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kDigitBits;
    const std::uint64_t above = position_ >> shift >> kDigitBits << kDigitBits;
    const std::uint64_t first_tick = (above | digit) << shift;
    if (first_tick <= tick) {
      position_ = first_tick;
      occupied_[level] &= occupied_[level] - 1;
      List list = lists_[level * kDigits + digit];
      lists_[level * kDigits + digit] = {};
      for (Timer* timer = list.first; timer != nullptr;) {
        Timer* next = timer->next;
        if (next != nullptr) __builtin_prefetch(next->next);
        if (tick_of(timer->due_ns) == position_) {
          append_locked(timer, kCurrent);
        } else {
          insert_locked(timer);
        }
        timer = next;
      }
      sort_current_locked();
      return true;
    }
  }
  position_ = std::max(position_, tick);
  return false;
}

namespace {

/// Merges two lists, linked by `next` alone; of equal ones those of `a` come first.
Timer* merge(Timer* a, Timer* b) {
  Timer* first = nullptr;
  Timer** end = &first;
  while (a != nullptr && b != nullptr) {
    Timer*& less = b->due_ns < a->due_ns ? b : a;
    *end = less;
    end = &less->next;
    less = less->next;
  }
  *end = a != nullptr ? a : b;
  return first;
}

}  // namespace

void Timers::sort_current_locked() {
  List& list = lists_[kCurrent];
  Timer* sorted_to = list.first;
  if (sorted_to == nullptr) return;
  while (sorted_to->next != nullptr && sorted_to->due_ns <= sorted_to->next->due_ns) {
    sorted_to = sorted_to->next;
  }
  if (sorted_to->next == nullptr) return;
  // Runs of 2^i timers at i, the later ones at the lower places.
  Timer* runs[64] = {};
  for (Timer* timer = list.first; timer != nullptr;) {
    Timer* next = timer->next;
    timer->next = nullptr;
    unsigned i = 0;
    for (; runs[i] != nullptr; ++i) {
      timer = merge(runs[i], timer);
      runs[i] = nullptr;
    }
    runs[i] = timer;
    timer = next;
  }
  Timer* sorted = nullptr;
  for (Timer* run : runs) sorted = merge(run, sorted);
  list.first = sorted;
  Timer* previous = nullptr;
  for (Timer* timer = sorted; timer != nullptr; timer = timer->next) {
    timer->previous = previous;
    previous = timer;
  }
  list.last = previous;
}

std::uint64_t Timers::compute_next_due_locked() const {
  if (lists_[kCurrent].first != nullptr) return lists_[kCurrent].first->due_ns;
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto digit = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    return lists_[level * kDigits + digit].earliest_ns;
  }
  return kNever;
}

}  // namespace quelea
