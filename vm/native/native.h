// How a native function looks.
//
// A native is called by the interpreter with the process and its arguments, which lie in slots of
// the caller's frame. It returns its result, or `Term::none()` after it told the process what to do
// instead: `p.raise(…)`, `p.again()` or `p.trap(…)`. While it runs nothing is collected or moved
// (vm/term/alloc.h). Its cost beyond one reduction it declares with `p.charge(n)`, about one
// reduction for each 10 words or 100 bytes touched; a native whose work has no small bound does it
// in slices: it keeps its state in its arguments (`args.set`) and returns `p.again()`, and is
// called again, with the arguments as it left them, after others have run.
//
// Natives are declared once, in vm/code/natives/<area>.def:
//   NATIVE(Module, name, arity, cpp_function, flags)
// and a module they name can be called from Quelea source like any other: a call of
// `Prim.map_size(m)` compiles to `call_native`. `Prelude` holds the prelude of the language; `Prim`
// what the library's own modules build on. Flags: GUARD allowed in guards; PURE result depends on
// the arguments alone (may be folded); BLOCKING may block its thread for long: it runs on a thread
// of the pool (vm/native/native_table.cpp). A native that blocks sometimes only goes there itself,
// before it has done anything: `if (!p.on_pool()) return p.to_pool();`.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "vm/term/term.h"

namespace quelea {

class Process;
class Vm;
struct NativeEntry;

/// What a native that works in slices keeps between `again` and its next call, beyond its
/// arguments: `Process::native_state`. The collector updates `roots`.
struct NativeState {
  std::vector<Term> roots;
  /// It holds terms elsewhere, too: nothing may be collected before the native is done
  /// (vm/native/slices.h).
  bool pins_heap = false;
  /// What was allocated in the slices of the native; MemoryGuard's.
  std::int64_t taken_bytes = 0;
  virtual ~NativeState() = default;
  /// Forgets what was done and pins nothing any more, so that the native begins anew. False where
  /// it did that before.
  virtual bool start_over() { return false; }
};

/// The arguments of a native: slots of the caller's frame, so they stay rooted across `again`.
class Args {
 public:
  explicit Args(Term* window) : window_(window) {}
  Term operator[](std::size_t index) const {
    return window_[-1 - static_cast<std::ptrdiff_t>(index)];
  }
  void set(std::size_t index, Term value) const {
    window_[-1 - static_cast<std::ptrdiff_t>(index)] = value;
  }

 private:
  Term* window_;
};

using NativeFunction = Term (*)(Process& process, Args args);

/// Names and arities of all natives of a module; empty when it has none.
std::vector<std::pair<std::string_view, std::uint32_t>> natives_of(std::string_view module);

/// The native of that name, or null. The entry lives as long as the machine.
const NativeEntry* find_native(Vm& vm, std::string_view module, std::string_view name,
                               std::uint32_t arity);

}  // namespace quelea
