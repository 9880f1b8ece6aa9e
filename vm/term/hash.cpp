#include "vm/term/hash.h"

#include <cstring>
#include <vector>

#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

// One seed for each kind of value, so that (1, 2) and [1 | 2] differ.
enum Seed : std::uint64_t {
  kSeedFloat = 0xA0761D6478BD642Fu,
  kSeedBig = 0xE7037ED1A0B428DBu,
  kSeedPid = 0x8EBC6AF09C88C6E3u,
  kSeedRef = 0x589965CC75374CC3u,
  kSeedPort = 0x1D8E4E27C47D124Fu,
  kSeedFun = 0xEB44ACCAB455D165u,
  kSeedTuple = 0x9FB21C651E98DF25u,
  kSeedMap = 0xC2B2AE3D27D4EB4Fu,
  kSeedNil = 0x165667B19E3779F9u,
  kSeedCons = 0x27D4EB2F165667C5u,
  kSeedBits = 0x85EBCA77C2B2AE63u,
};

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;

std::uint64_t combine(std::uint64_t hash, std::uint64_t word) {
  unsigned __int128 product = static_cast<unsigned __int128>(hash ^ word) * kMultiplier;
  return static_cast<std::uint64_t>(product) + (static_cast<std::uint64_t>(product >> 64) ^ hash);
}

std::uint64_t hash_bits(BinaryView view) {
  if (view.bit_offset == 0 && view.is_bytes()) {
    return hash_bytes(view.bytes, view.bit_size / 8, kSeedBits);
  }
  // Whatever its place in a buffer, a bit string hashes as its aligned copy.
  std::vector<std::uint8_t> copy(view.byte_size() + 1);
  bits_copy(copy.data(), 0, view.bytes, view.bit_offset, view.bit_size);
  std::uint64_t hash = hash_bytes(copy.data(), view.byte_size(), kSeedBits);
  return view.is_bytes() ? hash : hash_mix(combine(hash, view.bit_size & 7));
}

std::uint64_t hash_words(std::uint64_t seed, const Word* words, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) seed = combine(seed, words[i]);
  return hash_mix(seed);
}

/// Values without parts; false for the others. Bytes that would be more than `most` words are left
/// alone, and `words` says so.
bool hash_flat(Term term, const AtomTable& atoms, std::uint64_t& hash, std::size_t& words,
               std::size_t most) {
  switch (term.tag()) {
    case Tag::Small:
      hash = hash_mix(term.bits);
      return true;
    case Tag::Atom:
      hash = atoms.hash(term);
      return true;
    case Tag::Pid:
      hash = hash_mix(term.bits ^ kSeedPid);
      return true;
    case Tag::Special:
    case Tag::Header:
      hash = kSeedNil;
      return true;
    case Tag::Float:
      hash = hash_mix(term.pointer()[1] ^ kSeedFloat);
      return true;
    case Tag::Cons:
      return false;
    case Tag::Boxed:
      break;
  }
  Header header = header_of(term);
  const Word* payload = term.pointer() + 1;
  switch (header.kind()) {
    case Kind::PositiveBig:
    case Kind::NegativeBig:
      words += header.payload_words();
      hash = hash_words(kSeedBig + static_cast<std::uint64_t>(header.kind()), payload,
                        header.payload_words());
      return true;
    case Kind::HeapBinary:
    case Kind::RefBinary:
    case Kind::SubBinary:
      words += binary_bits(term) / 64;
      hash = words <= most ? hash_bits(binary_view(term)) : 0;
      return true;
    case Kind::Ref:
      hash = hash_mix(payload[0] ^ kSeedRef);
      return true;
    case Kind::ExportFun: {
      const ExportIdentity& fun = export_identity(term);
      hash = hash_mix(combine(
          combine(combine(kSeedFun, atoms.hash(fun.module)), atoms.hash(fun.function)), fun.arity));
      return true;
    }
    default:
      return false;
  }
}

/// How a value with parts is hashed: a running hash over a range of words, of which the first
/// differ by kind.
struct Frame {
  std::uint64_t hash;
  const Word* at;
  const Word* end;
  const Word* second;  // maps: the values, while `at` walks the keys
  Term rest;           // lists: what follows; none otherwise
};

}  // namespace

