// Regular expressions, by PCRE2.
//
// A pattern is a value: its source and its option letters. Its compiled form is kept in the
// machine, in a cache that holds kCachedPatterns of them, or kCachedBytes; so a pattern may be
// sent, stored and compared, and nothing has to be freed. Matching is bounded
// (vm/native/regex_match.h): a pattern that backtracks without end raises, and does not hang. Scans
// of long subjects work in slices.
#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/regex_match.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

using regex::Compiled;
using regex::Matcher;

constexpr std::size_t kCachedPatterns = 256;
constexpr std::size_t kCachedBytes = std::size_t{8} << 20;
constexpr std::size_t kMaxPatternBytes = 1 << 20;
/// A longer source is compiled on the pool, and a longer text searched there.
constexpr std::size_t kPoolSourceBytes = 64;
constexpr std::size_t kPoolSubjectBytes = std::size_t{64} << 10;
constexpr std::size_t kGroupsInSlice = 4096;
constexpr std::size_t kBytesInSlice = 256 * 1024;

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
    pattern->last_use = ++uses_;
    bytes_ += pattern->bytes;
    auto [at, is_new] = patterns_.try_emplace(std::move(key));
    if (!is_new) bytes_ -= at->second->bytes;
    at->second = std::move(pattern);
    while (patterns_.size() > kCachedPatterns || (bytes_ > kCachedBytes && patterns_.size() > 1)) {
      drop_oldest_locked();
    }
  }

 private:
  void drop_oldest_locked() {
    auto oldest = patterns_.begin();
    for (auto at = patterns_.begin(); at != patterns_.end(); ++at) {
      if (at->second->last_use < oldest->second->last_use) oldest = at;
    }
    bytes_ -= oldest->second->bytes;
    patterns_.erase(oldest);
  }

  std::mutex lock_;  // guards the rest, `last_use` included
  std::unordered_map<std::string, std::shared_ptr<Compiled>> patterns_;
  std::uint64_t uses_ = 0;
  std::size_t bytes_ = 0;
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
  std::uint32_t all_flags = 0;
  pcre2_pattern_info(compiled->code.get(), PCRE2_INFO_ALLOPTIONS, &all_flags);
  // Verbs and \G speak of where a search began.
  compiled->anchored = (all_flags & PCRE2_ANCHORED) != 0;
  compiled->goes_on = (all_flags & PCRE2_FIRSTLINE) == 0 &&
                      source.find("(*") == std::string_view::npos &&
                      source.find("\\G") == std::string_view::npos;
  std::size_t code_bytes = 0, jit_bytes = 0;
  pcre2_pattern_info(compiled->code.get(), PCRE2_INFO_SIZE, &code_bytes);
  pcre2_pattern_info(compiled->code.get(), PCRE2_INFO_JITSIZE, &jit_bytes);
  compiled->bytes = source.size() + code_bytes + jit_bytes;
  return compiled;
}

/// A pattern as the natives get it: two arguments.
class Pattern {
 public:
  /// Looks it up or compiles it. False: there is none, `raise` says why or leaves for the pool.
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
      // A few letters that say how often make much code.
      const bool may_be_large = source.text().find('{') != std::string_view::npos;
      is_for_pool_ = is_for_pool(p, source.size(), may_be_large ? 0 : kPoolSourceBytes);
      if (is_for_pool_) return false;
      p.charge(static_cast<std::int64_t>(10 + source.size() / 8));
      compiled_ = compile(source.text(), flags, utf, error_);
      if (compiled_ == nullptr) return false;
      cache.add(std::move(key), compiled_);
    }
    return true;
  }
  Term raise(Process& p) const {
    if (is_for_pool_) return p.to_pool();
    if (is_bad_argument()) return badarg(p);
    const Term text = message(p);
    return text.is_none() ? text : fail(p, p.tuple(atom_of(p, "bad_regex"), text, position()));
  }
  bool is_for_pool_now() const { return is_for_pool_; }
  bool is_bad_argument() const { return error_.message.empty(); }
  /// None with system_limit raised where there is no room for it.
  Term message(Process& p) const { return text_term(p, error_.message); }
  Term position() const { return Term::small(static_cast<std::int64_t>(error_.position)); }
  const Compiled& operator*() const { return *compiled_; }
  const Compiled* operator->() const { return compiled_.get(); }

 private:
  std::shared_ptr<Compiled> compiled_;
  CompileError error_;
  bool is_for_pool_ = false;
};

bool is_large_subject(Process& p, Term subject) {
  return is_binary(subject) && is_for_pool(p, binary_bytes(subject), kPoolSubjectBytes);
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

/// One match, in slices where it takes long.
class FirstMatch {
 public:
  FirstMatch(Process& p, const Compiled& pattern, std::string_view subject)
      : p_(p),
        state_(native_state<State>(p)),
        matcher_(p, pattern, subject, state_ != nullptr ? state_->progress.used_ns : 0) {}
  bool find(std::size_t from) {
    return matcher_.find_in_slices(from, state_ != nullptr ? &state_->progress : nullptr);
  }
  bool has_answer() {
    if (matcher_.goes_on_later() || matcher_.gave_up()) return false;
    if (state_ != nullptr) drop_native_state(p_);
    return true;
  }
  /// Comes again, on the pool, or raises.
  Term leave() {
    if (!matcher_.goes_on_later()) {
      if (state_ != nullptr) drop_native_state(p_);
      return matcher_.match_limit();
    }
    if (state_ == nullptr) state_ = make_native_state<State>(p_);
    state_->progress = matcher_.progress();
    return p_.again();
  }
  const Matcher& matcher() const { return matcher_; }

 private:
  struct State : NativeState {
    regex::Progress progress;
  };
  Process& p_;
  State* state_;
  Matcher matcher_;
};

/// The subject of a native that goes on where it was is for the pool, too.
bool is_under_way(Process& p) { return p.native_state != nullptr && !p.on_pool(); }

}  // namespace

