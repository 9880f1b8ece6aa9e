#include "compiler/driver/module_path.h"

namespace quelea::compiler {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_upper(c) || is_lower(c) || is_digit(c) || c == '_'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string module_path(std::string_view module) {
  std::string path;
  bool start = true;
  for (size_t i = 0; i < module.size(); i++) {
    char c = module[i];
    if (c == '.') {
      if (start) return "";
      path += '/';
      start = true;
      continue;
    }
    if (start ? !is_upper(c) : !is_word(c)) return "";
    // An underscore goes before an upper-case letter that begins a word: after a lower-case letter
    // or digit, or as the last capital of a run (`HTTPServer` is http_server).
    if (!start && is_upper(c)) {
      char before = module[i - 1];
      bool next_lower = i + 1 < module.size() && is_lower(module[i + 1]);
      if (is_lower(before) || is_digit(before) || (is_upper(before) && next_lower)) path += '_';
    }
    path += lower(c);
    start = false;
  }
  return start ? "" : path;
}

std::string script_module(std::string_view file_name) {
  size_t slash = file_name.find_last_of('/');
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  size_t dot = file_name.find('.', 1);
  if (dot != std::string_view::npos) file_name = file_name.substr(0, dot);
  std::string name;
  bool start = true;
  for (char c : file_name) {
    if (!is_word(c) || c == '_') {
      start = true;
      continue;
    }
    if (name.empty() && is_digit(c)) name += 'S';
    name += start ? upper(c) : c;
    start = false;
  }
  return "Script." + (name.empty() ? std::string("Main") : name);
}

}  // namespace quelea::compiler
