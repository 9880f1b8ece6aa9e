// Reading JSON.
//
// One pass over the bytes builds terms directly: no tree in between, no recursion (open arrays and
// objects are on a stack of their own), and it can stop between any two values, so that a large
// document is read in slices. The packaged readers (simdjson, RapidJSON) cannot stop, or hand every
// number and string over through copies of their own.
//
// Two caches make the usual document, a list of like objects, cheap: keys seen before are the same
// term, and objects with the same keys in the same order share one tuple of keys. They last for a
// slice, because terms may move between slices.
#include <charconv>
#include <cmath>
#include <cstring>

#include "vm/native/posix.h"
#include "vm/native/text.h"
#include "vm/term/hash.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kSliceBytes = 128 * 1024;
constexpr std::int64_t kDefaultDepth = 512;
constexpr std::int64_t kMaxDepth = 1'000'000;

enum class Keys { Strings, Atoms, ExistingAtoms };

/// What may come next.
enum class Expect { Value, ValueOrEnd, Key, KeyOrEnd, CommaOrEnd, Nothing };

struct Frame {
  std::size_t base;  ///< Its first value on the stack.
  bool is_object;
};

/// `roots` is the stack of values whose array or object is still open.
struct JsonState : NativeState {
  std::vector<Frame> frames;
  std::size_t at = 0;
  Expect expect = Expect::Value;
  Keys keys = Keys::Strings;
  std::int64_t max_depth = kDefaultDepth;
};

/// Keys of an object in the order in which they came, and how their values go into a map with these
/// keys.
struct Shape {
  std::size_t count = 0;
  Word keys[kMaxFlatMap];
  Term tuple = Term::none();
  std::uint8_t place[kMaxFlatMap];  ///< Which value stands at each place of the tuple.
};

struct Caches {
  static constexpr std::size_t kKeys = 256;
  static constexpr std::size_t kShapes = 16;
  Term keys[kKeys];
  Shape shapes[kShapes];

  Caches() {
    for (Term& key : keys) key = Term::none();
  }
};

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Offset of the first byte at or behind `at` that ends a plain piece of a string: quote, backslash
/// or control.
std::size_t plain_end(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHighs = 0x8080808080808080u;
  while (at + 8 <= text.size()) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t quotes = word ^ kOnes * '"';
    const std::uint64_t slashes = word ^ kOnes * '\\';
    const std::uint64_t hits = (((quotes - kOnes) & ~quotes) | ((slashes - kOnes) & ~slashes) |
                                ((word - kOnes * 0x20) & ~word)) &
                               kHighs;
    if (hits != 0) break;
    at += 8;
  }
  while (at < text.size()) {
    const auto c = static_cast<std::uint8_t>(text[at]);
    if (c == '"' || c == '\\' || c < 0x20) break;
    ++at;
  }
  return at;
}

class Reader {
 public:
  Reader(Process& p, JsonState& state, Term input, std::string_view text)
      : p_(p), s_(state), input_(input), text_(text) {}

  /// Reads until `stop`, the end or an error.
  void run(std::size_t stop);
  const char* error() const { return error_; }
  std::size_t error_at() const { return s_.at; }

 private:
  bool fail(const char* message) {
    error_ = message;
    return false;
  }
  bool fail_here() {
    return fail(s_.at < text_.size() ? "unexpected character" : "unexpected end");
  }
  char peek() const { return s_.at < text_.size() ? text_[s_.at] : '\0'; }
  void push(Term value) {
    s_.roots.push_back(value);
    s_.expect = s_.frames.empty() ? Expect::Nothing : Expect::CommaOrEnd;
  }

  bool step();
  bool value();
  bool open(bool is_object);
  void close_array();
  bool close_object();
  bool literal(std::string_view word, Term meaning);
  bool number();
  bool string(bool is_key);
  bool escaped_string(std::size_t start);
  bool unicode_escape();
  bool hex4(std::uint32_t& value);
  Term key_term(std::string_view text);
  Term object_of(std::size_t base);

  Process& p_;
  JsonState& s_;
  Term input_;
  std::string_view text_;
  const char* error_ = nullptr;
  std::string scratch_;  ///< Text of a string with escapes.
  Caches caches_;
};

