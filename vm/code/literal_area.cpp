#include "vm/code/literal_area.h"

#include <algorithm>

#include "vm/term/binary.h"

namespace quelea {
namespace {

constexpr std::size_t kLiteralBytes = std::size_t{1} << 29;
constexpr std::size_t kLeastGrowth = 4096;

// Layout of a RefBinary: header, bits, SharedBytes*, next.
Word* next_ref_binary(const Word* object) { return reinterpret_cast<Word*>(object[3]); }

void release_chain(Word* object, const Word* end) {
  for (; object != end; object = next_ref_binary(object))
    reinterpret_cast<SharedBytes*>(object[2])->release();
}

}  // namespace

LiteralArea::LiteralArea() : range_(kLiteralBytes) {}

LiteralArea::~LiteralArea() { release_chain(ref_binaries_, nullptr); }

LiteralArea::Builder::Builder(LiteralArea& area) : area_(area) {
  hp = area.word(area.used_words());
  limit = area.word(area.range_.committed() / sizeof(Word));
  ref_binaries = area.ref_binaries_;
  grow = grow_area;
}

LiteralArea::Builder::~Builder() {
  if (!kept_) release_chain(ref_binaries, area_.ref_binaries_);
  for (Word* piece : overflow_) delete[] piece;
}

void LiteralArea::Builder::keep() {
  QUELEA_ASSERT(ok());
  const auto used = static_cast<std::size_t>(hp - area_.word(0));
  area_.top_.store(used, std::memory_order_relaxed);
  area_.range_.count(used * sizeof(Word));
  area_.ref_binaries_ = ref_binaries;
  kept_ = true;
}

Word* LiteralArea::Builder::grow_area(TermAlloc& self, std::size_t words) {
  auto& builder = static_cast<Builder&>(self);
  LiteralArea& area = builder.area_;
  if (builder.ok()) {
    auto used = static_cast<std::size_t>(builder.hp - area.word(0));
    if (words < area.range_.size() / sizeof(Word) &&
        area.range_.commit((used + std::max(words, kLeastGrowth)) * sizeof(Word))) {
      builder.limit = area.word(area.range_.committed() / sizeof(Word));
      return builder.alloc(words);
    }
  }
  // The caller must get its words; the load fails afterwards.
  builder.hp = builder.limit = nullptr;
  builder.overflow_.push_back(nullptr);
  builder.overflow_.back() = new Word[words];
  return builder.overflow_.back();
}

}  // namespace quelea
