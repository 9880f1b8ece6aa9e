// A machine without threads of its own (`schedulers = 0`), which runs while the host calls, and
// what hosts do to any machine: interrupt it, halt it, call it again.
#include <quelea/quelea.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

struct DrivenHost {
  std::string out, err;
  quelea_vm* vm = nullptr;

  explicit DrivenHost(unsigned schedulers = 0, const char* folder = nullptr) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.paths = &folder;
    config.path_count = folder != nullptr ? 1 : 0;
    config.write = [](void* user, int fd, const char* bytes, size_t length) {
      auto* host = static_cast<DrivenHost*>(user);
      (fd == 1 ? host->out : host->err).append(bytes, length);
      return true;
    };
    vm = quelea_vm_create(&config);
  }
  ~DrivenHost() { quelea_vm_destroy(vm); }
  DrivenHost(const DrivenHost&) = delete;

  void load(const std::string& text) {
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    INFO(quelea_compilation_diagnostics(code));
    REQUIRE(quelea_vm_load_compilation(vm, code) == QUELEA_OK);
    quelea_compilation_destroy(code);
  }
  /// What the script wrote.
  std::string run(const std::string& text) {
    out.clear();
    load(text);
    int exit_status = -1;
    INFO("status " << quelea_vm_run_main(vm, "Script.T", &exit_status) << " " << err);
    CHECK(exit_status == 0);
    return out;
  }
  /// `T.name()`; its result is a small integer, or -1.
  int call(const char* name, quelea_status* status = nullptr) {
    const uint8_t* result = nullptr;
    size_t length = 0;
    const quelea_status got = quelea_vm_call(vm, "T", name, nullptr, 0, &result, &length);
    if (status != nullptr) *status = got;
    return got == QUELEA_OK && length == 3 && result[1] == 97 ? result[2] : -1;
  }
};

const char* const kServer = R"(
module T
fn serve(n) = receive { (:ask, from) -> { from ! (:told, n); serve(n + 1) } }
pub fn start() { register(:server, spawn(fn() = serve(1))); 1 }
pub fn ask() { :server ! (:ask, self()); receive { (:told, n) -> n } after 5_000 { 0 } }
fn spin(n) = spin(n + 1)
pub fn spin() = spin(0)
pub fn wait() = receive { :never -> :ok }
pub fn tick() { receive { :never -> :ok } after 1 { tick() } }
pub fn churn() { spawn(fn() = receive { } after 2 { :ok }); Process.yield(); churn() }
pub fn sort() { Enum.sort(Enum.reverse(1..200_000)); sort() }
pub fn halt() = System.halt(3)
pub fn processes() { Process.sleep(5); length(Process.list()) }
)";

