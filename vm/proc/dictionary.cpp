#include "vm/proc/dictionary.h"

#include <utility>

#include "vm/term/compare.h"
#include "vm/term/hash.h"
#include "vm/term/work.h"

namespace quelea {

namespace {

/// A segment of so many places becomes two where it is full.
constexpr std::size_t kSegmentEntries = 1024;
/// Where hashes begin alike the directory would grow, and nothing else: not beyond a place for so
/// many entries.
constexpr std::size_t kEntriesAPlace = 16;

/// Puts what is not there, and may have been put since the last scan.
template <class Entries, class Places>
void put_new(Entries& entries, Places& changed, const Dictionary::Entry& entry, bool is_changed) {
  const std::size_t mask = entries.size() - 1;
  std::size_t at = entry.hash & mask;
  while (!entries[at].key.is_none()) at = (at + 1) & mask;
  entries[at] = entry;
  if (is_changed) changed.add(at);
}

}  // namespace

/// Index of the key's entry, or of the free one where it belongs. At most three quarters are full.
std::size_t Dictionary::Segment::find(Term key, std::uint64_t hash, std::size_t& work) const {
  const std::size_t mask = entries.size() - 1;
  std::size_t at = hash & mask;
  while (!entries[at].key.is_none()) {
    if (entries[at].hash == hash && exact_equal(entries[at].key, key, &work)) break;
    at = (at + 1) & mask;
    ++work;
  }
  return at;
}

void Dictionary::Segment::erase(std::size_t hole) {
  const std::size_t mask = entries.size() - 1;
  --count;
  // Entries behind the hole move up, unless that would put them before their place.
  for (std::size_t at = (hole + 1) & mask; !entries[at].key.is_none(); at = (at + 1) & mask) {
    const std::size_t home = entries[at].hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      entries[hole] = entries[at];
      if (changed.has(at)) changed.add(hole);
      hole = at;
    }
  }
  entries[hole] = {};
  changed.remove(hole);
}

Dictionary::Table::~Table() {
  for (std::size_t i = 0; i < directory.size();) {
    Segment* const segment = directory[i];
    i += span(i);
    delete segment;
  }
}

/// For one more in the segment of the hash, which is full; perhaps not enough yet.
void Dictionary::Table::make_room(std::uint64_t hash) {
  Segment& full = segment_of(hash);
  const bool widens = full.depth == depth;
  if (full.entries.size() >= kSegmentEntries && (!widens || segments() * kEntriesAPlace <= count)) {
    if (widens) widen();
    split(segment_of(hash), hash);
    return;
  }
  Entries larger(2 * full.entries.size());
  Places changed(larger.size());
  for (std::size_t i = 0; i < full.entries.size(); ++i) {
    const Entry& entry = full.entries[i];
    if (!entry.key.is_none()) put_new(larger, changed, entry, full.changed.has(i));
  }
  held_bytes += full.entries.size() * sizeof(Entry);
  full.entries = std::move(larger);
  full.changed = std::move(changed);
}

/// Twice as many places, with the same segments.
void Dictionary::Table::widen() {
  const std::size_t places = 2 * segments();
  std::vector<Segment*, MachineAllocator<Segment*>> wider(places);
  std::unique_ptr<Segment> first;
  if (directory.empty()) first = std::make_unique<Segment>();
  for (std::size_t i = 0; i < places; ++i) wider[i] = first ? first.get() : directory[i / 2];
  if (first != nullptr) {
    std::swap(*first, only);
    first.release();
    held_bytes += sizeof(Segment) + only.entries.size() * sizeof(Entry);
  }
  held_bytes += (places - directory.size()) * sizeof(Segment*);
  directory = std::move(wider);
  ++depth;
}

/// Half of its places become another segment's.
void Dictionary::Table::split(Segment& full, std::uint64_t hash) {
  auto upper = std::make_unique<Segment>();
  Entries upper_entries(full.entries.size());
  Entries lower_entries(full.entries.size());
  Places upper_changed(full.entries.size());
  Places lower_changed(full.entries.size());
  for (std::size_t i = 0; i < full.entries.size(); ++i) {
    const Entry& entry = full.entries[i];
    if (entry.key.is_none()) continue;
    const bool is_upper = (entry.hash >> (63 - full.depth) & 1) != 0;
    put_new(is_upper ? upper_entries : lower_entries, is_upper ? upper_changed : lower_changed,
            entry, full.changed.has(i));
    upper->count += is_upper;
  }
  const std::size_t half = std::size_t{1} << (depth - full.depth - 1);
  const std::size_t first = (hash >> (64 - depth)) & ~(2 * half - 1);
  held_bytes += sizeof(Segment) + upper_entries.size() * sizeof(Entry);
  full.entries = std::move(lower_entries);
  full.changed = std::move(lower_changed);
  full.count -= upper->count;
  ++full.depth;
  upper->entries = std::move(upper_entries);
  upper->depth = full.depth;
  upper->changed = std::move(upper_changed);
  std::fill_n(directory.begin() + static_cast<std::ptrdiff_t>(first + half), half, upper.release());
}

Term Dictionary::get(Term key, const AtomTable& atoms, std::size_t& work) const {
  if (size() == 0) return Term::none();
  const std::uint64_t hash = hash_term(key, atoms, &work);
  const Segment& segment = table_->segment_of(hash);
  return segment.entries[segment.find(key, hash, work)].value;
}

Term Dictionary::put(Term key, Term value, const AtomTable& atoms, std::size_t& work) {
  if (table_ == nullptr) table_ = std::make_unique<Table>();
  const std::uint64_t hash = hash_term(key, atoms, &work);
  if (gave_up(work)) return Term::none();
  while (table_->segment_of(hash).is_full()) table_->make_room(hash);
  Segment& segment = table_->segment_of(hash);
  const std::size_t place = segment.find(key, hash, work);
  if (gave_up(work)) return Term::none();
  Entry& entry = segment.entries[place];
  const Term before = entry.value;
  if (entry.key.is_none()) {
    ++segment.count;
    ++table_->count;
  }
  entry = {key, value, hash};
  if (key.is_pointer() || value.is_pointer()) {
    segment.changed.add(place);
    ++table_->put_since_scan;
  }
  return before;
}

Term Dictionary::erase(Term key, const AtomTable& atoms, std::size_t& work) {
  if (size() == 0) return Term::none();
  const std::uint64_t hash = hash_term(key, atoms, &work);
  Segment& segment = table_->segment_of(hash);
  const std::size_t found = segment.find(key, hash, work);
  const Term before = segment.entries[found].value;
  if (segment.entries[found].key.is_none() || gave_up(work)) return before;
  segment.erase(found);
  --table_->count;
  return before;
}

}  // namespace quelea
