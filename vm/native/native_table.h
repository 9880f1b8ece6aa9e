// The table of all natives.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vm/native/native.h"

namespace quelea {

inline constexpr std::uint32_t kNativeBlocking = 4;

struct NativeDeclaration {
  std::string_view module;
  std::string_view name;
  std::uint32_t arity;
  std::uint32_t flags;
  NativeFunction function;
};

/// All of them, in the order of the tables.
std::span<const NativeDeclaration> native_declarations();

}  // namespace quelea
