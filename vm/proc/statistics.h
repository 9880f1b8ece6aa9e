// What a machine counts about itself, and the alarms it raises when something takes long.
//
// Each thread that runs processes counts for itself (SchedulerLocal::statistics); whoever looks
// adds up.
#pragma once

#include <atomic>
#include <cstdint>

#include "vm/term/term.h"

namespace quelea {

class Process;

/// Written by one thread, read by any.
using Counter = std::atomic<std::uint64_t>;

/// Adds where only this thread writes, so that no atomic addition is wanted.
inline void count(Counter& counter, std::uint64_t more = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

struct Statistics {
  Counter reductions{0};
  Counter slices{0};
  Counter ended{0};  ///< Processes.
  Counter collections{0};
  Counter full_collections{0};
  Counter collected_words{0};
};

/// What each alarm has to pass before somebody hears of it; 0: off. Any thread, relaxed: settings
/// that take effect soon.
struct Alarms {
  std::atomic<std::uint64_t> long_schedule_ns{0};
  std::atomic<std::uint64_t> long_collection_ns{0};
  std::atomic<std::uint32_t> long_mailbox{0};
  std::atomic<Word> receiver{Term::none().bits};  ///< A pid or a name; none: a line in the log.

  bool want_slices() const {
    return long_schedule_ns.load(std::memory_order_relaxed) != 0 ||
           long_mailbox.load(std::memory_order_relaxed) != 0;
  }
};

/// After a slice that took so long: tells whoever wants to know.
void check_slice(Process& p, std::uint64_t slice_ns);
/// After a collection.
void check_collection(Process& p, std::uint64_t collection_ns);

}  // namespace quelea
