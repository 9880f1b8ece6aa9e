#include "tools/quelea/sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>

namespace cli {
namespace {

// From an interruption on a reader has so long to go on taking what is there.
constexpr int kPatienceMs = 100;

// Readable once the command was interrupted.
std::atomic<int> interruption{-1};

}  // namespace

void interrupt_waiting() {
  const uint64_t one = 1;
  const int event = interruption.load();
  if (event >= 0 && write(event, &one, sizeof one) < 0) return;  // It is readable already.
}

void allow_waiting() {
  if (interruption.load() < 0) interruption.store(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  uint64_t count = 0;
  if (read(interruption.load(), &count, sizeof count) < 0) return;  // There was no interruption.
}

Sink::~Sink() {
  if (opened_ >= 0) close(opened_);
}

void Sink::open() {
  struct stat info = {};
  kind_ = Kind::File;
  if (fstat(fd_, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) {
    kind_ = Kind::Socket;
  } else if (S_ISFIFO(info.st_mode) || isatty(fd_) == 1) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd_);
    opened_ = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    kind_ = opened_ >= 0 ? Kind::Opened : Kind::Polled;
  }
}

ssize_t Sink::write_once(const char* bytes, size_t length) {
  switch (kind_) {
    case Kind::Socket:
      return send(fd_, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case Kind::Opened:
      return ::write(opened_, bytes, length);
    case Kind::Polled: {
      // What says that it takes something takes so much of it at once.
      pollfd ready = {fd_, POLLOUT, 0};
      if (poll(&ready, 1, 0) == 0) return errno = EAGAIN, -1;
      return ::write(fd_, bytes, std::min(length, size_t{PIPE_BUF}));
    }
    default:
      return ::write(fd_, bytes, length);
  }
}

ssize_t Sink::write_some(const char* bytes, size_t length) {
  if (kind_ == Kind::Unknown) open();
  ssize_t n = 0;
  do n = write_once(bytes, length);
  while (n < 0 && errno == EINTR);
  return n;
}

bool Sink::wait() {
  pollfd waits[] = {{opened_ >= 0 ? opened_ : fd_, POLLOUT, 0}, {interruption.load(), POLLIN, 0}};
  while (waits[0].revents == 0) {
    const bool hurries = waits[1].revents != 0;
    const int ready = poll(waits, hurries ? 1 : 2, hurries ? kPatienceMs : -1);
    if (ready == 0) return errno = EINTR, false;
  }
  return true;
}

}  // namespace cli
