// A module's constants as terms.
#pragma once

#include <string>
#include <vector>

#include "vm/code/module_image.h"
#include "vm/term/atoms.h"
#include "vm/term/etf.h"

namespace quelea {

struct ConstantTerms {
  std::vector<Term> terms;
  std::string error;  ///< Empty when all are good.
};

/// Builds them with `alloc`. `options` says how functions among them are found; its `bare` is set.
ConstantTerms decode_constants(const ModuleImage& image, TermAlloc& alloc, AtomTable& atoms,
                               EtfDecodeOptions options);

}  // namespace quelea
