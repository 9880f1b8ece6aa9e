// Any bytes as a program: compiled, loaded and run for a moment under limits, through the public
// header. What the compiler accepts must be verified, and what is verified must not crash the
// machine.
//
// Programs that could reach files, other programs or the process itself are not run.
#include <quelea/quelea.h>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr auto kRunFor = std::chrono::milliseconds(100);
constexpr uint64_t kMaxMemory = 64 << 20;

bool is_harmless(std::string_view text) {
  for (std::string_view word : {"File", "Dir", "Cmd", "System", "Path", "Prim", "Code", "Io"})
    if (text.find(word) != std::string_view::npos) return false;
  return true;
}

// Interrupts a machine when the time is over, unless it is told before that it ended.
class Watchdog {
 public:
  explicit Watchdog(quelea_vm* vm) : thread_([this, vm] { watch(vm); }) {}
  ~Watchdog() {
    {
      std::lock_guard<std::mutex> guard(lock_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  void watch(quelea_vm* vm) {
    std::unique_lock<std::mutex> guard(lock_);
    if (!changed_.wait_for(guard, kRunFor, [this] { return done_; })) quelea_vm_interrupt(vm);
  }

  std::mutex lock_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!is_harmless(text)) return 0;
  quelea_config config;
  quelea_config_init(&config);
  config.max_memory_bytes = kMaxMemory;
  config.max_processes = 1000;
  config.seed = 1;
  quelea_vm* vm = quelea_vm_create(&config);
  quelea_compilation* code = quelea_compile(vm, "fuzz.qu", text.data(), text.size(), nullptr);
  if (quelea_compilation_ok(code)) {
    std::string main = quelea_compilation_main(code);
    if (quelea_vm_load_compilation(vm, code) != QUELEA_OK) {
      fprintf(stderr, "the compiler's module is refused: %s\n", quelea_vm_error(vm));
      abort();
    }
    Watchdog watchdog(vm);
    int exit_status = 0;
    quelea_vm_run_main(vm, main.c_str(), &exit_status);
  }
  quelea_compilation_destroy(code);
  quelea_vm_destroy(vm);
  return 0;
}
