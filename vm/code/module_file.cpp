#include "vm/code/module_file.h"

#include <algorithm>
#include <numeric>

#include "vm/code/instruction.h"
#include "vm/code/loaded_module.h"
#include "vm/code/opcodes.h"

namespace quelea {
namespace {

constexpr char kMagic[] = "QLEA";
constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 28;
constexpr std::size_t kMaxEntries = std::size_t{1} << 24;

void put_fixed(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
}

void put(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
}

void put_signed(std::string& out, std::int64_t value) {
  put(out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void put_text(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

/// Reads one chunk into an image. The first thing wrong is kept, later ones are its consequences.
class Chunk {
 public:
  Chunk(const std::uint8_t* begin, std::size_t size, ModuleImage& image)
      : image(image), begin_(begin), cursor_(begin, begin + size) {}

  ModuleImage& image;

  bool failed() const { return reason_ != nullptr || cursor_.failed(); }
  const char* reason() const {
    return reason_ != nullptr ? reason_ : "ends within a value, or a number is out of range";
  }
  std::size_t offset() const { return reason_ != nullptr ? failed_at_ : good_; }
  std::size_t left() const { return cursor_.left(); }
  void fail(const char* reason) {
    if (failed()) return;
    reason_ = reason;
    failed_at_ = good_;
    cursor_.fail();
  }
  void check(bool condition, const char* reason) {
    if (!condition) fail(reason);
  }

  std::uint64_t number(std::uint64_t max = UINT64_MAX) {
    mark();
    return cursor_.varint(max);
  }
  std::uint32_t u32(std::uint32_t max = UINT32_MAX) {
    return static_cast<std::uint32_t>(number(max));
  }
  std::int64_t signed_number() {
    mark();
    return cursor_.zigzag();
  }
  bool flag() { return number(1) != 0; }
  /// An index below `size`.
  std::uint32_t index(std::size_t size, const char* reason) {
    std::uint32_t value = u32();
    if (!cursor_.failed() && value >= size) fail(reason);
    return failed() ? 0 : value;
  }
  NameId name() { return index(image.names.size(), "no such name"); }
  std::string_view text() {
    std::uint64_t size = number();
    const std::uint8_t* bytes = cursor_.bytes(size);
    return bytes == nullptr ? std::string_view()
                            : std::string_view(reinterpret_cast<const char*>(bytes), size);
  }
  /// How many entries follow, each of at least `least_bytes`.
  std::size_t count(std::size_t least_bytes) {
    std::uint64_t value = number();
    if (!cursor_.failed() && value > cursor_.left() / least_bytes) fail("more entries than bytes");
    if (!cursor_.failed() && value > kMaxEntries) fail("too many entries");
    return failed() ? 0 : static_cast<std::size_t>(value);
  }
  const std::uint8_t* bytes(std::uint64_t count) {
    mark();
    return cursor_.bytes(count);
  }

 private:
  void mark() {
    if (!cursor_.failed()) good_ = static_cast<std::size_t>(cursor_.at() - begin_);
  }
  const std::uint8_t* begin_;
  ByteCursor cursor_;
  std::size_t good_ = 0;  ///< Where the value read last begins.
  const char* reason_ = nullptr;
  std::size_t failed_at_ = 0;
};

// Names -------------------------------------------------------------------------------------------

void write_names(const ModuleImage& image, std::string& out) {
  put(out, image.names.size());
  for (NameId id = 0; id < image.names.size(); ++id) put_text(out, image.names[id]);
  put(out, image.name);
}

void read_names(Chunk& in) {
  std::size_t count = in.count(1);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    std::string_view text = in.text();
    in.check(text.size() <= 255 * 4, "name too long");
    in.image.names.append(text);
  }
  in.image.name = in.name();
}

// Constants ---------------------------------------------------------------------------------------

void write_constants(const ModuleImage& image, std::string& out) {
  put(out, image.constants.size());
  for (std::uint32_t i = 0; i < image.constants.size(); ++i) {
    const Constant& constant = image.constants[i];
    out.push_back(static_cast<char>(constant.kind));
    switch (constant.kind) {
      case ConstantKind::Small:
        put_signed(out, constant.value);
        break;
      case ConstantKind::Atom:
        put(out, static_cast<std::uint64_t>(constant.value));
        break;
      case ConstantKind::EmptyList:
        break;
      case ConstantKind::Term:
        put_text(out, constant.bytes);
    }
  }
}

void read_constants(Chunk& in) {
  std::size_t count = in.count(1);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    Constant constant;
    switch (in.u32()) {
      case static_cast<int>(ConstantKind::Small):
        constant.kind = ConstantKind::Small;
        constant.value = in.signed_number();
        in.check(fits_small(constant.value), "integer out of range");
        break;
      case static_cast<int>(ConstantKind::Atom):
        constant.kind = ConstantKind::Atom;
        constant.value = in.name();
        break;
      case static_cast<int>(ConstantKind::EmptyList):
        break;
      case static_cast<int>(ConstantKind::Term):
        constant.kind = ConstantKind::Term;
        constant.bytes = in.text();
        break;
      default:
        in.fail("unknown kind of constant");
    }
    in.image.constants.append(std::move(constant));
  }
}

// Imports and natives -----------------------------------------------------------------------------

void write_import_table(const std::vector<ImageImport>& table, std::string& out) {
  put(out, table.size());
  for (const ImageImport& import : table) {
    put(out, import.module);
    put(out, import.name);
    put(out, import.arity);
  }
}

void read_import_table(Chunk& in, std::vector<ImageImport>& table) {
  table.resize(in.count(3));
  for (ImageImport& import : table) {
    import.module = in.name();
    import.name = in.name();
    import.arity = in.u32(kMaxArity);
  }
}

void write_imports(const ModuleImage& image, std::string& out) {
  write_import_table(image.imports, out);
}
void read_imports(Chunk& in) { read_import_table(in, in.image.imports); }
void write_natives(const ModuleImage& image, std::string& out) {
  write_import_table(image.natives, out);
}
void read_natives(Chunk& in) { read_import_table(in, in.image.natives); }

// Functions and lambdas ---------------------------------------------------------------------------

/// Functions in the order of their code.
std::vector<std::uint32_t> code_order(const std::vector<ImageFunction>& functions) {
  std::vector<std::uint32_t> order(functions.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return functions[a].code_begin < functions[b].code_begin;
  });
  return order;
}

void write_functions(const ModuleImage& image, std::string& out) {
  put(out, image.functions.size());
  for (const ImageFunction& function : image.functions) {
    put(out, function.name);
    put(out, function.arity);
    put(out, function.captured);
    put(out, function.frame_slots);
    put(out, function.exported);
    put(out, function.line);
    put(out, function.code_begin);
    put(out, function.code_end - function.code_begin);
    put(out, function.lines_end - function.lines_begin);
    put(out, function.exceptions_end - function.exceptions_begin);
  }
}

void read_functions(Chunk& in) {
  std::vector<ImageFunction>& functions = in.image.functions;
  functions.resize(in.count(10));
  for (ImageFunction& function : functions) {
    function.name = in.name();
    function.arity = in.u32(kMaxArity);
    function.captured = in.u32(kMaxArity);
    in.check(function.captured <= function.arity, "more captured values than parameters");
    function.frame_slots = in.u32(kMaxFrameSlots);
    in.check(function.frame_slots > function.arity, "frame smaller than its parameters");
    function.exported = in.flag();
    function.line = in.u32();
    function.code_begin = in.u32(1u << 28);
    function.code_end = function.code_begin + in.u32(1u << 28);
    function.lines_end = in.u32(1u << 28);
    function.exceptions_end = in.u32(1u << 28);
  }
  std::uint64_t code = 0, lines = 0, exceptions = 0;
  for (std::uint32_t index : code_order(functions)) {
    ImageFunction& function = functions[index];
    in.check(function.code_begin == code, "functions do not follow each other in the code");
    code = function.code_end;
    function.lines_begin = static_cast<std::uint32_t>(lines);
    function.exceptions_begin = static_cast<std::uint32_t>(exceptions);
    lines += function.lines_end;
    exceptions += function.exceptions_end;
    in.check(lines < (1u << 28) && exceptions < (1u << 28), "table too large");
    function.lines_end = static_cast<std::uint32_t>(lines);
    function.exceptions_end = static_cast<std::uint32_t>(exceptions);
  }
}

void write_lambdas(const ModuleImage& image, std::string& out) {
  put(out, image.lambdas.size());
  for (const ImageLambda& lambda : image.lambdas) {
    put(out, lambda.function);
    put(out, lambda.captured);
    put_fixed(out, lambda.unique, 8);
  }
}

void read_lambdas(Chunk& in) {
  in.image.lambdas.resize(in.count(10));
  for (ImageLambda& lambda : in.image.lambdas) {
    lambda.function = in.index(in.image.functions.size(), "no such function");
    lambda.captured = in.u32(kMaxArity);
    const std::uint8_t* bytes = in.bytes(8);
    if (bytes == nullptr) return;
    for (unsigned i = 0; i < 8; ++i) lambda.unique |= std::uint64_t{bytes[i]} << 8 * i;
    in.check(in.image.functions[lambda.function].captured == lambda.captured,
             "lambda and function differ in captured values");
  }
}

// Code, lines, exceptions -------------------------------------------------------------------------

/// Reads a table whose entries belong to functions; `read(function)` reads one.
template <class Entry, class Read>
void read_by_function(Chunk& in, std::vector<Entry>& table, std::size_t least_bytes,
                      std::uint32_t ImageFunction::*begin, std::uint32_t ImageFunction::*end,
                      Read&& read) {
  std::size_t count = in.count(least_bytes);
  std::vector<ImageFunction>& functions = in.image.functions;
  std::vector<std::uint32_t> order = code_order(functions);
  std::size_t wanted = order.empty() ? 0 : functions[order.back()].*end;
  in.check(count == wanted, "number of entries differs from the functions'");
  if (in.failed()) return;
  table.reserve(count);
  for (std::uint32_t index : order) {
    const ImageFunction& function = functions[index];
    for (std::uint32_t i = function.*begin; i < function.*end; ++i) {
      table.push_back(read(function, i == function.*begin));
      if (in.failed()) return;
    }
  }
}

void write_code(const ModuleImage& image, std::string& out) {
  out.append(reinterpret_cast<const char*>(image.code.data()), image.code.size());
}

void read_code(Chunk& in) {
  std::size_t size = in.left();
  const std::uint8_t* bytes = in.bytes(size);
  in.image.code.assign(bytes, bytes + size);
  std::size_t end = 0;
  for (const ImageFunction& function : in.image.functions)
    end = std::max<std::size_t>(end, function.code_end);
  in.check(end == size, "functions do not cover the code");
}

void write_inlines(const ModuleImage& image, std::string& out) {
  put(out, image.inlines.size());
  for (const ImageInline& one : image.inlines) {
    put(out, one.function);
    put(out, one.caller);
    put(out, one.line);
    put(out, one.file);
  }
}

void read_inlines(Chunk& in) {
  std::size_t count = in.count(4);
  in.image.inlines.reserve(count);
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    ImageInline& one = in.image.inlines.emplace_back();
    one.function = in.index(in.image.functions.size(), "no such function");
    // Callers come first, so that no way through them is a circle.
    one.caller = in.index(std::size_t{i} + 2, "inlined into what comes later");
    one.line = in.u32();
    one.file = in.u32();
  }
}

void write_lines(const ModuleImage& image, std::string& out) {
  put(out, image.lines.size());
  for (std::uint32_t index : code_order(image.functions)) {
    const ImageFunction& function = image.functions[index];
    LineEntry last{0, function.line, 0, 0};
    for (std::uint32_t i = function.lines_begin; i < function.lines_end; ++i) {
      const LineEntry& entry = image.lines[i];
      put(out, entry.offset - last.offset);
      put_signed(out, static_cast<std::int64_t>(entry.line) - last.line);
      put(out, entry.file);
      put(out, entry.inlined);
      last = entry;
    }
  }
}

void read_lines(Chunk& in) {
  LineEntry last;
  read_by_function(in, in.image.lines, 4, &ImageFunction::lines_begin, &ImageFunction::lines_end,
                   [&](const ImageFunction& function, bool first) {
                     if (first) last = {0, function.line, 0, 0};
                     std::uint64_t offset = std::uint64_t{last.offset} + in.u32();
                     std::int64_t delta = in.signed_number();
                     in.check(delta >= -(std::int64_t{1} << 32) && delta <= (std::int64_t{1} << 32),
                              "line out of range");
                     std::int64_t line = in.failed() ? 0 : delta + last.line;
                     in.check(line >= 0 && line <= UINT32_MAX, "line out of range");
                     std::uint32_t size = function.code_end - function.code_begin;
                     in.check(offset < size, "line entry outside of its function");
                     in.check(first || offset > last.offset, "line entries out of order");
                     std::uint32_t file = in.u32();
                     InlineRef inlined =
                         in.index(in.image.inlines.size() + 1, "no such inlined body");
                     last = {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(line),
                             file, inlined};
                     return last;
                   });
}

void write_exceptions(const ModuleImage& image, std::string& out) {
  put(out, image.exceptions.size());
  for (std::uint32_t index : code_order(image.functions)) {
    const ImageFunction& function = image.functions[index];
    for (std::uint32_t i = function.exceptions_begin; i < function.exceptions_end; ++i) {
      const ExceptionEntry& entry = image.exceptions[i];
      put(out, entry.start);
      put(out, entry.end - entry.start);
      put(out, entry.handler);
      put(out, static_cast<std::uint64_t>(entry.kind));
    }
  }
}

void read_exceptions(Chunk& in) {
  read_by_function(in, in.image.exceptions, 4, &ImageFunction::exceptions_begin,
                   &ImageFunction::exceptions_end, [&](const ImageFunction& function, bool) {
                     ExceptionEntry entry;
                     std::uint32_t size = function.code_end - function.code_begin;
                     entry.start = in.u32();
                     std::uint64_t end = std::uint64_t{entry.start} + in.u32();
                     in.check(entry.start < end && end <= size,
                              "exception range outside of its function");
                     entry.end = static_cast<std::uint32_t>(end);
                     entry.handler = in.index(size, "exception handler outside of its function");
                     entry.kind = static_cast<ExceptionKind>(in.number(1));
                     return entry;
                   });
}

// What running does not need ----------------------------------------------------------------------

void write_source(const ModuleImage& image, std::string& out) {
  put(out, image.files.size());
  for (const std::string& file : image.files) put_text(out, file);
  put_fixed(out, image.source_hash, 8);
}

void read_source(Chunk& in) {
  std::size_t count = in.count(1);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) in.image.files.emplace_back(in.text());
  const std::uint8_t* bytes = in.bytes(8);
  if (bytes == nullptr) return;
  for (unsigned i = 0; i < 8; ++i) in.image.source_hash |= std::uint64_t{bytes[i]} << 8 * i;
  for (const LineEntry& line : in.image.lines)
    in.check(line.file < count || line.file == 0, "no such file");
  for (const ImageInline& one : in.image.inlines)
    in.check(one.file < count || one.file == 0, "no such file");
}

