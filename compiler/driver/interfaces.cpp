// What one module may know of another.
#include <map>
#include <memory>

#include "compiler/driver/build.h"
#include "compiler/syntax/parser.h"
#include "vm/code/module_image.h"

namespace quelea::compiler {
namespace {

void add_function(ModuleInfo& info, const Interner& names, const FunctionDef& function) {
  // Trailing defaults make the lower arities exist too; the parser still has them as patterns.
  uint32_t defaults = 0;
  if (!function.clauses.empty())
    for (const Pattern* param : function.clauses[0]->params)
      if (param->kind == PatternKind::kDefault) defaults++;
  for (uint32_t arity = function.arity - defaults; arity <= function.arity; arity++)
    info.exports.push_back({std::string(names.text(function.name)), arity});
}

ModuleInfo info_of(const Module& module, const Interner& names) {
  ModuleInfo info;
  info.name = names.text(module.name);
  for (const FunctionDef* function : module.functions)
    if (function->is_pub) add_function(info, names, *function);
  for (const CallbackDef* callback : module.callbacks)
    info.callbacks.push_back(
        {std::string(names.text(callback->name)), callback->arity, callback->optional});
  if (module.structure != nullptr) {
    info.has_struct = true;
    info.exports.push_back({"__struct__", 0});
    for (const StructField& field : module.structure->fields)
      info.struct_fields.emplace_back(names.text(field.name));
  }
  return info;
}

std::map<std::string, ModuleInfo, std::less<>> make_native_modules() {
  std::map<std::string, ModuleInfo, std::less<>> modules;
  auto add = [&](const char* module, const char* name, uint32_t arity) {
    ModuleInfo& info = modules[module];
    info.name = module;
    info.exports.push_back({name, arity});
  };
#define NATIVE(module, name, arity, symbol, flags) add(#module, #name, arity);
#include "vm/code/natives/natives.def"
#undef NATIVE
  return modules;
}

}  // namespace

std::vector<ModuleInfo> read_interfaces(std::string file_name, std::string text) {
  SourceFile source(std::move(file_name), std::move(text));
  Arena arena;
  Interner names;
  DiagnosticSink sink;
  ParseResult parsed = parse(source, arena, names, sink);
  std::vector<ModuleInfo> infos;
  if (parsed.ok)
    for (const Module* module : parsed.file->modules) infos.push_back(info_of(*module, names));
  return infos;
}

ModuleInfo interface_of(const ModuleImage& image) {
  ModuleInfo info;
  info.name = image.names[image.name];
  for (const ImageFunction& function : image.functions)
    if (function.exported) info.exports.push_back({image.names[function.name], function.arity});
  for (const ImageCallback& callback : image.callbacks)
    info.callbacks.push_back({image.names[callback.name], callback.arity, callback.optional});
  info.has_struct = image.has_struct;
  for (const ImageStructField& field : image.struct_fields)
    info.struct_fields.push_back(image.names[field.name]);
  return info;
}

const ModuleInfo* native_module(std::string_view name) {
  static const std::map<std::string, ModuleInfo, std::less<>> modules = make_native_modules();
  auto found = modules.find(name);
  return found == modules.end() ? nullptr : &found->second;
}

}  // namespace quelea::compiler
