#include "vm/term/inspect.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "vm/base/memory.h"
#include "vm/term/binary.h"
#include "vm/term/float_text.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/utf8.h"
#include "vm/term/work.h"
#include "vm/term/work_stack.h"

namespace quelea {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `name`, as a label before a colon.
bool is_word(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return false;
  for (char c : text) {
    if (!is_letter(c) && !is_digit(c)) return false;
  }
  return true;
}

/// What may follow the colon of an atom without quotes.
bool is_plain_atom(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return false;
  for (char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '@') return false;
  }
  return true;
}

/// Passes what a string shows: whole code points that print, or have an escape that people use.
/// Where it stopped, at `stop` or a little behind; null where something else stands.
const std::uint8_t* pass_text(const std::uint8_t* at, const std::uint8_t* stop,
                              const std::uint8_t* end) {
  while (at < stop) {
    if (*at >= 0x20 && *at < 0x7F) {
      ++at;
      continue;
    }
    unsigned size;
    std::int32_t c = utf8_decode(at, end, size);
    if (c < 0) return nullptr;
    bool escaped = c == '\n' || c == '\t' || c == '\r' || c == 27;
    if (!escaped && !is_printable(static_cast<std::uint32_t>(c))) return nullptr;
    at += size;
  }
  return at;
}

bool is_shown_as_text(BinaryView view) {
  const std::uint8_t* end = view.bytes + view.bit_size / 8;
  return view.bit_size == 0 || (view.is_bytes() && pass_text(view.bytes, end, end) != nullptr);
}

/// Appends text with escapes from `at` on; where it stopped, at `stop` or a little behind.
const std::uint8_t* put_escaped(std::string& out, const std::uint8_t* at, const std::uint8_t* stop,
                                const std::uint8_t* end) {
  auto put_escape = [&out](char letter) {
    out += '\\';
    out += letter;
  };
  while (at < stop) {
    unsigned size = 1;
    std::int32_t c = utf8_decode(at, end, size);
    switch (c) {
      case '"':
      case '\\':
        put_escape(static_cast<char>(c));
        break;
      case '\n':
        put_escape('n');
        break;
      case '\t':
        put_escape('t');
        break;
      case '\r':
        put_escape('r');
        break;
      case 0:
        put_escape('0');
        break;
      case 27:
        put_escape('e');
        break;
      case '$':
        if (at + 1 < end && at[1] == '{') out += '\\';
        out += '$';
        break;
      default:
        if (c >= 0 && is_printable(static_cast<std::uint32_t>(c))) {
          out.append(reinterpret_cast<const char*>(at), size);
        } else {
          out += "\\u{";
          integer_print(out, Term::small(c < 0 ? *at : c), 16);
          out += '}';
          if (c < 0) size = 1;
        }
    }
    at += size;
  }
  return at;
}

void put_number(std::string& out, std::uint64_t number) {
  integer_print(out, Term::small(static_cast<std::int64_t>(number)));
}

class Inspector {
 public:
  Inspector(std::string& out, const AtomTable& atoms, const InspectOptions& options)
      : out_(out), atoms_(atoms), options_(options), start_(out.size()) {}
  ~Inspector() {
    while (!stack_.empty()) release(stack_.take().owned);
  }
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  void run(Term term) {
    value(term);
    while (!stack_.empty()) {
      if (out_.size() - start_ > options_.limit) {
        out_ += "…";
        return;
      }
      if (words > options_.max_work) return;
      step();
    }
  }
  void begin(Term term) { value(term); }
  /// Parts that take more than `most` words of work at once are left out; then the text is
  /// worthless and `gave_up` true.
  void limit_parts(std::size_t most) { most_of_part_ = most; }
  bool gave_up() const { return gave_up_; }
  bool is_done() const { return stack_.empty(); }
  void step();

  std::size_t words = 0;

  /// Where lines may break, in the order of the text.
  struct Mark {
    enum Type { Open, Separator, Close } type;
    std::size_t at;
  };
  std::vector<Mark> marks;

 private:
  enum class Shape { List, Tuple, Single, MapKey, MapArrow, Scan, Text, Bytes };

