// Builds a list front to back.
//
// Filling in the tail of a cell that was just made is safe because nothing collects while a native
// runs and nobody else has seen the cell.
#pragma once

#include "vm/base/assert.h"
#include "vm/term/alloc.h"

namespace quelea {

class ListBuilder {
 public:
  explicit ListBuilder(TermAlloc& alloc) : alloc_(&alloc) {}

  void push(Term element) {
    QUELEA_ASSERT(!element.is_none());
    Word* cell = alloc_->alloc(2);
    cell[0] = element.bits;
    cell[1] = Term::nil_list().bits;
    if (QUELEA_LIKELY(last_ != nullptr)) {
      last_[1] = Term::cons(cell).bits;
    } else {
      first_ = Term::cons(cell);
    }
    last_ = cell;
    ++size_;
  }
  /// False, and the list is as before, where the element could not be made.
  bool push_made(Term element) {
    if (element.is_none()) return false;
    push(element);
    return true;
  }
  std::size_t size() const { return size_; }
  /// The list, with `tail` behind its last element. The builder is done with then.
  Term finish(Term tail = Term::nil_list()) {
    if (last_ == nullptr) return tail;
    last_[1] = tail.bits;
    return first_;
  }

 private:
  TermAlloc* alloc_;
  Term first_ = Term::nil_list();
  Word* last_ = nullptr;  ///< The last cell.
  std::size_t size_ = 0;
};

}  // namespace quelea
