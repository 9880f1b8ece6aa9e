#include "vm/proc/mailbox.h"

#include "vm/proc/timers.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {
/// Larger messages become old at once: they are not copied until the next full collection.
constexpr std::size_t kLargeMessageWords = 1024;
}  // namespace

void deliver(Process& p, Signal* message) {
  message->next = nullptr;
  *p.last_link = message;
  p.last_link = &message->next;
  ++p.message_count;
}

PeekResult peek_arrivals(Process& p) {
  if (*p.scan_link != nullptr) return PeekResult::Message;
  if (p.outer.load(std::memory_order_relaxed) == nullptr) return PeekResult::Nothing;
  if (!p.handle_signals()) return PeekResult::Exited;
  return *p.scan_link != nullptr ? PeekResult::Message : PeekResult::Nothing;
}

void stop_receive_timer(Process& p) {
  if (p.receive_timer != 0) {
    p.vm().timers().cancel(p.receive_timer);
    p.receive_timer = 0;
  }
  p.set_flag_bit(Process::kTimedOut, false);
}

void take_message(Process& p) {
  Fragment* fragment = *p.scan_link;
  if (fragment == nullptr) return;
  Signal* message = as_signal(fragment);
  *p.scan_link = message->next;
  if (p.last_link == &message->next) p.last_link = p.scan_link;
  p.scan_link = &p.first_message;
  --p.message_count;
  if (p.receive_timer != 0) stop_receive_timer(p);
  // After a collection in the middle of the receive, old objects may refer to the message.
  const bool collected = p.has_flag(Process::kCollectedInReceive);
  p.set_flag_bit(Process::kCollectedInReceive, false);
  while (message->more != nullptr) {
    Fragment* more = message->more;
    message->more = more->next;
    p.adopt(more, true);
  }
  if (message->used_words() == 0 && message->ref_binaries == nullptr) {
    release_fragment(message);
    return;
  }
  p.adopt(message, collected || message->used_words() >= kLargeMessageWords);
  if (p.fragments_due()) p.interrupt_for_collection();
}

WaitResult wait_until(Process& p, Term timeout) {
  switch (peek_arrivals(p)) {
    case PeekResult::Message:
      return WaitResult::Message;
    case PeekResult::Exited:
      return WaitResult::Exited;
    case PeekResult::Nothing:
      break;
  }
  if (timeout == atoms::infinity) return WaitResult::Wait;
  if (p.has_flag(Process::kTimedOut) || timeout == Term::small(0)) {
    stop_receive_timer(p);
    p.scan_link = &p.first_message;
    p.set_flag_bit(Process::kCollectedInReceive, false);
    return WaitResult::Timeout;
  }
  if (p.receive_timer == 0) {
    if (!timeout.is_small() || timeout.small_value() < 0 || timeout.small_value() > kMaxTimerMs) {
      p.raise_error(atoms::timeout_value);
      return WaitResult::Raised;
    }
    p.receive_timer = p.vm().timers().start_wake(
        p.vm().monotonic_ns() + static_cast<std::uint64_t>(timeout.small_value()) * 1'000'000,
        p.self());
  }
  return WaitResult::Wait;
}

}  // namespace quelea