void write_docs(const ModuleImage& image, std::string& out) {
  put(out, image.docs.size());
  for (const ImageDoc& doc : image.docs) {
    put(out, static_cast<std::uint64_t>(doc.kind));
    put(out, doc.name);
    put(out, doc.arity);
    put(out, doc.line);
    put_text(out, doc.signature);
    put_text(out, doc.text);
  }
}

void read_docs(Chunk& in) {
  std::size_t count = in.count(6);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    ImageDoc& doc = in.image.docs.emplace_back();
    doc.kind = static_cast<DocKind>(in.number(static_cast<std::uint64_t>(DocKind::Callback)));
    doc.name = in.name();
    doc.arity = in.u32();
    doc.line = in.u32();
    doc.signature = in.text();
    doc.text = in.text();
  }
}

void write_shape(const ModuleImage& image, std::string& out) {
  put(out, image.behaviours.size());
  for (NameId name : image.behaviours) put(out, name);
  put(out, image.callbacks.size());
  for (const ImageCallback& callback : image.callbacks) {
    put(out, callback.name);
    put(out, callback.arity);
    put(out, callback.optional);
  }
  put(out, image.has_struct);
  put(out, image.struct_fields.size());
  for (const ImageStructField& field : image.struct_fields) {
    put(out, field.name);
    put(out, field.has_default);
  }
  put(out, image.attributes.size());
  for (const ImageAttribute& attribute : image.attributes) {
    put(out, attribute.name);
    put(out, attribute.constant);
  }
}

