#include "tools/golden/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

namespace golden {
namespace {

constexpr size_t kMaxOutput = 4 << 20;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
};

[[noreturn]] void exec_child(const std::vector<std::string>& command, const std::string& directory,
                             Pipe& in, Pipe& out, Pipe& err) {
  dup2(in.read_end, 0);
  dup2(out.write_end, 1);
  dup2(err.write_end, 2);
  setpgid(0, 0);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

void take(int& fd, std::string& text) {
  char buffer[65536];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) {
    if (text.size() < kMaxOutput) text.append(buffer, static_cast<size_t>(n));
  } else {
    Pipe::close_end(fd);
  }
}

void give(int& fd, const std::string& input, size_t& given) {
  ssize_t n = write(fd, input.data() + given, input.size() - given);
  if (n > 0) given += static_cast<size_t>(n);
  if (n < 0 || given == input.size()) Pipe::close_end(fd);
}

}  // namespace

Outcome run(const std::vector<std::string>& command, const std::string& directory,
            const std::string& input, double timeout_seconds) {
  Outcome outcome;
  Pipe in, out, err;
  if (!in.open() || !out.open() || !err.open()) return outcome;
  auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  pid_t child = fork();
  if (child < 0) return outcome;
  if (child == 0) exec_child(command, directory, in, out, err);
  Pipe::close_end(in.read_end);
  Pipe::close_end(out.write_end);
  Pipe::close_end(err.write_end);
  size_t given = 0;
  if (input.empty()) Pipe::close_end(in.write_end);
  while (out.read_end >= 0 || err.read_end >= 0) {
    pollfd fds[3] = {
        {out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {in.write_end, POLLOUT, 0}};
    int left_ms = static_cast<int>((timeout_seconds - elapsed()) * 1000);
    if (left_ms <= 0 || poll(fds, 3, left_ms) == 0) {
      outcome.timed_out = true;
      kill(-child, SIGKILL);
      break;
    }
    if (fds[0].revents) take(out.read_end, outcome.out);
    if (fds[1].revents) take(err.read_end, outcome.err);
    if (fds[2].revents) give(in.write_end, input, given);
  }
  int status = 0;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);  // What the script left behind must not outlive it.
  outcome.seconds = elapsed();
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

}  // namespace golden
