// Sorting lists.
//
// Elements go into arrays outside of the heap, are sorted there and come back as a list written in
// one piece. Small integers are sorted digit by digit (least significant first); everything else
// bottom-up by merging, which is stable and compares least, on keys of one word that are equal only
// for terms that are close (sort_key.h). Either way the work can stop anywhere: up to kSmallList
// elements are sorted at once, more of them in slices of kSliceSteps steps, with the arrays as the
// native's rooted state. Nothing is allocated on the heap before the end, so no collection is
// caused on the way.
#include <algorithm>
#include <bit>

#include "vm/native/sort_key.h"
#include "vm/native/support.h"
#include "vm/term/compare.h"

namespace quelea {
namespace {

constexpr std::size_t kSmallList = 16 * 1024;
constexpr std::size_t kSliceSteps = 16 * 1024;
constexpr std::size_t kRunLength = 512;
constexpr unsigned kDigitBits = 11;
constexpr std::size_t kDigitValues = std::size_t{1} << kDigitBits;

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

/// An item and what it is sorted by.
struct Keyed {
  std::uint64_t key;
  Term item;
};

/// Says whether one item goes strictly in front of another. Keys of descending sorts are
/// complemented.
struct Before {
  const SortSpec& spec;
  const AtomTable& atoms;
  std::size_t* work;

  bool operator()(const Keyed& a, const Keyed& b) const {
    if (a.key != b.key) return a.key < b.key;
    return terms_before(a.item, b.item);
  }
  bool terms_before(Term a, Term b) const {
    const int order = compare(spec.key_of(a), spec.key_of(b), atoms, work);
    return spec.descending ? order > 0 : order < 0;
  }
  std::uint64_t key(Term item) const {
    const std::uint64_t key = sort_key(spec.key_of(item), atoms);
    return spec.descending ? ~key : key;
  }
};

/// The items are the first half of `roots`, the second half is where they go next; the halves
/// change roles. So do those of `keys`, which merging fills.
struct SortState : NativeState {
  enum Phase { kCollect, kCount, kDigits, kRuns, kMerge, kDone };
  Phase phase = kCollect;
  SortSpec spec;
  bool all_small = true;
  bool in_second = false;  ///< The items are in the second half now.
  std::size_t count = 0;
  std::size_t at = 0;  ///< Where the next step, run or pair of runs begins.

  // Merging.
  std::vector<std::uint64_t> keys;
  std::size_t width = kRunLength;
  bool merging = false;
  std::size_t left = 0, right = 0,
              out = 0;  ///< Next of the left run, of the right run, and of the result.

  // Digits.
  std::int64_t least = kMaxSmall, most = kMinSmall;
  unsigned digits = 0, digit = 0;
  std::vector<std::size_t>
      places;  ///< For each digit and value: first how many, then where the next one goes.

