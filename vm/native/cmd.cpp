// Running other programs.
//
// A program runs beside the machine: the native starts it, moves what is there to move through its
// pipes and comes back later (`again_when_woken`), so that other processes go on. All of that is
// the native's state; when the caller dies in the meantime, the state's destructor kills and reaps
// the program.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "vm/native/posix.h"
#include "vm/proc/output.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kPipeBytes = 64 * 1024;
constexpr std::size_t kMaxOutputBytes = std::size_t{1} << 32;
constexpr std::int64_t kFirstWaitMs = 1;
constexpr std::int64_t kLongestWaitMs = 20;

enum class Stream { Capture, Inherit, ToStdout };

struct CmdOptions {
  MachineString input;
  bool inherit_input = false;
  std::string cwd;
  std::vector<std::pair<std::string, std::string>> environment;
  std::int64_t timeout_ms = -1;
  Stream out = Stream::Capture;
  Stream error = Stream::Capture;
};

/// A program that runs, and what is on its way to and from it.
struct Child : NativeState {
  ~Child() override {
    if (pid > 0) {
      kill(pid, SIGKILL);
      retry([&] { return waitpid(pid, nullptr, 0); });
    }
  }
  pid_t pid = -1;
  int status = 0;
  bool exited = false;
  Descriptor to_stdin, from_stdout, from_stderr;
  MachineString input, output, error_output;
  std::size_t input_at = 0;
  std::uint64_t deadline_ns = 0;  ///< 0: none
  std::int64_t wait_ms = kFirstWaitMs;
};

bool read_environment(Process& p, Term changes, CmdOptions& options) {
  if (!is_map(changes)) return false;
  options.environment = environment_of(p.vm());
  MapIterator entries(changes);
  Term key;
  Term value;
  while (entries.next(key, value)) {
    Path name;
    Path text;
    if (!name.get(key) || name.text().empty() || name.text().find('=') != std::string::npos) {
      return false;
    }
    std::erase_if(options.environment, [&](const auto& pair) { return pair.first == name.text(); });
    if (value == atoms::nil) continue;
    if (!text.get(value)) return false;
    options.environment.emplace_back(name.text(), text.text());
  }
  return true;
}

bool read_option(Process& p, std::string_view name, Term value, CmdOptions& options) {
  if (name == "stdin") {
    options.inherit_input = is_atom_named(p, value, "inherit");
    return options.inherit_input || append_iodata(p, value, options.input);
  }
  if (name == "cwd") {
    Path path;
    if (!path.get(value) || path.text().empty()) return false;
    options.cwd = path.text();
    return true;
  }
  if (name == "env") return read_environment(p, value, options);
  if (name == "timeout") {
    if (value == atoms::infinity) return true;
    return get_count(value, options.timeout_ms) && options.timeout_ms >= 0;
  }
  if (name != "stdout" && name != "stderr") return false;
  Stream& stream = name == "stdout" ? options.out : options.error;
  if (is_atom_named(p, value, "capture")) {
    stream = Stream::Capture;
  } else if (is_atom_named(p, value, "inherit")) {
    stream = Stream::Inherit;
  } else if (name == "stderr" && is_atom_named(p, value, "stdout")) {
    stream = Stream::ToStdout;
  } else {
    return false;
  }
  return true;
}

bool read_options(Process& p, Term map, CmdOptions& options) {
  if (!is_map(map)) return false;
  options.environment = environment_of(p.vm());
  MapIterator entries(map);
  Term key;
  Term value;
  while (entries.next(key, value)) {
    if (!key.is_atom() || !read_option(p, text_of(p, key), value, options)) return false;
  }
  return true;
}

bool read_arguments(Term list, std::vector<std::string>& out) {
  for (; list.is_cons(); list = list.tail()) {
    Path argument;
    if (!argument.get(list.head())) return false;
    out.push_back(argument.text());
  }
  return list.is_nil_list();
}

/// A pipe whose `ours` end never blocks. 0 or the error number.
int make_pipe(Descriptor& ours, Descriptor& theirs, bool we_read) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  ours.reset(ends[we_read ? 0 : 1]);
  theirs.reset(ends[we_read ? 1 : 0]);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return 0;
}

