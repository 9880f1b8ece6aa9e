// Snapshots of diagnostics: every tests/diagnostics/*.qu is compiled, and what is
// reported must be the text of the .expected file beside it. After a change of messages,
// run the test with QUELEA_UPDATE=1 in the environment to write them anew, and read the difference.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "compiler/driver/build.h"

using namespace quelea::compiler;
namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The modules that the sources may take for known.
class Library : public ModuleInfoProvider {
 public:
  Library() {
    ModuleInfo& enums = modules_["Enum"];
    enums.exports = {{"map", 2}, {"filter", 2}, {"each", 2}, {"reduce", 3}, {"reduce", 2}};
    ModuleInfo& server = modules_["GenServer"];
    server.callbacks = {
        {"init", 1}, {"handle_call", 3}, {"handle_cast", 2}, {"terminate", 2, true}};
    ModuleInfo& known = modules_["Known"];
    known.has_struct = true;
    known.struct_fields = {"size", "color"};
    known.exports = {{"__struct__", 0}, {"map", 2}};
    modules_["Known.Deep"].exports = {{"run", 0}};
  }
  const ModuleInfo* find(std::string_view module) override {
    auto found = modules_.find(std::string(module));
    return found == modules_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> names() override {
    std::vector<std::string> out;
    for (const auto& [name, info] : modules_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, ModuleInfo> modules_;
};

std::string diagnose(const fs::path& path) {
  Library library;
  return build(path.filename().string(), read_file(path), {.tests = true}, &library).text;
}

}  // namespace

TEST_CASE("diagnostics are as expected") {
  bool update = std::getenv("QUELEA_UPDATE") != nullptr;
  std::vector<fs::path> sources;
  for (const auto& entry : fs::directory_iterator(fs::path(QUELEA_TEST_DIR) / "diagnostics")) {
    if (entry.path().extension() == ".qu") sources.push_back(entry.path());
  }
  std::sort(sources.begin(), sources.end());
  REQUIRE(sources.size() > 40);
  for (const fs::path& source : sources) {
    DYNAMIC_SECTION(source.stem().string()) {
      std::string found = diagnose(source);
      fs::path expected = source;
      expected.replace_extension(".expected");
      if (update) std::ofstream(expected, std::ios::binary) << found;
      CHECK(found == read_file(expected));
    }
  }
}

TEST_CASE("codes of diagnostics are unique and well formed") {
  // A table and a loop: g++ does not come to an end with a CHECK for each line under sanitizers.
  struct Row {
    DiagCode code;
    Severity severity;
    const char* text;
    const char* title;
  };
  static constexpr Row kRows[] = {
#define DIAG(code, severity, title) {DiagCode::code, Severity::severity, #code, title},
#include "compiler/syntax/diagnostics.def"
#undef DIAG
  };
  std::map<std::string, int> seen;
  for (const Row& row : kRows) {
    INFO(row.text);
    CHECK(++seen[row.text] == 1);
    CHECK(row.text[0] == (row.severity == Severity::kError ? 'E' : 'W'));
    CHECK(diag_code_text(row.code) == row.text);
    CHECK(diag_title(row.code) == row.title);
  }
}
