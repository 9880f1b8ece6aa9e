// Reading instructions of the file format: what verifier, loader and disassembler share.
#pragma once

#include <cstdint>

#include "vm/code/opcodes.h"

namespace quelea {

/// Reads bytes and never past their end. After a failure everything reads as 0 and `failed()` stays
/// true.
class ByteCursor {
 public:
  ByteCursor(const std::uint8_t* at, const std::uint8_t* end) : at_(at), end_(end) {}

  const std::uint8_t* at() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool failed() const { return failed_; }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  std::uint8_t byte() {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return *at_++;
  }
  /// LEB128 in its shortest form, at most `max`.
  std::uint64_t varint(std::uint64_t max = UINT64_MAX) {
    if (at_ != end_ && *at_ < 128 && *at_ <= max) return *at_++;
    return long_varint(max);
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(varint(UINT32_MAX)); }
  std::int64_t zigzag() {
    std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  /// Four bytes, least significant first.
  std::uint32_t fixed32() {
    if (left() < 4) {
      fail();
      return 0;
    }
    std::uint32_t value =
        static_cast<std::uint32_t>(at_[0]) | static_cast<std::uint32_t>(at_[1]) << 8 |
        static_cast<std::uint32_t>(at_[2]) << 16 | static_cast<std::uint32_t>(at_[3]) << 24;
    at_ += 4;
    return value;
  }
  /// The next `count` bytes, or null.
  const std::uint8_t* bytes(std::uint64_t count) {
    if (count > left()) {
      fail();
      return nullptr;
    }
    const std::uint8_t* result = at_;
    at_ += count;
    return result;
  }

 private:
  std::uint64_t long_varint(std::uint64_t max);

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

struct SegmentView {
  std::uint32_t flags, unit, value, size;  ///< `value` and `size` as X.
};
struct CaseView {
  std::uint32_t constant, target;
};

/// An instruction taken apart. Indexes are not checked against anything.
struct Instruction {
  Op op;
  std::uint32_t offset;  ///< From the beginning of its function.
  std::uint32_t next;    ///< Offset of the instruction behind it.
  /// One value an operand, in order, Z and Y left out; a run (V, W, G) has its count, R and M
  /// nothing.
  std::uint32_t values[8];
  std::uint32_t base;  ///< R
  std::uint32_t destination;
  const std::uint8_t* live;  ///< M, or R's: bit i = slot i.
  std::uint32_t live_bytes;
  const std::uint8_t* run;  ///< First element of the V, W or G operand.
  std::uint32_t run_count;
  const std::uint8_t* end;

  const OpInfo& info() const { return op_info(op); }
  bool is_live(std::uint32_t slot) const {
    return slot / 8 < live_bytes && (live[slot / 8] >> slot % 8 & 1);
  }
  template <class Visit>
  void for_each_value(Visit&& visit) const {
    ByteCursor cursor(run, end);
    for (std::uint32_t i = 0; i < run_count; ++i) visit(cursor.u32());
  }
  template <class Visit>
  void for_each_case(Visit&& visit) const {
    ByteCursor cursor(run, end);
    for (std::uint32_t i = 0; i < run_count; ++i) {
      std::uint32_t constant = cursor.u32();
      visit(CaseView{constant, cursor.fixed32()});
    }
  }
  template <class Visit>
  void for_each_segment(Visit&& visit) const {
    ByteCursor cursor(run, end);
    for (std::uint32_t i = 0; i < run_count; ++i) {
      SegmentView segment{};
      segment.flags = cursor.u32();
      segment.unit = cursor.u32();
      segment.value = cursor.u32();
      segment.size = cursor.u32();
      visit(segment);
    }
  }
};

/// The instruction at `offset` of the function whose code is [code, end). False where no whole
/// instruction is.
bool read_instruction(const std::uint8_t* code, const std::uint8_t* end, std::uint32_t offset,
                      Instruction& out);

}  // namespace quelea
