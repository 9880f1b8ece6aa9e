// What options of processes are called, by the value of their enumeration.
#pragma once

#include <string_view>

namespace quelea {

inline constexpr std::string_view kHeapActionNames[] = {"kill", "error", "log"};
inline constexpr std::string_view kOnFullNames[] = {"drop_new", "drop_old", "kill", "block"};
inline constexpr std::string_view kPriorityNames[] = {"max", "high", "normal", "low"};

}  // namespace quelea
