// Module files from anywhere: read, shown, verified and expanded, they are refused or accepted, and
// never crash.
//
// The first byte chooses: a file as it stands; a generated module, some operands spoiled; a
// generated module with changed code; a generated module's file with changed bytes. An unspoiled
// generated module must be accepted.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/module_generator.h"
#include "tests/fuzz/module_runner.h"
#include "vm/code/disassembler.h"
#include "vm/code/module_file.h"

using namespace quelea;
using namespace quelea::test;

namespace {

[[noreturn]] void broken(const char* what, const std::string& detail) {
  std::fprintf(stderr, "module_fuzz: %s: %s\n", what, detail.c_str());
  std::abort();
}

/// Natives that do nothing to the world outside.
const std::vector<GeneratorNative>& natives() {
  static const std::vector<GeneratorNative> kNatives = {
#define NATIVE(module, name, arity, symbol, flags) {#module, #name, arity},
#include "vm/code/natives/binary.def"
#include "vm/code/natives/json.def"
#include "vm/code/natives/list.def"
#include "vm/code/natives/map.def"
#include "vm/code/natives/number.def"
#include "vm/code/natives/operators.def"
#include "vm/code/natives/prelude.def"
#include "vm/code/natives/process.def"
#include "vm/code/natives/regex.def"
#include "vm/code/natives/string.def"
#undef NATIVE
  };
  return kNatives;
}

void check_file(const std::string& file, bool must_load) {
  ModuleFileResult result = read_module(file);
  if (result.image == nullptr) {
    if (must_load) broken("refused by the reader", result.error.message());
    return;
  }
  // Two readings of the same thing agree.
  std::string again = write_module(*result.image);
  if (again != file) broken("reads back differently", disassemble(*result.image));
  (void)disassemble(*result.image);
  read_module_interface(file);
  std::string error = run_module(file);
  if (!error.empty() && must_load)
    broken("refused by the verifier", error + "\n" + disassemble(*result.image, {.offsets = true}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] == 'Q') {
    check_file(std::string(reinterpret_cast<const char*>(data), size), false);
    return 0;
  }
  Choices choices({data + 1, size - 1});
  GeneratorOptions options;
  for (std::uint32_t n = choices.below(12); n > 0; --n)
    options.natives.push_back(choices.pick(natives()));
  unsigned mode = data[0] % 4;
  if (mode == 1) options.spoil = 1 + choices.below(60);
  std::unique_ptr<ModuleImage> image = ModuleGenerator(choices, options).generate();
  if (mode == 2) mutate_code(*image, choices);
  std::string file = write_module(*image);
  if (mode == 3) {
    for (std::uint32_t n = 1 + choices.below(3); n > 0; --n)
      file[choices.below(static_cast<std::uint32_t>(file.size()))] =
          static_cast<char>(choices.below(256));
  }
  check_file(file, mode == 0);
  return 0;
}