void read_shape(Chunk& in) {
  in.image.behaviours.resize(in.count(1));
  for (NameId& name : in.image.behaviours) name = in.name();
  in.image.callbacks.resize(in.count(3));
  for (ImageCallback& callback : in.image.callbacks) {
    callback.name = in.name();
    callback.arity = in.u32();
    callback.optional = in.flag();
  }
  in.image.has_struct = in.flag();
  in.image.struct_fields.resize(in.count(2));
  for (ImageStructField& field : in.image.struct_fields) {
    field.name = in.name();
    field.has_default = in.flag();
  }
  in.image.attributes.resize(in.count(2));
  for (ImageAttribute& attribute : in.image.attributes) {
    attribute.name = in.name();
    attribute.constant = in.index(in.image.constants.size(), "no such constant");
  }
}

void write_tests(const ModuleImage& image, std::string& out) {
  put(out, image.tests.size());
  for (const ImageTest& test : image.tests) {
    put_text(out, test.name);
    put(out, test.function);
    put(out, test.line);
    put(out, test.doc_example);
  }
}

void read_tests(Chunk& in) {
  std::size_t count = in.count(4);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    ImageTest& test = in.image.tests.emplace_back();
    test.name = in.text();
    test.function = in.index(in.image.functions.size(), "no such function");
    test.line = in.u32();
    test.doc_example = in.flag();
    in.check(in.failed() || in.image.functions[test.function].arity == 0, "test with parameters");
  }
}

