// Exception tables made flat: which entry counts at which instruction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/code/module_image.h"

namespace quelea {

/// Instructions in [start, end) have `entry` as the first entry that covers them.
struct ExceptionSpan {
  std::uint32_t start, end;
  std::uint32_t entry;
};

/// Disjoint spans in order; at most twice as many as entries. n log n.
std::vector<ExceptionSpan> flatten_exceptions(std::span<const ExceptionEntry> entries);

}  // namespace quelea
