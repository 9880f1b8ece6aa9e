// Where the command's output goes, written without waiting.
//
// A reader may stop, and then a `write` would wait for it, on a thread that has other things to do.
// O_NONBLOCK is not the command's to set: it belongs to the open pipe or terminal, which others
// have, too. So it opens its own way there; a socket is told with each call. Files are written as
// they are.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace cli {

class Sink {
 public:
  explicit Sink(int fd) : fd_(fd) {}
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Writes some of it: how much, or -1 and errno, EAGAIN where it would have to wait.
  ssize_t write_some(const char* bytes, size_t length);
  // Waits until something can be written. False, with EINTR: the command was interrupted, and for a
  // while after that nothing could.
  bool wait();

 private:
  enum class Kind { Unknown, File, Socket, Opened, Polled };
  void open();
  ssize_t write_once(const char* bytes, size_t length);

  int fd_;
  int opened_ = -1;
  Kind kind_ = Kind::Unknown;
};

// Whoever waits does not wait for ever from now on, or may again. `interrupt_waiting` is for signal
// handlers, too.
void interrupt_waiting();
void allow_waiting();

}  // namespace cli
