// Where loaded code lives: a reserved range of addresses, so that "whose code is this?", asked for
// every frame of a trace and at every exception, is one read of a table, with no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vm/code/address_range.h"
#include "vm/term/term.h"

namespace quelea {

struct LoadedModule;

/// The code words of all modules of a machine, and whose they are.
class CodeArea {
 public:
  CodeArea();
  std::size_t used_bytes() const { return top_; }
  bool contains(const Word* pc) const { return range_.contains(pc); }
  /// Room for code; null when the area is full. Under the registry's load lock.
  Word* allocate(std::size_t words);
  /// Takes back what `allocate` gave last and nobody uses yet.
  void give_back(const Word* code);
  /// From now on `module_at` answers `module` for these words (null: nobody).
  void assign(const Word* code, std::size_t words, const LoadedModule* module);
  /// The module whose code holds `pc`, or null. Any thread.
  const LoadedModule* module_at(const Word* pc) const {
    // Below the range it is a large number.
    auto offset = reinterpret_cast<std::size_t>(pc) - reinterpret_cast<std::size_t>(range_.begin());
    if (offset >= usable_) return nullptr;
    // Pairs with the release in `assign`.
    return owners()[offset / kGranule].load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t kGranule = 512;
  std::atomic<const LoadedModule*>* owners() const {
    return reinterpret_cast<std::atomic<const LoadedModule*>*>(owners_.begin());
  }
  AddressRange range_;
  AddressRange owners_;     ///< One pointer a granule.
  std::size_t usable_ = 0;  ///< Less where the system gave few addresses.
  std::size_t top_ = 0;     ///< Bytes in use, whole granules.
};

}  // namespace quelea
