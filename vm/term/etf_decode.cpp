#include <cmath>
#include <cstdlib>
#include <cstring>

#include "vm/base/memory.h"
#include "vm/term/binary.h"
#include "vm/term/etf.h"
#include "vm/term/etf_tags.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/utf8.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

using namespace etf;

/// Builds from the outside in: a container is allocated first, its slots are filled one by one.
/// Whoever stops early fills the rest, so that nothing uninitialised stays in the heap.
class Decoder {
 public:
  Decoder(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size, AtomTable& atoms,
          const EtfDecodeOptions& options)
      : alloc_(alloc),
        begin_(bytes),
        at_(bytes),
        end_(bytes + size),
        atoms_(atoms),
        options_(options) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() {
    while (!stack_.empty()) {
      Frame frame = stack_.take();
      if (frame.pairs != nullptr) {
        *frame.result = Term::nil_list().bits;
        release(frame.pairs);
        continue;
      }
      for (; frame.count > 0; --frame.count, frame.to += frame.stride) {
        *frame.to = Term::nil_list().bits;
      }
    }
  }

  EtfDecodeResult run() {
    EtfDecodeResult answer;
    if (start(&result_)) answer.term = {result_};
    answer.used = static_cast<std::size_t>(at_ - begin_);
    answer.work = words_ + answer.used / 8;
    answer.error = error_;
    return answer;
  }

 private:
  /// Slots that the next terms go to.
  struct Frame {
    Word* to;
    std::size_t count;
    unsigned stride;
    Word* pairs;   // a map's keys and values, made a map when all are there
    Word* result;  // the slot for that map
    std::size_t entries;
  };

  bool start(Word* result) {
    if (!options_.bare) {
      std::uint64_t version;
      if (!read(1, version)) return false;
      if (version != kEtfVersion) return fail("it does not start with 131");
    }
    if (!value(result)) return false;
    while (!stack_.empty()) {
      Frame& frame = stack_.top();
      if (frame.count == 0) {
        if (!close()) return false;
        continue;
      }
      Word* slot = frame.to;
      frame.to += frame.stride;
      --frame.count;
      *slot = Term::nil_list().bits;
      if (!value(slot)) return false;
    }
    if (at_ != end_ && !options_.allow_rest) return fail("bytes follow the term");
    return true;
  }

  bool close() {
    Frame frame = stack_.take();
    if (frame.pairs == nullptr) return true;
    Term map = map_from_pairs(alloc_, reinterpret_cast<Term*>(frame.pairs), frame.entries, atoms_);
    release(frame.pairs);
    *frame.result = map.bits;
    return map_size(map) == frame.entries || fail("a map has the same key twice");
  }

  bool fail(const char* error) {
    if (error_ == nullptr) error_ = error;
    return false;
  }

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  bool need(std::uint64_t bytes) { return bytes <= left() || fail("it ends too early"); }

  /// A big-endian number of 1 to 8 bytes.
  bool read(unsigned bytes, std::uint64_t& value) {
    if (!need(bytes)) return false;
    value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8 | *at_++;
    return true;
  }

  /// Room in the heap, as long as the limit allows.
  bool take(std::size_t words, Word** object) {
    if (words > options_.max_words - words_) return fail("it is too large");
    words_ += words;
    *object = alloc_.alloc(words);
    return true;
  }
  bool count_words(std::size_t words) {
    if (words > options_.max_words - words_) return fail("it is too large");
    words_ += words;
    return true;
  }

  void fill(Word* to, std::size_t count, unsigned stride = 1) {
    if (count > 0) stack_.push({to, count, stride, nullptr, nullptr, 0});
  }

