#include "tools/quelea/host.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

namespace cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr size_t kMostHeldBytes = 1 << 20;

// What the signal handler reads. The command is the process, so this is not the library's state.
std::atomic<quelea_vm*> interruptible{nullptr};
std::atomic<int> interrupts{0};
std::atomic<int> interrupt_signal{SIGINT};

// The shell's way to say which signal ended a program.
int status_of(int signal) { return 128 + signal; }

void on_interrupt(int signal) {
  int saved = errno;
  if (interrupts.fetch_add(1) > 0) _exit(status_of(signal));
  interrupt_signal.store(signal);
  if (quelea_vm* vm = interruptible.load()) quelea_vm_interrupt(vm);
  errno = saved;
}

}  // namespace

Output::Output() : is_terminal_(isatty(1) == 1) {}

bool Output::write(int fd, const char* bytes, size_t length) {
  std::lock_guard<std::mutex> guard(lock_);
  if (is_held_) {
    held_.append(bytes, std::min(length, kMostHeldBytes - std::min(held_.size(), kMostHeldBytes)));
    return true;
  }
  if (fd != 1) return flush_locked() && write_all(fd, bytes, length);
  if (buffer_.size() + length > kBufferBytes && !flush_locked()) return false;
  if (length >= kBufferBytes) return write_all(1, bytes, length);
  buffer_.append(bytes, length);
  if (is_terminal_ && memchr(bytes, '\n', length) != nullptr) return flush_locked();
  return true;
}

bool Output::flush() {
  std::lock_guard<std::mutex> guard(lock_);
  return flush_locked();
}

int Output::error() {
  std::lock_guard<std::mutex> guard(lock_);
  return error_;
}

void Output::hold() {
  std::lock_guard<std::mutex> guard(lock_);
  is_held_ = true;
}

void Output::release(bool write) {
  std::lock_guard<std::mutex> guard(lock_);
  is_held_ = false;
  if (write && flush_locked()) write_all(1, held_.data(), held_.size());
  held_.clear();
}

bool Output::flush_locked() {
  bool ok = write_all(1, buffer_.data(), buffer_.size());
  buffer_.clear();
  return ok;
}

bool Output::write_all(int fd, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t n = ::write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {  // Somebody made the descriptor non-blocking.
      pollfd wait = {fd, POLLOUT, 0};
      poll(&wait, 1, -1);
      continue;
    }
    if (n < 0) {
      if (fd == 1 && error_ == 0) error_ = errno;
      return false;
    }
    bytes += n;
    length -= static_cast<size_t>(n);
  }
  return true;
}

Host::Host(const Options& options, const std::string& folder,
           const std::vector<std::string>& arguments)
    : log_level_(options.log_level) {
  signal(SIGPIPE, SIG_IGN);
  std::vector<const char*> paths, argv;
  if (!folder.empty()) paths.push_back(folder.c_str());
  for (const std::string& path : options.paths) paths.push_back(path.c_str());
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  quelea_config config;
  quelea_config_init(&config);
  config.user = this;
  config.write = on_write;
  config.flush = on_flush;
  config.read = on_read;
  config.log = on_log;
  config.paths = paths.data();
  config.path_count = paths.size();
  config.arguments = argv.data();
  config.argument_count = argv.size();
  config.max_memory_bytes = options.max_memory_bytes;
  config.max_processes = options.max_processes;
  config.schedulers = options.schedulers != 0 ? options.schedulers
                                              : std::max(1u, std::thread::hardware_concurrency());
  config.seed = options.seed;
  config.deterministic = options.deterministic;
  if (!options.trace_schedule.empty()) {
    trace_ = fopen(options.trace_schedule.c_str(), "we");
    if (trace_ == nullptr) {
      error_ = "cannot write " + options.trace_schedule + ": " + strerror(errno);
      return;
    }
    config.trace = on_trace;
  }
  vm_ = quelea_vm_create(&config);
}

Host::~Host() {
  interruptible.store(nullptr);
  output_.flush();
  quelea_vm_destroy(vm_);
  if (trace_ != nullptr) fclose(trace_);
}

void Host::catch_interrupts() {
  interrupts.store(0);
  interruptible.store(vm_);
  struct sigaction action = {};
  action.sa_handler = on_interrupt;  // Without SA_RESTART: a blocked read returns.
  sigaction(SIGINT, &action, nullptr);
  // Ended from outside a program stops in the same order, so that what it has printed is not lost.
  for (int signal : {SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    // Who started it with nohup means it.
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
      sigaction(signal, &action, nullptr);
    }
  }
}

int interrupted_status() { return status_of(interrupt_signal.load()); }

bool Host::on_write(void* user, int fd, const char* bytes, size_t length) {
  return static_cast<Host*>(user)->output_.write(fd, bytes, length);
}

void Host::on_flush(void* user, int) { static_cast<Host*>(user)->output_.flush(); }

ptrdiff_t Host::on_read(void* user, char* buffer, size_t capacity) {
  static_cast<Host*>(user)->output_.flush();  // A prompt is seen before its answer is awaited.
  for (;;) {
    ssize_t n = read(0, buffer, capacity);
    if (n >= 0) return n;
    if (errno != EINTR || interrupts.load() > 0) return -errno;
  }
}

void Host::on_trace(void* user, const char* line, size_t length) {
  FILE* file = static_cast<Host*>(user)->trace_;
  fwrite(line, 1, length, file);
  putc('\n', file);
}

void Host::on_log(void* user, quelea_log_level level, const char* text, size_t length) {
  static const char* const kNames[] = {"debug", "info", "warning", "error"};
  Host* host = static_cast<Host*>(user);
  if (static_cast<int>(level) < static_cast<int>(host->log_level_)) return;
  std::string line = std::string("[") + kNames[level] + "] " + std::string(text, length) + "\n";
  host->output_.write(2, line.data(), line.size());
}

}  // namespace cli
