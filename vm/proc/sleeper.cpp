#include "vm/proc/sleeper.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace quelea {

// All accesses of `state_` are sequentially consistent: a sleeper says that it sleeps and then
// looks for work once more, whoever brings work leaves it first and then looks whether somebody
// sleeps.

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

void Sleeper::end_wait() { syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1); }

void Sleeper::sleep(std::int64_t timeout_ns) {
  std::uint32_t awake = kAwake;
  if (state_.compare_exchange_strong(awake, kAsleep) && timeout_ns != 0) {
    const timespec left{static_cast<std::time_t>(timeout_ns / 1'000'000'000),
                        static_cast<long>(timeout_ns % 1'000'000'000)};
    syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, kAsleep, timeout_ns < 0 ? nullptr : &left);
  }
  state_.exchange(kAwake);
}

void Sleeper::notify() {
  if (state_.exchange(kNotified) == kAsleep) end_wait();
}

bool Sleeper::wake_sleeping() {
  std::uint32_t asleep = kAsleep;
  if (!state_.compare_exchange_strong(asleep, kNotified)) return false;
  end_wait();
  return true;
}

}  // namespace quelea
