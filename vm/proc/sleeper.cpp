#include "vm/proc/sleeper.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ctime>

namespace quelea {

// All accesses of `state_` are sequentially consistent: a sleeper says that it sleeps and then
// looks for work once more, whoever brings work leaves it first and then looks whether somebody
// sleeps.

Sleeper::Sleeper() : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Sleeper::~Sleeper() {
  if (event_fd_ >= 0) close(event_fd_);
}

void Sleeper::write_event() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_fd_, &one, sizeof one);
}

void Sleeper::sleep(std::int64_t timeout_ns) {
  std::uint8_t awake = kAwake;
  if (state_.compare_exchange_strong(awake, kAsleep) && timeout_ns != 0) {
    pollfd event{event_fd_, POLLIN, 0};
    timespec left{static_cast<std::time_t>(timeout_ns / 1'000'000'000),
                  static_cast<long>(timeout_ns % 1'000'000'000)};
    ppoll(&event, 1, timeout_ns < 0 ? nullptr : &left, nullptr);
  }
  if (state_.exchange(kAwake) == kNotified) {
    // The event may come a moment after the state, and then ends the next sleep early: no harm.
    std::uint64_t count;
    [[maybe_unused]] const auto got = read(event_fd_, &count, sizeof count);
  }
}

void Sleeper::notify() {
  if (state_.exchange(kNotified) == kAsleep) write_event();
}

bool Sleeper::wake_sleeping() {
  std::uint8_t asleep = kAsleep;
  if (!state_.compare_exchange_strong(asleep, kNotified)) return false;
  write_event();
  return true;
}

}  // namespace quelea
