#include "vm/proc/dictionary.h"

#include "vm/term/compare.h"
#include "vm/term/hash.h"
#include "vm/term/work.h"

namespace quelea {

/// Index of the key's entry, or of the free one where it belongs. The table is at most three
/// quarters full.
std::size_t Dictionary::Table::find(Term key, std::uint64_t hash, std::size_t& work) const {
  const std::size_t mask = entries.size() - 1;
  std::size_t at = hash & mask;
  while (!entries[at].key.is_none()) {
    if (entries[at].hash == hash && exact_equal(entries[at].key, key, &work)) break;
    at = (at + 1) & mask;
    ++work;
  }
  return at;
}

void Dictionary::Table::grow() {
  Entries old(2 * entries.size());
  old.swap(entries);
  const std::size_t mask = entries.size() - 1;
  for (const Entry& entry : old) {
    if (entry.key.is_none()) continue;
    std::size_t at = entry.hash & mask;
    while (!entries[at].key.is_none()) at = (at + 1) & mask;
    entries[at] = entry;
  }
}

Term Dictionary::get(Term key, const AtomTable& atoms, std::size_t& work) const {
  if (size() == 0) return Term::none();
  return table_->entries[table_->find(key, hash_term(key, atoms, &work), work)].value;
}

Term Dictionary::put(Term key, Term value, const AtomTable& atoms, std::size_t& work) {
  if (table_ == nullptr) table_ = std::make_unique<Table>();
  const std::uint64_t hash = hash_term(key, atoms, &work);
  if (table_->is_full()) table_->grow();
  Entry& entry = table_->entries[table_->find(key, hash, work)];
  if (gave_up(work)) return Term::none();
  const Term before = entry.value;
  if (entry.key.is_none()) ++table_->count;
  entry = {key, value, hash};
  table_->changed = true;
  return before;
}

Term Dictionary::erase(Term key, const AtomTable& atoms, std::size_t& work) {
  if (size() == 0) return Term::none();
  Entries& entries = table_->entries;
  const std::size_t mask = entries.size() - 1;
  std::size_t hole = table_->find(key, hash_term(key, atoms, &work), work);
  const Term before = entries[hole].value;
  if (entries[hole].key.is_none() || gave_up(work)) return before;
  --table_->count;
  // Entries behind the hole move up, unless that would put them before their place.
  for (std::size_t at = (hole + 1) & mask; !entries[at].key.is_none(); at = (at + 1) & mask) {
    const std::size_t home = entries[at].hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      entries[hole] = entries[at];
      hole = at;
    }
  }
  entries[hole] = {};
  return before;
}

void Dictionary::clear() { table_.reset(); }

}  // namespace quelea