  /// A value whose parts are being written.
  struct Frame {
    Shape shape;
    bool first;
    bool is_struct;
    const Word* at;      // tuple: the next element; map: the next key
    const Word* values;  // map: the next value
    std::size_t left;    // parts still to be written
    Term rest;           // list
    void* owned;         // memory behind at and values, or null
    // Large binaries: scanned whether they are text, then written as that or as bytes.
    const std::uint8_t* bytes = nullptr;
    const std::uint8_t* next = nullptr;
    const std::uint8_t* end = nullptr;
  };

  /// Sorting an entry of a large map, and printing a number, in words of work.
  static constexpr std::size_t kSortWords = 32;
  static std::size_t limbs_work(std::size_t limbs) { return limbs <= 64 ? 0 : 256 * limbs; }

  /// False where a part takes too long, or so long that all is to be given up anyway.
  bool may_take(std::size_t work) {
    if (QUELEA_UNLIKELY(work > options_.max_work)) {
      words += work;
      return false;
    }
    if (QUELEA_LIKELY(work <= most_of_part_)) return true;
    gave_up_ = true;
    return false;
  }

  void mark(Mark::Type type) {
    if (options_.width > 0) marks.push_back({type, out_.size()});
  }

  void separate(Frame& frame) {
    if (!frame.first) {
      out_ += ',';
      mark(Mark::Separator);
      out_ += ' ';
    }
    frame.first = false;
  }

  void open(const Frame& frame) {
    mark(Mark::Open);
    stack_.push(frame);
  }

  void close(const char* text) {
    mark(Mark::Close);
    out_ += text;
    release(stack_.take().owned);
  }

  void step_list(Frame& frame) {
    Term rest = frame.rest;
    if (rest.is_cons()) {
      separate(frame);
      frame.rest = rest.tail();
      return value(rest.head());
    }
    if (rest.is_nil_list()) return close("]");
    out_ += " | ";
    frame.rest = Term::nil_list();
    value(rest);
  }

  void step_key(Frame& frame) {
    for (;;) {
      if (frame.left == 0) return close("}");
      --frame.left;
      Term key{*frame.at++};
      if (frame.is_struct && key == atoms::struct_) {
        ++frame.values;
        continue;
      }
      separate(frame);
      if (key.is_atom() && is_word(atoms_.text(key))) {
        out_ += atoms_.text(key);
        out_ += ": ";
        return value({*frame.values++});
      }
      frame.shape = Shape::MapArrow;
      return value(key);
    }
  }

  void value(Term term) {
    ++words;
    switch (term.tag()) {
      case Tag::Small:
        return integer_print(out_, term);
      case Tag::Atom:
        return inspect_atom(out_, term, atoms_, options_);
      case Tag::Pid:
        return pid(0, pid_id(term), pid_serial(term));
      case Tag::Special:
      case Tag::Header:
        out_ += term.is_nil_list() ? "[]" : "#None<>";
        return;
      case Tag::Float: {
        char text[kFloatTextMax];
        out_.append(text, float_print_short(term.float_value(), text));
        return;
      }
      case Tag::Cons:
        out_ += '[';
        open({Shape::List, true, false, nullptr, nullptr, 0, term, nullptr});
        return;
      case Tag::Boxed:
        return boxed(term);
    }
  }

  void boxed(Term term) {
    switch (header_of(term).kind()) {
      case Kind::PositiveBig:
      case Kind::NegativeBig:
        if (may_take(limbs_work(header_of(term).payload_words()))) {
          integer_print(out_, term, 10, &words);
        }
        return;
      case Kind::HeapBinary:
      case Kind::RefBinary:
      case Kind::SubBinary:
        return binary(binary_view(term));
      case Kind::FlatMap:
      case Kind::HashMap:
        return map(term);
      case Kind::Fun: {
        const FunIdentity& fun = fun_identity(term);
        return function(fun.module, fun.function, fun.arity);
      }
      case Kind::ExportFun: {
        const ExportIdentity& fun = export_identity(term);
        return function(fun.module, fun.function, fun.arity);
      }
      case Kind::Ref:
        out_ += "#Ref<0.";
        put_number(out_, ref_number(term) >> 32);
        out_ += '.';
        put_number(out_, ref_number(term) & 0xFFFFFFFF);
        out_ += '>';
        return;
      case Kind::ExternalRef:
        return external(term, "#Ref<", 2);
      case Kind::ExternalPid:
        return external(term, "#Pid<", 1);
      case Kind::Port:
        return external(term, "#Port<", 1);
      default:
        return tuple(term);
    }
  }

