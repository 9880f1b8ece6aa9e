// What a machine counts about itself, and the alarms it raises when something takes long.
//
// One record a machine (`vm.area<Statistics>()`), written by the scheduler between slices and by
// collections. With several schedulers each will have its own, added up by whoever looks.
#pragma once

#include <cstdint>

#include "vm/proc/process.h"

namespace quelea {

struct Statistics {
  static constexpr unsigned kVmSlot = 4;

  std::uint64_t started_ns = 0;  ///< Monotonic; 0 before the first slice.
  std::uint64_t reductions = 0;
  std::uint64_t slices = 0;
  std::uint64_t ended = 0;  ///< Processes.
  std::uint64_t collections = 0;
  std::uint64_t full_collections = 0;
  std::uint64_t collected_words = 0;

  /// Alarms; 0: off. What each has to pass before somebody hears of it.
  std::uint64_t long_schedule_ns = 0;
  std::uint64_t long_collection_ns = 0;
  std::uint32_t long_mailbox = 0;
  Term alarm_receiver = Term::none();  ///< A pid or a name; none: a line in the log.

  bool times_anything() const { return long_schedule_ns != 0 || long_mailbox != 0; }
};

/// After a slice that took so long: tells whoever wants to know.
void check_slice(Process& p, Statistics& statistics, std::uint64_t slice_ns);
/// After a collection.
void check_collection(Process& p, Statistics& statistics, std::uint64_t collection_ns);

}  // namespace quelea
