// Machines under stress as a host uses them: many at a time in threads of one process, interrupted
// while they run, and destroyed with processes alive. What it counts must come out right; the rest
// is for the sanitizers.
#include <quelea/quelea.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

// Output may come from any thread that runs processes; the machine hands it over one call at a
// time.
struct Machine {
  std::string out;
  quelea_vm* vm = nullptr;

  explicit Machine(unsigned schedulers) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.write = [](void* user, int fd, const char* bytes, size_t length) {
      if (fd == 1) static_cast<Machine*>(user)->out.append(bytes, length);
      return true;
    };
    vm = quelea_vm_create(&config);
  }
  ~Machine() { quelea_vm_destroy(vm); }
  Machine(const Machine&) = delete;

  bool load(const std::string& text) {
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    const bool loaded = quelea_vm_load_compilation(vm, code) == QUELEA_OK;
    quelea_compilation_destroy(code);
    return loaded;
  }

  quelea_status run() {
    int exit_status = -1;
    return quelea_vm_run_main(vm, "Script.T", &exit_status);
  }
};

// 200 processes send a thousand messages each to one; it prints their sum, 100,100,000.
const char* const kFanIn = R"(
fn sender(_, 0) = :ok
fn sender(to, n) { to ! n; sender(to, n - 1) }
fn take(0, sum) = sum
fn take(n, sum) = receive { m -> take(n - 1, sum + m) }
me = self()
for _ in 1..200 { spawn(fn() = sender(me, 1000)) }
println(take(200_000, 0))
)";

// Spawns, kills, allocates, starts timers and links for ever.
const char* const kForEver = R"(
fn child(0) = receive { :never -> :ok }
fn child(n) { spawn_link(fn() = child(n - 1)); send_after(self(), :tick, 3); work([]) }
fn work(xs) when length(xs) > 2000 = receive { :tick -> work([]) } after 1 { exit(:over) }
fn work(xs) = work([String.repeat("x", 100) | xs])
fn spin(pids) {
  pid = spawn(fn() = child(5))
  pids = [pid | Enum.take(pids, 30)]
  exit(List.last(pids), :kill)
  spin(pids)
}
spin([])
)";

// 2,000 processes that wait, 20 that run.
const char* const kAlive = R"(
fn spin(n) = spin(n + 1)
for i in 1..2000 { spawn(fn() { send_after(self(), :x, 100_000); receive { :never -> i } }) }
for _ in 1..20 { spawn(fn() = spin(0)) }
Process.sleep(5)
)";

// Threads may not use Catch's macros; they count what went wrong.
void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

constexpr unsigned kSchedulers[] = {1, 2, 4};

}  // namespace

TEST_CASE("machines in threads of one process count right") {
  std::atomic<int> right = 0;
  in_threads(6, [&](int i) {
    for (int round = 0; round < 3; round++) {
      Machine machine(kSchedulers[static_cast<size_t>(i) % 3]);
      if (machine.load(kFanIn) && machine.run() == QUELEA_OK && machine.out == "100100000\n")
        right++;
    }
  });
  CHECK(right == 18);
}

TEST_CASE("machines are interrupted at any moment and go on") {
  std::atomic<int> right = 0;
  in_threads(4, [&](int i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 1);
    Machine machine(kSchedulers[static_cast<size_t>(i) % 3]);
    if (!machine.load(kForEver)) return;
    for (int round = 0; round < 8; round++) {
      std::atomic<bool> over = false;
      std::thread other([&, pause = random() % 20'000] {
        std::this_thread::sleep_for(std::chrono::microseconds(pause));
        // Any number of them; those that come after the call end the next one.
        while (!over) {
          quelea_vm_interrupt(machine.vm);
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
      const quelea_status status = machine.run();
      over = true;
      other.join();
      if (status == QUELEA_INTERRUPTED) right++;
    }
  });
  CHECK(right == 32);
}

TEST_CASE("machines are destroyed with processes alive") {
  for (unsigned schedulers : kSchedulers) {
    for (int round = 0; round < 5; round++) {
      Machine machine(schedulers);
      REQUIRE(machine.load(kAlive));
      CHECK(machine.run() == QUELEA_OK);
    }
  }
}

TEST_CASE("machines are destroyed after an interrupt, and before anything ran") {
  for (unsigned schedulers : kSchedulers) {
    Machine idle(schedulers);
    Machine machine(schedulers);
    REQUIRE(machine.load(kForEver));
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      quelea_vm_interrupt(machine.vm);
    });
    CHECK(machine.run() == QUELEA_INTERRUPTED);
    other.join();
  }
}

TEST_CASE("calls from one host thread after another") {
  Machine machine(2);
  REQUIRE(machine.load(
      "module T\npub fn f() {\n  me = self()\n  for i in 1..50 { spawn(fn() = me ! i) }\n"
      "  Enum.sum([receive { m -> m } for _ in 1..50])\n}\n"));
  std::atomic<int> right = 0;
  for (int i = 0; i < 20; i++) {
    std::thread([&] {
      const uint8_t* result = nullptr;
      size_t length = 0;
      // 1275 in external term format: 131, 98 (a 32-bit integer), big-endian.
      if (quelea_vm_call(machine.vm, "T", "f", nullptr, 0, &result, &length) == QUELEA_OK &&
          length == 6 && result[1] == 98 && result[4] == 4 && result[5] == 251) {
        right++;
      }
    }).join();
  }
  CHECK(right == 20);
}
