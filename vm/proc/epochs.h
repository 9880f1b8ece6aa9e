// When memory that others may still look at can be freed.
//
// The problem. A sender finds a process in the table and pushes a signal into its queue, without a
// lock and without a count. Meanwhile the process may end. Its record must outlive everybody who
// found it.
//
// The idea: quiescent states. A pointer that was found in the table is used only within the slice
// it was found in. Between slices a thread announces the epoch of the machine (`pass`); when all
// threads that take part have announced the present one, the next one may begin. What was taken out
// of the table in epoch e, and so cannot be found any more, is freed in epoch e + 2: every thread
// has been between two slices since. A thread that sleeps, or works where it holds no such pointer,
// is away and waited for by nobody.
//
// Why two. A record is retired after it left the table, with the epoch t that is read after that,
// all sequentially consistent. A thread that found it announced an epoch s before it looked, and a
// fence stands between. If t < s, the retirement came before the advance to s in the one order of
// all such operations, so before the look: then it did not find it. So s <= t; and while the thread
// stays in its slice, the machine can advance from s to s + 1, not to s + 2 > t + 1.
//
// See Fraser, "Practical lock-freedom" (2004), and Hart et al., "Performance of memory reclamation
// for lockless synchronization" (2007).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace quelea {

class Process;

/// One thread's part. Only that thread calls the functions of `Epochs` with it.
class EpochMember {
 public:
  static constexpr std::uint64_t kAway = ~std::uint64_t{0};

 private:
  friend class Epochs;
  struct Bag {
    Process* first = nullptr;  ///< Chained by `next_in_queue`.
    std::uint64_t epoch = 0;
  };

  std::atomic<std::uint64_t> announced_{kAway};
  std::array<Bag, 3> bags_;
  unsigned retired_ = 0;  ///< Since this thread last tried to advance.
};

class Epochs {
 public:
  /// `free` takes a record's memory back.
  explicit Epochs(void (*free)(Process&)) : free_(free) {}

  /// Until the machine ends; `join` makes the caller present. Any thread, one at a time.
  void add(EpochMember& member);

  void come(EpochMember& member);
  void leave(EpochMember& member);
  bool is_away(const EpochMember& member) const {
    return member.announced_.load(std::memory_order_relaxed) == EpochMember::kAway;
  }
  /// Between two slices: the thread holds nothing it found.
  void pass(EpochMember& member) {
    // Acquire: what was retired before the advance to this epoch may be freed by us.
    if (now_.load(std::memory_order_acquire) != member.announced_.load(std::memory_order_relaxed)) {
      announce(member);
    }
  }
  /// `process` cannot be found any more; its memory is freed when nobody can hold it.
  void retire(EpochMember& member, Process& process);
  /// Frees everything that was retired. No other thread takes part any more.
  void drain();

 private:
  static constexpr std::size_t kMaxMembers = 1024;
  static constexpr unsigned kRetiredPerTry = 64;

  void announce(EpochMember& member);
  void try_advance();
  void empty(EpochMember::Bag& bag);

  void (*free_)(Process&);
  std::atomic<std::uint64_t> now_{1};
  std::atomic<std::size_t> member_count_{0};
  std::array<std::atomic<EpochMember*>, kMaxMembers> members_{};
};

}  // namespace quelea
