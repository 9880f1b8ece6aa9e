#include "vm/api/module_search.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "compiler/driver/module_path.h"
#include "vm/code/module_file.h"
#include "vm/proc/memory_guard.h"

namespace quelea {
namespace {

struct FileFacts {
  timespec modified = {};
  std::uint64_t size = 0;
};

bool look_at_file(const std::string& path, FileFacts& facts) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  facts = {info.st_mtim, static_cast<std::uint64_t>(info.st_size)};
  return true;
}

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace

bool read_whole_file(const std::string& path, std::string& bytes) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return false;
  char buffer[65536];
  bytes.clear();
  while (std::size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) bytes.append(buffer, n);
  return std::ferror(file.get()) == 0;
}

std::string source_root(std::string_view path, std::string_view text) {
  // The header is the first line that is neither blank nor a comment.
  std::string_view line;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos || line[start] == '#') continue;
    line.remove_prefix(start);
    break;
  }
  constexpr std::string_view kHeader = "module ";
  if (line.substr(0, kHeader.size()) != kHeader) return "";
  line.remove_prefix(kHeader.size());
  std::string tail =
      "/" + compiler::module_path(line.substr(0, line.find_first_of(" \t\r;#{"))) + ".qu";
  if (path == std::string_view(tail).substr(1)) return ".";
  if (path.size() <= tail.size() || path.substr(path.size() - tail.size()) != tail) return "";
  return std::string(path.substr(0, path.size() - tail.size()));
}

// What reading a file of a module takes until it is loaded, claimed before it is read.
class ModuleSearch::Room {
 public:
  Room(MemoryGuard* memory, const Place& place) {
    if (memory == nullptr) return;
    const std::uint64_t for_byte = place.is_source ? kCompilerBytesPerByte : kLoaderBytesPerByte;
    claim_.emplace(*memory, for_byte * std::min(place.size, kMostBytes));
    if (!claim_->has_room()) no_memory();
  }

 private:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50;
  // Two copies of the file, and its parts as the loader reads them.
  static constexpr std::uint64_t kLoaderBytesPerByte = 8;
  std::optional<MemoryClaim> claim_;
};

ModuleSearch::ModuleSearch(std::vector<std::string> folders)
    : folders_(std::move(folders)), library_(embedded_library()) {}

std::vector<ModuleSearch::Place> ModuleSearch::places(std::string_view name) const {
  std::vector<Place> result;
  std::string path = compiler::module_path(name);
  if (path.empty()) return result;
  for (const std::string& folder : folders_) {
    // Traces name a module beside the script as they name the script.
    std::string stem = folder == "." ? path : folder + "/" + path;
    FileFacts source_facts, compiled_facts;
    bool source = look_at_file(stem + ".qu", source_facts);
    bool compiled = look_at_file(stem + ".qb", compiled_facts);
    // Where both are there the newer one counts, so that nobody runs stale code after an edit.
    bool compiled_first =
        compiled && (!source || is_before(source_facts.modified, compiled_facts.modified));
    const Place compiled_place = {stem + ".qb", false, compiled_facts.size};
    if (compiled_first) result.push_back(compiled_place);
    if (source) result.push_back({stem + ".qu", true, source_facts.size});
    if (compiled && !compiled_first) result.push_back(compiled_place);
  }
  return result;
}

FindResult ModuleSearch::load(std::string_view name) {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  FindResult result;
  for (const Place& place : places(name)) {
    if (place.is_source) {
      result = load_source(name, place);
      if (result.status != FindStatus::NotFound) return result;
      continue;
    }
    const Room room(memory_, place);
    std::string bytes;
    if (!read_whole_file(place.path, bytes)) continue;
    result.status = FindStatus::Found;
    result.modules.push_back({std::string(name), place.path, {bytes.begin(), bytes.end()}});
    return result;
  }
  Archive::Entry entry;
  if (!library_.find(name, entry)) {
    result.message = why_missing(name);
    if (!result.message.empty()) result.status = FindStatus::Broken;
    return result;
  }
  result.status = FindStatus::Found;
  result.modules.push_back(
      {std::string(name), "(library)", {entry.bytes, entry.bytes + entry.size}});
  return result;
}

