// Large maps, made and merged little by little.
//
// Both walks hold plain terms and addresses: nothing may be collected before they are done. Each
// `step` does a little and adds what it cost, in words touched; false when there is no more.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vm/base/raw_vector.h"
#include "vm/term/map.h"
#include "vm/term/map_trie.h"

namespace quelea {

/// A map of pairs, the last of equal keys winning: as `map_from_pairs`, which this is for few.
///
/// Of many, hashes are taken first; then the entries are put in order of their hashes' first three
/// digits, by counting, so that each of these 4,096 groups is a subtree, small enough to be sorted
/// and built at once; then the nodes above are made.
class MapBuild {
 public:
  explicit MapBuild(const AtomTable& atoms) : atoms_(&atoms) {}
  /// Before the first step: k, v, k, v, …
  RawVector<Term> pairs;

  bool step(TermAlloc& alloc, std::size_t& cost);
  Term result() const { return result_; }

 private:
  static constexpr unsigned kGroupDigits = 3;
  static constexpr std::size_t kGroups = std::size_t{1} << kGroupDigits * kMapDigitBits;
  static constexpr std::size_t kAtOnce = 2048;

  struct Many {
    enum Phase { kHash, kDistribute, kBuild };
    Phase phase = kHash;
    std::size_t at = 0;
    std::size_t count = 0;  ///< Of distinct keys.
    RawVector<std::uint64_t> hashes;
    /// Of each group: first how many there are, then where the next one goes, at last its end.
    std::vector<std::size_t> ends = std::vector<std::size_t>(kGroups, 0);
    RawVector<trie::HashedEntry> entries;
    PagesAhead hashes_ahead, entries_ahead;
    std::vector<Term> subtrees = std::vector<Term>(kGroups, Term::none());
  };

  static std::size_t group_of(std::uint64_t hash) {
    return hash >> (64 - kGroupDigits * kMapDigitBits);
  }
  void hash_some(Many& m, std::size_t& cost);
  void distribute_some(Many& m, std::size_t& cost);
  bool build_some(TermAlloc& alloc, Many& m, std::size_t& cost);
  Term crown(TermAlloc& alloc, Many& m);

  const AtomTable* atoms_;
  std::unique_ptr<Many> many_;
  Term result_ = Term::none();
};

/// As `map_merge`, of two maps that are not flat.
class MapMerge {
 public:
  MapMerge(Term a, Term b, const AtomTable& atoms)
      : merge_(trie::root_of(a), trie::root_of(b), atoms), size_(map_size(a) + map_size(b)) {}

  bool step(TermAlloc& alloc, std::size_t& cost) { return merge_.step(alloc, cost); }
  Term finish(TermAlloc& alloc) {
    return trie::make_root(alloc, size_ - merge_.shared(), merge_.result());
  }

 private:
  trie::Merge merge_;
  std::size_t size_;
};

}  // namespace quelea
