// The instruction set as C++: what opcodes.def says, as enum and tables that can be used at compile
// time.
#pragma once

#include <cstdint>
#include <string_view>

namespace quelea {

/// An instruction. `op_catch` and so on, because some names are C++ keywords.
enum Op : std::uint8_t {
#define OP(name, operands, flags, sentence) op_##name,
#include "vm/code/opcodes.def"
#undef OP
};

namespace op_flags {
inline constexpr unsigned BRANCH = 1, STOP = 2, SAFE = 4, RAISES = 8, ALLOCS = 16, CREDIT = 32;
}

struct OpInfo {
  const char* name;
  /// One letter an operand; opcodes.def explains them.
  const char* operands;
  unsigned flags;
  const char* sentence;
};

namespace detail {
using namespace op_flags;
inline constexpr OpInfo kOpTable[] = {
#define OP(name, operands, flags, sentence) {#name, operands, flags, sentence},
#include "vm/code/opcodes.def"
#undef OP
};
}  // namespace detail

inline constexpr unsigned kOpCount = sizeof(detail::kOpTable) / sizeof(detail::kOpTable[0]);
static_assert(kOpCount <= 256, "an instruction is one byte in a file");

constexpr const OpInfo& op_info(Op op) { return detail::kOpTable[op]; }

/// What `raise` raises (raise_kinds.def).
enum RaiseKind : std::uint8_t {
#define RAISE(name, class_, shape, sentence) raise_##name,
#include "vm/code/raise_kinds.def"
#undef RAISE
  kRaiseKindCount
};

}  // namespace quelea
