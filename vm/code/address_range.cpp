#include "vm/code/address_range.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>

#include "vm/base/memory.h"

namespace quelea {
namespace {

constexpr std::size_t kCommitStep = std::size_t{1} << 16;

/// Where addresses are few, as under `ulimit -v`, most of them are for what programs make.
std::size_t largest_range() {
  constexpr std::size_t kEnough = std::size_t{1} << 24;
  rlimit addresses{};
  if (getrlimit(RLIMIT_AS, &addresses) != 0 || addresses.rlim_cur == RLIM_INFINITY) return ~0ull;
  return std::max(std::bit_floor(static_cast<std::size_t>(addresses.rlim_cur / 16)), kEnough);
}

}  // namespace

AddressRange::AddressRange(std::size_t bytes) {
  for (bytes = std::min(bytes, largest_range()); bytes >= kCommitStep; bytes /= 2) {
    void* address =
        mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED) continue;
    begin_ = static_cast<char*>(address);
    size_ = bytes;
    return;
  }
}

AddressRange::~AddressRange() {
  if (begin_ != nullptr) munmap(begin_, size_);
  count_memory(-static_cast<std::ptrdiff_t>(counted_));
}

bool AddressRange::commit(std::size_t bytes) {
  if (bytes <= committed_) return true;
  if (bytes > size_) return false;
  std::size_t end = std::min(size_, (bytes + kCommitStep - 1) / kCommitStep * kCommitStep);
  if (mprotect(begin_ + committed_, end - committed_, PROT_READ | PROT_WRITE) != 0) return false;
  committed_ = end;
  return true;
}

void AddressRange::count(std::size_t bytes) {
  count_memory(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(counted_));
  counted_ = bytes;
}

}  // namespace quelea
