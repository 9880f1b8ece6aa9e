// Constants of a module while it is compiled.
//
// Everything the compiler knows the value of is a Const in one ConstTable: equal constants are one
// entry, so that exact equality of constants is equality of ids. Composite constants refer to
// others by id; strings live in the compilation's arena. A constant enters the module image when an
// instruction first needs it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compiler/syntax/arena.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/interner.h"
#include "vm/code/module_image.h"

namespace quelea::compiler {

using ConstId = uint32_t;
inline constexpr ConstId kNoConst = 0xffffffffu;

enum class ConstKind : uint8_t {
  kInt,
  kBig,
  kFloat,
  kAtom,
  kString,
  kBits,
  kEmptyList,
  kTuple,
  kList,
  kMap,
  kExport
};

struct Const {
  ConstKind kind;
  bool negative = false;  // kBig
  uint32_t count =
      0;  // children: tuple elements; list elements and the tail; map keys and values by turns
  uint32_t children = 0;        // kTuple, kList, kMap: first of `count` ids in the table's pool
  uint32_t image = UINT32_MAX;  // index in the image's constant pool, when it has one
  uint64_t weight = 1;          // nodes when written out, saturating
  uint32_t module = 0;          // kExport: symbols in `module` and `value`
  uint32_t arity = 0;           // kExport
  int64_t value = 0;  // kInt; kFloat: the double's bits; kAtom: the symbol; kBits: number of bits
  std::string_view
      text;  // kString, kBits: the bytes; kBig: the magnitude, least significant byte first
};

// Constants heavier than this are refused: chains of constants could grow without bound.
inline constexpr uint64_t kMaxConstWeight = uint64_t{1} << 26;

class ConstTable {
 public:
  ConstTable(Arena& arena, Interner& names) : arena_(arena), names_(names) {}

  ConstId integer(int64_t value);
  // Becomes kInt where it fits.
  ConstId big(bool negative, std::string_view magnitude);
  // A literal of the tree: its digits may be of any length.
  ConstId literal(const IntExpr& literal, bool negate);
  ConstId number(double value);
  ConstId atom(Symbol name);
  ConstId atom(std::string_view text) { return atom(names_.intern(text)); }
  ConstId boolean(bool value) { return value ? atom("true") : atom("false"); }
  ConstId nil() { return atom("nil"); }
  ConstId string(std::string_view bytes);
  ConstId bits(std::string_view bytes, uint64_t bit_count);
  ConstId empty_list();
  ConstId tuple(std::span<const ConstId> elements) {
    return composite(ConstKind::kTuple, elements);
  }
  // The last is the tail. Flattens: a tail that is a list constant becomes part of it.
  ConstId list(std::span<const ConstId> elements, ConstId tail);
  // The fun `&Module.name/arity`.
  ConstId exported(Symbol module, Symbol name, uint32_t arity);
  // Pairs with distinct keys.
  ConstId map(std::span<const ConstId> pairs) { return composite(ConstKind::kMap, pairs); }

  const Const& operator[](ConstId id) const { return all_[id]; }
  std::span<const ConstId> children(ConstId id) const {
    return {pool_.data() + all_[id].children, all_[id].count};
  }
  std::string_view text(Symbol name) const { return names_.text(name); }
  Interner& names() { return names_; }

  bool is_atom(ConstId id, std::string_view text) const {
    return all_[id].kind == ConstKind::kAtom && names_.text(Symbol(all_[id].value)) == text;
  }
  // Small integers (61 bits), atoms and [] fit in an instruction word.
  bool is_immediate(ConstId id) const;
  bool is_small(ConstId id) const;
  bool is_integer(ConstId id) const {
    return all_[id].kind == ConstKind::kInt || all_[id].kind == ConstKind::kBig;
  }
  bool is_number(ConstId id) const { return is_integer(id) || all_[id].kind == ConstKind::kFloat; }
  double float_value(ConstId id) const;

  // Exact arithmetic of constants; kNoConst where the operation would raise or is not worth
  // folding.
  ConstId binary(BinaryOp op, ConstId a, ConstId b);
  ConstId negate(ConstId a);
  ConstId bit_not(ConstId a);
  // -1, 0, 1 in numeric order; only for numbers.
  int compare_numbers(ConstId a, ConstId b) const;
  // True when keys of these kinds can be ordered here (`key_less`): what map_literal needs.
  bool is_plain_key(ConstId id) const;
  bool key_less(ConstId a, ConstId b) const;

  // Index in the image's constant pool.
  uint32_t in_image(ConstId id, ModuleImage& image);

 private:
  ConstId composite(ConstKind kind, std::span<const ConstId> children);
  ConstId add(const Const& constant, uint64_t hash);
  template <class Equal>
  ConstId find_or_add(uint64_t hash, const Equal& equal, const Const& constant);
  void grow();
  void write(LiteralWriter& writer, ConstId id) const;
  void write_one(LiteralWriter& writer, const Const& constant) const;

  struct Slot {
    uint32_t hash;
    uint32_t id_plus_1;
  };
  Arena& arena_;
  Interner& names_;
  std::vector<Const> all_;
  std::vector<ConstId> pool_;
  std::vector<Slot> slots_;
};

}  // namespace quelea::compiler
