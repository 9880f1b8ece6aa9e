// Sorting lists.
//
// Elements go into an array outside of the heap, are sorted there bottom-up (runs, then merges of
// doubling width) and come back as a list written in one piece. Merge sort because it is stable,
// does the fewest comparisons and can stop anywhere: up to kSmallList elements are sorted at once,
// more of them in slices of kSliceSteps steps, with the array as the native's rooted state. Nothing
// is allocated on the heap before the end, so no collection is caused on the way.
#include <algorithm>

#include "vm/native/support.h"
#include "vm/term/compare.h"

namespace quelea {
namespace {

constexpr std::size_t kSmallList = 16 * 1024;
constexpr std::size_t kSliceSteps = 16 * 1024;
constexpr std::size_t kRunLength = 1024;

/// What is compared, and what the result holds.
struct SortSpec {
  enum Key { kSelf, kFirstOfPair, kElement };
  Key key = kSelf;
  std::size_t index = 0;  ///< Of the element compared, for kElement.
  bool descending = false;

  Term key_of(Term item) const { return key == kSelf ? item : tuple_at(item, index); }
  Term result_of(Term item) const { return key == kFirstOfPair ? tuple_at(item, 1) : item; }
  bool fits(Term item) const {
    if (key == kSelf) return true;
    if (key == kFirstOfPair) return is_pair(item);
    return is_tuple(item) && tuple_size(item) > index;
  }
};

/// Says whether one item goes strictly in front of another.
struct TermBefore {
  const SortSpec& spec;
  const AtomTable& atoms;
  std::size_t* work;

  bool operator()(Term a, Term b) const {
    const int order = compare(spec.key_of(a), spec.key_of(b), atoms, work);
    return spec.descending ? order > 0 : order < 0;
  }
};
struct SmallBefore {
  bool descending;

  bool operator()(Term a, Term b) const {
    return descending ? b.small_value() < a.small_value() : a.small_value() < b.small_value();
  }
};

/// The items are the first half of `roots`, the second half is where merges go; the halves change
/// roles.
struct SortState : NativeState {
  enum Phase { kCollect, kRuns, kMerge, kDone };
  Phase phase = kCollect;
  SortSpec spec;
  bool all_small = true;
  bool in_second = false;  ///< The items are in the second half now.
  std::size_t count = 0;
  std::size_t at = 0;  ///< Where the next run or pair of runs begins.
  std::size_t width = kRunLength;
  // A merge under way: next of the left run, of the right run, and where the result goes.
  bool merging = false;
  std::size_t left = 0, right = 0, out = 0;

