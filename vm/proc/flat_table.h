// A small table of entries by a key: what a process keeps of its links and monitors.
//
// Most processes have none or one, a supervisor has a million. An entry or a few lie in the table
// itself, up to kDense in an array that is searched from end to end, more in a hash table with
// linear probing. A table that empties gives its memory back.
//
// `Entry` is a plain structure with a member `Word key`, never 0. Entries move: a pointer to one
// holds until the next insert or erase.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "vm/base/assert.h"
#include "vm/base/memory.h"
#include "vm/term/term.h"

namespace quelea {

// Where the entries of one table are visited and those of another erased in that order, as with
// monitors and those who watch, the two must not hash alike: what is left in the second one would
// be ever closer together, and searching it would take ever longer. `kFactor` says how one hashes:
// the bits of a fraction that is far from all simple ones, so that numbers in a row are spread
// evenly.
template <class Entry, std::uint32_t kInline, Word kFactor = 0x9E3779B97F4A7C15u>
class FlatTable {
  static_assert(std::is_trivially_copyable_v<Entry>);

 public:
  FlatTable() : inline_{} {}
  ~FlatTable() { release(); }
  FlatTable(const FlatTable&) = delete;
  FlatTable& operator=(const FlatTable&) = delete;

  std::uint32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

  /// The entry of a key, or null.
  Entry* find(Word key) {
    const std::uint32_t place = place_of(key);
    return place == kNowhere ? nullptr : entries() + place;
  }

  /// The next `insert` wants no memory.
  void make_room() {
    if (is_full() && !resize(grown())) no_memory();
  }

  /// The entry of its key must not be there yet. Throws where there is no memory; nothing has
  /// changed then.
  Entry& insert(const Entry& entry) {
    make_room();
    return put(entry);
  }

  bool erase(Word key) {
    const std::uint32_t place = place_of(key);
    if (place == kNowhere) return false;
    --count_;
    if (is_hashed()) {
      close_gap(place);
    } else {
      entries()[place] = entries()[count_];
    }
    if (count_ == 0) {
      release();
    } else if (is_hashed() && count_ < capacity_ / 8) {
      // Without memory for a smaller table the large one stays.
      resize(count_ <= kDense / 2 ? kDense : capacity_ / 4);
    }
    return true;
  }

  template <class Visit>
  void for_each(Visit&& visit) {
    const std::uint32_t end = is_hashed() ? capacity_ : count_;
    for (std::uint32_t i = 0; i < end; ++i) {
      if (!is_hashed() || entries()[i].key != 0) visit(entries()[i]);
    }
  }

  /// Visits entries from `place` on, which moves behind them, as many as `budget` says, which they
  /// use up. True: there are no more. The table must not change between two calls.
  template <class Visit>
  bool visit_some(std::uint32_t& place, std::uint32_t& budget, Visit&& visit) {
    const std::uint32_t end = is_hashed() ? capacity_ : count_;
    for (; place < end && budget != 0; ++place) {
      if (is_hashed() && entries()[place].key == 0) continue;
      visit(entries()[place]);
      --budget;
    }
    return place == end;
  }

  /// Bytes outside of the table itself.
  std::size_t held_bytes() const { return capacity_ * sizeof(Entry); }

 private:
  static constexpr std::uint32_t kDense = 8;
  static constexpr std::uint32_t kFirstHashed = 32;
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

  bool is_hashed() const { return capacity_ > kDense; }
  bool is_full() const {
    if (capacity_ == 0) return count_ == kInline;
    return is_hashed() ? count_ >= capacity_ / 4 * 3 : count_ == capacity_;
  }
  std::uint32_t grown() const {
    if (capacity_ == 0) return kDense / 2;
    return capacity_ < kDense ? kDense : is_hashed() ? capacity_ * 2 : kFirstHashed;
  }
  Entry* entries() { return capacity_ == 0 ? inline_ : table_; }

  std::uint32_t home_of(Word key) const {
    const auto bits = static_cast<unsigned>(__builtin_ctz(capacity_));
    return static_cast<std::uint32_t>(key * kFactor >> (64 - bits));
  }

  std::uint32_t place_of(Word key) {
    Entry* const at = entries();
    if (!is_hashed()) {
      for (std::uint32_t i = 0; i < count_; ++i) {
        if (at[i].key == key) return i;
      }
      return kNowhere;
    }
    for (std::uint32_t i = home_of(key); at[i].key != 0; i = (i + 1) & (capacity_ - 1)) {
      if (at[i].key == key) return i;
    }
    return kNowhere;
  }

  Entry& put(const Entry& entry) {
    std::uint32_t place = count_++;
    if (is_hashed()) {
      for (place = home_of(entry.key); table_[place].key != 0;) {
        place = (place + 1) & (capacity_ - 1);
      }
    }
    return entries()[place] = entry;
  }

  /// Moves entries that were pushed past `gap` back, so that none is behind a free place.
  void close_gap(std::uint32_t gap) {
    const std::uint32_t mask = capacity_ - 1;
    for (std::uint32_t i = (gap + 1) & mask; table_[i].key != 0; i = (i + 1) & mask) {
      // It may move where its home is not between the gap and its place.
      if (((i - home_of(table_[i].key)) & mask) < ((i - gap) & mask)) continue;
      table_[gap] = table_[i];
      gap = i;
    }
    table_[gap] = Entry{};
  }

  /// False: there is no memory, and nothing has changed.
  bool resize(std::uint32_t capacity) {
    auto fresh = static_cast<Entry*>(allocate(capacity * sizeof(Entry)));
    if (fresh == nullptr) return false;
    std::uninitialized_value_construct_n(fresh, capacity);
    Entry* const before = entries();
    const std::uint32_t end = is_hashed() ? capacity_ : count_;
    Entry inlined[kInline];
    for (std::uint32_t i = 0; capacity_ == 0 && i < kInline; ++i) inlined[i] = inline_[i];
    const Entry* const from = capacity_ == 0 ? inlined : before;
    Entry* const old = capacity_ == 0 ? nullptr : before;
    table_ = fresh;
    capacity_ = capacity;
    count_ = 0;
    for (std::uint32_t i = 0; i < end; ++i) {
      if (from[i].key != 0) put(from[i]);
    }
    quelea::release(old);
    return true;
  }

  void release() {
    if (capacity_ != 0) quelea::release(table_);
    capacity_ = 0;
    count_ = 0;
  }

  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = 0;  ///< Of `table_`; 0: the entries are in `inline_`.
  union {
    Entry inline_[kInline];
    Entry* table_;
  };
};

}  // namespace quelea
