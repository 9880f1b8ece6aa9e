// The golden runner: runs scripts in parallel and compares what they do with their comments.
//
//   golden --quelea BIN [--label NAME] [--timeout S] [--jobs N] [--filter TEXT] [--options TEXT]
//          PATHS...
//
// --options are words for every script's command line, before its own.
//
// Each thread takes the next script from a shared counter and runs it in a child process; failures
// are printed in order of path when all are done, then "N passed, N failed". The status is 1 when
// any failed.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tools/golden/process.h"
#include "tools/golden/script.h"

namespace golden {
namespace {

struct Options {
  std::string quelea;
  std::string label;
  std::string filter;
  std::vector<std::string> common_options;
  double timeout_seconds = 10;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> paths;
};

struct Result {
  Script script;
  std::string failure;  // Empty when it passed.
  double seconds = 0;
};

std::string indent(const std::string& text) {
  std::string result;
  size_t start = 0;
  while (start < text.size() && result.size() < 4000) {
    size_t end = std::min(text.find('\n', start), text.size());
    result += "      " + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return result;
}

// The first line at which two texts differ, with its number.
std::string first_difference(const std::string& expected, const std::string& actual) {
  size_t line = 1, start = 0, i = 0;
  while (i < expected.size() && i < actual.size() && expected[i] == actual[i]) {
    if (expected[i] == '\n') line++, start = i + 1;
    i++;
  }
  auto line_at = [&](const std::string& text) {
    if (start >= text.size()) return std::string("(end of output)");
    return text.substr(start, std::min(text.find('\n', start) - start, size_t{300}));
  };
  return "    output line " + std::to_string(line) + "\n      expected: " + line_at(expected) +
         "\n      actual:   " + line_at(actual) + "\n";
}

std::string check(const Script& script, const Outcome& outcome) {
  std::string failure;
  if (outcome.timed_out) return "    did not end in time\n" + indent(outcome.out + outcome.err);
  if (outcome.out != script.expected_out)
    failure += first_difference(script.expected_out, outcome.out);
  for (const std::string& text : script.expected_err)
    if (outcome.err.find(text) == std::string::npos)
      failure += "    standard error lacks: " + text + "\n";
  if (script.expected_err.empty() && script.exit_status <= 0 && !outcome.err.empty())
    failure += "    standard error is not empty\n";
  bool status_ok = script.exit_status >= 0 ? outcome.status == script.exit_status
                   : script.expects_error  ? outcome.status == 1 || outcome.status == 2
                                           : outcome.status == 0;
  if (!status_ok) failure += "    exit status " + std::to_string(outcome.status) + "\n";
  if (!failure.empty() && !outcome.err.empty()) failure += indent(outcome.err);
  return failure;
}

void run_one(const Options& options, Result& result) {
  const Script& script = result.script;
  std::filesystem::path path = std::filesystem::absolute(script.path);
  std::vector<std::string> command = {options.quelea};
  command.insert(command.end(), options.common_options.begin(), options.common_options.end());
  command.insert(command.end(), script.options.begin(), script.options.end());
  command.push_back(path.filename().string());
  command.insert(command.end(), script.arguments.begin(), script.arguments.end());
  double timeout = script.timeout_seconds > 0 ? script.timeout_seconds : options.timeout_seconds;
  Outcome outcome = run(command, path.parent_path().string(), script.input, timeout);
  result.seconds = outcome.seconds;
  result.failure = check(script, outcome);
}

std::vector<Result> find_scripts(const Options& options) {
  std::vector<std::string> files;
  for (const std::string& path : options.paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.path().extension() == ".qu") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Result> results;
  for (const std::string& file : files) {
    if (file.find(options.filter) == std::string::npos) continue;
    Script script = read_script(file);
    const auto& skipped = script.skipped_labels;
    if (std::find(skipped.begin(), skipped.end(), options.label) != skipped.end()) continue;
    if (script.is_test) results.push_back({std::move(script), "", 0});
  }
  return results;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i++) {
    std::string arg = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (arg == "--quelea")
      options.quelea = std::filesystem::absolute(value()).string();
    else if (arg == "--label")
      options.label = value();
    else if (arg == "--filter")
      options.filter = value();
    else if (arg == "--options")
      options.common_options = words(value());
    else if (arg == "--timeout")
      options.timeout_seconds = atof(value());
    else if (arg == "--jobs")
      options.jobs = std::max(1, atoi(value()));
    else if (arg.rfind("--", 0) == 0)
      return false;
    else
      options.paths.push_back(arg);
  }
  return !options.quelea.empty() && !options.paths.empty();
}

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fprintf(stderr,
            "usage: golden --quelea BIN [--label NAME] [--timeout S] [--jobs N] "
            "[--filter TEXT] [--options TEXT] PATHS...\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  std::vector<Result> results = find_scripts(options);
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.jobs; i++)
    threads.emplace_back([&] {
      for (size_t at; (at = next.fetch_add(1)) < results.size();) run_one(options, results[at]);
    });
  for (std::thread& thread : threads) thread.join();
  size_t failed = 0;
  for (const Result& result : results) {
    if (result.failure.empty()) continue;
    failed++;
    printf("FAIL %s%s%s\n%s", result.script.path.c_str(), options.label.empty() ? "" : " as ",
           options.label.c_str(), result.failure.c_str());
  }
  printf("%s%s%zu passed, %zu failed\n", options.label.c_str(), options.label.empty() ? "" : ": ",
         results.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace golden

int main(int argc, char** argv) { return golden::main(argc, argv); }
