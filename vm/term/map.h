// Maps.
//
// Up to 32 entries a map is flat: a tuple of keys in key order (compare_keys), shared by all maps
// that come from the same shape, and the values in the same order. Above, it is a trie on the
// digits of the key's hash, sixteen ways a node. Both forms are canonical: the same entries give
// the same shape whatever the history (a node below the root never holds a single leaf alone; a
// trie that shrinks to 32 entries becomes flat), so that equality, hashing and iteration walk two
// maps in step. Order of iteration: key order when flat, hash order above; keys alone decide.
//
//   FlatMap:      | header | keys | value 0 | value 1 | …        keys -> tuple (key 0, key 1, …)
//   HashMap:      | header | count | root |                      root -> MapNode
//   MapNode:      | header | bitmap | child | child | …          a child a bit of the bitmap
//   MapCollision: | header | leaf | leaf | …                     both hashes of the keys are equal
//   leaf:         [key | value]                                  child: leaf, MapNode, MapCollision
//
// Below the 15 digits of the hash come 15 of another one, which is slow and hard to aim at
// (hash_strong): whoever makes up thousands of keys with one hash gains nothing by it. Keys that
// agree in both do not occur, but would be right.
//
// Functions that take `work` add what hashing and comparing of keys looked at, and may give up
// (vm/term/work.h): then what they return means nothing.
//
// Nothing here collects. Functions that take a map take a map (test with is_map). Results may share
// all structure.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/term/alloc.h"
#include "vm/term/atoms.h"
#include "vm/term/compare.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr std::size_t kMaxFlatMap = 32;
inline constexpr unsigned kMapDigitBits = 4;
inline constexpr unsigned kMapHashDepth = 15;             ///< Digits of one hash.
inline constexpr unsigned kMapDepth = 2 * kMapHashDepth;  ///< Of both.

inline bool is_map(Term term) {
  if (!term.is_boxed()) return false;
  Kind kind = header_of(term).kind();
  return kind == Kind::FlatMap || kind == Kind::HashMap;
}
inline bool is_flat_map(Term map) { return header_of(map).kind() == Kind::FlatMap; }
inline std::size_t map_size(Term map) {
  return is_flat_map(map) ? header_of(map).payload_words() - 1
                          : static_cast<std::size_t>(tuple_at(map, 0).small_value());
}

// Flat maps: keys in a tuple, values in the map.
inline Term flat_map_keys(Term map) { return {map.pointer()[1]}; }
inline Term flat_map_value(Term map, std::size_t index) { return {map.pointer()[2 + index]}; }

Term hash_map_get(Term map, Term key, const AtomTable& atoms, std::size_t* work = nullptr);
Term flat_map_get_slow(Term map, Term key, std::size_t* work = nullptr);

/// The value of an immediate key (small, atom, local pid, []), or `none`.
inline Term map_get_immediate(Term map, Term key, const AtomTable& atoms) {
  if (QUELEA_UNLIKELY(!is_flat_map(map))) return hash_map_get(map, key, atoms);
  const Word* object = map.pointer();
  std::size_t count = Header{object[0]}.payload_words() - 1;
  const Word* keys = reinterpret_cast<const Word*>(object[1] & ~kTagMask) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (keys[i] == key.bits) return {object[2 + i]};
  }
  return Term::none();
}

/// The value of a key, or `none`.
inline Term map_get(Term map, Term key, const AtomTable& atoms, std::size_t* work = nullptr) {
  if (key.is_immediate()) return map_get_immediate(map, key, atoms);
  return is_flat_map(map) ? flat_map_get_slow(map, key, work) : hash_map_get(map, key, atoms, work);
}
inline bool map_has(Term map, Term key, const AtomTable& atoms, std::size_t* work = nullptr) {
  return !map_get(map, key, atoms, work).is_none();
}

