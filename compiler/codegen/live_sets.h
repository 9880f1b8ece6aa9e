// Sets of values that share what they have in common.
//
// A function with thousands of values alive at once has thousands of blocks into which nearly all
// of them live. Kept one by one that is quadratic, so a set is a tree: leaves are words of 64
// values, nodes have 16 parts. Changing a set that is kept copies the way to one leaf; what two
// sets have in common is the same subtree, which union, comparison and difference need not enter.
// So a block costs what changes in it, not what lives through it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "compiler/core/ir.h"

namespace quelea::compiler {

// Numbers of trees; 0 is the empty set.
using LiveSet = uint32_t;

class LiveSets {
 public:
  LiveSets() { reset(0); }

  // No sets any more; from now on they are of values below `value_count`.
  void reset(uint32_t value_count);

  // All sets there are stay what they are. One made after that is its owner's, and changed in
  // place.
  void keep() {
    kept_leaves_ = static_cast<uint32_t>(leaves_.size());
    kept_nodes_ = static_cast<uint32_t>(nodes_.size());
  }
  // Forgets the sets that are not kept.
  void forget() {
    leaves_.resize(kept_leaves_);
    nodes_.resize(kept_nodes_);
  }
  LiveSet insert(LiveSet set, Ref value) {
    return contains(set, value) ? set : change(set, value, height_, true);
  }
  LiveSet erase(LiveSet set, Ref value) {
    return contains(set, value) ? change(set, value, height_, false) : set;
  }
  LiveSet unite(LiveSet a, LiveSet b) { return unite(a, b, height_); }
  bool contains(LiveSet set, Ref value) const;
  uint32_t count(LiveSet set) const { return count(set, height_); }
  bool equal(LiveSet a, LiveSet b) const { return equal(a, b, height_); }
  // Calls `visit(Ref)` for each value that is in `a` and not in `b`.
  template <class Visit>
  void each_only_in(LiveSet a, LiveSet b, const Visit& visit) const {
    each_only_in(a, b, height_, 0, visit);
  }
  // Leaves and nodes made since reset().
  size_t size() const { return leaves_.size() + nodes_.size(); }

 private:
  static constexpr uint32_t kParts = 16;
  static constexpr uint32_t kLeafBits = 6, kPartBits = 4;
  struct Node {
    std::array<uint32_t, kParts> parts{};
    uint32_t count = 0;
  };

  // `height`: of the tree, a leaf's is 0.
  static uint32_t part_of(Ref value, uint32_t height) {
    return value >> (kLeafBits + kPartBits * (height - 1)) & (kParts - 1);
  }
  LiveSet leaf(uint64_t word) {
    leaves_.push_back(word);
    return static_cast<LiveSet>(leaves_.size() - 1);
  }
  LiveSet node(Node made) {
    nodes_.push_back(made);
    return static_cast<LiveSet>(nodes_.size() - 1);
  }
  LiveSet change(LiveSet set, Ref value, uint32_t height, bool inserts);
  LiveSet unite(LiveSet a, LiveSet b, uint32_t height);
  uint32_t count(LiveSet set, uint32_t height) const {
    return height == 0 ? static_cast<uint32_t>(std::popcount(leaves_[set])) : nodes_[set].count;
  }
  bool equal(LiveSet a, LiveSet b, uint32_t height) const;

  template <class Visit>
  void each_only_in(LiveSet a, LiveSet b, uint32_t height, Ref first, const Visit& visit) const {
    if (a == b || a == 0) return;
    if (height == 0) {
      for (uint64_t bits = leaves_[a] & ~leaves_[b]; bits != 0; bits &= bits - 1)
        visit(first + static_cast<Ref>(std::countr_zero(bits)));
      return;
    }
    for (uint32_t i = 0; i < kParts; ++i)
      each_only_in(nodes_[a].parts[i], nodes_[b].parts[i], height - 1,
                   first + (i << (kLeafBits + kPartBits * (height - 1))), visit);
  }

  uint32_t height_ = 0;
  std::vector<uint64_t> leaves_;  // 0: the empty one
  std::vector<Node> nodes_;       // likewise
  uint32_t kept_leaves_ = 1, kept_nodes_ = 1;
};

}  // namespace quelea::compiler
