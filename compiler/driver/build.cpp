// Runs the phases one after the other: parse, resolve, core and code of each module, file format.
#include "compiler/driver/build.h"

#include <memory>

#include "compiler/core/compile.h"
#include "compiler/driver/module_path.h"
#include "compiler/driver/tests_function.h"
#include "compiler/syntax/parser.h"
#include "vm/code/module_file.h"

namespace quelea::compiler {
namespace {

// "chat/room" for Chat.Room, the file's own stem for a script.
std::string path_of(const Module& module, std::string_view name, std::string_view file_name) {
  if (!module.is_script) return module_path(name);
  size_t slash = file_name.find_last_of('/');
  std::string_view stem = slash == std::string_view::npos ? file_name : file_name.substr(slash + 1);
  if (size_t dot = stem.rfind('.'); dot != std::string_view::npos && dot > 0)
    stem = stem.substr(0, dot);
  return std::string(stem);
}

void take_diagnostics(DiagnosticSink& sink, BuildResult& result) {
  sink.sort();
  for (const Diagnostic& diagnostic : sink.diagnostics()) {
    BuiltDiagnostic built;
    built.text = render(diagnostic);
    built.message = diagnostic.message;
    built.code = diag_code_text(diagnostic.code);
    built.is_error = diagnostic.severity == Severity::kError;
    if (diagnostic.source != nullptr) {
      Position position = diagnostic.source->position(diagnostic.span.begin);
      built.line = position.line;
      built.column = position.column;
    }
    result.diagnostics.push_back(std::move(built));
  }
  result.text = render_all(sink);
  result.error_count = sink.error_count();
  result.warning_count = sink.warning_count();
}

// Running a file calls its `main`, which nobody thinks of exporting.
void export_main(const File& file, const Interner& names) {
  Symbol main = names.find("main");
  for (FunctionDef* function : file.main()->functions)
    if (function->name == main && function->arity <= 1) function->is_pub = true;
}

// False when the sink got errors.
bool compile_modules(const SourceFile& source, const File& file, Arena& arena, Interner& names,
                     DiagnosticSink& sink, const BuildOptions& options, BuildResult& result) {
  CompileOptions compile_options;
  compile_options.tests = options.tests;
  compile_options.warnings = options.warnings;
  compile_options.inlining = options.inlining;
  for (const Module* module : file.modules) {
    std::unique_ptr<ModuleImage> image =
        compile_module(*module, source, arena, names, sink, compile_options);
    if (!image) return false;
    if (options.tests) add_tests_function(*image);
    BuiltModule built;
    built.name = names.text(module->name);
    built.path = path_of(*module, built.name, source.name());
    built.info = interface_of(*image);
    std::string bytes = write_module(*image);
    built.bytes.assign(bytes.begin(), bytes.end());
    result.modules.push_back(std::move(built));
  }
  return true;
}

}  // namespace

BuildResult build(std::string file_name, std::string text, const BuildOptions& options,
                  ModuleInfoProvider* modules) {
  SourceFile source(std::move(file_name), std::move(text));
  Arena arena;
  Interner names;
  DiagnosticSink sink;
  BuildResult result;
  ParseResult parsed = parse(source, arena, names, sink, {.tests = options.tests});
  if (parsed.ok) export_main(*parsed.file, names);
  result.ok = parsed.ok &&
              resolve(*parsed.file, arena, names, sink, modules,
                      {.tests = options.tests, .warnings = options.warnings}) &&
              compile_modules(source, *parsed.file, arena, names, sink, options, result);
  if (!result.ok) result.modules.clear();
  take_diagnostics(sink, result);
  return result;
}

}  // namespace quelea::compiler
