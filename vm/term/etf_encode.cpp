#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "vm/base/memory.h"
#include "vm/term/binary.h"
#include "vm/term/etf.h"
#include "vm/term/etf_tags.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

using namespace etf;

class Encoder {
 public:
  Encoder(std::string& out, const AtomTable& atoms, const EtfEncodeOptions& options)
      : out_(out), atoms_(atoms), options_(options), start_(out.size()) {}
  ~Encoder() {
    while (!stack_.empty()) release(stack_.take().owned);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void begin(Term term) {
    if (!options_.bare) byte(kEtfVersion);
    value(term);
  }
  bool is_done() const { return stack_.empty(); }

  bool run(Term term) {
    begin(term);
    while (!is_done() && out_.size() - start_ <= options_.max_bytes && words <= options_.max_work) {
      step();
    }
    if (is_done() && out_.size() - start_ <= options_.max_bytes) return true;
    out_.resize(start_);
    return false;
  }

  std::size_t words = 0;
  /// Functions whose size is still to be written into what was written.
  unsigned open_funs = 0;

  void step();

 private:
  enum class Shape { Words, Count, Cells, Bytes, Entries, Trie, FunEnd };

  struct Frame {
    Shape shape;
    const Word* at;      // Words: the next; Entries: the next key
    const Word* values;  // Entries: the next value, when it is the value's turn; Count: the list
    std::size_t left;
    Term rest;                            // Cells: what is left of the list
    void* owned;                          // memory behind at and values, a MapIterator, or null
    bool value_next;                      // Count: all elements are bytes so far
    const std::uint8_t* bytes = nullptr;  // Bytes: the next ones
    unsigned bit_offset = 0;              // Bytes: where in the first of them
    unsigned unused_bits = 0;             // Bytes: of the last one
  };

  void byte(unsigned value) { out_ += static_cast<char>(value); }
  void u16(unsigned value) {
    byte(value >> 8 & 0xFF);
    byte(value & 0xFF);
  }
  void u32(std::uint64_t value) {
    char bytes[4] = {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                     static_cast<char>(value >> 8), static_cast<char>(value)};
    out_.append(bytes, 4);
  }
  void u64(std::uint64_t value) {
    u32(value >> 32);
    u32(value & 0xFFFFFFFF);
  }

  void push_words(const Word* at, std::size_t count) {
    if (count == 0) return;
    stack_.push({Shape::Words, at, nullptr, count, Term::none(), nullptr, false});
  }

  void step_entries(Frame& frame) {
    if (frame.value_next) {
      frame.value_next = false;
      return value({*frame.values++});
    }
    if (frame.left == 0) {
      release(stack_.take().owned);
      return;
    }
    --frame.left;
    frame.value_next = true;
    value({*frame.at++});
  }

  void step_trie(Frame& frame) {
    if (frame.value_next) {
      frame.value_next = false;
      return value(frame.rest);
    }
    Term key;
    if (!static_cast<MapIterator*>(frame.owned)->next(key, frame.rest)) {
      release(stack_.take().owned);
      return;
    }
    frame.value_next = true;
    value(key);
  }

  void value(Term term) {
    ++words;
    switch (term.tag()) {
      case Tag::Small:
        return small(term.small_value());
      case Tag::Atom:
        return atom(atoms_.text(term));
      case Tag::Pid:
        byte(kNewPid);
        own_node();
        u32(pid_id(term));
        u32(pid_serial(term));
        return u32(options_.node.creation);
      case Tag::Special:
      case Tag::Header:
        return byte(kNil);
      case Tag::Float:
        byte(kNewFloat);
        return u64(term.pointer()[1]);
      case Tag::Cons:
        return list(term);
      case Tag::Boxed:
        return boxed(term);
    }
  }

  void small(std::int64_t number) {
    if (number >= 0 && number < 256) {
      byte(kSmallInteger);
      byte(static_cast<unsigned>(number));
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
      byte(kInteger);
      u32(static_cast<std::uint32_t>(number));
    } else {
      big(Term::small(number));
    }
  }

  void big(Term integer) {
    IntegerView view(integer);
    std::size_t bytes = (integer_bit_length(integer) + 7) / 8;
    words += view.size();
    if (bytes < 256) {
      byte(kSmallBig);
      byte(static_cast<unsigned>(bytes));
    } else {
      byte(kLargeBig);
      u32(bytes);
    }
    byte(view.negative());
    // Little-endian bytes, which is how limbs lie in memory.
    out_.append(reinterpret_cast<const char*>(view.limbs()), bytes);
  }
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

  void atom(std::string_view text) {
    if (text.size() < 256) {
      byte(kSmallAtomUtf8);
      byte(static_cast<unsigned>(text.size()));
    } else {
      byte(kAtomUtf8);
      u16(static_cast<unsigned>(text.size()));
    }
    out_ += text;
  }

  void own_node() {
    atom(options_.node.name.is_none() ? kNoNode : atoms_.text(options_.node.name));
  }

  /// A list is counted first, because its length comes first.
  void list(Term term) {
    stack_.push({Shape::Count, nullptr, term.pointer(), 0, term, nullptr, true});
    step_count(stack_.top());
  }

  void step_count(Frame& frame) {
    std::size_t n = 0;
    for (; n < kCellsAStep && frame.rest.is_cons(); ++n, frame.rest = frame.rest.tail()) {
      const Term head = frame.rest.head();
      frame.value_next = frame.value_next && head.bits < 256u << kTagBits && head.is_small();
    }
    frame.left += n;
    words += n / 4;
    if (frame.rest.is_cons()) return;
    const bool is_proper = frame.rest.is_nil_list();
    const Frame counted = stack_.take();
    Term term = Term::cons(const_cast<Word*>(counted.values));
    if (counted.value_next && is_proper && counted.left <= 0xFFFF) {
      byte(kString);
      u16(static_cast<unsigned>(counted.left));
      for (; term.is_cons(); term = term.tail()) {
        byte(static_cast<unsigned>(term.head().small_value()));
      }
      return;
    }
    byte(kList);
    u32(counted.left);
    stack_.push({Shape::Cells, nullptr, nullptr, 0, term, nullptr, false});
  }

  void tuple(Term term) {
    std::size_t size = tuple_size(term);
    if (size < 256) {
      byte(kSmallTuple);
      byte(static_cast<unsigned>(size));
    } else {
      byte(kLargeTuple);
      u32(size);
    }
    push_words(term.pointer() + 1, size);
  }

  void boxed(Term term) {
    switch (header_of(term).kind()) {
      case Kind::PositiveBig:
      case Kind::NegativeBig:
        return big(term);
      case Kind::HeapBinary:
      case Kind::RefBinary:
      case Kind::SubBinary:
        return binary(binary_view(term));
      case Kind::FlatMap:
      case Kind::HashMap:
        return map(term);
      case Kind::Fun:
        return fun(term);
      case Kind::ExportFun: {
        const ExportIdentity& exported = export_identity(term);
        byte(kExport);
        atom(atoms_.text(exported.module));
        atom(atoms_.text(exported.function));
        return small(exported.arity);
      }
      case Kind::Ref:
        return reference(term);
      case Kind::ExternalRef: {
        std::size_t ids = tuple_size(term) - 2;
        byte(kNewerReference);
        u16(static_cast<unsigned>(ids));
        atom(atoms_.text(tuple_at(term, 0)));
        u32(number(tuple_at(term, 1)));
        for (std::size_t i = 0; i < ids; ++i) u32(number(tuple_at(term, 2 + i)));
        return;
      }
      case Kind::ExternalPid:
        byte(kNewPid);
        atom(atoms_.text(tuple_at(term, 0)));
        for (std::size_t i = 1; i < 4; ++i) u32(number(tuple_at(term, i)));
        return;
      case Kind::Port: {
        std::uint64_t id = 0;
        integer_to_uint64(tuple_at(term, 1), id);
        byte(kV4Port);
        atom(atoms_.text(tuple_at(term, 0)));
        u64(id);
        return u32(number(tuple_at(term, 2)));
      }
      default:
        return tuple(term);
    }
  }

  static std::uint64_t number(Term small) {
    return static_cast<std::uint64_t>(small.small_value());
  }

  void reference(Term term) {
    Word id = ref_number(term), owner = ref_owner(term);
    byte(kNewerReference);
    u16(owner == 0 ? kPlainRefWords : kOwnedRefWords);
    own_node();
    u32(options_.node.creation);
    u32(id & ((1u << kFirstIdBits) - 1));
    u32(id >> kFirstIdBits & 0xFFFFFFFF);
    u32(id >> (kFirstIdBits + 32));
    if (owner == 0) return;
    u32(owner & 0xFFFFFFFF);
    u32(owner >> 32);
  }

  void binary(BinaryView view) {
    std::size_t bytes = view.byte_size();
    unsigned rest = static_cast<unsigned>(view.bit_size & 7);
    byte(rest == 0 ? kBinary : kBitBinary);
    u32(bytes);
    if (rest != 0) byte(rest);
    if (bytes > options_.max_bytes) {
      // The result is refused anyway: no need to copy so much.
      out_.resize(start_ + options_.max_bytes + 1);
      return;
    }
    if (bytes > kBytesAStep) {
      stack_.push({Shape::Bytes, nullptr, nullptr, bytes, Term::none(), nullptr, false, view.bytes,
                   static_cast<unsigned>(view.bit_offset), rest == 0 ? 0 : 8 - rest});
      return;
    }
    words += bytes / 8;
    std::size_t at = out_.size();
    out_.resize(at + bytes);
    bits_copy(reinterpret_cast<std::uint8_t*>(out_.data()) + at, 0, view.bytes, view.bit_offset,
              view.bit_size);
  }

  void map(Term term) {
    std::size_t size = map_size(term);
    byte(kMap);
    u32(size);
    Frame frame{Shape::Entries, nullptr, nullptr, size, Term::none(), nullptr, false};
    if (is_flat_map(term)) {
      frame.at = flat_map_keys(term).pointer() + 1;
      frame.values = term.pointer() + 2;
    } else if (!options_.deterministic) {
      frame.shape = Shape::Trie;
      frame.owned = allocate(sizeof(MapIterator));
      if (frame.owned == nullptr) no_memory();
      new (frame.owned) MapIterator(term);
    } else {
      std::vector<MapEntry> entries;
      map_sorted_entries(term, entries, atoms_);
      Word* memory = static_cast<Word*>(allocate(2 * size * sizeof(Word)));
      if (memory == nullptr) no_memory();
      for (std::size_t i = 0; i < size; ++i) {
        memory[i] = entries[i].key.bits;
        memory[size + i] = entries[i].value.bits;
      }
      frame.at = memory;
      frame.values = memory + size;
      frame.owned = memory;
      words += 4 * size;
    }
    stack_.push(frame);
  }

  void fun(Term term) {
    const FunIdentity& identity = fun_identity(term);
    std::size_t captured = fun_captured(term);
    byte(kNewFun);
    ++open_funs;
    stack_.push({Shape::FunEnd, nullptr, nullptr, out_.size(), Term::none(), nullptr, false});
    u32(0);
    byte(identity.arity);
    u64(identity.unique);
    u64(0);
    u32(identity.index);
    u32(captured);
    atom(atoms_.text(identity.module));
    small(identity.index);
    small(static_cast<std::int64_t>(identity.unique & 0x7FFFFFF));
    value(Term::local_pid(0));
    push_words(term.pointer() + 2, captured);
  }

  static constexpr std::size_t kCellsAStep = 4096;
  static constexpr std::size_t kBytesAStep = std::size_t{64} << 10;

  std::string& out_;
  const AtomTable& atoms_;
  const EtfEncodeOptions& options_;
  std::size_t start_;
  WorkStack<Frame> stack_;
};
static_assert(std::is_trivially_destructible_v<MapIterator>);

void Encoder::step() {
  Frame& frame = stack_.top();
  switch (frame.shape) {
    case Shape::Words: {
      Term term{*frame.at++};
      if (--frame.left == 0) stack_.pop();
      return value(term);
    }
    case Shape::Count:
      return step_count(frame);
    case Shape::Bytes: {
      const std::size_t some = std::min(frame.left, kBytesAStep);
      const unsigned unused = some == frame.left ? frame.unused_bits : 0;
      if (frame.bit_offset == 0 && unused == 0) {
        out_.append(reinterpret_cast<const char*>(frame.bytes), some);
      } else {
        const std::size_t at = out_.size();
        out_.resize(at + some);
        bits_copy(reinterpret_cast<std::uint8_t*>(out_.data()) + at, 0, frame.bytes,
                  frame.bit_offset, 8 * some - unused);
      }
      frame.bytes += some;
      words += some / 8;
      if ((frame.left -= some) == 0) stack_.pop();
      return;
    }
    case Shape::Cells: {
      Term cell = frame.rest;
      if (!cell.is_cons()) {
        stack_.pop();
        return value(cell);
      }
      frame.rest = cell.tail();
      return value(cell.head());
    }
    case Shape::Entries:
      return step_entries(frame);
    case Shape::Trie:
      return step_trie(frame);
    case Shape::FunEnd: {
      // The size of a fun counts itself; it is known now.
      std::size_t at = frame.left;
      std::uint64_t size = out_.size() - at;
      for (unsigned i = 0; i < 4; ++i) out_[at + i] = static_cast<char>(size >> (24 - 8 * i));
      stack_.pop();
      --open_funs;
      return;
    }
  }
}

}  // namespace

