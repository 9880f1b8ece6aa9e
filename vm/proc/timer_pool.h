// The memory of a wheel's timers, and the numbers they are known by.
//
// A timer's number is a place, not a key to look up: which wheel, which slot of its pool, and how
// often that slot had been used before. So finding a timer is two loads, and no table has to grow.
//
//   | 1 | wheel: 9 | generation: 28 | slot: 26 |
//
// The top bit tells it from the numbers of other references, which count up from 1. No number is
// given twice: a slot that has used up its generations is never used again. Slots come in slabs of
// 256; a slab whose timers have all ended goes back to the system, and remembers only how far its
// generations came. Within a slab the slots take turns, so that they come about equally far.
//
// All of it is guarded by the lock of the wheel.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/proc/signal.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr unsigned kTimerSlotBits = 26;
inline constexpr unsigned kTimerGenerationBits = 28;
inline constexpr unsigned kTimerWheelBits = 9;
static_assert(1 + kTimerWheelBits + kTimerGenerationBits + kTimerSlotBits == 64);

/// A cache line of its own.
struct alignas(64) Timer {
  Word number;  ///< Of its last use, where the slot is free; 0 where there was none.
  std::uint64_t due_ns;
  Term destination;  ///< Pid or registered name.
  Signal* message;   ///< Null: wakes the process.
  Timer* next;       ///< In its list.
  Timer* previous;
  std::uint32_t place;  ///< The list of the wheel it is in, or this:
  static constexpr std::uint32_t kReserved = ~std::uint32_t{0};  ///< It does not run yet.
};
static_assert(sizeof(Timer) == 64);

class TimerPool {
 public:
  /// `generations`: how often a slot is used.
  TimerPool(unsigned wheel, std::uint32_t generations);
  ~TimerPool();
  TimerPool(const TimerPool&) = delete;
  TimerPool& operator=(const TimerPool&) = delete;

  /// A reserved timer; null where there is no memory or no slot left.
  Timer* take();
  void give_back(Timer* timer);
  /// The timer of a number that was given out and did not end.
  Timer* at(Word number) const {
    const std::uint32_t slot = slot_of(number);
    return &slabs_[slot >> kSlabBits].timers[slot & (kSlabTimers - 1)];
  }
  /// The running timer of what may be a number, or null.
  Timer* find(Word number) const;

  /// Goes on to the next place, around and around: the running timer there, or null.
  Timer* look_on();

  std::size_t bytes() const { return slabs_in_use_ * kSlabBytes; }
  template <class Visit>
  void for_each_running(Visit&& visit) {
    for (Slab& slab : slabs_) {
      for (std::uint32_t i = 0; slab.timers != nullptr && i < kSlabTimers; ++i) {
        if (slab.is_running(i)) visit(slab.timers[i]);
      }
    }
  }

  static constexpr std::uint32_t kGenerations = (std::uint32_t{1} << kTimerGenerationBits) - 1;
  static constexpr bool is_number(Word number) { return number >> 63 != 0; }
  static constexpr unsigned wheel_of(Word number) {
    return static_cast<unsigned>(number >> (kTimerGenerationBits + kTimerSlotBits)) &
           ((1u << kTimerWheelBits) - 1);
  }

 private:
  static constexpr unsigned kSlabBits = 8;
  static constexpr std::uint32_t kSlabTimers = 1u << kSlabBits;
  static constexpr std::uint32_t kSlabWords = kSlabTimers / 64;
  static constexpr std::size_t kSlabBytes = kSlabTimers * sizeof(Timer);
  static constexpr std::size_t kMaxSlabs = std::size_t{1} << (kTimerSlotBits - kSlabBits);
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Slab {
    Timer* timers = nullptr;  ///< Null: its memory went back.
    std::uint64_t free[kSlabWords] = {};
    std::uint32_t generation = 0;  ///< Of slots that were not used yet.
    std::uint16_t free_count = 0;
    std::uint16_t turn = 0;      ///< The slot to look at first.
    std::uint32_t next = kNone;  ///< Among those with room, or those without memory.
    std::uint32_t previous = kNone;

    bool is_free(std::uint32_t i) const { return (free[i / 64] >> i % 64 & 1) != 0; }
    bool is_running(std::uint32_t i) const {
      return !is_free(i) && timers[i].place != Timer::kReserved;
    }
    std::uint32_t take_free();
  };

  static constexpr std::uint32_t slot_of(Word number) {
    return static_cast<std::uint32_t>(number) & ((1u << kTimerSlotBits) - 1);
  }
  static constexpr std::uint32_t generation_of(Word number) {
    return static_cast<std::uint32_t>(number >> kTimerSlotBits) &
           ((1u << kTimerGenerationBits) - 1);
  }
  std::uint32_t new_slab();
  bool new_vacant_slab();
  void release(std::uint32_t index);
  void link_last(std::uint32_t index);
  void unlink(std::uint32_t index);

  const Word number_base_;
  const std::uint32_t generations_;
  std::vector<Slab> slabs_;
  std::uint32_t first_ = kNone, last_ = kNone;  ///< Slabs with room; the first is used.
  std::uint32_t vacant_ = kNone;                ///< Slabs whose memory went back.
  std::size_t slabs_in_use_ = 0;
  std::uint32_t looked_at_ = 0;  ///< The slot that `look_on` comes to.
};

}  // namespace quelea
