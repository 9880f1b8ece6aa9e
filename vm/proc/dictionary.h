// The process dictionary: a hash table beside the heap, whose keys and values are roots.
#pragma once

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
  void clear();
  std::size_t size() const { return table_ != nullptr ? table_->count : 0; }
  /// Bytes outside of this.
  std::size_t held_bytes() const {
    return table_ != nullptr ? sizeof(Table) + table_->entries.capacity() * sizeof(Entry) : 0;
  }

  template <class Visit>
  void for_each(Visit&& visit) {
    if (table_ == nullptr) return;
    for (Entry& entry : table_->entries) {
      if (!entry.key.is_none()) visit(entry);
    }
  }
  /// Whether something was put since `scanned` was called: the collector's question.
  bool changed() const { return table_ != nullptr && table_->changed; }
  void scanned() {
    if (table_ != nullptr) table_->changed = false;
  }
  /// What it holds is young again: `scanned` holds no more.
  void moved() {
    if (table_ != nullptr) table_->changed = true;
  }

 private:
  using Entries = std::vector<Entry, MachineAllocator<Entry>>;
  struct Table {
    Entries entries = Entries(4);  ///< A power of two.
    std::size_t count = 0;
    bool changed = false;

    bool is_full() const { return (count + 1) * 4 > entries.size() * 3; }
    std::size_t find(Term key, std::uint64_t hash, std::size_t& work) const;
    void grow();
  };

  std::unique_ptr<Table> table_;  ///< Null: nothing was put. Few processes have one.
};

}  // namespace quelea
