// A module as the compiler makes it and as a .qb file holds it: names, constants, code and tables,
// free of anything that belongs to a running machine. The compiler fills one (code through
// assembler.h), module_file.h writes and reads it, verifier.h judges it, loader.h turns it into a
// LoadedModule.
//
// Everything refers to everything by index. Names (atoms, file names) are interned once per module
// in `names`. All code of a module is one byte string, function after function; offsets in jumps,
// line entries and exception entries count from the beginning of their function.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace quelea {

using NameId = std::uint32_t;

/// Texts, each once. Ids are dense and in order of first use.
class ModuleNames {
 public:
  NameId intern(std::string_view text);
  /// Adds without looking for an equal one: for readers of files.
  void append(std::string_view text) { texts_.emplace_back(text); }
  const std::string& operator[](NameId id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;
  /// Views of `texts_`, whose elements do not move. May lack the newest.
  std::unordered_map<std::string_view, NameId> ids_;
  std::size_t indexed_ = 0;  ///< How many of `texts_` are in `ids_`.
};

enum class ConstantKind : std::uint8_t {
  Small,      ///< `value`, a 61-bit signed integer
  Atom,       ///< `value` is a NameId
  EmptyList,  ///< []
  Term,       ///< `bytes`, in the external term format, without its version byte
};

struct Constant {
  ConstantKind kind = ConstantKind::EmptyList;
  std::int64_t value = 0;
  std::string bytes;
  bool is_immediate() const { return kind != ConstantKind::Term; }
};

/// Writes a term of any shape in the external term format: call the functions in the order in which
/// the term reads. A tuple is `tuple(n)` and then its n elements; a list is `list(n)`, n elements,
/// and a tail (`empty_list()` for a proper one); a map is `map(n)`, then n times key and value, in
/// any order of distinct keys.
class LiteralWriter {
 public:
  void integer(std::int64_t value);
  /// An integer of any size: magnitude in bytes, least significant first.
  void big(bool negative, std::string_view magnitude);
  void number(double value);
  void atom(std::string_view text);
  void string(std::string_view bytes);
  /// A binary of `bit_count` bits, held in the upper bits of the last byte.
  void bits(std::string_view bytes, std::uint64_t bit_count);
  void empty_list() { bytes_.push_back(106); }
  void tuple(std::uint32_t size);
  void list(std::uint32_t size);
  void map(std::uint32_t size);
  /// `&Module.name/arity`.
  void exported_function(std::string_view module, std::string_view name, std::uint32_t arity);

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  void put_be(std::uint64_t value, int byte_count);
  std::string bytes_;
};

/// The constant table. Every function returns the index of the constant, the same one for the same
/// constant.
class ConstantPool {
 public:
  /// Integers past 61 bits become terms by themselves.
  std::uint32_t integer(std::int64_t value);
  std::uint32_t big(bool negative, std::string_view magnitude);
  std::uint32_t number(double value);
  std::uint32_t atom(NameId name);
  std::uint32_t empty_list();
  std::uint32_t empty_tuple();
  std::uint32_t string(std::string_view bytes);
  std::uint32_t bits(std::string_view bytes, std::uint64_t bit_count);
  /// A term written with LiteralWriter. Atoms, small integers and [] written this way become
  /// immediates, so a caller may write any constant expression without looking what it is; `names`
  /// gets the atom's text.
  std::uint32_t term(std::string bytes, ModuleNames& names);

  /// Appends without looking for an equal one: for readers of files.
  void append(Constant constant) { all_.push_back(std::move(constant)); }
  const Constant& operator[](std::uint32_t index) const { return all_[index]; }
  std::size_t size() const { return all_.size(); }

 private:
  std::uint32_t add_immediate(ConstantKind kind, std::int64_t value);
  std::uint32_t add_term(std::string bytes);

