// What a machine says through its host: standard output, standard error, the log.
//
// The problem. A destination may stop taking anything: a pipe whose reader sleeps. Who writes to it
// then has to wait, but not on a thread that runs other processes, and not on one of the few of the
// pool while others wait there, too.
//
// The idea. On a scheduler the host is asked to take what it can at once (`Host::try_write`). The
// rest stays here, an errand writes it on a thread of the pool, and the process goes on: what it
// said is under way. Whoever wants to write meanwhile waits as a process. What has to wait by
// nature (large pieces, flushing) is done by its process on the pool, one at a time. Lines of the
// log come from where nobody can wait; they are left with whoever writes.
//
// So one call of the host runs at a time, what one call of `write` says is never torn by what
// others say, and not more than one thread is ever held up.
//
// Rules. Short calls of the host hold `lock_`; one that may wait sets `busy_` and holds nothing. In
// a machine without a pool all calls are short ones.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vm/base/host.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/waiting.h"

namespace quelea {

class Output final : private Errand {
 public:
  explicit Output(Host& host) : host_(host) {}

  /// What a process says that has to say it another time: its native returns none.
  static constexpr int kLater = -1;
  /// For natives, which are called again, or on the pool: 0, an error number, or kLater.
  int write(Process& p, int fd, std::string_view bytes);
  int flush(Process& p, int fd);

  /// For the thread that called into the machine, while no process runs.
  void write(SchedulerLocal& here, int fd, std::string_view bytes);
  void flush(SchedulerLocal& here, int fd);

  /// Any thread; never waits for another call.
  void log(LogLevel level, std::string_view line);

 private:
  /// More is not kept of the log while a destination takes nothing.
  static constexpr std::size_t kMostLogBytes = std::size_t{1} << 20;
  struct Line {
    LogLevel level;
    std::string text;
  };

  int try_write(Process& p, int fd, std::string_view bytes);
  template <class Call>
  int call(Process& p, Call&& call_host);
  template <class Call>
  void call_alone(SchedulerLocal& here, Call&& call_host);
  void run(SchedulerLocal& here) override;
  std::vector<Term> release();
  void log_what_was_left(std::unique_lock<std::mutex>& hold);

  Host& host_;
  std::mutex lock_;
  // Guarded by lock_, or while it is set by who set busy_.
  bool busy_ = false;
  WaitingProcesses waiting_;
  std::condition_variable free_;
  int rest_fd_ = 0;
  std::string rest_;
  std::vector<Line> lines_;
  std::size_t line_bytes_ = 0, lost_lines_ = 0;
};

}  // namespace quelea
