// Any bytes as source: the whole compiler, then the verifier's view of what it made.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compiler/driver/build.h"
#include "vm/code/loader.h"
#include "vm/code/module_file.h"
#include "vm/term/atoms.h"

namespace {

// Says that every native exists: the verifier is asked, nothing runs.
std::string verify(std::string_view bytes) {
  static quelea::NativeEntry native;
  static quelea::AtomTable atoms;
  static quelea::CodeRegistry registry(nullptr);
  static const void* handlers[quelea::kHandlerCount];
  auto find_native = [](std::string_view, std::string_view, std::uint32_t arity) {
    native.arity = arity;
    return const_cast<const quelea::NativeEntry*>(&native);
  };
  return quelea::check_module({registry, atoms, handlers, 128, find_native}, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  quelea::compiler::BuildOptions options;
  options.tests = true;
  quelea::compiler::BuildResult built =
      quelea::compiler::build("fuzz.qu", std::move(text), options, nullptr);
  if (!built.ok && built.error_count == 0) {
    fprintf(stderr, "refused without an error\n");
    abort();
  }
  for (const auto& module : built.modules) {
    std::string_view bytes(reinterpret_cast<const char*>(module.bytes.data()), module.bytes.size());
    quelea::ModuleFileResult read = quelea::read_module(bytes);
    if (!read.image) {
      fprintf(stderr, "the compiler's module is refused: %s\n", read.error.message().c_str());
      abort();
    }
    std::string reason = verify(bytes);
    if (!reason.empty()) {
      fprintf(stderr, "the verifier refuses the compiler's module: %s\n", reason.c_str());
      abort();
    }
  }
  return 0;
}
