#include "vm/term/copy.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "vm/term/binary.h"
#include "vm/term/identity.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

// Remembering every object would cost more than copying it. So small ones are left out, in a way
// that bounds what a reference to a shared part can repeat: an object of up to kSmallWords is not
// remembered where it holds no pointers, or where what it lies in is remembered or a list (its own
// parts then are); of the cells of a list, its first is, and then one in kCellStride.
constexpr std::size_t kSmallWords = 8;
constexpr unsigned kCellStride = 16;

/// Tuples of so many immediates are copied without ado.
constexpr std::size_t kFlatElements = 8;

/// From source objects to copies: open addressing on addresses.
class CopyTable {
 public:
  Term find(const Word* object) const {
    if (slots_.empty()) return Term::none();
    for (std::size_t at = place(object);; at = (at + 1) & mask_) {
      if (slots_[at].from == object) return slots_[at].to;
      if (slots_[at].from == nullptr) return Term::none();
    }
  }
  void add(const Word* object, Term copy) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    insert({object, copy});
    ++count_;
  }

 private:
  struct Slot {
    const Word* from = nullptr;
    Term to{0};
  };
  std::size_t place(const Word* object) const {
    std::uint64_t hash = reinterpret_cast<Word>(object) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(hash >> 20) & mask_;
  }
  void insert(Slot slot) {
    std::size_t at = place(slot.from);
    while (slots_[at].from != nullptr) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_ = std::vector<Slot>(old.empty() ? 1024 : 2 * old.size());
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.from != nullptr) insert(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

/// Counts or copies a term as a tree: what it refers to twice counts twice. Depth first, with
/// ranges of words that are still to be copied on a stack of its own. Counting and copying take the
/// same way, so that a copy takes exactly what was counted.
template <bool kCopies>
class PlainCopier {
 public:
  PlainCopier(TermAlloc* to, const CopyOptions& options, std::size_t cap)
      : to_(to), options_(options), cap_(cap) {}

  Term run(Term term) {
    Word result = term.bits;
    if (kCopies) hp_ = to_->hp;
    now_ = {&term.bits, &result, 1};
    walk();
    if (kCopies) to_->hp = hp_;
    return {result};
  }

  std::size_t words = 0;

 private:
  struct Range {
    const Word* from;
    Word* to;
    std::size_t count;
  };

  bool fixed(Word word) const {
    return Term{word}.is_immediate() || options_.is_literal(Term{word}.pointer());
  }

  Word* make(std::size_t count) {
    words += count;
    Word* result = hp_;
    if (kCopies) hp_ += count;
    return result;
  }

  void enter(const Word* from, Word* to, std::size_t count) {
    if (now_.count > 0) stack_.push(now_);
    now_ = {from, to, count};
  }

  void walk() {
    for (;;) {
      if (now_.count == 0) {
        if (stack_.empty()) return;
        now_ = stack_.take();
      }
      const Word word = *now_.from++;
      Word* slot = now_.to++;
      --now_.count;
      if (fixed(word)) {
        if (kCopies) *slot = word;
      } else if (Term{word}.is_cons()) {
        list(Term{word}, slot);
      } else {
        boxed(Term{word}, slot);
      }
      if (!kCopies && words >= cap_) return;
    }
  }

  /// The cells of a list with their heads, in one loop as far as those are plain; where one is not,
  /// the rest is left to `walk`.
  void list(Term cell, Word* slot) {
    for (;;) {
      const Word* from = cell.pointer();
      Word* to = make(2);
      if (kCopies) *slot = Term::cons(to).bits;
      const Term head{from[0]}, tail{from[1]};
      if (fixed(head.bits)) {
        if (kCopies) to[0] = head.bits;
      } else if (!flat_tuple(head, to)) {
        return enter(from, to, 2);
      }
      slot = to + 1;
      if (!tail.is_cons() || options_.is_literal(tail.pointer()) || (!kCopies && words >= cap_)) {
        return enter(from + 1, slot, 1);
      }
      cell = tail;
    }
  }

  /// A small tuple that refers to nothing. False: it is something else, and nothing was made.
  bool flat_tuple(Term term, Word* slot) {
    if (!is_tuple(term)) return false;
    const Word* from = term.pointer();
    const std::size_t count = tuple_size(term);
    if (count > kFlatElements) return false;
    // Behind `hp_` is room for all of it, for it is counted as what it is in any case.
    for (std::size_t i = 1; i <= count; ++i) {
      if (!fixed(from[i])) return false;
      if (kCopies) hp_[i] = from[i];
    }
    Word* to = make(1 + count);
    if (kCopies) {
      to[0] = from[0];
      *slot = Term::boxed(to).bits;
    }
    return true;
  }

  void boxed(Term term, Word* slot) {
    const Word* from = term.pointer();
    const Header header{from[0]};
    switch (header.kind()) {
      case Kind::RefBinary:
        return ref_binary(term, slot);
      case Kind::SubBinary:
        // A small window would keep a large buffer alive: its bytes travel alone.
        if (binary_bits(term) <= kMaxHeapBinaryBytes * 8) return small_part(term, slot);
        break;
      case Kind::FlatMap:
        return flat_map(from, header.payload_words(), slot);
      default:
        break;
    }
    const std::size_t count = header.payload_words();
    Word* to = make(1 + count);
    if (kCopies) {
      to[0] = from[0];
      *slot = reinterpret_cast<Word>(to) | (term.bits & kTagMask);
    }
    if (is_raw_kind(header.kind())) {
      if (kCopies) std::memcpy(to + 1, from + 1, count * sizeof(Word));
      return;
    }
    payload(from, to, count);
  }

  /// The words behind a header: leading ones that refer to nothing at once.
  void payload(const Word* from, Word* to, std::size_t count) {
    std::size_t i = 1;
    for (; i <= count && fixed(from[i]); ++i) {
      if (kCopies) to[i] = from[i];
    }
    if (i <= count) enter(from + i, kCopies ? to + i : to, count + 1 - i);
  }

  void ref_binary(Term term, Word* slot) {
    words += 4;
    if (!kCopies) return;
    SharedBytes* shared = ref_binary_bytes(term);
    shared->retain();
    to_->hp = hp_;
    *slot = binary_from_shared(*to_, shared, binary_bits(term)).bits;
    hp_ = to_->hp;
  }

  void small_part(Term term, Word* slot) {
    words += 2 + (binary_bits(term) + 63) / 64;
    if (!kCopies) return;
    to_->hp = hp_;
    *slot = binary_from_view(*to_, binary_view(term)).bits;
    hp_ = to_->hp;
  }

  /// Maps of one shape come in rows: their tuple of keys is copied once as long as it is the same
  /// one.
  void flat_map(const Word* from, std::size_t count, Word* slot) {
    Word* to = make(1 + count);
    if (kCopies) {
      to[0] = from[0];
      to[1] = from[1];
      *slot = Term::boxed(to).bits;
    }
    enter(from + 2, kCopies ? to + 2 : to, count - 1);
    const Term keys{from[1]};
    if (fixed(keys.bits)) return;
    if (keys != last_keys_) {
      const std::size_t key_count = header_of(keys).payload_words();
      Word* keys_to = make(1 + key_count);
      if (kCopies) {
        keys_to[0] = keys.pointer()[0];
        last_keys_copy_ = Term::boxed(keys_to).bits;
      }
      last_keys_ = keys;
      payload(keys.pointer(), keys_to, key_count);
    }
    if (kCopies) to[1] = last_keys_copy_;
  }

  TermAlloc* to_;
  const CopyOptions& options_;
  const std::size_t cap_;
  Word* hp_ = nullptr;
  Range now_{};
  WorkStack<Range> stack_;
  Term last_keys_ = Term::none();
  Word last_keys_copy_ = 0;
};

/// Copies a term past the threshold, keeping what is shared in it.
class SharingCopier {
 public:
  SharingCopier(TermAlloc* to, const CopyOptions& options) : to_(to), options_(options) {}

  Term run(Term term) {
    Word result = term.bits;
    if (!fixed(term)) {
      object(term, &result, true);
      walk();
    }
    return {result};
  }

  std::size_t words = 0;

 private:
  /// Words of a source object that are still to be copied, and where to.
  struct Range {
    const Word* from;
    Word* to;
    std::size_t count;
    bool loose;     // small parts need not be remembered
    bool is_cell;   // the words of a list's cell, whose tail goes on with the list
    unsigned cell;  // how far that cell is from where the list was entered
  };

  bool fixed(Term term) const { return term.is_immediate() || options_.is_literal(term.pointer()); }

  void walk() {
    while (now_.count > 0 || !stack_.empty()) {
      if (now_.count == 0) now_ = stack_.take();
      Term term{*now_.from++};
      Word* to = now_.to++;
      --now_.count;
      if (fixed(term)) {
        *to = term.bits;
      } else if (term.is_cons() && now_.is_cell && now_.count == 0) {
        cells(term, to, now_.cell + 1);
      } else {
        object(term, to, now_.loose);
      }
    }
  }

  Word* make(std::size_t count) {
    words += count;
    return to_->alloc(count);
  }

  void open(const Word* from, Word* to, std::size_t count, bool loose) {
    if (now_.count > 0) stack_.push(now_);
    now_ = {from, to, count, loose, false, 0};
  }

  /// True, with the slot filled, where the object was copied before.
  bool known(Term term, Word* slot) {
    Term copy = table_.find(term.pointer());
    if (copy.is_none()) return false;
    *slot = copy.bits;
    return true;
  }

  /// Copies an object itself into `*slot` and leaves its parts to `walk`.
  void object(Term term, Word* slot, bool loose) {
    if (term.is_float()) {
      Word* to = make(2);
      std::memcpy(to, term.pointer(), 2 * sizeof(Word));
      *slot = Term::boxed_float(to).bits;
      return;
    }
    if (term.is_cons() && (term.tail().is_cons() || !loose)) return cells(term, slot, 0);
    const bool remember = worth_it(term, loose);
    if (remember && known(term, slot)) return;
    Term copy;
    if (term.is_cons()) {
      Word* to = make(2);
      open(term.pointer(), to, 2, false);
      copy = Term::cons(to);
    } else {
      copy = boxed(term, remember);
    }
    *slot = copy.bits;
    if (remember) table_.add(term.pointer(), copy);
  }

  /// Copies the cells of a list, up to the first element that is an object.
  void cells(Term term, Word* slot, unsigned cell) {
    for (;; ++cell) {
      const bool remember = cell % kCellStride == 0;
      if (remember && known(term, slot)) return;
      const Word* from = term.pointer();
      Word* to = make(2);
      *slot = Term::cons(to).bits;
      if (remember) table_.add(from, Term::cons(to));
      Term head{from[0]}, tail{from[1]};
      if (!fixed(head)) {
        open(from, to, 2, true);
        now_.is_cell = true;
        now_.cell = cell;
        return;
      }
      to[0] = head.bits;
      slot = to + 1;
      if (fixed(tail)) {
        *slot = tail.bits;
        return;
      }
      if (!tail.is_cons()) return object(tail, slot, true);
      term = tail;
    }
  }

  Term boxed(Term term, bool remembered) {
    const Word* from = term.pointer();
    Header header = header_of(term);
    std::size_t count = header.payload_words();
    switch (header.kind()) {
      case Kind::RefBinary:
        return ref_binary(term);
      case Kind::SubBinary:
        // A small window would keep a large buffer alive: its bytes travel alone.
        if (binary_bits(term) <= kMaxHeapBinaryBytes * 8) return small_part(term);
        break;
      case Kind::FlatMap:
        return flat_map(term, remembered);
      default:
        break;
    }
    Word* to = make(1 + count);
    to[0] = from[0];
    if (is_raw_kind(header.kind())) std::memcpy(to + 1, from + 1, count * sizeof(Word));
    if (!is_raw_kind(header.kind()) && count > 0) {
      open(from + 1, to + 1, count, remembered);
    }
    return Term::boxed(to);
  }

  Term ref_binary(Term term) {
    SharedBytes* shared = ref_binary_bytes(term);
    shared->retain();
    words += 4;
    return binary_from_shared(*to_, shared, binary_bits(term));
  }

  Term small_part(Term term) {
    words += 2 + (binary_bits(term) + 63) / 64;
    return binary_from_view(*to_, binary_view(term));
  }

  /// Maps of one shape come in rows: their tuple of keys is copied once as long as it is the same
  /// one.
  Term flat_map(Term map, bool remembered) {
    const Word* from = map.pointer();
    std::size_t count = header_of(map).payload_words();
    Word* to = make(1 + count);
    to[0] = from[0];
    open(from + 2, to + 2, count - 1, remembered);
    Term keys{from[1]};
    if (fixed(keys)) {
      to[1] = keys.bits;
    } else if (keys == last_keys_) {
      to[1] = last_keys_copy_;
    } else {
      last_keys_ = keys;
      object(keys, &to[1], remembered);
      last_keys_copy_ = to[1];
    }
    return Term::boxed(to);
  }

  bool worth_it(Term term, bool loose) const {
    if (term.is_cons()) return false;  // a single cell
    std::size_t count = header_of(term).payload_words();
    if (count > kSmallWords) return true;
    if (loose || is_raw_kind(header_of(term).kind())) return false;
    const Word* at = term.pointer() + 1;
    for (std::size_t i = 0; i < count; ++i) {
      if (!fixed({at[i]})) return true;
    }
    return false;
  }

  TermAlloc* to_;
  const CopyOptions& options_;
  Range now_{nullptr, nullptr, 0, true, false, 0};
  WorkStack<Range> stack_;
  CopyTable table_;
  Term last_keys_ = Term::none();
  Word last_keys_copy_ = 0;
};

// What most messages are, a small tuple of immediates, literals and references, takes a short way.
bool stays_where_it_is(Term term, const CopyOptions& options) {
  return term.is_immediate() || options.is_literal(term.pointer());
}

/// Words of such a tuple; 0: it is something else.
std::size_t flat_words(Term term, const CopyOptions& options) {
  if (!is_tuple(term) || options.is_literal(term.pointer())) return 0;
  const std::size_t count = tuple_size(term);
  if (count > kFlatElements) return 0;
  std::size_t words = 1 + count;
  for (std::size_t i = 0; i < count; ++i) {
    const Term element = tuple_at(term, i);
    if (stays_where_it_is(element, options)) continue;
    if (!element.is_kind(Kind::Ref)) return 0;
    words += 1 + header_of(element).payload_words();
  }
  return words;
}

/// Copies it to `to`. False: it is something else.
bool copy_flat(Term term, const CopyOptions& options, Word* to) {
  if (!is_tuple(term)) return false;
  const std::size_t count = tuple_size(term);
  if (count > kFlatElements) return false;
  to[0] = term.pointer()[0];
  Word* next = to + 1 + count;
  for (std::size_t i = 0; i < count; ++i) {
    const Term element = tuple_at(term, i);
    if (stays_where_it_is(element, options)) {
      to[1 + i] = element.bits;
      continue;
    }
    if (!element.is_kind(Kind::Ref)) return false;
    const std::size_t words = 1 + header_of(element).payload_words();
    std::copy_n(element.pointer(), words, next);
    to[1 + i] = Term::boxed(next).bits;
    next += words;
  }
  return true;
}

// Functions of their own, so that the short way has no frame for their stacks.
[[gnu::noinline]] std::size_t count_words(Term term, const CopyOptions& options, std::size_t cap) {
  PlainCopier<false> counter(nullptr, options, cap);
  counter.run(term);
  return counter.words;
}

[[gnu::noinline]] Term copy_plain(TermAlloc& to, Term term, const CopyOptions& options,
                                  Word* start) {
  to.hp = start;
  return PlainCopier<true>(&to, options, 0).run(term);
}

}  // namespace

std::size_t term_words(Term term, const CopyOptions& options, std::size_t cap) {
  const std::size_t words = flat_words(term, options);
  return words != 0 ? words : count_words(term, options, cap);
}

Term copy_counted(TermAlloc& to, Term term, const CopyOptions& options, std::size_t words) {
  if (words == 0) return term;
  // Room for all of it at once: nothing is checked while copying.
  Word* const start = to.alloc(words);
  if (copy_flat(term, options, start)) return Term::boxed(start);
  return copy_plain(to, term, options, start);
}

Term copy_term(TermAlloc& to, Term term, const CopyOptions& options, std::size_t* words) {
  const std::size_t counted = term_words(term, options, kSharingThreshold);
  if (counted < kSharingThreshold) {
    if (words != nullptr) *words = counted;
    return copy_counted(to, term, options, counted);
  }
  SharingCopier copier(&to, options);
  Term copy = copier.run(term);
  if (words != nullptr) *words = copier.words;
  return copy;
}

}  // namespace quelea
