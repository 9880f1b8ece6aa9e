// What natives share that talk to the operating system.
#pragma once

#include <cerrno>
#include <string>

#include "vm/native/support.h"

namespace quelea {

/// The posix atom of an error number: `:enoent`.
Term posix_atom(Process& p, int error);
/// `(:error, :enoent)`
inline Term posix_error(Process& p, int error) { return error_tuple(p, posix_atom(p, error)); }
/// `:ok`, or the error where a call returned -1.
inline Term ok_or_errno(Process& p, long result) {
  return result == -1 ? posix_error(p, errno) : atoms::ok;
}

/// A path argument: a binary without NUL.
class Path {
 public:
  bool get(Term term) {
    Bytes bytes;
    if (!bytes.get(term) || bytes.text().find('\0') != std::string_view::npos) return false;
    text_ = bytes.text();
    return true;
  }
  const char* c_str() const { return text_.c_str(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A buffer to read into, which a binary may become; null where the machine has no room for it.
inline SharedBytes* read_buffer(Process& p, std::size_t bytes) {
  return p.vm().binaries().has_room(bytes) ? SharedBytes::create(bytes) : nullptr;
}

/// What was read into such a buffer, which it takes over. Never none: what was read would be lost.
Term binary_of_read(Process& p, SharedBytes* buffer, std::size_t size);

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call&& call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

/// Writes everything; 0 or the error number. `bytes` may be split over many system calls.
int write_all(int fd, std::string_view bytes);

/// A file descriptor that is closed with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(-1); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd);

 private:
  int fd_;
};

/// Makes a map from pairs of an atom's text and a term.
class MapOf {
 public:
  explicit MapOf(Process& p) : p_(p) {}
  MapOf& put(std::string_view key, Term value) {
    pairs_.push_back(atom_of(p_, key));
    pairs_.push_back(value);
    return *this;
  }
  MapOf& put(std::string_view key, std::int64_t value);
  Term finish() { return map_from_pairs(p_, pairs_.data(), pairs_.size() / 2, atoms_of(p_)); }

 private:
  Process& p_;
  std::vector<Term> pairs_;
};

/// The environment that programs of this machine see: the host's, with changes on top (system.cpp).
std::vector<std::pair<std::string, std::string>> environment_of(Vm& vm);
/// A variable's value; false where it is not set.
bool environment_get(Vm& vm, const std::string& name, std::string& value);
/// The path of an executable: `program` itself where it has a slash, else searched in PATH. Empty
/// where there is none.
std::string find_program(Vm& vm, const std::string& program);

}  // namespace quelea
