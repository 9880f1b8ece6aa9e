// Natives over strings that search: trim, split, join, replace, contains.
//
// Text and patterns are UTF-8, which may be searched byte by byte: a code point's bytes never occur
// within another's. All of it is done in slices.
#include "vm/native/iodata.h"
#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

/// Cuts off both ends what `kOf` says: white space, or repetitions of a string.
enum class Ends { Leading = 1, Trailing = 2, Both = 3 };

bool cuts(Ends ends, Ends end) { return (static_cast<int>(ends) & static_cast<int>(end)) != 0; }

/// Bytes of the last code point of a non-empty text, with its value.
std::size_t last_code_point(std::string_view text, std::int32_t& c) {
  std::size_t start = text.size() - 1;
  while (start > 0 && text.size() - start < 4 &&
         (static_cast<std::uint8_t>(text[start]) & 0xC0) == 0x80) {
    --start;
  }
  unsigned size = 0;
  c = first_code_point(text.substr(start), size);
  if (size == text.size() - start) return size;
  c = -1;
  return 1;
}

template <Ends kEnds>
struct Trim : BytesLoop {
  Trim(Process& p, Args args) : BytesLoop(p, args), left(text()) {}
  std::string_view left;

  bool step(Process&, std::size_t& cost) {
    ++cost;
    if (left.empty()) return false;
    std::int32_t c = 0;
    if (cuts(kEnds, Ends::Trailing)) {
      const std::size_t last = last_code_point(left, c);
      if (is_white_space(c)) {
        left.remove_suffix(last);
        return true;
      }
    }
    if (cuts(kEnds, Ends::Leading)) {
      unsigned first = 0;
      if (is_white_space(first_code_point(left, first))) {
        left.remove_prefix(first);
        return true;
      }
    }
    return false;
  }
  Term finish(Process& p) { return cut(p, left); }
  Term cut(Process& p, std::string_view rest) {
    if (rest.size() == size()) return whole;
    return slice_of(p, whole,
                    rest.empty() ? 0 : static_cast<std::size_t>(rest.data() - text().data()),
                    rest.size());
  }
};

template <Ends kEnds>
struct TrimText : Trim<kEnds> {
  TrimText(Process& p, Args args) : Trim<kEnds>(p, args) { what.get(args[1]); }
  Bytes what;

  bool step(Process&, std::size_t& cost) {
    std::string_view& left = this->left;
    cost += 1 + cost_of_bytes(what.size());
    if (kEnds == Ends::Leading && left.starts_with(what.text())) {
      left.remove_prefix(what.size());
      return true;
    }
    if (kEnds == Ends::Trailing && left.ends_with(what.text())) {
      left.remove_suffix(what.size());
      return true;
    }
    return false;
  }
};

bool is_text_and_nonempty(Args args) {
  return is_binary(args[0]) && is_binary(args[1]) && binary_bits(args[1]) != 0;
}

}  // namespace

Term prim_string_trim(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Trim<Ends::Both>>(p, args) : badarg(p);
}
Term prim_string_trim_leading_1(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Trim<Ends::Leading>>(p, args) : badarg(p);
}
Term prim_string_trim_trailing_1(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Trim<Ends::Trailing>>(p, args) : badarg(p);
}
Term prim_string_trim_leading_2(Process& p, Args args) {
  return is_text_and_nonempty(args) ? in_slices<TrimText<Ends::Leading>>(p, args) : badarg(p);
}
Term prim_string_trim_trailing_2(Process& p, Args args) {
  return is_text_and_nonempty(args) ? in_slices<TrimText<Ends::Trailing>>(p, args) : badarg(p);
}

namespace {

/// The words between white space.
struct Words : BytesLoop {
  Words(Process& p, Args args) : BytesLoop(p, args), out(p) {}
  ListBuilder out;
  std::size_t start = 0;

  bool step(Process& p, std::size_t& cost) {
    const std::string_view text = this->text();
    const std::size_t stop = std::min(at + 256, text.size());
    cost += 4 + (stop - at) / 4;
    while (at < stop) {
      const auto byte = static_cast<std::uint8_t>(text[at]);
      unsigned length = 1;
      bool space = byte == ' ' || (byte >= 9 && byte <= 13);
      if (byte >= 0x80) {
        // The no-break spaces hold together what is on their sides.
        const std::int32_t c = first_code_point(text.substr(at), length);
        space = is_white_space(c) && c != 0xA0 && c != 0x2007 && c != 0x202F;
      }
      if (space) {
        cut(p, at);
        start = at + length;
      }
      at += length;
    }
    return at < text.size();
  }
  Term finish(Process& p) {
    cut(p, size());
    return out.finish();
  }

