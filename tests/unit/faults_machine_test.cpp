// Whatever allocation is refused: an exception that can be caught, the end of the process that
// wanted it, or a status for the host. Never a crash, a leak, or a machine that is half in order.
//
// Each program of tests/faults prints LOST where something that must come did not, and otherwise as
// much as it could do, "whole" at its end.
#include <quelea/quelea.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "tests/unit/refusals.h"

namespace {

std::string read_program(const std::string& name) {
  std::ifstream file(QUELEA_TEST_DIR "/faults/" + name + ".qu");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A machine whose host never wants memory itself.
struct Machine {
  explicit Machine(unsigned schedulers = 0, bool deterministic = false) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.deterministic = deterministic;
    config.seed = 1;
    config.write = [](void* user, int fd, const char* bytes, size_t length) {
      if (fd == 1) static_cast<Machine*>(user)->take({bytes, length});
      return true;
    };
    vm = quelea_vm_create(&config);
  }
  ~Machine() { quelea_vm_destroy(vm); }
  Machine(const Machine&) = delete;

  quelea_status load(const char* name, const std::string& text) {
    quelea_compilation* code = quelea_compile(vm, name, text.data(), text.size(), nullptr);
    const quelea_status status = quelea_vm_load_compilation(vm, code);
    quelea_compilation_destroy(code);
    return status;
  }
  quelea_status run(const char* module) {
    out_size_ = 0;
    int exit_status = -1;
    return quelea_vm_run_main(vm, module, &exit_status);
  }

  std::string_view out() const { return {out_.data(), out_size_}; }

  quelea_vm* vm = nullptr;

 private:
  void take(std::string_view text) {
    text = text.substr(0, out_.size() - out_size_);
    std::copy(text.begin(), text.end(), out_.begin() + static_cast<std::ptrdiff_t>(out_size_));
    out_size_ += text.size();
  }
  std::array<char, 4096> out_;
  std::size_t out_size_ = 0;
};

const std::string kCheck = R"(
fn sum(0, me, _) = me ! :done
fn sum(n, me, xs) = sum(n - 1, me, [n | xs])
me = self()
for i in 1..20 { spawn_link(fn() = sum(100 * i, me, [])) }
for _ in 1..20 { receive { :done -> :ok } after 5_000 { println("LOST") } }
println(length(Process.list()) <= 21)
)";

/// The refused allocations of all runs: each of the first ones, then some of the rest, alone and in
/// bursts.
template <class Try>
void refuse_each(std::uint64_t count, std::uint64_t dense, unsigned strided, Try attempt) {
  std::mt19937_64 random(7);
  for (std::uint64_t n = 1; n <= std::min(count, dense); ++n) attempt(n, n);
  if (count <= dense) return;
  for (unsigned i = 0; i < strided; ++i) {
    const std::uint64_t n = dense + 1 + random() % (count - dense);
    attempt(n, i % 2 == 0 ? n : n + random() % 40);
  }
}

bool is_one_of(quelea_status status, std::initializer_list<quelea_status> all) {
  return std::find(all.begin(), all.end(), status) != all.end();
}

/// Where a refusal harms one process at most: the first allocations make the main process.
constexpr std::uint64_t kNeverGivesUpFrom = 40;

/// One machine for all runs: what it loaded stays, what a run leaves behind must not matter. A
/// single refusal from `never_gives_up_from` on does not end all processes.
void run_with_refusals(const char* name, const char* module, std::uint64_t dense, unsigned strided,
                       unsigned schedulers = 0, bool deterministic = false,
                       std::uint64_t never_gives_up_from = refusals::kForEver) {
  Machine machine(schedulers, deterministic);
  REQUIRE(machine.load("check.qu", kCheck) == QUELEA_OK);
  REQUIRE(machine.load((std::string(name) + ".qu").c_str(), read_program(name)) == QUELEA_OK);
  std::int64_t live = 0, kept = 0;
  std::uint64_t count = 0;
  for (int warm = 0; warm < 4; ++warm) {
    REQUIRE(machine.run("Script.Check") == QUELEA_OK);
    refusals::begin(refusals::kNone, refusals::kNone);
    REQUIRE(machine.run(module) == QUELEA_OK);
    count = refusals::end();
    REQUIRE(machine.out() == "whole\n");
    kept = refusals::live_pieces() - live;  // Code that was loaded anew stays.
    live += kept;
  }
  std::int64_t grown = 0, runs = 0;
  refuse_each(count, dense, strided, [&](std::uint64_t first, std::uint64_t last) {
    INFO(name << ": allocations " << first << " to " << last << " of " << count << " refused");
    refusals::begin(first, last);
    const quelea_status status = machine.run(module);
    refusals::end();
    INFO("status " << status << ", output: " << machine.out()
                   << ", error: " << quelea_vm_error(machine.vm));
    CHECK(is_one_of(status, {QUELEA_OK, QUELEA_RAISED, QUELEA_NO_MEMORY}));
    if (first == last && first >= never_gives_up_from) CHECK(status != QUELEA_NO_MEMORY);
    CHECK(machine.out().find("LOST") == std::string_view::npos);
    if (status == QUELEA_OK) CHECK(machine.out() == "whole\n");
    CHECK(machine.run("Script.Check") == QUELEA_OK);
    CHECK(machine.out() == "true\n");
    grown = refusals::live_pieces() - live;
    ++runs;
  });
  // Tables that grew once keep what they have; a leak is one of each run.
  CHECK(grown < 40 + kept * runs);
}

}  // namespace

