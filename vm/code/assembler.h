// Writes instructions into a ModuleImage: one function after the other, labels resolved as they are
// bound.
//
//   Assembler code(image);
//   code.begin_function({.name = fact, .arity = 1, .frame_slots = 4, .exported = true, .line = 3});
//   code.emit(op_enter);
//   Label other = code.new_label();
//   code.line(4);
//   code.emit(op_eq_imm, Slot{1}, ConstantRef{zero}, other);
//   code.emit(op_ret_const, ConstantRef{one});
//   code.bind(other);
//   code.emit(op_sub_imm, Slot{3}, Slot{1}, ConstantRef{one});   // Z and Y operands are the
//   loader's: not given LiveMap live; live.add(1); code.emit(op_call, FunctionRef{0}, Return{2,
//   Slot{2}, live}); // R is one operand std::uint32_t index = code.end_function();
//
// Debug builds check every operand against opcodes.def; what they cannot see, the verifier finds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/base/assert.h"
#include "vm/code/module_image.h"
#include "vm/code/opcodes.h"

namespace quelea {

struct Slot {
  std::uint32_t index;
};
struct ConstantRef {
  std::uint32_t index;
};
struct Number {
  std::uint32_t value;
};
struct FunctionRef {
  std::uint32_t index;
};
struct ImportRef {
  std::uint32_t index;
};
struct NativeRef {
  std::uint32_t index;
};
struct LambdaRef {
  std::uint32_t index;
};
struct Label {
  std::uint32_t id = UINT32_MAX;
};

/// An X operand: a slot or a constant.
struct Value {
  std::uint32_t encoded = 0;
  Value() = default;
  Value(Slot slot) : encoded(slot.index << 1) {}                     // NOLINT: reads as one
  Value(ConstantRef constant) : encoded(constant.index << 1 | 1) {}  // NOLINT: reads as one
  bool is_constant() const { return encoded & 1; }
  std::uint32_t index() const { return encoded >> 1; }
};

/// The slots that hold live terms across a safe point. Slot 0 is never in it.
class LiveMap {
 public:
  void add(std::uint32_t slot) {
    if (slot / 8 >= bytes_.size()) bytes_.resize(slot / 8 + 1);
    bytes_[slot / 8] |= static_cast<std::uint8_t>(1u << slot % 8);
  }
  void clear() { bytes_.clear(); }
  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

struct Return {
  std::uint32_t base;
  Slot destination;
  const LiveMap& live;
};

struct SwitchCase {
  ConstantRef value;
  Label target;
};

/// A segment of `bs_build` and `bs_append`; `size` counts units, and is ignored where the flags say
/// kSegmentWhole or a UTF type (give any constant).
struct BinarySegment {
  std::uint32_t flags;
  std::uint32_t unit;
  Value value;
  Value size;
};

class Assembler {
 public:
  explicit Assembler(ModuleImage& image) : image_(image), code_(image.code) {}

  /// Starts a function; code, line and exception ranges of `function` are filled in by the
  /// assembler. Its index is `image.functions.size()` at this moment, unless the caller reserved
  /// one (`index`).
  void begin_function(const ImageFunction& function, std::uint32_t index = UINT32_MAX);
  /// Resolves all labels. Returns the function's index.
  std::uint32_t end_function();
  /// May be set late, when slots have been allocated.
  void set_frame_slots(std::uint32_t slots) { function_.frame_slots = slots; }

  Label new_label() {
    label_offsets_.push_back(kUnbound);
    return {static_cast<std::uint32_t>(label_offsets_.size() - 1)};
  }
  void bind(Label label) {
    QUELEA_ASSERT(label_offsets_[label.id] == kUnbound);
    label_offsets_[label.id] = offset();
  }
  bool is_bound(Label label) const { return label_offsets_[label.id] != kUnbound; }
  /// Bytes of code in this function so far.
  std::uint32_t offset() const {
    return static_cast<std::uint32_t>(code_.size()) - function_.code_begin;
  }

  /// What follows comes from this line, of the function's own code or of a body that was inlined.
  void line(std::uint32_t line, std::uint32_t file = 0, InlineRef inlined = 0);
  /// Call in the order of the table: inner ranges first. Labels may be bound later.
  void exception_range(Label start, Label end, Label handler, ExceptionKind kind) {
    ranges_.push_back({start, end, handler, kind});
  }

