// Sorting lists.
//
// Elements go into arrays outside of the heap, are sorted there and come back as a list written in
// one piece. Small integers are sorted digit by digit (least significant first); everything else
// bottom-up by merging, which is stable and compares least, on keys of one word that are equal only
// for terms that are close (sort_key.h). Either way the work can stop anywhere: up to kSmallList
// elements are sorted at once, more of them in slices of kSliceSteps steps, with the arrays as the
// native's state, which pins the heap. The result is written in slices, too.
#include <algorithm>
#include <bit>

#include "vm/base/raw_vector.h"
#include "vm/native/slices.h"
#include "vm/native/sort_key.h"
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

/// What is known of the elements seen so far.
struct Seen {
  bool all_small = true;
  std::int64_t least = kMaxSmall, most = kMinSmall;
};

/// The first half of `items` holds them, the second half is where they go next; the halves change
/// roles. So do those of `keys`, which merging fills.
struct SortState {
  enum Phase { kCollect, kCount, kDigits, kRuns, kMerge, kDone };
  Phase phase = kCollect;
  RawVector<Term> items;
  SortSpec spec;
  Seen seen;
  bool in_second = false;  ///< The items are in the second half now.
  std::size_t count = 0;
  /// Where the next step, run or pair of runs begins; at last, how many are in the result.
  std::size_t at = 0;

  /// Both are written from the beginning to the end once, before they are written everywhere.
  PagesAhead items_ahead, keys_ahead;

  // Merging.
  RawVector<std::uint64_t> keys;
  std::size_t width = kRunLength;
  bool merging = false;
  bool in_order = false;  ///< The two runs under way are, as they are.
  std::size_t left = 0, right = 0,
              out = 0;  ///< Next of the left run, of the right run, and of the result.

  // Digits.
  unsigned digits = 0, digit = 0;
  std::vector<std::size_t>
      places;  ///< For each digit and value: first how many, then where the next one goes.

  std::size_t source() const { return in_second ? count : 0; }
  std::size_t target() const { return in_second ? 0 : count; }
};

/// Sorted items as a list, its cells one piece of memory. `item(i)` gives the i-th.
template <class Item>
Term list_of(Process& p, std::size_t count, const SortSpec& spec, Item&& item,
             Term tail = Term::nil_list()) {
  if (count == 0) return tail;
  Word* cell = p.alloc(2 * count);
  const Term first = Term::cons(cell);
  for (std::size_t i = 0; i < count; ++i, cell += 2) {
    cell[0] = spec.result_of(item(i)).bits;
    cell[1] = i + 1 == count ? tail.bits : Term::cons(cell + 2).bits;
  }
  return first;
}

// Digits ----------------------------------------------------------------------------------------
std::uint64_t digits_of(const SortState& s, Term item) {
  return static_cast<std::uint64_t>(s.spec.descending ? s.seen.most - item.small_value()
                                                      : item.small_value() - s.seen.least);
}

/// Counts how often each value of each digit occurs.
void count_some(SortState& s) {
  const std::size_t end = std::min(s.at + kSliceSteps * 4, s.count);
  s.items_ahead.reach(s.items.data() + s.count + end);
  for (; s.at < end; ++s.at) {
    const std::uint64_t value = digits_of(s, s.items[s.at]);
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
  const Term* from = s.items.data() + s.source();
  Term* to = s.items.data() + s.target();
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
  const auto range = static_cast<std::uint64_t>(s.seen.most - s.seen.least);
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
    const Term item = s.items[s.at + i];
    run[i] = {before.key(item), item};
  }
  std::stable_sort(run, run + length, before);
  s.keys_ahead.reach(s.keys.data() + s.at + length);
  for (std::size_t i = 0; i < length; ++i) {
    s.items[s.at + i] = run[i].item;
    s.keys[s.at + i] = run[i].key;
  }
  s.at += length;
}