std::string_view ModuleSearch::library_module(std::string_view name) const {
  Archive::Entry entry;
  if (!library_.find(name, entry) || !places(name).empty()) return {};
  return {reinterpret_cast<const char*>(entry.bytes), entry.size};
}

FindResult ModuleSearch::load_source(std::string_view name, const Place& place) {
  const std::string& path = place.path;
  const Room room(memory_, place);
  FindResult result;
  std::string text;
  if (!read_whole_file(path, text)) return result;
  // A script may by chance be called like a module (list.qu): then it is not the one looked for.
  bool holds_it = false, parses = false;
  for (const compiler::ModuleInfo& info : compiler::read_interfaces(path, text)) {
    holds_it = holds_it || info.name == name;
    parses = true;
  }
  if (parses && !holds_it) return result;
  compiler::BuildResult built = compiler::build(path, std::move(text), {}, this);
  if (!built.ok) {
    result.status = FindStatus::Broken;
    result.message = std::move(built.text);
    while (result.message.ends_with('\n')) result.message.pop_back();
    return result;
  }
  ModuleBytes wanted;
  for (compiler::BuiltModule& module : built.modules) {
    remember_locked(module.info);
    ModuleBytes bytes{module.name, path, std::move(module.bytes)};
    if (module.name == name)
      wanted = std::move(bytes);
    else
      result.modules.push_back(std::move(bytes));
  }
  result.modules.push_back(std::move(wanted));
  result.status = FindStatus::Found;
  return result;
}

void ModuleSearch::add_folder(std::string folder) {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end())
    folders_.push_back(std::move(folder));
}

void ModuleSearch::remember(const compiler::ModuleInfo& info) {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  remember_locked(info);
}

const compiler::ModuleInfo* ModuleSearch::remember_locked(const compiler::ModuleInfo& info) {
  // The copy is whole before it replaces another.
  return &known_.insert_or_assign(info.name, compiler::ModuleInfo(info)).first->second;
}

const compiler::ModuleInfo* ModuleSearch::find(std::string_view name) {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  if (const compiler::ModuleInfo* native = compiler::native_module(name)) return native;
  if (auto known = known_.find(name); known != known_.end()) return &known->second;
  for (const Place& place : places(name)) {
    const Room room(memory_, place);
    std::string bytes;
    if (!read_whole_file(place.path, bytes)) continue;
    if (place.is_source) {
      const compiler::ModuleInfo* wanted = nullptr;
      bool parses = false;
      for (const compiler::ModuleInfo& info : compiler::read_interfaces(place.path, bytes)) {
        const compiler::ModuleInfo* kept = remember_locked(info);
        if (info.name == name) wanted = kept;
        parses = true;
      }
      if (wanted != nullptr) return wanted;
      if (parses) continue;
      compiler::ModuleInfo broken;
      broken.name = name;
      broken.is_broken = true;
      return remember_locked(broken);
    }
    ModuleFileResult read = read_module_interface(bytes);
    if (read.image) return remember_locked(compiler::interface_of(*read.image));
  }
  Archive::Entry entry;
  if (!library_.find(name, entry)) return nullptr;
  return remember_locked(read_interface(entry.name, entry.interface_text));
}

std::string ModuleSearch::why_missing(std::string_view name) {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  for (const Place& place : places(name)) {
    if (!place.is_source) continue;
    const Room room(memory_, place);
    std::string bytes;
    if (!read_whole_file(place.path, bytes)) continue;
    std::vector<compiler::ModuleInfo> infos = compiler::read_interfaces(place.path, bytes);
    if (infos.empty()) continue;
    const std::string& held = infos.back().name;
    std::string wanted(name);
    if (held == compiler::script_module(place.path))
      return "`" + place.path + "` is a script; the module begins with `module " + wanted + "`";
    return "`" + place.path + "` holds the module `" + held + "`, not `" + wanted + "`";
  }
  return {};
}

std::vector<std::string> ModuleSearch::names() {
  std::lock_guard<std::recursive_mutex> guard(lock_);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < library_.count(); i++) names.emplace_back(library_.at(i).name);
  for (const auto& [name, info] : known_) names.push_back(name);
  return names;
}

}  // namespace quelea