TEST_CASE("refused: links and monitors") {
  run_with_refusals("relations", "Script.Relations", 600, 400);
}
TEST_CASE("refused: messages and timers") {
  run_with_refusals("messages", "Script.Messages", 600, 300);
}
TEST_CASE("refused: data") { run_with_refusals("data", "Script.Data", 600, 600); }
TEST_CASE("refused: modules") { run_with_refusals("modules", "Script.Modules", 600, 600); }
TEST_CASE("refused: what natives make") {
  run_with_refusals("natives", "Script.Natives", 600, 600);
}
TEST_CASE("refused: alarms") {
  run_with_refusals("alarms", "Script.Alarms", 400, 100, 0, false, kNeverGivesUpFrom);
  run_with_refusals("alarms", "Script.Alarms", 200, 50, 2);
}
TEST_CASE("refused: with two schedulers") {
  run_with_refusals("relations", "Script.Relations", 200, 100, 2);
  run_with_refusals("messages", "Script.Messages", 200, 100, 2);
}
TEST_CASE("refused: in a deterministic machine") {
  run_with_refusals("relations", "Script.Relations", 300, 0, 0, true);
}

TEST_CASE("refused: making a machine, compiling, loading, the first run") {
  const std::string text = read_program("relations");
  const auto whole = [&] {
    Machine machine;
    if (machine.vm == nullptr) return QUELEA_NO_MEMORY;
    const quelea_status loaded = machine.load("relations.qu", text);
    return loaded == QUELEA_OK ? machine.run("Script.Relations") : loaded;
  };
  REQUIRE(whole() == QUELEA_OK);
  refusals::begin(refusals::kNone, refusals::kNone);
  REQUIRE(whole() == QUELEA_OK);
  const std::uint64_t count = refusals::end();
  refuse_each(count, 300, 400, [&](std::uint64_t first, std::uint64_t last) {
    const std::int64_t live = refusals::live_pieces();
    refusals::begin(first, last);
    const quelea_status status = whole();
    refusals::end();
    const std::int64_t leaked = refusals::live_pieces() - live;
    INFO("allocations " << first << " to " << last << " of " << count << " refused: " << status);
    CHECK(is_one_of(status, {QUELEA_OK, QUELEA_RAISED, QUELEA_NO_MEMORY}));
    CHECK(leaked == 0);
  });
}

TEST_CASE("refused: all of them from some moment on") {
  Machine machine;
  REQUIRE(machine.load("check.qu", kCheck) == QUELEA_OK);
  REQUIRE(machine.load("relations.qu", read_program("relations")) == QUELEA_OK);
  REQUIRE(machine.run("Script.Relations") == QUELEA_OK);
  refusals::begin(refusals::kNone, refusals::kNone);
  REQUIRE(machine.run("Script.Relations") == QUELEA_OK);
  const std::uint64_t count = refusals::end();
  for (std::uint64_t first = 1; first <= count; first += 1 + first / 30) {
    INFO("refused from " << first);
    refusals::begin(first, refusals::kForEver);
    const quelea_status status = machine.run("Script.Relations");
    refusals::end();
    CHECK(is_one_of(status, {QUELEA_RAISED, QUELEA_NO_MEMORY}));
    CHECK(machine.run("Script.Check") == QUELEA_OK);
    CHECK(machine.out() == "true\n");
  }
}