/// What a reader asks for.
enum Part : unsigned { kInterface = 1, kCode = 2, kBoth = kInterface | kCode };

struct ChunkKind {
  char tag[5];
  void (*write)(const ModuleImage& image, std::string& out);
  void (*read)(Chunk& in);
  unsigned parts;
};

constexpr ChunkKind kChunks[] = {
    {"Name", write_names, read_names, kBoth},
    {"Cons", write_constants, read_constants, kBoth},
    {"Impt", write_imports, read_imports, kCode},
    {"Natv", write_natives, read_natives, kCode},
    {"Func", write_functions, read_functions, kBoth},
    {"Lamb", write_lambdas, read_lambdas, kCode},
    {"Code", write_code, read_code, kCode},
    {"Inln", write_inlines, read_inlines, kCode},
    {"Line", write_lines, read_lines, kCode},
    {"Exce", write_exceptions, read_exceptions, kCode},
    {"Srce", write_source, read_source, kBoth},
    {"Shap", write_shape, read_shape, kBoth},
    {"Test", write_tests, read_tests, kBoth},
    {"Docs", write_docs, read_docs, kInterface},
};

ModuleFileResult read_chunks(std::string_view file, unsigned parts) {
  auto refuse = [](std::string chunk, std::size_t offset, std::string reason) {
    return ModuleFileResult{nullptr, {std::move(chunk), offset, std::move(reason)}};
  };
  auto bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  if (file.size() < kHeadBytes || file.substr(0, 4) != std::string_view(kMagic, 4))
    return refuse("", 0, "not a Quelea module file");
  if (file.size() > kMaxFileBytes) return refuse("", 0, "larger than 256 MiB");
  std::uint64_t head[3] = {};
  for (unsigned i = 0; i < 4; ++i) head[0] |= std::uint64_t{bytes[4 + i]} << 8 * i;
  for (unsigned i = 0; i < 8; ++i) head[1] |= std::uint64_t{bytes[8 + i]} << 8 * i;
  if (head[0] != kModuleFormatVersion)
    return refuse("", 4,
                  "format version " + std::to_string(head[0]) + ", this machine reads version " +
                      std::to_string(kModuleFormatVersion) + "; compile the module again");
  if (head[1] != instruction_set_hash())
    return refuse("", 8, "compiled for another version of Quelea; compile the module again");

  ModuleFileResult result;
  result.image = std::make_unique<ModuleImage>();
  std::size_t at = kHeadBytes;
  for (const ChunkKind& kind : kChunks) {
    if (file.size() - at < 8) return refuse(kind.tag, at, "chunk is missing");
    if (file.substr(at, 4) != kind.tag)
      return refuse(kind.tag, at, "another chunk where this one is due");
    std::uint32_t size = ByteCursor(bytes + at + 4, bytes + at + 8).fixed32();
    at += 8;
    if (size > file.size() - at) return refuse(kind.tag, at, "longer than the file");
    if (kind.parts & parts) {
      Chunk chunk(bytes + at, size, *result.image);
      kind.read(chunk);
      if (!chunk.failed() && chunk.left() != 0) chunk.fail("bytes left over");
      if (chunk.failed()) return refuse(kind.tag, at + chunk.offset(), chunk.reason());
    }
    at += size;
  }
  if (at != file.size()) return refuse("", at, "bytes behind the last chunk");
  return result;
}

}  // namespace

