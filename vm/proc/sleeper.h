// Sleeping without a lost wake-up: what is notified before the sleep begins ends it at once.
//
// A futex: the system compares the state with `kAsleep` and lets the thread sleep in one step, so
// that no descriptor is wanted, of which a host may have few left.
#pragma once

#include <atomic>
#include <cstdint>

namespace quelea {

class Sleeper {
 public:
  Sleeper() = default;
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Sleeps until `notify`, at most `timeout_ns` (negative: no limit); now and then less. Only one
  /// thread ever.
  void sleep(std::int64_t timeout_ns);
  /// Ends the sleep, or the next one. Any thread, signal handlers included.
  void notify();
  /// Ends the sleep when there is one. Whether there was.
  bool wake_sleeping();

 private:
  enum State : std::uint32_t { kAwake, kAsleep, kNotified };

  void end_wait();

  std::atomic<std::uint32_t> state_{kAwake};
};

}  // namespace quelea
