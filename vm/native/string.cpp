// Natives over strings: graphemes, code points, slices, padding. Searching and splitting are in
// string_search.cpp, case and normal forms in string_case.cpp. All of them work in slices.
#include <utf8proc.h>

#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kGraphemesAStep = 512;

/// A Unicode walk costs more than a copy: one reduction for each 16 bytes.
std::size_t cost_of_text(std::size_t bytes) { return bytes / 2; }

/// A loop over text that costs what it passed.
struct TextLoop : BytesLoop {
  using BytesLoop::BytesLoop;

  std::size_t pass(std::size_t most, std::size_t& cost) {
    const std::size_t before = at;
    const std::size_t passed = pass_graphemes(text(), at, std::min(most, kGraphemesAStep), cost);
    cost += 1 + cost_of_text(at - before);
    return passed;
  }
};

struct GraphemeCount : TextLoop {
  using TextLoop::TextLoop;
  std::int64_t count = 0;

  bool step(Process&, std::size_t& cost) {
    count += static_cast<std::int64_t>(pass(kGraphemesAStep, cost));
    return at < size();
  }
  Term finish(Process&) { return Term::small(count); }
};

struct Graphemes : TextLoop {
  Graphemes(Process& p, Args args) : TextLoop(p, args), out(p) {}
  ListBuilder out;

