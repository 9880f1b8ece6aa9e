// quelea test --seeds 1..100: looks for schedules under which a test fails.
//
// A seed is worth something only when it makes the failure again, alone or among others. So each
// test runs with each seed in a deterministic machine of its own, in which nothing ran before it
// that another choice of tests or seeds would change. The file is compiled once.
#include <cstdio>

#include "tools/quelea/files.h"
#include "tools/quelea/test.h"

namespace cli {
namespace {

enum class Outcome { kPassed, kFailed, kBroken, kInterrupted };

// A machine of its own for one test and one seed.
Outcome run_with_seed(const Options& options, const quelea_compilation* code,
                      const std::string& file, uint64_t number, uint64_t seed) {
  Options machine = options;
  machine.seed = seed;
  machine.deterministic = true;
  Host host(machine, folder_of(file), {});
  if (host.vm() == nullptr) return Outcome::kBroken;
  if (quelea_vm_load_compilation(host.vm(), code) != QUELEA_OK) return Outcome::kBroken;
  EtfWriter arguments;
  arguments.list(3);
  write_modules(arguments, code);
  arguments.binary(file);
  arguments.integer(number);
  arguments.end_list();
  host.output().hold();
  std::vector<uint64_t> counts;
  quelea_status status = call_runner(host, file, "run_one", arguments, counts);
  bool is_good = status == QUELEA_OK && counts.size() == 2 && counts[1] == 0;
  host.output().release(!is_good);
  if (status == QUELEA_INTERRUPTED) return Outcome::kInterrupted;
  if (status != QUELEA_OK || counts.size() != 2) return Outcome::kBroken;
  return is_good ? Outcome::kPassed : Outcome::kFailed;
}

Outcome run_with_seeds(const Options& options, const TestOptions& test_options,
                       const quelea_compilation* code, const std::string& file, uint64_t number) {
  for (uint64_t seed = test_options.first_seed;; seed++) {
    Outcome outcome = run_with_seed(options, code, file, number, seed);
    if (outcome == Outcome::kFailed || outcome == Outcome::kBroken) {
      auto text = static_cast<unsigned long long>(seed);
      printf("     failed with seed %llu; run again with --seed %llu\n", text, text);
      fflush(stdout);
    }
    if (outcome != Outcome::kPassed || seed == test_options.last_seed) return outcome;
  }
}

}  // namespace

bool test_file_with_seeds(const Options& options, const TestOptions& test_options,
                          const std::string& file, Totals& totals) {
  Options plain = options;
  plain.trace_schedule.clear();
  Host lister(plain, folder_of(file), {});
  Compilation code = load_tests(lister, file);
  if (code == nullptr) {
    totals.broken_files++;
    return true;
  }
  Totals here;
  for (uint64_t number = 0;; number++) {
    EtfWriter arguments;
    arguments.list(3);
    write_modules(arguments, code.get());
    arguments.binary(test_options.filter);
    arguments.integer(number);
    arguments.end_list();
    std::vector<uint64_t> found;
    quelea_status status = call_runner(lister, file, "find", arguments, found);
    if (status == QUELEA_INTERRUPTED) return false;
    if (status != QUELEA_OK || found.size() != 2) {
      totals.broken_files++;
      return true;
    }
    if (found[0] == 0) break;
    number = found[1];
    Outcome outcome = run_with_seeds(options, test_options, code.get(), file, number);
    if (outcome == Outcome::kInterrupted) return false;
    (outcome == Outcome::kPassed ? here.passed : here.failed)++;
  }
  totals.passed += here.passed;
  totals.failed += here.failed;
  if (here.passed + here.failed > 0) {
    printf("%s: %llu passed, %llu failed\n", file.c_str(),
           static_cast<unsigned long long>(here.passed),
           static_cast<unsigned long long>(here.failed));
    fflush(stdout);
  }
  return true;
}

}  // namespace cli
