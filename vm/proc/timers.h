// Timers: a binary heap by due time, with places kept so that a cancelled one leaves at once.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "vm/proc/signal.h"
#include "vm/term/term.h"

namespace quelea {

/// 2^32 - 1 as in Erlang; larger times are timeout_value or badarg.
inline constexpr std::int64_t kMaxTimerMs = 0xffffffff;

struct Timer {
  std::uint64_t due_ns;
  std::uint64_t number;
  std::size_t place;  ///< In the heap.
  Term destination;   ///< Pid or registered name.
  Signal* message;    ///< Null: wakes the process.
};

class Timers {
 public:
  ~Timers();
  /// Wakes a process: its receive or native timed out. The timer's number, never 0.
  std::uint64_t start_wake(std::uint64_t due_ns, Term pid);
  /// Sends a message, which the timer owns until then. `number` is a reference number.
  void start_message(std::uint64_t due_ns, Term destination, Signal* message, std::uint64_t number);
  /// True: it had not fired; `due_ns` receives when it would have.
  bool cancel(std::uint64_t number, std::uint64_t* due_ns = nullptr);
  bool find(std::uint64_t number, std::uint64_t* due_ns) const;

  bool empty() const { return heap_.empty(); }
  std::uint64_t next_due_ns() const { return heap_.front()->due_ns; }
  /// The next timer that is due, or null; the caller owns it.
  std::unique_ptr<Timer> take_due(std::uint64_t now_ns);
  std::size_t size() const { return heap_.size(); }

 private:
  void insert(std::unique_ptr<Timer> timer);
  std::unique_ptr<Timer> remove(std::size_t place);
  void place(Timer* timer, std::size_t at);
  void up(std::size_t at);
  void down(std::size_t at);
  static bool before(const Timer* a, const Timer* b) {
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
  }

  std::vector<Timer*> heap_;
  std::unordered_map<std::uint64_t, Timer*> by_number_;
  /// Wake timers are numbered from the top, so that they never meet reference numbers.
  std::uint64_t next_wake_ = ~std::uint64_t{0};
};

/// What a due timer does.
void fire_timer(Vm& vm, Timer& timer);

}  // namespace quelea
