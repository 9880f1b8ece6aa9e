// Random modules that the verifier mostly accepts, made from opcodes.def: new instructions are
// covered at once.
//
// The trick: in generated functions every slot holds a term at every instruction (all are loaded
// first, those that a call kills are loaded again), so any instruction may stand anywhere, jumps
// lead anywhere, and only what needs a proof (P, Q) or room (CREDIT) is prepared by an instruction
// before. With some probability an operand is spoiled; then the verifier decides, and what it
// accepts must still run safely.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/code/instruction.h"
#include "vm/code/module_image.h"
#include "vm/code/opcodes.h"
#include "vm/code/segments.h"

namespace quelea::test {

/// Choices made by the fuzzer's input, and by chance (that depends on the input alone) once it is
/// used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    for (std::uint8_t byte : bytes) state_ = (state_ ^ byte) * 0x100000001b3u;
  }
  std::uint32_t below(std::uint32_t n) {
    if (n <= 1) return 0;
    if (at_ + 2 <= bytes_.size()) {
      std::uint32_t value = bytes_[at_] | static_cast<std::uint32_t>(bytes_[at_ + 1]) << 8;
      at_ += 2;
      return value % n;
    }
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) % n);
  }
  bool one_in(std::uint32_t n) { return n != 0 && below(n) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(static_cast<std::uint32_t>(from.size()))];
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

struct GeneratorNative {
  std::string module, name;
  std::uint32_t arity;
};

struct GeneratorOptions {
  std::uint32_t spoil = 0;  ///< One operand in so many is spoiled; 0: none.
  /// Natives that may be called.
  std::vector<GeneratorNative> natives;
};

class ModuleGenerator {
 public:
  ModuleGenerator(Choices& choices, const GeneratorOptions& options)
      : choices_(choices), options_(options), image_(std::make_unique<ModuleImage>()) {}

  std::unique_ptr<ModuleImage> generate() {
    image_->name = image_->names.intern("Fuzz");
    make_constants();
    declare();
    for (std::uint32_t i = 0; i < image_->functions.size(); ++i) function(i);
    return std::move(image_);
  }

 private:
  struct Fixup {
    std::uint32_t at;
    std::uint32_t label;
  };
  static constexpr std::uint32_t kUnbound = UINT32_MAX;

