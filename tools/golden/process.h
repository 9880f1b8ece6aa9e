// Runs one program with a time limit and takes what it writes.
#pragma once

#include <string>
#include <vector>

namespace golden {

struct Outcome {
  std::string out;
  std::string err;
  int status = -1;  // The exit status, or 128 + the signal's number.
  bool timed_out = false;
  double seconds = 0;
};

// Runs `command` in `directory` with `input` on its standard input, killed after `timeout_seconds`.
// Output beyond 4 MB a stream is dropped.
Outcome run(const std::vector<std::string>& command, const std::string& directory,
            const std::string& input, double timeout_seconds);

}  // namespace golden
