// Natives over strings that search: trim, split, join, replace, contains.
//
// Text and patterns are UTF-8, which may be searched byte by byte: a code point's bytes never occur
// within another's.
#include "vm/native/list_builder.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxBuiltBytes = std::size_t{1} << 33;

std::size_t leading_white_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    unsigned size = 0;
    if (!is_white_space(first_code_point(text.substr(at), size))) break;
    at += size;
  }
  return at;
}

/// Bytes that stay when white space at the end goes.
std::size_t without_trailing_white_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t start = end - 1;
    while (start > 0 && end - start < 4 &&
           (static_cast<std::uint8_t>(text[start]) & 0xC0) == 0x80) {
      --start;
    }
    unsigned size = 0;
    const std::int32_t c = first_code_point(text.substr(start, end - start), size);
    if (size != end - start || !is_white_space(c)) break;
    end = start;
  }
  return end;
}

Term trim(Process& p, Term string, bool leading, bool trailing) {
  Bytes s;
  if (!s.get(string)) return badarg(p);
  const std::size_t end = trailing ? without_trailing_white_space(s.text()) : s.size();
  const std::size_t start = leading ? leading_white_space(s.text().substr(0, end)) : 0;
  charge_bytes(p, s.size() - (end - start));
  return end - start == s.size() ? string : slice_of(p, string, start, end - start);
}

}  // namespace

Term prim_string_trim(Process& p, Args args) { return trim(p, args[0], true, true); }
Term prim_string_trim_leading_1(Process& p, Args args) { return trim(p, args[0], true, false); }
Term prim_string_trim_trailing_1(Process& p, Args args) { return trim(p, args[0], false, true); }

Term prim_string_trim_leading_2(Process& p, Args args) {
  Bytes s;
  Bytes what;
  if (!s.get(args[0]) || !what.get(args[1]) || what.size() == 0) return badarg(p);
  std::size_t start = 0;
  while (s.text().substr(start).starts_with(what.text())) start += what.size();
  charge_bytes(p, start);
  return start == 0 ? args[0] : slice_of(p, args[0], start, s.size() - start);
}

Term prim_string_trim_trailing_2(Process& p, Args args) {
  Bytes s;
  Bytes what;
  if (!s.get(args[0]) || !what.get(args[1]) || what.size() == 0) return badarg(p);
  std::size_t end = s.size();
  while (s.text().substr(0, end).ends_with(what.text())) end -= what.size();
  charge_bytes(p, s.size() - end);
  return end == s.size() ? args[0] : slice_of(p, args[0], 0, end);
}

Term prim_string_split_1(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  const std::string_view text = s.text();
  ListBuilder out(p);
  std::size_t start = 0;
  std::size_t at = 0;
  auto cut = [&](std::size_t end) {
    if (end > start) out.push(slice_of(p, args[0], start, end - start));
  };
  while (at < text.size()) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    unsigned size = 1;
    bool space = byte == ' ' || (byte >= 9 && byte <= 13);
    if (byte >= 0x80) {
      // The no-break spaces hold together what is on their sides.
      const std::int32_t c = first_code_point(text.substr(at), size);
      space = is_white_space(c) && c != 0xA0 && c != 0x2007 && c != 0x202F;
    }
    if (space) {
      cut(at);
      start = at + size;
    }
    at += size;
  }
  cut(at);
  charge_bytes(p, 4 * text.size());
  return out.finish();
}

namespace {

Term split_to_graphemes(Process& p, Term string, std::string_view text, std::size_t parts,
                        bool trim) {
  ListBuilder out(p);
  if (!trim && parts != 1) out.push(slice_of(p, string, 0, 0));
  std::size_t at = 0;
  while (at < text.size() && (parts == 0 || out.size() + 1 < parts)) {
    const std::size_t size = first_grapheme(text.substr(at));
    out.push(slice_of(p, string, at, size));
    at += size;
  }
  if (at < text.size() || !trim) out.push(slice_of(p, string, at, text.size() - at));
  charge_bytes(p, 16 * text.size());
  return out.finish();
}

}  // namespace

Term prim_string_split_4(Process& p, Args args) {
  Bytes s;
  Patterns patterns;
  std::int64_t parts = 0;
  bool trim = false;
  if (!s.get(args[0]) || !get_count(args[2], parts) || parts < 0 || !get_bool(args[3], trim)) {
    return badarg(p);
  }
  const std::string_view text = s.text();
  if (is_binary(args[1]) && binary_bits(args[1]) == 0) {
    return split_to_graphemes(p, args[0], text, static_cast<std::size_t>(parts), trim);
  }
  if (!patterns.get(args[1])) return badarg(p);
  ListBuilder out(p);
  std::size_t start = 0;
  while (parts == 0 || out.size() + 1 < static_cast<std::size_t>(parts)) {
    const Patterns::Match match = patterns.find(text, start);
    if (!match) break;
    if (!trim || match.position > start)
      out.push(slice_of(p, args[0], start, match.position - start));
    start = match.position + match.size;
  }
  if (!trim || start < text.size()) {
    out.push(start == 0 ? args[0] : slice_of(p, args[0], start, text.size() - start));
  }
  charge_bytes(p, text.size() + 64 * out.size());
  return out.finish();
}