  void make_constants() {
    ConstantPool& pool = image_->constants;
    for (std::int64_t value : {0, 1, 2, 3, 7, 8, 13, 64, 255, 1000, -1, -64, 1 << 30})
      smalls_.push_back(pool.integer(value));
    smalls_.push_back(pool.integer((std::int64_t{1} << 60) - 1));
    smalls_.push_back(pool.integer(-(std::int64_t{1} << 60)));
    for (std::int64_t value : {1, 2, 3, 8, 17, 60, 64, 300})
      positive_.push_back(pool.integer(value));
    for (const char* text :
         {"ok", "true", "false", "nil", "f0", "f1", "main", "Fuzz", "infinity", "normal"})
      atoms_.push_back(pool.atom(image_->names.intern(text)));
    immediates_ = smalls_;
    immediates_.insert(immediates_.end(), atoms_.begin(), atoms_.end());
    immediates_.push_back(pool.empty_list());
    for (const char* text : {"", "a", "ab", "\xc3\xa9t\xc3\xa9", "zz", "hello, world"})
      strings_.push_back(pool.string(text));
    strings_.push_back(pool.string(std::string(100, 'x')));
    all_ = immediates_;
    all_.insert(all_.end(), strings_.begin(), strings_.end());
    all_.push_back(pool.number(1.5));
    all_.push_back(pool.number(-0.0));
    all_.push_back(pool.big(false, std::string(24, '\x5a')));
    all_.push_back(pool.empty_tuple());
    all_.push_back(pool.bits("\xf0", 5));
    composite([](LiteralWriter& w) {
      w.list(3);
      w.integer(1);
      w.integer(2);
      w.atom("a");
      w.empty_list();
    });
    composite([](LiteralWriter& w) {
      w.tuple(3);
      w.atom("ok");
      w.integer(1);
      w.string("x");
    });
    composite([](LiteralWriter& w) {
      w.map(2);
      w.atom("a");
      w.integer(1);
      w.string("k");
      w.number(2);
    });
    integers_ = smalls_;
    integers_.push_back(pool.big(true, std::string(9, '\x33')));
    maps_ = {all_.back()};
    composite([](LiteralWriter& w) { w.map(0); });
    maps_.push_back(all_.back());
    composite([](LiteralWriter& w) {
      w.map(40);
      for (int i = 0; i < 40; ++i) {
        w.integer(i);
        w.integer(-i);
      }
    });
    maps_.push_back(all_.back());
    tuples_ = {pool.empty_tuple(), all_[all_.size() - 4]};
    binaries_ = strings_;
    binaries_.push_back(pool.bits("\xf0", 5));
    booleans_ = {atoms_[1], atoms_[2]};
    positions_ = {smalls_[0], smalls_[5], pool.integer(16), smalls_[1]};
    for (std::uint32_t count = 1; count <= 4; ++count) {
      LiteralWriter keys;
      keys.tuple(count);
      for (std::uint32_t i = 0; i < count; ++i)
        keys.atom(std::string(1, static_cast<char>('a' + i)));
      keys_.push_back(pool.term(keys.take(), image_->names));
    }
  }
  template <class Write>
  void composite(Write&& write) {
    LiteralWriter writer;
    write(writer);
    all_.push_back(image_->constants.term(writer.take(), image_->names));
  }

  void declare() {
    NameId self = image_->name;
    std::uint32_t count = 2 + choices_.below(5);
    for (std::uint32_t i = 0; i < count; ++i) {
      ImageFunction& function = image_->functions.emplace_back();
      function.name = image_->names.intern(i == 0 ? "main" : "f" + std::to_string(i - 1));
      function.arity = i == 0 ? 0 : choices_.below(4);
      function.captured = i == 0 ? 0 : choices_.below(function.arity + 1);
      function.exported = function.captured == 0;
      function.frame_slots = 8 + choices_.below(6);
      if (choices_.one_in(16)) function.frame_slots = 80;
      image_->imports.push_back({self, function.name, function.arity});
      if (i > 0) image_->lambdas.push_back({i, function.captured, i});
    }
    const std::uint32_t inlines = choices_.below(5);
    for (std::uint32_t i = 0; i < inlines; ++i)
      image_->inlines.push_back({choices_.below(count), choices_.below(i + 2), 1 + i, 0});
    image_->imports.push_back({image_->names.intern("Nowhere"), self, 1});
    for (const GeneratorNative& native : options_.natives)
      image_->natives.push_back(
          {image_->names.intern(native.module), image_->names.intern(native.name), native.arity});
  }

  // Functions
  // ---------------------------------------------------------------------------------------

  void function(std::uint32_t index) {
    // A copy: `functions` does not grow, but the reader need not know.
    function_ = image_->functions[index];
    function_.code_begin = size();
    function_.lines_begin = static_cast<std::uint32_t>(image_->lines.size());
    function_.exceptions_begin = static_cast<std::uint32_t>(image_->exceptions.size());
    labels_.clear();
    fixups_.clear();
    open_.clear();
    handlers_ = choices_.below(3);
    index_ = index;
    op(op_enter);
    for (std::uint32_t slot = function_.arity + 1; slot < function_.frame_slots; ++slot) load(slot);
    std::uint32_t loop_top = offset();
    std::uint32_t length = 3 + choices_.below(25);
    for (std::uint32_t i = 0; i < length; ++i) {
      if (!open_.empty() && choices_.one_in(4)) bind_one();
      if (choices_.one_in(3)) line();
      if (index == 0 && i % 2 == 0) instruction(op_call);
      if (choices_.one_in(30)) {
        back_edge(loop_top);
      } else {
        random_instruction();
      }
    }
    op(op_ret);
    number(slot());
    while (!open_.empty()) bind_one();
    op(op_ret);
    number(slot());
    exceptions();
    for (Fixup fixup : fixups_) put_fixed(fixup.at, labels_[fixup.label]);
    function_.code_end = size();
    function_.lines_end = static_cast<std::uint32_t>(image_->lines.size());
    function_.exceptions_end = static_cast<std::uint32_t>(image_->exceptions.size());
    image_->functions[index] = function_;
  }

