#include "vm/term/map_trie.h"

#include <algorithm>
#include <cstring>

#include "vm/term/compare.h"

namespace quelea::trie {

namespace {

constexpr unsigned kWays = 1u << kMapDigitBits;

bool is_collision(Term child) {
  return child.is_boxed() && header_of(child).kind() == Kind::MapCollision;
}

Term new_collision(TermAlloc& alloc, const Term* leaves, std::size_t count) {
  Word* object = alloc.alloc(1 + count);
  object[0] = Header::make(Kind::MapCollision, count).bits;
  std::memcpy(object + 1, leaves, count * sizeof(Word));
  return Term::boxed(object);
}

/// Two words a step: these copies are most of what a put does.
void copy_words(Word* to, const Word* from, std::size_t count) {
  for (; count >= 2; count -= 2, to += 2, from += 2) std::memcpy(to, from, 2 * sizeof(Word));
  if (count > 0) *to = *from;
}

/// A copy of a node with one child replaced.
Term with_child(TermAlloc& alloc, const Word* node, unsigned index, Term child) {
  std::size_t words = 1 + Header{node[0]}.payload_words();
  Word* copy = alloc.alloc(words);
  copy_words(copy, node, words);
  copy[2 + index] = child.bits;
  return Term::boxed(copy);
}

Term with_new_child(TermAlloc& alloc, const Word* node, unsigned digit, Term child) {
  std::uint32_t bits = bitmap(node);
  unsigned index = index_of(bits, digit);
  std::size_t count = Header{node[0]}.payload_words() - 1;
  Word* copy = new_node(alloc, bits | 1u << digit, count + 1);
  copy_words(copy + 2, node + 2, index);
  copy[2 + index] = child.bits;
  copy_words(copy + 3 + index, node + 2 + index, count - index);
  return Term::boxed(copy);
}

/// The least subtree that holds two leaves of different keys.
Term join(TermAlloc& alloc, Term a, Digits& digits_a, Term b, Digits& digits_b, unsigned depth,
          const AtomTable& atoms) {
  if (depth == kMapDepth) {
    Term leaves[2] = {a, b};
    if (compare_keys(a.head(), b.head(), atoms) > 0) std::swap(leaves[0], leaves[1]);
    return new_collision(alloc, leaves, 2);
  }
  unsigned x = digits_a.at(depth), y = digits_b.at(depth);
  if (x == y) {
    Term below = join(alloc, a, digits_a, b, digits_b, depth + 1, atoms);
    Word* node = new_node(alloc, 1u << x, 1);
    node[2] = below.bits;
    return Term::boxed(node);
  }
  Word* node = new_node(alloc, 1u << x | 1u << y, 2);
  node[2] = (x < y ? a : b).bits;
  node[3] = (x < y ? b : a).bits;
  return Term::boxed(node);
}

/// Where a key is among a collision's leaves, which are in key order, or where it belongs.
std::size_t find_collision(Term collision, Term key, const AtomTable& atoms, bool& found) {
  std::size_t low = 0, high = tuple_size(collision);
  while (low < high) {
    std::size_t middle = (low + high) / 2;
    int order = compare_keys(tuple_at(collision, middle).head(), key, atoms);
    if (order == 0) {
      found = true;
      return middle;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  found = false;
  return low;
}

Term insert_collision(TermAlloc& alloc, Term collision, Term key, Term value, Existing existing,
                      const AtomTable& atoms, bool& grew) {
  bool found;
  std::size_t at = find_collision(collision, key, atoms, found);
  if (found && (existing == Existing::Keep || tuple_at(collision, at).tail() == value)) {
    return collision;
  }
  grew = !found;
  std::size_t count = tuple_size(collision);
  Word* object = alloc.alloc(1 + count + !found);
  object[0] = Header::make(Kind::MapCollision, count + !found).bits;
  for (std::size_t i = 0; i < at; ++i) object[1 + i] = tuple_at(collision, i).bits;
  for (std::size_t i = at + found; i < count; ++i) {
    object[1 + i + !found] = tuple_at(collision, i).bits;
  }
  object[1 + at] = alloc.cons(key, value).bits;
  return Term::boxed(object);
}

/// What takes a node's place when it has these children: itself a leaf where one is left alone.
Term without_child(TermAlloc& alloc, const Word* node, unsigned digit, unsigned depth) {
  std::uint32_t bits = bitmap(node);
  std::size_t count = Header{node[0]}.payload_words() - 1;
  unsigned index = index_of(bits, digit);
  if (count == 1) return Term::none();
  if (count == 2 && depth > 0) {
    Term other = child(node, 1 - index);
    if (other.is_cons()) return other;
  }
  Word* copy = new_node(alloc, bits & ~(1u << digit), count - 1);
  copy_words(copy + 2, node + 2, index);
  copy_words(copy + 2 + index, node + 3 + index, count - index - 1);
  return Term::boxed(copy);
}

/// At the end of the digits of the hash: the entries get those of the strong one.
void take_strong_hashes(HashedEntry* entries, std::size_t count, const AtomTable& atoms) {
  for (std::size_t i = 0; i < count; ++i) entries[i].hash = hash_strong(entries[i].key, atoms);
  std::sort(entries, entries + count,
            [](const HashedEntry& a, const HashedEntry& b) { return a.hash < b.hash; });
}

Term collision_of(TermAlloc& alloc, const HashedEntry* entries, std::size_t count,
                  const AtomTable& atoms) {
  std::vector<Term> leaves(count);
  for (std::size_t i = 0; i < count; ++i) {
    leaves[i] = alloc.cons(entries[i].key, entries[i].value);
  }
  std::sort(leaves.begin(), leaves.end(),
            [&](Term a, Term b) { return compare_keys(a.head(), b.head(), atoms) < 0; });
  return new_collision(alloc, leaves.data(), count);
}

}  // namespace

unsigned Digits::strong_digit(unsigned depth) {
  if (!has_strong_) strong_ = hash_strong(key_, atoms_);
  has_strong_ = true;
  return digit(strong_, depth - kMapHashDepth);
}

std::size_t sort_entries(HashedEntry* entries, std::size_t count, const AtomTable& atoms,
                         std::size_t* work) {
  // Stable, so that of equal keys the last one stays last.
  std::stable_sort(entries, entries + count,
                   [](const HashedEntry& a, const HashedEntry& b) { return a.hash < b.hash; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i + 1;
    while (end < count && entries[end].hash == entries[i].hash) ++end;
    if (end - i > 1) {
      std::stable_sort(entries + i, entries + end, [&](const HashedEntry& a, const HashedEntry& b) {
        return compare_keys(a.key, b.key, atoms, work) < 0;
      });
    }
    for (; i < end; ++i) {
      if (i + 1 < end && exact_equal(entries[i].key, entries[i + 1].key, work)) continue;
      entries[kept++] = entries[i];
    }
  }
  return kept;
}

Term build(TermAlloc& alloc, HashedEntry* entries, std::size_t count, unsigned depth,
           const AtomTable& atoms) {
  if (count == 1 && depth > 0) return alloc.cons(entries[0].key, entries[0].value);
  if (depth == kMapDepth) return collision_of(alloc, entries, count, atoms);
  if (depth == kMapHashDepth) take_strong_hashes(entries, count, atoms);
  const unsigned place = depth < kMapHashDepth ? depth : depth - kMapHashDepth;
  Term children[kWays];
  std::uint32_t bits = 0;
  unsigned used = 0;
  for (std::size_t i = 0; i < count;) {
    unsigned d = digit(entries[i].hash, place);
    std::size_t end = i + 1;
    while (end < count && digit(entries[end].hash, place) == d) ++end;
    children[used++] = build(alloc, entries + i, end - i, depth + 1, atoms);
    bits |= 1u << d;
    i = end;
  }
  Word* node = new_node(alloc, bits, used);
  for (unsigned i = 0; i < used; ++i) node[2 + i] = children[i].bits;
  return Term::boxed(node);
}

Term find(Term at, Term key, std::uint64_t hash, unsigned depth, const AtomTable& atoms,
          std::size_t* work) {
  if (has_given_up(work)) return Term::none();
  Digits digits(key, hash, atoms);
  for (; !at.is_cons(); ++depth) {
    if (is_collision(at)) {
      bool found = false;
      const std::size_t place = find_collision(at, key, atoms, found);
      return found ? tuple_at(at, place).tail() : Term::none();
    }
    const Word* node = at.pointer();
    const unsigned d = digits.at(depth);
    const std::uint32_t bits = bitmap(node);
    if ((bits >> d & 1) == 0) return Term::none();
    at = child(node, index_of(bits, d));
  }
  return exact_equal(at.head(), key, work) ? at.tail() : Term::none();
}

Term insert(TermAlloc& alloc, Term at, Term key, Term value, std::uint64_t hash, unsigned depth,
            Existing existing, const AtomTable& atoms, bool& grew, std::size_t* work) {
  if (QUELEA_UNLIKELY(has_given_up(work))) return at;
  Digits digits(key, hash, atoms);
  const Word* path[kMapDepth];
  unsigned first = depth;
  Term replacement;
  for (;;) {
    if (at.is_cons()) {
      if (exact_equal(at.head(), key, work)) {
        if (existing == Existing::Keep || at.tail() == value) {
          return depth == first ? at : Term::boxed(path[first]);
        }
        replacement = alloc.cons(at.head(), value);
      } else {
        grew = true;
        Digits others(at.head(), hash_term(at.head(), atoms, work), atoms);
        if (QUELEA_UNLIKELY(has_given_up(work)))
          return depth == first ? at : Term::boxed(path[first]);
        replacement = join(alloc, at, others, alloc.cons(key, value), digits, depth, atoms);
      }
      break;
    }
    if (is_collision(at)) {
      replacement = insert_collision(alloc, at, key, value, existing, atoms, grew);
      if (replacement == at) return depth == first ? at : Term::boxed(path[first]);
      break;
    }
    const Word* node = at.pointer();
    unsigned d = digits.at(depth);
    prefetch_child(node, d);
    std::uint32_t bits = bitmap(node);
    if ((bits >> d & 1) == 0) {
      grew = true;
      replacement = with_new_child(alloc, node, d, alloc.cons(key, value));
      break;
    }
    path[depth++] = node;
    at = child(node, index_of(bits, d));
  }
  while (depth > first) {
    --depth;
    const Word* node = path[depth];
    replacement = with_child(alloc, node, index_of(bitmap(node), digits.at(depth)), replacement);
  }
  return replacement;
}

namespace {

Term remove_collision(TermAlloc& alloc, Term at, Term key, const AtomTable& atoms, Term& taken) {
  bool found = false;
  const std::size_t index = find_collision(at, key, atoms, found);
  if (!found) return at;
  const std::size_t count = tuple_size(at);
  taken = tuple_at(at, index).tail();
  if (count == 2) return tuple_at(at, 1 - index);
  Word* object = alloc.alloc(count);
  object[0] = Header::make(Kind::MapCollision, count - 1).bits;
  for (std::size_t i = 0, to = 1; i < count; ++i) {
    if (i != index) object[to++] = tuple_at(at, i).bits;
  }
  return Term::boxed(object);
}

Term remove_below(TermAlloc& alloc, Term at, Term key, Digits& digits, unsigned depth,
                  const AtomTable& atoms, Term& taken, std::size_t* work) {
  if (at.is_cons()) {
    if (!exact_equal(at.head(), key, work)) return at;
    taken = at.tail();
    return Term::none();
  }
  if (is_collision(at)) return remove_collision(alloc, at, key, atoms, taken);
  const Word* node = at.pointer();
  std::uint32_t bits = bitmap(node);
  unsigned d = digits.at(depth);
  if ((bits >> d & 1) == 0) return at;
  unsigned index = index_of(bits, d);
  Term below = remove_below(alloc, child(node, index), key, digits, depth + 1, atoms, taken, work);
  if (taken.is_none()) return at;
  if (below.is_none()) return without_child(alloc, node, d, depth);
  // A path that leads to nothing but a leaf is that leaf.
  if (below.is_cons() && depth > 0 && (bits & (bits - 1)) == 0) return below;
  return with_child(alloc, node, index, below);
}

}  // namespace

Term remove(TermAlloc& alloc, Term at, Term key, std::uint64_t hash, unsigned depth,
            const AtomTable& atoms, Term& taken, std::size_t* work) {
  if (has_given_up(work)) return at;
  Digits digits(key, hash, atoms);
  return remove_below(alloc, at, key, digits, depth, atoms, taken, work);
}

namespace {

/// The child `into` with all leaves of a collision put in.
Term insert_leaves(TermAlloc& alloc, Term into, Term collision, unsigned depth, Existing existing,
                   const AtomTable& atoms, std::size_t& shared, std::size_t& cost) {
  for (std::size_t i = 0; i < tuple_size(collision); ++i) {
    Term leaf = tuple_at(collision, i);
    bool grew = false;
    into = insert(alloc, into, leaf.head(), leaf.tail(), hash_term(leaf.head(), atoms, &cost),
                  depth, existing, atoms, grew, &cost);
    shared += !grew;
  }
  return into;
}

}  // namespace

/// Merges two children at the depth of `frames_.size()`: at once where one of them is no node
/// (false), else as a frame of their own.
bool Merge::open(TermAlloc& alloc, Term a, Term b, std::size_t& cost) {
  const auto depth = static_cast<unsigned>(frames_.size());
  if (b.is_cons() || a.is_cons()) {
    const bool b_in = b.is_cons();
    const Term leaf = b_in ? b : a;
    bool grew = false;
    done_ = insert(alloc, b_in ? a : b, leaf.head(), leaf.tail(),
                   hash_term(leaf.head(), *atoms_, &cost), depth,
                   b_in ? Existing::Replace : Existing::Keep, *atoms_, grew, &cost);
    shared_ += !grew;
    return false;
  }
  if (is_collision(b)) {
    done_ = insert_leaves(alloc, a, b, depth, Existing::Replace, *atoms_, shared_, cost);
    return false;
  }
  if (is_collision(a)) {
    done_ = insert_leaves(alloc, b, a, depth, Existing::Keep, *atoms_, shared_, cost);
    return false;
  }
  const Word* x = a.pointer();
  const Word* y = b.pointer();
  frames_.push_back({x, y, bitmap(x) | bitmap(y), 0, {}});
  return true;
}

bool Merge::step(TermAlloc& alloc, std::size_t& cost) {
  cost += 4;
  if (!started_) {
    started_ = true;
    return open(alloc, start_a_, start_b_, cost);
  }
  Frame& frame = frames_.back();
  while (frame.left != 0) {
    const auto d = static_cast<unsigned>(__builtin_ctz(frame.left));
    frame.left &= frame.left - 1;
    const std::uint32_t bits_x = bitmap(frame.x), bits_y = bitmap(frame.y);
    const bool in_x = bits_x >> d & 1, in_y = bits_y >> d & 1;
    if (!in_y) {
      frame.children[frame.used++] = child(frame.x, index_of(bits_x, d));
    } else if (!in_x) {
      frame.children[frame.used++] = child(frame.y, index_of(bits_y, d));
    } else {
      if (open(alloc, child(frame.x, index_of(bits_x, d)), child(frame.y, index_of(bits_y, d)),
               cost)) {
        return true;  // `frame` may have moved
      }
      frame.children[frame.used++] = done_;
      cost += 4;
    }
  }
  Word* node = new_node(alloc, bitmap(frame.x) | bitmap(frame.y), frame.used);
  for (unsigned i = 0; i < frame.used; ++i) node[2 + i] = frame.children[i].bits;
  done_ = Term::boxed(node);
  frames_.pop_back();
  if (frames_.empty()) return false;
  Frame& above = frames_.back();
  above.children[above.used++] = done_;
  return true;
}

}  // namespace quelea::trie