  Term* items() { return roots.data() + (in_second ? count : 0); }
  Term* target() { return roots.data() + (in_second ? 0 : count); }
};

/// The sorted items as a list, its cells one piece of memory.
Term list_of(Process& p, const Term* items, std::size_t count, const SortSpec& spec) {
  if (count == 0) return Term::nil_list();
  Word* cell = p.alloc(2 * count);
  const Term first = Term::cons(cell);
  for (std::size_t i = 0; i < count; ++i, cell += 2) {
    cell[0] = spec.result_of(items[i]).bits;
    cell[1] = i + 1 == count ? Term::nil_list().bits : Term::cons(cell + 2).bits;
  }
  charge_cells(p, count);
  return first;
}

template <class Before>
void sort_run(Term* items, std::size_t count, bool all_small, Before before) {
  if (all_small) {
    std::sort(items, items + count, before);  // equal integers cannot be told apart
  } else {
    std::stable_sort(items, items + count, before);
  }
}

/// Does up to `steps` steps of the merge under way; true when it is finished.
template <class Before>
bool merge_some(SortState& s, std::size_t& steps, Before before) {
  const Term* from = s.items();
  Term* to = s.target();
  const std::size_t middle = std::min(s.at + s.width, s.count);
  const std::size_t end = std::min(s.at + 2 * s.width, s.count);
  std::size_t left = s.left, right = s.right, out = s.out;
  while (left < middle && right < end && steps > 0) {
    to[out++] = before(from[right], from[left]) ? from[right++] : from[left++];
    --steps;
  }
  if (left == middle || right == end) {
    std::copy(from + left, from + middle, to + out);
    out += middle - left;
    std::copy(from + right, from + end, to + out);
    s.merging = false;
    return true;
  }
  s.left = left;
  s.right = right;
  s.out = out;
  return false;
}

template <class Before>
void begin_merge(SortState& s, Before before) {
  const std::size_t middle = std::min(s.at + s.width, s.count);
  const std::size_t end = std::min(s.at + 2 * s.width, s.count);
  s.left = s.at;
  s.right = middle;
  s.out = s.at;
  s.merging = true;
  // Runs that are in order already need no comparing: sorted input costs one comparison a pair of
  // runs.
  const Term* from = s.items();
  if (middle >= end || !before(from[middle], from[middle - 1])) {
    std::copy(from + s.at, from + end, s.target() + s.at);
    s.merging = false;
  }
}

template <class Before>
void sort_some(SortState& s, std::size_t steps, Before before) {
  while (steps > 0 && s.phase == SortState::kRuns) {
    const std::size_t length = std::min(kRunLength, s.count - s.at);
    sort_run(s.items() + s.at, length, s.all_small, before);
    steps -= std::min(steps, 8 * length);
    s.at += length;
    if (s.at == s.count) {
      s.at = 0;
      s.phase = s.width < s.count ? SortState::kMerge : SortState::kDone;
    }
  }
  while (steps > 0 && s.phase == SortState::kMerge) {
    if (!s.merging) {
      begin_merge(s, before);
      steps -= std::min<std::size_t>(steps, s.merging ? 1 : s.width / 4);
    }
    if (s.merging && !merge_some(s, steps, before)) continue;
    s.at = std::min(s.at + 2 * s.width, s.count);
    if (s.at == s.count) {
      s.at = 0;
      s.in_second = !s.in_second;
      s.width *= 2;
      if (s.width >= s.count) s.phase = SortState::kDone;
    }
  }
}

/// Sorts what was collected when the whole list is short.
Term sort_small(Process& p, Term list, std::vector<Term>& items, const SortSpec& spec,
                bool all_small) {
  std::size_t work = 0;
  bool sorted = true;
  const TermBefore before{spec, atoms_of(p), &work};
  for (std::size_t i = 1; i < items.size() && sorted; ++i) sorted = !before(items[i], items[i - 1]);
  if (sorted && spec.key != SortSpec::kFirstOfPair) {
    charge_cells(p, items.size() + work);
    return list;
  }
  if (all_small && spec.key == SortSpec::kSelf) {
    sort_run(items.data(), items.size(), true, SmallBefore{spec.descending});
  } else if (!sorted) {
    sort_run(items.data(), items.size(), false, before);
  }
  charge_cells(p, 4 * items.size() + work);
  return list_of(p, items.data(), items.size(), spec);
}

/// Moves up to `steps` elements of `rest` to the array. False where one does not fit.
bool collect(Term& rest, std::vector<Term>& items, const SortSpec& spec, bool& all_small,
             std::size_t steps) {
  for (; steps > 0 && rest.is_cons(); --steps, rest = rest.tail()) {
    const Term item = rest.head();
    if (!spec.fits(item)) return false;
    all_small = all_small && item.is_small();
    items.push_back(item);
  }
  return rest.is_list();
}

Term fail_sort(Process& p) {
  drop_native_state(p);
  return badarg(p);
}

Term sort_slice(Process& p, Args args, SortState& s) {
  std::size_t work = 0;
  if (s.phase == SortState::kCollect) {
    Term rest = args[0];
    if (!collect(rest, s.roots, s.spec, s.all_small, 4 * kSliceSteps)) return fail_sort(p);
    args.set(0, rest);
    if (rest.is_nil_list()) {
      s.count = s.roots.size();
      s.roots.resize(2 * s.count, Term::nil_list());
      s.all_small = s.all_small && s.spec.key == SortSpec::kSelf;
      s.phase = SortState::kRuns;
    }
  } else if (s.all_small) {
    sort_some(s, 4 * kSliceSteps, SmallBefore{s.spec.descending});
  } else {
    sort_some(s, kSliceSteps, TermBefore{s.spec, atoms_of(p), &work});
  }
  p.charge(static_cast<std::int64_t>(kSliceSteps / 8 + work / 8));
  if (s.phase != SortState::kDone) return p.again();
  Term list = list_of(p, s.items(), s.count, s.spec);
  drop_native_state(p);
  return list;
}

Term sort(Process& p, Args args, const SortSpec& spec) {
  if (auto* state = native_state<SortState>(p)) return sort_slice(p, args, *state);
  std::vector<Term> items;
  bool all_small = true;
  Term rest = args[0];
  if (!collect(rest, items, spec, all_small, kSmallList)) return badarg(p);
  if (rest.is_nil_list()) return sort_small(p, args[0], items, spec, all_small);
  auto* state = make_native_state<SortState>(p);
  state->spec = spec;
  state->all_small = all_small;
  state->roots = std::move(items);
  args.set(0, rest);
  return sort_slice(p, args, *state);
}

bool read_direction(Process& p, Term argument, bool& descending) {
  descending = is_atom_named(p, argument, "desc");
  return descending || is_atom_named(p, argument, "asc");
}

}  // namespace

Term prim_list_sort_1(Process& p, Args args) { return sort(p, args, {}); }

Term prim_list_sort_2(Process& p, Args args) {
  SortSpec spec;
  if (!read_direction(p, args[1], spec.descending)) return badarg(p);
  return sort(p, args, spec);
}

Term prim_list_sort_values(Process& p, Args args) {
  SortSpec spec;
  spec.key = SortSpec::kFirstOfPair;
  if (!read_direction(p, args[1], spec.descending)) return badarg(p);
  return sort(p, args, spec);
}

Term prim_list_sort_by(Process& p, Args args) {
  SortSpec spec;
  spec.key = SortSpec::kElement;
  if (!args[1].is_small() || args[1].small_value() < 0) return badarg(p);
  spec.index = static_cast<std::size_t>(args[1].small_value());
  if (!read_direction(p, args[2], spec.descending)) return badarg(p);
  return sort(p, args, spec);
}

}  // namespace quelea