  void line() {
    const bool is_first = image_->lines.size() == function_.lines_begin;
    if (!is_first && image_->lines.back().offset == offset()) return;
    const auto bodies = static_cast<std::uint32_t>(image_->inlines.size());
    image_->lines.push_back({offset(), 1 + choices_.below(9), 0, choices_.below(bodies + 1)});
  }

  void exceptions() {
    std::uint32_t end = offset();
    for (std::uint32_t n = handlers_; n > 0; --n) {
      std::uint32_t handler = offset();
      bool guard = choices_.one_in(3);
      if (!guard) {
        op(op_catch);
        for (int i = 0; i < 3; ++i) number(slot());
      }
      op(op_ret_const);
      number(choices_.pick(all_));
      std::uint32_t start = choices_.below(end);
      image_->exceptions.push_back({start, start + 1 + choices_.below(end - start), handler,
                                    guard ? ExceptionKind::Guard : ExceptionKind::Handler});
    }
  }

  void back_edge(std::uint32_t top) {
    op(op_loop);
    std::uint32_t at = size();
    image_->code.insert(image_->code.end(), 4, 0);
    put_fixed(at, top);
    live(function_.frame_slots);
    if (!open_.empty()) bind_one();
  }

  void random_instruction() {
    Op chosen = static_cast<Op>(choices_.below(kOpCount));
    const OpInfo& info = op_info(chosen);
    if (chosen == op_enter || chosen == op_catch || chosen == op_recv_wait) return;
    if (std::strchr(info.operands, 'N') != nullptr && image_->natives.empty()) return;
    if (chosen == op_tail_native && handlers_ > 0) return;
    if (index_ == 0 && (info.flags & op_flags::STOP)) return;
    if ((info.flags & op_flags::STOP) && !choices_.one_in(6)) return;
    instruction(chosen);
    if ((info.flags & op_flags::STOP) && !open_.empty()) bind_one();
  }

  /// Emits `chosen` with random operands, and before it what proves or allocates what it needs.
  void instruction(Op chosen) {
    const OpInfo& info = op_info(chosen);
    count_ = chosen == op_closure ? 0 : 1 + choices_.below(4);
    if (chosen == op_map_build || chosen == op_map_put || chosen == op_map_update)
      count_ = 2 * choices_.below(4);
    if (chosen == op_map_literal)
      count_ = 1 + choices_.below(static_cast<std::uint32_t>(keys_.size()));
    if (chosen == op_closure && !image_->lambdas.empty()) {
      lambda_ = choices_.below(static_cast<std::uint32_t>(image_->lambdas.size()));
      count_ = image_->lambdas[lambda_].captured;
    }
    if (info.flags & op_flags::CREDIT) {
      op(op_alloc);
      number(2 + 2 * count_ + choices_.below(4));
      live(function_.frame_slots);
    }
    proven_ = slot();
    if (std::strchr(info.operands, 'P') != nullptr) {
      op(op_is_cons);
      number(proven_);
      label();
    }
    if (std::strchr(info.operands, 'Q') != nullptr) {
      op(op_is_tuple_n);
      number(proven_);
      number(count_);
      label();
    }
    arguments_ = choices_.below(4);
    base_ = kUnbound;
    sources_.clear();
    if (!choices_.one_in(5)) prepare_sources(chosen);
    std::uint32_t start = offset();
    op(chosen);
    unsigned position = 0;
    for (const char* letter = info.operands; *letter != 0; ++letter) {
      if (*letter == 'Z' || *letter == 'Y') continue;
      operand(chosen, *letter, position++);
    }
    if ((info.flags & op_flags::RAISES) && !(info.flags & op_flags::STOP) && !choices_.one_in(3)) {
      image_->exceptions.push_back({start, start + 1, offset(), ExceptionKind::Guard});
      base_ = 1;
    }
    if (base_ != kUnbound) {
      for (std::uint32_t slot = base_; slot < function_.frame_slots; ++slot) load(slot);
    }
  }

