// The term: one 64-bit word that holds any Quelea value.
//
//   63                                        3 2   0
//  +-------------------------------------------+-----+
//  |            61-bit signed integer          | 000 |  small integer: value << 3
//  |            address of two words           | 001 |  cons cell: head, tail (no header)
//  |            address of a header            | 010 |  boxed object
//  |            address of a header            | 011 |  boxed float (header + double)
//  |            index in the atom table        | 100 |  atom
//  |            process number                 | 101 |  pid of this machine
//  |            0: []    1: none               | 110 |  special
//  |  payload words          | kind (5 bits)   | 111 |  header; never the value of a slot or field
//  +-------------------------------------------+-----+
//
// Small integers have tag 000, so `or, test, add, jo` adds two of them. Pointers of C++ objects are
// 8-byte aligned and therefore read as small integers: a payload may hold them and the collector
// walks over. Every boxed object is its header and `payload words` words, so a heap can be walked
// object by object (a cons cell is two plain terms). All terms are immutable once published.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vm/base/assert.h"

namespace quelea {

using Word = std::uint64_t;

enum class Tag : Word { Small, Cons, Boxed, Float, Atom, Pid, Special, Header };

enum class Kind : unsigned {
#define KIND(name, layout, sentence) name,
#include "vm/term/kinds.def"
#undef KIND
};

inline constexpr unsigned kTagBits = 3;
inline constexpr Word kTagMask = 7;
inline constexpr unsigned kKindBits = 5;
inline constexpr std::int64_t kMaxSmall = (std::int64_t{1} << 60) - 1;
inline constexpr std::int64_t kMinSmall = -(std::int64_t{1} << 60);

/// A Quelea value or, as `Term::none()`, the absence of one (never visible to programs).
struct Term {
  Word bits;

  constexpr Tag tag() const { return static_cast<Tag>(bits & kTagMask); }
  constexpr bool is_small() const { return tag() == Tag::Small; }
  constexpr bool is_cons() const { return tag() == Tag::Cons; }
  constexpr bool is_boxed() const { return tag() == Tag::Boxed; }
  constexpr bool is_float() const { return tag() == Tag::Float; }
  constexpr bool is_atom() const { return tag() == Tag::Atom; }
  constexpr bool is_local_pid() const { return tag() == Tag::Pid; }
  constexpr bool is_nil_list() const { return bits == 6; }
  constexpr bool is_list() const { return is_cons() || is_nil_list(); }
  constexpr bool is_none() const { return bits == 14; }
  /// True where the word points into a heap or a literal area.
  constexpr bool is_pointer() const { return (bits & kTagMask) - 1 < 3; }
  /// True where equality of words is exact equality of values.
  constexpr bool is_immediate() const { return !is_pointer(); }
  inline bool is_kind(Kind kind) const;

  static constexpr Term small(std::int64_t value) { return {static_cast<Word>(value) << kTagBits}; }
  static constexpr Term atom(std::uint32_t index) { return {Word{index} << kTagBits | 4}; }
  static constexpr Term local_pid(Word number) { return {number << kTagBits | 5}; }
  static constexpr Term nil_list() { return {6}; }
  static constexpr Term none() { return {14}; }
  static Term cons(const Word* cell) { return {reinterpret_cast<Word>(cell) | 1}; }
  static Term boxed(const Word* header) { return {reinterpret_cast<Word>(header) | 2}; }
  static Term boxed_float(const Word* header) { return {reinterpret_cast<Word>(header) | 3}; }

  constexpr std::int64_t small_value() const { return static_cast<std::int64_t>(bits) >> kTagBits; }
  constexpr std::uint32_t atom_index() const {
    return static_cast<std::uint32_t>(bits >> kTagBits);
  }
  constexpr Word pid_number() const { return bits >> kTagBits; }
  Word* pointer() const { return reinterpret_cast<Word*>(bits & ~kTagMask); }
  /// The same where the tag is known: the subtraction disappears in the address.
  Word* cell() const { return reinterpret_cast<Word*>(bits - static_cast<Word>(Tag::Cons)); }
  Word* object() const { return reinterpret_cast<Word*>(bits - static_cast<Word>(Tag::Boxed)); }
  Term head() const { return {cell()[0]}; }
  Term tail() const { return {cell()[1]}; }
  double float_value() const {
    double value;
    __builtin_memcpy(&value, pointer() + 1, sizeof value);
    return value;
  }

  /// Identity of words: exact equality for immediates, identity for the rest.
  friend constexpr bool operator==(Term a, Term b) { return a.bits == b.bits; }
};
static_assert(sizeof(Term) == 8 && std::is_trivially_copyable_v<Term>);

/// The first word of a boxed object.
struct Header {
  Word bits;

  static constexpr Header make(Kind kind, std::size_t payload_words) {
    return {Word{payload_words} << (kTagBits + kKindBits) | static_cast<Word>(kind) << kTagBits |
            7};
  }
  constexpr bool is_header() const { return (bits & kTagMask) == 7; }
  constexpr Kind kind() const {
    return static_cast<Kind>(bits >> kTagBits & ((1u << kKindBits) - 1));
  }
  constexpr std::size_t payload_words() const { return bits >> (kTagBits + kKindBits); }
};

/// True where the collector must not look into the payload of this kind.
constexpr bool is_raw_kind(Kind kind) {
  // A bit each, so that asking is a shift: collectors ask for every object.
  enum Layout : std::uint32_t { terms, raw };
  constexpr std::uint32_t kRaw = 0
#define KIND(name, layout, sentence) | layout << static_cast<unsigned>(Kind::name)
#include "vm/term/kinds.def"
#undef KIND
      ;
  return (kRaw >> static_cast<unsigned>(kind) & 1) != 0;
}

inline Header header_of(Term boxed) { return {boxed.pointer()[0]}; }

inline bool Term::is_kind(Kind kind) const {
  return is_boxed() && Header{*object()}.kind() == kind;
}

inline constexpr bool fits_small(std::int64_t value) {
  return value >= kMinSmall && value <= kMaxSmall;
}

// Tuples -----------------------------------------------------------------------------------------
inline bool is_tuple(Term term) { return term.is_kind(Kind::Tuple); }
inline std::size_t tuple_size(Term tuple) { return Header{*tuple.object()}.payload_words(); }
/// Element `index`, from 0.
inline Term tuple_at(Term tuple, std::size_t index) { return {tuple.object()[1 + index]}; }
/// Whether it is a boxed object with just this header.
inline bool has_header(Term term, Word header) {
  return term.is_boxed() && *term.object() == header;
}

}  // namespace quelea