  void tuple(Term term) {
    std::size_t size = tuple_size(term);
    out_ += '(';
    // The closing comma of a single element tells the tuple from grouping.
    Shape shape = size == 1 ? Shape::Single : Shape::Tuple;
    open({shape, true, false, term.pointer() + 1, nullptr, size, Term::none(), nullptr});
  }

  void pid(std::uint64_t node, std::uint64_t id, std::uint64_t serial) {
    out_ += "#Pid<";
    put_number(out_, node);
    out_ += '.';
    put_number(out_, id);
    out_ += '.';
    put_number(out_, serial);
    out_ += '>';
  }

  /// Something of another node: its node's name, then its numbers.
  void external(Term term, const char* opening, std::size_t first) {
    out_ += opening;
    out_ += atoms_.text(tuple_at(term, 0));
    bool is_ref = header_of(term).kind() == Kind::ExternalRef;
    std::size_t end = is_ref ? tuple_size(term) : tuple_size(term) - 1;
    for (std::size_t i = first; i < end; ++i) {
      out_ += '.';
      integer_print(out_, tuple_at(term, i));
    }
    out_ += '>';
  }

  void function(Term module, Term name, std::uint32_t arity) {
    out_ += "#Fun<";
    out_ += atoms_.text(module);
    out_ += '.';
    out_ += atoms_.text(name);
    out_ += '/';
    put_number(out_, arity);
    out_ += '>';
  }

  void binary(BinaryView view) {
    const std::size_t none = static_cast<std::size_t>(-1);
    if (view.bit_size / 8 > kLargeBytes && view.is_aligned() && view.is_bytes() &&
        options_.limit == none) {
      stack_.push({Shape::Scan, true, false, nullptr, nullptr, 0, Term::none(), nullptr, view.bytes,
                   view.bytes, view.bytes + view.bit_size / 8});
      return;
    }
    // What is not large, or lies between bytes, is written at once.
    if (view.bit_size / 8 > kLargeBytes && options_.limit == none && !may_take(view.bit_size / 4)) {
      return;
    }
    words += view.bit_size / 64;
    std::vector<std::uint8_t> copy;
    if (!view.is_aligned() && view.is_bytes()) {
      copy.resize(view.byte_size());
      bits_copy(copy.data(), 0, view.bytes, view.bit_offset, view.bit_size);
      view = {copy.data(), 0, view.bit_size};
    }
    if (is_shown_as_text(view)) {
      std::string_view text = view.text();
      // A long string is cut at a code point.
      std::size_t room = options_.limit;
      if (text.size() > room) text = text.substr(0, utf8_valid_prefix(view.bytes, room));
      return inspect_string(out_, text);
    }
    out_ += "<<";
    std::size_t position = 0;
    for (; position + 8 <= view.bit_size; position += 8) {
      if (out_.size() - start_ > options_.limit) break;
      if (position > 0) out_ += ", ";
      put_number(out_, bits_read_word(view, position, 8));
    }
    unsigned rest = static_cast<unsigned>(view.bit_size & 7);
    if (rest > 0 && position + rest == view.bit_size) {
      if (position > 0) out_ += ", ";
      put_number(out_, bits_read_word(view, position, rest));
      out_ += ':';
      put_number(out_, rest);
    }
    out_ += ">>";
  }

  /// True for a map that `%Name{…}` can make: all keys are field names.
  bool is_struct(Term map) {
    Term module = map_get_immediate(map, atoms::struct_, atoms_);
    if (!module.is_atom() || !looks_like_module(atoms_.text(module))) return false;
    MapIterator walk(map);
    Term key, field;
    while (walk.next(key, field)) {
      if (!key.is_atom() || !is_word(atoms_.text(key))) return false;
    }
    return true;
  }

