// A module as text, for people and golden tests.
#pragma once

#include <string>

#include "vm/code/module_image.h"

namespace quelea {

struct DisassembleOptions {
  /// Offsets before instructions; without them the text changes only where the code does.
  bool offsets = false;
  bool lines = true;
};

/// Never fails: what is no instruction is shown as bytes.
std::string disassemble(const ModuleImage& image, const DisassembleOptions& options = {});

/// One function.
std::string disassemble_function(const ModuleImage& image, std::uint32_t function,
                                 const DisassembleOptions& options = {});

}  // namespace quelea
