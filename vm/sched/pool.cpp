#include "vm/sched/pool.h"

#include <chrono>
#include <new>
#include <utility>

#include "vm/proc/process.h"

namespace quelea {

namespace {
constexpr std::chrono::milliseconds kPatience{100};
}  // namespace

Pool::Pool(Vm& vm, RunProcess run) : shared_(std::make_shared<Shared>(vm, run)) {}

Pool::~Pool() {
  Shared& shared = *shared_;
  std::unique_lock hold(shared.lock);
  shared.closed = true;
  shared.work.notify_all();
  unsigned away = 0;
  auto others_ended = [&] { return shared.threads == away; };
  if (!shared.ended.wait_for(hold, kPatience, others_ended)) {
    away = shared.vm.schedulers().abandon_away();
    // Who is not in a call comes to the end of a slice soon, as a rule.
    shared.ended.wait_for(hold, kPatience, others_ended);
    shared.vm.schedulers().abandon(shared.threads);
  }
  // Who did not get a turn wants to run like all others.
  while (Process* process = shared.first) {
    shared.first = process->next_in_queue;
    shared.vm.schedulers().first().queue.push(*process);
  }
  const std::vector<Errand*> errands = std::exchange(shared.errands, {});
  hold.unlock();
  for (Errand* errand : errands) errand->run(shared.vm.schedulers().first());
}

/// A thread for one more, if there are not enough. False: there is none at all.
bool Pool::start_thread_locked() {
  Shared& shared = *shared_;
  // A thread that waits may have been told of work already, and not have woken yet.
  if (shared.queued >= shared.waiting && shared.threads < kMostThreads) start_another_locked();
  return shared.threads != 0;
}

void Pool::start_another_locked() {
  Schedulers& schedulers = shared_->vm.schedulers();
  SchedulerLocal* local = schedulers.take_pool_local();
  if (local == nullptr) return;
  Thread thread;
  if (thread.start([shared = shared_, local] { serve(*shared, *local); })) {
    thread.detach();
    ++shared_->threads;
  } else {
    schedulers.return_pool_local(*local);
  }
}

bool Pool::submit(Errand& errand) {
  Shared& shared = *shared_;
  std::lock_guard hold(shared.lock);
  if (!start_thread_locked()) return false;
  try {
    shared.errands.push_back(&errand);
  } catch (const std::bad_alloc&) {
    return false;
  }
  ++shared.queued;
  shared.work.notify_one();
  return true;
}

bool Pool::submit(Process& process) {
  Shared& shared = *shared_;
  std::lock_guard hold(shared.lock);
  if (!start_thread_locked()) return false;
  process.next_in_queue = nullptr;
  (shared.first != nullptr ? shared.last->next_in_queue : shared.first) = &process;
  shared.last = &process;
  ++shared.queued;
  shared.work.notify_one();
  return true;
}

void Pool::serve(Shared& shared, SchedulerLocal& local) {
  // One slice here may take more than all that others do.
  leave_nothing_uncounted();
  shared.vm.memory().begin(local.memory);
  std::unique_lock hold(shared.lock);
  for (;;) {
    ++shared.waiting;
    shared.work.wait(hold, [&] { return shared.closed || shared.queued != 0; });
    --shared.waiting;
    if (shared.closed) break;
    --shared.queued;
    work(shared, local, hold);
  }
  shared.vm.memory().fold(local.memory);
  shared.vm.schedulers().return_pool_local(local);
  --shared.threads;
  shared.ended.notify_all();
}

/// Does one thing of what is queued.
void Pool::work(Shared& shared, SchedulerLocal& local, std::unique_lock<std::mutex>& hold) {
  Errand* errand = nullptr;
  Process* process = nullptr;
  if (!shared.errands.empty()) {
    errand = shared.errands.back();
    shared.errands.pop_back();
  } else {
    process = shared.first;
    shared.first = process->next_in_queue;
  }
  hold.unlock();
  shared.vm.epochs().come(local.epoch);
  if (errand != nullptr) {
    errand->run(local);
  } else {
    Scheduler(local, shared.run).run_slice(*process, kSliceReductions);
  }
  shared.vm.epochs().leave(local.epoch);
  hold.lock();
}

}  // namespace quelea
