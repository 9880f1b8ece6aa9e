// What the parts of `quelea test` share.
#pragma once

#include <quelea/quelea.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/quelea/commands.h"
#include "tools/quelea/etf.h"
#include "tools/quelea/host.h"

namespace cli {

struct TestOptions {
  Words paths;
  std::string filter;
  uint64_t seed = 0;
  unsigned jobs = 1;
  // --seeds, or --seed N for N to N: the first and the last, and each test runs by itself.
  bool seeded = false;
  uint64_t first_seed = 0, last_seed = 0;
};

struct Totals {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t broken_files = 0;  // Did not compile, load or come to an end.
};

struct CompilationDeleter {
  void operator()(quelea_compilation* code) const { quelea_compilation_destroy(code); }
};
using Compilation = std::unique_ptr<quelea_compilation, CompilationDeleter>;

// Compiles a file with its tests and loads it; reports what is wrong and gives null.
Compilation load_tests(Host& host, const std::string& file);

// The names of the modules of a compilation, as an argument of Quelea.TestRunner's functions.
void write_modules(EtfWriter& writer, const quelea_compilation* code);

// Calls a function of Quelea.TestRunner that answers with two counts. What went wrong is reported.
quelea_status call_runner(Host& host, const std::string& file, const char* function,
                          const EtfWriter& arguments, std::vector<uint64_t>& counts);

// Runs the tests of one file. False when Ctrl-C ended it.
using TestFile = bool (*)(const Options&, const TestOptions&, const std::string&, Totals&);

// Runs `test` on all files, `jobs` at a time. False when Ctrl-C ended it.
bool test_in_jobs(const Options& options, const TestOptions& test_options, const Words& files,
                  TestFile test, Totals& totals);

// Runs each test of a file with each seed, until one shows a failure. False when Ctrl-C ended it.
bool test_file_with_seeds(const Options& options, const TestOptions& test_options,
                          const std::string& file, Totals& totals);

}  // namespace cli
