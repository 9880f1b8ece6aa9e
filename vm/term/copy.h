// Deep copies, from one heap to another.
//
// Nothing of the source is written to: it may be a heap that others read. Sharing within a term is
// kept once the copy is past kSharingThreshold words, through a table of what was copied, so that a
// term that a program built in n steps never takes more than O(n) words and time to copy; below,
// shared parts are simply copied again. Off-heap bytes are shared by count; literals are not
// copied.
#pragma once

#include <cstddef>

#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr std::size_t kSharingThreshold = 4096;

struct CopyOptions {
  /// Terms in this range of addresses are literals, shared by all processes: not copied.
  const Word* literals_begin = nullptr;
  const Word* literals_end = nullptr;

  bool is_literal(const Word* object) const {
    return object >= literals_begin && object < literals_end;
  }
};

/// Words that a copy takes when no sharing is kept, counted up to `cap`: a result below `cap` is
/// exact for copy_term, one of `cap` or more means "large". With `cap <= kSharingThreshold` the
/// pair (term_words, copy_term into an area of just that size) never grows the area.
std::size_t term_words(Term term, const CopyOptions& options, std::size_t cap);

/// The copy. `words` receives the number of words made.
Term copy_term(TermAlloc& to, Term term, const CopyOptions& options, std::size_t* words = nullptr);

}  // namespace quelea