  bool value(Word* slot) {
    std::uint64_t tag, count;
    if (!read(1, tag)) return false;
    switch (tag) {
      case kSmallInteger:
        if (!read(1, count)) return false;
        *slot = Term::small(static_cast<std::int64_t>(count)).bits;
        return true;
      case kInteger:
        if (!read(4, count)) return false;
        *slot = Term::small(static_cast<std::int32_t>(count)).bits;
        return true;
      case kSmallBig:
        return read(1, count) && big(count, slot);
      case kLargeBig:
        return read(4, count) && big(count, slot);
      case kNewFloat:
        return float_value(slot);
      case kSmallAtomUtf8:
      case kAtomUtf8:
      case kSmallAtomLatin1:
      case kAtomLatin1:
        return atom(static_cast<unsigned>(tag), slot);
      case kSmallTuple:
        return read(1, count) && tuple(count, slot);
      case kLargeTuple:
        return read(4, count) && tuple(count, slot);
      case kNil:
        *slot = Term::nil_list().bits;
        return true;
      case kString:
        return read(2, count) && string(count, slot);
      case kList:
        return read(4, count) && list(count, slot);
      case kMap:
        return read(4, count) && map(count, slot);
      case kBinary:
        return read(4, count) && binary(count, 8, slot);
      case kBitBinary: {
        std::uint64_t bits;
        return read(4, count) && read(1, bits) && binary(count, bits, slot);
      }
      case kNewPid:
        return pid(slot);
      case kNewPort:
        return port(4, slot);
      case kV4Port:
        return port(8, slot);
      case kNewerReference:
        return reference(slot);
      case kExport:
        return exported(slot);
      case kNewFun:
        return fun(slot);
      case kCompressed:
        return fail("compressed terms are not supported");
      default:
        return fail("it has an unknown tag");
    }
  }

  bool big(std::uint64_t bytes, Word* slot) {
    std::uint64_t sign;
    if (!read(1, sign) || !need(bytes)) return false;
    if (sign > 1) return fail("an integer's sign is neither 0 nor 1");
    if (bytes > kMaxIntegerBits / 8) return fail("an integer is too large");
    std::size_t limbs = (bytes + 7) / 8;
    if (!count_words(1 + limbs)) return false;
    std::uint64_t few[16] = {};
    std::uint64_t* copy = few;
    if (limbs > 16) {
      copy = static_cast<std::uint64_t*>(allocate(limbs * sizeof(std::uint64_t)));
      if (copy == nullptr) std::abort();
    }
    if (limbs > 0) copy[limbs - 1] = 0;
    if (bytes > 0) std::memcpy(copy, at_, bytes);
    at_ += bytes;
    *slot = make_big(alloc_, sign == 1, copy, limbs).bits;
    if (copy != few) release(copy);
    return true;
  }

  bool float_value(Word* slot) {
    std::uint64_t word;
    if (!read(8, word)) return false;
    double number;
    std::memcpy(&number, &word, sizeof number);
    if (!std::isfinite(number)) return fail("a float is not finite");
    if (!count_words(2)) return false;
    *slot = alloc_.make_float(number).bits;
    return true;
  }

  bool atom(unsigned tag, Word* slot) {
    std::uint64_t bytes;
    bool is_long = tag == kAtomUtf8 || tag == kAtomLatin1;
    if (!read(is_long ? 2 : 1, bytes) || !need(bytes)) return false;
    std::string_view text(reinterpret_cast<const char*>(at_), bytes);
    at_ += bytes;
    std::string converted;
    if (tag == kAtomLatin1 || tag == kSmallAtomLatin1) {
      for (char c : text) utf8_append(converted, static_cast<std::uint8_t>(c));
      text = converted;
    }
    Term found = atoms_.find(text);
    if (found.is_none()) {
      if (new_atoms_ == options_.max_new_atoms) return fail("it has too many new atoms");
      found = atoms_.intern(text);
      if (found.is_none()) return fail("an atom is malformed or the atom table is full");
      ++new_atoms_;
    }
    *slot = found.bits;
    return true;
  }

  /// An atom where nothing else may stand.
  bool atom_only(Term& result) {
    std::uint64_t tag;
    if (!read(1, tag)) return false;
    if (tag != kSmallAtomUtf8 && tag != kAtomUtf8 && tag != kSmallAtomLatin1 &&
        tag != kAtomLatin1) {
      return fail("something else stands where an atom must");
    }
    Word word;
    if (!atom(static_cast<unsigned>(tag), &word)) return false;
    result = {word};
    return true;
  }

