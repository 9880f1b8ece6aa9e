// quelea test: compiles each file with its tests, and has Quelea.TestRunner of the library run
// them, a machine for each file, so that no file's processes, names or modules are in another's
// way.
#include <quelea/quelea.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <random>

#include "tools/quelea/commands.h"
#include "tools/quelea/etf.h"
#include "tools/quelea/files.h"
#include "tools/quelea/host.h"

namespace cli {
namespace {

constexpr int kExitFailed = 1;

struct TestOptions {
  Words paths;
  std::string filter;
  uint64_t seed = 0;
  unsigned jobs = 1;
};

struct Totals {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t broken_files = 0;  // Did not compile, load or come to an end.
};

std::vector<uint8_t> runner_arguments(const quelea_compilation* code, const std::string& file,
                                      const TestOptions& options) {
  EtfWriter writer;
  writer.list(4);
  size_t count = quelea_compilation_module_count(code);
  writer.list(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; i++) writer.atom(quelea_compilation_module_name(code, i));
  writer.end_list();
  writer.binary(file);
  writer.binary(options.filter);
  writer.integer(options.seed);
  writer.end_list();
  return writer.bytes();
}

// False when Ctrl-C ended it.
bool test_file(const Options& options, const TestOptions& test_options, const std::string& file,
               Totals& totals) {
  std::string text, error;
  if (!read_file(file, text, error)) {
    fprintf(stderr, "quelea: cannot read %s: %s\n", file.c_str(), error.c_str());
    totals.broken_files++;
    return true;
  }
  Options machine = options;
  machine.seed = test_options.seed;
  Host host(machine, folder_of(file), {});
  quelea_compile_options compile_options;
  quelea_compile_options_init(&compile_options);
  compile_options.tests = true;
  quelea_compilation* code =
      quelea_compile(host.vm(), file.c_str(), text.data(), text.size(), &compile_options);
  fputs(quelea_compilation_diagnostics(code), stderr);
  bool loaded = quelea_compilation_ok(code);
  if (loaded && quelea_vm_load_compilation(host.vm(), code) != QUELEA_OK) {
    fprintf(stderr, "quelea: %s: %s\n", file.c_str(), quelea_vm_error(host.vm()));
    loaded = false;
  }
  quelea_status status = QUELEA_OK;
  if (loaded) {
    std::vector<uint8_t> arguments = runner_arguments(code, file, test_options);
    const uint8_t* result = nullptr;
    size_t length = 0;
    host.catch_interrupts();
    status = quelea_vm_call(host.vm(), "Quelea.TestRunner", "run", arguments.data(),
                            arguments.size(), &result, &length);
    host.output().flush();
    std::vector<uint64_t> counts;
    if (status == QUELEA_OK && read_counts(result, length, counts) && counts.size() == 2) {
      totals.passed += counts[0];
      totals.failed += counts[1];
    } else {
      if (status != QUELEA_INTERRUPTED)
        fprintf(stderr, "quelea: %s: %s\n", file.c_str(), quelea_vm_error(host.vm()));
      loaded = false;
    }
  }
  if (!loaded) totals.broken_files++;
  quelea_compilation_destroy(code);
  return status != QUELEA_INTERRUPTED;
}

}  // namespace

int test_command(const Options& options, const Words& words) {
  CLI::App app("Runs test blocks and documented examples.", "quelea test");
  TestOptions test_options;
  test_options.seed = options.seed != 0 ? options.seed : std::random_device{}() % 1000000 + 1;
  app.add_option("PATHS", test_options.paths, "Files and folders (default: the working directory)");
  app.add_option("--filter", test_options.filter, "Only tests whose module or name has this in it");
  app.add_option("--seed", test_options.seed, "Seeds the order of tests and what is random");
  app.add_option("--jobs", test_options.jobs, "Files at a time (this build takes one)");
  try {
    app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    return usage_error(std::string("test: ") + error.what());
  }
  if (test_options.paths.empty()) test_options.paths.push_back(".");
  Words missing;
  Words files = find_sources(test_options.paths, missing);
  for (const std::string& path : missing)
    fprintf(stderr, "quelea: cannot read %s: no such file or folder\n", path.c_str());
  Totals totals;
  totals.broken_files = missing.size();
  auto start = std::chrono::steady_clock::now();
  printf("seed %llu\n", static_cast<unsigned long long>(test_options.seed));
  fflush(stdout);
  bool interrupted = false;
  for (size_t i = 0; i < files.size() && !interrupted; i++) {
    if (isatty(2)) fprintf(stderr, "\r\033[K%zu/%zu %s\r", i + 1, files.size(), files[i].c_str());
    interrupted = !test_file(options, test_options, files[i], totals);
  }
  if (isatty(2)) fputs("\r\033[K", stderr);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  printf("%zu %s in %.2f s\n", files.size(), files.size() == 1 ? "file" : "files", took.count());
  printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(totals.passed),
         static_cast<unsigned long long>(totals.failed + totals.broken_files));
  if (interrupted) return 130;
  if (totals.broken_files > 0) return kExitUsage;
  return totals.failed == 0 ? 0 : kExitFailed;
}

}  // namespace cli
