#include "vm/code/code_area.h"

#include <sys/mman.h>

#include <algorithm>

namespace quelea {
namespace {

constexpr std::size_t kCommitStep = std::size_t{1} << 16;
constexpr std::size_t kSmallestRange = std::size_t{1} << 22;
constexpr std::size_t kCodeBytes = std::size_t{1} << 28;

}  // namespace

AddressRange::AddressRange(std::size_t bytes) {
  for (; bytes >= kSmallestRange; bytes /= 2) {
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
}

bool AddressRange::commit(std::size_t bytes) {
  if (bytes <= committed_) return true;
  if (bytes > size_) return false;
  std::size_t end = std::min(size_, (bytes + kCommitStep - 1) / kCommitStep * kCommitStep);
  if (mprotect(begin_ + committed_, end - committed_, PROT_READ | PROT_WRITE) != 0) return false;
  committed_ = end;
  return true;
}

CodeArea::CodeArea()
    : range_(kCodeBytes),
      owners_(std::max(kSmallestRange,
                       range_.size() / kGranule * sizeof(std::atomic<const LoadedModule*>))) {
  // Readers ask for any address of the range, so all of the table must be readable; untouched pages
  // cost nothing.
  if (!owners_.commit(owners_.size()) || owners_.size() == 0)
    usable_ = 0;
  else
    usable_ = range_.size();
}

Word* CodeArea::allocate(std::size_t words) {
  std::size_t bytes = (words * sizeof(Word) + kGranule - 1) / kGranule * kGranule;
  if (bytes > usable_ - top_ || !range_.commit(top_ + bytes)) return nullptr;
  char* result = range_.begin() + top_;
  top_ += bytes;
  return reinterpret_cast<Word*>(result);
}

void CodeArea::give_back(const Word* code) {
  auto offset = static_cast<std::size_t>(reinterpret_cast<const char*>(code) - range_.begin());
  if (offset < top_) top_ = offset;
}

void CodeArea::assign(const Word* code, std::size_t words, const LoadedModule* module) {
  auto offset = static_cast<std::size_t>(reinterpret_cast<const char*>(code) - range_.begin());
  std::size_t first = offset / kGranule;
  std::size_t last = (offset + words * sizeof(Word) + kGranule - 1) / kGranule;
  // Pairs with the acquire in `module_at`.
  for (std::size_t i = first; i < last; ++i) owners()[i].store(module, std::memory_order_release);
}

}  // namespace quelea
