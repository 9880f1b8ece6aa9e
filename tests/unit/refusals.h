// Refuses allocations on demand, in a test binary that is linked with tests/unit/refusals.cpp: the
// machine's own allocator, the C library's and `operator new` are wrapped by the linker, so that
// the library itself knows nothing of it.
#pragma once

#include <cstdint>

namespace refusals {

/// Allocations from now on are counted from 1; those from `first` to `last` are refused. On all
/// threads.
void begin(std::uint64_t first, std::uint64_t last);
constexpr std::uint64_t kNone = 0, kForEver = ~std::uint64_t{0};
/// Nothing is refused any more. How many there were.
std::uint64_t end();
/// Pieces of memory that were allocated and not released, whoever has them.
std::int64_t live_pieces();

}  // namespace refusals
