// From a module file to code that runs: constants decoded, code verified, instructions expanded to
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
#include "vm/term/atoms.h"

namespace quelea {

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
  /// Called for a module whose code is complete and that nobody runs yet: may exchange handlers.
  /// Null: nothing to do.
  void (*specialise)(LoadedModule& module) = nullptr;
  /// Machine: it is a module of the library.
  AtomOf atoms_of = AtomOf::Code;
};

/// A module ready to be installed (CodeRegistry::install), or why there is none.
struct PrepareResult {
  std::unique_ptr<LoadedModule> module;
  std::string error;
};

struct LoadResult {
  const LoadedModule* module = nullptr;  ///< Null when refused.
  std::string error;                     ///< What was wrong, and where.
};

/// Reads a .qb file's bytes. Nobody can call the module yet: so several can be made ready and
/// installed when all are good. Any thread; preparations wait for each other.
PrepareResult prepare_module(const LoadContext& context, std::string_view file);

/// The same for an image that obeys what read_module checks: one that it read, or
/// native_module_image made.
PrepareResult prepare_module(const LoadContext& context, std::unique_ptr<ModuleImage> image);

/// Prepares and installs.
LoadResult load_module(const LoadContext& context, std::string_view file);
LoadResult load_module(const LoadContext& context, std::unique_ptr<ModuleImage> image);

/// Everything that loading checks, without loading: empty when the module is good.
std::string check_module(const LoadContext& context, std::string_view file);

/// A module whose exported functions are natives: so that they can be called by name and made funs
/// of.
std::unique_ptr<ModuleImage> native_module_image(
    std::string_view module,
    const std::vector<std::pair<std::string_view, std::uint32_t>>& natives);

}  // namespace quelea
