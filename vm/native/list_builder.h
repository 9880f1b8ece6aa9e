// Builds a list front to back.
//
// Filling in the tail of a cell that was just made is safe because nothing collects while a native
// runs and nobody else has seen the cell.
#pragma once

#include "vm/term/alloc.h"

namespace quelea {

class ListBuilder {
 public:
  explicit ListBuilder(TermAlloc& alloc) : alloc_(alloc) {}

  void push(Term element) {
    Word* cell = alloc_.alloc(2);
    cell[0] = element.bits;
    cell[1] = Term::nil_list().bits;
    *end_ = Term::cons(cell).bits;
    end_ = cell + 1;
    ++size_;
  }
  std::size_t size() const { return size_; }
  /// The list, with `tail` behind its last element. The builder is done with then.
  Term finish(Term tail = Term::nil_list()) {
    *end_ = tail.bits;
    return {first_};
  }

 private:
  TermAlloc& alloc_;
  Word first_ = Term::nil_list().bits;
  Word* end_ = &first_;
  std::size_t size_ = 0;
};

}  // namespace quelea
