#include "vm/code/instruction.h"

namespace quelea {

std::uint64_t ByteCursor::long_varint(std::uint64_t max) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    std::uint8_t next = byte();
    if (failed_) return 0;
    std::uint64_t part = next & 127u;
    bool overflows = shift == 63 && part > 1;
    bool padded = next == 0 && shift > 0;
    if (overflows || padded) break;
    value |= part << shift;
    if (next < 128) {
      if (value > max) break;
      return value;
    }
  }
  fail();
  return 0;
}

namespace {

void read_live(ByteCursor& cursor, Instruction& out) {
  out.live_bytes = cursor.u32();
  out.live = cursor.bytes(out.live_bytes);
  // A shortest form here too: the last byte says something.
  if (out.live != nullptr && out.live_bytes > 0 && out.live[out.live_bytes - 1] == 0) cursor.fail();
}

void read_run(ByteCursor& cursor, char letter, Instruction& out) {
  out.run_count = cursor.u32();
  out.run = cursor.at();
  // Every element takes at least a byte, so the loops end soon where the count lies.
  for (std::uint32_t i = 0; i < out.run_count && !cursor.failed(); ++i) {
    cursor.u32();
    if (letter == 'W') cursor.fixed32();
    if (letter == 'G') {
      cursor.u32();
      cursor.u32();
      cursor.u32();
    }
  }
}

}  // namespace

bool read_instruction(const std::uint8_t* code, const std::uint8_t* end, std::uint32_t offset,
                      Instruction& out) {
  ByteCursor cursor(code + offset, end);
  std::uint8_t op = cursor.byte();
  if (cursor.failed() || op >= kOpCount) return false;
  out.op = static_cast<Op>(op);
  out.offset = offset;
  out.end = end;
  out.live = nullptr;
  out.live_bytes = 0;
  out.run = nullptr;
  out.run_count = 0;
  std::uint32_t* value = out.values;
  for (const char* letter = op_info(out.op).operands; *letter != 0; ++letter) {
    switch (*letter) {
      case 'Z':
      case 'Y':
        break;
      case 'L':
        *value++ = cursor.fixed32();
        break;
      case 'M':
        read_live(cursor, out);
        *value++ = 0;
        break;
      case 'R':
        out.base = cursor.u32();
        out.destination = cursor.u32();
        read_live(cursor, out);
        *value++ = 0;
        break;
      case 'V':
      case 'W':
      case 'G':
        read_run(cursor, *letter, out);
        *value++ = out.run_count;
        break;
      default:
        *value++ = cursor.u32();
    }
  }
  out.next = static_cast<std::uint32_t>(cursor.at() - code);
  return !cursor.failed();
}

}  // namespace quelea
