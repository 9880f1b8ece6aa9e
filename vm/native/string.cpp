// Natives over strings: graphemes, code points, slices, padding. Searching and splitting are in
// string_search.cpp, case and normal forms in string_case.cpp.
#include <utf8proc.h>

#include "vm/native/list_builder.h"
#include "vm/native/text.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxBuiltBytes = std::size_t{1} << 32;

/// A Unicode walk costs more than a copy: one reduction for each 16 bytes.
void charge_text(Process& p, std::size_t bytes) { p.charge(static_cast<std::int64_t>(bytes / 16)); }

}  // namespace

Term prim_string_length(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, s.size());
  return Term::small(static_cast<std::int64_t>(count_graphemes(s.text())));
}

Term prim_string_graphemes(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, 4 * s.size());
  ListBuilder out(p);
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t size = first_grapheme(s.text().substr(at));
    out.push(slice_of(p, args[0], at, size));
    at += size;
  }
  return out.finish();
}

Term prim_string_next_grapheme(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  if (s.size() == 0) return atoms::nil;
  const std::size_t size = first_grapheme(s.text());
  charge_text(p, size);
  return p.tuple(slice_of(p, args[0], 0, size), slice_of(p, args[0], size, s.size() - size));
}

Term prim_string_codepoints(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, 4 * s.size());
  ListBuilder out(p);
  for (std::size_t at = 0; at < s.size();) {
    unsigned size = 0;
    first_code_point(s.text().substr(at), size);
    out.push(slice_of(p, args[0], at, size));
    at += size;
  }
  return out.finish();
}

Term prim_string_to_charlist(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, 2 * s.size());
  ListBuilder out(p);
  for (std::size_t at = 0; at < s.size();) {
    unsigned size = 0;
    const std::int32_t c = first_code_point(s.text().substr(at), size);
    if (c < 0) return badarg(p);
    out.push(Term::small(c));
    at += size;
  }
  return out.finish();
}

Term prim_string_from_charlist(Process& p, Args args) {
  std::string out;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    const Term c = rest.head();
    if (!c.is_small() || !is_scalar_value(c.small_value())) return badarg(p);
    utf8_append(out, static_cast<std::uint32_t>(c.small_value()));
  }
  if (!rest.is_nil_list()) return badarg(p);
  charge_text(p, 2 * out.size());
  return checked(p, binary_from_text(p, out));
}

namespace {

/// An index from the end becomes one from the start; false when it lies in front of the text.
bool from_start(std::string_view text, std::int64_t& index) {
  if (index >= 0) return true;
  index += static_cast<std::int64_t>(count_graphemes(text));
  return index >= 0;
}

}  // namespace

Term prim_string_at(Process& p, Args args) {
  Bytes s;
  std::int64_t index = 0;
  if (!s.get(args[0]) || !get_count(args[1], index)) return badarg(p);
  charge_text(p, s.size());
  if (!from_start(s.text(), index)) return atoms::nil;
  const std::size_t at = grapheme_offset(s.text(), static_cast<std::size_t>(index));
  if (at >= s.size()) return atoms::nil;
  return slice_of(p, args[0], at, first_grapheme(s.text().substr(at)));
}

Term prim_string_slice(Process& p, Args args) {
  Bytes s;
  std::int64_t start = 0;
  std::int64_t length = 0;
  if (!s.get(args[0]) || !get_count(args[1], start) || !get_count(args[2], length) || length < 0) {
    return badarg(p);
  }
  charge_text(p, s.size());
  if (!from_start(s.text(), start)) start = 0;
  const std::size_t at = grapheme_offset(s.text(), static_cast<std::size_t>(start));
  const std::size_t size = grapheme_offset(s.text().substr(at), static_cast<std::size_t>(length));
  return slice_of(p, args[0], at, size);
}

Term prim_string_reverse(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, 2 * s.size());
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, s.size(), &out);
  if (result.is_none()) return result;
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t size = first_grapheme(s.text().substr(at));
    std::memcpy(out + s.size() - at - size, s.data() + at, size);
    at += size;
  }
  return result;
}

