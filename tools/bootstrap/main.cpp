// Compiles the library into the archive that is linked into the executable.
//
//   quelea-bootstrap OUTPUT FOLDER
//
// Takes every .qu below FOLDER. The compiler asks what the modules export of each other, so all are
// read first. Diagnostics go to standard error; a module that does not compile is left out and
// makes the status 1 with --strict.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "compiler/driver/build.h"
#include "vm/api/archive.h"

// This tool links without a library: it makes it.
extern "C" {
extern const unsigned char quelea_library_begin[];
extern const unsigned char quelea_library_end[];
const unsigned char quelea_library_begin[1] = {0};
const unsigned char quelea_library_end[1] = {0};
}

namespace {

namespace fs = std::filesystem;
using quelea::compiler::BuildResult;
using quelea::compiler::ModuleInfo;

struct Source {
  std::string name;  // in stack traces: "stdlib/list.qu"
  std::string text;
};

class Library : public quelea::compiler::ModuleInfoProvider {
 public:
  void add(const ModuleInfo& info) { modules_.insert_or_assign(info.name, info); }
  const ModuleInfo* find(std::string_view name) override {
    if (const ModuleInfo* native = quelea::compiler::native_module(name)) return native;
    auto found = modules_.find(name);
    return found == modules_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> names() override {
    std::vector<std::string> names;
    for (const auto& [name, info] : modules_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, ModuleInfo, std::less<>> modules_;
};

std::vector<Source> read_sources(const fs::path& folder) {
  std::vector<Source> sources;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".qu") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    sources.push_back({"stdlib/" + fs::relative(entry.path(), folder).generic_string(),
                       {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.name < b.name; });
  return sources;
}

int bootstrap(const char* output, const char* folder, bool strict) {
  std::vector<Source> sources = read_sources(folder);
  Library library;
  for (const Source& source : sources)
    for (const ModuleInfo& info : quelea::compiler::read_interfaces(source.name, source.text))
      library.add(info);
  quelea::ArchiveWriter writer;
  int failures = 0;
  for (Source& source : sources) {
    BuildResult built = quelea::compiler::build(source.name, std::move(source.text), {}, &library);
    fputs(built.text.c_str(), stderr);
    failures += !built.ok;
    for (auto& module : built.modules) writer.add(module.info, std::move(module.bytes));
  }
  std::vector<uint8_t> archive = writer.write();
  std::ofstream out(output, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(archive.data()),
            static_cast<std::streamsize>(archive.size()));
  out.close();
  if (!out) {
    fprintf(stderr, "quelea-bootstrap: cannot write %s\n", output);
    return 1;
  }
  if (failures > 0) fprintf(stderr, "quelea-bootstrap: %d files do not compile\n", failures);
  return strict && failures > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  bool strict = argc == 4 && strcmp(argv[3], "--strict") == 0;
  if (argc != 3 && !strict) {
    fprintf(stderr, "usage: quelea-bootstrap OUTPUT FOLDER [--strict]\n");
    return 2;
  }
  return bootstrap(argv[1], argv[2], strict);
}
