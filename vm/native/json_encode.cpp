// Writing JSON: compact or indented, keys sorted by bytes, so that equal values give equal text.
//
// Open lists and maps are on a stack of their own. A small map whose keys are all strings is in
// order already (the order of its keys is the order of their bytes); others are sorted here.
#include <algorithm>

#include "vm/native/pool.h"
#include "vm/native/posix.h"
#include "vm/native/text.h"
#include "vm/term/float_text.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxDepth = 100'000;
constexpr std::size_t kMaxBytes = std::size_t{1} << 32;

struct Entry {
  std::string key;
  Term value;
};

/// An open list or map.
struct Level {
  enum Kind { kList, kFlatMap, kEntries };
  Kind kind;
  Term rest;             ///< List: what is left of it. Flat map: the map.
  std::size_t next = 0;  ///< Flat map, entries: the next one.
  std::vector<Entry> entries;
  bool empty = true;
};

class Writer {
 public:
  Writer(Process& p, std::size_t indent) : p_(p), indent_(indent) {}

  /// False with `failed()` or `too_large()` set.
  bool write(Term value);
  std::string& text() { return out_; }
  /// What cannot be written; none when it is too large or too deep.
  Term failed() const { return failed_; }

 private:
  bool one(Term value);
  bool open_map(Term map);
  bool next(Level& level);
  bool key_text(Term key, std::string& text);
  bool string(std::string_view text, Term term);
  void escape(std::uint8_t c);
  void separate(Level& level);
  void new_line(std::size_t depth) {
    if (indent_ == 0) return;
    out_.push_back('\n');
    out_.append(depth * indent_, ' ');
  }
  bool fail(Term term) {
    failed_ = term;
    return false;
  }

  Process& p_;
  std::size_t indent_;
  std::string out_;
  std::vector<Level> levels_;
  Term failed_ = Term::none();
};

bool Writer::write(Term value) {
  if (!one(value)) return false;
  while (!levels_.empty()) {
    if (!next(levels_.back())) return false;
    if (out_.size() > kMaxBytes || levels_.size() > kMaxDepth) return false;
  }
  return true;
}

void Writer::separate(Level& level) {
  if (!level.empty) out_.push_back(',');
  level.empty = false;
  new_line(levels_.size());
}

/// Writes the next element of the innermost level, or closes it.
bool Writer::next(Level& level) {
  auto close = [&](char bracket) {
    const bool empty = level.empty;
    levels_.pop_back();
    if (!empty) new_line(levels_.size());
    out_.push_back(bracket);
    return true;
  };
  Term value = Term::none();
  if (level.kind == Level::kList) {
    if (!level.rest.is_cons()) return level.rest.is_nil_list() ? close(']') : fail(level.rest);
    separate(level);
    value = level.rest.head();
    level.rest = level.rest.tail();
    return one(value);
  }
  if (level.kind == Level::kFlatMap) {
    const Term keys = flat_map_keys(level.rest);
    if (level.next == tuple_size(keys)) return close('}');
    separate(level);
    const Term key = tuple_at(keys, level.next);
    Bytes bytes;
    bytes.get(key);
    if (!string(bytes.text(), key)) return false;
    value = flat_map_value(level.rest, level.next++);
  } else {
    if (level.next == level.entries.size()) return close('}');
    separate(level);
    const Entry& entry = level.entries[level.next++];
    string(entry.key, Term::none());
    value = entry.value;
  }
  out_.append(indent_ == 0 ? ":" : ": ");
  return one(value);
}

bool Writer::key_text(Term key, std::string& text) {
  if (key.is_atom()) {
    text = text_of(p_, key);
    return true;
  }
  if (is_integer(key)) {
    integer_print(text, key);
    return true;
  }
  Bytes bytes;
  if (!bytes.get(key) || !utf8_valid(bytes.text())) return fail(key);
  text = bytes.text();
  return true;
}

bool Writer::open_map(Term map) {
  out_.push_back('{');
  Level level{Level::kFlatMap, map, 0, {}, true};
  bool plain = is_flat_map(map);
  if (plain) {
    const Term keys = flat_map_keys(map);
    for (std::size_t i = 0; i < tuple_size(keys) && plain; ++i)
      plain = is_binary(tuple_at(keys, i));
  }
  if (!plain) {
    level.kind = Level::kEntries;
    level.entries.reserve(map_size(map));
    MapIterator entries(map);
    Entry entry;
    Term key;
    while (entries.next(key, entry.value)) {
      if (key == atoms::struct_) continue;
      entry.key.clear();
      if (!key_text(key, entry.key)) return false;
      level.entries.push_back(entry);
    }
    std::sort(level.entries.begin(), level.entries.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
  }
  levels_.push_back(std::move(level));
  return true;
}

void Writer::escape(std::uint8_t c) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  const std::size_t named = kNamed.find(static_cast<char>(c));
  out_.push_back('\\');
  if (named != std::string_view::npos) {
    out_.push_back(kNames[named]);
  } else {
    out_.append("u00");
    out_.push_back("0123456789abcdef"[c >> 4]);
    out_.push_back("0123456789abcdef"[c & 15]);
  }
}

bool Writer::string(std::string_view text, Term term) {
  if (!term.is_none() && !utf8_valid(text)) return fail(term);
  out_.push_back('"');
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<std::uint8_t>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out_.append(text.substr(start, i - start));
    escape(c);
    start = i + 1;
  }
  out_.append(text.substr(start));
  out_.push_back('"');
  return true;
}

/// Writes a value, or opens it.
bool Writer::one(Term value) {
  if (value.is_list()) {
    out_.push_back('[');
    levels_.push_back({Level::kList, value, 0, {}, true});
    return true;
  }
  if (is_map(value)) return open_map(value);
  if (value == atoms::nil) {
    out_.append("null");
  } else if (value == atoms::true_ || value == atoms::false_) {
    out_.append(text_of(p_, value));
  } else if (value.is_atom()) {
    return string(text_of(p_, value), Term::none());
  } else if (value.is_float()) {
    char text[kFloatTextMax];
    out_.append(text, float_print_short(value.float_value(), text));
  } else if (is_integer(value)) {
    std::size_t work = 0;
    integer_print(out_, value, 10, &work);
    charge_cells(p_, work);
  } else {
    Bytes bytes;
    if (!bytes.get(value)) return fail(value);
    return string(bytes.text(), value);
  }
  return true;
}

}  // namespace

Term prim_json_encode(Process& p, Args args) {
  if (is_large_map(p, args[0])) return p.to_pool();
  if (!args[1].is_small() || args[1].small_value() < 0 || args[1].small_value() > 32) {
    return badarg(p);
  }
  Writer writer(p, static_cast<std::size_t>(args[1].small_value()));
  const bool good = writer.write(args[0]);
  p.charge(static_cast<std::int64_t>(writer.text().size() / 32));
  if (!good) {
    return writer.failed().is_none() ? system_limit(p) : badarg_with(p, writer.failed());
  }
  return checked(p, binary_from_text(p, writer.text()));
}

}  // namespace quelea
