// The second hash: SipHash-2-4 over a term written down as words, with a fixed key.
//
// `hash_term` is fast, and whoever knows it can make up as many keys of one hash as they want. A
// map that meets such keys tells them apart by this one (vm/term/map.h). Its state has 256 bits,
// into which each word goes through two rounds that can be undone only by who knows the state
// before: making one value again takes 2^64 tries for each key, whatever is known. Nothing here is
// secret, so that the order of a map depends on its keys alone.
#include "vm/term/atoms.h"
#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/hash.h"
#include "vm/term/identity.h"
#include "vm/term/map.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

class Sip {
 public:
  void put(std::uint64_t word) {
    d_ ^= word;
    round();
    round();
    a_ ^= word;
  }
  void put_bytes(BinaryView view) {
    put(view.bit_size);
    std::size_t at = 0;
    for (; view.bit_size - at >= 64; at += 64) put(bits_read_word(view, at, 64));
    if (at < view.bit_size) {
      put(bits_read_word(view, at, static_cast<unsigned>(view.bit_size - at)));
    }
  }
  std::uint64_t finish() {
    c_ ^= 0xFF;
    for (int i = 0; i < 4; ++i) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
  }
  void round() {
    a_ += b_;
    c_ += d_;
    b_ = rotate(b_, 13) ^ a_;
    d_ = rotate(d_, 16) ^ c_;
    a_ = rotate(a_, 32);
    a_ += d_;
    c_ += b_;
    d_ = rotate(d_, 21) ^ a_;
    b_ = rotate(b_, 17) ^ c_;
    c_ = rotate(c_, 32);
  }

  std::uint64_t a_ = 0x736F6D6570736575u, b_ = 0x646F72616E646F6Du;
  std::uint64_t c_ = 0x6C7967656E657261u, d_ = 0x7465646279746573u;
};

/// Writes a term down so that different terms give different words: each value begins with what it
/// is and how long. Depth first, with a stack of its own.
class Writer {
 public:
  explicit Writer(const AtomTable& atoms) : atoms_(atoms) {}

  std::uint64_t run(Term term) {
    now_ = {&term.bits, 1};
    for (;;) {
      if (now_.count == 0) {
        if (later_.empty()) return sip_.finish();
        now_ = later_.take();
        continue;
      }
      --now_.count;
      write(Term{*now_.at++});
    }
  }

 private:
  struct Range {
    const Word* at;
    std::size_t count;
  };

  /// Begins a value: its kind's number, beyond all tags, and the length.
  void begin(Kind kind, std::uint64_t length) {
    sip_.put(0x100 + static_cast<std::uint64_t>(kind));
    sip_.put(length);
  }
  void open(const Word* at, std::size_t count) {
    if (now_.count > 0) later_.push(now_);
    now_ = {at, count};
  }
  void put_atom(Term atom) {
    const std::string_view text = atoms_.text(atom);
    sip_.put(static_cast<std::uint64_t>(Tag::Atom));
    sip_.put_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), 0, 8 * text.size()});
  }

  void write(Term term) {
    switch (term.tag()) {
      case Tag::Atom:
        return put_atom(term);
      case Tag::Float:
        begin(Kind::Float, 1);
        return sip_.put(term.pointer()[1]);
      case Tag::Cons:
        sip_.put(static_cast<std::uint64_t>(Tag::Cons));
        return open(term.pointer(), 2);
      case Tag::Boxed:
        return write_boxed(term);
      default:
        sip_.put(static_cast<std::uint64_t>(term.tag()));
        return sip_.put(term.bits);
    }
  }

  void write_boxed(Term term) {
    const Header header = header_of(term);
    const Word* payload = term.pointer() + 1;
    const std::size_t count = header.payload_words();
    switch (header.kind()) {
      case Kind::HeapBinary:
      case Kind::RefBinary:
      case Kind::SubBinary:
        begin(Kind::HeapBinary, 0);
        return sip_.put_bytes(binary_view(term));
      case Kind::FlatMap: {
        begin(Kind::FlatMap, count - 1);
        open(payload + 1, count - 1);
        return open(flat_map_keys(term).pointer() + 1, count - 1);
      }
      case Kind::Fun: {
        const FunIdentity& fun = fun_identity(term);
        begin(Kind::Fun, count - 1);
        put_atom(fun.module);
        sip_.put(fun.index);
        sip_.put(fun.unique);
        return open(payload + 1, count - 1);
      }
      case Kind::ExportFun: {
        const ExportIdentity& fun = export_identity(term);
        begin(Kind::ExportFun, fun.arity);
        put_atom(fun.module);
        return put_atom(fun.function);
      }
      default:
        break;
    }
    begin(header.kind(), count);
    if (!is_raw_kind(header.kind())) return open(payload, count);
    for (std::size_t i = 0; i < count; ++i) sip_.put(payload[i]);
  }

  const AtomTable& atoms_;
  Sip sip_;
  Range now_{};
  WorkStack<Range> later_;
};

}  // namespace

std::uint64_t hash_strong(Term term, const AtomTable& atoms) { return Writer(atoms).run(term); }

}  // namespace quelea
