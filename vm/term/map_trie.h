// Private to the map files: the trie of maps with more than 32 entries.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/term/hash.h"
#include "vm/term/map.h"

namespace quelea::trie {

/// The digit of a hash that a node branches on, `depth` counted from where that hash's digits
/// begin: the most significant first.
inline unsigned digit(std::uint64_t hash, unsigned depth) {
  return static_cast<unsigned>(hash >> (64 - kMapDigitBits * (depth + 1))) &
         ((1u << kMapDigitBits) - 1);
}

/// A key's digits at all depths. The second hash is taken when somebody comes so far down.
class Digits {
 public:
  Digits(Term key, std::uint64_t hash, const AtomTable& atoms)
      : key_(key), hash_(hash), atoms_(atoms) {}
  unsigned at(unsigned depth) {
    return QUELEA_LIKELY(depth < kMapHashDepth) ? digit(hash_, depth) : strong_digit(depth);
  }

 private:
  unsigned strong_digit(unsigned depth);

  Term key_;
  std::uint64_t hash_;
  const AtomTable& atoms_;
  std::uint64_t strong_ = 0;
  bool has_strong_ = false;
};

inline bool is_node(Term child) {
  return child.is_boxed() && header_of(child).kind() == Kind::MapNode;
}
inline std::uint32_t bitmap(const Word* node) {
  return static_cast<std::uint32_t>(Term{node[1]}.small_value());
}
/// Bits set below `digit`: the place of that digit's child. Counted by hand, because without the
/// popcnt instruction, which not every x86-64 has, the compiler calls a function.
inline unsigned index_of(std::uint32_t bits, unsigned digit) {
  std::uint32_t x = bits & ((1u << digit) - 1);
  x -= x >> 1 & 0x5555;
  x = (x & 0x3333) + (x >> 2 & 0x3333);
  x = (x + (x >> 4)) & 0x0F0F;
  return (x + (x >> 8)) & 0x1F;
}
/// Asks for the cache line in which a digit's child most likely is, while the bitmap is still on
/// its way.
inline void prefetch_child(const Word* node, unsigned digit) {
  __builtin_prefetch(node + 2 + digit);
}
inline Term child(const Word* node, unsigned index) { return {node[2 + index]}; }

/// A node with `count` children to be filled in from word 2 on.
inline Word* new_node(TermAlloc& alloc, std::uint32_t bits, std::size_t count) {
  Word* node = alloc.alloc(2 + count);
  node[0] = Header::make(Kind::MapNode, 1 + count).bits;
  node[1] = Term::small(bits).bits;
  return node;
}

inline Term root_of(Term map) { return tuple_at(map, 1); }
inline Term make_root(TermAlloc& alloc, std::size_t count, Term root) {
  Word* object = alloc.alloc(3);
  object[0] = Header::make(Kind::HashMap, 2).bits;
  object[1] = Term::small(static_cast<std::int64_t>(count)).bits;
  object[2] = root.bits;
  return Term::boxed(object);
}

/// An entry on its way into a trie.
struct HashedEntry {
  std::uint64_t hash;
  Term key;
  Term value;
};

/// What an insertion does where the key exists already.
enum class Existing { Replace, Keep };

/// Sorts by hash, drops all but the last of equal keys (by position); returns how many are left.
std::size_t sort_entries(HashedEntry* entries, std::size_t count, const AtomTable& atoms,
                         std::size_t* work = nullptr);
/// The root node of sorted, distinct entries. It may give some of them other hashes.
Term build(TermAlloc& alloc, HashedEntry* entries, std::size_t count, unsigned depth,
           const AtomTable& atoms);
/// The value of a key of this hash below a child at `depth`, or `none`.
Term find(Term child, Term key, std::uint64_t hash, unsigned depth, const AtomTable& atoms,
          std::size_t* work);
/// The child with the entry put in; `grew` tells whether there is one entry more.
Term insert(TermAlloc& alloc, Term child, Term key, Term value, std::uint64_t hash, unsigned depth,
            Existing existing, const AtomTable& atoms, bool& grew, std::size_t* work = nullptr);
/// The child without a key; `none` when nothing is left of it. `taken` stays `none` where there is
/// no such key.
Term remove(TermAlloc& alloc, Term child, Term key, std::uint64_t hash, unsigned depth,
            const AtomTable& atoms, Term& taken, std::size_t* work = nullptr);
/// Entries of two children, those of the second winning, as a walk that can stop anywhere.
class Merge {
 public:
  Merge(Term a, Term b, const AtomTable& atoms) : atoms_(&atoms), start_a_(a), start_b_(b) {}
  /// A little of it; false when it is done.
  bool step(TermAlloc& alloc, std::size_t& cost);
  Term result() const { return done_; }
  /// Keys that both have.
  std::size_t shared() const { return shared_; }

 private:
  /// Two nodes on the way down.
  struct Frame {
    const Word* x;
    const Word* y;
    std::uint32_t left;  ///< Digits whose children are still to be merged.
    unsigned used;
    Term children[1u << kMapDigitBits];
  };

  bool open(TermAlloc& alloc, Term a, Term b, std::size_t& cost);

  const AtomTable* atoms_;
  Term start_a_, start_b_;
  Term done_ = Term::none();  ///< What the last child became.
  std::size_t shared_ = 0;
  bool started_ = false;
  std::vector<Frame> frames_;
};

}  // namespace quelea::trie
