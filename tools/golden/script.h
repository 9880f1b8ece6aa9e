// What a golden script expects, read from its comments.
#pragma once

#include <string>
#include <vector>

namespace golden {

// The directives, each in a comment at any place of a line:
//   # expect: TEXT           the next line of standard output is TEXT
//   # expect error: TEXT     standard error holds TEXT, and the status is not 0 (unless `# exit:
//   0`) # expect warning: TEXT   standard error holds TEXT # exit: N                the exit status
//   # stdin: TEXT            the next line of standard input
//   # args: A B C            arguments after the file
//   # options: A B C         options before the file
//   # timeout: SECONDS       instead of the runner's own limit
//   # skip: LABEL            not run by a runner of that label (one that would take hours, say)
// Standard error must be empty unless a directive speaks of it. A file without `# expect` and
// `# exit` is a module that other scripts use, no test; so is one whose expected output stands in
// a file NAME.expected only if that file is there. NAME.stdin beside it is its standard input.
struct Script {
  std::string path;
  bool is_test = false;
  std::string expected_out;
  std::vector<std::string> expected_err;
  bool expects_error = false;
  int exit_status = -1;  // -1: 0, or any failure when an error is expected.
  std::string input;
  std::vector<std::string> arguments;
  std::vector<std::string> options;
  double timeout_seconds = 0;  // 0: the runner's own limit.
  std::vector<std::string> skipped_labels;
};

Script read_script(const std::string& path);

// The words of a text, parted by spaces.
std::vector<std::string> words(const std::string& text);

}  // namespace golden
