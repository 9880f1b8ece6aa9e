#include "vm/proc/output.h"

#include <cerrno>
#include <cstdio>
#include <new>
#include <utility>

#include "vm/proc/local.h"
#include "vm/proc/process.h"

namespace quelea {

namespace {

/// What takes a millisecond to copy is for the pool.
constexpr std::size_t kShortBytes = std::size_t{1} << 20;

int error_of(bool took) { return took ? 0 : errno != 0 ? errno : EPIPE; }

}  // namespace

int Output::write(Process& p, int fd, std::string_view bytes) {
  if (!p.on_pool() && bytes.size() <= kShortBytes) return try_write(p, fd, bytes);
  return call(p, [&] { return host_.write(fd, bytes); });
}

int Output::flush(Process& p, int fd) {
  return call(p, [&] {
    host_.flush(fd);
    return true;
  });
}

int Output::try_write(Process& p, int fd, std::string_view bytes) {
  std::unique_lock hold(lock_);
  if (QUELEA_UNLIKELY(busy_)) {
    waiting_.add(p);
    return kLater;
  }
  errno = 0;
  const std::ptrdiff_t took = host_.try_write(fd, bytes);
  if (took < 0) return error_of(false);
  if (QUELEA_LIKELY(static_cast<std::size_t>(took) == bytes.size())) return 0;
  rest_ = bytes.substr(static_cast<std::size_t>(took));
  rest_fd_ = fd;
  busy_ = true;
  hold.unlock();
  if (!p.vm().schedulers().run_errand(*this)) run(p.local());
  return 0;
}

/// What may wait: on the pool, or where there is nobody to be held up.
template <class Call>
int Output::call(Process& p, Call&& call_host) {
  std::unique_lock hold(lock_);
  if (busy_) {
    waiting_.add(p);
    return kLater;
  }
  if (!p.on_pool()) {
    p.to_pool();
    return kLater;
  }
  errno = 0;
  if (p.local().is_scheduler) return error_of(call_host());
  busy_ = true;
  hold.unlock();
  int error = 0;
  std::vector<Term> waiting;
  {
    const AwayFromOthers away(p.local());
    error = error_of(call_host());
    // The end of the machine may wait for this, though it does not wait for the thread.
    waiting = release();
  }
  WaitingProcesses::wake(p.local(), waiting);
  return error;
}

template <class Call>
void Output::call_alone(SchedulerLocal& here, Call&& call_host) {
  {
    std::unique_lock hold(lock_);
    // A thread of the pool may not have come back yet.
    free_.wait(hold, [&] { return !busy_; });
    busy_ = true;
  }
  call_host();
  WaitingProcesses::wake(here, release());
}

void Output::write(SchedulerLocal& here, int fd, std::string_view bytes) {
  call_alone(here, [&] { host_.write(fd, bytes); });
}

void Output::flush(SchedulerLocal& here, int fd) {
  call_alone(here, [&] { host_.flush(fd); });
}

/// Writes the rest; who writes next is told of an error.
void Output::run(SchedulerLocal& here) {
  std::vector<Term> waiting;
  {
    const AwayFromOthers away(here);
    host_.write(rest_fd_, rest_);
    rest_ = {};
    waiting = release();
  }
  WaitingProcesses::wake(here, waiting);
}

/// It is free again; those to be woken.
std::vector<Term> Output::release() {
  std::unique_lock hold(lock_);
  log_what_was_left(hold);
  busy_ = false;
  free_.notify_all();
  return waiting_.take();
}

void Output::log_what_was_left(std::unique_lock<std::mutex>& hold) {
  while (!lines_.empty()) {
    const std::vector<Line> lines = std::exchange(lines_, {});
    const std::size_t lost = std::exchange(lost_lines_, 0);
    line_bytes_ = 0;
    hold.unlock();
    for (const Line& line : lines) host_.log(line.level, line.text);
    if (lost != 0) {
      char text[96];
      const int size = std::snprintf(
          text, sizeof text, "%zu lines of the log were lost while nothing could be written", lost);
      host_.log(LogLevel::Warning, {text, static_cast<std::size_t>(size)});
    }
    hold.lock();
  }
}

void Output::log(LogLevel level, std::string_view line) {
  std::lock_guard hold(lock_);
  if (!busy_) {
    host_.log(level, line);
    return;
  }
  if (line_bytes_ + line.size() <= kMostLogBytes) {
    try {
      lines_.push_back({level, std::string(line)});
      line_bytes_ += line.size();
      return;
    } catch (const std::bad_alloc&) {
      // It is lost.
    }
  }
  ++lost_lines_;
}

}  // namespace quelea
