#include "vm/term/map_build.h"

#include <algorithm>

namespace quelea {

using trie::HashedEntry;

namespace {

constexpr unsigned kWays = 1u << kMapDigitBits;
constexpr std::size_t kPairsAStep = 64;

/// The node of up to 16 children, of which some are none: what `trie::build` would make of them.
Term node_of(TermAlloc& alloc, const Term* children, unsigned depth) {
  std::uint32_t bits = 0;
  unsigned used = 0;
  Term last = Term::none();
  for (unsigned d = 0; d < kWays; ++d) {
    if (children[d].is_none()) continue;
    last = children[d];
    bits |= 1u << d;
    ++used;
  }
  if (used == 0 || (used == 1 && depth > 0 && last.is_cons())) return last;
  Word* node = trie::new_node(alloc, bits, used);
  for (unsigned d = 0, i = 0; d < kWays; ++d) {
    if (!children[d].is_none()) node[2 + i++] = children[d].bits;
  }
  return Term::boxed(node);
}

}  // namespace

bool MapBuild::step(TermAlloc& alloc, std::size_t& cost) {
  const std::size_t count = pairs.size() / 2;
  if (many_ == nullptr) {
    if (count <= kAtOnce) {
      cost += 8 * count;
      result_ = map_from_pairs(alloc, pairs.data(), count, *atoms_, &cost);
      return false;
    }
    many_ = std::make_unique<Many>();
    many_->hashes.resize_raw(count);
    many_->entries.resize_raw(count);
    many_->hashes_ahead = PagesAhead(many_->hashes.data(), count * sizeof(std::uint64_t));
    many_->entries_ahead = PagesAhead(many_->entries.data(), count * sizeof(HashedEntry));
    return true;
  }
  Many& m = *many_;
  switch (m.phase) {
    case Many::kHash:
      hash_some(m, cost);
      return true;
    case Many::kDistribute:
      distribute_some(m, cost);
      return true;
    case Many::kBuild:
      return build_some(alloc, m, cost);
  }
  return false;
}

void MapBuild::hash_some(Many& m, std::size_t& cost) {
  const std::size_t end = std::min(m.at + kPairsAStep, m.hashes.size());
  m.hashes_ahead.reach(m.hashes.data() + end);
  // The next phase writes everywhere.
  m.entries_ahead.reach(m.entries.data() + end);
  for (; m.at < end; ++m.at) {
    m.hashes[m.at] = hash_term(pairs[2 * m.at], *atoms_, &cost);
    ++m.ends[group_of(m.hashes[m.at])];
    cost += 2;
  }
  if (m.at < m.hashes.size()) return;
  std::size_t next = 0;
  for (std::size_t& place : m.ends) {
    const std::size_t here = place;
    place = next;
    next += here;
  }
  m.at = 0;
  m.phase = Many::kDistribute;
}

void MapBuild::distribute_some(Many& m, std::size_t& cost) {
  const std::size_t end = std::min(m.at + kPairsAStep, m.hashes.size());
  for (; m.at < end; ++m.at) {
    const std::uint64_t hash = m.hashes[m.at];
    m.entries[m.ends[group_of(hash)]++] = {hash, pairs[2 * m.at], pairs[2 * m.at + 1]};
    cost += 8;
  }
  if (m.at < m.hashes.size()) return;
  m.hashes = {};
  m.at = 0;
  m.phase = Many::kBuild;
}

bool MapBuild::build_some(TermAlloc& alloc, Many& m, std::size_t& cost) {
  const std::size_t begin = m.at == 0 ? 0 : m.ends[m.at - 1];
  const std::size_t size = m.ends[m.at] - begin;
  cost += 1 + 16 * size;
  if (size > 0) {
    HashedEntry* group = m.entries.data() + begin;
    const std::size_t distinct = trie::sort_entries(group, size, *atoms_, &cost);
    if (gave_up(cost)) return true;
    m.subtrees[m.at] = trie::build(alloc, group, distinct, kGroupDigits, *atoms_);
    // All of them at the front: few distinct keys make a flat map in the end.
    std::move(group, group + distinct, m.entries.data() + m.count);
    m.count += distinct;
  }
  if (++m.at < kGroups) return true;
  result_ = crown(alloc, m);
  return false;
}

/// The nodes above the subtrees.
Term MapBuild::crown(TermAlloc& alloc, Many& m) {
  if (m.count <= kMaxFlatMap) {
    Term few[2 * kMaxFlatMap];
    for (std::size_t i = 0; i < m.count; ++i) {
      few[2 * i] = m.entries[i].key;
      few[2 * i + 1] = m.entries[i].value;
    }
    return map_from_pairs(alloc, few, m.count, *atoms_);
  }
  for (unsigned depth = kGroupDigits; depth-- > 0;) {
    const std::size_t nodes = std::size_t{1} << depth * kMapDigitBits;
    for (std::size_t i = 0; i < nodes; ++i) {
      m.subtrees[i] = node_of(alloc, m.subtrees.data() + i * kWays, depth);
    }
  }
  return trie::make_root(alloc, m.count, m.subtrees[0]);
}

}  // namespace quelea
