// quelea_compile and what can be asked of a compilation; disassembly.
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "compiler/driver/build.h"
#include "vm/api/handles.h"
#include "vm/code/disassembler.h"
#include "vm/code/module_file.h"
#include "vm/proc/memory_guard.h"

using quelea::compiler::BuildOptions;
using quelea::compiler::BuiltModule;

namespace {

const BuiltModule* module_at(const quelea_compilation* compilation, size_t index) {
  const auto& modules = compilation->built.modules;
  return index < modules.size() ? &modules[index] : nullptr;
}

char* copy_text(const std::string& text) {
  char* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

// What is returned where there is no memory for another. Made without any, and never written to.
const quelea_compilation* no_memory_compilation() {
  static const quelea_compilation kNone{true, {false, 1, 0, {}, {}, quelea::kNoMemoryText}, {}};
  return &kNone;
}

quelea_compilation* compile(quelea_vm* vm, const char* name, const char* text, size_t length,
                            const quelea_compile_options* options) {
  BuildOptions build_options;
  if (options != nullptr) build_options.tests = options->tests;
  // A host without a machine still gets to know the library.
  std::unique_ptr<quelea::ModuleSearch> library;
  if (vm == nullptr) library = std::make_unique<quelea::ModuleSearch>(std::vector<std::string>());
  quelea::ModuleSearch& search = vm != nullptr ? vm->host.search() : *library;
  std::optional<quelea::CompilerClaim> claim;
  if (vm != nullptr && !claim.emplace(vm->vm->memory(), length).has_room()) quelea::no_memory();
  auto compilation = std::make_unique<quelea_compilation>();
  if (name != nullptr) compilation->root = quelea::source_root(name, {text, length});
  if (vm != nullptr && !compilation->root.empty()) search.add_folder(compilation->root);
  const auto hold = search.hold();
  compilation->built = quelea::compiler::build(name == nullptr ? "(source)" : name,
                                               std::string(text, length), build_options, &search);
  return compilation.release();
}

}  // namespace

void quelea_compile_options_init(quelea_compile_options* options) {
  *options = {};
  options->struct_size = sizeof *options;
}

quelea_compilation* quelea_compile(quelea_vm* vm, const char* name, const char* text, size_t length,
                                   const quelea_compile_options* options) {
  try {
    return compile(vm, name, text, length, options);
  } catch (const std::bad_alloc&) {
    return const_cast<quelea_compilation*>(no_memory_compilation());
  }
}

void quelea_compilation_destroy(quelea_compilation* compilation) {
  if (compilation != no_memory_compilation()) delete compilation;
}

bool quelea_compilation_ok(const quelea_compilation* compilation) { return compilation->built.ok; }

size_t quelea_compilation_error_count(const quelea_compilation* compilation) {
  return compilation->built.error_count;
}

size_t quelea_compilation_warning_count(const quelea_compilation* compilation) {
  return compilation->built.warning_count;
}

const char* quelea_compilation_diagnostics(const quelea_compilation* compilation) {
  return compilation->built.text.c_str();
}

size_t quelea_compilation_module_count(const quelea_compilation* compilation) {
  return compilation->built.modules.size();
}

const char* quelea_compilation_module_name(const quelea_compilation* compilation, size_t index) {
  const BuiltModule* module = module_at(compilation, index);
  return module != nullptr ? module->name.c_str() : nullptr;
}

const char* quelea_compilation_module_path(const quelea_compilation* compilation, size_t index) {
  const BuiltModule* module = module_at(compilation, index);
  return module != nullptr ? module->path.c_str() : nullptr;
}

const uint8_t* quelea_compilation_module_bytes(const quelea_compilation* compilation, size_t index,
                                               size_t* length) {
  const BuiltModule* module = module_at(compilation, index);
  if (module == nullptr) return nullptr;
  *length = module->bytes.size();
  return module->bytes.data();
}

const char* quelea_compilation_main(const quelea_compilation* compilation) {
  const auto& modules = compilation->built.modules;
  return modules.empty() ? nullptr : modules.back().name.c_str();
}

quelea_status quelea_module_name(const uint8_t* bytes, size_t length, char* name, size_t capacity) {
  try {
    auto read = quelea::read_module_interface({reinterpret_cast<const char*>(bytes), length});
    if (!read.image) return QUELEA_LOAD_ERROR;
    const std::string& text = read.image->names[read.image->name];
    if (text.size() >= capacity) return QUELEA_BAD_ARGUMENT;
    std::memcpy(name, text.c_str(), text.size() + 1);
    return QUELEA_OK;
  } catch (const std::bad_alloc&) {
    return QUELEA_NO_MEMORY;
  }
}

char* quelea_disassemble(const uint8_t* bytes, size_t length, char** error) {
  if (error != nullptr) *error = nullptr;
  try {
    auto read = quelea::read_module({reinterpret_cast<const char*>(bytes), length});
    if (read.image) return copy_text(quelea::disassemble(*read.image));
    if (error != nullptr) *error = copy_text(read.error.message());
  } catch (const std::bad_alloc&) {
    // NULL for both says so.
  }
  return nullptr;
}

void quelea_string_destroy(char* text) { std::free(text); }
