// Processes that want to run: four lists, in order of arrival. `Max` goes before `High` before the
// rest; one in eight of the rest is of low priority where there are both.
#pragma once

#include "vm/proc/process.h"

namespace quelea {

class RunQueue {
 public:
  void push(Process& process) {
    List& list = lists_[static_cast<unsigned>(process.priority)];
    process.next_in_queue = nullptr;
    (list.last != nullptr ? list.last->next_in_queue : list.first) = &process;
    list.last = &process;
    ++list.size;
    ++size_;
  }

  /// The next to run, or null.
  Process* pop() {
    for (Priority priority : {Priority::Max, Priority::High}) {
      if (Process* process = take(priority)) return process;
    }
    const bool low_first = ++turn_ % 8 == 0;
    if (Process* process = take(low_first ? Priority::Low : Priority::Normal)) return process;
    return take(low_first ? Priority::Normal : Priority::Low);
  }

  std::size_t size() const { return size_; }
  std::size_t size(Priority priority) const { return lists_[static_cast<unsigned>(priority)].size; }

  /// The first of this priority, or null.
  Process* take(Priority priority) {
    List& list = lists_[static_cast<unsigned>(priority)];
    Process* process = list.first;
    if (process == nullptr) return nullptr;
    list.first = process->next_in_queue;
    if (list.first == nullptr) list.last = nullptr;
    --list.size;
    --size_;
    return process;
  }

 private:
  struct List {
    Process* first = nullptr;
    Process* last = nullptr;
    std::size_t size = 0;
  };

  List lists_[4];
  std::size_t size_ = 0;
  unsigned turn_ = 0;
};

}  // namespace quelea