 private:
  void cut(Process& p, std::size_t end) {
    if (end > start) out.push(slice_of(p, whole, start, end - start));
  }
};

/// What the two ways to split have in common: at most `parts` of them, 0 being any number.
struct Parts : BytesLoop {
  Parts(Process& p, Args args) : BytesLoop(p, args), out(p) {
    std::int64_t most = 0;
    get_count(args[2], most);
    parts = static_cast<std::size_t>(most);
    get_bool(args[3], trim);
  }
  ListBuilder out;
  std::size_t parts = 0;
  bool trim = false;

  bool may_cut() const { return parts == 0 || out.size() + 1 < parts; }
};

struct ToGraphemes : Parts {
  ToGraphemes(Process& p, Args args) : Parts(p, args) {
    if (!trim && parts != 1) out.push(slice_of(p, whole, 0, 0));
  }
  bool step(Process& p, std::size_t& cost) {
    if (at >= size() || !may_cut()) return false;
    const std::size_t length = first_grapheme(text().substr(at), cost);
    out.push(slice_of(p, whole, at, length));
    at += length;
    cost += 8 + length / 2;
    return true;
  }
  Term finish(Process& p) {
    if (at < size() || !trim) out.push(slice_of(p, whole, at, size() - at));
    return out.finish();
  }
};

struct Split : Parts {
  Split(Process& p, Args args) : Parts(p, args) { search.patterns.get(args[1]); }
  Search search;

  bool step(Process& p, std::size_t& cost) {
    if (search.is_over(text()) || !may_cut()) return false;
    if (const Patterns::Match match = search.next(text(), cost)) {
      if (!trim || match.position > at) out.push(slice_of(p, whole, at, match.position - at));
      at = match.position + match.size;
    }
    return true;
  }
  Term finish(Process& p) {
    if (!trim || at < size()) {
      out.push(at == 0 ? whole : slice_of(p, whole, at, size() - at));
    }
    return out.finish();
  }
};

struct Lines : BytesLoop {
  Lines(Process& p, Args args) : BytesLoop(p, args), out(p) {}
  ListBuilder out;
  std::size_t searched = 0;  ///< There is no newline between `at` and this.

  bool step(Process& p, std::size_t& cost) {
    constexpr std::size_t kPiece = std::size_t{64} << 10;
    const std::string_view text = this->text();
    if (at >= text.size()) return false;
    const std::size_t stop = std::min(searched + kPiece, text.size());
    const std::size_t found = find_bytes(text.substr(0, stop), "\n", searched);
    cost += 8 + cost_of_bytes(std::min(found, stop) - searched);
    const bool is_line = found != std::string_view::npos;
    if (!is_line && stop < text.size()) {
      searched = stop;
      return true;
    }
    std::size_t end = is_line ? found : text.size();
    const std::size_t next = is_line ? found + 1 : text.size();
    if (is_line && end > at && text[end - 1] == '\r') --end;
    out.push(slice_of(p, whole, at, end - at));
    at = searched = next;
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

}  // namespace

Term prim_string_split_1(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Words>(p, args) : badarg(p);
}

Term prim_string_split_4(Process& p, Args args) {
  std::int64_t parts = 0;
  bool trim = false;
  if (!is_binary(args[0]) || !get_count(args[2], parts) || parts < 0 || !get_bool(args[3], trim)) {
    return badarg(p);
  }
  if (is_binary(args[1]) && binary_bits(args[1]) == 0) return in_slices<ToGraphemes>(p, args);
  if (p.native_state == nullptr) {
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!Patterns::are_fine(args[1])) return badarg(p);
  }
  return in_slices<Split>(p, args);
}

Term prim_string_lines(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Lines>(p, args) : badarg(p);
}

namespace {

/// The size is known before any memory is taken: a list may name one large string many times.
struct Join {
  Join(Process&, Args args) : list(args[0]), rest(args[0]) { separator.get(args[1]); }
  Term list;
  Term rest;
  Bytes separator;
  IodataWalk part;
  std::size_t total = 0;
  bool counting = true, good = true, too_large = false;
  Term result = Term::none();
  std::uint8_t* out = nullptr;
  PagesAhead ahead;

  bool step(Process& p, std::size_t& cost) {
    if (!part.is_over()) {
      if (!counting) ahead.reach(out + IodataWalk::kBytesAStep);
      good = counting ? part.count(total, cost) : part.copy(out, cost);
      too_large = total > kMaxBinaryBytes;
      return good && !too_large;
    }
    if (rest.is_cons() && total <= kMaxBinaryBytes) {
      if (rest != list) put(separator.text());
      const Term head = rest.head();
      rest = rest.tail();
      cost += 2;
      if (!is_binary(head) || binary_bits(head) > 8 * kShortBytes) {
        part.start(head);
        return true;
      }
      Bytes bytes;
      bytes.get(head);
      put(bytes.text());
      cost += cost_of_bytes(bytes.size());
      return true;
    }
    too_large = total > kMaxBinaryBytes;
    good = too_large || rest.is_nil_list();
    if (!counting || !good || too_large) return false;
    counting = false;
    rest = list;
    result = new_binary(p, total, &out);
    ahead = PagesAhead(out, total);
    return !result.is_none();
  }
  Term finish(Process& p) {
    if (!good) return badarg(p);
    return too_large ? system_limit(p) : result;
  }

