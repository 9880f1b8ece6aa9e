#include "compiler/codegen/live_sets.h"

namespace quelea::compiler {

void LiveSets::reset(uint32_t value_count) {
  height_ = 0;
  while (value_count > uint64_t{1} << (kLeafBits + kPartBits * height_)) ++height_;
  leaves_.assign(1, 0);
  nodes_.assign(1, {});
  keep();
}

// `value` is not in the set, or is in it and is taken out.
LiveSet LiveSets::change(LiveSet set, Ref value, uint32_t height, bool inserts) {
  if (height == 0) {
    const uint64_t word = leaves_[set] ^ uint64_t { 1 } << value % 64;
    if (word == 0) return 0;
    if (set < kept_leaves_) return leaf(word);
    leaves_[set] = word;
    return set;
  }
  const uint32_t part = part_of(value, height);
  const LiveSet changed = change(nodes_[set].parts[part], value, height - 1, inserts);
  if (set < kept_nodes_) set = node(nodes_[set]);
  Node& own = nodes_[set];
  own.parts[part] = changed;
  own.count += inserts ? 1 : -1;
  return own.count == 0 ? 0 : set;
}

LiveSet LiveSets::unite(LiveSet a, LiveSet b, uint32_t height) {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (height == 0) {
    const uint64_t word = leaves_[a] | leaves_[b];
    return word == leaves_[a] ? a : word == leaves_[b] ? b : leaf(word);
  }
  Node made;
  for (uint32_t i = 0; i < kParts; ++i) {
    made.parts[i] = unite(nodes_[a].parts[i], nodes_[b].parts[i], height - 1);
    made.count += count(made.parts[i], height - 1);
  }
  if (made.parts == nodes_[a].parts) return a;
  return made.parts == nodes_[b].parts ? b : node(made);
}

bool LiveSets::contains(LiveSet set, Ref value) const {
  for (uint32_t height = height_; height != 0; --height)
    set = nodes_[set].parts[part_of(value, height)];
  return (leaves_[set] >> value % 64 & 1) != 0;
}

bool LiveSets::equal(LiveSet a, LiveSet b, uint32_t height) const {
  if (a == b) return true;
  if (height == 0) return leaves_[a] == leaves_[b];
  if (nodes_[a].count != nodes_[b].count) return false;
  for (uint32_t i = 0; i < kParts; ++i)
    if (!equal(nodes_[a].parts[i], nodes_[b].parts[i], height - 1)) return false;
  return true;
}

}  // namespace quelea::compiler
