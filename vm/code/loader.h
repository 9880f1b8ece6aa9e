// From a module image to code that runs: constants decoded, code verified, instructions expanded to
// words (loaded_module.h says how they look), exports installed. Either all of it happens or
// nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vm/code/code_registry.h"
#include "vm/code/module_image.h"

namespace quelea {

class AtomTable;

struct LoadContext {
  CodeRegistry& registry;
  AtomTable& atoms;
  /// `kHandlerCount` addresses: by Op, then by LoaderOp.
  const void* const* handlers;
  /// Added to every Z operand.
  std::size_t red_zone_bytes;
  /// The native of that name, or null; entries live as long as the machine.
  std::function<const NativeEntry*(std::string_view module, std::string_view name,
                                   std::uint32_t arity)>
      find_native;
};

struct LoadResult {
  const LoadedModule* module = nullptr;  ///< Null when refused.
  std::string error;                     ///< What was wrong, and where.
};

/// Loads a module and makes it the newest version of its name. Any thread; loads wait for each
/// other.
LoadResult load_module(const LoadContext& context, std::unique_ptr<ModuleImage> image);

/// Reads a .qb file's bytes and loads it.
LoadResult load_module(const LoadContext& context, std::string_view file);

/// A module whose exported functions are natives: so that they can be called by name and made funs
/// of.
std::unique_ptr<ModuleImage> native_module_image(
    std::string_view module,
    const std::vector<std::pair<std::string_view, std::uint32_t>>& natives);

}  // namespace quelea