bool etf_encode(std::string& out, Term term, const AtomTable& atoms,
                const EtfEncodeOptions& options, std::size_t* work) {
  Encoder encoder(out, atoms, options);
  bool ok = encoder.run(term);
  if (work != nullptr) *work += encoder.words;
  return ok;
}

struct EtfEncoding::Walk {
  Walk(const AtomTable& atoms, const EtfEncodeOptions& how)
      : options(how), encoder(out, atoms, options) {}
  EtfEncodeOptions options;
  std::string out;
  Encoder encoder;
};

EtfEncoding::EtfEncoding(Term term, const AtomTable& atoms, const EtfEncodeOptions& options)
    : walk_(std::make_unique<Walk>(atoms, options)) {
  walk_->encoder.begin(term);
}
EtfEncoding::EtfEncoding(EtfEncoding&&) noexcept = default;
EtfEncoding::~EtfEncoding() = default;

bool EtfEncoding::step(std::string& out, std::size_t& cost) {
  constexpr std::size_t kTermsAtOnce = 64;
  constexpr std::size_t kWordsAtOnce = 4096;
  constexpr std::size_t kPieceBytes = 8 * 1024;
  Encoder& encoder = walk_->encoder;
  const std::size_t before = encoder.words;
  for (std::size_t n = 0; n < kTermsAtOnce && !encoder.is_done(); ++n) {
    encoder.step();
    if (encoder.words - before > kWordsAtOnce) break;
  }
  cost += 1 + encoder.words - before;
  // The size of a fun is written into what must still be here.
  if (encoder.is_done() || (walk_->out.size() >= kPieceBytes && encoder.open_funs == 0)) {
    out += walk_->out;
    walk_->out.clear();
  }
  return !encoder.is_done();
}

}  // namespace quelea
