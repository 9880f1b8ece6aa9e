// What walks over terms count, and how they give up.
//
// Comparing, hashing and looking up take as long as the terms are large, which may be a tenth of a
// second. They count the words they look at in `work`, so that callers can charge. A caller that
// can have the whole done again where it holds up nobody (the pool, vm/sched/pool.h) begins the
// count with kMayGiveUp instead of 0: then a walk that has looked at kMostWalk words, or a count
// that has reached kMostWork, sets kGaveUp. From then on walks with that count end at once, and
// what they answered means nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quelea {

inline constexpr std::size_t kMayGiveUp = std::size_t{1} << 62;
inline constexpr std::size_t kGaveUp = std::size_t{1} << 63;
inline constexpr std::size_t kMostWalk = std::size_t{1} << 17;
inline constexpr std::size_t kMostWork = std::size_t{1} << 21;

constexpr bool gave_up(std::size_t work) { return (work & kGaveUp) != 0; }
constexpr bool has_given_up(const std::size_t* work) { return work != nullptr && gave_up(*work); }
constexpr std::size_t work_done(std::size_t work) { return work & (kMayGiveUp - 1); }

/// For what cannot stop in the middle: where it is large, the count gives up if it may. True: it
/// did.
inline bool give_up_where(bool is_large, std::size_t& work) {
  if (!is_large || work < kMayGiveUp) return false;
  work |= kGaveUp;
  return true;
}

/// One walk's share of a count.
class WalkLimit {
 public:
  explicit WalkLimit(std::size_t* work) : work_(work) {
    if (work == nullptr || *work < kMayGiveUp) return;
    const std::size_t done = work_done(*work);
    most_ = gave_up(*work) || done >= kMostWork ? 0
            : kMostWork - done < kMostWalk      ? kMostWork - done
                                                : kMostWalk;
  }

  /// The words that may be looked at.
  std::size_t most() const { return most_; }
  bool allows(std::size_t words) const { return words <= most_; }
  void give_up() {
    if (work_ != nullptr) *work_ |= kGaveUp;
  }
  void add(std::size_t words) {
    if (work_ != nullptr) *work_ += words;
  }

 private:
  std::size_t* work_;
  std::size_t most_ = static_cast<std::size_t>(-1);
};

}  // namespace quelea
