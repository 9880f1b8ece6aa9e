// What the machine itself has to do where it may wait: on a thread of the pool (vm/sched/pool.h).
#pragma once

namespace quelea {

struct SchedulerLocal;

/// One call at a time, but where it says otherwise.
class Errand {
 public:
  /// `here`: the thread's that does it.
  virtual void run(SchedulerLocal& here) = 0;

 protected:
  ~Errand() = default;
};

/// Where errands are done.
class ErrandRunner {
 public:
  /// Any thread. False: there is no thread for it.
  virtual bool submit(Errand& errand) = 0;

 protected:
  ~ErrandRunner() = default;
};

}  // namespace quelea