Term prim_regex_compile(Process& p, Args args) {
  Pattern pattern;
  if (!pattern.get(p, args)) {
    if (pattern.is_for_pool_now() || pattern.is_bad_argument()) return pattern.raise(p);
    const Term message = pattern.message(p);
    return message.is_none() ? message : error_tuple(p, p.tuple(message, pattern.position()));
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
    const Term text = text_term(p, name);
    if (text.is_none()) return text;
    out.push(p.tuple(text, Term::small(number)));
  }
  return p.tuple(atoms::ok, out.finish(), Term::small(pattern->groups));
}

Term prim_regex_is_match(Process& p, Args args) {
  if (is_under_way(p) || is_large_subject(p, args[2])) return p.to_pool();
  Pattern pattern;
  Bytes subject;
  if (!pattern.get(p, args)) return pattern.raise(p);
  if (!get_subject(p, subject, args[2], *pattern)) return badarg(p);
  FirstMatch first(p, *pattern, subject.text());
  const bool found = first.find(0);
  return first.has_answer() ? make_bool(found) : first.leave();
}

Term prim_regex_run(Process& p, Args args) {
  if (is_under_way(p) || is_large_subject(p, args[2])) return p.to_pool();
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
  FirstMatch first(p, *pattern, subject.text());
  const bool found = first.find(from);
  if (!first.has_answer()) return first.leave();
  return found ? groups_of(p, first.matcher(), args[2], as_strings) : atoms::nil;
}

namespace {

/// A scan between two slices; its root is the list of matches so far, the last first.
struct ScanState : NativeState {
  std::size_t from = 0;
  bool after_empty = false;  ///< The last match was empty and at `from`.
  std::uint64_t used_ns = 0;
};

}  // namespace

Term prim_regex_scan(Process& p, Args args) {
  if (is_large_subject(p, args[2])) return p.to_pool();
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
  Matcher matcher(p, *pattern, subject.text(), state == nullptr ? 0 : state->used_ns);
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
  std::size_t end = first;
  bool after_empty = state != nullptr && state->after_empty;
  std::size_t groups = 0;
  while (found && groups < kGroupsInSlice && end - first <= kBytesInSlice) {
    groups += matcher.count();
    matches = p.cons(groups_of(p, matcher, args[2], as_strings), matches);
    end = matcher.group_end(0);
    after_empty = matcher.group_start(0) == end;
    found = matcher.find_next();
  }
  // What the slice did not come to, or what took too long for it and goes on on the pool.
  if (found || (matcher.gave_up() && !p.on_pool())) {
    if (state == nullptr) state = make_native_state<ScanState>(p);
    state->roots = {matches};
    state->from = end;
    state->after_empty = after_empty;
    state->used_ns = matcher.used_ns();
    p.charge(static_cast<std::int64_t>((end - first) / 16));
    return found ? p.again() : matcher.match_limit();
  }
  if (state != nullptr) drop_native_state(p);
  if (matcher.gave_up()) return matcher.match_limit();
  Term list = Term::nil_list();
  for (; matches.is_cons(); matches = matches.tail()) list = p.cons(matches.head(), list);
  charge_bytes(p, subject.size() - first);
  return list;
}

Term prim_regex_split(Process& p, Args args) {
  if (is_large_subject(p, args[2])) return p.to_pool();
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
  if (matcher.gave_up()) return matcher.match_limit();
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
  if (is_large_subject(p, args[2]) || is_large_subject(p, args[3])) return p.to_pool();
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
  if (matcher.gave_up()) return matcher.match_limit();
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
        out.make_pages_present(piece.text.size());
        out.put_text(piece.text);
      } else if (matcher.took_part(piece.group)) {
        out.put_text(matcher.text(piece.group));
      }
    }
    start = matcher.group_end(0);
    if (is_for_pool(p, out.bit_size() / 8, kPoolTextBytes)) return p.to_pool();
    if (out.bit_size() / 8 > kMaxBinaryBytes) return system_limit(p);
    found = global && matcher.find_next();
  }
  if (global && matcher.gave_up()) return matcher.match_limit();
  out.put_text(subject.text().substr(start));
  charge_bytes(p, 4 * (out.bit_size() / 8));
  return checked(p, out.finish(p));
}

namespace {

struct Escape : BytesLoop {
  using BytesLoop::BytesLoop;
  TextOut out;
  bool fits = true;

  bool step(Process& p, std::size_t& cost) {
    constexpr std::size_t kPiece = 1024;
    constexpr std::string_view kSpecial = ".^$*+?()[]{}\\|-#&~ \t\n\v\f\r";
    for (char c : next_piece(kPiece, cost)) {
      if (kSpecial.find(c) != std::string_view::npos) out.text.push_back('\\');
      out.text.push_back(c);
    }
    cost += kPiece / 8;
    fits = out.settle(p);
    return fits && at < size();
  }
  Term finish(Process& p) { return fits ? out.finish(p) : system_limit(p); }
};

}  // namespace

Term prim_regex_escape(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Escape>(p, args) : badarg(p);
}

}  // namespace quelea
