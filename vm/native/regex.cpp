// Regular expressions, by PCRE2.
//
// A pattern is a value: its source and its option letters. Its compiled form is kept in the
// machine, in a cache that holds kCachedPatterns of them; so a pattern may be sent, stored and
// compared, and nothing has to be freed. Matching is bounded by PCRE2's own limits on steps and
// memory: a pattern that backtracks without end raises, and does not hang. Scans of long subjects
// work in slices.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

constexpr std::size_t kCachedPatterns = 256;
constexpr std::size_t kMaxPatternBytes = 1 << 20;
constexpr std::uint32_t kMatchLimit = 10'000'000;
// On a scheduler: steps for one start of a match, starts that are tried first, and what the next
// eight times as many may take.
constexpr std::uint32_t kQuickMatchLimit = 2'000;
constexpr std::size_t kFirstStarts = 128;
constexpr std::uint64_t kQuickNs = 1'000'000;
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;
constexpr std::size_t kMatchesInSlice = 4096;
constexpr std::size_t kBytesInSlice = 256 * 1024;
constexpr std::size_t kMaxBuiltBytes = std::size_t{1} << 33;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Compiled {
  std::unique_ptr<pcre2_code, FreeCode> code;
  bool utf = true;
  std::uint32_t groups = 0;
  std::uint64_t last_use = 0;  ///< RegexCache's.
};

/// Compiled patterns, which many processes may use at once. They are compiled without the lock: two
/// that miss the same one both do, and the later one stays.
class RegexCache {
 public:
  static constexpr unsigned kVmSlot = 3;

  std::shared_ptr<Compiled> find(const std::string& key) {
    std::lock_guard hold(lock_);
    auto at = patterns_.find(key);
    if (at == patterns_.end()) return nullptr;
    at->second->last_use = ++uses_;
    return at->second;
  }
  void add(std::string key, std::shared_ptr<Compiled> pattern) {
    std::lock_guard hold(lock_);
    if (patterns_.size() >= kCachedPatterns) drop_oldest_locked();
    pattern->last_use = ++uses_;
    patterns_.insert_or_assign(std::move(key), std::move(pattern));
  }

 private:
  void drop_oldest_locked() {
    auto oldest = patterns_.begin();
    for (auto at = patterns_.begin(); at != patterns_.end(); ++at) {
      if (at->second->last_use < oldest->second->last_use) oldest = at;
    }
    patterns_.erase(oldest);
  }

  std::mutex lock_;  // guards the rest, `last_use` included
  std::unordered_map<std::string, std::shared_ptr<Compiled>> patterns_;
  std::uint64_t uses_ = 0;
};

struct CompileError {
  std::string message;
  std::size_t position = 0;
};

bool read_letters(std::string_view letters, std::uint32_t& flags, bool& utf) {
  flags = 0;
  utf = true;
  for (char letter : letters) {
    switch (letter) {
      case 'i':
        flags |= PCRE2_CASELESS;
        break;
      case 'm':
        flags |= PCRE2_MULTILINE;
        break;
      case 's':
        flags |= PCRE2_DOTALL;
        break;
      case 'x':
        flags |= PCRE2_EXTENDED;
        break;
      case 'U':
        flags |= PCRE2_UNGREEDY;
        break;
      case 'f':
        flags |= PCRE2_FIRSTLINE;
        break;
      case 'a':
        flags |= PCRE2_ANCHORED;
        break;
      case 'D':
        flags |= PCRE2_DOLLAR_ENDONLY;
        break;
      case 'J':
        flags |= PCRE2_DUPNAMES;
        break;
      case 'u':
        flags |= PCRE2_UCP;
        break;
      case 'b':
        utf = false;
        break;
      default:
        return false;
    }
  }
  if (utf) flags |= PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
  return true;
}

std::shared_ptr<Compiled> compile(std::string_view source, std::uint32_t flags, bool utf,
                                  CompileError& error) {
  int code = 0;
  auto compiled = std::make_shared<Compiled>();
  compiled->utf = utf;
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                                     flags | PCRE2_USE_OFFSET_LIMIT, &code, &error.position,
                                     nullptr));
  if (compiled->code == nullptr) {
    if (code == PCRE2_ERROR_HEAP_FAILED) no_memory();
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(code, message, sizeof message);
    error.message = reinterpret_cast<const char*>(message);
    return nullptr;
  }
  // Without compilation to machine code (no such support, or no memory for it) matching is just
  // slower.
  pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);
  pcre2_pattern_info(compiled->code.get(), PCRE2_INFO_CAPTURECOUNT, &compiled->groups);
  return compiled;
}

