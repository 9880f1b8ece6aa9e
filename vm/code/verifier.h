// Says whether a module's code can be run without checks.
//
// The interpreter trusts its operands: it does not look whether a slot lies in the frame, a list
// cell is one, a live map tells the truth. This is where that trust is earned, once per load.
// docs/design/bytecode.md has the rules and the argument why code that keeps them cannot crash the
// machine. In short, per function:
//
//  1. one pass over the bytes: whole instructions, operands in range, constants of the kind wanted,
//  jump targets that
//     are beginnings of instructions, an end that is not run off (verify_scan.cpp);
//  2. abstract interpretation: for every instruction, which slots surely hold a term, a cons cell,
//  a tuple of at least n
//     elements; where ways meet, what holds on all of them (verify_flow.cpp).
//
// Both are linear for code that compilers make. A budget of steps refuses what was made to be
// expensive.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vm/code/module_image.h"
#include "vm/term/atoms.h"
#include "vm/term/term.h"

namespace quelea {

struct VerifyResult {
  bool ok = true;
  std::uint32_t function = 0;
  std::uint32_t offset = 0;
  std::string reason;

  /// "function fact/1, line 3, offset 12 (add): …"
  std::string message(const ModuleImage& image) const;
};

/// `image` as read_module makes it; `constants` its constants as terms.
VerifyResult verify_module(const ModuleImage& image, std::span<const Term> constants,
                           const AtomTable& atoms);

}  // namespace quelea
