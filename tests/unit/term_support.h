// A heap for tests of terms: grows without end, frees everything when it goes.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "vm/term/alloc.h"
#include "vm/term/atoms.h"
#include "vm/term/binary.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {

class TestHeap : public TermAlloc {
 public:
  TestHeap() {
    grow = [](TermAlloc& alloc, std::size_t words) {
      TestHeap& heap = static_cast<TestHeap&>(alloc);
      std::size_t size = words > kChunk ? words : kChunk;
      heap.chunks_.push_back(std::make_unique<Word[]>(size));
      // Rubbish, so that a slot left unfilled is noticed.
      std::memset(heap.chunks_.back().get(), 0x5F, size * sizeof(Word));
      heap.hp = heap.chunks_.back().get() + words;
      heap.limit = heap.chunks_.back().get() + size;
      return heap.chunks_.back().get();
    };
  }
  ~TestHeap() { release_ref_binaries(ref_binaries); }

  Term list(std::initializer_list<Term> elements, Term tail = Term::nil_list()) {
    std::vector<Term> copy(elements);
    for (std::size_t i = copy.size(); i-- > 0;) tail = cons(copy[i], tail);
    return tail;
  }
  Term text(std::string_view bytes) { return binary_from_text(*this, bytes); }
  Term integer(std::string_view digits, unsigned radix = 10) {
    return integer_parse(*this, digits, radix);
  }
  std::size_t chunks() const { return chunks_.size(); }

 private:
  static constexpr std::size_t kChunk = 1 << 16;
  std::vector<std::unique_ptr<Word[]>> chunks_;
};

inline std::string show(Term term, const AtomTable& atoms) {
  std::string out;
  inspect(out, term, atoms);
  return out;
}
inline std::string digits(Term integer, unsigned radix = 10) {
  if (integer.is_none()) return "none";
  std::string out;
  integer_print(out, integer, radix);
  return out;
}

/// A small generator of random numbers: the same everywhere for a seed.
class TestRandom {
 public:
  explicit TestRandom(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

}  // namespace quelea
