// Where terms are built.
//
// The one rule that makes native code simple: **building never collects and never moves anything**.
// When the process's block is full, `alloc` continues in a fragment (a separate piece of memory
// owned by the same process) and asks the process to collect at its next safe point. Only the
// interpreter's safe points (function entry, loop back edge, `alloc` instruction, call of a native)
// collect. A native function may therefore hold any number of terms in C++ variables while it runs.
#pragma once

#include <atomic>

#include "vm/term/term.h"

namespace quelea {

/// What the buffers of all binaries of one machine take outside its heaps.
struct BinaryAccount {
  std::atomic<std::size_t> bytes{0};
  /// A binary that would take more than this is not made (a system_limit).
  std::size_t limit = static_cast<std::size_t>(-1);
  /// A heap that has made so much since its last collection is asked to collect.
  std::size_t collect_after = std::size_t{16} << 20;

  /// What the whole machine takes, buffers included; null where nobody counts. It is late, so that
  /// `bytes` may be more.
  const std::atomic<std::int64_t>* machine_bytes = nullptr;

  /// Exact when one thread allocates; several may pass the limit together by what they allocate at
  /// once.
  bool has_room(std::size_t size) const {
    std::size_t taken = bytes.load(std::memory_order_relaxed);
    if (machine_bytes != nullptr) {
      const std::int64_t all = machine_bytes->load(std::memory_order_relaxed);
      if (all > 0 && static_cast<std::size_t>(all) > taken) taken = static_cast<std::size_t>(all);
    }
    return taken <= limit && size <= limit - taken;
  }
};

/// A bump allocator of words. A process is one; so are literal areas and message fragments under
/// construction.
class TermAlloc {
 public:
  /// Room for `words` words, uninitialised; the caller fills all of them before anything else can
  /// look.
  Word* alloc(std::size_t words) {
    // Signed: the limit is below hp where a native's frame, red zone included, has no room left.
    if (QUELEA_LIKELY(limit - hp >= static_cast<std::ptrdiff_t>(words))) {
      Word* result = hp;
      hp += words;
      return result;
    }
    return grow(*this, words);
  }

  /// Returns the last `words` words of an allocation that ended at `end`. What cannot be taken back
  /// becomes a tuple of zeros, so that the heap can still be walked.
  void give_back(Word* end, std::size_t words) {
    if (words == 0) return;
    if (QUELEA_LIKELY(hp == end)) {
      hp -= words;
      return;
    }
    Word* filler = end - words;
    filler[0] = Header::make(Kind::Tuple, words - 1).bits;
    for (std::size_t i = 1; i < words; ++i) filler[i] = 0;
  }

  Term cons(Term head, Term tail) {
    Word* cell = alloc(2);
    cell[0] = head.bits;
    cell[1] = tail.bits;
    return Term::cons(cell);
  }

  template <class... Terms>
  Term tuple(Terms... elements) {
    Word* object = alloc(1 + sizeof...(elements));
    Word* at = object;
    *at++ = Header::make(Kind::Tuple, sizeof...(elements)).bits;
    ((*at++ = elements.bits), ...);
    return Term::boxed(object);
  }

  Term make_float(double value) {
    Word* object = alloc(2);
    object[0] = Header::make(Kind::Float, 1).bits;
    __builtin_memcpy(object + 1, &value, sizeof value);
    return Term::boxed_float(object);
  }

  Word* hp = nullptr;     ///< The next free word.
  Word* limit = nullptr;  ///< One past the last usable word.
  /// First RefBinary object of this heap; they are chained through their `next` word so that the
  /// collector can drop the shared bytes of those that died.
  Word* ref_binaries = nullptr;
  /// Bytes outside the heap that RefBinary objects made since the last collection keep alive.
  std::size_t off_heap_bytes = 0;
  /// Where new buffers are charged; null where they are not.
  BinaryAccount* binary_account = nullptr;
  /// Called when `limit - hp < words`: continues elsewhere, never returns null. Called with 0
  /// words, the result being ignored, when `off_heap_bytes` says that a collection would pay.
  Word* (*grow)(TermAlloc&, std::size_t words) = nullptr;
};

}  // namespace quelea
