// Standard output and standard error of the command.
#pragma once

#include <string>
#include <string_view>

#include "tools/quelea/sink.h"

namespace cli {

// Standard output, line-buffered on a terminal and in blocks elsewhere; standard error, unbuffered.
// What a program printed before an error stands before it: writing to fd 2 pushes fd 1 out first.
// One call at a time, which is what the machine promises.
class Output {
 public:
  Output();
  bool write(int fd, const char* bytes, size_t length);
  // The same without waiting: how much of it was taken; -1 for false.
  ssize_t try_write(int fd, const char* bytes, size_t length);
  bool flush();
  // A line for standard error. What cannot be written now is written before whatever comes next.
  void log(std::string_view line);
  // The errno of the first write to fd 1 that failed, else 0: what was buffered then is lost.
  int error() const { return error_; }
  // From now on what is written is kept, until `release` writes or forgets it.
  void hold() { is_held_ = true; }
  void release(bool write);

 private:
  bool is_whole_line(const char* bytes, size_t length) const;
  ssize_t try_write_out(const char* bytes, size_t length);
  void keep(std::string& kept, const char* bytes, size_t length);
  bool write_all(int fd, const char* bytes, size_t length);
  ssize_t write_some(int fd, const char* bytes, size_t length);
  bool push(int fd, std::string& buffer);
  bool failed(int fd);

  Sink out_{1}, err_{2};
  std::string buffer_;  // Waits for fd 1.
  std::string logged_;  // Waits for fd 2.
  int error_ = 0;
  bool is_terminal_;
  bool is_held_ = false;
  std::string held_;  // Both descriptors' output in order, as it would go to standard output.
};

}  // namespace cli
