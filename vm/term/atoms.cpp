#include "vm/term/atoms.h"

#include <cstring>
#include <new>

#include "vm/base/memory.h"
#include "vm/term/hash.h"
#include "vm/term/utf8.h"

namespace quelea {

namespace {

constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3u;
  return hash_mix(hash);
}

constexpr AtomEntry make_entry(std::string_view text, const char* storage) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0u);
  }
  return {storage, static_cast<std::uint32_t>(text.size()), hash_text(text), prefix};
}

constexpr AtomEntry kWellKnown[] = {
#define ATOM(name, text) make_entry(text, text),
#include "vm/term/atoms.def"
#undef ATOM
};
constexpr std::uint32_t kWellKnownCount = atoms::kWellKnownCount;
static_assert(kWellKnownCount <= 1024, "the first segment holds the well-known atoms");

constexpr std::uint32_t kFirstSlots = 2048;

/// The lookup table of a machine that has only the well-known atoms.
struct FirstSlots {
  std::uint32_t slots[kFirstSlots] = {};
  bool duplicate = false;

  constexpr FirstSlots() {
    for (std::uint32_t i = 0; i < kWellKnownCount; ++i) {
      std::uint32_t at = static_cast<std::uint32_t>(kWellKnown[i].hash) & (kFirstSlots - 1);
      while (slots[at] != 0) {
        if (kWellKnown[slots[at] - 1].view() == kWellKnown[i].view()) duplicate = true;
        at = (at + 1) & (kFirstSlots - 1);
      }
      slots[at] = i + 1;
    }
  }
};
constexpr FirstSlots kFirst;
static_assert(!kFirst.duplicate, "atoms.def names a text twice");

}  // namespace

/// Open addressing: a slot is 0 or an index + 1.
struct AtomTable::Lookup {
  std::uint32_t mask;
  Lookup* older;
  std::atomic<std::uint32_t> slots[1];

  static std::size_t bytes_of(std::uint32_t size) {
    return sizeof(Lookup) + (size - 1) * sizeof(std::uint32_t);
  }

  static Lookup* create(std::uint32_t size, Lookup* older) {
    void* memory = allocate(bytes_of(size));
    if (memory == nullptr) no_memory();
    std::memset(memory, 0, bytes_of(size));
    Lookup* lookup = static_cast<Lookup*>(memory);
    lookup->mask = size - 1;
    lookup->older = older;
    return lookup;
  }