  std::size_t source() const { return in_second ? count : 0; }
  std::size_t target() const { return in_second ? 0 : count; }
};

/// The sorted items as a list, its cells one piece of memory. `item(i)` gives the i-th.
template <class Item>
Term list_of(Process& p, std::size_t count, const SortSpec& spec, Item&& item) {
  if (count == 0) return Term::nil_list();
  Word* cell = p.alloc(2 * count);
  const Term first = Term::cons(cell);
  for (std::size_t i = 0; i < count; ++i, cell += 2) {
    cell[0] = spec.result_of(item(i)).bits;
    cell[1] = i + 1 == count ? Term::nil_list().bits : Term::cons(cell + 2).bits;
  }
  charge_cells(p, count);
  return first;
}

// Digits ----------------------------------------------------------------------------------------
std::uint64_t digits_of(const SortState& s, Term item) {
  return static_cast<std::uint64_t>(s.spec.descending ? s.most - item.small_value()
                                                      : item.small_value() - s.least);
}

/// Counts how often each value of each digit occurs.
void count_some(SortState& s) {
  const std::size_t end = std::min(s.at + kSliceSteps * 4, s.count);
  for (; s.at < end; ++s.at) {
    const std::uint64_t value = digits_of(s, s.roots[s.at]);
    for (unsigned d = 0; d < s.digits; ++d) {
      ++s.places[d * kDigitValues + (value >> d * kDigitBits & (kDigitValues - 1))];
    }
  }
  if (s.at < s.count) return;
  for (unsigned d = 0; d < s.digits; ++d) {
    std::size_t next = 0;
    for (std::size_t v = 0; v < kDigitValues; ++v) {
      std::size_t& place = s.places[d * kDigitValues + v];
      const std::size_t here = place;
      place = next;
      next += here;
    }
  }
  s.at = 0;
  s.phase = SortState::kDigits;
}

/// Puts items where the current digit says.
void distribute_some(SortState& s) {
  const std::size_t end = std::min(s.at + kSliceSteps * 4, s.count);
  const Term* from = s.roots.data() + s.source();
  Term* to = s.roots.data() + s.target();
  std::size_t* places = s.places.data() + s.digit * kDigitValues;
  for (; s.at < end; ++s.at) {
    const std::uint64_t value = digits_of(s, from[s.at]);
    to[places[value >> s.digit * kDigitBits & (kDigitValues - 1)]++] = from[s.at];
  }
  if (s.at < s.count) return;
  s.at = 0;
  s.in_second = !s.in_second;
  if (++s.digit == s.digits) s.phase = SortState::kDone;
}

void begin_digits(SortState& s) {
  for (Term item : s.roots) {
    s.least = std::min(s.least, item.small_value());
    s.most = std::max(s.most, item.small_value());
  }
  const auto range = static_cast<std::uint64_t>(s.most - s.least);
  const auto bits = static_cast<unsigned>(std::bit_width(range));
  s.digits = (bits + kDigitBits - 1) / kDigitBits;
  s.places.assign(s.digits * kDigitValues, 0);
  s.phase = s.digits == 0 ? SortState::kDone : SortState::kCount;
}

// Merging ---------------------------------------------------------------------------------------
/// Sorts the run at `at` and gives its items their keys.
void sort_run(SortState& s, const Before& before) {
  Keyed run[kRunLength];
  const std::size_t length = std::min(kRunLength, s.count - s.at);
  for (std::size_t i = 0; i < length; ++i) {
    const Term item = s.roots[s.at + i];
    run[i] = {before.key(item), item};
  }
  std::stable_sort(run, run + length, before);
  for (std::size_t i = 0; i < length; ++i) {
    s.roots[s.at + i] = run[i].item;
    s.keys[s.at + i] = run[i].key;
  }
  s.at += length;
}

/// Moves [first, last) of the source to the target, from `out` on.
void move_items(SortState& s, std::size_t first, std::size_t last, std::size_t out) {
  const std::size_t from = s.source();
  const std::size_t to = s.target();
  std::copy(s.roots.begin() + static_cast<std::ptrdiff_t>(from + first),
            s.roots.begin() + static_cast<std::ptrdiff_t>(from + last),
            s.roots.begin() + static_cast<std::ptrdiff_t>(to + out));
  std::copy(s.keys.begin() + static_cast<std::ptrdiff_t>(from + first),
            s.keys.begin() + static_cast<std::ptrdiff_t>(from + last),
            s.keys.begin() + static_cast<std::ptrdiff_t>(to + out));
}

void begin_merge(SortState& s, const Before& before) {
  const std::size_t middle = std::min(s.at + s.width, s.count);
  const std::size_t end = std::min(s.at + 2 * s.width, s.count);
  s.left = s.at;
  s.right = middle;
  s.out = s.at;
  s.merging = true;
  // Runs that are in order already need no comparing: sorted input costs one comparison a pair of
  // runs.
  const std::size_t from = s.source();
  auto keyed = [&](std::size_t i) { return Keyed{s.keys[from + i], s.roots[from + i]}; };
  if (middle >= end || !before(keyed(middle), keyed(middle - 1))) {
    move_items(s, s.at, end, s.at);
    s.merging = false;
  }
}

/// Does up to `steps` steps of the merge under way; true when it is finished.
bool merge_some(SortState& s, std::size_t& steps, const Before& before) {
  const Term* items = s.roots.data() + s.source();
  const std::uint64_t* keys = s.keys.data() + s.source();
  Term* to_items = s.roots.data() + s.target();
  std::uint64_t* to_keys = s.keys.data() + s.target();
  const std::size_t middle = std::min(s.at + s.width, s.count);
  const std::size_t end = std::min(s.at + 2 * s.width, s.count);
  std::size_t left = s.left, right = s.right, out = s.out;
  for (; left < middle && right < end && steps > 0; --steps, ++out) {
    const bool from_right = keys[right] != keys[left]
                                ? keys[right] < keys[left]
                                : before.terms_before(items[right], items[left]);
    const std::size_t from = from_right ? right : left;
    to_items[out] = items[from];
    to_keys[out] = keys[from];
    right += from_right;
    left += !from_right;
  }
  if (left == middle || right == end) {
    move_items(s, left, middle, out);
    move_items(s, right, end, out + (middle - left));
    s.merging = false;
    return true;
  }
  s.left = left;
  s.right = right;
  s.out = out;
  return false;
}

void merge_runs(SortState& s, std::size_t steps, const Before& before) {
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

void sort_runs(SortState& s, std::size_t steps, const Before& before) {
  while (steps > 0 && s.phase == SortState::kRuns) {
    sort_run(s, before);
    steps -= std::min(steps, 8 * kRunLength);
    if (s.at == s.count) {
      s.at = 0;
      s.phase = s.width < s.count ? SortState::kMerge : SortState::kDone;
    }
  }
}

/// Sorts what was collected when the whole list is short.
Term sort_small(Process& p, Term list, const std::vector<Term>& items, const SortSpec& spec) {
  std::size_t work = 0;
  const Before before{spec, atoms_of(p), &work};
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  bool sorted = true;
  for (Term item : items) {
    keyed.push_back({before.key(item), item});
    const std::size_t n = keyed.size();
    sorted = sorted && (n == 1 || !before(keyed[n - 1], keyed[n - 2]));
  }
  charge_cells(p, 4 * items.size() + work);
  if (sorted && spec.key != SortSpec::kFirstOfPair) return list;
  if (!sorted) std::stable_sort(keyed.begin(), keyed.end(), before);
  return list_of(p, keyed.size(), spec, [&](std::size_t i) { return keyed[i].item; });
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

void collect_slice(SortState& s, Term rest) {
  if (!rest.is_nil_list()) return;
  s.count = s.roots.size();
  if (s.all_small && s.spec.key == SortSpec::kSelf) {
    begin_digits(s);
  } else {
    s.keys.resize(2 * s.count);
    s.phase = SortState::kRuns;
  }
  s.roots.resize(2 * s.count, Term::nil_list());
}

Term sort_slice(Process& p, Args args, SortState& s) {
  std::size_t work = 0;
  const Before before{s.spec, atoms_of(p), &work};
  Term rest = args[0];
  switch (s.phase) {
    case SortState::kCollect:
      if (!collect(rest, s.roots, s.spec, s.all_small, 4 * kSliceSteps)) return fail_sort(p);
      args.set(0, rest);
      collect_slice(s, rest);
      break;
    case SortState::kCount:
      count_some(s);
      break;
    case SortState::kDigits:
      distribute_some(s);
      break;
    case SortState::kRuns:
      sort_runs(s, kSliceSteps, before);
      break;
    case SortState::kMerge:
      merge_runs(s, kSliceSteps, before);
      break;
    case SortState::kDone:
      break;
  }
  p.charge(static_cast<std::int64_t>(kSliceSteps / 8 + work / 8));
  if (s.phase != SortState::kDone) return p.again();
  const Term* items = s.roots.data() + s.source();
  Term list = list_of(p, s.count, s.spec, [&](std::size_t i) { return items[i]; });
  drop_native_state(p);
  return list;
}

Term sort(Process& p, Args args, const SortSpec& spec) {
  if (auto* state = native_state<SortState>(p)) return sort_slice(p, args, *state);
  std::vector<Term> items;
  bool all_small = true;
  Term rest = args[0];
  if (!collect(rest, items, spec, all_small, kSmallList)) return badarg(p);
  if (rest.is_nil_list()) return sort_small(p, args[0], items, spec);
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