// Making ----------------------------------------------------------------------------------------
Term map_empty(TermAlloc& alloc);
/// From `count` pairs k, v, k, v, …; the last of equal keys wins. `pairs` is scratch: it may be
/// reordered.
Term map_from_pairs(TermAlloc& alloc, Term* pairs, std::size_t count, const AtomTable& atoms,
                    std::size_t* work = nullptr);
/// From a tuple of distinct keys in key order, up to 32 of them, and their values.
Term map_from_shape(TermAlloc& alloc, Term keys, const Term* values);
/// True where the keys of a tuple ascend strictly in key order (a verifier's question).
bool is_map_shape(Term keys, const AtomTable& atoms);

// Changing --------------------------------------------------------------------------------------
Term map_put(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
             std::size_t* work = nullptr);
/// Puts `count` pairs k, v, … in order.
Term map_put_many(TermAlloc& alloc, Term map, const Term* pairs, std::size_t count,
                  const AtomTable& atoms, std::size_t* work = nullptr);
/// Replaces the value of an existing key; `none` when there is no such key.
Term map_update(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
                std::size_t* work = nullptr);
/// The same for `count` pairs; `missing` receives the first key that is not there.
Term map_update_many(TermAlloc& alloc, Term map, const Term* pairs, std::size_t count,
                     const AtomTable& atoms, Term& missing, std::size_t* work = nullptr);
/// Without the key; the map itself when it has no such key. `taken` receives the value or `none`.
Term map_remove(TermAlloc& alloc, Term map, Term key, const AtomTable& atoms, Term* taken = nullptr,
                std::size_t* work = nullptr);
/// All entries of both; those of `b` win. `work` grows by about the number of entries touched.
Term map_merge(TermAlloc& alloc, Term a, Term b, const AtomTable& atoms,
               std::size_t* work = nullptr);

// Walking ---------------------------------------------------------------------------------------
/// Walks the entries in the map's own order. Holds addresses: not across a collection.
class MapIterator {
 public:
  explicit MapIterator(Term map);
  bool next(Term& key, Term& value);

 private:
  struct Level {
    const Word* at;
    const Word* end;
  };
  Level levels_[kMapDepth + 2];
  int depth_ = -1;
  const Word* keys_ = nullptr;  // flat: the next key, while at_/end_ walk the values
  const Word* at_ = nullptr;
  const Word* end_ = nullptr;
};

/// A place in a map that survives collections and time slices: start at 0, kMapEnd when all was
/// visited. 60 bits for the digits of the hash; behind them, only where keys collide, as many for
/// those of the strong one.
using MapCursor = __int128;
inline constexpr MapCursor kMapEnd = -1;
Term map_cursor_term(TermAlloc& alloc, MapCursor cursor);
/// False for what is no cursor.
bool map_cursor_from(Term term, MapCursor& cursor);

enum class MapPart { Pairs, Keys, Values };
inline Term map_part(TermAlloc& alloc, Term key, Term value, MapPart part) {
  if (part == MapPart::Pairs) return alloc.tuple(key, value);
  return part == MapPart::Keys ? key : value;
}
/// Prepends the entries from `cursor` on to the list `tail`, as (k, v) tuples, keys or values,
/// `max` of them (or a few more where both hashes collide), and moves the cursor. The list comes
/// out in reverse map order.
Term map_list_from(TermAlloc& alloc, Term map, MapPart part, MapCursor& cursor, std::size_t max,
                   Term tail);
/// All at once, in map order.
Term map_to_list(TermAlloc& alloc, Term map, MapPart part);

struct MapEntry {
  Term key;
  Term value;
};
/// Appends all entries, sorted by key (compare_keys): what `inspect` and comparison use. Keys that
/// are large maps with keys that are large maps … nest sorts; past kMaxSortNesting the entries come
/// in the map's own order.
inline constexpr unsigned kMaxSortNesting = 50;
void map_sorted_entries(Term map, std::vector<MapEntry>& out, const AtomTable& atoms,
                        unsigned nesting = 0);

/// Checks the shape invariants above (for tests and the heap walker); null or what is wrong.
const char* map_check(Term map, const AtomTable& atoms);

}  // namespace quelea