  std::vector<Constant> all_;
  std::unordered_map<std::int64_t, std::uint32_t> smalls_;
  std::unordered_map<std::int64_t, std::uint32_t> atoms_;
  std::unordered_map<std::string, std::uint32_t> terms_;
  std::uint32_t empty_list_ = UINT32_MAX;
};

/// Something called by name: an imported function or a native one.
struct ImageImport {
  NameId module = 0;
  NameId name = 0;
  std::uint32_t arity = 0;
};

struct ImageFunction {
  NameId name = 0;
  /// Parameters, captured values included: they arrive in slots 1..arity.
  std::uint32_t arity = 0;
  std::uint32_t captured = 0;
  /// All slots, slot 0 included.
  std::uint32_t frame_slots = 1;
  bool exported = false;
  std::uint32_t line = 0;
  /// Its code in `ModuleImage::code`, its entries in `lines` and `exceptions`: [begin, end).
  std::uint32_t code_begin = 0, code_end = 0;
  std::uint32_t lines_begin = 0, lines_end = 0;
  std::uint32_t exceptions_begin = 0, exceptions_end = 0;
};

/// A fun that `closure` makes.
struct ImageLambda {
  std::uint32_t function = 0;
  std::uint32_t captured = 0;
  /// Tells lambdas of versions of a module apart: a hash of the lambda's source, or anything as
  /// good.
  std::uint64_t unique = 0;
};

/// Whose code an instruction is, in a line entry: 0 the function's own, n the body that
/// `inlines[n - 1]` put there.
using InlineRef = std::uint32_t;

/// The body of a function in the place of one of its calls. A trace shows it as a frame of its own,
/// and behind it its caller's at the line of the call.
struct ImageInline {
  /// `caller` of a tail call: the caller's frame would be gone, and with it the one whose code this
  /// is in.
  static constexpr std::uint32_t kNobody = 0;

  std::uint32_t function = 0;  ///< Whose body it is.
  /// kNobody, or 1 + the InlineRef of the code that the call stood in, which is an earlier one.
  std::uint32_t caller = kNobody;
  std::uint32_t line = 0;  ///< Of the call; with the file it means nothing where nobody called.
  std::uint32_t file = 0;
};

/// Instructions from `offset` on, up to the next entry, come from this line.
struct LineEntry {
  std::uint32_t offset = 0;
  std::uint32_t line = 0;
  /// Index in `files`.
  std::uint32_t file = 0;
  InlineRef inlined = 0;
};

enum class ExceptionKind : std::uint8_t {
  Handler,  ///< leads to a `catch` instruction
  Guard,    ///< leads to any instruction and drops the exception
};

/// Covers instructions that begin in [start, end). Of several that cover one, the first in the
/// table counts, so inner ones come first.
struct ExceptionEntry {
  std::uint32_t start = 0, end = 0;
  std::uint32_t handler = 0;
  ExceptionKind kind = ExceptionKind::Handler;
};

enum class DocKind : std::uint8_t { Module, Function, Type, Constant, Struct, Callback };

struct ImageDoc {
  DocKind kind = DocKind::Function;
  NameId name = 0;
  std::uint32_t arity = 0;
  std::uint32_t line = 0;
  std::string signature;
  std::string text;
};

struct ImageCallback {
  NameId name = 0;
  std::uint32_t arity = 0;
  bool optional = false;
};

struct ImageStructField {
  NameId name = 0;
  bool has_default = false;
};

/// A test, or an example from a doc comment: a function without parameters that returns when it
/// passes.
struct ImageTest {
  std::string name;
  std::uint32_t function = 0;
  std::uint32_t line = 0;
  bool doc_example = false;
};

/// A constant that other modules or tools may ask for by name (`const`, and anything else: tools
/// ignore what they do not know).
struct ImageAttribute {
  NameId name = 0;
  std::uint32_t constant = 0;
};

struct ModuleImage {
  ModuleImage() = default;
  // `names` refers to itself.
  ModuleImage(const ModuleImage&) = delete;
  ModuleImage& operator=(const ModuleImage&) = delete;

  ModuleNames names;
  NameId name = 0;
  ConstantPool constants;
  std::vector<ImageImport> imports;
  std::vector<ImageImport> natives;
  std::vector<ImageFunction> functions;
  std::vector<ImageLambda> lambdas;
  std::vector<std::uint8_t> code;
  std::vector<ImageInline> inlines;
  std::vector<LineEntry> lines;
  std::vector<ExceptionEntry> exceptions;

  /// Source files that `lines` names; the first is the module's own.
  std::vector<std::string> files;
  std::uint64_t source_hash = 0;
  std::vector<ImageDoc> docs;
  std::vector<NameId> behaviours;
  std::vector<ImageCallback> callbacks;
  bool has_struct = false;
  std::vector<ImageStructField> struct_fields;
  std::vector<ImageTest> tests;
  std::vector<ImageAttribute> attributes;
};

}  // namespace quelea
