// A lock for a few instructions: one atomic exchange to take it, one store to give it back.
//
// Whoever finds it taken spins for a moment and then lets the system run somebody else, for the
// holder may have lost its processor. Nothing that can wait is done while holding one.
#pragma once

#include <sched.h>

#include <atomic>

namespace quelea {

class SpinLock {
 public:
  void lock() {
    // Acquire pairs with the release of `unlock`.
    while (taken_.exchange(true, std::memory_order_acquire)) wait();
  }
  bool try_lock() {
    return !taken_.load(std::memory_order_relaxed) &&
           !taken_.exchange(true, std::memory_order_acquire);
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  void wait() const {
    for (int spin = 0; taken_.load(std::memory_order_relaxed); ++spin) {
      if (spin < kSpins) {
        pause();
      } else {
        sched_yield();
      }
    }
  }
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  static constexpr int kSpins = 64;
  std::atomic<bool> taken_{false};
};

}  // namespace quelea
