// Writing JSON, in slices: compact or indented, keys sorted by bytes, so that equal values give
// equal text.
//
// Open lists and maps are on a stack of their own. A small map whose keys are all strings is in
// order already (the order of its keys is the order of their bytes); the entries of others go into
// a heap, one at a time, and come out of it in order, so that a huge map never has to be sorted in
// one go.
#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>

#include "vm/base/raw_vector.h"
#include "vm/native/pool.h"
#include "vm/native/posix.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"
#include "vm/term/float_text.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxDepth = 100'000;
constexpr std::size_t kStringPiece = 4096;

/// An entry of a map, without memory of its own: the key's text is a binary's, an atom's, or one of
/// KeyTexts.
struct Entry {
  Entry() = default;
  Entry(std::string_view key, Term value_of_it)
      : text(key.data()), size(key.size()), value(value_of_it) {
    std::uint64_t word = 0;
    if (size != 0) std::memcpy(&word, text, std::min(size, sizeof word));
    first_bytes = __builtin_bswap64(word);
  }
  std::string_view key() const { return {text, size}; }

  std::uint64_t first_bytes = 0;  ///< They nearly always decide.
  const char* text = nullptr;
  std::size_t size = 0;
  Term value = Term::none();
};

/// The entry whose key comes first is on top of a heap.
bool comes_later(const Entry& a, const Entry& b) {
  return a.first_bytes != b.first_bytes ? a.first_bytes > b.first_bytes : a.key() > b.key();
}

/// Texts of keys that are written nowhere else, which stay where they are.
class KeyTexts {
 public:
  std::string_view keep(std::string_view text) {
    if (pieces_.empty() || pieces_.back().capacity() - pieces_.back().size() < text.size()) {
      pieces_.emplace_back().reserve(std::max(text.size(), kPieceBytes));
    }
    MachineString& piece = pieces_.back();
    piece.append(text);
    return std::string_view(piece).substr(piece.size() - text.size());
  }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
  std::deque<MachineString> pieces_;
};

/// A map that is not in order already.
struct Entries {
  explicit Entries(Term map) : left(map) {}
  MapIterator left;  ///< What is not in the heap yet.
  bool all_there = false;
  RawVector<Entry> heap;
  KeyTexts texts;
};

/// An open list or map.
struct Level {
  enum Kind { kList, kFlatMap, kEntries };
  Kind kind;
  Term rest;             ///< List: what is left of it. Flat map: the map.
  std::size_t next = 0;  ///< Flat map: the next entry.
  std::unique_ptr<Entries> entries;
  bool empty = true;
};

bool is_huge(Term integer) { return is_big(integer) && IntegerView(integer).size() > kPoolLimbs; }

class Writer {
 public:
  Writer(Process&, Args args)
      : indent_(static_cast<std::size_t>(args[1].small_value())), value_(args[0]) {}

  /// The next element of what is open, or the next piece of a string.
  bool step(Process& p, std::size_t& cost);
  Term finish(Process& p) {
    if (!failed_.is_none()) return badarg_with(p, failed_);
    return fits_ ? out_.finish(p) : system_limit(p);
  }

 private:
  bool one(Process& p, Term value, std::size_t& cost);
  bool open_map(Term map);
  bool next(Process& p, std::size_t& cost);
  bool next_entry(Process& p, Level& level, std::size_t& cost);
  bool close(char bracket);
  bool key_text(Process& p, Term key, KeyTexts& texts, std::string_view& text, std::size_t& cost);
  bool binary(Term term, std::size_t& cost);
  void quoted(std::string_view text);
  void string_piece(std::size_t& cost);
  void end_string() {
    if (is_key_) out_.text.append(indent_ == 0 ? ":" : ": ");
    is_key_ = false;
  }
  void append_escaped(std::string_view text);
  void escape(std::uint8_t c);
  void separate(Level& level);
  void new_line(std::size_t depth) {
    if (indent_ == 0) return;
    out_.text.push_back('\n');
    out_.text.append(depth * indent_, ' ');
  }
  bool fail(Term term) {
    failed_ = term;
    return false;
  }