std::uint64_t hash_bytes(const void* bytes, std::size_t size, std::uint64_t seed) {
  const unsigned char* at = static_cast<const unsigned char*>(bytes);
  std::uint64_t hash = combine(seed, size);
  std::uint64_t word;
  if (size >= 32) {
    // Two independent chains keep the multiplier busy.
    std::uint64_t other = hash ^ kMultiplier;
    while (size >= 32) {
      std::uint64_t words[4];
      std::memcpy(words, at, 32);
      hash = combine(combine(hash, words[0]), words[1]);
      other = combine(combine(other, words[2]), words[3]);
      at += 32;
      size -= 32;
    }
    hash = combine(hash, other);
  }
  while (size >= 8) {
    std::memcpy(&word, at, 8);
    hash = combine(hash, word);
    at += 8;
    size -= 8;
  }
  if (size > 0) {
    word = 0;
    std::memcpy(&word, at, size);
    hash = combine(hash, word);
  }
  return hash_mix(hash);
}

namespace {

/// Walks a value depth first with a stack of its own.
class Hasher {
 public:
  explicit Hasher(const AtomTable& atoms) : atoms_(atoms) {}

  /// Past `most` words the result means nothing.
  std::uint64_t run(Term term, std::size_t& words, std::size_t most) {
    std::uint64_t hash;
    open(term);
    while (words <= most) {
      Frame& frame = stack_.top();
      Term part;
      if (!next_part(frame, part)) {
        hash = hash_mix(frame.hash);
        stack_.pop();
        if (stack_.empty()) return hash;
      } else {
        ++words;
        if (!hash_flat(part, atoms_, hash, words, most)) {
          open(part);
          continue;
        }
      }
      Frame& outer = stack_.top();
      outer.hash = combine(outer.hash, hash);
    }
    return 0;
  }

 private:
  bool next_part(Frame& frame, Term& part) {
    if (frame.at != frame.end) {
      part = {*frame.at++};
      if (frame.at == frame.end && frame.second != nullptr) {
        frame.end = frame.second + (frame.end - start_of(frame));
        frame.at = frame.second;
        frame.second = nullptr;
      }
      return true;
    }
    if (frame.rest.is_none()) return false;
    if (frame.rest.is_cons()) {
      part = frame.rest.head();
      frame.rest = frame.rest.tail();
      return true;
    }
    part = frame.rest;
    frame.rest = Term::none();
    return true;
  }

  /// The first key of a flat map whose keys are being walked: they follow the tuple's header.
  static const Word* start_of(const Frame& frame) {
    std::size_t count = Header{frame.second[-2]}.payload_words() - 1;
    return frame.end - count;
  }

  void range(std::uint64_t seed, const Word* at, std::size_t count) {
    stack_.push({combine(seed, count), at, at + count, nullptr, Term::none()});
  }

  void open(Term term) {
    if (term.is_cons()) {
      stack_.push({kSeedCons, nullptr, nullptr, nullptr, term});
      return;
    }
    Header header = header_of(term);
    const Word* payload = term.pointer() + 1;
    std::size_t count = header.payload_words();
    switch (header.kind()) {
      case Kind::FlatMap: {
        const Word* keys = Term{payload[0]}.pointer() + 1;
        bool empty = count == 1;
        stack_.push({combine(kSeedMap, count - 1), keys, keys + (count - 1),
                     empty ? nullptr : payload + 1, Term::none()});
        return;
      }
      case Kind::HashMap:
        return range(kSeedMap, payload + 1, 1);
      case Kind::MapNode:
        // The bitmap is a small integer and takes part.
        return range(kSeedMap + 1, payload, count);
      case Kind::MapCollision:
        return range(kSeedMap + 2, payload, count);
      case Kind::Fun: {
        const FunIdentity& fun = fun_identity(term);
        std::uint64_t seed = combine(combine(kSeedFun, atoms_.hash(fun.module)), fun.index);
        return range(combine(seed, fun.unique), payload + 1, count - 1);
      }
      case Kind::ExternalPid:
        return range(kSeedPid, payload, count);
      case Kind::ExternalRef:
        return range(kSeedRef, payload, count);
      case Kind::Port:
        return range(kSeedPort, payload, count);
      default:
        return range(kSeedTuple, payload, count);
    }
  }

  const AtomTable& atoms_;
  WorkStack<Frame> stack_;
};

}  // namespace

std::uint64_t hash_slow(Term term, const AtomTable& atoms, std::size_t* work) {
  WalkLimit limit(work);
  std::size_t words = 1;
  std::uint64_t hash = 0;
  if (!hash_flat(term, atoms, hash, words, limit.most())) {
    hash = Hasher(atoms).run(term, words, limit.most());
  }
  if (!limit.allows(words)) limit.give_up();
  limit.add(words);
  return hash;
}

}  // namespace quelea