namespace {

/// `count` graphemes of padding, repeated as often as it takes.
bool make_padding(std::string& out, std::string_view padding, std::size_t count,
                  std::size_t limit) {
  const std::size_t in_one = count_graphemes(padding);
  if (count / in_one > limit / padding.size()) return false;
  for (std::size_t i = 0; i < count / in_one; ++i) out.append(padding);
  out.append(padding.substr(0, grapheme_offset(padding, count % in_one)));
  return true;
}

Term pad(Process& p, Args args, bool leading) {
  Bytes s;
  Bytes padding;
  std::int64_t wanted = 0;
  if (!s.get(args[0]) || !get_count(args[1], wanted) || wanted < 0 || !padding.get(args[2]) ||
      padding.size() == 0) {
    return badarg(p);
  }
  charge_text(p, s.size());
  const std::size_t have = count_graphemes(s.text());
  if (static_cast<std::size_t>(wanted) <= have) return args[0];
  std::string out;
  if (!leading) out.append(s.text());
  if (!make_padding(out, padding.text(), static_cast<std::size_t>(wanted) - have, kMaxBuiltBytes)) {
    return system_limit(p);
  }
  if (leading) out.append(s.text());
  charge_bytes(p, out.size());
  return checked(p, binary_from_text(p, out));
}

}  // namespace

Term prim_string_pad_leading(Process& p, Args args) { return pad(p, args, true); }
Term prim_string_pad_trailing(Process& p, Args args) { return pad(p, args, false); }

Term prim_string_repeat(Process& p, Args args) { return prim_binary_copy(p, args); }

Term prim_string_valid(Process& p, Args args) { return prelude_is_string(p, args); }

Term prim_string_printable(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, s.size());
  for (std::size_t at = 0; at < s.size();) {
    unsigned size = 0;
    const std::int32_t c = first_code_point(s.text().substr(at), size);
    if (c < 0 || !(is_printable(static_cast<std::uint32_t>(c)) || is_white_space(c))) {
      return atoms::false_;
    }
    at += size;
  }
  return atoms::true_;
}

Term prim_string_scrub(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, s.size());
  std::string_view rest = s.text();
  std::size_t good = utf8_valid_prefix(bytes_of(rest), rest.size());
  if (good == rest.size()) return args[0];
  std::string out;
  while (true) {
    out.append(rest.substr(0, good));
    rest.remove_prefix(good);
    if (rest.empty()) break;
    utf8_append(out, 0xFFFD);
    rest.remove_prefix(1);
    good = utf8_valid_prefix(bytes_of(rest), rest.size());
  }
  return checked(p, binary_from_text(p, out));
}

Term prim_string_width(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  charge_text(p, s.size());
  std::int64_t columns = 0;
  for (std::size_t at = 0; at < s.size();) {
    // A grapheme is as wide as the widest code point in it; marks and joiners have none of their
    // own.
    const std::size_t end = at + first_grapheme(s.text().substr(at));
    int widest = 0;
    while (at < end) {
      unsigned size = 0;
      const std::int32_t c = first_code_point(s.text().substr(at), size);
      const int width = c < 0 ? 1 : utf8proc_charwidth(c);
      if (width > widest) widest = width;
      at += size;
    }
    columns += widest;
  }
  return Term::small(columns);
}

// Atoms -----------------------------------------------------------------------------------------
Term prim_atom_to_string(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  return checked(p, binary_from_text(p, text_of(p, args[0])));
}

Term prim_string_to_atom(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0]) || !utf8_valid(s.text())) return badarg(p);
  Term atom = p.vm().atoms().intern(s.text());
  return atom.is_none() ? system_limit(p) : atom;
}

Term prim_string_to_existing_atom(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  Term atom = atoms_of(p).find(s.text());
  return atom.is_none() ? atoms::error : ok_tuple(p, atom);
}

}  // namespace quelea
