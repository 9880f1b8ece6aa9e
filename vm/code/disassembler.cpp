#include "vm/code/disassembler.h"

#include <algorithm>
#include <map>

#include "vm/code/constants.h"
#include "vm/code/instruction.h"
#include "vm/code/scratch_alloc.h"
#include "vm/code/segments.h"
#include "vm/term/inspect.h"

namespace quelea {
namespace {

struct ExportName : ExportIdentity {};

/// `&Mod.f/2` among constants: shown like any, belongs to nobody.
const ExportIdentity* make_export_name(void* context, Term module, Term function,
                                       std::uint32_t arity) {
  auto& names = *static_cast<std::vector<std::unique_ptr<ExportName>>*>(context);
  names.push_back(std::make_unique<ExportName>());
  names.back()->module = module;
  names.back()->function = function;
  names.back()->arity = arity;
  return names.back().get();
}

class Disassembler {
 public:
  Disassembler(const ModuleImage& image, const DisassembleOptions& options)
      : image_(image), options_(options) {
    EtfDecodeOptions decode;
    decode.find_export = make_export_name;
    decode.context = &export_names_;
    constants_ = decode_constants(image, alloc_, atoms_, decode).terms;
  }

  void module();
  void function(std::uint32_t index);
  std::string take() { return std::move(out_); }

 private:
  void add(std::string_view text) { out_ += text; }
  void add(std::uint64_t number) { out_ += std::to_string(number); }
  void slot(std::uint32_t index) {
    add("s");
    add(index);
  }
  void constant(std::uint32_t index);
  void value(std::uint32_t encoded) { encoded & 1 ? constant(encoded >> 1) : slot(encoded >> 1); }
  void name(NameId id) { add(id < image_.names.size() ? std::string_view(image_.names[id]) : "?"); }
  void function_name(std::uint32_t index);
  void import_name(const std::vector<ImageImport>& table, std::uint32_t index);
  void label(std::uint32_t offset);
  void live(const Instruction& in);
  void values(const Instruction& in);
  void cases(const Instruction& in);
  void segments(const Instruction& in);
  void operand(const Instruction& in, char letter, std::uint32_t value);
  void instruction(const Instruction& in);
  void head(const ImageFunction& function);
  void code(const ImageFunction& function);
  void find_labels(const ImageFunction& function);
  void place(const LineEntry& entry);
  void exceptions(const ImageFunction& function);