void Reader::run(std::size_t stop) {
  while (true) {
    while (s_.at < text_.size() && is_space(text_[s_.at])) ++s_.at;
    if (s_.expect == Expect::Nothing) {
      if (s_.at < text_.size()) fail("unexpected character after the value");
      return;
    }
    if (!step() || s_.at >= stop) return;
  }
}

bool Reader::step() {
  const char c = peek();
  const bool in_object = !s_.frames.empty() && s_.frames.back().is_object;
  switch (s_.expect) {
    case Expect::ValueOrEnd:
      if (c == ']') {
        ++s_.at;
        close_array();
        return true;
      }
      return value();
    case Expect::Value:
      return value();
    case Expect::KeyOrEnd:
      if (c == '}') {
        ++s_.at;
        return close_object();
      }
      [[fallthrough]];
    case Expect::Key:
      if (c != '"') return s_.at < text_.size() ? fail("expected a string as key") : fail_here();
      if (!string(true)) return false;
      while (s_.at < text_.size() && is_space(text_[s_.at])) ++s_.at;
      if (peek() != ':') return s_.at < text_.size() ? fail("expected a colon") : fail_here();
      ++s_.at;
      s_.expect = Expect::Value;
      return true;
    case Expect::CommaOrEnd:
      if (c == ',') {
        ++s_.at;
        s_.expect = in_object ? Expect::Key : Expect::Value;
        return true;
      }
      if (c == (in_object ? '}' : ']')) {
        ++s_.at;
        if (in_object) return close_object();
        close_array();
        return true;
      }
      if (s_.at >= text_.size()) return fail_here();
      return fail(in_object ? "expected a comma or a closing brace"
                            : "expected a comma or a closing bracket");
    case Expect::Nothing:
      break;
  }
  return fail_here();
}

bool Reader::value() {
  switch (peek()) {
    case '"':
      return string(false);
    case '{':
      return open(true);
    case '[':
      return open(false);
    case 't':
      return literal("true", atoms::true_);
    case 'f':
      return literal("false", atoms::false_);
    case 'n':
      return literal("null", atoms::nil);
    case '-':
    case '0' ... '9':
      return number();
    default:
      return s_.at < text_.size() ? fail("expected a value") : fail_here();
  }
}

bool Reader::open(bool is_object) {
  if (static_cast<std::int64_t>(s_.frames.size()) >= s_.max_depth) return fail("nested too deeply");
  s_.frames.push_back({s_.roots.size(), is_object});
  ++s_.at;
  s_.expect = is_object ? Expect::KeyOrEnd : Expect::ValueOrEnd;
  return true;
}

void Reader::close_array() {
  const std::size_t base = s_.frames.back().base;
  const std::size_t count = s_.roots.size() - base;
  Term list = Term::nil_list();
  if (count > 0) {
    Word* cell = p_.alloc(2 * count);
    list = Term::cons(cell);
    for (std::size_t i = 0; i < count; ++i, cell += 2) {
      cell[0] = s_.roots[base + i].bits;
      cell[1] = i + 1 == count ? Term::nil_list().bits : Term::cons(cell + 2).bits;
    }
  }
  s_.roots.resize(base);
  s_.frames.pop_back();
  push(list);
}

bool Reader::close_object() {
  const std::size_t base = s_.frames.back().base;
  Term map = object_of(base);
  s_.roots.resize(base);
  s_.frames.pop_back();
  push(map);
  return true;
}

Term Reader::object_of(std::size_t base) {
  Term* pairs = s_.roots.data() + base;
  const std::size_t count = (s_.roots.size() - base) / 2;
  if (count == 0 || count > kMaxFlatMap) return map_from_pairs(p_, pairs, count, atoms_of(p_));
  Word keys[kMaxFlatMap];
  std::uint64_t hash = count;
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = pairs[2 * i].bits;
    hash = hash_mix(hash ^ keys[i]);
  }
  Shape& shape = caches_.shapes[hash % Caches::kShapes];
  if (shape.count == count && std::memcmp(shape.keys, keys, count * sizeof(Word)) == 0) {
    Term values[kMaxFlatMap];
    for (std::size_t i = 0; i < count; ++i) values[i] = pairs[2 * shape.place[i] + 1];
    return map_from_shape(p_, shape.tuple, values);
  }
  Term map = map_from_pairs(p_, pairs, count, atoms_of(p_));
  if (map_size(map) != count) return map;
  shape.count = count;
  std::memcpy(shape.keys, keys, sizeof keys);
  shape.tuple = flat_map_keys(map);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t from = 0;
    while (from < count && keys[from] != tuple_at(shape.tuple, i).bits) ++from;
    if (from == count) shape.count = 0;  // not the term that was given: do not rely on it
    shape.place[i] = static_cast<std::uint8_t>(from);
  }
  return map;
}

