// The options that stand before the file or the command's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cli {

constexpr int kExitUsage = 2;  // The command line is wrong, or a source does not compile.

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct Options {
  unsigned schedulers = 0;
  uint64_t seed = 0;
  bool deterministic = false;  // --seed was given.
  std::string trace_schedule;  // A file.
  uint64_t max_memory_bytes = 0;
  uint64_t max_processes = 0;
  std::vector<std::string> paths;
  LogLevel log_level = LogLevel::kWarning;
  std::optional<std::string> expression;  // -e
  std::vector<std::string> rest;          // From the file or the command's name on.
};

// Parses argv. An exit status where there is nothing more to do (help, version, or an error, which
// has been reported on standard error).
std::optional<int> parse_options(int argc, char** argv, Options& options);

// Parses "512", "64k", "100M", "2G"; false for anything else.
bool parse_size(const std::string& text, uint64_t& bytes);

// "quelea: MESSAGE" and a line that points to --help, on standard error; gives the exit status.
int usage_error(const std::string& message);

// "quelea: MESSAGE" alone, for what --help would not help with; the same exit status.
int failure(const std::string& message);

}  // namespace cli
