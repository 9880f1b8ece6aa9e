// Room for terms that live as long as this object: for tools that look at a module without a
// machine.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "vm/term/alloc.h"
#include "vm/term/binary.h"

namespace quelea {

class ScratchAlloc : public TermAlloc {
 public:
  ScratchAlloc() { grow = grow_scratch; }
  ~ScratchAlloc() {
    for (Word* object = ref_binaries; object != nullptr;
         object = reinterpret_cast<Word*>(object[3]))
      reinterpret_cast<SharedBytes*>(object[2])->release();
  }
  ScratchAlloc(const ScratchAlloc&) = delete;
  ScratchAlloc& operator=(const ScratchAlloc&) = delete;

 private:
  static Word* grow_scratch(TermAlloc& self, std::size_t words) {
    auto& scratch = static_cast<ScratchAlloc&>(self);
    std::size_t size = std::max<std::size_t>(words, 1024);
    scratch.pieces_.push_back(std::make_unique<Word[]>(size));
    scratch.hp = scratch.pieces_.back().get();
    scratch.limit = scratch.hp + size;
    return scratch.alloc(words);
  }
  std::vector<std::unique_ptr<Word[]>> pieces_;
};

}  // namespace quelea