/// The child's ends of the pipes; closed here once it has them.
struct ChildEnds {
  Descriptor in, out, error;
};

int make_pipes(const CmdOptions& options, Child& child, ChildEnds& ends) {
  int error = 0;
  if (!options.inherit_input) {
    if (options.input.empty()) {
      ends.in.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!ends.in.is_open()) return errno;
    } else {
      error = make_pipe(child.to_stdin, ends.in, false);
    }
  }
  if (error == 0 && options.out == Stream::Capture) {
    error = make_pipe(child.from_stdout, ends.out, true);
  }
  if (error == 0 && options.error == Stream::Capture) {
    error = make_pipe(child.from_stderr, ends.error, true);
  }
  return error;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int spawn_child(const std::string& program, std::vector<std::string>& arguments,
                const CmdOptions& options, Child& child) {
  ChildEnds ends;
  if (int error = make_pipes(options, child, ends); error != 0) return error;
  std::vector<std::string> environment;
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Moving a descriptor onto its own number would leave close-on-exec set; dup2 clears it
  // otherwise.
  auto give = [&](const Descriptor& from, int to) {
    if (from.is_open()) posix_spawn_file_actions_adddup2(&actions, from.get(), to);
  };
  give(ends.in, 0);
  give(ends.out, 1);
  give(ends.error, 2);
  if (options.error == Stream::ToStdout) posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (!options.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.cwd.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The program starts with a clean signal mask and the default for what the host may ignore.
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawn(&child.pid, program.c_str(), &actions, &attributes,
                                pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) child.pid = -1;
  return error;
}

/// Writes to a pipe; a reader that is gone gives EPIPE and never a signal.
ssize_t write_quietly(int fd, std::string_view bytes) {
  sigset_t pipe_signal;
  sigset_t before;
  sigset_t pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t written = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
  const int error = errno;
  if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
    const timespec now{0, 0};
    retry([&] { return sigtimedwait(&pipe_signal, nullptr, &now); });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

/// Feeds the program; true when something moved.
bool feed(Child& child) {
  if (!child.to_stdin.is_open()) return false;
  const std::string_view rest = std::string_view(child.input).substr(child.input_at);
  const ssize_t written = write_quietly(child.to_stdin.get(), rest.substr(0, kPipeBytes));
  if (written < 0 && errno == EAGAIN) return false;
  if (written > 0) child.input_at += static_cast<std::size_t>(written);
  if (written < 0 || child.input_at == child.input.size()) child.to_stdin.reset(-1);
  return true;
}

/// Takes what the program wrote; true when something moved.
bool drain(Descriptor& from, MachineString& out) {
  if (!from.is_open()) return false;
  char buffer[kPipeBytes];
  const ssize_t got = retry([&] { return ::read(from.get(), buffer, sizeof buffer); });
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) {
    from.reset(-1);
  } else if (out.size() < kMaxOutputBytes) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return true;
}

void reap(Child& child) {
  if (child.exited || child.to_stdin.is_open() || child.from_stdout.is_open() ||
      child.from_stderr.is_open()) {
    return;
  }
  int status = 0;
  const pid_t done = retry([&] { return waitpid(child.pid, &status, WNOHANG); });
  if (done == 0) return;
  child.exited = true;
  child.pid = -1;
  // A host that ignores SIGCHLD has reaped it already: nobody knows how it ended.
  child.status = done < 0              ? 255
                 : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                       : WEXITSTATUS(status);
}

/// Waits a moment for the pipes, so that a program that answers at once is not kept waiting for a
/// timer.
void wait_briefly(const Child& child) {
  pollfd fds[3];
  nfds_t count = 0;
  if (child.to_stdin.is_open()) fds[count++] = {child.to_stdin.get(), POLLOUT, 0};
  if (child.from_stdout.is_open()) fds[count++] = {child.from_stdout.get(), POLLIN, 0};
  if (child.from_stderr.is_open()) fds[count++] = {child.from_stderr.get(), POLLIN, 0};
  poll(fds, count, 1);
}

Term result_of(Process& p, const Child& child) {
  charge_bytes(p, child.output.size() + child.error_output.size());
  const Term output = text_term(p, child.output);
  const Term errors = text_term(p, child.error_output);
  if (output.is_none() || errors.is_none()) return Term::none();
  return ok_tuple(
      p, MapOf(p).put("status", child.status).put("stdout", output).put("stderr", errors).finish());
}

/// What is to be moved now; `none` without a wait when the program is not done.
Term attend_now(Process& p, Child& child) {
  bool moved = true;
  for (int round = 0; moved && round < 64; ++round) {
    moved = feed(child);
    moved |= drain(child.from_stdout, child.output);
    moved |= drain(child.from_stderr, child.error_output);
    if (!moved && round == 0) {
      wait_briefly(child);
      moved = true;
    }
    reap(child);
    if (child.exited) {
      Term result = result_of(p, child);
      drop_native_state(p);
      return result;
    }
    if (moved) child.wait_ms = kFirstWaitMs;
  }
  if (child.deadline_ns != 0 && Vm::real_monotonic_ns() >= child.deadline_ns) {
    drop_native_state(p);
    return error_tuple(p, atoms::timeout);
  }
  return Term::none();
}

Term attend(Process& p, Child& child) {
  for (;;) {
    const Term result = attend_now(p, child);
    if (!result.is_none() || p.pending == Process::Pending::Exception) return result;
    const std::int64_t wait_ms = child.wait_ms;
    child.wait_ms = std::min(2 * wait_ms, kLongestWaitMs);
    if (p.vm().determinism() == nullptr || p.vm().stopping()) return p.again_when_woken(wait_ms);
    // How long a program runs must not decide who runs meanwhile: a deterministic machine waits for
    // it as a whole, in no time of its own.
    poll(nullptr, 0, static_cast<int>(wait_ms));
  }
}

}  // namespace