  std::size_t indent_;
  Term value_;  ///< None once it was begun.
  TextOut out_;
  std::vector<Level> levels_;
  // A string that is being written, and the rest of it. A key's colon comes behind it.
  Term string_ = Term::none();
  Bytes bytes_;
  std::string_view left_;
  bool is_key_ = false;
  Term failed_ = Term::none();
  bool fits_ = true;
};

bool Writer::step(Process& p, std::size_t& cost) {
  cost += 4;
  bool good = true;
  if (!string_.is_none()) {
    string_piece(cost);
    good = failed_.is_none();
  } else if (!value_.is_none()) {
    const Term value = value_;
    value_ = Term::none();
    good = one(p, value, cost);
  } else {
    good = next(p, cost);
  }
  if (!good) return false;
  fits_ = out_.settle(p) && levels_.size() <= kMaxDepth;
  return fits_ && (!string_.is_none() || !value_.is_none() || !levels_.empty());
}

void Writer::separate(Level& level) {
  if (!level.empty) out_.text.push_back(',');
  level.empty = false;
  new_line(levels_.size());
}

bool Writer::close(char bracket) {
  const bool empty = levels_.back().empty;
  levels_.pop_back();
  if (!empty) new_line(levels_.size());
  out_.text.push_back(bracket);
  return true;
}

/// Writes the next element of the innermost level, or closes it.
bool Writer::next(Process& p, std::size_t& cost) {
  Level& level = levels_.back();
  if (level.kind == Level::kEntries) return next_entry(p, level, cost);
  if (level.kind == Level::kList) {
    if (!level.rest.is_cons()) return level.rest.is_nil_list() ? close(']') : fail(level.rest);
    separate(level);
    const Term value = level.rest.head();
    level.rest = level.rest.tail();
    return one(p, value, cost);
  }
  const Term keys = flat_map_keys(level.rest);
  if (level.next == tuple_size(keys)) return close('}');
  separate(level);
  value_ = flat_map_value(level.rest, level.next);
  is_key_ = true;
  if (!binary(tuple_at(keys, level.next++), cost)) return false;
  if (!string_.is_none()) return true;
  const Term value = value_;
  value_ = Term::none();
  return one(p, value, cost);
}

/// Moves an entry of a map to the heap or, once all are there, from the heap to the text.
bool Writer::next_entry(Process& p, Level& level, std::size_t& cost) {
  RawVector<Entry>& heap = level.entries->heap;
  cost += 8;
  if (!level.entries->all_there) {
    Term key, value;
    level.entries->all_there = !level.entries->left.next(key, value);
    if (level.entries->all_there || key == atoms::struct_) return true;
    std::string_view text;
    if (!key_text(p, key, level.entries->texts, text, cost)) return false;
    cost += cost_of_bytes(text.size());
    heap.push_back(Entry(text, value));
    std::push_heap(heap.begin(), heap.end(), comes_later);
    return true;
  }
  if (heap.empty()) return close('}');
  separate(level);
  std::pop_heap(heap.begin(), heap.end(), comes_later);
  const Entry entry = heap.back();
  heap.pop_back();
  cost += 8 + cost_of_bytes(entry.size);
  quoted(entry.key());
  out_.text.append(indent_ == 0 ? ":" : ": ");
  value_ = entry.value;
  return true;
}

bool Writer::key_text(Process& p, Term key, KeyTexts& texts, std::string_view& text,
                      std::size_t& cost) {
  if (key.is_atom()) {
    text = text_of(p, key);
    return true;
  }
  if (is_integer(key)) {
    if (give_up_where(is_huge(key), cost)) return true;
    std::string printed;
    integer_print(printed, key);
    text = texts.keep(printed);
    return true;
  }
  if (!is_binary(key)) return fail(key);
  if (give_up_where(binary_bytes(key) > kMostTextAtOnce, cost)) return true;
  Bytes bytes;
  bytes.get(key);
  if (!utf8_valid(bytes.text())) return fail(key);
  text = binary_view(key).is_aligned() ? bytes.text() : texts.keep(bytes.text());
  return true;
}

