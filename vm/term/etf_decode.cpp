#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "vm/base/memory.h"
#include "vm/base/raw_vector.h"
#include "vm/term/binary.h"
#include "vm/term/etf.h"
#include "vm/term/etf_tags.h"
#include "vm/term/integer.h"
#include "vm/term/map_build.h"
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
        if (frame.stride == 2) frame.to[1] = Term::nil_list().bits;
      }
    }
  }

  /// A little of it; false when it is done, or has failed. `cost` grows by the words touched. What
  /// makes maps may give up (vm/term/work.h): then there is more, but it makes no sense to go on.
  bool step(std::size_t& cost) {
    if (error_ != nullptr) return false;
    const std::size_t before = work();
    const bool more = step_phase(cost);
    cost += 1 + work() - before;
    return more;
  }

  EtfDecodeResult result() const {
    EtfDecodeResult answer;
    if (phase_ == kDone && error_ == nullptr) answer.term = {result_};
    answer.used = compressed_end_ != nullptr ? static_cast<std::size_t>(compressed_end_ - begin_)
                                             : static_cast<std::size_t>(at_ - begin_);
    answer.error = error_;
    answer.lacks_room = lacks_room_;
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

  enum Phase { kStart, kInflate, kTerms, kDone };
  static constexpr std::size_t kTermsAtOnce = 64;
  static constexpr std::size_t kEntriesAtOnce = 512;
  static constexpr std::size_t kBytesAtOnce = std::size_t{64} << 10;
  static constexpr std::size_t kPairWordsAtOnce = 4096;
  static constexpr std::size_t kCostAtOnce = 4096;

  /// What was done, but for making maps.
  std::size_t work() const {
    const std::size_t read = first_ == nullptr ? 0 : static_cast<std::size_t>(at_ - first_);
    return words_ + read / 8 + inflated_ / 2;
  }

  bool step_phase(std::size_t& cost) {
    switch (phase_) {
      case kStart:
        return start();
      case kInflate:
        return inflate_some();
      case kTerms:
        return step_terms(cost) && (gave_up(cost) || has_more() || end());
      case kDone:
        break;
    }
    return false;
  }
  bool has_more() const { return !stack_.empty() || copy_.from != nullptr; }

  bool start() {
    if (!options_.bare) {
      std::uint64_t version;
      if (!read(1, version)) return false;
      if (version != kEtfVersion) return fail("it does not start with 131");
      if (at_ != end_ && *at_ == kCompressed) return start_inflating();
    }
    return start_terms();
  }

  bool start_terms() {
    first_ = at_;
    phase_ = kTerms;
    fill(&result_, 1);
    return true;
  }

  bool end() {
    const bool all = compressed_end_ == nullptr || at_ == end_;
    if ((at_ != end_ && !options_.allow_rest) || !all) return fail("bytes follow the term");
    phase_ = kDone;
    return false;
  }

  /// Up to kTermsAtOnce terms; false where one is refused.
  bool step_terms(std::size_t& cost) {
    if (copy_.from != nullptr) return copy_some(cost);
    const std::size_t start = cost;
    for (std::size_t n = 0; n < kTermsAtOnce && cost - start < kCostAtOnce; ++n) {
      if (stack_.empty() || copy_.from != nullptr) return true;
      Frame& frame = stack_.top();
      if (frame.count == 0) {
        if (!close(cost)) return false;
        continue;
      }
      Word* slot = frame.to;
      frame.to += frame.stride;
      --frame.count;
      // Cells of a list are linked as they are filled.
      if (frame.stride == 2 && frame.count > 0) slot[1] = Term::cons(slot + 2).bits;
      *slot = Term::nil_list().bits;
      if (!value(slot)) return false;
    }
    return true;
  }

  /// 131, 80, the size of what follows when inflated, and that deflated (as Erlang's `compressed`).
  bool start_inflating() {
    std::uint64_t tag, size;
    if (!read(1, tag) || !read(4, size)) return false;
    // Deflate makes nothing more than 1,032 times smaller: the size cannot lie beyond that.
    if (size > 1032 * (left() + 1) || size / sizeof(Word) > options_.max_words) {
      return fail("a compressed term claims to be larger than it can be");
    }
    inflating_ = std::make_unique<Inflating>();
    inflating_->bytes.resize_raw(size);
    inflating_->ahead = PagesAhead(inflating_->bytes.data(), size);
    if (inflateInit(&inflating_->stream) != Z_OK) return fail("there is no memory to inflate it");
    inflating_->is_open = true;
    phase_ = kInflate;
    return true;
  }

  bool inflate_some() {
    Inflating& z = *inflating_;
    constexpr std::size_t kMost = std::size_t{1} << 30;
    z.stream.next_in = const_cast<Bytef*>(at_);
    z.stream.avail_in = static_cast<uInt>(std::min(left(), kMost));
    const std::size_t room = std::min(z.bytes.size() - inflated_, kBytesAtOnce);
    // A byte more than there may be, so that what is longer shows.
    Bytef beyond = 0;
    z.ahead.reach(z.bytes.data() + inflated_ + room);
    z.stream.next_out = room > 0 ? z.bytes.data() + inflated_ : &beyond;
    z.stream.avail_out = static_cast<uInt>(room > 0 ? room : 1);
    const int status = inflate(&z.stream, Z_NO_FLUSH);
    at_ = z.stream.next_in;
    const std::size_t written = (room > 0 ? room : 1) - z.stream.avail_out;
    if (room == 0 && written > 0) return fail("a compressed term is longer than it says");
    inflated_ += written;
    if (status == Z_STREAM_END) {
      if (inflated_ != z.bytes.size()) return fail("a compressed term is shorter than it says");
      if (at_ != end_ && !options_.allow_rest) return fail("bytes follow the term");
      compressed_end_ = at_;
      at_ = z.bytes.data();
      end_ = at_ + z.bytes.size();
      return start_terms();
    }
    if (status != Z_OK || (written == 0 && left() == 0)) return fail("it is compressed wrongly");
    return true;
  }

  struct Inflating {
    ~Inflating() {
      if (is_open) inflateEnd(&stream);
    }
    z_stream stream{};
    bool is_open = false;
    RawVector<std::uint8_t> bytes;
    PagesAhead ahead;
  };

  /// What a frame was for is there. Large maps take many steps, and this comes here again.
  bool close(std::size_t& cost) {
    Frame frame = stack_.top();
    if (frame.pairs == nullptr) {
      stack_.pop();
      return true;
    }
    if (frame.entries <= kEntriesAtOnce) {
      cost += 2 * frame.entries;
      return end_map(map_from_pairs(alloc_, reinterpret_cast<Term*>(frame.pairs), frame.entries,
                                    atoms_, &cost),
                     cost);
    }
    if (build_ == nullptr) build_ = std::make_unique<MapBuild>(atoms_);
    const std::size_t copied = build_->pairs.size();
    if (const std::size_t some = std::min(2 * frame.entries - copied, kPairWordsAtOnce)) {
      build_->pairs.reserve(2 * frame.entries);
      for (std::size_t i = 0; i < some; ++i) build_->pairs.push_back(Term{frame.pairs[copied + i]});
      cost += some;
      return true;
    }
    if (build_->step(alloc_, cost)) return true;
    const Term map = build_->result();
    build_.reset();
    return end_map(map, cost);
  }

  bool end_map(Term map, std::size_t cost) {
    if (gave_up(cost)) return true;
    const Frame frame = stack_.take();
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
        return fail("a compressed term stands inside of another");
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
      if (copy == nullptr) no_memory();
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
      found =
          options_.requests_atoms ? atoms_.request(text) : atoms_.intern(text, options_.atoms_of);
      if (found.is_none()) {
        lacks_room_ = atoms_.is_full();
        return fail(lacks_room_ ? "the atom table is full" : "an atom is malformed");
      }
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
    if (pairs == nullptr) no_memory();
    stack_.push({pairs, 2 * count, 1, pairs, slot, count});
    return true;
  }

  bool binary(std::uint64_t bytes, std::uint64_t last_bits, Word* slot) {
    if (!need(bytes) || !count_words(5 + bytes / 64)) return false;
    if (last_bits < 1 || last_bits > 8 || (bytes == 0 && last_bits != 8)) {
      return fail("a bit string's last byte has a wrong number of bits");
    }
    const std::size_t bits = bytes * 8 - (8 - last_bits);
    Term result;
    if (bytes <= kBytesAtOnce) {
      result = binary_from_view(alloc_, {at_, 0, bits});
    } else {
      result = binary_uninitialised(alloc_, bytes, &copy_.to);
    }
    if (result.is_none()) {
      lacks_room_ = bytes <= kMaxBinaryBytes;
      return fail("a binary is too large");
    }
    if (bytes > kBytesAtOnce) {
      copy_.from = at_;
      copy_.end = at_ + bytes;
      first_ += bytes;  // It is paid for as it is copied.
      if (last_bits != 8) result = binary_part(alloc_, result, 0, bits);
    }
    at_ += bytes;
    *slot = result.bits;
    return true;
  }

  /// Some of a large binary.
  bool copy_some(std::size_t& cost) {
    const auto left = static_cast<std::size_t>(copy_.end - copy_.from);
    const std::size_t some = std::min(left, kBytesAtOnce);
    std::memcpy(copy_.to, copy_.from, some);
    cost += some / 16;
    copy_.to += some;
    copy_.from = some == left ? nullptr : copy_.from + some;
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
  const EtfDecodeOptions options_;
  Phase phase_ = kStart;
  const std::uint8_t* first_ = nullptr;           // of the terms
  const std::uint8_t* compressed_end_ = nullptr;  // where the input ended, when `at_` is elsewhere
  std::size_t inflated_ = 0;
  std::unique_ptr<Inflating> inflating_;
  std::unique_ptr<MapBuild> build_;
  /// Of a large binary: what is left to be copied, from nowhere when nothing is.
  struct {
    std::uint8_t* to = nullptr;
    const std::uint8_t* from = nullptr;
    const std::uint8_t* end = nullptr;
  } copy_;
  Word result_ = Term::none().bits;  // a frame may still point to it when the decoder is destroyed
  std::size_t words_ = 0;
  std::uint32_t new_atoms_ = 0;
  bool lacks_room_ = false;
  const char* error_ = nullptr;
  WorkStack<Frame> stack_;
};

}  // namespace

struct EtfDecoding::Walk {
  Decoder decoder;
};

EtfDecoding::EtfDecoding(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size,
                         AtomTable& atoms, const EtfDecodeOptions& options)
    : walk_(new Walk{{alloc, bytes, size, atoms, options}}) {}
EtfDecoding::EtfDecoding(EtfDecoding&&) noexcept = default;
EtfDecoding::~EtfDecoding() = default;

bool EtfDecoding::step(std::size_t& cost) { return walk_->decoder.step(cost); }

EtfDecodeResult EtfDecoding::result() const { return walk_->decoder.result(); }

EtfDecodeResult etf_decode(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size,
                           AtomTable& atoms, const EtfDecodeOptions& options) {
  Decoder decoder(alloc, bytes, size, atoms, options);
  std::size_t cost = 0;
  while (decoder.step(cost)) continue;
  EtfDecodeResult result = decoder.result();
  result.work = cost;
  return result;
}

}  // namespace quelea