/// Interrupts a machine once, after a while. `is_lost` where the call does not return of that.
class Interrupter {
 public:
  Interrupter(quelea_vm* vm, std::chrono::microseconds pause)
      : thread_([this, vm, pause] { work(vm, pause); }) {}
  void returned() {
    {
      std::lock_guard hold(lock_);
      has_returned_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  bool is_lost = false;

 private:
  void work(quelea_vm* vm, std::chrono::microseconds pause) {
    std::this_thread::sleep_for(pause);
    quelea_vm_interrupt(vm);
    std::unique_lock hold(lock_);
    const auto over = [this] { return has_returned_; };
    if (changed_.wait_for(hold, std::chrono::seconds(20), over)) return;
    is_lost = true;
    while (!changed_.wait_for(hold, std::chrono::milliseconds(10), over)) quelea_vm_interrupt(vm);
  }

  std::mutex lock_;
  std::condition_variable changed_;
  bool has_returned_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("driven by the host: timers fire in order and in time") {
  DrivenHost host;
  const auto began = Clock::now();
  CHECK(host.run(R"(
    me = self()
    for ms in [30, 10, 20] { send_after(me, ms, ms) }
    println(inspect([receive { x -> x } for _ in 1..3]))
    for i in 1..500 { spawn(fn() { Process.sleep(i rem 20); me ! 1 }) }
    println(Enum.sum([receive { n -> n } for _ in 1..500]))
    ref = send_after(me, :late, 60_000)
    println(cancel_timer(ref) > 50_000)
    receive { :late -> :ok } after 5 { println("after") })") == "[10, 20, 30]\n500\ntrue\nafter\n");
  CHECK(Clock::now() - began >= std::chrono::milliseconds(35));
}

TEST_CASE("driven by the host: what is left to the pool elsewhere is done, on no other thread") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("quelea-driven-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "beside.qu") << "module Beside\npub fn it() = :beside\n";
  DrivenHost host(0, folder.c_str());
  CHECK(host.run("folder = \"" + folder.string() + R"("
    fn threads() {
      (:ok, status) = File.read("/proc/self/status")
      Enum.filter(String.split(status, "\n"), fn(line) = String.starts_with(line, "Threads:"))
    }
    before = threads()
    (:ok, file) = File.open(folder <> "/data", [:write])
    File.put(file, String.repeat("line\n", 100_000))
    File.close(file)
    (:ok, text) = File.read(folder <> "/data")
    println(length(String.split(text, "\n")))
    println(Enum.sort(Enum.reverse(1..300_000)) == Enum.to_list(1..300_000))
    (:ok, modules, _) = Code.compile_string("module Made\npub fn it() = :made")
    Code.load_all(modules)
    println(inspect((apply(Made, :it, []), apply(Beside, :it, []))))
    (:ok, r) = Cmd.run("/bin/echo", ["hello"])
    print(r.stdout)
    println(byte_size(Prim.crypto_pbkdf2(:sha256, "a", "b", 1000, 32)))
    xs = Enum.to_list(1..300_000)
    me = self()
    spawn(fn() { me ! (:sum, Enum.sum(xs), xs) })
    receive { (:sum, n, ys) -> println(n == 45_000_150_000 and xs == ys) }
    println(Regex.is_match(Regex.new("b$"), String.repeat("ab", 100_000)))
    println(threads() == before))") ==
        "100001\ntrue\n(:made, :beside)\nhello\n32\ntrue\ntrue\ntrue\n");
  std::filesystem::remove_all(folder);
}

TEST_CASE("driven by the host: a neighbour goes on beside loops, huge terms and ends") {
  DrivenHost host;
  CHECK(host.run(R"(
    fn spin(n) = spin(n + 1)
    for _ in 1..3 { spawn(fn() = spin(0)) }
    (_, ref) = spawn_monitor(fn() = length(Enum.sort(Enum.reverse(1..1_000_000))))
    (_, other) = spawn_monitor(fn() = error(:oops))
    fn tick(0) = :ok
    fn tick(n) { Process.sleep(1); tick(n - 1) }
    tick(20)
    receive { (:DOWN, ^ref, _, _, reason) -> println(inspect(reason)) }
    receive { (:DOWN, ^other, _, _, (reason, _)) -> println(inspect(reason)) })") ==
        ":normal\n:oops\n");
}

TEST_CASE("driven by the host: what blocks the machine is one long schedule") {
  DrivenHost host;
  CHECK(host.run(R"(
    System.alarms(long_schedule: 100, to: self())
    (pid, ref) = spawn_monitor(fn() = Crypto.pbkdf2(:sha256, "a", "b", 2_000_000, 32))
    receive { (:DOWN, ^ref, _, _, reason) -> println(inspect(reason)) }
    fn alarms(pid, n) = receive { (:alarm, :long_schedule, ^pid, ms) when ms >= 100 -> alarms(pid, n + 1) } after 0 { n }
    println(alarms(pid, 0)))") == ":normal\n1\n");
}

TEST_CASE("an interrupted machine runs again") {
  for (unsigned schedulers : {0u, 1u, 2u}) {
    DrivenHost host(schedulers);
    host.load(kServer);
    REQUIRE(host.call("start") == 1);
    for (const char* what : {"spin", "wait", "tick", "sort"}) {
      INFO("schedulers " << schedulers << ", " << what);
      quelea_status status = QUELEA_OK;
      Interrupter other(host.vm, std::chrono::milliseconds(5));
      host.call(what, &status);
      other.returned();
      CHECK_FALSE(other.is_lost);
      CHECK(status == QUELEA_INTERRUPTED);
    }
    // Others go on, and those that were called are no more.
    for (int i = 1; i <= 3; ++i) CHECK(host.call("ask") == i);
    CHECK(host.call("processes") == 2);
    // One that comes while nothing runs is for the next call alone.
    quelea_vm_interrupt(host.vm);
    quelea_status status = QUELEA_OK;
    host.call("ask", &status);
    CHECK(status == QUELEA_INTERRUPTED);
    CHECK(host.call("processes") == 2);
    int exit_status = 0;
    host.load("println(40 + 2)");
    quelea_vm_interrupt(host.vm);
    CHECK(quelea_vm_run_main(host.vm, "Script.T", &exit_status) == QUELEA_INTERRUPTED);
    CHECK(quelea_vm_run_main(host.vm, "Script.T", &exit_status) == QUELEA_OK);
    CHECK(host.out == "42\n");
  }
}

TEST_CASE("a machine that was halted runs again") {
  for (unsigned schedulers : {0u, 2u}) {
    DrivenHost host(schedulers);
    host.load(std::string("println(1)\nSystem.halt(7)"));
    int exit_status = -1;
    for (int i = 0; i < 2; ++i) {
      CHECK(quelea_vm_run_main(host.vm, "Script.T", &exit_status) == QUELEA_OK);
      CHECK(exit_status == 7);
    }
    CHECK(host.out == "1\n1\n");
    host.load(kServer);
    CHECK(host.call("start") == 1);
    quelea_status status = QUELEA_RAISED;
    host.call("halt", &status);
    CHECK(status == QUELEA_OK);
    CHECK(host.call("processes") == 1);
  }
}

TEST_CASE("an interrupt at any moment ends one call") {
  const unsigned seed = 11;
  std::minstd_rand random(seed);
  for (unsigned schedulers : {0u, 1u, 2u, 4u}) {
    DrivenHost host(schedulers);
    host.load(kServer);
    REQUIRE(host.call("start") == 1);
    int lost = 0, ended = 0;
    constexpr int kRounds = 60;
    for (int round = 0; round < kRounds; ++round) {
      const char* const what[] = {"spin", "wait", "tick", "churn"};
      quelea_status status = QUELEA_OK;
      // Mostly around the beginning of the call, and of its first sleep.
      const unsigned span = random() % 4 == 0 ? 3'000 : 100;
      Interrupter other(host.vm, std::chrono::microseconds(random() % span));
      host.call(what[random() % 4], &status);
      other.returned();
      lost += other.is_lost ? 1 : 0;
      ended += status == QUELEA_INTERRUPTED ? 1 : 0;
    }
    INFO("schedulers " << schedulers << ", seed " << seed);
    CHECK(lost == 0);
    CHECK(ended == kRounds);
    CHECK(host.call("ask") == 1);
  }
}

TEST_CASE("what is no name of a module or function is not found") {
  DrivenHost host;
  int exit_status = 0;
  for (const std::string& name : {std::string("\xff\xfe"), std::string(300, 'A'), std::string()}) {
    CHECK(quelea_vm_run_main(host.vm, name.c_str(), &exit_status) == QUELEA_NOT_FOUND);
    CHECK(quelea_vm_call(host.vm, name.c_str(), "f", nullptr, 0, nullptr, nullptr) ==
          QUELEA_NOT_FOUND);
    CHECK(quelea_vm_call(host.vm, "Enum", name.c_str(), nullptr, 0, nullptr, nullptr) ==
          QUELEA_NOT_FOUND);
  }
}
