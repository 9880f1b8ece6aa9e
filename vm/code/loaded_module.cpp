#include "vm/code/loaded_module.h"

#include <algorithm>

namespace quelea {

namespace {

template <class T>
std::size_t bytes_of(const std::vector<T>& items) {
  return items.capacity() * sizeof(T);
}

std::size_t bytes_of(const std::string& text) { return sizeof text + text.capacity(); }

std::size_t bytes_of(const ModuleImage& image) {
  std::size_t bytes = sizeof image + bytes_of(image.docs) + bytes_of(image.callbacks) +
                      bytes_of(image.struct_fields) + bytes_of(image.tests);
  for (NameId name = 0; name < image.names.size(); ++name) bytes += bytes_of(image.names[name]);
  for (const ImageDoc& doc : image.docs) bytes += doc.signature.capacity() + doc.text.capacity();
  return bytes;
}

}  // namespace

std::size_t LoadedModule::table_bytes() const {
  std::size_t bytes = sizeof *this + bytes_of(functions) + bytes_of(exports) + bytes_of(lambdas) +
                      bytes_of(inlines) + bytes_of(lines) + bytes_of(exceptions) + bytes_of(files) +
                      bytes_of(tests) + bytes_of(constants) + bytes_of(live_maps) +
                      bytes_of(attributes);
  for (const auto& map : live_maps) bytes += (1 + map[0]) * sizeof(Word);
  return image != nullptr ? bytes + bytes_of(*image) : bytes;
}

const LoadedFunction* LoadedModule::function_at(const Word* pc) const {
  auto after = std::upper_bound(
      functions.begin(), functions.end(), pc,
      [](const Word* address, const LoadedFunction& function) { return address < function.entry; });
  if (after == functions.begin()) return nullptr;
  const LoadedFunction& function = *(after - 1);
  return pc < function.end ? &function : nullptr;
}

const LoadedFunction* LoadedModule::find_export(Term function_name, std::uint32_t arity) const {
  auto at =
      std::lower_bound(exports.begin(), exports.end(), std::pair(function_name.bits, arity),
                       [this](std::uint32_t index, const std::pair<Word, std::uint32_t>& key) {
                         const LoadedFunction& function = functions[index];
                         return std::pair(function.name.bits, function.arity) < key;
                       });
  if (at == exports.end()) return nullptr;
  const LoadedFunction& function = functions[*at];
  return function.name == function_name && function.arity == arity ? &function : nullptr;
}

const LoadedException* LoadedModule::exception_at(const Word* pc) const {
  const LoadedFunction* function = function_at(pc);
  if (function == nullptr) return nullptr;
  auto word = static_cast<std::uint32_t>(pc - code);
  auto begin = exceptions.begin() + function->exceptions_begin;
  auto end = exceptions.begin() + function->exceptions_end;
  // The loader made the ranges disjoint and sorted them.
  auto after = std::upper_bound(
      begin, end, word,
      [](std::uint32_t offset, const LoadedException& entry) { return offset < entry.start; });
  if (after == begin || word >= (after - 1)->end) return nullptr;
  return &*(after - 1);
}

LoadedLine LoadedModule::line_at(const Word* pc) const {
  const LoadedFunction* function = function_at(pc);
  if (function == nullptr) return {0, 0, 0, 0};
  auto word = static_cast<std::uint32_t>(pc - code);
  auto begin = lines.begin() + function->lines_begin, end = lines.begin() + function->lines_end;
  auto after = std::upper_bound(begin, end, word, [](std::uint32_t offset, const LoadedLine& line) {
    return offset < line.word;
  });
  if (after == begin) return {word, function->line, 0, 0};
  return *(after - 1);
}

}  // namespace quelea
