// Lists by equal elements: unique ones, counts, groups.
//
// All of these number the distinct keys in a hash table outside of the heap, in slices; nothing
// moves before they are done, so the table holds plain terms.
#include <algorithm>
#include <cstring>
#include <memory>

#include "vm/base/memory.h"
#include "vm/native/list_builder.h"
#include "vm/native/map_work.h"
#include "vm/term/compare.h"
#include "vm/term/hash.h"

namespace quelea {
namespace {

/// Numbers distinct terms 0, 1, 2, … in the order in which they come. Where many of one hash meet,
/// somebody made them up: from then on it is the strong hash that places them.
class TermNumbers {
 public:
  explicit TermNumbers(const AtomTable& atoms) : atoms_(&atoms) { clear_slots(64); }

  /// Not while `is_growing`.
  std::size_t number_of(Term term, bool& is_new, std::size_t& cost) {
    const std::uint64_t hash = hash_of(term, cost);
    cost += 4;
    unsigned of_one_hash = 0;
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      if (slots_[i] == 0) break;
      const std::uint32_t number = slots_[i] - 1;
      if (hashes_[number] != hash) continue;
      if (exact_equal(terms_[number], term, &cost)) {
        is_new = false;
        return number;
      }
      ++of_one_hash;
    }
    is_new = true;
    terms_.push_back(term);
    hashes_.push_back(hash);
    const bool full = terms_.size() * 2 > mask_ + 1;
    if (QUELEA_UNLIKELY(full || (of_one_hash > kMostOfOneHash && !strong_))) {
      if (of_one_hash > kMostOfOneHash && !strong_) {
        strong_ = true;
        weak_ = terms_.size();
      }
      clear_slots(full ? 2 * (mask_ + 1) : mask_ + 1);
      placed_ = 0;
    } else {
      placed_ = terms_.size();
      place(hash, static_cast<std::uint32_t>(terms_.size() - 1));
    }
    return terms_.size() - 1;
  }
  /// After the table has become larger, its numbers find their new places step by step.
  bool is_growing() const { return placed_ < terms_.size(); }
  void grow(std::size_t& cost) {
    if (cleared_ <= mask_) {
      cost += kClearedAtOnce / 4;
      clear_some();
      return;
    }
    const std::size_t end = std::min(placed_ + 512, terms_.size());
    cost += 2 * (end - placed_);
    for (; placed_ < end; ++placed_) {
      if (QUELEA_UNLIKELY(placed_ < weak_)) {
        hashes_[placed_] = hash_of(terms_[placed_], cost);
        cost += 64;
      }
      place(hashes_[placed_], static_cast<std::uint32_t>(placed_));
    }
    if (placed_ == terms_.size()) weak_ = 0;
  }
  std::size_t size() const { return terms_.size(); }
  Term term(std::size_t number) const { return terms_[number]; }

 private:
  static constexpr unsigned kMostOfOneHash = 32;
  static constexpr std::size_t kClearedAtOnce = 16 * 1024;

  std::uint64_t hash_of(Term term, std::size_t& cost) const {
    const std::uint64_t hash = hash_term(term, *atoms_, &cost);
    return QUELEA_UNLIKELY(strong_) && !gave_up(cost) ? hash_strong(term, *atoms_) : hash;
  }
  /// Little by little: what comes next writes everywhere.
  void clear_slots(std::size_t count) {
    slots_ = {};
    slots_.resize_raw(count);
    slots_ahead_ = PagesAhead(slots_.data(), count * sizeof(std::uint32_t));
    mask_ = count - 1;
    cleared_ = 0;
    clear_some();
  }
  void clear_some() {
    const std::size_t some = std::min(kClearedAtOnce, mask_ + 1 - cleared_);
    slots_ahead_.reach(&slots_[cleared_] + some);
    std::fill_n(&slots_[cleared_], some, 0);
    cleared_ += some;
  }
  void place(std::uint64_t hash, std::uint32_t number) {
    std::size_t i = hash & mask_;
    while (slots_[i] != 0) i = (i + 1) & mask_;
    slots_[i] = number + 1;
  }
  const AtomTable* atoms_;
  RawVector<std::uint32_t> slots_;  ///< Numbers from 1; 0 is free.
  PagesAhead slots_ahead_;
  std::size_t mask_ = 0;
  std::size_t cleared_ = 0;  ///< How many of `slots_` were.
  RawVector<Term> terms_;
  RawVector<std::uint64_t> hashes_;
  std::size_t placed_ = 0;  ///< How many are in `slots_`.
  bool strong_ = false;
  std::size_t weak_ = 0;  ///< So many in front still have their fast hashes.
};

/// A walk that numbers the elements, or the first of each pair.
struct Numbered {
  Numbered(Process& p, Args args) : rest(args[0]), numbers(atoms_of(p)) {}
  Term rest;
  TermNumbers numbers;
};

struct Uniq : Numbered {
  Uniq(Process& p, Args args) : Numbered(p, args), whole(args[0]), out(p) {}
  Term whole;
  ListBuilder out;
  std::size_t seen = 0;