bool Reader::literal(std::string_view word, Term meaning) {
  if (text_.substr(s_.at, word.size()) != word) return fail("expected a value");
  s_.at += word.size();
  push(meaning);
  return true;
}

bool Reader::number() {
  const std::size_t start = s_.at;
  std::size_t at = start;
  auto digit = [&] { return at < text_.size() && is_digit(text_[at]); };
  if (text_[at] == '-') ++at;
  const std::size_t first = at;
  while (digit()) ++at;
  const std::size_t digits = at - first;
  s_.at = at;
  if (digits == 0) return fail("expected a digit");
  if (digits > 1 && text_[first] == '0') {
    s_.at = first;
    return fail("a number has no leading zeros");
  }
  bool is_float = false;
  if (at < text_.size() && text_[at] == '.') {
    is_float = true;
    ++at;
    if (s_.at = at; !digit()) return fail("expected a digit");
    while (digit()) ++at;
  }
  if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
    is_float = true;
    ++at;
    if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
    if (s_.at = at; !digit()) return fail("expected a digit");
    while (digit()) ++at;
  }
  s_.at = at;
  const std::string_view text = text_.substr(start, at - start);
  if (is_float) {
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc()) {
      // Too small is zero; too large is nothing that a float can hold.
      const std::size_t e = text.find_first_of("eE");
      const bool tiny = e == std::string_view::npos
                            ? text.find_first_of("123456789") > text.find('.')
                            : text[e + 1] == '-';
      if (!tiny) {
        s_.at = start;
        return fail("number too large");
      }
      value = text[0] == '-' ? -0.0 : 0.0;
    }
    push(p_.make_float(value));
    return true;
  }
  if (digits <= 18) {
    std::int64_t value = 0;
    for (char c : text_.substr(first, digits)) value = value * 10 + (c - '0');
    push(make_integer(p_, first == start ? value : -value));
    return true;
  }
  std::size_t work = 0;
  Term value = integer_parse(p_, text, 10, nullptr, &work);
  charge_cells(p_, work);
  if (value.is_none()) {
    s_.at = start;
    return fail("number too large");
  }
  push(value);
  return true;
}

Term Reader::key_term(std::string_view text) {
  if (s_.keys != Keys::Strings) {
    return s_.keys == Keys::Atoms ? p_.vm().atoms().intern(text) : atoms_of(p_).find(text);
  }
  std::uint64_t hash = text.size();
  for (std::size_t i = 0; i < text.size() && i < 16; ++i) {
    hash = hash * 31 + static_cast<std::uint8_t>(text[i]);
  }
  Term& cached = caches_.keys[hash_mix(hash) % Caches::kKeys];
  if (!cached.is_none() && binary_view(cached).text() == text) return cached;
  Term key = binary_from_text(p_, text);
  if (text.size() <= kMaxHeapBinaryBytes) cached = key;
  return key;
}

bool Reader::string(bool is_key) {
  const std::size_t start = s_.at + 1;
  const std::size_t end = plain_end(text_, start);
  std::string_view text = text_.substr(start, end - start);
  const bool plain = end < text_.size() && text_[end] == '"';
  if (plain) {
    s_.at = end + 1;
  } else {
    if (!escaped_string(start)) return false;
    text = scratch_;
  }
  if (is_key) {
    Term key = key_term(text);
    if (key.is_none()) {
      s_.at = start - 1;
      return fail("the key is not an existing atom");
    }
    s_.roots.push_back(key);
    return true;
  }
  push(plain && text.size() > kMaxHeapBinaryBytes ? slice_of(p_, input_, start, text.size())
                                                  : binary_from_text(p_, text));
  return true;
}