 private:
  static constexpr std::size_t kShortBytes = 4096;
  void put(std::string_view text) {
    if (counting) {
      total += text.size();
      return;
    }
    ahead.reach(out + text.size());
    std::memcpy(out, text.data(), text.size());
    out += text.size();
  }
};

struct Replace : BytesLoop {
  Replace(Process& p, Args args) : BytesLoop(p, args) {
    search.patterns.get(args[1]);
    replacement.get(args[2]);
    get_bool(args[3], global);
  }
  Search search;
  Bytes replacement;
  bool global = false;
  bool changed = false, fits = true;
  Patterns::Match match;  ///< Whose text was not replaced yet.
  std::size_t put = 0;    ///< Of the replacement.
  TextOut out;

  bool step(Process& p, std::size_t& cost) {
    if (match) {
      replace(cost);
    } else if (!search.is_over(text()) && (global || !changed)) {
      match = search.next(text(), cost);
      if (!match) return true;
      changed = true;
      replace(cost);
    } else if (changed && at < size()) {
      out.text.append(next_piece(kPiece, cost));
    } else {
      return false;
    }
    fits = out.settle(p);
    return fits;
  }
  Term finish(Process& p) {
    if (!fits) return system_limit(p);
    return changed ? out.finish(p) : whole;
  }

 private:
  static constexpr std::size_t kPiece = 4096;

  /// The next of what stands before the match, then of what takes its place.
  void replace(std::size_t& cost) {
    out.text.append(next_piece(std::min(match.position - at, kPiece), cost));
    if (at < match.position) return;
    const std::string_view piece = replacement.text().substr(put, kPiece);
    out.text.append(piece);
    put += piece.size();
    cost += cost_of_bytes(piece.size());
    if (put < replacement.size()) return;
    put = 0;
    at = match.position + match.size;
    match = {};
  }
};

/// Looks for patterns, of which none is empty.
struct Contains : BytesLoop {
  Contains(Process& p, Args args) : BytesLoop(p, args) { search.patterns.get(args[1]); }
  Search search;
  Patterns::Match match;

  bool step(Process&, std::size_t& cost) {
    if (search.is_over(text())) return false;
    match = search.next(text(), cost);
    return !match;
  }
  Term finish(Process&) { return make_bool(static_cast<bool>(match)); }
};

struct IndexOf : Contains {
  using Contains::Contains;
  std::int64_t graphemes = 0;

  bool step(Process& p, std::size_t& cost) {
    if (!match) {
      const bool more = Contains::step(p, cost);
      return more || match;
    }
    const std::size_t before = at;
    graphemes +=
        static_cast<std::int64_t>(pass_graphemes(text().substr(0, match.position), at, 512, cost));
    cost += 1 + (at - before) / 2;
    return at < match.position;
  }
  Term finish(Process&) { return match ? Term::small(graphemes) : atoms::nil; }
};

}  // namespace

Term prim_string_join(Process& p, Args args) {
  return is_binary(args[1]) ? in_slices<Join>(p, args) : badarg(p);
}

Term prim_string_replace(Process& p, Args args) {
  if (p.native_state == nullptr) {
    bool global = false;
    if (Patterns::begin_on_pool(p, args[1]) || is_large_unaligned(p, args[2])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1]) || !is_binary(args[2]) ||
        !get_bool(args[3], global)) {
      return badarg(p);
    }
  }
  return in_slices<Replace>(p, args);
}

Term prim_string_contains(Process& p, Args args) {
  if (p.native_state == nullptr) {
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1], true)) return badarg(p);
    if (args[1].is_nil_list()) return atoms::false_;
    if (!Patterns::are_fine(args[1])) return atoms::true_;
  }
  return in_slices<Contains>(p, args);
}

Term prim_string_starts_with(Process& p, Args args) {
  if (is_large_text(p, args[1]) || is_large_unaligned(p, args[0]) ||
      Patterns::begin_on_pool(p, args[1])) {
    return p.to_pool();
  }
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1], true)) return badarg(p);
  for (std::string_view what : patterns.texts()) {
    if (s.text().starts_with(what)) return atoms::true_;
  }
  return atoms::false_;
}

Term prim_string_ends_with(Process& p, Args args) {
  if (is_large_text(p, args[1]) || is_large_unaligned(p, args[0]) ||
      Patterns::begin_on_pool(p, args[1])) {
    return p.to_pool();
  }
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1], true)) return badarg(p);
  for (std::string_view what : patterns.texts()) {
    if (s.text().ends_with(what)) return atoms::true_;
  }
  return atoms::false_;
}

Term prim_string_index_of(Process& p, Args args) {
  if (p.native_state == nullptr) {
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1])) return badarg(p);
  }
  return in_slices<IndexOf>(p, args);
}

}  // namespace quelea
