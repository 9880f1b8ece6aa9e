// A machine in which everybody waits takes no processor time, whatever it has.
#include <quelea/quelea.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct IdleHost {
  std::vector<std::int64_t> cpu_ns;  // When something was written.
  quelea_vm* vm = nullptr;

  explicit IdleHost(unsigned schedulers) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.write = [](void* user, int, const char*, size_t) {
      timespec now;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
      static_cast<IdleHost*>(user)->cpu_ns.push_back(now.tv_sec * 1'000'000'000 + now.tv_nsec);
      return true;
    };
    vm = quelea_vm_create(&config);
  }
  ~IdleHost() { quelea_vm_destroy(vm); }
  IdleHost(const IdleHost&) = delete;

  int run(std::string_view text) {
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    REQUIRE(quelea_vm_load_compilation(vm, code) == QUELEA_OK);
    quelea_compilation_destroy(code);
    int exit_status = -1;
    quelea_vm_run_main(vm, "Script.T", &exit_status);
    return exit_status;
  }
};

// All threads have worked; then nobody has anything to do for a second, the half before the
// measurement left aside, in which free pages go back to the system.
const char* const kProgram = R"(
for _ in 1..100 { spawn(fn() = length(Enum.to_list(1..20_000))) }
for i in 1..100_000 { spawn(fn() { receive { :never -> i } after 100_000_000 { i } }) }
send_after(self(), :far, 1_000_000_000)
Process.sleep(1_000)
println("begin")
Process.sleep(1_000)
println("end")
)";

}  // namespace

#if !QUELEA_GCSTRESS
TEST_CASE("an idle machine takes no processor time") {
  for (unsigned schedulers : {0u, 1u, 2u, 64u}) {
    INFO("schedulers " << schedulers);
    IdleHost host(schedulers);
    REQUIRE(host.run(kProgram) == 0);
    REQUIRE(host.cpu_ns.size() == 2);
    const std::int64_t taken_us = (host.cpu_ns[1] - host.cpu_ns[0]) / 1000;
    CHECK(taken_us < 10'000);  // It is some 0.1 ms; a look around each millisecond would be 20.
  }
}
#endif