  void map(Term term) {
    std::size_t size = map_size(term);
    bool is_a_struct = is_struct(term);
    out_ += '%';
    if (is_a_struct) out_ += atoms_.text(map_get_immediate(term, atoms::struct_, atoms_));
    out_ += '{';
    Frame frame{Shape::MapKey, true, is_a_struct, nullptr, nullptr, size, Term::none(), nullptr};
    if (is_flat_map(term)) {
      frame.at = flat_map_keys(term).pointer() + 1;
      frame.values = term.pointer() + 2;
    } else {
      if (!may_take(kSortWords * size)) {
        frame.left = 0;
        return open(frame);
      }
      std::vector<MapEntry> entries;
      map_sorted_entries(term, entries, atoms_);
      Word* memory = static_cast<Word*>(allocate(2 * size * sizeof(Word)));
      if (memory == nullptr) no_memory();
      for (std::size_t i = 0; i < size; ++i) {
        memory[i] = entries[i].key.bits;
        memory[size + i] = entries[i].value.bits;
      }
      frame.at = memory;
      frame.values = memory + size;
      frame.owned = memory;
      words += 4 * size;
    }
    open(frame);
  }

  void step_bytes(Frame& frame) {
    const std::uint8_t* stop =
        frame.next + std::min<std::size_t>(static_cast<std::size_t>(frame.end - frame.next), 4096);
    words += static_cast<std::size_t>(stop - frame.next) / 4;
    switch (frame.shape) {
      case Shape::Scan:
        frame.next = pass_text(frame.next, stop, frame.end);
        if (frame.next != nullptr && frame.next < frame.end) return;
        frame.shape = frame.next != nullptr ? Shape::Text : Shape::Bytes;
        frame.next = frame.bytes;
        out_ += frame.shape == Shape::Text ? "\"" : "<<";
        return;
      case Shape::Text:
        frame.next = put_escaped(out_, frame.next, stop, frame.end);
        break;
      default:
        for (; frame.next < stop; ++frame.next) {
          if (frame.next != frame.bytes) out_ += ", ";
          put_number(out_, *frame.next);
        }
    }
    if (frame.next < frame.end) return;
    out_ += frame.shape == Shape::Text ? "\"" : ">>";
    stack_.pop();
  }

  static constexpr std::size_t kLargeBytes = std::size_t{16} << 10;

  std::size_t most_of_part_ = static_cast<std::size_t>(-1);
  bool gave_up_ = false;
  std::string& out_;
  const AtomTable& atoms_;
  const InspectOptions& options_;
  std::size_t start_;
  WorkStack<Frame> stack_;
};

void Inspector::step() {
  Frame& frame = stack_.top();
  switch (frame.shape) {
    case Shape::List:
      return step_list(frame);
    case Shape::Tuple:
    case Shape::Single: {
      if (frame.left == 0) return close(frame.shape == Shape::Single ? ",)" : ")");
      separate(frame);
      --frame.left;
      value({*frame.at++});
      return;
    }
    case Shape::MapKey:
      return step_key(frame);
    case Shape::MapArrow:
      out_ += " => ";
      frame.shape = Shape::MapKey;
      value({*frame.values++});
      return;
    case Shape::Scan:
    case Shape::Text:
    case Shape::Bytes:
      return step_bytes(frame);
  }
}

/// Columns of a piece of text: its code points.
std::size_t columns(std::string_view text) { return utf8_length(text); }

/// Breaks the lines of `text` at its marks: a bracket that does not fit puts each of its parts on a
/// line.
std::string lay_out(std::string_view text, const std::vector<Inspector::Mark>& marks,
                    std::size_t width) {
  using Mark = Inspector::Mark;
  // The columns from each opening to its close.
  std::vector<std::size_t> start_column(marks.size()), span(marks.size(), 0), opened;
  std::size_t column = 0, from = 0;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    column += columns(text.substr(from, marks[i].at - from));
    from = marks[i].at;
    start_column[i] = column;
    if (marks[i].type == Mark::Open) {
      opened.push_back(i);
    } else if (marks[i].type == Mark::Close && !opened.empty()) {
      span[opened.back()] = column - start_column[opened.back()];
      opened.pop_back();
    }
  }
  // What a limit cut off has no close.
  for (std::size_t i : opened) span[i] = width + 1;
  std::string out;
  std::vector<bool> broken;
  std::size_t indent = 0;
  column = from = 0;
  auto new_line = [&] {
    out += '\n';
    // Deep nesting must not fill the page with blanks.
    column = indent < width / 2 ? indent : width / 2;
    out.append(column, ' ');
  };
  for (std::size_t i = 0; i < marks.size(); ++i) {
    std::string_view piece = text.substr(from, marks[i].at - from);
    out += piece;
    column += columns(piece);
    from = marks[i].at;
    switch (marks[i].type) {
      case Mark::Open:
        broken.push_back(span[i] > 0 && column + span[i] + 2 > width);
        if (broken.back()) {
          indent += 2;
          new_line();
        }
        break;
      case Mark::Separator:
        if (broken.back()) {
          ++from;
          new_line();
        }
        break;
      case Mark::Close:
        if (broken.back()) {
          indent -= 2;
          new_line();
        }
        broken.pop_back();
        break;
    }
  }
  out += text.substr(from);
  return out;
}

}  // namespace

