// What the public header promises about callbacks of a machine with several schedulers.
#include <quelea/quelea.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

namespace {

// Says when two calls of it overlap.
class Alone {
 public:
  template <class Call>
  void call(Call&& call) {
    if (busy_.exchange(true)) overlaps_.fetch_add(1);
    calls_.fetch_add(1);
    call();
    busy_.store(false);
  }
  int overlaps() const { return overlaps_; }
  int calls() const { return calls_; }

 private:
  std::atomic<bool> busy_{false};
  std::atomic<int> overlaps_{0}, calls_{0};
};

struct Host {
  Alone output, input;
  std::string out;  // Unguarded: that is what is promised.
  std::size_t remarks = 0;
  int lines_left = 500;
  bool may_wait = true;  // `write` alone, or `try_write` before it, which takes a part.

  int run(const std::string& text, unsigned schedulers) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.write = [](void* user, int, const char* bytes, size_t length) {
      auto* host = static_cast<Host*>(user);
      host->output.call([&] { host->out.append(bytes, length); });
      return true;
    };
    if (!may_wait) {
      config.try_write = [](void* user, int, const char* bytes, size_t length) -> ptrdiff_t {
        auto* host = static_cast<Host*>(user);
        const size_t taken = static_cast<size_t>(host->output.calls()) % (length + 1);
        host->output.call([&] { host->out.append(bytes, taken); });
        return static_cast<ptrdiff_t>(taken);
      };
    }
    config.flush = [](void* user, int) { static_cast<Host*>(user)->output.call([] {}); };
    config.log = [](void* user, quelea_log_level, const char*, size_t length) {
      auto* host = static_cast<Host*>(user);
      host->output.call([&] { host->remarks += length; });
    };
    config.read = [](void* user, char* buffer, size_t) -> ptrdiff_t {
      auto* host = static_cast<Host*>(user);
      ptrdiff_t got = 0;
      host->input.call([&] {
        if (host->lines_left == 0) return;
        --host->lines_left;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
        std::memcpy(buffer, "line\n", 5);
        got = 5;
      });
      return got;
    };
    quelea_vm* vm = quelea_vm_create(&config);
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    int status = -1;
    if (quelea_vm_load_compilation(vm, code) == QUELEA_OK)
      quelea_vm_run_main(vm, quelea_compilation_main(code), &status);
    quelea_compilation_destroy(code);
    quelea_vm_destroy(vm);
    return status;
  }
};

}  // namespace

TEST_CASE("callbacks of output never overlap, nor do those of input") {
  const std::string program = R"(me = self()
fn talk(0, me) = me ! :done
fn talk(n, me) {
  println("a line")
  Io.flush(:stdio)
  talk(n - 1, me)
}
fn listen(n, me) = match Io.read_line() {
  (:ok, _) -> listen(n + 1, me)
  _        -> me ! (:read, n)
}
for _ in 1..8 { spawn(fn() = talk(300, me)) }
for _ in 1..4 { spawn(fn() = listen(0, me)) }
for _ in 1..20 { spawn(fn() = error(:reported)) }
for _ in 1..8 { receive { :done -> :ok } }
total = for _ in 1..4 with n = 0 { receive { (:read, m) -> n + m } }
println("read ${total}")
)";
  for (unsigned run = 0; run < 4; ++run) {
    const unsigned schedulers = run % 2 == 0 ? 1 : 4;
    Host host;
    host.may_wait = run < 2;
    REQUIRE(host.run(program, schedulers) == 0);
    CHECK(host.output.overlaps() == 0);
    CHECK(host.input.overlaps() == 0);
    CHECK(host.out.size() == 8 * 300 * 7 + 9);
    CHECK(host.out.find("read 500\n") != std::string::npos);
    CHECK(host.remarks > 20 * 20);
    for (std::size_t at = 0; at + 9 < host.out.size(); at += 7) {
      REQUIRE(host.out.compare(at, 7, "a line\n") == 0);
    }
  }
}
