#include "vm/proc/dictionary.h"

#include "vm/term/compare.h"
#include "vm/term/hash.h"

namespace quelea {

/// Index of the key's entry, or of the free one where it belongs. The table is not empty and never
/// full.
std::size_t Dictionary::find(Term key, std::uint64_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash & mask;
  while (!table_[at].key.is_none()) {
    if (table_[at].hash == hash && exact_equal(table_[at].key, key)) break;
    at = (at + 1) & mask;
  }
  return at;
}

Term Dictionary::get(Term key, const AtomTable& atoms) const {
  if (count_ == 0) return Term::none();
  return table_[find(key, hash_term(key, atoms))].value;
}

void Dictionary::grow() {
  std::vector<Entry> old(table_.empty() ? 8 : 2 * table_.size());
  old.swap(table_);
  for (const Entry& entry : old) {
    if (!entry.key.is_none()) table_[find(entry.key, entry.hash)] = entry;
  }
}

Term Dictionary::put(Term key, Term value, const AtomTable& atoms) {
  if ((count_ + 1) * 4 > table_.size() * 3) grow();
  const std::uint64_t hash = hash_term(key, atoms);
  Entry& entry = table_[find(key, hash)];
  const Term before = entry.value;
  if (entry.key.is_none()) ++count_;
  entry = {key, value, hash};
  changed_ = true;
  return before;
}

Term Dictionary::erase(Term key, const AtomTable& atoms) {
  if (count_ == 0) return Term::none();
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = find(key, hash_term(key, atoms));
  const Term before = table_[hole].value;
  if (table_[hole].key.is_none()) return before;
  --count_;
  // Entries behind the hole move up, unless that would put them before their place.
  for (std::size_t at = (hole + 1) & mask; !table_[at].key.is_none(); at = (at + 1) & mask) {
    const std::size_t home = table_[at].hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      table_[hole] = table_[at];
      hole = at;
    }
  }
  table_[hole] = {};
  return before;
}

void Dictionary::clear() {
  table_.clear();
  count_ = 0;
}

}  // namespace quelea
