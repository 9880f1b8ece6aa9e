#include "vm/code/literal_region.h"

#include <sys/mman.h>

#include <algorithm>

namespace quelea {

namespace {
constexpr std::size_t kCommitStep = std::size_t{1} << 20;
}

LiteralRegion::LiteralRegion() {
  void* address =
      mmap(nullptr, kReservedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  base_ = address == MAP_FAILED ? nullptr : static_cast<char*>(address);
}

LiteralRegion::~LiteralRegion() {
  if (base_ != nullptr) munmap(base_, kReservedBytes);
}

Word* LiteralRegion::alloc(std::size_t words) {
  if (base_ == nullptr || words > (kReservedBytes - used_) / sizeof(Word)) return nullptr;
  const std::size_t end = used_ + words * sizeof(Word);
  if (end > committed_) {
    const std::size_t commit =
        std::min(kReservedBytes, (end + kCommitStep - 1) / kCommitStep * kCommitStep);
    if (mprotect(base_ + committed_, commit - committed_, PROT_READ | PROT_WRITE) != 0)
      return nullptr;
    committed_ = commit;
  }
  Word* result = reinterpret_cast<Word*>(base_ + used_);
  used_ = end;
  return result;
}

}  // namespace quelea
