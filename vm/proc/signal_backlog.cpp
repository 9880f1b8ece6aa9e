#include "vm/proc/signal_backlog.h"

#include <new>
#include <utility>

#include "vm/proc/process_extra.h"

namespace quelea {

namespace {

void drop_all(Signal* signal) {
  while (signal != nullptr) {
    Signal* next = as_signal(signal->next);
    drop_signal(signal);
    signal = next;
  }
}

}  // namespace

SignalBacklog* backlog_of(Process& p) {
  try {
    auto& backlog = p.extra().backlog;
    if (backlog == nullptr) backlog = std::make_unique<SignalBacklog>();
    return backlog.get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

SignalBacklog::~SignalBacklog() {
  drop_all(oldest_);
  drop_all(to_turn_);
  drop_all(newer_);
}

void SignalBacklog::keep(Signal* oldest, std::uint32_t turned, Signal* to_turn) {
  oldest_ = oldest;
  turned_ = turned;
  to_turn_ = to_turn;
}

Signal* SignalBacklog::take() {
  if (oldest_ == nullptr && to_turn_ == nullptr) to_turn_ = std::exchange(newer_, nullptr);
  if (to_turn_ != nullptr) {
    turned_ += turn_around(to_turn_, oldest_, share());
    return nullptr;
  }
  return std::exchange(oldest_, nullptr);
}

}  // namespace quelea
