// Walking maps: iterators, cursors, lists, sorted entries and the check of shapes.
#include <algorithm>

#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/map_trie.h"

namespace quelea {

// The iterator
// --------------------------------------------------------------------------------------

MapIterator::MapIterator(Term map) {
  std::size_t count = map_size(map);
  if (is_flat_map(map)) {
    keys_ = flat_map_keys(map).pointer() + 1;
    at_ = map.pointer() + 2;
    end_ = at_ + count;
    return;
  }
  const Word* root = trie::root_of(map).pointer();
  depth_ = 0;
  levels_[0] = {root + 2, root + 1 + Header{root[0]}.payload_words()};
}

bool MapIterator::next(Term& key, Term& value) {
  if (keys_ != nullptr) {
    if (at_ == end_) return false;
    key = {*keys_++};
    value = {*at_++};
    return true;
  }
  while (depth_ >= 0) {
    Level& level = levels_[depth_];
    if (level.at == level.end) {
      --depth_;
      continue;
    }
    Term child{*level.at++};
    if (child.is_cons()) {
      key = child.head();
      value = child.tail();
      return true;
    }
    const Word* object = child.pointer();
    std::size_t skip = trie::is_node(child) ? 2 : 1;
    levels_[++depth_] = {object + skip, object + 1 + Header{object[0]}.payload_words()};
  }
  return false;
}

// Cursors
// -------------------------------------------------------------------------------------------

namespace {

/// Walks a trie from a place in hash space. A child's place is its path of digits, padded with
/// zeros: 60 bits for those of the first hash, above which lie those of the second.
class TrieWalk {
 public:
  TrieWalk(Term map, MapCursor place) {
    Term at = trie::root_of(map);
    for (;; ++depth_) {
      const Word* node = at.pointer();
      unsigned d = static_cast<unsigned>(place >> shift(depth_)) & (kWays - 1);
      std::uint32_t bits = trie::bitmap(node);
      nodes_[depth_] = node;
      left_[depth_] = bits & ~((1u << d) - 1);
      if ((bits >> d & 1) == 0) return;
      at = trie::child(node, trie::index_of(bits, d));
      if (!trie::is_node(at)) return;
      left_[depth_] &= left_[depth_] - 1;
      digits_[depth_] = d;
    }
  }

  /// The next leaf or collision, or `none`.
  Term next() {
    for (;;) {
      while (left_[depth_] == 0) {
        if (depth_ == 0) return Term::none();
        --depth_;
      }
      unsigned d = static_cast<unsigned>(__builtin_ctz(left_[depth_]));
      left_[depth_] &= left_[depth_] - 1;
      digits_[depth_] = d;
      const Word* node = nodes_[depth_];
      Term child = trie::child(node, trie::index_of(trie::bitmap(node), d));
      if (!trie::is_node(child)) return child;
      ++depth_;
      nodes_[depth_] = child.pointer();
      left_[depth_] = trie::bitmap(child.pointer());
    }
  }

  /// The place of what `next` returned last.
  MapCursor place() const {
    MapCursor result = 0;
    for (unsigned i = 0; i <= depth_; ++i) {
      result |= MapCursor{digits_[i]} << shift(i);
    }
    return result;
  }

 private:
  static constexpr unsigned kWays = 1u << kMapDigitBits;

  static unsigned shift(unsigned depth) {
    const unsigned end = depth < kMapHashDepth ? kMapHashDepth : kMapDepth + kMapHashDepth;
    return kMapDigitBits * (end - 1 - depth);
  }

  const Word* nodes_[kMapDepth];
  std::uint32_t left_[kMapDepth];
  unsigned digits_[kMapDepth];
  unsigned depth_ = 0;
};
static_assert(kMapHashDepth * kMapDigitBits == 60, "most places are small integers");

}  // namespace

Term map_cursor_term(TermAlloc& alloc, MapCursor cursor) { return make_integer_128(alloc, cursor); }

bool map_cursor_from(Term term, MapCursor& cursor) {
  if (!is_integer(term)) return false;
  const IntegerView view(term);
  if (view.size() > 2 || (view.negative() && term != Term::small(kMapEnd))) return false;
  unsigned __int128 magnitude = 0;
  for (std::size_t i = view.size(); i > 0; --i) magnitude = magnitude << 64 | view.limbs()[i - 1];
  if (magnitude >> (kMapDepth * kMapDigitBits) != 0) return false;
  cursor = view.negative() ? kMapEnd : static_cast<MapCursor>(magnitude);
  return true;
}

Term map_list_from(TermAlloc& alloc, Term map, MapPart part, MapCursor& cursor, std::size_t max,
                   Term tail) {
  if (cursor == kMapEnd) return tail;
  if (is_flat_map(map)) {
    std::size_t at = static_cast<std::size_t>(cursor), count = map_size(map);
    for (; at < count && max > 0; ++at, --max) {
      Term key = tuple_at(flat_map_keys(map), at);
      tail = alloc.cons(map_part(alloc, key, flat_map_value(map, at), part), tail);
    }
    cursor = at == count ? kMapEnd : static_cast<MapCursor>(at);
    return tail;
  }
  TrieWalk walk(map, cursor);
  std::size_t taken = 0;
  for (;;) {
    Term child = walk.next();
    if (child.is_none()) {
      cursor = kMapEnd;
      return tail;
    }
    if (taken >= max) {
      cursor = walk.place();
      return tail;
    }
    if (child.is_cons()) {
      tail = alloc.cons(map_part(alloc, child.head(), child.tail(), part), tail);
      ++taken;
      continue;
    }
    for (std::size_t i = 0; i < tuple_size(child); ++i, ++taken) {
      Term leaf = tuple_at(child, i);
      tail = alloc.cons(map_part(alloc, leaf.head(), leaf.tail(), part), tail);
    }
  }
}

Term map_to_list(TermAlloc& alloc, Term map, MapPart part) {
  MapIterator walk(map);
  Term key, value;
  Term first = Term::nil_list();
  Word* last = nullptr;
  while (walk.next(key, value)) {
    Term element = map_part(alloc, key, value, part);
    Term cell = alloc.cons(element, Term::nil_list());
    if (last == nullptr) {
      first = cell;
    } else {
      last[1] = cell.bits;
    }
    last = cell.pointer();
  }
  return first;
}

void map_sorted_entries(Term map, std::vector<MapEntry>& out, const AtomTable& atoms,
                        unsigned nesting) {
  std::size_t start = out.size();
  out.reserve(start + map_size(map));
  MapIterator walk(map);
  MapEntry entry;
  while (walk.next(entry.key, entry.value)) out.push_back(entry);
  if (is_flat_map(map) || nesting >= kMaxSortNesting) return;
  auto before = [&](const MapEntry& a, const MapEntry& b) {
    if (a.key.is_immediate() && b.key.is_immediate()) {
      return compare_keys(a.key, b.key, atoms) < 0;
    }
    return compare_nested(a.key, b.key, atoms, true, nullptr, nesting + 1) < 0;
  };
  std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), before);
}