std::string find_program(Vm& vm, const std::string& program) {
  auto is_program = [](const std::string& path) {
    struct stat info;
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           access(path.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string::npos) return is_program(program) ? program : "";
  std::string path;
  if (program.empty() || !environment_get(vm, "PATH", path)) return "";
  for (std::size_t at = 0; at <= path.size();) {
    std::size_t end = path.find(':', at);
    if (end == std::string::npos) end = path.size();
    const std::string directory = path.substr(at, end - at);
    const std::string full = (directory.empty() ? "." : directory) + "/" + program;
    if (is_program(full)) return full;
    at = end + 1;
  }
  return "";
}

Term prim_cmd_find(Process& p, Args args) {
  Path program;
  if (!program.get(args[0])) return badarg(p);
  const std::string found = find_program(p.vm(), program.text());
  return found.empty() ? atoms::nil : text_term(p, found);
}

Term prim_cmd_run(Process& p, Args args) {
  if (auto* child = native_state<Child>(p)) return attend(p, *child);
  Path program;
  std::vector<std::string> arguments;
  CmdOptions options;
  if (!program.get(args[0]) || !read_options(p, args[2], options)) return badarg(p);
  arguments.push_back(program.text());
  if (!read_arguments(args[1], arguments)) return badarg(p);
  std::string path = find_program(p.vm(), program.text());
  if (path.empty()) {
    // A file that is there but cannot be run says why.
    if (program.text().find('/') == std::string::npos) return posix_error(p, ENOENT);
    path = program.text();
  }
  auto child = std::make_unique<Child>();
  for (int fd : {1, 2}) {
    if (p.vm().output().flush(p, fd) == Output::kLater) return Term::none();
  }
  if (int error = spawn_child(path, arguments, options, *child); error != 0) {
    return posix_error(p, error);
  }
  if (options.timeout_ms >= 0 && options.timeout_ms < 1'000'000'000'000) {
    child->deadline_ns =
        Vm::real_monotonic_ns() + static_cast<std::uint64_t>(options.timeout_ms) * 1'000'000 + 1;
  }
  child->input = std::move(options.input);
  Child& running = *child;
  p.native_state = child.release();
  return attend(p, running);
}

}  // namespace quelea