/// Moves items of the source, from `first` on and up to `last`, to where the result is; four of
/// them are a step.
void move_some(SortState& s, std::size_t& first, std::size_t last, std::size_t& steps) {
  const std::size_t count = std::min(last - first, 4 * steps);
  const std::size_t from = s.source() + first;
  const std::size_t to = s.target() + s.out;
  std::copy_n(&s.items[from], count, &s.items[to]);
  std::copy_n(&s.keys[from], count, &s.keys[to]);
  first += count;
  s.out += count;
  steps -= (count + 3) / 4;
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
  auto keyed = [&](std::size_t i) { return Keyed{s.keys[from + i], s.items[from + i]}; };
  s.in_order = middle >= end || !before(keyed(middle), keyed(middle - 1));
}

/// Does up to `steps` steps of the merge under way; true when it is finished.
bool merge_some(SortState& s, std::size_t& steps, const Before& before) {
  const Term* items = s.items.data() + s.source();
  const std::uint64_t* keys = s.keys.data() + s.source();
  Term* to_items = s.items.data() + s.target();
  std::uint64_t* to_keys = s.keys.data() + s.target();
  const std::size_t middle = std::min(s.at + s.width, s.count);
  const std::size_t end = std::min(s.at + 2 * s.width, s.count);
  std::size_t left = s.left, right = s.right, out = s.out;
  s.items_ahead.reach(to_items + std::min(out + 4 * steps, end));
  s.keys_ahead.reach(to_keys + std::min(out + 4 * steps, end));
  for (; !s.in_order && left < middle && right < end && steps > 0; --steps, ++out) {
    const bool from_right = keys[right] != keys[left]
                                ? keys[right] < keys[left]
                                : before.terms_before(items[right], items[left]);
    const std::size_t from = from_right ? right : left;
    to_items[out] = items[from];
    to_keys[out] = keys[from];
    right += from_right;
    left += !from_right;
  }
  s.left = left;
  s.right = right;
  s.out = out;
  if (!s.in_order && left < middle && right < end) return false;
  move_some(s, s.left, middle, steps);
  move_some(s, s.right, end, steps);
  s.merging = s.left < middle || s.right < end;
  return !s.merging;
}

