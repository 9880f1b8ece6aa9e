// The .qb file: a ModuleImage as bytes.
//
//   +------+---------+-------------+---------------------------------------------+
//   | QLEA | version | instruction | chunks: tag (4 bytes), length (4 bytes), …  |
//   |      | 4 bytes | set 8 bytes |                                             |
//   +------+---------+-------------+---------------------------------------------+
//
// Numbers of fixed size are little-endian. `instruction set` is a hash of opcodes.def: a file made
// for other instructions is refused, not misread. Every chunk of kChunks (module_file.cpp) is
// there, once, in that order. The reader believes nothing: counts are checked against the bytes
// that are left before memory is taken, and everything it accepts has all indexes between tables in
// range. What code does is the verifier's business.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vm/code/module_image.h"

namespace quelea {

inline constexpr std::uint32_t kModuleFormatVersion = 2;

/// A hash of opcodes.def.
std::uint64_t instruction_set_hash();

std::string write_module(const ModuleImage& image);

struct ModuleFileError {
  std::string chunk;       ///< Its tag; empty: the file's head.
  std::size_t offset = 0;  ///< In the file.
  std::string reason;
  std::string message() const;
};

struct ModuleFileResult {
  std::unique_ptr<ModuleImage> image;  ///< Null when refused.
  ModuleFileError error;
};

ModuleFileResult read_module(std::string_view file);

/// Without docs, which running does not need.
ModuleFileResult read_module_code(std::string_view file);

/// Just the module's name, its exported functions, struct fields, callbacks and docs, without code:
/// for tools and the compiler that ask about another module.
ModuleFileResult read_module_interface(std::string_view file);

}  // namespace quelea
