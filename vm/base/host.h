// What a machine asks of the program it lives in.
//
// The machine never touches the process's streams, prints, or knows the compiler: all of it goes
// through this interface, which vm/api implements over the callbacks of the public header. The base
// class is a host without anything: output vanishes, input is empty, no module is found. Tests
// derive from it.
//
// A function may be called on any thread of the machine: those that run processes, the one that
// called into the machine among them, and those that do what blocks. The machine takes care that
//
//   - `write`, `try_write`, `flush`, `log` and `trace` are never called while another of them runs
//     (vm/proc/output.h),
//   - `read` is never called while it runs, but may run beside all others,
//
// so that what is behind them needs no lock. The others (`arguments`, `find_module`, `compile`) may
// be called by several threads at once. No function may call back into the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quelea {

enum class LogLevel { Debug, Info, Warning, Error };

/// A module's bytes as they stand in a .qb file.
struct ModuleBytes {
  std::string name;
  /// What stack traces and `Code.which` call the place it came from.
  std::string origin;
  std::vector<std::uint8_t> bytes;
};

enum class FindStatus {
  Found,
  NotFound,
  Broken,  ///< There is one, but it does not compile or cannot be read; `message` says why.
};

struct FindResult {
  FindStatus status = FindStatus::NotFound;
  /// In load order: a source file may hold several modules, the one asked for is the last.
  std::vector<ModuleBytes> modules;
  std::string message;
};

struct CompileOutcome {
  bool ok = false;
  std::vector<ModuleBytes> modules;
  /// One text each, as the command would print it.
  std::vector<std::string> errors, warnings;
};

class Host {
 public:
  virtual ~Host() = default;

  /// Standard output (1) or standard error (2). False: nothing can be written there any more, and
  /// errno may say why.
  virtual bool write(int fd, std::string_view bytes) {
    (void)fd, (void)bytes;
    return true;
  }
  /// The same without waiting: how many of the bytes were taken, negative for false.
  virtual std::ptrdiff_t try_write(int fd, std::string_view bytes) {
    return write(fd, bytes) ? static_cast<std::ptrdiff_t>(bytes.size()) : -1;
  }
  /// Pushes out what `write` may have buffered.
  virtual void flush(int fd) { (void)fd; }
  /// Reads standard input, blocking: the number of bytes, 0 at the end, a negative errno.
  virtual std::ptrdiff_t read(char* buffer, std::size_t capacity) {
    (void)buffer, (void)capacity;
    return 0;
  }
  /// The machine's own remarks, a line without its newline.
  virtual void log(LogLevel level, std::string_view line) { (void)level, (void)line; }

  /// One line for each slice that a deterministic machine runs, where `traces` says so.
  virtual void trace(std::string_view line) { (void)line; }
  virtual bool traces() const { return false; }

  /// What System.argv() gives.
  virtual std::vector<std::string> arguments() { return {}; }

  /// Looks for a module that is not loaded: the script's folder, --path, the library.
  virtual FindResult find_module(std::string_view name) {
    (void)name;
    return {};
  }
  /// The bytes of a library's module that `find_module` would give, where it is at hand: nothing is
  /// compiled, nobody is waited for. Empty: it has to be looked for. Any thread.
  virtual std::string_view module_at_hand(std::string_view name) const {
    (void)name;
    return {};
  }
  /// Whether the library has such a module, loaded or not. Any thread.
  virtual bool is_in_library(std::string_view name) const {
    (void)name;
    return false;
  }
  /// Compiles for Code.compile_string; loads nothing.
  virtual CompileOutcome compile(std::string_view source, std::string_view file) {
    (void)source, (void)file;
    return {};
  }
};

}  // namespace quelea
