// The boxed constants of all modules of a machine. Processes share them: the collector and message
// copying recognise them by their address and leave them alone.
#pragma once

#include <atomic>
#include <vector>

#include "vm/code/address_range.h"
#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

class LiteralArea {
 public:
  LiteralArea();
  ~LiteralArea();
  LiteralArea(const LiteralArea&) = delete;
  LiteralArea& operator=(const LiteralArea&) = delete;

  /// Any thread.
  bool contains(const void* pointer) const { return range_.contains(pointer); }
  bool contains(Term term) const {
    return term.is_pointer() && contains(static_cast<const void*>(term.pointer()));
  }
  const Word* begin() const { return reinterpret_cast<const Word*>(range_.begin()); }
  const Word* end() const { return begin() + range_.size() / sizeof(Word); }
  /// Any thread.
  std::size_t used_words() const { return top_.load(std::memory_order_relaxed); }

  /// Builds literals; they stay only after `keep`. One at a time: the registry's load lock is held.
  class Builder : public TermAlloc {
   public:
    explicit Builder(LiteralArea& area);
    ~Builder();
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;
    /// False when the area is full: then nothing that was built may be kept.
    bool ok() const { return overflow_.empty(); }
    void keep();

   private:
    static Word* grow_area(TermAlloc& self, std::size_t words);

    LiteralArea& area_;
    bool kept_ = false;
    std::vector<Word*> overflow_;
  };

 private:
  Word* word(std::size_t index) { return reinterpret_cast<Word*>(range_.begin()) + index; }

  AddressRange range_;
  std::atomic<std::size_t> top_{0};  ///< Words in use; a builder changes it.
  Word* ref_binaries_ = nullptr;     ///< All RefBinary objects in it.
};

}  // namespace quelea
