// Modules as they run.
//
// The loader expands every instruction to words: the address of its handler, then its operands,
// laid out so that a handler needs no decoding:
//
//   letter  words
//   D S P Q the slot as a signed byte offset from fp: slot i is at `fp[-i]`, so -8 * i
//   X       negative: the slot, as above; else the address of the constant in the module's table,
//           which never moves
//   C B     the term word (a boxed constant lies in the machine's LiteralArea)
//   U       the number; where a tuple of so many elements is asked for, its header
//   L       address of the target instruction   F  address of the function's first instruction
//   E       Export*                             J  FunEntry*
//   N       const NativeEntry*
//   M       bit i+1 = slot i is live, and bit 0 set, when only slots below 63 are live;
//           else the address of a table: number of bitmap words, then these (bit i = slot i)
//   R       an instruction: [return_point][8 * base][destination][M]
//   V       count, then an X word each
//   G       count, then flags, unit, value X, size X each
//   W       switch_imm: count, then (term, address) sorted by the term's bits, unsigned
//           switch_arity: count, then (plain number, address), sorted
//           switch_string: count, then (binary term, address), sorted by (size in bytes, bytes)
//           (dense ones become the table instructions of loader_ops.def)
//   Z       bytes of the function's frame and of the red zone (LoadOptions); in `alloc` also of the
//   words allocated Y       arity
//
// The machine may replace an instruction's handler by one that does the next instruction as well
// when the module is loaded (vm/interp/fusion.h); nothing else changes.
// Behind a return point whose frame may have lost room meanwhile, the loader puts an `alloc` of 0
// words.
//
// The word before a function's first instruction is the address of its LoadedFunction.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/code/module_image.h"
#include "vm/code/opcodes.h"
#include "vm/term/fun.h"
#include "vm/term/term.h"

namespace quelea {

class Process;
class Args;
using NativeFunction = Term (*)(Process& process, Args args);  // as vm/native/native.h

class CodeRegistry;
struct LoadedModule;

inline constexpr std::uint32_t kMaxFrameSlots = 1u << 16;
inline constexpr std::uint32_t kMaxArity = 255;

/// Handlers are numbered: instructions by `Op`, then those of loader_ops.def.
enum LoaderOp : unsigned {
  kFirstLoaderOp = kOpCount - 1,
#define LOADER_OP(name, words, sentence) loader_op_##name,
#include "vm/code/loader_ops.def"
#undef LOADER_OP
  kHandlerCount
};

/// Flags of natives (NATIVE's last column): allowed in guards; depends on its arguments alone. Such
/// a native only computes: it never calls Quelea code.
inline constexpr std::uint32_t kNativeGuard = 1;
inline constexpr std::uint32_t kNativePure = 2;

struct NativeEntry {
  NativeFunction function = nullptr;
  Term module = {}, name = {};
  std::uint32_t arity = 0;
  std::uint32_t flags = 0;
};

/// A function that can be called from outside its module, by whatever version is newest. Exists
/// from the first reference on, whether or not such a function exists, and as long as the machine.
struct Export : ExportIdentity {
  /// The newest version's first instruction; `stub` while there is none. Stored (release) by
  /// CodeRegistry::install, under its lock; loaded (acquire) by every call, which pairs with it.
  std::atomic<const Word*> entry;
  /// [undefined][Export*]: what runs when there is no code.
  Word stub[2];

  bool has_code() const { return entry.load(std::memory_order_acquire) != stub; }
};

/// What a fun made by `closure` points to. Captured values come after the parameters in the
/// function's slots.
struct FunEntry : FunIdentity {
  const Word* entry;
  const LoadedModule* version;
};

struct LoadedLine {
  std::uint32_t word;  ///< First word of code, counted from the module's first.
  std::uint32_t line;
  std::uint32_t file;
  InlineRef inlined;
};

struct LoadedFunction;

/// As ImageInline.
struct LoadedInline {
  const LoadedFunction* function;
  std::uint32_t caller;
  std::uint32_t line;
  std::uint32_t file;
};

struct LoadedException {
  std::uint32_t start, end;  ///< Covered words, counted from the module's first.
  std::uint32_t handler;
  ExceptionKind kind;
};

struct LoadedFunction {
  const LoadedModule* module = nullptr;
  Term name = {};
  std::uint32_t arity = 0;  ///< Captured values included.
  std::uint32_t captured = 0;
  std::uint32_t frame_slots = 0;
  std::uint32_t line = 0;
  bool exported = false;
  const Word* entry = nullptr;
  const Word* end = nullptr;
  std::uint32_t lines_begin = 0, lines_end = 0;
  std::uint32_t exceptions_begin = 0, exceptions_end = 0;
};

struct LoadedTest {
  std::string name;
  const LoadedFunction* function = nullptr;
  std::uint32_t line = 0;
  bool doc_example = false;
};

/// One version of a module. Immutable once installed; lives until it is purged.
struct LoadedModule {
  Term name = {};
  const Word* code = nullptr;
  std::size_t code_words = 0;
  std::vector<LoadedFunction> functions;  ///< In order of their code.
  std::vector<std::uint32_t> exports;     ///< Indexes of exported functions, by (name, arity).
  std::vector<FunEntry> lambdas;
  std::vector<LoadedInline> inlines;
  std::vector<LoadedLine> lines;
  std::vector<LoadedException> exceptions;  ///< Disjoint and in order.
  std::vector<std::string> files;
  std::vector<LoadedTest> tests;
  std::vector<Term> constants;
  std::vector<std::unique_ptr<Word[]>> live_maps;  ///< Of frames of more than 63 slots.
  std::vector<std::pair<Term, Term>> attributes;   ///< Name, value.
  std::uint64_t source_hash = 0;
  /// Everything that running does not need: docs, callbacks, struct fields; indexes as in the file.
  std::unique_ptr<ModuleImage> image;

  /// What it takes beside its code and its literals, about.
  std::size_t table_bytes() const;
  /// The function whose code holds `pc`, or null.
  const LoadedFunction* function_at(const Word* pc) const;
  const LoadedFunction* find_export(Term function_name, std::uint32_t arity) const;
  /// Innermost exception-table entry that covers the instruction (or return point) at `pc`, or
  /// null.
  const LoadedException* exception_at(const Word* pc) const;
  /// Where the instruction at `pc` comes from; line 0 when unknown. For a return point give the
  /// return point.
  LoadedLine line_at(const Word* pc) const;
  /// The frames that `pc`, or a return point, is the place of: `visit(function, line, file)` for
  /// each body that was inlined there, the innermost first, and at last for the function around
  /// them, unless its frame would have been gone. Ends where `visit` returns false.
  template <class Visit>
  void each_frame(const Word* pc, const Visit& visit) const {
    const LoadedFunction* around = function_at(pc);
    if (around == nullptr) return;
    LoadedLine at = line_at(pc);
    while (at.inlined != 0) {
      const LoadedInline& body = inlines[at.inlined - 1];
      if (!visit(*body.function, at.line, at.file)) return;
      if (body.caller == ImageInline::kNobody) return;
      at = {at.word, body.line, body.file, body.caller - 1};
    }
    visit(*around, at.line, at.file);
  }
};

}  // namespace quelea