/// A pattern as the natives get it: two arguments.
class Pattern {
 public:
  /// Looks it up or compiles it. False: there is none, `raise` says why.
  bool get(Process& p, Args args) {
    Bytes source;
    Bytes letters;
    std::uint32_t flags = 0;
    bool utf = true;
    if (!source.get(args[0]) || !letters.get(args[1]) ||
        !read_letters(letters.text(), flags, utf) || source.size() > kMaxPatternBytes ||
        (utf && !utf8_valid(source.text()))) {
      return false;
    }
    std::string key(letters.text());
    key.push_back('/');
    key.append(source.text());
    auto& cache = p.vm().area<RegexCache>();
    compiled_ = cache.find(key);
    if (compiled_ == nullptr) {
      p.charge(static_cast<std::int64_t>(10 + source.size() / 8));
      compiled_ = compile(source.text(), flags, utf, error_);
      if (compiled_ == nullptr) return false;
      cache.add(std::move(key), compiled_);
    }
    return true;
  }
  Term raise(Process& p) const {
    if (is_bad_argument()) return badarg(p);
    return fail(p, p.tuple(atom_of(p, "bad_regex"), message(p), position()));
  }
  bool is_bad_argument() const { return error_.message.empty(); }
  Term message(Process& p) const { return binary_from_text(p, error_.message); }
  Term position() const { return Term::small(static_cast<std::int64_t>(error_.position)); }
  const Compiled& operator*() const { return *compiled_; }
  const Compiled* operator->() const { return compiled_.get(); }

 private:
  std::shared_ptr<Compiled> compiled_;
  CompileError error_;
};