void merge_runs(SortState& s, std::size_t steps, const Before& before) {
  while (steps > 0 && s.phase == SortState::kMerge) {
    if (!s.merging) {
      begin_merge(s, before);
      --steps;
    }
    if (!merge_some(s, steps, before)) continue;
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
Term sort_small(Process& p, Term list, RawVector<Term>& items, const SortSpec& spec,
                const Before& before) {
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  bool sorted = true;
  for (Term item : items) {
    keyed.push_back({before.key(item), item});
    const std::size_t n = keyed.size();
    sorted = sorted && (n == 1 || !before(keyed[n - 1], keyed[n - 2]));
  }
  if (sorted && spec.key != SortSpec::kFirstOfPair) return list;
  if (!sorted) std::stable_sort(keyed.begin(), keyed.end(), before);
  return list_of(p, keyed.size(), spec, [&](std::size_t i) { return keyed[i].item; });
}

/// Moves up to `steps` elements of `rest` to the array. False where one does not fit.
bool collect(Term& rest, RawVector<Term>& items, const SortSpec& spec, Seen& seen,
             std::size_t steps) {
  for (; steps > 0 && rest.is_cons(); --steps, rest = rest.tail()) {
    const Term item = rest.head();
    if (!spec.fits(item)) return false;
    seen.all_small = seen.all_small && item.is_small();
    if (seen.all_small) {
      seen.least = std::min(seen.least, item.small_value());
      seen.most = std::max(seen.most, item.small_value());
    }
    items.push_back(item);
  }
  return rest.is_list();
}

struct Sort {
  Sort(Process&, Args args, const SortSpec& spec) : list(args[0]), rest(args[0]) { s.spec = spec; }
  Term list;
  Term rest;
  SortState s;
  Term result = Term::none();

  bool step(Process& p, std::size_t& cost) {
    const Before before{s.spec, atoms_of(p), &cost};
    switch (s.phase) {
      case SortState::kCollect:
        return collect_some(p, before, cost);
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
        return write_some(p, cost);
    }
    cost += kSliceSteps;
    return true;
  }
  Term finish(Process& p) { return result.is_none() ? badarg(p) : result; }

 private:
  bool collect_some(Process& p, const Before& before, std::size_t& cost) {
    const bool is_first = s.items.empty();
    if (!collect(rest, s.items, s.spec, s.seen, kSmallList)) return false;
    cost += kSmallList / 2;
    if (!rest.is_nil_list()) return true;
    if (is_first) {
      cost += 4 * s.items.size();
      result = sort_small(p, list, s.items, s.spec, before);
      return false;
    }
    s.count = s.items.size();
    if (s.seen.all_small && s.spec.key == SortSpec::kSelf) {
      begin_digits(s);
    } else {
      s.keys.resize_raw(2 * s.count);
      s.keys_ahead = PagesAhead(s.keys.data(), 2 * s.count * sizeof(std::uint64_t));
      s.phase = SortState::kRuns;
    }
    s.items.resize_raw(2 * s.count);
    s.items_ahead = PagesAhead(s.items.data() + s.count, s.count * sizeof(Term));
    return true;
  }

  /// The result, from its end on.
  bool write_some(Process& p, std::size_t& cost) {
    const std::size_t left = s.count - s.at;
    const std::size_t some = std::min(left, kSliceSteps);
    const Term* items = s.items.data() + s.source() + (left - some);
    const Term tail = result.is_none() ? Term::nil_list() : result;
    result = list_of(
        p, some, s.spec, [&](std::size_t i) { return items[i]; }, tail);
    s.at += some;
    cost += some;
    return s.at < s.count;
  }
};

bool read_direction(Process& p, Term argument, bool& descending) {
  descending = is_atom_named(p, argument, "desc");
  return descending || is_atom_named(p, argument, "asc");
}

// What the natives compare; their arguments are fine.
struct SortPlain : Sort {
  SortPlain(Process& p, Args args) : Sort(p, args, {}) {}
};
struct SortDirected : Sort {
  SortDirected(Process& p, Args args) : Sort(p, args, spec(p, args, SortSpec::kSelf)) {}
  static SortSpec spec(Process& p, Args args, SortSpec::Key key) {
    SortSpec spec;
    spec.key = key;
    read_direction(p, args[1], spec.descending);
    return spec;
  }
};
struct SortValues : Sort {
  SortValues(Process& p, Args args)
      : Sort(p, args, SortDirected::spec(p, args, SortSpec::kFirstOfPair)) {}
};
struct SortByElement : Sort {
  SortByElement(Process& p, Args args) : Sort(p, args, spec(p, args)) {}
  static SortSpec spec(Process& p, Args args) {
    SortSpec spec;
    spec.key = SortSpec::kElement;
    spec.index = static_cast<std::size_t>(args[1].small_value());
    read_direction(p, args[2], spec.descending);
    return spec;
  }
};

}  // namespace

Term prim_list_sort_1(Process& p, Args args) { return in_slices<SortPlain>(p, args); }

Term prim_list_sort_2(Process& p, Args args) {
  bool descending = false;
  if (!read_direction(p, args[1], descending)) return badarg(p);
  return in_slices<SortDirected>(p, args);
}

Term prim_list_sort_values(Process& p, Args args) {
  bool descending = false;
  if (!read_direction(p, args[1], descending)) return badarg(p);
  return in_slices<SortValues>(p, args);
}

Term prim_list_sort_by(Process& p, Args args) {
  bool descending = false;
  if (!args[1].is_small() || args[1].small_value() < 0) return badarg(p);
  if (!read_direction(p, args[2], descending)) return badarg(p);
  return in_slices<SortByElement>(p, args);
}

}  // namespace quelea
