// Checks a whole heap, object by object: what debug and gcstress builds do after every collection.
#pragma once

#include <string>

#include "vm/heap/collector.h"
#include "vm/heap/heap.h"

namespace quelea {

class HeapWalker {
 public:
  HeapWalker(const Heap& heap, const ForeignRanges& foreign) : heap_(heap), foreign_(foreign) {}

  /// Empty, or what is wrong. All objects must be whole, and refer only to whole objects of this
  /// heap and to literals; old ones never to young ones.
  std::string check();

 private:
  struct Range {
    const Word* begin;
    const Word* end;
    bool old;
    bool checked;
  };
  void add_old(Segment* segments, Fragment* fragments, bool checked);
  const Range* range_of(const Word* object) const;
  void check_range(const Range& range);
  void check_reference(const Range& from, const Word* at, Term term);
  void fail(const char* what, const Word* at);

  const Heap& heap_;
  const ForeignRanges foreign_;
  std::vector<Range> ranges_;  ///< Sorted.
  std::string error_;
};

}  // namespace quelea
