// Building binaries.
#include <cstring>

#include "compiler/core/lower.h"
#include "vm/code/segments.h"

namespace quelea::compiler {

namespace {

quelea::SegmentType machine_type(SegmentType type) {
  switch (type) {
    case SegmentType::kInt:
      return quelea::SegmentType::Int;
    case SegmentType::kFloat:
      return quelea::SegmentType::Float;
    case SegmentType::kBytes:
    case SegmentType::kBits:
      return quelea::SegmentType::Bits;
    case SegmentType::kUtf8:
      return quelea::SegmentType::Utf8;
    case SegmentType::kUtf16:
      return quelea::SegmentType::Utf16;
    default:
      return quelea::SegmentType::Utf32;
  }
}

bool is_little(Endian endian) {
  return endian == Endian::kLittle ||
         (endian == Endian::kNative && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
}

}  // namespace

uint32_t Lowerer::lower_segments(std::span<const Segment> segments, Values& operands) {
  std::vector<SegmentInfo> infos;
  for (const Segment& segment : segments) {
    SegmentInfo info{static_cast<uint32_t>(machine_type(segment.type)), segment.unit};
    if (segment.is_signed) info.flags |= kSegmentSigned;
    if (is_little(segment.endian)) info.flags |= kSegmentLittle;
    operands.push_back(expr(segment.value));
    Ref size = integer(0);
    bool bytes = segment.type == SegmentType::kBytes || segment.type == SegmentType::kBits;
    if (segment.size != nullptr)
      size = expr(segment.size);
    else if (bytes)
      info.flags |= kSegmentWhole;
    else if (segment.type == SegmentType::kInt)
      size = integer(8);
    else if (segment.type == SegmentType::kFloat)
      size = integer(64);
    operands.push_back(size);
    infos.push_back(info);
  }
  uint32_t first = static_cast<uint32_t>(f_.segments.size());
  f_.segments.insert(f_.segments.end(), infos.begin(), infos.end());
  return first;
}

// Whole strings, and integers of whole bytes that fit.
bool Lowerer::fold_segments(std::span<const Segment> segments, std::span<const Ref> operands,
                            Ref& result) {
  std::string bytes;
  for (size_t i = 0; i < segments.size(); ++i) {
    Ref value = operands[2 * i], size = operands[2 * i + 1];
    if (!is_const(value) || !is_const(size)) return false;
    const Const& c = consts_[const_id(value)];
    bool whole = segments[i].size == nullptr && (segments[i].type == SegmentType::kBytes);
    if (whole && c.kind == ConstKind::kString) {
      bytes += c.text;
      continue;
    }
    if (segments[i].type != SegmentType::kInt || c.kind != ConstKind::kInt || c.value < 0)
      return false;
    if (!consts_.is_small(const_id(size)) || segments[i].is_signed) return false;
    int64_t units = consts_[const_id(size)].value;
    if (units < 0 || units > 64 || segments[i].unit > 64) return false;
    int64_t bits = units * segments[i].unit;
    if (bits % 8 != 0 || bits > 56 || c.value >= int64_t{1} << bits) return false;
    int64_t count = bits / 8;
    for (int64_t k = 0; k < count; ++k) {
      int64_t shift = is_little(segments[i].endian) ? 8 * k : 8 * (count - 1 - k);
      bytes += static_cast<char>(c.value >> shift & 255);
    }
  }
  result = const_ref(consts_.string(bytes));
  return true;
}

Ref Lowerer::lower_bin(const BinExpr* e) {
  if (e->segments.empty()) return const_ref(consts_.string(""));
  Values operands;
  uint32_t first = lower_segments(e->segments, operands);
  Ref folded;
  if (fold_segments(e->segments, operands, folded)) return folded;
  return value(op_bs_build, operands, first);
}

}  // namespace quelea::compiler