  bool step(Process& p, std::size_t& cost) {
    if (at >= size()) return false;
    const std::size_t length = first_grapheme(text().substr(at), cost);
    out.push(slice_of(p, whole, at, length));
    at += length;
    cost += 8 + cost_of_text(length);
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

struct CodePoints : TextLoop {
  CodePoints(Process& p, Args args) : TextLoop(p, args), out(p) {}
  ListBuilder out;

  bool step(Process& p, std::size_t& cost) {
    if (at >= size()) return false;
    unsigned length = 0;
    first_code_point(text().substr(at), length);
    out.push(slice_of(p, whole, at, length));
    at += length;
    cost += 8;
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

struct ToCharlist : TextLoop {
  ToCharlist(Process& p, Args args) : TextLoop(p, args), out(p) {}
  ListBuilder out;

  bool step(Process&, std::size_t& cost) {
    if (at >= size()) return false;
    unsigned length = 0;
    const std::int32_t c = first_code_point(text().substr(at), length);
    if (c < 0) return false;
    out.push(Term::small(c));
    at += length;
    cost += 2;
    return true;
  }
  Term finish(Process& p) { return at < size() ? badarg(p) : out.finish(); }
};

struct FromCharlist {
  FromCharlist(Process&, Args args) : rest(args[0]) {}
  Term rest;
  TextOut out;

  bool step(Process& p, std::size_t& cost) {
    if (!rest.is_cons()) return false;
    const Term c = rest.head();
    if (!c.is_small() || !is_scalar_value(c.small_value())) return false;
    utf8_append(out.text, static_cast<std::uint32_t>(c.small_value()));
    rest = rest.tail();
    cost += 2;
    return out.settle(p);
  }
  Term finish(Process& p) {
    if (rest.is_cons() && out.size() > kMaxBinaryBytes) return system_limit(p);
    return rest.is_nil_list() ? out.finish(p) : badarg(p);
  }
};

}  // namespace

Term prim_string_length(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<GraphemeCount>(p, args) : badarg(p);
}
Term prim_string_graphemes(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Graphemes>(p, args) : badarg(p);
}
Term prim_string_codepoints(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<CodePoints>(p, args) : badarg(p);
}
Term prim_string_to_charlist(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<ToCharlist>(p, args) : badarg(p);
}
Term prim_string_from_charlist(Process& p, Args args) { return in_slices<FromCharlist>(p, args); }

Term prim_string_next_grapheme(Process& p, Args args) {
  if (is_large_unaligned(p, args[0])) return p.to_pool();
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  if (s.size() == 0) return atoms::nil;
  return walk_or_leave(p, [&](std::size_t& work) {
    const std::size_t size = first_grapheme(s.text(), work);
    work += cost_of_text(size);
    return p.tuple(slice_of(p, args[0], 0, size), slice_of(p, args[0], size, s.size() - size));
  });
}

namespace {

/// Finds grapheme `start`, and where `length` graphemes from there end. A start from the end needs
/// to know first how many there are.
struct Span : TextLoop {
  Span(Process& p, Args args) : TextLoop(p, args) { get_count(args[1], start); }
  enum Phase { kCount, kStart, kLength };
  std::int64_t start = 0;
  std::int64_t length = 1;
  Phase phase = kCount;
  std::size_t first = 0;

  bool step(Process&, std::size_t& cost) {
    if (phase == kCount && start < 0) {
      counted += static_cast<std::int64_t>(pass(kGraphemesAStep, cost));
      if (at < size()) return true;
      at = 0;
      start += counted;
      if (start < 0 && only_one) return false;
      start = std::max<std::int64_t>(start, 0);
    }
    if (phase == kCount) phase = kStart;
    std::int64_t& left = phase == kStart ? start : length;
    left -= static_cast<std::int64_t>(pass(static_cast<std::size_t>(left), cost));
    if (left > 0 && at < size()) return true;
    if (phase == kLength) return false;
    first = at;
    phase = kLength;
    return true;
  }

 protected:
  bool only_one = false;  ///< A start in front of the text is nothing, not its beginning.

 private:
  std::int64_t counted = 0;
};

struct At : Span {
  At(Process& p, Args args) : Span(p, args) { only_one = true; }
  Term finish(Process& p) {
    return phase == kCount || first >= size() ? atoms::nil : slice_of(p, whole, first, at - first);
  }
};

struct Slice : Span {
  Slice(Process& p, Args args) : Span(p, args) { get_count(args[2], length); }
  Term finish(Process& p) { return slice_of(p, whole, first, at - first); }
};

/// Written from its end on.
struct ReverseText : TextLoop {
  ReverseText(Process& p, Args args) : TextLoop(p, args), result(new_binary(p, size(), &out)) {}
  std::uint8_t* out = nullptr;
  Term result;

  bool step(Process&, std::size_t& cost) {
    if (at >= size() || result.is_none()) return false;
    const std::size_t length = first_grapheme(text().substr(at), cost);
    std::memcpy(out + size() - at - length, text().data() + at, length);
    at += length;
    cost += 1 + cost_of_text(length);
    return true;
  }
  Term finish(Process&) { return result; }
};

/// Counts the graphemes, then writes text and padding in the order wanted. The padding is repeated
/// as often as it takes, the last time perhaps in part.
template <bool kLeading>
struct Pad : TextLoop {
  Pad(Process& p, Args args) : TextLoop(p, args) {
    get_count(args[1], missing);
    padding.get(args[2]);
  }
  enum Phase { kCount, kCountPadding, kPadding, kText };
  Phase phase = kCount;
  Bytes padding;
  std::int64_t missing = 0;
  std::int64_t in_padding = 0;
  std::size_t padding_at = 0;  ///< In the padding, while it is counted or written.
  bool is_short = false, padded = false, copied = false;
  TextOut out;

  bool step(Process& p, std::size_t& cost) {
    if (phase == kCount) {
      missing -= static_cast<std::int64_t>(pass(kGraphemesAStep, cost));
      if (at < size() && missing > 0) return true;
      if (missing <= 0) return false;
      is_short = true;
      at = 0;
      phase = kCountPadding;
      return true;
    }
    if (phase == kCountPadding) return count_padding(cost);
    return phase == kText ? copy_some(p, cost) : pad_some(p, cost);
  }
  Term finish(Process& p) {
    if (!is_short) return whole;
    return padded && copied ? out.finish(p) : system_limit(p);
  }

 private:
  bool count_padding(std::size_t& cost) {
    const std::size_t before = padding_at;
    in_padding += static_cast<std::int64_t>(
        pass_graphemes(padding.text(), padding_at, kGraphemesAStep, cost));
    cost += 1 + cost_of_text(padding_at - before);
    if (padding_at < padding.size()) return true;
    padding_at = 0;
    phase = kLeading ? kPadding : kText;
    const auto times = static_cast<std::size_t>(missing / in_padding);
    return times <= kMaxBinaryBytes / padding.size();
  }
  bool copy_some(Process& p, std::size_t& cost) {
    if (at < size()) return out.put(p, next_piece(4096, cost));
    copied = true;
    phase = kPadding;
    return !padded;
  }
  bool pad_some(Process& p, std::size_t& cost) {
    if (missing == 0) {
      padded = true;
      phase = kText;
      return !copied;
    }
    const std::size_t before = padding_at;
    const std::string_view text = padding.text();
    if (missing >= in_padding) {
      padding_at = std::min(before + kMostTextAtOnce, text.size());
    } else {
      missing -= static_cast<std::int64_t>(pass_graphemes(
          text, padding_at, std::min(static_cast<std::size_t>(missing), kGraphemesAStep), cost));
    }
    const std::string_view piece = text.substr(before, padding_at - before);
    if (padding_at == text.size()) {
      padding_at = 0;
      missing -= in_padding;
    }
    cost += 1 + cost_of_bytes(piece.size());
    return out.put(p, piece);
  }
};

bool is_padding(Args args) {
  std::int64_t wanted = 0;
  return is_binary(args[0]) && get_count(args[1], wanted) && wanted >= 0 && is_binary(args[2]) &&
         binary_bits(args[2]) != 0;
}

}  // namespace

Term prim_string_at(Process& p, Args args) {
  return is_binary(args[0]) && is_integer(args[1]) ? in_slices<At>(p, args) : badarg(p);
}

Term prim_string_slice(Process& p, Args args) {
  std::int64_t length = 0;
  if (!is_binary(args[0]) || !is_integer(args[1]) || !get_count(args[2], length) || length < 0) {
    return badarg(p);
  }
  return in_slices<Slice>(p, args);
}

Term prim_string_reverse(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<ReverseText>(p, args) : badarg(p);
}
Term prim_string_pad_leading(Process& p, Args args) {
  return is_padding(args) ? in_slices<Pad<true>>(p, args) : badarg(p);
}
Term prim_string_pad_trailing(Process& p, Args args) {
  return is_padding(args) ? in_slices<Pad<false>>(p, args) : badarg(p);
}

Term prim_string_repeat(Process& p, Args args) { return prim_binary_copy(p, args); }

namespace {

/// Passes what is well formed; `at` stops at the first byte that is not.
struct WellFormed : BytesLoop {
  using BytesLoop::BytesLoop;

  bool step(Process&, std::size_t& cost) {
    constexpr std::size_t kPiece = 4096;
    const std::size_t before = at;
    const std::string_view piece = next_piece(kPiece, cost);
    const std::size_t good = utf8_valid_prefix(bytes_of(piece), piece.size());
    at = before + good;
    // What the end of the piece cut through begins the next one.
    return good > 0 && at < size();
  }
  bool is_good() const { return at == size(); }
  Term finish(Process&) { return make_bool(is_good()); }
};

struct Printable : BytesLoop {
  using BytesLoop::BytesLoop;
  bool good = true;

  bool step(Process&, std::size_t& cost) {
    if (at >= size()) return false;
    unsigned length = 0;
    const std::int32_t c = first_code_point(text().substr(at), length);
    good = c >= 0 && (is_printable(static_cast<std::uint32_t>(c)) || is_white_space(c));
    at += length;
    cost += 1;
    return good;
  }
  Term finish(Process&) { return make_bool(good); }
};

/// Copies what is well formed and puts something else in the place of each bad byte.
struct Scrub : BytesLoop {
  using BytesLoop::BytesLoop;
  bool changed = false;
  bool fits = true;
  TextOut out;

  bool step(Process& p, std::size_t& cost) {
    constexpr std::size_t kPiece = 4096;
    if (at >= size()) return false;
    const std::size_t before = at;
    std::string_view piece = next_piece(kPiece, cost);
    std::size_t good = utf8_valid_prefix(bytes_of(piece), piece.size());
    at = before + good;
    out.text.append(piece.substr(0, good));
    if (good == 0) {
      changed = true;
      utf8_append(out.text, 0xFFFD);
      ++at;
    }
    fits = out.settle(p);
    return fits;
  }
  Term finish(Process& p) {
    if (!fits) return system_limit(p);
    return changed ? out.finish(p) : whole;
  }
};

/// A grapheme is as wide as the widest code point in it; marks and joiners have none of their own.
struct Width : BytesLoop {
  using BytesLoop::BytesLoop;
  std::int64_t columns = 0;

  bool step(Process&, std::size_t& cost) {
    if (at >= size()) return false;
    const std::size_t end = at + first_grapheme(text().substr(at), cost);
    cost += 2 + cost_of_text(end - at);
    int widest = 0;
    while (at < end) {
      unsigned length = 0;
      const std::int32_t c = first_code_point(text().substr(at), length);
      widest = std::max(widest, c < 0 ? 1 : utf8proc_charwidth(c));
      at += length;
    }
    columns += widest;
    return true;
  }
  Term finish(Process&) { return Term::small(columns); }
};

}  // namespace

Term prelude_is_string(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<WellFormed>(p, args) : atoms::false_;
}
Term prim_string_valid(Process& p, Args args) { return prelude_is_string(p, args); }

Term prim_string_printable(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Printable>(p, args) : badarg(p);
}
Term prim_string_scrub(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Scrub>(p, args) : badarg(p);
}
Term prim_string_width(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Width>(p, args) : badarg(p);
}

// Atoms -----------------------------------------------------------------------------------------
Term prim_atom_to_string(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  return text_term(p, text_of(p, args[0]));
}

Term prim_string_to_atom(Process& p, Args args) {
  if (is_large_text(p, args[0])) return p.to_pool();
  Bytes s;
  if (!s.get(args[0]) || !utf8_valid(s.text())) return badarg(p);
  Term atom = p.vm().atoms().request(s.text());
  return atom.is_none() ? system_limit(p) : atom;
}

Term prim_string_to_existing_atom(Process& p, Args args) {
  if (is_large_text(p, args[0])) return p.to_pool();
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  Term atom = atoms_of(p).find(s.text());
  return atom.is_none() ? atoms::error : ok_tuple(p, atom);
}

}  // namespace quelea
