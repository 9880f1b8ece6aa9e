// Lists by equal elements: unique ones, counts, groups.
//
// All of these number the distinct keys in a hash table outside of the heap; nothing moves while a
// native runs, so the table holds plain terms.
#include "vm/native/list_builder.h"
#include "vm/native/support.h"
#include "vm/term/compare.h"
#include "vm/term/hash.h"

namespace quelea {
namespace {

/// Numbers distinct terms 0, 1, 2, … in the order in which they come.
class TermNumbers {
 public:
  explicit TermNumbers(const AtomTable& atoms) : atoms_(atoms), slots_(64, kFree) {}

  std::size_t number_of(Term term, bool& is_new) {
    const std::uint64_t hash = hash_term(term, atoms_, &work_);
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      const std::uint32_t number = slots_[i];
      if (number == kFree) break;
      if (hashes_[number] == hash && exact_equal(terms_[number], term, &work_)) {
        is_new = false;
        return number;
      }
    }
    is_new = true;
    terms_.push_back(term);
    hashes_.push_back(hash);
    if (terms_.size() * 2 > slots_.size()) {
      grow();
    } else {
      place(hash, static_cast<std::uint32_t>(terms_.size() - 1));
    }
    return terms_.size() - 1;
  }
  std::size_t size() const { return terms_.size(); }
  Term term(std::size_t number) const { return terms_[number]; }
  std::size_t work() const { return work_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  void place(std::uint64_t hash, std::uint32_t number) {
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i] != kFree) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = number;
  }
  void grow() {
    slots_.assign(slots_.size() * 2, kFree);
    for (std::uint32_t n = 0; n < terms_.size(); ++n) place(hashes_[n], n);
  }

  const AtomTable& atoms_;
  std::vector<std::uint32_t> slots_;
  std::vector<Term> terms_;
  std::vector<std::uint64_t> hashes_;
  std::size_t work_ = 0;
};

}  // namespace

Term prim_list_uniq(Process& p, Args args) {
  TermNumbers numbers(atoms_of(p));
  ListBuilder out(p);
  std::size_t n = 0;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail(), ++n) {
    bool is_new = false;
    numbers.number_of(rest.head(), is_new);
    if (is_new) out.push(rest.head());
  }
  charge_cells(p, 4 * n + numbers.work());
  if (!rest.is_nil_list()) return badarg(p);
  return out.size() == n ? args[0] : out.finish();
}

Term prim_list_uniq_values(Process& p, Args args) {
  TermNumbers numbers(atoms_of(p));
  ListBuilder out(p);
  std::size_t n = 0;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail(), ++n) {
    if (!is_pair(rest.head())) return badarg(p);
    bool is_new = false;
    numbers.number_of(tuple_at(rest.head(), 0), is_new);
    if (is_new) out.push(tuple_at(rest.head(), 1));
  }
  charge_cells(p, 4 * n + numbers.work());
  if (!rest.is_nil_list()) return badarg(p);
  return out.finish();
}

Term prim_list_dedup(Process& p, Args args) {
  ListBuilder out(p);
  std::size_t work = 0;
  Term previous = Term::none();
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail(), ++work) {
    if (!previous.is_none() && exact_equal(previous, rest.head(), &work)) continue;
    previous = rest.head();
    out.push(previous);
  }
  charge_cells(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  return out.finish();
}

Term prim_list_frequencies(Process& p, Args args) {
  TermNumbers numbers(atoms_of(p));
  std::vector<std::int64_t> counts;
  std::size_t n = 0;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail(), ++n) {
    bool is_new = false;
    const std::size_t number = numbers.number_of(rest.head(), is_new);
    if (is_new) counts.push_back(0);
    ++counts[number];
  }
  charge_cells(p, 4 * n + numbers.work());
  if (!rest.is_nil_list()) return badarg(p);
  std::vector<Term> pairs;
  pairs.reserve(2 * numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    pairs.push_back(numbers.term(i));
    pairs.push_back(Term::small(counts[i]));
  }
  charge_cells(p, 4 * numbers.size());
  return map_from_pairs(p, pairs.data(), numbers.size(), atoms_of(p));
}

Term prim_list_group(Process& p, Args args) {
  TermNumbers numbers(atoms_of(p));
  // Values are put in front of their group from the last to the first, so groups come out in order.
  std::vector<std::pair<std::size_t, Term>> members;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    if (!is_pair(rest.head())) return badarg(p);
    bool is_new = false;
    const std::size_t number = numbers.number_of(tuple_at(rest.head(), 0), is_new);
    members.emplace_back(number, tuple_at(rest.head(), 1));
  }
  charge_cells(p, 6 * members.size() + numbers.work());
  if (!rest.is_nil_list()) return badarg(p);
  std::vector<Term> pairs(2 * numbers.size(), Term::nil_list());
  for (std::size_t i = 0; i < numbers.size(); ++i) pairs[2 * i] = numbers.term(i);
  for (std::size_t i = members.size(); i > 0; --i) {
    Term& group = pairs[2 * members[i - 1].first + 1];
    group = p.cons(members[i - 1].second, group);
  }
  charge_cells(p, 4 * numbers.size());
  return map_from_pairs(p, pairs.data(), numbers.size(), atoms_of(p));
}

}  // namespace quelea
