#include "vm/term/map.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "vm/term/map_build.h"
#include "vm/term/map_trie.h"

namespace quelea {

using trie::Existing;
using trie::HashedEntry;

namespace {

Term new_flat(TermAlloc& alloc, Term keys, std::size_t count, Word** values) {
  Word* object = alloc.alloc(2 + count);
  object[0] = Header::make(Kind::FlatMap, 1 + count).bits;
  object[1] = keys.bits;
  *values = object + 2;
  return Term::boxed(object);
}

Term new_keys(TermAlloc& alloc, std::size_t count, Word** keys) {
  Word* object = alloc.alloc(1 + count);
  object[0] = Header::make(Kind::Tuple, count).bits;
  *keys = object + 1;
  return Term::boxed(object);
}

/// A flat map of entries in key order.
Term flat_from_entries(TermAlloc& alloc, const MapEntry* entries, std::size_t count) {
  Word *keys, *values;
  Term shape = new_keys(alloc, count, &keys);
  Term map = new_flat(alloc, shape, count, &values);
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = entries[i].key.bits;
    values[i] = entries[i].value.bits;
  }
  return map;
}

/// Where a key is in a flat map, or -1.
std::ptrdiff_t flat_find(const Word* keys, std::size_t count, Term key, std::size_t* work) {
  for (std::size_t i = 0; i < count; ++i) {
    if (keys[i] == key.bits) return static_cast<std::ptrdiff_t>(i);
  }
  if (key.is_immediate()) return -1;
  for (std::size_t i = 0; i < count; ++i) {
    if (exact_equal({keys[i]}, key, work)) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

/// Where a key that is not there belongs.
std::size_t flat_place(const Word* keys, std::size_t count, Term key, const AtomTable& atoms,
                       std::size_t* work) {
  std::size_t low = 0, high = count;
  while (low < high) {
    std::size_t middle = (low + high) / 2;
    if (compare_keys({keys[middle]}, key, atoms, work) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const Word* flat_keys(Term map) { return flat_map_keys(map).pointer() + 1; }

/// A map of hashed entries that need not be sorted or distinct.
Term from_hashed(TermAlloc& alloc, HashedEntry* entries, std::size_t count, const AtomTable& atoms,
                 std::size_t* work) {
  count = trie::sort_entries(entries, count, atoms, work);
  if (has_given_up(work)) return map_empty(alloc);
  if (count > kMaxFlatMap) {
    return trie::make_root(alloc, count, trie::build(alloc, entries, count, 0, atoms));
  }
  MapEntry flat[kMaxFlatMap];
  for (std::size_t i = 0; i < count; ++i) flat[i] = {entries[i].key, entries[i].value};
  std::sort(flat, flat + count, [&](const MapEntry& a, const MapEntry& b) {
    return compare_keys(a.key, b.key, atoms, work) < 0;
  });
  return flat_from_entries(alloc, flat, count);
}

HashedEntry hashed(Term key, Term value, const AtomTable& atoms, std::size_t* work) {
  return {hash_term(key, atoms, work), key, value};
}

/// A flat map's entries and one more: the way to 33.
Term flat_to_trie(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
                  std::size_t* work) {
  HashedEntry entries[kMaxFlatMap + 1];
  std::size_t count = map_size(map);
  for (std::size_t i = 0; i < count; ++i) {
    entries[i] = hashed({flat_keys(map)[i]}, flat_map_value(map, i), atoms, work);
  }
  entries[count] = hashed(key, value, atoms, work);
  return from_hashed(alloc, entries, count + 1, atoms, work);
}

Term flat_put(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
              std::size_t* work) {
  std::size_t count = map_size(map);
  const Word* keys = flat_keys(map);
  const Word* old_values = map.pointer() + 2;
  std::ptrdiff_t found = flat_find(keys, count, key, work);
  Word* values;
  if (found >= 0) {
    if (old_values[found] == value.bits) return map;
    Term result = new_flat(alloc, flat_map_keys(map), count, &values);
    std::memcpy(values, old_values, count * sizeof(Word));
    values[found] = value.bits;
    return result;
  }
  if (count == kMaxFlatMap) return flat_to_trie(alloc, map, key, value, atoms, work);
  std::size_t at = flat_place(keys, count, key, atoms, work);
  Word* new_key_words;
  Term shape = new_keys(alloc, count + 1, &new_key_words);
  Term result = new_flat(alloc, shape, count + 1, &values);
  std::memcpy(new_key_words, keys, at * sizeof(Word));
  std::memcpy(values, old_values, at * sizeof(Word));
  new_key_words[at] = key.bits;
  values[at] = value.bits;
  std::memcpy(new_key_words + at + 1, keys + at, (count - at) * sizeof(Word));
  std::memcpy(values + at + 1, old_values + at, (count - at) * sizeof(Word));
  return result;
}

Term flat_remove(TermAlloc& alloc, Term map, Term key, Term* taken, std::size_t* work) {
  std::size_t count = map_size(map);
  const Word* keys = flat_keys(map);
  std::ptrdiff_t found = flat_find(keys, count, key, work);
  if (found < 0) return map;
  std::size_t at = static_cast<std::size_t>(found);
  if (taken != nullptr) *taken = flat_map_value(map, at);
  MapEntry entries[kMaxFlatMap];
  for (std::size_t i = 0, to = 0; i < count; ++i) {
    if (i != at) entries[to++] = {{keys[i]}, flat_map_value(map, i)};
  }
  return flat_from_entries(alloc, entries, count - 1);
}

/// The entries of two flat maps in key order; returns how many.
std::size_t flat_union(Term a, Term b, MapEntry* out, const AtomTable& atoms, std::size_t* work) {
  std::size_t i = 0, j = 0, used = 0, x = map_size(a), y = map_size(b);
  while (i < x || j < y) {
    int order = i == x   ? 1
                : j == y ? -1
                         : compare_keys({flat_keys(a)[i]}, {flat_keys(b)[j]}, atoms, work);
    if (order < 0) {
      out[used++] = {{flat_keys(a)[i]}, flat_map_value(a, i)};
    } else {
      out[used++] = {{flat_keys(b)[j]}, flat_map_value(b, j)};
    }
    i += order <= 0;
    j += order >= 0;
  }
  return used;
}

Term merge_flat(TermAlloc& alloc, Term a, Term b, const AtomTable& atoms, std::size_t* work) {
  MapEntry entries[2 * kMaxFlatMap];
  std::size_t count = flat_union(a, b, entries, atoms, work);
  if (count <= kMaxFlatMap) {
    std::size_t size_b = map_size(b);
    if (count == size_b) return b;
    if (count == map_size(a)) {
      Word* values;
      Term result = new_flat(alloc, flat_map_keys(a), count, &values);
      for (std::size_t i = 0; i < count; ++i) values[i] = entries[i].value.bits;
      return result;
    }
    return flat_from_entries(alloc, entries, count);
  }
  HashedEntry all[2 * kMaxFlatMap];
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = hashed(entries[i].key, entries[i].value, atoms, work);
  }
  return from_hashed(alloc, all, count, atoms, work);
}

/// The trie with a flat map's entries put in.
Term merge_into_trie(TermAlloc& alloc, Term big, Term flat, Existing existing,
                     const AtomTable& atoms, std::size_t* work) {
  Term root = trie::root_of(big);
  std::size_t count = map_size(big);
  for (std::size_t i = 0; i < map_size(flat); ++i) {
    Term key{flat_keys(flat)[i]};
    bool grew = false;
    root = trie::insert(alloc, root, key, flat_map_value(flat, i), hash_term(key, atoms, work), 0,
                        existing, atoms, grew, work);
    count += grew;
  }
  return root == trie::root_of(big) ? big : trie::make_root(alloc, count, root);
}

}  // namespace

Term flat_map_get_slow(Term map, Term key, std::size_t* work) {
  std::ptrdiff_t found = flat_find(flat_keys(map), map_size(map), key, work);
  return found < 0 ? Term::none() : flat_map_value(map, static_cast<std::size_t>(found));
}

Term hash_map_get(Term map, Term key, const AtomTable& atoms, std::size_t* work) {
  std::uint64_t hash = hash_term(key, atoms, work);
  Term at = trie::root_of(map);
  for (unsigned depth = 0; depth < kMapHashDepth; ++depth) {
    const Word* node = at.pointer();
    unsigned d = trie::digit(hash, depth);
    trie::prefetch_child(node, d);
    std::uint32_t bits = trie::bitmap(node);
    if ((bits >> d & 1) == 0) return Term::none();
    at = trie::child(node, trie::index_of(bits, d));
    if (at.is_cons()) return exact_equal(at.head(), key, work) ? at.tail() : Term::none();
  }
  return trie::find(at, key, hash, kMapHashDepth, atoms, work);
}

Term map_empty(TermAlloc& alloc) { return flat_from_entries(alloc, nullptr, 0); }

Term map_from_shape(TermAlloc& alloc, Term keys, const Term* values) {
  std::size_t count = tuple_size(keys);
  Word* out;
  Term map = new_flat(alloc, keys, count, &out);
  if (count > 0) std::memcpy(out, values, count * sizeof(Word));
  return map;
}

bool is_map_shape(Term keys, const AtomTable& atoms) {
  if (!is_tuple(keys) || tuple_size(keys) > kMaxFlatMap) return false;
  for (std::size_t i = 1; i < tuple_size(keys); ++i) {
    if (compare_keys(tuple_at(keys, i - 1), tuple_at(keys, i), atoms) >= 0) return false;
  }
  return true;
}

Term map_from_pairs(TermAlloc& alloc, Term* pairs, std::size_t count, const AtomTable& atoms,
                    std::size_t* work) {
  if (count > kMaxFlatMap) {
    std::unique_ptr<HashedEntry[]> entries(new HashedEntry[count]);
    for (std::size_t i = 0; i < count; ++i) {
      entries[i] = hashed(pairs[2 * i], pairs[2 * i + 1], atoms, work);
    }
    return from_hashed(alloc, entries.get(), count, atoms, work);
  }
  // Insertion sort: few entries, often sorted already.
  MapEntry sorted[kMaxFlatMap];
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Term key = pairs[2 * i];
    std::size_t at = used;
    int order = 1;
    while (at > 0 && (order = compare_keys(sorted[at - 1].key, key, atoms, work)) > 0) --at;
    if (at > 0 && order == 0) {
      sorted[at - 1].value = pairs[2 * i + 1];
      continue;
    }
    for (std::size_t j = used++; j > at; --j) sorted[j] = sorted[j - 1];
    sorted[at] = {key, pairs[2 * i + 1]};
  }
  return flat_from_entries(alloc, sorted, used);
}

Term map_put(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
             std::size_t* work) {
  if (is_flat_map(map)) return flat_put(alloc, map, key, value, atoms, work);
  bool grew = false;
  Term old_root = trie::root_of(map);
  Term root = trie::insert(alloc, old_root, key, value, hash_term(key, atoms, work), 0,
                           Existing::Replace, atoms, grew, work);
  if (root == old_root) return map;
  return trie::make_root(alloc, map_size(map) + grew, root);
}

Term map_put_many(TermAlloc& alloc, Term map, const Term* pairs, std::size_t count,
                  const AtomTable& atoms, std::size_t* work) {
  if (count > kMaxFlatMap / 2) {
    std::unique_ptr<Term[]> copy(new Term[2 * count]);
    std::memcpy(copy.get(), pairs, 2 * count * sizeof(Term));
    return map_merge(alloc, map, map_from_pairs(alloc, copy.get(), count, atoms, work), atoms,
                     work);
  }
  for (std::size_t i = 0; i < count; ++i) {
    map = map_put(alloc, map, pairs[2 * i], pairs[2 * i + 1], atoms, work);
  }
  return map;
}

Term map_update(TermAlloc& alloc, Term map, Term key, Term value, const AtomTable& atoms,
                std::size_t* work) {
  Term missing;
  Term pair[2] = {key, value};
  return map_update_many(alloc, map, pair, 1, atoms, missing, work);
}

Term map_update_many(TermAlloc& alloc, Term map, const Term* pairs, std::size_t count,
                     const AtomTable& atoms, Term& missing, std::size_t* work) {
  if (!is_flat_map(map)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (hash_map_get(map, pairs[2 * i], atoms, work).is_none()) {
        missing = pairs[2 * i];
        return Term::none();
      }
    }
    return map_put_many(alloc, map, pairs, count, atoms, work);
  }
  std::size_t size = map_size(map);
  Word* values;
  Term result = new_flat(alloc, flat_map_keys(map), size, &values);
  std::memcpy(values, map.pointer() + 2, size * sizeof(Word));
  bool changed = false;
  for (std::size_t i = 0; i < count; ++i) {
    std::ptrdiff_t found = flat_find(flat_keys(map), size, pairs[2 * i], work);
    if (found < 0) {
      missing = pairs[2 * i];
      alloc.give_back(values + size, 2 + size);
      return Term::none();
    }
    changed |= values[found] != pairs[2 * i + 1].bits;
    values[found] = pairs[2 * i + 1].bits;
  }
  if (changed) return result;
  alloc.give_back(values + size, 2 + size);
  return map;
}

Term map_remove(TermAlloc& alloc, Term map, Term key, const AtomTable& atoms, Term* taken,
                std::size_t* work) {
  if (taken != nullptr) *taken = Term::none();
  if (is_flat_map(map)) return flat_remove(alloc, map, key, taken, work);
  std::size_t count = map_size(map);
  Term found = Term::none();
  if (count == kMaxFlatMap + 1) {
    // One entry fewer is a flat map.
    if (taken == nullptr) taken = &found;
    *taken = hash_map_get(map, key, atoms, work);
    if (taken->is_none()) return map;
    MapEntry entries[kMaxFlatMap];
    std::size_t used = 0;
    MapIterator walk(map);
    Term k, v;
    while (walk.next(k, v)) {
      // Where the search gave up, more than one may look like the key, or none.
      if (!exact_equal(k, key, work) && used < kMaxFlatMap) entries[used++] = {k, v};
    }
    std::sort(entries, entries + used, [&](const MapEntry& a, const MapEntry& b) {
      return compare_keys(a.key, b.key, atoms, work) < 0;
    });
    return flat_from_entries(alloc, entries, used);
  }
  Term root = trie::remove(alloc, trie::root_of(map), key, hash_term(key, atoms, work), 0, atoms,
                           found, work);
  if (found.is_none()) return map;
  if (taken != nullptr) *taken = found;
  return trie::make_root(alloc, count - 1, root);
}

Term map_merge(TermAlloc& alloc, Term a, Term b, const AtomTable& atoms, std::size_t* work) {
  std::size_t uncounted = 0;
  std::size_t& touched = work != nullptr ? *work : uncounted;
  ++touched;
  Term result;
  if (map_size(a) == 0 || a == b) {
    result = b;
  } else if (map_size(b) == 0) {
    result = a;
  } else if (is_flat_map(a) && is_flat_map(b)) {
    touched += map_size(a) + map_size(b);
    result = merge_flat(alloc, a, b, atoms, work);
  } else if (is_flat_map(b)) {
    touched += map_size(b);
    result = merge_into_trie(alloc, a, b, Existing::Replace, atoms, work);
  } else if (is_flat_map(a)) {
    touched += map_size(a);
    result = merge_into_trie(alloc, b, a, Existing::Keep, atoms, work);
  } else {
    MapMerge merge(a, b, atoms);
    while (merge.step(alloc, touched) && !gave_up(touched)) {
    }
    if (gave_up(touched)) return a;
    result = merge.finish(alloc);
  }
  return result;
}

}  // namespace quelea
