#include "vm/code/assembler.h"

namespace quelea {

void Assembler::begin_function(const ImageFunction& function, std::uint32_t index) {
  function_ = function;
  function_.code_begin = static_cast<std::uint32_t>(code_.size());
  function_.lines_begin = static_cast<std::uint32_t>(image_.lines.size());
  index_ = index;
  if (index == UINT32_MAX) {
    index_ = static_cast<std::uint32_t>(image_.functions.size());
    image_.functions.emplace_back();
  }
  label_offsets_.clear();
  fixups_.clear();
  ranges_.clear();
}

void Assembler::line(std::uint32_t line, std::uint32_t file, InlineRef inlined) {
  std::vector<LineEntry>& lines = image_.lines;
  if (lines.size() > function_.lines_begin) {
    LineEntry& last = lines.back();
    if (last.line == line && last.file == file && last.inlined == inlined) return;
    if (last.offset == offset()) {
      last = {offset(), line, file, inlined};
      return;
    }
  }
  lines.push_back({offset(), line, file, inlined});
}

std::uint32_t Assembler::end_function() {
  for (Fixup fixup : fixups_) {
    std::uint32_t target = label_offsets_[fixup.label];
    QUELEA_ASSERT(target != kUnbound);
    for (unsigned i = 0; i < 4; ++i)
      code_[fixup.at + i] = static_cast<std::uint8_t>(target >> 8 * i);
  }
  function_.exceptions_begin = static_cast<std::uint32_t>(image_.exceptions.size());
  for (const Range& range : ranges_) {
    std::uint32_t start = label_offsets_[range.start.id], end = label_offsets_[range.end.id];
    QUELEA_ASSERT(start != kUnbound && end != kUnbound && is_bound(range.handler));
    if (start == end) continue;
    image_.exceptions.push_back({start, end, label_offsets_[range.handler.id], range.kind});
  }
  function_.exceptions_end = static_cast<std::uint32_t>(image_.exceptions.size());
  function_.lines_end = static_cast<std::uint32_t>(image_.lines.size());
  function_.code_end = static_cast<std::uint32_t>(code_.size());
  image_.functions[index_] = function_;
  return index_;
}

}  // namespace quelea