/// Finds matches in one subject, one after the other.
class Matcher {
 public:
  /// On a scheduler a match gets few steps: what needs more begins anew on the pool.
  Matcher(Process& p, const Compiled& pattern, std::string_view subject)
      : pattern_(pattern),
        subject_(subject),
        is_quick_(!p.on_pool()),
        data_(pcre2_match_data_create_from_pattern(pattern.code.get(), nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (data_ == nullptr || context_ == nullptr) no_memory();
    pcre2_set_match_limit(context_.get(), is_quick_ ? kQuickMatchLimit : kMatchLimit);
    pcre2_set_heap_limit(context_.get(), kHeapLimitKib);
  }

  /// The next match at `from` or behind. False: none, or `gave_up()`.
  ///
  /// PCRE2 counts steps for each place where a match may start, not for all of them. On a scheduler
  /// more and more places are tried, as long as those before say that it does not take long.
  bool find(std::size_t from, std::uint32_t options = 0) {
    if (!is_quick_ || (options & PCRE2_ANCHORED) != 0)
      return find_until(PCRE2_UNSET, from, options);
    const std::size_t all = subject_.size() - from;
    std::uint64_t began_ns = 0;
    for (std::size_t starts = kFirstStarts; starts < all; starts *= 8) {
      if (find_until(from + starts, from, options)) return true;
      if (count_ != PCRE2_ERROR_NOMATCH) return false;
      const std::uint64_t now_ns = Vm::real_monotonic_ns();
      if (began_ns != 0 &&
          (now_ns - began_ns) * std::min<std::size_t>(8, all / starts) > kQuickNs) {
        count_ = PCRE2_ERROR_MATCHLIMIT;
        return false;
      }
      began_ns = now_ns;
    }
    return find_until(PCRE2_UNSET, from, options);
  }
  /// The match after the one found last: an empty one is not found again at the same place.
  bool find_next() {
    const std::size_t end = group_end(0);
    if (group_start(0) < end) return find(end);
    if (find(end, PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED)) return true;
    if (count_ != PCRE2_ERROR_NOMATCH || end >= subject_.size()) return false;
    return find(end + code_point_size(end));
  }
  bool gave_up() const { return count_ <= 0 && count_ != PCRE2_ERROR_NOMATCH; }

  /// Groups up to the last that took part, the whole match included.
  std::size_t count() const { return static_cast<std::size_t>(count_); }
  bool took_part(std::size_t group) const {
    return group < count() && ovector()[2 * group] != PCRE2_UNSET;
  }
  std::size_t group_start(std::size_t group) const { return ovector()[2 * group]; }
  /// With \K in a lookahead a match may start behind its end; it counts as empty.
  std::size_t group_end(std::size_t group) const {
    const std::size_t end = ovector()[2 * group + 1];
    return end < group_start(group) ? group_start(group) : end;
  }
  std::string_view text(std::size_t group) const {
    return subject_.substr(group_start(group), group_end(group) - group_start(group));
  }

 private:
  /// The next match that starts at `from` or behind, up to `last`.
  bool find_until(std::size_t last, std::size_t from, std::uint32_t options) {
    pcre2_set_offset_limit(context_.get(), last);
    if (pattern_.utf) options |= PCRE2_NO_UTF_CHECK;
    const auto* text = reinterpret_cast<PCRE2_SPTR>(subject_.data());
    count_ = pcre2_match(pattern_.code.get(), text, subject_.size(), from, options, data_.get(),
                         context_.get());
    if (count_ == PCRE2_ERROR_JIT_STACKLIMIT) {
      // The interpreter's stack is on the heap and has room for more.
      count_ = pcre2_match(pattern_.code.get(), text, subject_.size(), from, options | PCRE2_NO_JIT,
                           data_.get(), context_.get());
    }
    if (count_ == PCRE2_ERROR_NOMEMORY) no_memory();
    return count_ > 0;
  }

  const PCRE2_SIZE* ovector() const { return pcre2_get_ovector_pointer(data_.get()); }
  std::size_t code_point_size(std::size_t at) const {
    std::size_t size = 1;
    if (!pattern_.utf) return size;
    while (at + size < subject_.size() &&
           (static_cast<std::uint8_t>(subject_[at + size]) & 0xC0) == 0x80) {
      ++size;
    }
    return size;
  }

  const Compiled& pattern_;
  std::string_view subject_;
  bool is_quick_;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data_;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> context_;
  int count_ = PCRE2_ERROR_NOMATCH;
};

/// A match needed too many steps: for a scheduler, or at all.
Term match_limit(Process& p) {
  return p.on_pool() ? fail(p, atom_of(p, "match_limit")) : p.to_pool();
}

/// A subject argument; false for no binary, and for what is not valid UTF-8 where the pattern wants
/// it.
bool get_subject(Process& p, Bytes& subject, Term term, const Compiled& pattern) {
  if (!subject.get(term)) return false;
  charge_bytes(p, subject.size());
  return !pattern.utf || utf8_valid(subject.text());
}

bool get_form(Process& p, Term term, bool& as_strings) {
  as_strings = is_atom_named(p, term, "string");
  return as_strings || is_atom_named(p, term, "index");
}

/// [whole, group 1, …] of the match found.
Term groups_of(Process& p, const Matcher& matcher, Term subject, bool as_strings) {
  ListBuilder out(p);
  for (std::size_t i = 0; i < matcher.count(); ++i) {
    const bool took_part = matcher.took_part(i);
    const std::size_t start = took_part ? matcher.group_start(i) : 0;
    const std::size_t size = took_part ? matcher.text(i).size() : 0;
    if (as_strings) {
      out.push(slice_of(p, subject, start, size));
    } else {
      out.push(p.tuple(Term::small(took_part ? static_cast<std::int64_t>(start) : -1),
                       Term::small(static_cast<std::int64_t>(size))));
    }
  }
  charge_cells(p, 8 * matcher.count());
  return out.finish();
}

}  // namespace