Term prim_string_lines(Process& p, Args args) {
  Bytes s;
  if (!s.get(args[0])) return badarg(p);
  const std::string_view text = s.text();
  ListBuilder out(p);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t found = find_bytes(text, "\n", start);
    const std::size_t next = found == std::string_view::npos ? text.size() : found + 1;
    std::size_t end = found == std::string_view::npos ? text.size() : found;
    if (end < next && end > start && text[end - 1] == '\r') --end;
    out.push(slice_of(p, args[0], start, end - start));
    start = next;
  }
  charge_bytes(p, text.size() + 64 * out.size());
  return out.finish();
}

Term prim_string_join(Process& p, Args args) {
  Bytes separator;
  if (!separator.get(args[1])) return badarg(p);
  // The size is known before any memory is taken: a list may name one large string many times.
  std::size_t total = 0;
  std::size_t work = 0;
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    std::size_t size = 0;
    const Term part = rest.head();
    if (is_binary(part)) {
      size = binary_bytes(part);
    } else if (!iodata_size(part, size, &work)) {
      return badarg(p);
    }
    if (rest.tail().is_cons()) size += separator.size();
    total += size;
    ++work;
    if (total > kMaxBuiltBytes) return system_limit(p);
  }
  if (!rest.is_nil_list()) return badarg(p);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, total, &out);
  if (result.is_none()) return result;
  std::string scratch;
  for (rest = args[0]; rest.is_cons(); rest = rest.tail()) {
    const Term part = rest.head();
    if (is_binary(part)) {
      const BinaryView view = binary_view(part);
      if (view.is_aligned()) {
        std::memcpy(out, view.bytes, view.byte_size());
      } else {
        bits_copy(out, 0, view.bytes, view.bit_offset, view.bit_size);
      }
      out += view.byte_size();
    } else {
      scratch.clear();
      append_iodata(part, scratch);
      std::memcpy(out, scratch.data(), scratch.size());
      out += scratch.size();
    }
    if (rest.tail().is_cons()) {
      std::memcpy(out, separator.data(), separator.size());
      out += separator.size();
    }
  }
  charge_cells(p, work);
  charge_bytes(p, total);
  return result;
}

Term prim_string_replace(Process& p, Args args) {
  Bytes s;
  Bytes replacement;
  Patterns patterns;
  bool global = false;
  if (!s.get(args[0]) || !patterns.get(args[1]) || !replacement.get(args[2]) ||
      !get_bool(args[3], global)) {
    return badarg(p);
  }
  const std::string_view text = s.text();
  Patterns::Match match = patterns.find(text, 0);
  charge_bytes(p, text.size());
  if (!match) return args[0];
  BinaryBuilder out;
  std::size_t start = 0;
  while (match) {
    out.put_text(text.substr(start, match.position - start));
    out.put_text(replacement.text());
    start = match.position + match.size;
    if (out.bit_size() / 8 > kMaxBuiltBytes) return system_limit(p);
    if (!global) break;
    match = patterns.find(text, start);
  }
  out.put_text(text.substr(start));
  charge_bytes(p, out.bit_size() / 8);
  return checked(p, out.finish(p));
}

Term prim_string_contains(Process& p, Args args) {
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1], true)) return badarg(p);
  charge_bytes(p, s.size() * patterns.texts().size());
  for (std::string_view what : patterns.texts()) {
    if (find_bytes(s.text(), what, 0) != std::string_view::npos) return atoms::true_;
  }
  return atoms::false_;
}

Term prim_string_starts_with(Process& p, Args args) {
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1], true)) return badarg(p);
  for (std::string_view what : patterns.texts()) {
    if (s.text().starts_with(what)) return atoms::true_;
  }
  return atoms::false_;
}

Term prim_string_ends_with(Process& p, Args args) {
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1], true)) return badarg(p);
  for (std::string_view what : patterns.texts()) {
    if (s.text().ends_with(what)) return atoms::true_;
  }
  return atoms::false_;
}

Term prim_string_index_of(Process& p, Args args) {
  Bytes s;
  Patterns patterns;
  if (!s.get(args[0]) || !patterns.get(args[1])) return badarg(p);
  const Patterns::Match match = patterns.find(s.text(), 0);
  charge_bytes(p, s.size());
  if (!match) return atoms::nil;
  return Term::small(
      static_cast<std::int64_t>(count_graphemes(s.text().substr(0, match.position))));
}

}  // namespace quelea