  void put(std::uint32_t index, std::uint64_t hash) {
    std::uint32_t at = static_cast<std::uint32_t>(hash) & mask;
    while (slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask;
    slots[at].store(index + 1, std::memory_order_release);
  }
};
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

AtomTable::AtomTable(std::uint32_t limit)
    : limit_(limit < kWellKnownCount ? kWellKnownCount : limit), size_(kWellKnownCount) {
  AtomEntry* first = static_cast<AtomEntry*>(allocate(kFirstSegment * sizeof(AtomEntry)));
  if (first == nullptr) no_memory();
  std::memcpy(static_cast<void*>(first), kWellKnown, sizeof kWellKnown);
  segments_[0].store(first, std::memory_order_release);
  Lookup* lookup = nullptr;
  try {
    lookup = Lookup::create(kFirstSlots, nullptr);
  } catch (const std::bad_alloc&) {
    release(first);
    throw;
  }
  std::memcpy(static_cast<void*>(lookup->slots), kFirst.slots, sizeof kFirst.slots);
  lookup_.store(lookup, std::memory_order_release);
  count_bytes(kFirstSegment * sizeof(AtomEntry) + Lookup::bytes_of(kFirstSlots));
}

AtomTable::~AtomTable() {
  for (std::atomic<AtomEntry*>& segment : segments_) {
    release(segment.load(std::memory_order_relaxed));
  }
  for (Lookup* lookup = lookup_.load(std::memory_order_relaxed); lookup != nullptr;) {
    Lookup* older = lookup->older;
    release(lookup);
    lookup = older;
  }
  while (chunk_ != nullptr) {
    char* older;
    std::memcpy(&older, chunk_, sizeof older);
    release(chunk_);
    chunk_ = older;
  }
}

Term AtomTable::find_in(const Lookup& lookup, std::string_view text, std::uint64_t hash) const {
  for (std::uint32_t at = static_cast<std::uint32_t>(hash) & lookup.mask;;
       at = (at + 1) & lookup.mask) {
    // Pairs with the release in `put`: the entry is complete.
    std::uint32_t slot = lookup.slots[at].load(std::memory_order_acquire);
    if (slot == 0) return Term::none();
    const AtomEntry& known = entry(slot - 1);
    if (known.hash == hash && known.view() == text) return Term::atom(slot - 1);
  }
}

Term AtomTable::find(std::string_view text) const {
  return find_in(*lookup_.load(std::memory_order_acquire), text, hash_text(text));
}

Term AtomTable::request(std::string_view text) {
  const Term known = find(text);
  return known.is_none() && !is_full() ? intern(text) : known;
}

Term AtomTable::intern(std::string_view text, AtomOf whose) {
  std::uint64_t hash = hash_text(text);
  Term known = find_in(*lookup_.load(std::memory_order_acquire), text, hash);
  if (!known.is_none()) return known;
  if (text.size() > 4 * kMaxAtomCharacters || !utf8_valid(text) ||
      utf8_length(text) > kMaxAtomCharacters) {
    return Term::none();
  }
  std::lock_guard<std::mutex> lock(mutex_);
  known = find_in(*lookup_.load(std::memory_order_relaxed), text, hash);
  if (!known.is_none()) return known;
  std::uint32_t index = size_.load(std::memory_order_relaxed);
  if (index >= limit_ + (whose == AtomOf::Machine ? kAtomsForMachine : 0)) return Term::none();
  unsigned k = index < kFirstSegment ? 0 : 22u - static_cast<unsigned>(__builtin_clz(index));
  std::uint32_t first = k == 0 ? 0 : kFirstSegment << (k - 1);
  AtomEntry* segment = segments_[k].load(std::memory_order_relaxed);
  if (segment == nullptr) {
    segment = static_cast<AtomEntry*>(allocate(std::size_t{first} * sizeof(AtomEntry)));
    if (segment == nullptr) no_memory();
    segments_[k].store(segment, std::memory_order_release);
    count_bytes(std::size_t{first} * sizeof(AtomEntry));
  }
  // Room first: where there is none, nothing has changed.
  const char* stored = store_text_locked(text);
  Lookup& lookup = lookup_for_locked(index);
  new (&segment[index - first]) AtomEntry(make_entry(text, stored));
  size_.store(index + 1, std::memory_order_release);
  lookup.put(index, hash);
  return Term::atom(index);
}

/// A table that has room for the atom of this index.
AtomTable::Lookup& AtomTable::lookup_for_locked(std::uint32_t index) {
  Lookup* lookup = lookup_.load(std::memory_order_relaxed);
  if (index + 1 <= (lookup->mask + 1) / 2) return *lookup;
  // Readers may still search the old table: it stays, and all of them together are as large as the
  // newest.
  Lookup* larger = Lookup::create((lookup->mask + 1) * 2, lookup);
  for (std::uint32_t i = 0; i < index; ++i) larger->put(i, entry(i).hash);
  lookup_.store(larger, std::memory_order_release);
  count_bytes(Lookup::bytes_of(larger->mask + 1));
  return *larger;
}

const char* AtomTable::store_text_locked(std::string_view text) {
  constexpr std::size_t kChunkBytes = 16 * 1024;
  if (chunk_ == nullptr || chunk_used_ + text.size() > chunk_capacity_) {
    char* fresh = static_cast<char*>(allocate(kChunkBytes));
    if (fresh == nullptr) no_memory();
    std::memcpy(fresh, &chunk_, sizeof chunk_);
    chunk_ = fresh;
    chunk_used_ = sizeof chunk_;
    chunk_capacity_ = kChunkBytes;
    count_bytes(kChunkBytes);
  }
  char* result = chunk_ + chunk_used_;
  std::memcpy(result, text.data(), text.size());
  chunk_used_ += text.size();
  return result;
}

int AtomTable::compare(Term a, Term b) const {
  if (a == b) return 0;
  const AtomEntry& x = entry(a.atom_index());
  const AtomEntry& y = entry(b.atom_index());
  if (x.prefix != y.prefix) return x.prefix < y.prefix ? -1 : 1;
  std::size_t shared = x.bytes < y.bytes ? x.bytes : y.bytes;
  int order = std::memcmp(x.text, y.text, shared);
  if (order != 0) return order;
  return x.bytes < y.bytes ? -1 : 1;
}

}  // namespace quelea
