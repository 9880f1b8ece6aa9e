// Flags of binary segments, shared by compiler, verifier and interpreter.
#pragma once

#include <cstdint>

namespace quelea {

/// The type of a segment, in the low bits of its flags.
enum class SegmentType : std::uint32_t { Int, Float, Bits, Utf8, Utf16, Utf32 };

inline constexpr std::uint32_t kSegmentTypeMask = 7;
inline constexpr std::uint32_t kSegmentSigned = 8;
inline constexpr std::uint32_t kSegmentLittle = 16;
/// In `bs_build`: the value is taken whole, the size operand is ignored (`/bytes`, `/bits` without
/// a size).
inline constexpr std::uint32_t kSegmentWhole = 32;

constexpr SegmentType segment_type(std::uint32_t flags) {
  return static_cast<SegmentType>(flags & kSegmentTypeMask);
}

}  // namespace quelea