bool Reader::hex4(std::uint32_t& value) {
  const std::string_view digits = text_.substr(s_.at, 4);
  value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() < 4 || result.ec != std::errc() || result.ptr != digits.data() + 4) {
    return fail("expected four hexadecimal digits");
  }
  s_.at += 4;
  return true;
}

bool Reader::unicode_escape() {
  std::uint32_t c = 0;
  const std::size_t start = s_.at - 2;
  if (!hex4(c)) return false;
  if (c >= 0xD800 && c <= 0xDBFF && text_.substr(s_.at, 2) == "\\u") {
    s_.at += 2;
    std::uint32_t low = 0;
    if (!hex4(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) {
      s_.at = start;
      return fail("half a surrogate pair");
    }
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
  }
  if (!is_scalar_value(c)) {
    s_.at = start;
    return fail("half a surrogate pair");
  }
  utf8_append(scratch_, c);
  return true;
}

bool Reader::escaped_string(std::size_t start) {
  scratch_.clear();
  s_.at = start;
  while (true) {
    const std::size_t end = plain_end(text_, s_.at);
    scratch_.append(text_.substr(s_.at, end - s_.at));
    s_.at = end;
    if (end >= text_.size()) return fail("a string is not closed");
    const char c = text_[s_.at];
    if (c == '"') {
      ++s_.at;
      return true;
    }
    if (c != '\\') return fail("a control character in a string must be escaped");
    const char escape = s_.at + 1 < text_.size() ? text_[s_.at + 1] : '\0';
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t known = escape == '\0' ? std::string_view::npos : kEscapes.find(escape);
    if (escape != 'u' && known == std::string_view::npos) return fail("unknown escape");
    s_.at += 2;
    if (escape != 'u') {
      scratch_.push_back(kMeanings[known]);
    } else if (!unicode_escape()) {
      return false;
    }
  }
}

/// (:error, (message, line, column))
Term syntax_error(Process& p, std::string_view message, std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  std::int64_t line = 1;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == '\n') {
      ++line;
      line_start = i + 1;
    }
  }
  std::int64_t column = 1;
  for (char c : before.substr(line_start)) column += (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  drop_native_state(p);
  return error_tuple(p,
                     p.tuple(binary_from_text(p, message), Term::small(line), Term::small(column)));
}

bool read_options(Process& p, Term map, JsonState& state) {
  if (!is_map(map)) return false;
  MapIterator entries(map);
  Term key;
  Term value;
  while (entries.next(key, value)) {
    if (is_atom_named(p, key, "max_depth")) {
      if (!get_count(value, state.max_depth) || state.max_depth < 1 ||
          state.max_depth > kMaxDepth) {
        return false;
      }
    } else if (!is_atom_named(p, key, "keys")) {
      return false;
    } else if (is_atom_named(p, value, "atoms")) {
      state.keys = Keys::Atoms;
    } else if (is_atom_named(p, value, "existing_atoms")) {
      state.keys = Keys::ExistingAtoms;
    } else if (!is_atom_named(p, value, "strings")) {
      return false;
    }
  }
  return true;
}

}  // namespace

Term prim_json_decode(Process& p, Args args) {
  auto* state = native_state<JsonState>(p);
  if (state == nullptr) {
    if (!is_binary(args[0])) return badarg(p);
    if (!binary_view(args[0]).is_aligned()) args.set(0, binary_copy(p, args[0]));
    state = make_native_state<JsonState>(p);
    if (!read_options(p, args[1], *state)) {
      drop_native_state(p);
      return badarg(p);
    }
    const std::string_view text = binary_view(args[0]).text();
    const std::size_t valid = utf8_valid_prefix(bytes_of(text), text.size());
    if (valid != text.size()) return syntax_error(p, "invalid UTF-8", text, valid);
    charge_bytes(p, text.size() / 4);
  }
  const std::string_view text = binary_view(args[0]).text();
  const std::size_t start = state->at;
  Reader reader(p, *state, args[0], text);
  reader.run(start + kSliceBytes);
  p.charge(static_cast<std::int64_t>((state->at - start) / 16));
  if (reader.error() != nullptr) return syntax_error(p, reader.error(), text, reader.error_at());
  if (state->expect != Expect::Nothing || state->at < text.size()) return p.again();
  Term value = state->roots.back();
  drop_native_state(p);
  return value.is_none() ? value : ok_tuple(p, value);
}

}  // namespace quelea
