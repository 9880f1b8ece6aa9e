// Sleeping without a lost wake-up: what is notified before the sleep begins ends it at once.
#pragma once

#include <atomic>
#include <cstdint>

namespace quelea {

class Sleeper {
 public:
  Sleeper();
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Sleeps until `notify`, at most `timeout_ns` (negative: no limit). Only one thread ever.
  void sleep(std::int64_t timeout_ns);
  /// Ends the sleep, or the next one. Any thread, signal handlers included.
  void notify();
  /// Ends the sleep when there is one. Whether there was.
  bool wake_sleeping();

 private:
  enum State : std::uint8_t { kAwake, kAsleep, kNotified };

  void write_event() const;

  std::atomic<std::uint8_t> state_{kAwake};
  int event_fd_ = -1;
};

}  // namespace quelea