  /// The same operand by operand, for callers that go by the operand letters.
  void begin(Op op) {
    begin_operands(op);
    code_.push_back(op);
  }
  template <class Operand>
  void operand(const Operand& operand) {
    put(operand);
  }
  void finish() const { check_end(); }

  template <class... Operands>
  void emit(Op op, const Operands&... operands) {
    begin_operands(op);
    code_.push_back(op);
    (put(operands), ...);
    check_end();
  }

 private:
  static constexpr std::uint32_t kUnbound = UINT32_MAX;
  struct Fixup {
    std::uint32_t at;  ///< In `code_`.
    std::uint32_t label;
  };
  struct Range {
    Label start, end, handler;
    ExceptionKind kind;
  };

  void put(Slot slot) {
    if (next_is('X')) return put(Value(slot));
    check("DSPQ");
    varint(slot.index);
  }
  void put(Value value) {
    check("X");
    varint(value.encoded);
  }
  void put(ConstantRef constant) {
    if (next_is('X')) return put(Value(constant));
    check("CB");
    varint(constant.index);
  }
  void put(Number number) {
    check("U");
    varint(number.value);
  }
  void put(RaiseKind kind) { put(Number{kind}); }
  void put(FunctionRef function) {
    check("F");
    varint(function.index);
  }
  void put(ImportRef import) {
    check("E");
    varint(import.index);
  }
  void put(NativeRef native) {
    check("N");
    varint(native.index);
  }
  void put(LambdaRef lambda) {
    check("J");
    varint(lambda.index);
  }
  void put(Label label) {
    check("L");
    put_label(label);
  }
  void put(const LiveMap& live) {
    check("M");
    put_live(live);
  }
  void put(const Return& point) {
    check("R");
    varint(point.base);
    varint(point.destination.index);
    put_live(point.live);
  }
  void put(std::span<const Value> values) {
    check("V");
    varint(values.size());
    for (Value value : values) varint(value.encoded);
  }
  void put(const std::vector<Value>& values) { put(std::span<const Value>(values)); }
  void put(std::span<const SwitchCase> cases) {
    check("W");
    varint(cases.size());
    for (const SwitchCase& one : cases) {
      varint(one.value.index);
      put_label(one.target);
    }
  }
  void put(const std::vector<SwitchCase>& cases) { put(std::span<const SwitchCase>(cases)); }
  void put(std::span<const BinarySegment> segments) {
    check("G");
    varint(segments.size());
    for (const BinarySegment& segment : segments) {
      varint(segment.flags);
      varint(segment.unit);
      varint(segment.value.encoded);
      varint(segment.size.encoded);
    }
  }
  void put(const std::vector<BinarySegment>& segments) {
    put(std::span<const BinarySegment>(segments));
  }

  void varint(std::uint64_t value) {
    while (value >= 128) {
      code_.push_back(static_cast<std::uint8_t>(value | 128));
      value >>= 7;
    }
    code_.push_back(static_cast<std::uint8_t>(value));
  }
  void put_label(Label label) {
    fixups_.push_back({static_cast<std::uint32_t>(code_.size()), label.id});
    code_.insert(code_.end(), 4, 0);
  }
  void put_live(const LiveMap& live) {
    varint(live.bytes().size());
    code_.insert(code_.end(), live.bytes().begin(), live.bytes().end());
  }

  void begin_operands(Op op) {
    operand_ = op_info(op).operands;
    skip_loader_operands();
  }
  void skip_loader_operands() {
    while (*operand_ == 'Z' || *operand_ == 'Y') ++operand_;
  }
  bool next_is(char letter) const { return *operand_ == letter; }
  void check([[maybe_unused]] const char* letters) {
    QUELEA_ASSERT(*operand_ != 0 &&
                  std::string_view(letters).find(*operand_) != std::string_view::npos);
    ++operand_;
    skip_loader_operands();
  }
  void check_end() const { QUELEA_ASSERT(*operand_ == 0); }

  ModuleImage& image_;
  std::vector<std::uint8_t>& code_;
  ImageFunction function_;
  std::uint32_t index_ = 0;
  std::vector<std::uint32_t> label_offsets_;
  std::vector<Fixup> fixups_;
  std::vector<Range> ranges_;
  const char* operand_ = "";
};

}  // namespace quelea
