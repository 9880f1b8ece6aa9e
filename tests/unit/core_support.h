// Source to text: what the compiler makes of a few lines.
#pragma once

#include <memory>
#include <string>

#include "compiler/core/compile.h"
#include "compiler/syntax/parser.h"
#include "compiler/syntax/resolve.h"
#include "vm/code/disassembler.h"

namespace quelea::test {

struct Compiled {
  std::unique_ptr<ModuleImage> image;
  std::string errors;

  // The code of the first function of that name, without the lines of the source.
  std::string code(const std::string& name) const {
    for (std::uint32_t i = 0; image && i < image->functions.size(); ++i) {
      if (image->names[image->functions[i].name] != name) continue;
      std::string text = disassemble_function(*image, i, {.offsets = false, .lines = false});
      std::size_t body = text.find('\n');
      return text.substr(body + 1);
    }
    return "no function " + name + "\n" + errors;
  }
  // The worker of a function that walks binaries: the last function of that name.
  std::string worker(const std::string& name) const {
    for (std::size_t i = image ? image->functions.size() : 0; i-- > 0;) {
      if (image->names[image->functions[i].name] != name) continue;
      std::string text = disassemble_function(*image, static_cast<std::uint32_t>(i),
                                              {.offsets = false, .lines = false});
      return text.substr(text.find('\n') + 1);
    }
    return "no function " + name + "\n" + errors;
  }
};

inline Compiled compile_text(const std::string& text) {
  using namespace quelea::compiler;
  SourceFile source("test.qu", text);
  Arena arena;
  Interner names;
  DiagnosticSink sink;
  Compiled result;
  ParseResult parsed = parse(source, arena, names, sink);
  bool ok = parsed.ok && resolve(*parsed.file, arena, names, sink, nullptr, {.warnings = false});
  if (ok) result.image = compile_module(*parsed.file->main(), source, arena, names, sink);
  result.errors = render_all(sink);
  return result;
}

}  // namespace quelea::test
