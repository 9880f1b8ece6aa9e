#include "vm/term/copy.h"

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

/// Where a copy goes: into an allocator, or nowhere when words are only counted. Both walk in the
/// same order and decide alike, so that the count is exact.
struct Counting {
  static constexpr bool kCopies = false;
};
struct Copying {
  static constexpr bool kCopies = true;
};

template <class Mode>
class Copier {
 public:
  Copier(TermAlloc* to, const CopyOptions& options, std::size_t cap)
      : to_(to), options_(options), cap_(cap) {}

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
      if (!Mode::kCopies && words >= cap_) return;
      Term term{*now_.from++};
      Word* to = now_.to;
      if (Mode::kCopies) ++now_.to;
      --now_.count;
      if (fixed(term)) {
        if (Mode::kCopies) *to = term.bits;
      } else if (term.is_cons() && now_.is_cell && now_.count == 0) {
        cells(term, to, now_.cell + 1);
      } else {
        object(term, to, now_.loose);
      }
    }
  }

  Word* make(std::size_t count) {
    words += count;
    return Mode::kCopies ? to_->alloc(count) : nullptr;
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
      if (Mode::kCopies) {
        std::memcpy(to, term.pointer(), 2 * sizeof(Word));
        *slot = Term::boxed_float(to).bits;
      }
      return;
    }
    if (term.is_cons() && (term.tail().is_cons() || !loose)) return cells(term, slot, 0);
    bool remember = Mode::kCopies && words >= kSharingThreshold && worth_it(term, loose);
    if (remember && known(term, slot)) return;
    Term copy;
    if (term.is_cons()) {
      Word* to = make(2);
      open(term.pointer(), to, 2, false);
      copy = Term::cons(to);
    } else {
      copy = boxed(term, remember);
    }
    if (Mode::kCopies) *slot = copy.bits;
    if (remember) table_.add(term.pointer(), copy);
  }

  /// Copies the cells of a list, up to the first element that is an object.
  void cells(Term term, Word* slot, unsigned cell) {
    for (;; ++cell) {
      bool remember = Mode::kCopies && words >= kSharingThreshold && cell % kCellStride == 0;
      if (remember && known(term, slot)) return;
      const Word* from = term.pointer();
      Word* to = make(2);
      if (Mode::kCopies) *slot = Term::cons(to).bits;
      if (remember) table_.add(from, Term::cons(to));
      Term head{from[0]}, tail{from[1]};
      if (!fixed(head) || (!Mode::kCopies && words >= cap_)) {
        open(from, to, 2, true);
        now_.is_cell = true;
        now_.cell = cell;
        return;
      }
      if (Mode::kCopies) to[0] = head.bits;
      slot = Mode::kCopies ? to + 1 : nullptr;
      if (fixed(tail)) {
        if (Mode::kCopies) *slot = tail.bits;
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
    if (Mode::kCopies) {
      to[0] = from[0];
      if (is_raw_kind(header.kind())) std::memcpy(to + 1, from + 1, count * sizeof(Word));
    }
    if (!is_raw_kind(header.kind()) && count > 0) {
      open(from + 1, Mode::kCopies ? to + 1 : nullptr, count, remembered);
    }
    return Mode::kCopies ? Term::boxed(to) : term;
  }

  Term ref_binary(Term term) {
    if (!Mode::kCopies) {
      words += 4;
      return term;
    }
    SharedBytes* shared = ref_binary_bytes(term);
    shared->retain();
    words += 4;
    return binary_from_shared(*to_, shared, binary_bits(term));
  }

  Term small_part(Term term) {
    words += 2 + (binary_bits(term) + 63) / 64;
    return Mode::kCopies ? binary_from_view(*to_, binary_view(term)) : term;
  }

  /// Maps of one shape come in rows: their tuple of keys is copied once as long as it is the same
  /// one.
  Term flat_map(Term map, bool remembered) {
    const Word* from = map.pointer();
    std::size_t count = header_of(map).payload_words();
    Word* to = make(1 + count);
    if (Mode::kCopies) to[0] = from[0];
    open(from + 2, Mode::kCopies ? to + 2 : nullptr, count - 1, remembered);
    Term keys{from[1]};
    if (fixed(keys)) {
      if (Mode::kCopies) to[1] = keys.bits;
    } else if (keys == last_keys_) {
      if (Mode::kCopies) to[1] = last_keys_copy_;
    } else {
      last_keys_ = keys;
      object(keys, Mode::kCopies ? &to[1] : nullptr, remembered);
      if (Mode::kCopies) last_keys_copy_ = to[1];
    }
    return Mode::kCopies ? Term::boxed(to) : map;
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
  std::size_t cap_;
  Range now_{nullptr, nullptr, 0, true, false, 0};
  WorkStack<Range> stack_;
  CopyTable table_;
  Term last_keys_ = Term::none();
  Word last_keys_copy_ = 0;
};

}  // namespace

std::size_t term_words(Term term, const CopyOptions& options, std::size_t cap) {
  Copier<Counting> counter(nullptr, options, cap);
  counter.run(term);
  return counter.words;
}

Term copy_term(TermAlloc& to, Term term, const CopyOptions& options, std::size_t* words) {
  Copier<Copying> copier(&to, options, 0);
  Term copy = copier.run(term);
  if (words != nullptr) *words = copier.words;
  return copy;
}

}  // namespace quelea