Term prim_regex_compile(Process& p, Args args) {
  Pattern pattern;
  if (!pattern.get(p, args)) {
    if (pattern.is_bad_argument()) return badarg(p);
    return error_tuple(p, p.tuple(pattern.message(p), pattern.position()));
  }
  std::uint32_t count = 0;
  std::uint32_t entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(pattern->code.get(), PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(pattern->code.get(), PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(pattern->code.get(), PCRE2_INFO_NAMETABLE, &table);
  // An entry is the group's number in two bytes, then the name and a zero.
  std::vector<std::pair<unsigned, std::string>> names;
  for (std::uint32_t i = 0; i < count; ++i, table += entry_size) {
    names.emplace_back(static_cast<unsigned>(table[0] << 8 | table[1]),
                       reinterpret_cast<const char*>(table + 2));
  }
  std::sort(names.begin(), names.end());
  ListBuilder out(p);
  for (const auto& [number, name] : names) {
    out.push(p.tuple(binary_from_text(p, name), Term::small(number)));
  }
  return p.tuple(atoms::ok, out.finish(), Term::small(pattern->groups));
}

Term prim_regex_is_match(Process& p, Args args) {
  if (is_large_text(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (!get_subject(p, subject, args[2], *pattern)) return badarg(p);
  Matcher matcher(p, *pattern, subject.text());
  const bool found = matcher.find(0);
  return matcher.gave_up() ? match_limit(p) : make_bool(found);
}

Term prim_regex_run(Process& p, Args args) {
  if (is_large_text(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  std::int64_t start = 0;
  bool as_strings = false;
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (!get_subject(p, subject, args[2], *pattern) || !get_count(args[3], start) || start < 0 ||
      !get_form(p, args[4], as_strings)) {
    return badarg(p);
  }
  const auto from = static_cast<std::size_t>(start);
  if (from > subject.size()) return badarg(p);
  if (pattern->utf && from < subject.size() && (subject.data()[from] & 0xC0) == 0x80) {
    return badarg(p);
  }
  Matcher matcher(p, *pattern, subject.text());
  const bool found = matcher.find(from);
  if (matcher.gave_up()) return match_limit(p);
  return found ? groups_of(p, matcher, args[2], as_strings) : atoms::nil;
}

namespace {

/// A scan between two slices; its root is the list of matches so far, the last first.
struct ScanState : NativeState {
  std::size_t from = 0;
  bool after_empty = false;  ///< The last match was empty and at `from`.
};

}  // namespace

Term prim_regex_scan(Process& p, Args args) {
  if (is_large_text(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  bool as_strings = false;
  auto* state = native_state<ScanState>(p);
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (state == nullptr) {
    if (!get_subject(p, subject, args[2], *pattern) || !get_form(p, args[3], as_strings)) {
      return badarg(p);
    }
  } else {
    subject.get(args[2]);
    get_form(p, args[3], as_strings);
  }
  Matcher matcher(p, *pattern, subject.text());
  Term matches = state == nullptr ? Term::nil_list() : state->roots[0];
  const std::size_t first = state == nullptr ? 0 : state->from;
  // A slice goes on behind the last match of the one before; an empty one there must not be found
  // again.
  bool found = false;
  if (state != nullptr && state->after_empty) {
    found = matcher.find(first, PCRE2_NOTEMPTY_ATSTART);
  } else {
    found = matcher.find(first);
  }
  for (std::size_t n = 1; found; ++n) {
    matches = p.cons(groups_of(p, matcher, args[2], as_strings), matches);
    const std::size_t end = matcher.group_end(0);
    if (n >= kMatchesInSlice || end - first > kBytesInSlice) {
      if (state == nullptr) state = make_native_state<ScanState>(p);
      state->roots = {matches};
      state->from = end;
      state->after_empty = matcher.group_start(0) == end;
      p.charge(static_cast<std::int64_t>((end - first) / 16));
      return p.again();
    }
    found = matcher.find_next();
  }
  if (state != nullptr) drop_native_state(p);
  if (matcher.gave_up()) return match_limit(p);
  Term list = Term::nil_list();
  for (; matches.is_cons(); matches = matches.tail()) list = p.cons(matches.head(), list);
  charge_bytes(p, subject.size() - first);
  return list;
}

Term prim_regex_split(Process& p, Args args) {
  if (is_large_text(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  std::int64_t parts = 0;
  bool trim = false;
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (!get_subject(p, subject, args[2], *pattern) || !get_count(args[3], parts) || parts < 0 ||
      !get_bool(args[4], trim)) {
    return badarg(p);
  }
  Matcher matcher(p, *pattern, subject.text());
  ListBuilder out(p);
  std::size_t start = 0;
  auto put = [&](std::size_t end) {
    if (!trim || end > start) out.push(slice_of(p, args[2], start, end - start));
  };
  auto wants_more = [&] { return parts == 0 || out.size() + 1 < static_cast<std::size_t>(parts); };
  for (bool found = wants_more() && matcher.find(0); found; found = matcher.find_next()) {
    const std::size_t at = matcher.group_start(0);
    const std::size_t end = matcher.group_end(0);
    put(at);
    start = end;
    if (!wants_more()) break;
  }
  if (matcher.gave_up()) return match_limit(p);
  put(subject.size());
  charge_cells(p, 16 * out.size());
  return out.finish();
}

namespace {

/// A piece of a replacement: text, or a group by number.
struct Piece {
  std::string text;
  std::size_t group = SIZE_MAX;
};

std::size_t named_group(const Compiled& pattern, const std::string& name) {
  const int number = pcre2_substring_number_from_name(pattern.code.get(),
                                                      reinterpret_cast<PCRE2_SPTR>(name.c_str()));
  return number < 0 ? SIZE_MAX - 1 : static_cast<std::size_t>(number);
}

/// Takes a replacement apart: `\0` to `\99`, `\g{name}`, `\g{number}`, `\\`.
std::vector<Piece> read_replacement(const Compiled& pattern, std::string_view text) {
  std::vector<Piece> pieces;
  std::string literal;
  auto put_group = [&](std::size_t group) {
    if (!literal.empty()) pieces.push_back({std::move(literal), SIZE_MAX});
    literal.clear();
    pieces.push_back({"", group});
  };
  auto digit = [&](std::size_t at) {
    return at < text.size() && text[at] >= '0' && text[at] <= '9';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      literal.push_back(text[i]);
    } else if (digit(i + 1)) {
      std::size_t number = static_cast<std::size_t>(text[++i] - '0');
      if (digit(i + 1)) number = 10 * number + static_cast<std::size_t>(text[++i] - '0');
      put_group(number);
    } else if (text.substr(i, 3) == "\\g{" && text.find('}', i) != std::string_view::npos) {
      const std::size_t end = text.find('}', i);
      const std::string name(text.substr(i + 3, end - i - 3));
      const bool is_number = !name.empty() && name.size() < 4 &&
                             name.find_first_not_of("0123456789") == std::string::npos;
      put_group(is_number ? static_cast<std::size_t>(std::stoul(name))
                          : named_group(pattern, name));
      i = end;
    } else {
      if (text[i + 1] == '\\') ++i;
      literal.push_back(text[i]);
    }
  }
  if (!literal.empty()) pieces.push_back({std::move(literal), SIZE_MAX});
  return pieces;
}

}  // namespace

Term prim_regex_replace(Process& p, Args args) {
  if (is_large_text(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  Bytes replacement;
  bool global = false;
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (!get_subject(p, subject, args[2], *pattern) || !replacement.get(args[3]) ||
      !get_bool(args[4], global)) {
    return badarg(p);
  }
  Matcher matcher(p, *pattern, subject.text());
  bool found = matcher.find(0);
  if (matcher.gave_up()) return match_limit(p);
  if (!found) return args[2];
  const std::vector<Piece> pieces = read_replacement(*pattern, replacement.text());
  BinaryBuilder out;
  std::size_t start = 0;
  while (found) {
    if (matcher.group_start(0) >= start) {
      out.put_text(subject.text().substr(start, matcher.group_start(0) - start));
    }
    for (const Piece& piece : pieces) {
      if (piece.group == SIZE_MAX) {
        out.put_text(piece.text);
      } else if (matcher.took_part(piece.group)) {
        out.put_text(matcher.text(piece.group));
      }
    }
    start = matcher.group_end(0);
    if (out.bit_size() / 8 > kMaxBuiltBytes) return system_limit(p);
    found = global && matcher.find_next();
  }
  if (global && matcher.gave_up()) return match_limit(p);
  out.put_text(subject.text().substr(start));
  charge_bytes(p, 4 * (out.bit_size() / 8));
  return checked(p, out.finish(p));
}

Term prim_regex_escape(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  std::string out;
  for (char c : s.text()) {
    constexpr std::string_view kSpecial = ".^$*+?()[]{}\\|-#&~ \t\n\v\f\r";
    if (kSpecial.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  charge_bytes(p, 2 * out.size());
  return checked(p, binary_from_text(p, out));
}

}  // namespace quelea