  /// Puts values that the instruction likes into the slots it will read.
  void prepare_sources(Op chosen) {
    std::string_view name = op_info(chosen).name;
    if (chosen >= op_add && chosen <= op_bsr_imm) {
      prepare(integers_);
      prepare(choices_.one_in(3) ? integers_ : positive_);
    } else if (name.starts_with("map_") && chosen != op_map_build && chosen != op_map_literal) {
      prepare(maps_);
    } else if (name.starts_with("bs_") && chosen != op_bs_build) {
      prepare(binaries_);
      prepare(positions_);
    } else if (chosen == op_elem) {
      prepare(tuples_);
    } else if (chosen == op_test_true || chosen == op_not_bool) {
      prepare(booleans_);
    } else if (chosen == op_recv_wait_until) {
      prepare(positions_);
    } else if (chosen == op_send) {
      sources_.push_back(slot());
      op(op_self_pid);
      number(sources_[0]);
    } else if (chosen == op_call_dyn) {
      sources_.push_back(slot());
      op(op_load);
      number(sources_[0]);
      number(atoms_[7]);
    } else if (chosen == op_call_fun && !image_->lambdas.empty()) {
      lambda_ = choices_.below(static_cast<std::uint32_t>(image_->lambdas.size()));
      const ImageLambda& lambda = image_->lambdas[lambda_];
      op(op_alloc);
      number(2 + lambda.captured);
      live(function_.frame_slots);
      op(op_closure);
      sources_.push_back(slot());
      number(sources_[0]);
      number(lambda_);
      number(lambda.captured);
      for (std::uint32_t i = 0; i < lambda.captured; ++i) value();
      arguments_ = image_->functions[lambda.function].arity - lambda.captured;
    }
  }
  void prepare(const std::vector<std::uint32_t>& from) {
    sources_.push_back(slot());
    op(op_load);
    number(sources_.back());
    number(choices_.pick(from));
  }

  void operand(Op chosen, char letter, unsigned position) {
    if (choices_.one_in(options_.spoil)) return spoiled(letter);
    switch (letter) {
      case 'D':
        return number(slot());
      case 'S':
        if (!sources_.empty()) {
          std::uint32_t source = sources_.front();
          sources_.erase(sources_.begin());
          return number(source);
        }
        if (chosen == op_tail_fun || chosen == op_tail_dyn)
          return number(arguments_ + 1 + choices_.below(function_.frame_slots - arguments_ - 1));
        return number(slot());
      case 'P':
      case 'Q':
        return number(proven_);
      case 'X':
        return value();
      case 'C':
        if (chosen == op_map_literal) return number(keys_[count_ - 1]);
        if (chosen == op_recv_start) return number(choices_.pick(keys_));
        return number(choices_.pick(chosen == op_bs_literal ? strings_ : all_));
      case 'B':
        return number(immediate(chosen));
      case 'U':
        return number(unsigned_number(chosen, position));
      case 'L':
        return label();
      case 'F': {
        std::uint32_t callee = choices_.below(static_cast<std::uint32_t>(image_->functions.size()));
        arguments_ = image_->functions[callee].arity;
        return number(callee);
      }
      case 'E': {
        std::uint32_t callee = choices_.below(static_cast<std::uint32_t>(image_->imports.size()));
        arguments_ = image_->imports[callee].arity;
        return number(callee);
      }
      case 'N': {
        std::uint32_t callee = choices_.below(static_cast<std::uint32_t>(image_->natives.size()));
        arguments_ = image_->natives[callee].arity;
        return number(callee);
      }
      case 'J':
        return number(lambda_);
      case 'M':
        return live(function_.frame_slots);
      case 'R': {
        std::uint32_t room = function_.frame_slots - 1 - arguments_;
        base_ = 1 + choices_.below(room);
        number(base_);
        number(slot());
        return live(base_);
      }
      case 'V':
        number(count_);
        for (std::uint32_t i = 0; i < count_; ++i) value();
        return;
      case 'W':
        return cases(chosen);
      case 'G':
        return segments();
    }
  }

