// What the command gives the machine: buffered output, standard input, Ctrl-C, the log.
#pragma once

#include <quelea/quelea.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tools/quelea/options.h"
#include "tools/quelea/output.h"

namespace cli {

// A machine set up by the command's options. One at a time: Ctrl-C goes to the one that lives.
class Host {
 public:
  // `folder` is searched for modules first; "" for none.
  Host(const Options& options, const std::string& folder,
       const std::vector<std::string>& arguments);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // NULL where no machine could be made.
  quelea_vm* vm() { return vm_; }
  Output& output() { return output_; }

  // From now on Ctrl-C, SIGTERM and SIGHUP interrupt the machine; a second one ends the command at
  // once.
  void catch_interrupts();

  // Where --trace-schedule names a file that cannot be written: why.
  const std::string& error() const { return error_; }

 private:
  static bool on_write(void* user, int fd, const char* bytes, size_t length);
  static ptrdiff_t on_try_write(void* user, int fd, const char* bytes, size_t length);
  static void on_flush(void* user, int fd);
  static ptrdiff_t on_read(void* user, char* buffer, size_t capacity);
  static void on_trace(void* user, const char* line, size_t length);
  static void on_log(void* user, quelea_log_level level, const char* text, size_t length);

  Output output_;
  LogLevel log_level_;
  std::string error_;
  FILE* trace_ = nullptr;
  quelea_vm* vm_ = nullptr;
};

// The exit status of a command whose machine was interrupted: 128 and the signal.
int interrupted_status();

}  // namespace cli
