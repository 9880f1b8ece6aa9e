// The process dictionary: a hash table beside the heap, whose keys and values are roots.
//
// It may hold millions of keys, and no single put may take long. So a large one is in segments of
// about a thousand entries, found by the first bits of a hash (extendible hashing: Fagin et al.,
// 1979): one that is full becomes two, and the others stay where they are. A collection of young
// objects looks at the entries that were put since the last one; when they are many, it is time for
// one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "vm/base/machine_allocator.h"
#include "vm/term/atoms.h"
#include "vm/term/term.h"

namespace quelea {

class Dictionary {
 public:
  struct Entry {
    Term key = Term::none();  ///< none: free
    Term value = Term::none();
    std::uint64_t hash = 0;
  };

  // `work` counts, and may give up (vm/term/work.h): then nothing has changed.
  /// The value or none.
  Term get(Term key, const AtomTable& atoms, std::size_t& work) const;
  /// Puts; the old value or none.
  Term put(Term key, Term value, const AtomTable& atoms, std::size_t& work);
  /// Takes out; the old value or none.
  Term erase(Term key, const AtomTable& atoms, std::size_t& work);
  std::size_t size() const { return table_ != nullptr ? table_->count : 0; }
  /// Bytes outside of this.
  std::size_t held_bytes() const { return table_ != nullptr ? table_->held_bytes : 0; }

  /// Where a walk is that goes on later; nothing may be put or taken out meanwhile.
  struct Place {
    std::size_t segment = 0;
    std::size_t entry = 0;
  };
  /// The entries in the next `most` places, free ones counted as well. True: these were the last.
  template <class Visit>
  bool visit_some(Place& at, std::size_t most, Visit&& visit) {
    if (table_ == nullptr) return true;
    for (; at.segment < table_->segments(); at = {at.segment + table_->span(at.segment), 0}) {
      Entries& entries = table_->segment(at.segment).entries;
      const std::size_t end = at.entry + std::min(most, entries.size() - at.entry);
      most -= end - at.entry;
      for (; at.entry < end; ++at.entry) {
        if (!entries[at.entry].key.is_none()) visit(entries[at.entry]);
      }
      if (at.entry < entries.size()) return false;
    }
    return true;
  }
  /// The collector's walk: over what was put since the last one, or over all. `become_old`: what it
  /// refers to is not young any more.
  template <class Visit>
  void scan(bool all, bool become_old, Visit&& visit) {
    if (table_ == nullptr) return;
    table_->put_since_scan = 0;
    for (std::size_t i = 0; i < table_->segments(); i += table_->span(i)) {
      Segment& segment = table_->segment(i);
      if (all) segment.changed.add_all();
      segment.changed.for_each([&](std::size_t place) {
        Entry& entry = segment.entries[place];
        if (!entry.key.is_none()) visit(entry);
      });
      if (become_old) segment.changed.clear();
    }
  }
  /// So many were put since the last one that the next should not wait.
  bool wants_scan() const { return table_ != nullptr && table_->put_since_scan > kMostUnscanned; }

 private:
  static constexpr std::size_t kMostUnscanned = std::size_t{1} << 15;

  using Entries = std::vector<Entry, MachineAllocator<Entry>>;

  /// A set of places in a segment.
  class Places {
   public:
    explicit Places(std::size_t entries) : bits_((entries + 63) / 64), entries_(entries) {}
    bool has(std::size_t place) const { return (bits_[place / 64] >> place % 64 & 1) != 0; }
    void add(std::size_t place) {
      bits_[place / 64] |= std::uint64_t{1} << place % 64;
      any_ = true;
    }
    void remove(std::size_t place) { bits_[place / 64] &= ~(std::uint64_t{1} << place % 64); }
    void add_all() {
      std::fill(bits_.begin(), bits_.end(), ~std::uint64_t{0});
      if (entries_ < 64) bits_[0] = (std::uint64_t{1} << entries_) - 1;
      any_ = true;
    }
    void clear() {
      if (any_) std::fill(bits_.begin(), bits_.end(), 0);
      any_ = false;
    }
    template <class Visit>
    void for_each(Visit&& visit) const {
      if (!any_) return;
      for (std::size_t i = 0; i < bits_.size(); ++i) {
        for (std::uint64_t left = bits_[i]; left != 0; left &= left - 1) {
          visit(64 * i + static_cast<std::size_t>(std::countr_zero(left)));
        }
      }
    }

   private:
    MachineVector<std::uint64_t> bits_;
    std::size_t entries_;  ///< A power of two, too.
    bool any_ = false;
  };

  /// The entries whose hashes begin with the same `depth` bits.
  struct Segment {
    static constexpr std::size_t kFirstEntries = 4;
    Entries entries = Entries(kFirstEntries);  ///< A power of two.
    Places changed = Places(kFirstEntries);    ///< Where something was put since the last scan.
    std::uint32_t count = 0;
    std::uint8_t depth = 0;

    bool is_full() const { return (count + 1) * 4 > entries.size() * 3; }
    std::size_t find(Term key, std::uint64_t hash, std::size_t& work) const;
    void erase(std::size_t hole);
  };

  struct Table {
    Table() = default;
    ~Table();
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    /// The segment, while there is one.
    Segment only;
    /// By the first `depth` bits of hashes; empty while there is only one. A segment of fewer bits
    /// stands in several places, one after the other.
    std::vector<Segment*, MachineAllocator<Segment*>> directory;
    unsigned depth = 0;
    std::size_t count = 0;
    std::size_t put_since_scan = 0;
    std::size_t held_bytes = sizeof(Table) + 4 * sizeof(Entry);

    std::size_t segments() const { return directory.empty() ? 1 : directory.size(); }
    Segment& segment(std::size_t place) { return directory.empty() ? only : *directory[place]; }
    /// In how many places it stands.
    std::size_t span(std::size_t place) { return std::size_t{1} << (depth - segment(place).depth); }
    Segment& segment_of(std::uint64_t hash) {
      return depth == 0 ? only : *directory[hash >> (64 - depth)];
    }
    void make_room(std::uint64_t hash);
    void widen();
    void split(Segment& full, std::uint64_t hash);
  };

  std::unique_ptr<Table> table_;  ///< Null: nothing was put. Few processes have one.
};

}  // namespace quelea