bool Writer::open_map(Term map) {
  out_.text.push_back('{');
  bool plain = is_flat_map(map);
  if (plain) {
    const Term keys = flat_map_keys(map);
    for (std::size_t i = 0; i < tuple_size(keys) && plain; ++i)
      plain = is_binary(tuple_at(keys, i));
  }
  levels_.push_back({plain ? Level::kFlatMap : Level::kEntries, map, 0, nullptr, true});
  if (!plain) levels_.back().entries = std::make_unique<Entries>(map);
  return true;
}

void Writer::escape(std::uint8_t c) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  const std::size_t named = kNamed.find(static_cast<char>(c));
  out_.text.push_back('\\');
  if (named != std::string_view::npos) {
    out_.text.push_back(kNames[named]);
  } else {
    out_.text.append("u00");
    out_.text.push_back("0123456789abcdef"[c >> 4]);
    out_.text.push_back("0123456789abcdef"[c & 15]);
  }
}

/// Offset of the first byte at or behind `at` that must be escaped: quote, backslash or control.
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

void Writer::append_escaped(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = plain_end(text, at);
    out_.text.append(text.substr(at, end - at));
    if (end < text.size()) escape(static_cast<std::uint8_t>(text[end]));
    at = end + 1;
  }
}

void Writer::quoted(std::string_view text) {
  out_.text.push_back('"');
  append_escaped(text);
  out_.text.push_back('"');
}

/// Writes a string, or begins to write a long one.
bool Writer::binary(Term term, std::size_t& cost) {
  if (!is_binary(term)) return fail(term);
  const bool is_copied = !binary_view(term).is_aligned();
  if (give_up_where(is_copied && binary_bytes(term) > kPoolTextBytes, cost)) return true;
  bytes_.get(term);
  const std::string_view text = bytes_.text();
  if (text.size() >= kStringPiece) {
    left_ = text;
    string_ = term;
    out_.text.push_back('"');
    return true;
  }
  if (!utf8_valid(text)) return fail(term);
  quoted(text);
  end_string();
  return true;
}

/// Up to kStringPiece bytes of the string, whole code points.
void Writer::string_piece(std::size_t& cost) {
  std::size_t size = std::min(left_.size(), kStringPiece);
  while (size < left_.size() && size > kStringPiece - 4 &&
         (static_cast<std::uint8_t>(left_[size]) & 0xC0) == 0x80) {
    --size;
  }
  const std::string_view piece = left_.substr(0, size);
  if (!utf8_valid(piece)) {
    fail(string_);
    return;
  }
  const std::size_t before = out_.text.size();
  append_escaped(piece);
  // Escapes are written one by one.
  cost += cost_of_bytes(size) + (out_.text.size() - before - size) / 3;
  left_.remove_prefix(size);
  if (!left_.empty()) return;
  string_ = Term::none();
  out_.text.push_back('"');
  end_string();
}

/// Writes a value, or opens it.
bool Writer::one(Process& p, Term value, std::size_t& cost) {
  if (value.is_list()) {
    out_.text.push_back('[');
    levels_.push_back({Level::kList, value, 0, nullptr, true});
    return true;
  }
  if (is_map(value)) return open_map(value);
  if (value == atoms::nil) {
    out_.text.append("null");
  } else if (is_bool(value)) {
    out_.text.append(text_of(p, value));
  } else if (value.is_atom()) {
    quoted(text_of(p, value));
  } else if (value.is_float()) {
    char text[kFloatTextMax];
    out_.text.append(text, float_print_short(value.float_value(), text));
    cost += 4;
  } else if (is_integer(value)) {
    // A huge one is for the pool (vm/term/work.h), where it begins anew.
    if (give_up_where(is_huge(value), cost)) return true;
    integer_print(out_.text, value, 10, &cost);
  } else {
    return binary(value, cost);
  }
  return true;
}

}  // namespace

Term prim_json_encode(Process& p, Args args) {
  if (!args[1].is_small() || args[1].small_value() < 0 || args[1].small_value() > 32) {
    return badarg(p);
  }
  return in_slices<Writer>(p, args);
}

}  // namespace quelea