bool looks_like_module(std::string_view text) {
  bool at_start = true;
  for (char c : text) {
    if (at_start ? !(c >= 'A' && c <= 'Z') : !(is_letter(c) || is_digit(c) || c == '.')) {
      return false;
    }
    at_start = c == '.';
  }
  return !text.empty() && !at_start;
}

void inspect_string(std::string& out, std::string_view utf8) {
  const std::uint8_t* at = reinterpret_cast<const std::uint8_t*>(utf8.data());
  out += '"';
  put_escaped(out, at, at + utf8.size(), at + utf8.size());
  out += '"';
}

void inspect_atom(std::string& out, Term atom, const AtomTable& atoms,
                  const InspectOptions& options) {
  std::string_view text = atoms.text(atom);
  if (atom == atoms::true_ || atom == atoms::false_ || atom == atoms::nil) {
    out += text;
    return;
  }
  if (options.is_module != nullptr && looks_like_module(text) &&
      options.is_module(options.context, atom)) {
    out += text;
    return;
  }
  out += ':';
  if (is_plain_atom(text)) {
    out += text;
  } else {
    inspect_string(out, text);
  }
}

void inspect(std::string& out, Term term, const AtomTable& atoms, const InspectOptions& options,
             std::size_t* work) {
  std::size_t start = out.size();
  Inspector inspector(out, atoms, options);
  inspector.run(term);
  if (options.width > 0) {
    for (Inspector::Mark& mark : inspector.marks) mark.at -= start;
    std::string laid_out =
        lay_out(std::string_view(out).substr(start), inspector.marks, options.width);
    out.replace(start, std::string::npos, laid_out);
  }
  if (work != nullptr) *work += inspector.words;
}

struct Inspection::Walk {
  Walk(Term what, const AtomTable& atoms, const InspectOptions& how)
      : term(what), options(how), inspector(out, atoms, options) {}
  Term term;
  bool has_begun = false;
  InspectOptions options;
  std::string out;
  Inspector inspector;
};

Inspection::Inspection(Term term, const AtomTable& atoms, const InspectOptions& options)
    : walk_(std::make_unique<Walk>(term, atoms, options)) {}
Inspection::Inspection(Inspection&&) noexcept = default;
Inspection::~Inspection() = default;

bool Inspection::step(std::string& out, std::size_t& cost) {
  constexpr std::size_t kPartsAtOnce = 64;
  constexpr std::size_t kWordsAtOnce = 4096;
  Inspector& inspector = walk_->inspector;
  inspector.limit_parts(WalkLimit(&cost).most());
  if (!walk_->has_begun) inspector.begin(walk_->term);
  walk_->has_begun = true;
  const std::size_t before = inspector.words;
  for (std::size_t n = 0; n < kPartsAtOnce && !inspector.is_done(); ++n) {
    inspector.step();
    if (inspector.words - before > kWordsAtOnce) break;
  }
  out += walk_->out;
  walk_->out.clear();
  cost += 1 + 4 * (inspector.words - before);
  if (inspector.gave_up()) WalkLimit(&cost).give_up();
  return !inspector.is_done();
}

void to_string(std::string& out, Term term, const AtomTable& atoms, const InspectOptions& options,
               std::size_t* work) {
  if (term.is_atom()) {
    out += atoms.text(term);
    return;
  }
  if (is_binary(term)) {
    BinaryView view = binary_view(term);
    if (work != nullptr) *work += view.bit_size / 64;
    std::vector<std::uint8_t> copy;
    if (!view.is_aligned()) {
      copy.resize(view.byte_size());
      bits_copy(copy.data(), 0, view.bytes, view.bit_offset, view.bit_size);
      view = {copy.data(), 0, view.bit_size};
    }
    if (utf8_valid(view.bytes, view.bit_size / 8)) {
      out += view.text();
      return;
    }
  }
  inspect(out, term, atoms, options, work);
}

}  // namespace quelea
