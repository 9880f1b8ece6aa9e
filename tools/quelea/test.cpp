// quelea test: compiles each file with its tests, and has Quelea.TestRunner of the library run
// them, a machine for each file, so that no file's processes, names or modules are in another's
// way.
#include "tools/quelea/test.h"

#include <quelea/quelea.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <random>

#include "tools/quelea/files.h"

namespace cli {
namespace {

constexpr int kExitFailed = 1;

// "1..100" or "7".
bool parse_seeds(const std::string& text, TestOptions& options) {
  unsigned long long first = 0, last = 0;
  int end = 0;
  if (sscanf(text.c_str(), "%llu..%llu%n", &first, &last, &end) != 2 ||
      static_cast<size_t>(end) != text.size()) {
    if (sscanf(text.c_str(), "%llu%n", &first, &end) != 1 ||
        static_cast<size_t>(end) != text.size())
      return false;
    last = first;
  }
  options.first_seed = first;
  options.last_seed = last;
  return first <= last && text.find('-') == std::string::npos;
}

// False when Ctrl-C ended it.
bool test_file(const Options& options, const TestOptions& test_options, const std::string& file,
               Totals& totals) {
  Options machine = options;
  machine.seed = test_options.seed;
  Host host(machine, folder_of(file), {});
  Compilation code = load_tests(host, file);
  if (code == nullptr) {
    totals.broken_files++;
    return true;
  }
  EtfWriter arguments;
  arguments.list(4);
  write_modules(arguments, code.get());
  arguments.binary(file);
  arguments.binary(test_options.filter);
  arguments.integer(test_options.seed);
  arguments.end_list();
  std::vector<uint64_t> counts;
  quelea_status status = call_runner(host, file, "run", arguments, counts);
  if (status == QUELEA_OK && counts.size() == 2) {
    totals.passed += counts[0];
    totals.failed += counts[1];
  } else {
    totals.broken_files++;
  }
  return status != QUELEA_INTERRUPTED;
}

bool test_one_by_one(const Options& options, const TestOptions& test_options, const Words& files,
                     TestFile test, Totals& totals) {
  bool is_terminal = isatty(2) == 1;
  for (size_t i = 0; i < files.size(); i++) {
    if (is_terminal) fprintf(stderr, "\r\033[K%zu/%zu %s\r", i + 1, files.size(), files[i].c_str());
    if (!test(options, test_options, files[i], totals)) return false;
  }
  if (is_terminal) fputs("\r\033[K", stderr);
  return true;
}

}  // namespace

Compilation load_tests(Host& host, const std::string& file) {
  std::string text, error;
  if (!read_file(file, text, error)) {
    fprintf(stderr, "quelea: cannot read %s: %s\n", file.c_str(), error.c_str());
    return nullptr;
  }
  quelea_compile_options compile_options;
  quelea_compile_options_init(&compile_options);
  compile_options.tests = true;
  Compilation code(
      quelea_compile(host.vm(), file.c_str(), text.data(), text.size(), &compile_options));
  fputs(quelea_compilation_diagnostics(code.get()), stderr);
  if (!quelea_compilation_ok(code.get())) return nullptr;
  if (quelea_vm_load_compilation(host.vm(), code.get()) != QUELEA_OK) {
    fprintf(stderr, "quelea: %s: %s\n", file.c_str(), quelea_vm_error(host.vm()));
    return nullptr;
  }
  return code;
}

void write_modules(EtfWriter& writer, const quelea_compilation* code) {
  size_t count = quelea_compilation_module_count(code);
  writer.list(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; i++) writer.atom(quelea_compilation_module_name(code, i));
  writer.end_list();
}

quelea_status call_runner(Host& host, const std::string& file, const char* function,
                          const EtfWriter& arguments, std::vector<uint64_t>& counts) {
  const uint8_t* result = nullptr;
  size_t length = 0;
  host.catch_interrupts();
  quelea_status status =
      quelea_vm_call(host.vm(), "Quelea.TestRunner", function, arguments.bytes().data(),
                     arguments.bytes().size(), &result, &length);
  host.output().flush();
  if (status == QUELEA_OK && read_counts(result, length, counts)) return status;
  if (status != QUELEA_INTERRUPTED)
    fprintf(stderr, "quelea: %s: %s\n", file.c_str(), quelea_vm_error(host.vm()));
  counts.clear();
  return status;
}

int test_command(const Options& options, const Words& words) {
  CLI::App app("Runs test blocks and documented examples.", "quelea test");
  TestOptions test_options;
  test_options.seed = std::random_device{}() % 1000000 + 1;
  app.add_option("PATHS", test_options.paths, "Files and folders (default: the working directory)");
  app.add_option("--filter", test_options.filter, "Only tests whose module or name has this in it");
  std::string seeds;
  app.add_option("--seed", seeds, "Run each test deterministically, in a machine of its own")
      ->type_name("N");
  app.add_option("--seeds", seeds, "The same for each of these seeds; says which shows a failure")
      ->type_name("FIRST..LAST");
  app.add_option("--jobs", test_options.jobs, "Files at a time, each in a process of its own")
      ->type_name("N")
      ->check(CLI::Range(1u, 256u));
  if (auto status = parse_words(app, words)) return *status;
  if (seeds.empty() && options.deterministic) seeds = std::to_string(options.seed);
  test_options.seeded = !seeds.empty();
  if (test_options.seeded && !parse_seeds(seeds, test_options))
    return usage_error("test: --seeds " + seeds + ": write 1..100, or one number");
  if (test_options.paths.empty()) test_options.paths.push_back(".");
  Words missing;
  Words files = find_sources(test_options.paths, missing);
  for (const std::string& path : missing)
    fprintf(stderr, "quelea: cannot read %s: no such file or folder\n", path.c_str());
  Totals totals;
  totals.broken_files = missing.size();
  auto start = std::chrono::steady_clock::now();
  if (!test_options.seeded)
    printf("seed %llu\n", static_cast<unsigned long long>(test_options.seed));
  fflush(stdout);
  TestFile test = test_options.seeded ? &test_file_with_seeds : &test_file;
  bool is_whole = test_options.jobs > 1 && files.size() > 1
                      ? test_in_jobs(options, test_options, files, test, totals)
                      : test_one_by_one(options, test_options, files, test, totals);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  printf("%zu %s in %.2f s\n", files.size(), files.size() == 1 ? "file" : "files", took.count());
  printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(totals.passed),
         static_cast<unsigned long long>(totals.failed + totals.broken_files));
  if (!is_whole) return interrupted_status();
  if (totals.broken_files > 0) return kExitUsage;
  return totals.failed == 0 ? 0 : kExitFailed;
}

}  // namespace cli