  std::uint32_t immediate(Op chosen) {
    std::string_view name = op_info(chosen).name;
    if (chosen == op_call_dyn || chosen == op_tail_dyn) return choices_.pick(atoms_);
    if (chosen == op_eq_imm || chosen == op_ne_imm || chosen == op_is_tagged_tuple)
      return choices_.pick(immediates_);
    bool any = chosen != op_idiv_imm && chosen != op_rem_imm && chosen != op_bsl_imm &&
               chosen != op_bsr_imm;
    return choices_.pick(any && name.ends_with("_imm") ? smalls_ : positive_);
  }

  std::uint32_t unsigned_number(Op chosen, unsigned position) {
    switch (chosen) {
      case op_get_elem:
        return choices_.below(count_);
      case op_call_fun:
      case op_call_dyn:
      case op_tail_fun:
      case op_tail_dyn:
        return arguments_;
      case op_raise:
        return choices_.below(kRaiseKindCount);
      case op_alloc:
        return choices_.below(40);
      case op_is_tagged_tuple:
        return 1 + choices_.below(4);
      case op_bs_int:
        return position == 5 ? unit() : flags(SegmentType::Int);
      case op_bs_float:
        return position == 5 ? unit() : flags(SegmentType::Float);
      case op_bs_utf:
        return flags(static_cast<SegmentType>(3 + choices_.below(3)));
      case op_bs_bits:
      case op_bs_rest:
      case op_bs_skip:
      case op_bs_unit:
        return unit();
      default:
        return choices_.below(5);
    }
  }
  std::uint32_t unit() {
    return choices_.one_in(3) ? 1 + choices_.below(256) : 1 + choices_.below(8);
  }
  std::uint32_t flags(SegmentType type) {
    return static_cast<std::uint32_t>(type) | (choices_.one_in(2) ? kSegmentSigned : 0) |
           (choices_.one_in(2) ? kSegmentLittle : 0);
  }

  void cases(Op chosen) {
    std::vector<std::uint32_t> from =
        chosen == op_switch_string ? strings_
        : chosen == op_switch_imm
            ? immediates_
            : std::vector<std::uint32_t>(smalls_.begin(), smalls_.begin() + 6);
    std::sort(from.begin(), from.end());
    from.erase(std::unique(from.begin(), from.end()), from.end());
    for (std::size_t i = from.size(); i > 1; --i)
      std::swap(from[i - 1], from[choices_.below(static_cast<std::uint32_t>(i))]);
    from.resize(choices_.below(static_cast<std::uint32_t>(from.size()) + 1));
    number(from.size());
    for (std::uint32_t constant : from) {
      number(constant);
      label();
    }
  }

  void segments() {
    std::uint32_t count = choices_.below(4);
    number(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto type = static_cast<SegmentType>(choices_.below(6));
      std::uint32_t bits = flags(type);
      if (type == SegmentType::Bits && choices_.one_in(2)) bits |= kSegmentWhole;
      number(bits);
      number(unit());
      value();
      value();
    }
  }

