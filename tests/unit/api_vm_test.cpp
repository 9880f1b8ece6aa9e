// The public header as a host uses it.
#include <quelea/quelea.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

// A host that keeps what programs write.
struct TestHost {
  std::string out, err, input;
  quelea_vm* vm = nullptr;

  explicit TestHost(std::vector<const char*> arguments = {}, std::vector<const char*> paths = {}) {
    quelea_config config;
    quelea_config_init(&config);
    config.user = this;
    config.write = [](void* user, int fd, const char* bytes, size_t length) {
      auto* host = static_cast<TestHost*>(user);
      (fd == 1 ? host->out : host->err).append(bytes, length);
      return true;
    };
    config.read = [](void* user, char* buffer, size_t capacity) -> ptrdiff_t {
      auto* host = static_cast<TestHost*>(user);
      size_t n = std::min(capacity, host->input.size());
      std::memcpy(buffer, host->input.data(), n);
      host->input.erase(0, n);
      return static_cast<ptrdiff_t>(n);
    };
    config.arguments = arguments.data();
    config.argument_count = arguments.size();
    config.paths = paths.data();
    config.path_count = paths.size();
    vm = quelea_vm_create(&config);
  }
  ~TestHost() { quelea_vm_destroy(vm); }
  TestHost(const TestHost&) = delete;

  quelea_status load(const std::string& text) {
    quelea_compilation* code = quelea_compile(vm, "t.qu", text.data(), text.size(), nullptr);
    quelea_status status = quelea_vm_load_compilation(vm, code);
    quelea_compilation_destroy(code);
    return status;
  }

  // Runs a script and gives its exit status.
  int run(const std::string& text) {
    if (load(text) != QUELEA_OK) return 2;
    int exit_status = -1;
    quelea_vm_run_main(vm, "Script.T", &exit_status);
    return exit_status;
  }
};

}  // namespace

TEST_CASE("a script runs and writes to the host") {
  TestHost host({"x", "y"});
  REQUIRE(host.vm != nullptr);
  CHECK(host.run("println(1 + 1)\nprintln(length(System.argv()))") == 0);
  CHECK(host.out == "2\n2\n");
  CHECK(host.err.empty());
}

TEST_CASE("exit statuses") {
  CHECK(TestHost().run("exit(:normal)") == 0);
  CHECK(TestHost().run("System.halt(7)") == 7);
  CHECK(TestHost().run("x = ") == 2);
  TestHost host;
  CHECK(host.run("error(:oops)") == 1);
  CHECK(host.err.find("oops") != std::string::npos);
  CHECK(std::string(quelea_vm_error(host.vm)).find("oops") != std::string::npos);
}

TEST_CASE("compilation gives diagnostics and modules") {
  std::string text = "module A.B\npub fn f() = 1\n";
  quelea_compilation* code = quelea_compile(nullptr, "b.qu", text.data(), text.size(), nullptr);
  REQUIRE(quelea_compilation_ok(code));
  REQUIRE(quelea_compilation_module_count(code) == 1);
  CHECK(std::string(quelea_compilation_module_name(code, 0)) == "A.B");
  CHECK(std::string(quelea_compilation_module_path(code, 0)) == "a/b");
  CHECK(std::string(quelea_compilation_main(code)) == "A.B");
  CHECK(quelea_compilation_module_name(code, 1) == nullptr);
  size_t length = 0;
  const uint8_t* bytes = quelea_compilation_module_bytes(code, 0, &length);
  char name[16];
  REQUIRE(quelea_module_name(bytes, length, name, sizeof name) == QUELEA_OK);
  CHECK(std::string(name) == "A.B");
  CHECK(quelea_module_name(bytes, length, name, 2) == QUELEA_BAD_ARGUMENT);
  char* assembly = quelea_disassemble(bytes, length, nullptr);
  REQUIRE(assembly != nullptr);
  CHECK(std::string(assembly).find("f/0") != std::string::npos);
  quelea_string_destroy(assembly);
  quelea_compilation_destroy(code);

  code = quelea_compile(nullptr, "bad.qu", "1 +", 3, nullptr);
  CHECK_FALSE(quelea_compilation_ok(code));
  CHECK(quelea_compilation_error_count(code) > 0);
  CHECK(quelea_compilation_main(code) == nullptr);
  CHECK(std::string(quelea_compilation_diagnostics(code)).find("bad.qu:1:") == 0);
  quelea_compilation_destroy(code);
}