  const ModuleImage& image_;
  const DisassembleOptions& options_;
  AtomTable atoms_;
  std::vector<std::unique_ptr<ExportName>> export_names_;
  ScratchAlloc alloc_;
  std::vector<Term> constants_;
  std::map<std::uint32_t, std::uint32_t> labels_;  ///< Offset to number.
  std::string out_;
};

void Disassembler::module() {
  add("module ");
  name(image_.name);
  for (const std::string& file : image_.files) {
    add(", file ");
    inspect_string(out_, file);
  }
  add("\n");
  for (std::uint32_t i = 0; i < image_.functions.size(); ++i) {
    add("\n");
    function(i);
  }
  for (std::uint32_t i = 0; i < image_.lambdas.size(); ++i) {
    if (i == 0) add("\n");
    add("lambda ");
    add(i);
    add(": ");
    function_name(image_.lambdas[i].function);
    add(", captures ");
    add(image_.lambdas[i].captured);
    add("\n");
  }
}

void Disassembler::function(std::uint32_t index) {
  const ImageFunction& function = image_.functions[index];
  head(function);
  find_labels(function);
  code(function);
  exceptions(function);
}

void Disassembler::head(const ImageFunction& function) {
  add(function.exported ? "pub fn " : "fn ");
  name(function.name);
  add("/");
  add(function.arity);
  if (function.captured > 0) {
    add(", captured ");
    add(function.captured);
  }
  add(", frame ");
  add(function.frame_slots);
  if (options_.lines) {
    add(", line ");
    add(function.line);
  }
  add("\n");
}

void Disassembler::find_labels(const ImageFunction& function) {
  labels_.clear();
  const std::uint8_t* code = image_.code.data() + function.code_begin;
  const std::uint8_t* end = image_.code.data() + function.code_end;
  Instruction in;
  for (std::uint32_t at = 0; code + at < end; at = in.next) {
    if (!read_instruction(code, end, at, in)) break;
    const std::uint32_t* value = in.values;
    for (const char* letter = in.info().operands; *letter != 0; ++letter) {
      if (*letter == 'Z' || *letter == 'Y') continue;
      if (*letter == 'L') labels_[*value] = 0;
      if (*letter == 'W') in.for_each_case([&](CaseView one) { labels_[one.target] = 0; });
      ++value;
    }
  }
  for (std::uint32_t i = function.exceptions_begin; i < function.exceptions_end; ++i) {
    const ExceptionEntry& entry = image_.exceptions[i];
    labels_[entry.start] = labels_[entry.end] = labels_[entry.handler] = 0;
  }
  std::uint32_t number = 0;
  for (auto& entry : labels_) entry.second = ++number;
}

void Disassembler::code(const ImageFunction& function) {
  const std::uint8_t* code = image_.code.data() + function.code_begin;
  const std::uint8_t* end = image_.code.data() + function.code_end;
  std::uint32_t line = function.lines_begin;
  Instruction in;
  for (std::uint32_t at = 0; code + at < end; at = in.next) {
    if (labels_.count(at) != 0) {
      label(at);
      add(":\n");
    }
    for (; line < function.lines_end && image_.lines[line].offset <= at; ++line) {
      if (!options_.lines) continue;
      place(image_.lines[line]);
    }
    if (options_.offsets) {
      std::string number = std::to_string(at);
      out_.append(number.size() < 5 ? 5 - number.size() : 0, ' ');
      add(number);
    }
    add("    ");
    if (!read_instruction(code, end, at, in)) {
      add("not an instruction:");
      for (const std::uint8_t* byte = code + at; byte < std::min(end, code + at + 16); ++byte) {
        add(" ");
        add(*byte);
      }
      add("\n");
      return;
    }
    instruction(in);
    add("\n");
  }
  if (labels_.count(static_cast<std::uint32_t>(end - code)) != 0) {
    label(static_cast<std::uint32_t>(end - code));
    add(":\n");
  }
}

/// "  .line 3 of add/2, called in line 5 of twice/1, called in line 8"
void Disassembler::place(const LineEntry& entry) {
  add("  .line ");
  LineEntry at = entry;
  for (;;) {
    add(at.line);
    if (at.file != 0) {
      add(" file ");
      add(at.file);
    }
    if (at.inlined == 0) break;
    const ImageInline& body = image_.inlines[at.inlined - 1];
    add(" of ");
    name(image_.functions[body.function].name);
    add("/");
    add(image_.functions[body.function].arity);
    if (body.caller == ImageInline::kNobody) break;
    add(", called in line ");
    at = {0, body.line, body.file, body.caller - 1};
  }
  add("\n");
}

void Disassembler::exceptions(const ImageFunction& function) {
  for (std::uint32_t i = function.exceptions_begin; i < function.exceptions_end; ++i) {
    const ExceptionEntry& entry = image_.exceptions[i];
    add(entry.kind == ExceptionKind::Handler ? "  .handler " : "  .guard ");
    label(entry.start);
    add("..");
    label(entry.end);
    add(" to ");
    label(entry.handler);
    add("\n");
  }
}

void Disassembler::instruction(const Instruction& in) {
  add(in.info().name);
  const std::uint32_t* value = in.values;
  const char* separator = " ";
  for (const char* letter = in.info().operands; *letter != 0; ++letter) {
    if (*letter == 'Z' || *letter == 'Y') continue;
    add(separator);
    separator = ", ";
    if (in.op == op_raise && value == in.values && *value < kRaiseKindCount) {
      static constexpr const char* kNames[] = {
#define RAISE(name, class_, shape, sentence) #name,
#include "vm/code/raise_kinds.def"
#undef RAISE
      };
      add(kNames[*value++]);
      continue;
    }
    operand(in, *letter, *value++);
  }
}

void Disassembler::operand(const Instruction& in, char letter, std::uint32_t value) {
  switch (letter) {
    case 'D':
    case 'S':
    case 'P':
    case 'Q':
      return slot(value);
    case 'X':
      return this->value(value);
    case 'C':
    case 'B':
      return constant(value);
    case 'L':
      return label(value);
    case 'F':
      return function_name(value);
    case 'E':
      return import_name(image_.imports, value);
    case 'N':
      return import_name(image_.natives, value);
    case 'J':
      add("lambda ");
      return add(value);
    case 'M':
      return live(in);
    case 'R':
      add("base ");
      add(in.base);
      add(" -> ");
      slot(in.destination);
      add(", ");
      return live(in);
    case 'V':
      return values(in);
    case 'W':
      return cases(in);
    case 'G':
      return segments(in);
    default:
      return add(value);
  }
}

void Disassembler::constant(std::uint32_t index) {
  if (index < constants_.size()) {
    InspectOptions inspect_options;
    inspect_options.limit = 4096;
    return inspect(out_, constants_[index], atoms_, inspect_options);
  }
  add("constant ");
  add(index);
}

void Disassembler::function_name(std::uint32_t index) {
  if (index >= image_.functions.size()) return add("?");
  name(image_.functions[index].name);
  add("/");
  add(image_.functions[index].arity);
}

void Disassembler::import_name(const std::vector<ImageImport>& table, std::uint32_t index) {
  if (index >= table.size()) return add("?");
  name(table[index].module);
  add(".");
  name(table[index].name);
  add("/");
  add(table[index].arity);
}

void Disassembler::label(std::uint32_t offset) {
  auto found = labels_.find(offset);
  add("L");
  add(found == labels_.end() ? 0 : found->second);
}

void Disassembler::live(const Instruction& in) {
  add("live {");
  const char* separator = "";
  for (std::uint32_t slot = 0; slot < in.live_bytes * 8; ++slot) {
    if (!in.is_live(slot)) continue;
    add(separator);
    separator = " ";
    add(slot);
  }
  add("}");
}

void Disassembler::values(const Instruction& in) {
  add("[");
  const char* separator = "";
  in.for_each_value([&](std::uint32_t encoded) {
    add(separator);
    separator = ", ";
    value(encoded);
  });
  add("]");
}

void Disassembler::cases(const Instruction& in) {
  add("{");
  const char* separator = "";
  in.for_each_case([&](CaseView one) {
    add(separator);
    separator = ", ";
    constant(one.constant);
    add(" -> ");
    label(one.target);
  });
  add("}");
}

void Disassembler::segments(const Instruction& in) {
  static constexpr const char* kTypes[] = {"int",   "float", "bits", "utf8",
                                           "utf16", "utf32", "?",    "?"};
  add("<<");
  const char* separator = "";
  in.for_each_segment([&](SegmentView segment) {
    add(separator);
    separator = ", ";
    value(segment.value);
    if (!(segment.flags & kSegmentWhole) && segment_type(segment.flags) < SegmentType::Utf8) {
      add(":");
      value(segment.size);
      add("*");
      add(segment.unit);
    }
    add("/");
    add(kTypes[segment.flags & kSegmentTypeMask]);
    if (segment.flags & kSegmentLittle) add("-little");
    if (segment.flags & kSegmentSigned) add("-signed");
  });
  add(">>");
}

}  // namespace

std::string disassemble(const ModuleImage& image, const DisassembleOptions& options) {
  Disassembler disassembler(image, options);
  disassembler.module();
  return disassembler.take();
}

std::string disassemble_function(const ModuleImage& image, std::uint32_t function,
                                 const DisassembleOptions& options) {
  Disassembler disassembler(image, options);
  disassembler.function(function);
  return disassembler.take();
}

}  // namespace quelea