  bool step(Process&, std::size_t& cost) {
    if (numbers.is_growing()) return numbers.grow(cost), true;
    if (!rest.is_cons()) return false;
    bool is_new = false;
    numbers.number_of(rest.head(), is_new, cost);
    if (is_new) out.push(rest.head());
    rest = rest.tail();
    ++seen;
    return true;
  }
  Term finish(Process& p) {
    if (!rest.is_nil_list()) return badarg(p);
    return out.size() == seen ? whole : out.finish();
  }
};

struct UniqValues : Numbered {
  UniqValues(Process& p, Args args) : Numbered(p, args), out(p) {}
  ListBuilder out;

  bool step(Process&, std::size_t& cost) {
    if (numbers.is_growing()) return numbers.grow(cost), true;
    if (!rest.is_cons() || !is_pair(rest.head())) return false;
    bool is_new = false;
    numbers.number_of(tuple_at(rest.head(), 0), is_new, cost);
    if (is_new) out.push(tuple_at(rest.head(), 1));
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? out.finish() : badarg(p); }
};

struct Dedup {
  Dedup(Process& p, Args args) : rest(args[0]), out(p) {}
  Term rest;
  Term previous = Term::none();
  ListBuilder out;

  bool step(Process&, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    ++cost;
    if (previous.is_none() || !exact_equal(previous, rest.head(), &cost)) {
      previous = rest.head();
      out.push(previous);
    }
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) { return rest.is_nil_list() ? out.finish() : badarg(p); }
};

struct Frequencies : Numbered, MapWork {
  Frequencies(Process& p, Args args) : Numbered(p, args), MapWork(p) {}
  RawVector<std::int64_t> counts;
  std::size_t added = 0;

  bool step(Process& p, std::size_t& cost) {
    if (building) return build_some(p, cost);
    if (numbers.is_growing()) return numbers.grow(cost), true;
    if (rest.is_cons()) {
      bool is_new = false;
      const std::size_t number = numbers.number_of(rest.head(), is_new, cost);
      if (is_new) counts.push_back(0);
      ++counts[number];
      rest = rest.tail();
      return true;
    }
    if (!rest.is_nil_list()) return false;
    if (added == counts.size()) return start_building();
    add(numbers.term(added), Term::small(counts[added]), cost);
    ++added;
    return true;
  }
};

/// Values are put in front of their group from the last to the first, so groups come out in order.
struct Group : Numbered, MapWork {
  Group(Process& p, Args args) : Numbered(p, args), MapWork(p) {}
  struct Member {
    std::size_t group;
    Term value;
  };
  RawVector<Member> members;
  RawVector<Term> groups;
  std::size_t added = 0;

  bool step(Process& p, std::size_t& cost) {
    if (building) return build_some(p, cost);
    if (numbers.is_growing()) return numbers.grow(cost), true;
    if (rest.is_cons()) {
      if (!is_pair(rest.head())) return false;
      bool is_new = false;
      const std::size_t number = numbers.number_of(tuple_at(rest.head(), 0), is_new, cost);
      if (is_new) groups.push_back(Term::nil_list());
      members.push_back({number, tuple_at(rest.head(), 1)});
      rest = rest.tail();
      return true;
    }
    if (!rest.is_nil_list()) return false;
    if (!members.empty()) {
      Term& group = groups[members.back().group];
      group = p.cons(members.back().value, group);
      members.pop_back();
      cost += 2;
      return true;
    }
    if (added == groups.size()) return start_building();
    add(numbers.term(added), groups[added], cost);
    ++added;
    return true;
  }
};

}  // namespace

Term prim_list_uniq(Process& p, Args args) { return in_slices<Uniq>(p, args); }
Term prim_list_uniq_values(Process& p, Args args) { return in_slices<UniqValues>(p, args); }
Term prim_list_dedup(Process& p, Args args) { return in_slices<Dedup>(p, args); }
Term prim_list_frequencies(Process& p, Args args) { return in_slices<Frequencies>(p, args); }
Term prim_list_group(Process& p, Args args) { return in_slices<Group>(p, args); }

}  // namespace quelea