// The check
// -----------------------------------------------------------------------------------------

namespace {

/// The digits of both hashes that lead to a place.
struct Path {
  std::uint64_t hash = 0;
  std::uint64_t strong = 0;
};

/// Whether the first `depth` digits of two hashes are the same.
bool share_digits(std::uint64_t a, std::uint64_t b, unsigned depth) {
  return depth == 0 || (a ^ b) >> (64 - kMapDigitBits * depth) == 0;
}

const char* check_leaf(Term leaf, Path path, unsigned depth, const AtomTable& atoms) {
  const unsigned plain = depth < kMapHashDepth ? depth : kMapHashDepth;
  const bool fits = share_digits(hash_term(leaf.head(), atoms), path.hash, plain) &&
                    (depth == plain || share_digits(hash_strong(leaf.head(), atoms), path.strong,
                                                    depth - kMapHashDepth));
  return fits ? nullptr : "a leaf is not where its hash says";
}

const char* check_child(Term at, Path path, unsigned depth, const AtomTable& atoms,
                        std::size_t& count) {
  if (at.is_cons()) {
    ++count;
    return check_leaf(at, path, depth, atoms);
  }
  if (!at.is_boxed()) return "a child is no leaf and no node";
  if (header_of(at).kind() == Kind::MapCollision) {
    if (depth != kMapDepth) return "a collision is not at the bottom";
    if (tuple_size(at) < 2) return "a collision has fewer than two leaves";
    for (std::size_t i = 0; i < tuple_size(at); ++i, ++count) {
      Term leaf = tuple_at(at, i);
      if (!leaf.is_cons()) return "a collision's part is no leaf";
      if (const char* wrong = check_leaf(leaf, path, depth, atoms)) return wrong;
      if (i > 0 && compare_keys(tuple_at(at, i - 1).head(), leaf.head(), atoms) >= 0) {
        return "a collision's keys are not in order";
      }
    }
    return nullptr;
  }
  if (header_of(at).kind() != Kind::MapNode) return "a child is no map node";
  if (depth >= kMapDepth) return "a node is too deep";
  const Word* node = at.pointer();
  std::uint32_t bits = trie::bitmap(node);
  std::size_t children = Header{node[0]}.payload_words() - 1;
  if (bits == 0 || bits >> 16 != 0) return "a bitmap is out of range";
  if (static_cast<std::size_t>(__builtin_popcount(bits)) != children) {
    return "a bitmap does not count its children";
  }
  if (depth > 0 && children == 1 && trie::child(node, 0).is_cons()) {
    return "a leaf is alone in its node";
  }
  for (unsigned i = 0; bits != 0; bits &= bits - 1, ++i) {
    std::uint64_t d = static_cast<std::uint64_t>(__builtin_ctz(bits));
    Path below = path;
    const bool plain = depth < kMapHashDepth;
    const unsigned place = plain ? depth : depth - kMapHashDepth;
    (plain ? below.hash : below.strong) |= d << (64 - kMapDigitBits * (place + 1));
    if (const char* wrong = check_child(trie::child(node, i), below, depth + 1, atoms, count)) {
      return wrong;
    }
  }
  return nullptr;
}

}  // namespace

const char* map_check(Term map, const AtomTable& atoms) {
  if (!is_map(map)) return "not a map";
  if (is_flat_map(map)) {
    Term keys = flat_map_keys(map);
    if (!is_tuple(keys) || tuple_size(keys) != map_size(map))
      return "keys and values differ in number";
    return is_map_shape(keys, atoms) ? nullptr : "keys are not in order";
  }
  if (map_size(map) <= kMaxFlatMap) return "a small map is not flat";
  std::size_t count = 0;
  if (const char* wrong = check_child(trie::root_of(map), {}, 0, atoms, count)) return wrong;
  return count == map_size(map) ? nullptr : "the count is wrong";
}

}  // namespace quelea