  /// A small integer where nothing else may stand.
  bool integer_only(Term& result) {
    std::uint64_t tag, number;
    if (!read(1, tag)) return false;
    if (tag == kSmallInteger) {
      if (!read(1, number)) return false;
      result = Term::small(static_cast<std::int64_t>(number));
      return true;
    }
    if (tag != kInteger) return fail("something else stands where a small integer must");
    if (!read(4, number)) return false;
    result = Term::small(static_cast<std::int32_t>(number));
    return true;
  }

  bool tuple(std::uint64_t count, Word* slot) {
    Word* object;
    if (!need(count) || !take(1 + count, &object)) return false;
    object[0] = Header::make(Kind::Tuple, count).bits;
    *slot = Term::boxed(object).bits;
    fill(object + 1, count);
    return true;
  }

  bool string(std::uint64_t count, Word* slot) {
    Word* cells;
    if (!need(count) || !take(2 * count, &cells)) return false;
    for (std::uint64_t i = 0; i < count; ++i, cells += 2) {
      *slot = Term::cons(cells).bits;
      cells[0] = Term::small(at_[i]).bits;
      slot = &cells[1];
    }
    *slot = Term::nil_list().bits;
    at_ += count;
    return true;
  }

  bool list(std::uint64_t count, Word* slot) {
    Word* cells;
    if (!need(count) || !take(2 * count, &cells)) return false;
    if (count == 0) return value_again(slot);
    *slot = Term::cons(cells).bits;
    for (std::uint64_t i = 0; i + 1 < count; ++i) {
      cells[2 * i + 1] = Term::cons(cells + 2 * i + 2).bits;
    }
    Word* tail = cells + 2 * count - 1;
    fill(tail, 1);
    fill(cells, count, 2);
    return true;
  }

  /// A list of no elements is just its tail.
  bool value_again(Word* slot) {
    fill(slot, 1);
    return true;
  }

  bool map(std::uint64_t count, Word* slot) {
    // Each entry takes two bytes at least.
    if (!need(2 * count) || !count_words(4 + 3 * count)) return false;
    Word* pairs = static_cast<Word*>(allocate((2 * count + 1) * sizeof(Word)));
    if (pairs == nullptr) std::abort();
    stack_.push({pairs, 2 * count, 1, pairs, slot, count});
    return true;
  }

  bool binary(std::uint64_t bytes, std::uint64_t last_bits, Word* slot) {
    if (!need(bytes) || !count_words(5 + bytes / 64)) return false;
    if (last_bits < 1 || last_bits > 8 || (bytes == 0 && last_bits != 8)) {
      return fail("a bit string's last byte has a wrong number of bits");
    }
    Term result = binary_from_view(alloc_, {at_, 0, bytes * 8 - (8 - last_bits)});
    if (result.is_none()) return fail("a binary is too large");
    at_ += bytes;
    *slot = result.bits;
    return true;
  }

  bool is_own(Term node, std::uint64_t creation) const {
    if (creation != options_.node.creation) return false;
    return options_.node.name.is_none() ? atoms_.text(node) == kNoNode : node == options_.node.name;
  }

  bool pid(Word* slot) {
    Term node;
    std::uint64_t id, serial, creation;
    if (!atom_only(node) || !read(4, id) || !read(4, serial) || !read(4, creation)) return false;
    if (is_own(node, creation)) {
      if (serial >> 29 != 0) return fail("a pid's number is too large");
      *slot = Term::local_pid(serial << 32 | id).bits;
      return true;
    }
    Word* object;
    if (!take(5, &object)) return false;
    object[0] = Header::make(Kind::ExternalPid, 4).bits;
    object[1] = node.bits;
    object[2] = Term::small(static_cast<std::int64_t>(id)).bits;
    object[3] = Term::small(static_cast<std::int64_t>(serial)).bits;
    object[4] = Term::small(static_cast<std::int64_t>(creation)).bits;
    *slot = Term::boxed(object).bits;
    return true;
  }

  bool port(unsigned id_bytes, Word* slot) {
    Term node;
    std::uint64_t id, creation;
    if (!atom_only(node) || !read(id_bytes, id) || !read(4, creation)) return false;
    Term number = make_integer_unsigned(alloc_, id);
    Word* object;
    if (!take(4, &object)) return false;
    object[0] = Header::make(Kind::Port, 3).bits;
    object[1] = node.bits;
    object[2] = number.bits;
    object[3] = Term::small(static_cast<std::int64_t>(creation)).bits;
    *slot = Term::boxed(object).bits;
    return true;
  }

