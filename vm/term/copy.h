// Deep copies, from one heap to another.
//
// Nothing of the source is written to: it may be a heap that others read. A term of less than
// kSharingThreshold words, counted first, is copied as a tree into just that much memory; what is
// shared in it is simply copied again. In a larger one sharing is kept, through a table of what was
// copied, so that a term that a program built in n steps never takes more than O(n) words and time
// to copy. Off-heap bytes are shared by count; literals are not copied.
#pragma once

#include <cstddef>

#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr std::size_t kSharingThreshold = 16384;

struct CopyOptions {
  /// Terms in this range of addresses are literals, shared by all processes: not copied.
  const Word* literals_begin = nullptr;
  const Word* literals_end = nullptr;

  bool is_literal(const Word* object) const {
    return object >= literals_begin && object < literals_end;
  }
};

/// Words that a copy takes when no sharing is kept, counted up to `cap`: a result below `cap` is
/// exact, one of `cap` or more means "large".
std::size_t term_words(Term term, const CopyOptions& options, std::size_t cap);

/// The copy of a term that `term_words` counted, with a result below its cap.
Term copy_counted(TermAlloc& to, Term term, const CopyOptions& options, std::size_t words);

/// The copy. `words` receives the number of words made.
Term copy_term(TermAlloc& to, Term term, const CopyOptions& options, std::size_t* words = nullptr);

}  // namespace quelea
