#include "vm/code/exception_ranges.h"

#include <algorithm>
#include <set>

namespace quelea {

std::vector<ExceptionSpan> flatten_exceptions(std::span<const ExceptionEntry> entries) {
  struct Event {
    std::uint32_t at;
    std::uint32_t entry;
    bool begins;
  };
  std::vector<Event> events;
  events.reserve(entries.size() * 2);
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    events.push_back({entries[i].start, i, true});
    events.push_back({entries[i].end, i, false});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.at < b.at; });
  std::vector<ExceptionSpan> spans;
  std::set<std::uint32_t> active;
  for (std::size_t i = 0; i < events.size();) {
    std::uint32_t at = events[i].at;
    for (; i < events.size() && events[i].at == at; ++i) {
      if (events[i].begins)
        active.insert(events[i].entry);
      else
        active.erase(events[i].entry);
    }
    if (active.empty()) continue;
    // There is a next event: the end of every active entry.
    std::uint32_t first = *active.begin();
    if (!spans.empty() && spans.back().entry == first && spans.back().end == at)
      spans.back().end = events[i].at;
    else
      spans.push_back({at, events[i].at, first});
  }
  return spans;
}

}  // namespace quelea
