// Limits as a host sets them: the culprit dies or gets an error, the host hears of it, and the
// machine goes on.
#include <quelea/quelea.h>

#include <catch2/catch.hpp>
#include <string>

namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

struct LimitedHost {
  std::string out, log;
  quelea_vm* vm = nullptr;

  explicit LimitedHost(unsigned schedulers) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.schedulers = schedulers;
    config.max_memory_bytes = kMaxBytes;
    config.max_processes = 1000;
    config.write = [](void* user, int, const char* bytes, size_t length) {
      static_cast<LimitedHost*>(user)->out.append(bytes, length);
      return true;
    };
    config.log = [](void* user, quelea_log_level, const char* line, size_t length) {
      static_cast<LimitedHost*>(user)->log.append(line, length).push_back('\n');
    };
    vm = quelea_vm_create(&config);
  }
  ~LimitedHost() { quelea_vm_destroy(vm); }
  LimitedHost(const LimitedHost&) = delete;

  quelea_status load(const std::string& text) {
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    const quelea_status status = quelea_vm_load_compilation(vm, code);
    quelea_compilation_destroy(code);
    return status;
  }
  // What the script wrote.
  std::string run(const std::string& text) {
    out.clear();
    REQUIRE(load(text) == QUELEA_OK);
    int exit_status = -1;
    quelea_vm_run_main(vm, "Script.T", &exit_status);
    return out;
  }
};

const std::string kWatch = R"(
fn watch(f) {
  (_, ref) = spawn_monitor(f)
  receive { (:DOWN, ^ref, _, _, reason) -> println(inspect(reason)) }
}
)";

bool says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

#if !QUELEA_GCSTRESS  // Where every step collects, a heap takes hours to reach a limit.
TEST_CASE("the limits of a machine hold whatever drives it") {
  for (unsigned schedulers : {0u, 1u, 2u}) {
    INFO("schedulers " << schedulers);
    LimitedHost host(schedulers);
    CHECK(host.run(kWatch + "fn more(xs) = more([1 | xs])\nwatch(fn() = more([]))") == ":killed\n");
    CHECK(says(host.log, "max_memory"));
    CHECK(says(host.log, "Script.T.more/1 (t.qu:6)"));
    CHECK(host.run(kWatch + R"(
      xs = Enum.to_list(1..200_000)
      watch(fn() = length(List.flatten([xs for _ in 1..100])))
      println(length(xs)))") == ":killed\n200000\n");
    CHECK(host.run("fn bomb() { spawn(fn() { receive { :never -> 1 } }); bomb() }\n"
                   "println(inspect(try { bomb() } catch { error e -> e }))") == ":system_limit\n");
    CHECK(host.run("println(1 + 1)") == "2\n");
  }
}
#endif

TEST_CASE("a text that the compiler has no room for is no memory") {
  LimitedHost host(1);
  std::string text = "x = [fn(x) = x";
  while (text.size() < kMaxBytes / 32) text += ", fn(x) = x";
  CHECK(host.load(text + "]") == QUELEA_NO_MEMORY);
  CHECK(host.run("println(1 + 1)") == "2\n");
}

TEST_CASE("modules without end are no memory") {
  LimitedHost host(1);
  quelea_status status = QUELEA_OK;
  for (int i = 0; i < 100'000 && status == QUELEA_OK; ++i) {
    std::string text = "module M" + std::to_string(i) + "\n";
    for (int k = 0; k < 200; ++k) {
      text += "pub fn f" + std::to_string(k) + "(x) = (x, \"" + std::to_string(i + k) + "\")\n";
    }
    status = host.load(text);
  }
  CHECK(status == QUELEA_NO_MEMORY);
}