  bool reference(Word* slot) {
    std::uint64_t count, creation;
    Term node;
    if (!read(2, count) || !atom_only(node) || !read(4, creation)) return false;
    if (count < 1 || count > kOwnedRefWords) return fail("a reference has a wrong number of words");
    std::uint64_t ids[kOwnedRefWords] = {};
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!read(4, ids[i])) return false;
    }
    bool own_shape = (count == kPlainRefWords || count == kOwnedRefWords) &&
                     ids[0] >> kFirstIdBits == 0 && ids[2] >> (32 - kFirstIdBits) == 0;
    if (is_own(node, creation) && own_shape) {
      Word number = ids[0] | ids[1] << kFirstIdBits | ids[2] << (kFirstIdBits + 32);
      Term owner{ids[3] | ids[4] << 32};
      if (!count_words(3)) return false;
      *slot = make_ref(alloc_, number, owner.is_local_pid() ? owner.bits : 0).bits;
      return true;
    }
    Word* object;
    if (!take(3 + count, &object)) return false;
    object[0] = Header::make(Kind::ExternalRef, 2 + count).bits;
    object[1] = node.bits;
    object[2] = Term::small(static_cast<std::int64_t>(creation)).bits;
    for (std::uint64_t i = 0; i < count; ++i) {
      object[3 + i] = Term::small(static_cast<std::int64_t>(ids[i])).bits;
    }
    *slot = Term::boxed(object).bits;
    return true;
  }

  bool exported(Word* slot) {
    Term module, function, arity;
    if (!atom_only(module) || !atom_only(function) || !integer_only(arity)) return false;
    if (arity.small_value() < 0 || arity.small_value() > 255) {
      return fail("a function's arity is out of range");
    }
    const ExportIdentity* target = nullptr;
    if (options_.find_export != nullptr) {
      target = options_.find_export(options_.context, module, function,
                                    static_cast<std::uint32_t>(arity.small_value()));
    }
    if (target == nullptr) return fail("it holds a function that is not known here");
    Word* object;
    if (!take(2, &object)) return false;
    object[0] = Header::make(Kind::ExportFun, 1).bits;
    object[1] = reinterpret_cast<Word>(target);
    *slot = Term::boxed(object).bits;
    return true;
  }

  bool fun(Word* slot) {
    std::uint64_t size, arity, unique, unused, index, captured;
    Term module, number;
    Word creator;
    if (!read(4, size) || !read(1, arity) || !read(8, unique) || !read(8, unused) ||
        !read(4, index) || !read(4, captured) || !atom_only(module) || !integer_only(number) ||
        !integer_only(number)) {
      return false;
    }
    if (!read(1, unused)) return false;
    if (unused != kNewPid) return fail("a function's creator is no pid");
    if (!pid(&creator) || !need(captured)) return false;
    const FunIdentity* target = nullptr;
    if (options_.find_fun != nullptr) {
      target = options_.find_fun(options_.context, module, static_cast<std::uint32_t>(index),
                                 unique, static_cast<std::uint32_t>(arity),
                                 static_cast<std::uint32_t>(captured));
    }
    if (target == nullptr) return fail("it holds a function that is not known here");
    Word* object;
    if (!take(2 + captured, &object)) return false;
    object[0] = Header::make(Kind::Fun, 1 + captured).bits;
    object[1] = reinterpret_cast<Word>(target);
    *slot = Term::boxed(object).bits;
    fill(object + 2, captured);
    return true;
  }

  TermAlloc& alloc_;
  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  AtomTable& atoms_;
  const EtfDecodeOptions& options_;
  Word result_ = Term::none().bits;  // a frame may still point to it when the decoder is destroyed
  std::size_t words_ = 0;
  std::uint32_t new_atoms_ = 0;
  const char* error_ = nullptr;
  WorkStack<Frame> stack_;
};

}  // namespace

EtfDecodeResult etf_decode(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size,
                           AtomTable& atoms, const EtfDecodeOptions& options) {
  Decoder decoder(alloc, bytes, size, atoms, options);
  return decoder.run();
}

}  // namespace quelea