TEST_CASE("bytes that are no module are refused") {
  TestHost host;
  const uint8_t junk[] = {'Q', 'L', 'E', 'A', 0, 1, 2, 3};
  CHECK(quelea_vm_load(host.vm, "junk.qb", junk, sizeof junk) == QUELEA_LOAD_ERROR);
  CHECK(std::string(quelea_vm_error(host.vm)).find("junk.qb") == 0);
  char* error = nullptr;
  CHECK(quelea_disassemble(junk, sizeof junk, &error) == nullptr);
  CHECK(error != nullptr);
  quelea_string_destroy(error);
}

TEST_CASE("a function is called with arguments in external term format") {
  TestHost host;
  REQUIRE(host.load("module T\npub fn add(a, b) = a + b\npub fn fail() = error(:no)\n") ==
          QUELEA_OK);
  // [40, 2]
  const uint8_t arguments[] = {131, 108, 0, 0, 0, 2, 97, 40, 97, 2, 106};
  const uint8_t* result = nullptr;
  size_t length = 0;
  REQUIRE(quelea_vm_call(host.vm, "T", "add", arguments, sizeof arguments, &result, &length) ==
          QUELEA_OK);
  REQUIRE(length == 3);
  CHECK(result[1] == 97);
  CHECK(result[2] == 42);
  CHECK(quelea_vm_call(host.vm, "T", "fail", nullptr, 0, nullptr, nullptr) == QUELEA_RAISED);
  CHECK(std::string(quelea_vm_error(host.vm)).find("no") != std::string::npos);
  CHECK(quelea_vm_call(host.vm, "T", "missing", nullptr, 0, nullptr, nullptr) != QUELEA_OK);
  CHECK(quelea_vm_call(host.vm, "T", "add", arguments, sizeof arguments, &result, &length) ==
        QUELEA_OK);
}

TEST_CASE("machines share nothing") {
  TestHost one, two;
  CHECK(one.run("register(:name, self())\nprintln(inspect(whereis(:name) == self()))") == 0);
  CHECK(two.run("println(inspect(whereis(:name)))") == 0);
  CHECK(one.out == "true\n");
  CHECK(two.out == "nil\n");
}

TEST_CASE("an interrupt ends a busy and a sleeping machine") {
  for (const char* text : {"fn spin(n) = spin(n + 1)\nspin(0)", "receive { :never -> :ok }"}) {
    TestHost host;
    REQUIRE(host.load(text) == QUELEA_OK);
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      quelea_vm_interrupt(host.vm);
    });
    int exit_status = 0;
    CHECK(quelea_vm_run_main(host.vm, "Script.T", &exit_status) == QUELEA_INTERRUPTED);
    other.join();
  }
}

TEST_CASE("a configuration of another size is refused or read as far as it goes") {
  quelea_config config;
  quelea_config_init(&config);
  config.struct_size = 0;
  CHECK(quelea_vm_create(&config) == nullptr);
  config.struct_size = sizeof config + 8;
  CHECK(quelea_vm_create(&config) == nullptr);
  quelea_vm* vm = quelea_vm_create(nullptr);
  CHECK(vm != nullptr);
  quelea_vm_destroy(vm);
  quelea_vm_destroy(nullptr);
}

#if QUELEA_JEMALLOC
namespace {
std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4096;
}
}  // namespace

TEST_CASE("a machine that has ended leaves no memory behind") {
  constexpr std::size_t kMegabyte = std::size_t{1} << 20;
  const std::size_t before = resident_bytes();
  {
    TestHost host;
    CHECK(host.run("xs = Enum.to_list(1..6_000_000)\nprintln(length(xs))") == 0);
    CHECK(resident_bytes() > 90 * kMegabyte);
  }
  CHECK(resident_bytes() < before + 20 * kMegabyte);
}

TEST_CASE("memory of a spike goes back to the system while the machine goes on") {
  // Resident bytes at the spike, and after about two seconds at most in which little is done.
  const char* const program = R"(
fn wait(0, _) = :late
fn wait(n, most) =
  if System.memory() < most { :back } else { receive { :never -> :ok } after 50 { wait(n - 1, most) } }
me = self()
spawn(fn() = me ! (:spike, length(Enum.to_list(1..6_000_000)), System.memory()))
receive { (:spike, _, most) -> println(wait(400, most div 2)) }
)";
  TestHost host;
  CHECK(host.run(program) == 0);
  CHECK(host.out == "back\n");
}
#endif
