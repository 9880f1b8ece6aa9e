#include "tools/golden/script.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace golden {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// The text after `directive` in a comment of the line; one space after the colon belongs to it.
bool directive(std::string_view line, std::string_view name, std::string& value) {
  size_t at = 0;
  while ((at = line.find(name, at)) != std::string_view::npos) {
    std::string_view before = line.substr(0, at);
    size_t hash = before.find_last_not_of(' ');
    if (hash != std::string_view::npos && before[hash] == '#') {
      std::string_view rest = line.substr(at + name.size());
      if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
      value = std::string(rest);
      return true;
    }
    at += name.size();
  }
  return false;
}

void read_line(Script& script, std::string_view line) {
  std::string value;
  if (directive(line, "expect:", value)) {
    script.is_test = true;
    script.expected_out += value + "\n";
  } else if (directive(line, "expect error:", value)) {
    script.is_test = true;
    script.expects_error = true;
    script.expected_err.push_back(value);
  } else if (directive(line, "expect warning:", value)) {
    script.is_test = true;
    script.expected_err.push_back(value);
  } else if (directive(line, "exit:", value)) {
    script.is_test = true;
    script.exit_status = atoi(value.c_str());
  } else if (directive(line, "stdin:", value)) {
    script.input += value + "\n";
  } else if (directive(line, "args:", value)) {
    script.arguments = words(value);
  } else if (directive(line, "options:", value)) {
    script.options = words(value);
  } else if (directive(line, "skip:", value)) {
    script.skipped_labels = words(value);
  } else if (directive(line, "timeout:", value)) {
    script.timeout_seconds = atof(value.c_str());
  }
}

}  // namespace

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> result;
  std::string word;
  while (in >> word) result.push_back(word);
  return result;
}

Script read_script(const std::string& path) {
  Script script;
  script.path = path;
  std::string text = read_file(path);
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.find('#') != std::string_view::npos) read_line(script, line);
  }
  std::string stem = path.substr(0, path.size() - 3);
  if (std::filesystem::exists(stem + ".expected")) {
    script.is_test = true;
    script.expected_out = read_file(stem + ".expected");
  }
  if (std::filesystem::exists(stem + ".stdin")) script.input = read_file(stem + ".stdin");
  return script;
}

}  // namespace golden
