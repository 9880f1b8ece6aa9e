// Runs a module that the loader accepted, for a moment.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "vm/base/host.h"
#include "vm/code/loader.h"
#include "vm/interp/load.h"
#include "vm/interp/machine.h"

namespace quelea::test {

/// Interrupts a machine that runs too long; aborts when that does not end it either.
class Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      std::lock_guard guard(lock_);
      ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void arm(Vm& vm) {
    std::lock_guard guard(lock_);
    vm_ = &vm;
    ++turn_;
    changed_.notify_one();
  }
  void disarm() {
    std::lock_guard guard(lock_);
    vm_ = nullptr;
    ++turn_;
    changed_.notify_one();
  }

 private:
  void watch() {
    std::unique_lock guard(lock_);
    while (!ending_) {
      changed_.wait(guard, [this] { return ending_ || vm_ != nullptr; });
      if (ending_) return;
      std::uint64_t turn = turn_;
      auto over = [&] { return ending_ || turn_ != turn; };
      if (changed_.wait_for(guard, std::chrono::milliseconds(8), over)) continue;
      vm_->interrupt();
      if (changed_.wait_for(guard, std::chrono::seconds(20), over)) continue;
      std::fprintf(stderr, "module_fuzz: a machine that cannot be interrupted\n");
      std::abort();
    }
  }
  std::mutex lock_;
  std::condition_variable changed_;
  Vm* vm_ = nullptr;
  std::uint64_t turn_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

/// The verifier's answer as the machine gives it: empty when the module was loaded; then main/0
/// ran.
inline std::string run_module(const std::string& file) {
  static Watchdog watchdog;
  VmConfig config;
  config.max_processes = 200;
  config.max_memory_bytes = std::uint64_t{256} << 20;
  config.seed = 1;
  std::unique_ptr<Vm> vm = make_vm(config);
  LoadResult loaded = load_module(load_context(*vm), file);
  if (loaded.module == nullptr) return loaded.error;
  watchdog.arm(*vm);
  RunRequest request;
  request.module = "Fuzz";
  request.function = "main";
  run_main(*vm, request);
  watchdog.disarm();
  return "";
}

}  // namespace quelea::test