  void spoiled(char letter) {
    static constexpr std::uint64_t kOdd[] = {0,   1,     63,    64,         127,         128,
                                             255, 65535, 65536, 0xffffffff, 0xffffffffff};
    std::uint64_t value = choices_.one_in(2) ? choices_.below(24) : kOdd[choices_.below(11)];
    if (letter == 'L') {
      image_->code.insert(image_->code.end(), 4, 0);
      put_fixed(size() - 4, static_cast<std::uint32_t>(value));
    } else {
      number(value);
    }
  }

  // Bytes
  // -------------------------------------------------------------------------------------------

  std::uint32_t size() const { return static_cast<std::uint32_t>(image_->code.size()); }
  std::uint32_t offset() const { return size() - function_.code_begin; }
  std::uint32_t slot() { return 1 + choices_.below(function_.frame_slots - 1); }
  void op(Op op) { image_->code.push_back(op); }
  void number(std::uint64_t value) {
    for (; value >= 128; value >>= 7)
      image_->code.push_back(static_cast<std::uint8_t>(value | 128));
    image_->code.push_back(static_cast<std::uint8_t>(value));
  }
  void value() {
    if (choices_.one_in(2))
      number(slot() << 1);
    else
      number(choices_.pick(all_) << 1 | 1);
  }
  void load(std::uint32_t slot) {
    op(op_load);
    number(slot);
    number(choices_.pick(all_));
  }
  /// All slots from 1 up to `end`.
  void live(std::uint32_t end) {
    std::vector<std::uint8_t> bytes;
    for (std::uint32_t slot = 1; slot < end; ++slot) {
      bytes.resize(slot / 8 + 1);
      bytes[slot / 8] |= static_cast<std::uint8_t>(1u << slot % 8);
    }
    number(bytes.size());
    image_->code.insert(image_->code.end(), bytes.begin(), bytes.end());
  }
  void label() {
    if (open_.empty() || choices_.one_in(2)) {
      open_.push_back(static_cast<std::uint32_t>(labels_.size()));
      labels_.push_back(kUnbound);
    }
    fixups_.push_back({size(), choices_.pick(open_)});
    image_->code.insert(image_->code.end(), 4, 0);
  }
  void bind_one() {
    std::uint32_t which = choices_.below(static_cast<std::uint32_t>(open_.size()));
    labels_[open_[which]] = offset();
    open_.erase(open_.begin() + which);
  }
  void put_fixed(std::uint32_t at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i)
      image_->code[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  }

  Choices& choices_;
  const GeneratorOptions& options_;
  std::unique_ptr<ModuleImage> image_;
  std::vector<std::uint32_t> smalls_, positive_, atoms_, immediates_, strings_, all_, keys_;
  std::vector<std::uint32_t> integers_, maps_, tuples_, binaries_, booleans_, positions_;

  ImageFunction function_;
  std::vector<std::uint32_t> labels_;
  std::vector<std::uint32_t> open_;
  std::vector<Fixup> fixups_;
  std::uint32_t handlers_ = 0;
  std::uint32_t index_ = 0;
  // Of the instruction at work.
  std::vector<std::uint32_t> sources_;
  std::uint32_t count_ = 0, proven_ = 0, arguments_ = 0, base_ = 0, lambda_ = 0;
};

/// Changes some bytes of an existing module's code, at beginnings of instructions or anywhere.
inline void mutate_code(ModuleImage& image, Choices& choices) {
  if (image.code.empty()) return;
  for (std::uint32_t n = 1 + choices.below(4); n > 0; --n) {
    std::uint32_t at = choices.below(static_cast<std::uint32_t>(image.code.size()));
    std::uint8_t& byte = image.code[at];
    switch (choices.below(3)) {
      case 0:
        byte = static_cast<std::uint8_t>(choices.below(256));
        break;
      case 1:
        byte = static_cast<std::uint8_t>(byte ^ 1u << choices.below(8));
        break;
      default:
        byte = static_cast<std::uint8_t>(byte + choices.below(5) - 2);
    }
  }
}

}  // namespace quelea::test
