#include "vm/proc/timers.h"

namespace quelea {

Timers::~Timers() {
  for (Timer* timer : heap_) {
    if (timer->message != nullptr) drop_signal(timer->message);
    delete timer;
  }
}

std::uint64_t Timers::start_wake(std::uint64_t due_ns, Term pid) {
  const std::uint64_t number = next_wake_--;
  insert(std::unique_ptr<Timer>(new Timer{due_ns, number, 0, pid, nullptr}));
  return number;
}

void Timers::start_message(std::uint64_t due_ns, Term destination, Signal* message,
                           std::uint64_t number) {
  insert(std::unique_ptr<Timer>(new Timer{due_ns, number, 0, destination, message}));
}

bool Timers::cancel(std::uint64_t number, std::uint64_t* due_ns) {
  auto found = by_number_.find(number);
  if (found == by_number_.end()) return false;
  auto timer = remove(found->second->place);
  if (due_ns != nullptr) *due_ns = timer->due_ns;
  if (timer->message != nullptr) drop_signal(timer->message);
  return true;
}

bool Timers::find(std::uint64_t number, std::uint64_t* due_ns) const {
  auto found = by_number_.find(number);
  if (found == by_number_.end()) return false;
  *due_ns = found->second->due_ns;
  return true;
}

std::unique_ptr<Timer> Timers::take_due(std::uint64_t now_ns) {
  if (heap_.empty() || heap_.front()->due_ns > now_ns) return nullptr;
  return remove(0);
}

void Timers::place(Timer* timer, std::size_t at) {
  heap_[at] = timer;
  timer->place = at;
}

void Timers::insert(std::unique_ptr<Timer> timer) {
  by_number_.emplace(timer->number, timer.get());
  heap_.push_back(timer.get());
  timer->place = heap_.size() - 1;
  up(timer.release()->place);
}

std::unique_ptr<Timer> Timers::remove(std::size_t at) {
  std::unique_ptr<Timer> timer(heap_[at]);
  by_number_.erase(timer->number);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (at < heap_.size()) {
    place(last, at);
    up(at);
    down(last->place);
  }
  return timer;
}

void Timers::up(std::size_t at) {
  Timer* timer = heap_[at];
  while (at > 0 && before(timer, heap_[(at - 1) / 2])) {
    place(heap_[(at - 1) / 2], at);
    at = (at - 1) / 2;
  }
  place(timer, at);
}

void Timers::down(std::size_t at) {
  Timer* timer = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], timer)) break;
    place(heap_[child], at);
    at = child;
  }
  place(timer, at);
}

}  // namespace quelea
