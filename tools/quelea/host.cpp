#include "tools/quelea/host.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

namespace cli {
namespace {

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
  interrupt_waiting();
  if (quelea_vm* vm = interruptible.load()) quelea_vm_interrupt(vm);
  errno = saved;
}

}  // namespace

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
  config.try_write = on_try_write;
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
  allow_waiting();
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

ptrdiff_t Host::on_try_write(void* user, int fd, const char* bytes, size_t length) {
  return static_cast<Host*>(user)->output_.try_write(fd, bytes, length);
}

void Host::on_flush(void* user, int) { static_cast<Host*>(user)->output_.flush(); }

ptrdiff_t Host::on_read(void*, char* buffer, size_t capacity) {
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
  host->output_.log(line);
}

}  // namespace cli
