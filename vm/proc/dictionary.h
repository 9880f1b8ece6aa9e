// The process dictionary: a hash table beside the heap, whose keys and values are roots.
#pragma once

#include <cstdint>
#include <vector>

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

  /// The value or none.
  Term get(Term key, const AtomTable& atoms) const;
  /// Puts; the old value or none.
  Term put(Term key, Term value, const AtomTable& atoms);
  /// Takes out; the old value or none.
  Term erase(Term key, const AtomTable& atoms);
  void clear();
  std::size_t size() const { return count_; }
  std::size_t held_bytes() const { return table_.capacity() * sizeof(Entry); }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (Entry& entry : table_) {
      if (!entry.key.is_none()) visit(entry);
    }
  }
  /// Whether something was put since `scanned` was called: the collector's question.
  bool changed() const { return changed_; }
  void scanned() { changed_ = false; }
  /// What it holds is young again: `scanned` holds no more.
  void moved() { changed_ = true; }

 private:
  std::size_t find(Term key, std::uint64_t hash) const;
  void grow();

  std::vector<Entry> table_;  ///< A power of two, at most three quarters full.
  std::size_t count_ = 0;
  bool changed_ = false;
};

}  // namespace quelea
