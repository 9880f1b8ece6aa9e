#include "tools/quelea/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr size_t kMostHeldBytes = 1 << 20;

}  // namespace

Output::Output() : is_terminal_(isatty(1) == 1) {}

// On a terminal a line is to be seen when it is complete.
bool Output::is_whole_line(const char* bytes, size_t length) const {
  return is_terminal_ && memchr(bytes, '\n', length) != nullptr;
}

bool Output::write(int fd, const char* bytes, size_t length) {
  if (is_held_) {
    keep(held_, bytes, length);
    return true;
  }
  if (fd != 1) return flush() && write_all(fd, bytes, length);
  if (buffer_.size() + length > kBufferBytes && !flush()) return false;
  if (length >= kBufferBytes) return write_all(1, bytes, length);
  buffer_.append(bytes, length);
  return !is_whole_line(bytes, length) || flush();
}

ssize_t Output::try_write(int fd, const char* bytes, size_t length) {
  if (is_held_) {
    keep(held_, bytes, length);
    return static_cast<ssize_t>(length);
  }
  if (fd == 1 && length < kBufferBytes) return try_write_out(bytes, length);
  if (!push(1, buffer_) || !push(2, logged_)) return -1;
  if (!buffer_.empty() || !logged_.empty()) return 0;
  return write_some(fd, bytes, length);
}

ssize_t Output::try_write_out(const char* bytes, size_t length) {
  buffer_.append(bytes, length);
  const size_t may_stay = is_whole_line(bytes, length) ? 0 : kBufferBytes;
  if (buffer_.size() <= may_stay) return static_cast<ssize_t>(length);
  if (!push(1, buffer_)) return -1;
  // What is too much is given back, as far as it is of this call.
  const size_t too_much = buffer_.size() - std::min(buffer_.size(), may_stay);
  const size_t given_back = std::min(too_much, length);
  buffer_.resize(buffer_.size() - given_back);
  return static_cast<ssize_t>(length - given_back);
}

bool Output::flush() {
  const bool out = write_all(1, buffer_.data(), buffer_.size());
  buffer_.clear();
  write_all(2, logged_.data(), logged_.size());
  logged_.clear();
  return out;
}

void Output::log(std::string_view line) {
  if (is_held_) return keep(held_, line.data(), line.size());
  push(1, buffer_);
  push(2, logged_);
  if (buffer_.empty() && logged_.empty()) {
    const ssize_t n = write_some(2, line.data(), line.size());
    line.remove_prefix(n < 0 ? line.size() : static_cast<size_t>(n));
  }
  keep(logged_, line.data(), line.size());
}

void Output::release(bool write) {
  is_held_ = false;
  if (write && flush()) write_all(1, held_.data(), held_.size());
  held_.clear();
}

void Output::keep(std::string& kept, const char* bytes, size_t length) {
  kept.append(bytes, std::min(length, kMostHeldBytes - std::min(kept.size(), kMostHeldBytes)));
}

bool Output::failed(int fd) {
  if (fd == 1 && error_ == 0) error_ = errno;
  return false;
}

bool Output::write_all(int fd, const char* bytes, size_t length) {
  Sink& sink = fd == 1 ? out_ : err_;
  while (length > 0) {
    const ssize_t n = sink.write_some(bytes, length);
    if (n < 0 && (errno != EAGAIN || !sink.wait())) return failed(fd);
    if (n < 0) continue;
    bytes += n;
    length -= static_cast<size_t>(n);
  }
  return true;
}

// How much was taken at once, perhaps nothing; -1: it failed.
ssize_t Output::write_some(int fd, const char* bytes, size_t length) {
  if (length == 0) return 0;
  const ssize_t n = (fd == 1 ? out_ : err_).write_some(bytes, length);
  if (n >= 0 || errno == EAGAIN) return std::max<ssize_t>(n, 0);
  failed(fd);
  return -1;
}

// Writes what is taken at once. False: it failed, and what was there is lost.
bool Output::push(int fd, std::string& buffer) {
  const ssize_t n = write_some(fd, buffer.data(), buffer.size());
  buffer.erase(0, n < 0 ? buffer.size() : static_cast<size_t>(n));
  return n >= 0;
}

}  // namespace cli
