// Atoms: names that compare by identity.
//
// An atom term holds an index in the table of its virtual machine. Entries live in segments that
// double in size and never move, so reading an entry takes no lock and no reference count: whoever
// holds an atom term got it after the entry was complete. Only insertion takes the lock; looking up
// a text that is already there does not. The well-known atoms (atoms.def) have the same index in
// every machine; their entries and their places in the lookup table are computed at compile time,
// so that making a table is two copies of static data.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "vm/base/memory.h"
#include "vm/term/term.h"

namespace quelea {

/// The atoms that the machine itself names: `atoms::ok`.
namespace atoms {
enum Index : std::uint32_t {
#define ATOM(name, text) kIndex_##name,
#include "vm/term/atoms.def"
#undef ATOM
  kWellKnownCount
};
#define ATOM(name, text) inline constexpr Term name = Term::atom(kIndex_##name);
#include "vm/term/atoms.def"
#undef ATOM
}  // namespace atoms

inline constexpr std::size_t kMaxAtomCharacters = 255;
inline constexpr std::uint32_t kDefaultAtomLimit = 1u << 20;
/// What the machine may name beyond the limit: errors of the system, items of statistics, the
/// library's functions. So a program that fills the table does not take their names away.
inline constexpr std::uint32_t kAtomsForMachine = 1u << 14;

/// Whose name it is decides where the table ends.
enum class AtomOf { Code, Machine };

constexpr Term make_bool(bool value) { return value ? atoms::true_ : atoms::false_; }
constexpr bool is_bool(Term term) { return (term.bits | 8) == atoms::true_.bits; }
static_assert(atoms::false_.bits == 4 && atoms::true_.bits == 12);

/// What the table knows of one atom.
struct AtomEntry {
  const char* text = nullptr;
  std::uint32_t bytes = 0;
  std::uint64_t hash = 0;
  /// The first eight bytes of the text, big-endian and zero padded: orders most pairs of atoms.
  std::uint64_t prefix = 0;

  std::string_view view() const { return {text, bytes}; }
};

class AtomTable {
 public:
  explicit AtomTable(std::uint32_t limit = kDefaultAtomLimit);
  ~AtomTable();
  AtomTable(const AtomTable&) = delete;
  AtomTable& operator=(const AtomTable&) = delete;

  /// For `request`.
  void watch(const MemoryLevel& level) { level_ = level; }
  /// The atom of a text; `none` when the text is no valid UTF-8, has more than 255 code points, or
  /// the table is full. Names of the machine are its own words alone, never a program's: so there
  /// is always room for them.
  Term intern(std::string_view text, AtomOf whose = AtomOf::Code);
  /// The same for a program that makes atoms as it runs, any number of them: also `none` where the
  /// machine has no room for what can be refused.
  Term request(std::string_view text);
  /// Whether `request` makes no more.
  bool is_full() const { return size() >= limit_ || level_.is_tight(); }
  /// The atom of a text if there is one already, else `none`.
  Term find(std::string_view text) const;

  std::string_view text(Term atom) const { return entry(atom.atom_index()).view(); }
  /// A hash of the text: the same in every machine.
  std::uint64_t hash(Term atom) const { return entry(atom.atom_index()).hash; }
  /// Order of the texts by code point: negative, zero, positive.
  int compare(Term a, Term b) const;

  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  std::uint32_t limit() const { return limit_; }
  /// What all of it takes.
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// False for an index that no atom of this table has (a corrupt file's).
  bool contains(Term atom) const { return atom.is_atom() && atom.atom_index() < size(); }

  const AtomEntry& entry(std::uint32_t index) const {
    // Segment 0 holds the indices below 1024, segment k > 0 those from 2^(k+9) to 2^(k+10) - 1.
    unsigned k = index < kFirstSegment ? 0 : 22u - static_cast<unsigned>(__builtin_clz(index));
    std::uint32_t offset = index < kFirstSegment ? index : index - (kFirstSegment << (k - 1));
    return segments_[k].load(std::memory_order_acquire)[offset];
  }

 private:
  struct Lookup;
  static constexpr std::uint32_t kFirstSegment = 1024;
  static constexpr unsigned kSegments = 23;

  Term find_in(const Lookup& lookup, std::string_view text, std::uint64_t hash) const;
  Lookup& lookup_for_locked(std::uint32_t index);
  void count_bytes(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  const char* store_text_locked(std::string_view text);

  std::uint32_t limit_;
  MemoryLevel level_;
  std::atomic<std::uint32_t> size_;
  std::atomic<std::size_t> bytes_{0};
  /// Published with release after the segment is allocated; pairs with the acquire in `entry`.
  std::array<std::atomic<AtomEntry*>, kSegments> segments_{};
  /// The newest lookup table; older ones stay until the end, for readers that still look at them.
  std::atomic<Lookup*> lookup_;
  std::mutex mutex_;
  char* chunk_ = nullptr;       // guarded by mutex_: text storage, chained through its first word
  std::size_t chunk_used_ = 0;  // guarded by mutex_
  std::size_t chunk_capacity_ = 0;  // guarded by mutex_
};

}  // namespace quelea
