#include "vm/code/code_area.h"

#include <algorithm>

#include "vm/base/memory.h"

namespace quelea {
namespace {

constexpr std::size_t kCodeBytes = std::size_t{1} << 28;

}  // namespace

CodeArea::CodeArea()
    : range_(kCodeBytes),
      owners_(range_.size() / kGranule * sizeof(std::atomic<const LoadedModule*>)) {
  // Readers ask for any address of the range, so all of the table must be readable; untouched pages
  // cost nothing.
  if (owners_.commit(owners_.size()))
    usable_ = std::min(range_.size(), owners_.size() / sizeof(Word) * kGranule);
  if (usable_ == 0) no_memory();
}

Word* CodeArea::allocate(std::size_t words) {
  std::size_t bytes = (words * sizeof(Word) + kGranule - 1) / kGranule * kGranule;
  if (bytes > usable_ - top_ || !range_.commit(top_ + bytes)) return nullptr;
  char* result = range_.begin() + top_;
  top_ += bytes;
  range_.count(top_);
  return reinterpret_cast<Word*>(result);
}

void CodeArea::give_back(const Word* code) {
  auto offset = static_cast<std::size_t>(reinterpret_cast<const char*>(code) - range_.begin());
  if (offset < top_) top_ = offset;
  range_.count(top_);
}

void CodeArea::assign(const Word* code, std::size_t words, const LoadedModule* module) {
  auto offset = static_cast<std::size_t>(reinterpret_cast<const char*>(code) - range_.begin());
  std::size_t first = offset / kGranule;
  std::size_t last = (offset + words * sizeof(Word) + kGranule - 1) / kGranule;
  // Pairs with the acquire in `module_at`.
  for (std::size_t i = first; i < last; ++i) owners()[i].store(module, std::memory_order_release);
}

}  // namespace quelea