std::uint64_t instruction_set_hash() {
  static constexpr std::uint64_t kHash = [] {
    std::uint64_t hash = 0xcbf29ce484222325u;
    auto add = [&hash](const char* text) {
      for (; *text != 0; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3u;
      hash = (hash ^ 0xffu) * 0x100000001b3u;
    };
    for (const OpInfo& op : detail::kOpTable) {
      add(op.name);
      add(op.operands);
    }
    return hash;
  }();
  return kHash;
}

std::string write_module(const ModuleImage& image) {
  std::string out(kMagic, 4);
  put_fixed(out, kModuleFormatVersion, 4);
  put_fixed(out, instruction_set_hash(), 8);
  for (const ChunkKind& kind : kChunks) {
    out.append(kind.tag, 4);
    std::size_t at = out.size();
    put_fixed(out, 0, 4);
    kind.write(image, out);
    std::uint64_t size = out.size() - at - 4;
    for (unsigned i = 0; i < 4; ++i) out[at + i] = static_cast<char>(size >> 8 * i);
  }
  return out;
}

std::string ModuleFileError::message() const {
  std::string where = chunk.empty() ? "" : "chunk " + chunk + ", ";
  return where + "byte " + std::to_string(offset) + ": " + reason;
}

ModuleFileResult read_module(std::string_view file) { return read_chunks(file, kBoth); }

ModuleFileResult read_module_code(std::string_view file) { return read_chunks(file, kCode); }

ModuleFileResult read_module_interface(std::string_view file) {
  return read_chunks(file, kInterface);
}

}  // namespace quelea
