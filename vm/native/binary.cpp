// Natives over binaries of whole bytes.
#include "vm/native/list_builder.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxBuiltBytes = std::size_t{1} << 33;

Term match_tuple(Process& p, Patterns::Match match) {
  return p.tuple(Term::small(static_cast<std::int64_t>(match.position)),
                 Term::small(static_cast<std::int64_t>(match.size)));
}

}  // namespace

Term prim_binary_part(Process& p, Args args) {
  std::int64_t start = 0;
  std::int64_t length = 0;
  if (!is_binary(args[0]) || !get_count(args[1], start) || !get_count(args[2], length)) {
    return badarg(p);
  }
  const auto size = static_cast<std::int64_t>(binary_bytes(args[0]));
  if (start < 0 || start > size || length > size - start || length < -start) return badarg(p);
  if (length < 0) {
    start += length;
    length = -length;
  }
  return slice_of(p, args[0], static_cast<std::size_t>(start), static_cast<std::size_t>(length));
}

Term prim_binary_at(Process& p, Args args) {
  if (!is_binary(args[0]) || !args[1].is_small()) return badarg(p);
  const auto index = static_cast<std::size_t>(args[1].small_value());
  if (index >= binary_bytes(args[0])) return badarg(p);
  return Term::small(static_cast<std::int64_t>(bits_read_word(binary_view(args[0]), 8 * index, 8)));
}

Term prim_binary_match(Process& p, Args args) {
  Bytes b;
  Patterns patterns;
  std::int64_t start = 0;
  if (!b.get(args[0]) || !patterns.get(args[1]) || !get_count(args[2], start) || start < 0 ||
      static_cast<std::size_t>(start) > b.size()) {
    return badarg(p);
  }
  const Patterns::Match match = patterns.find(b.text(), static_cast<std::size_t>(start));
  charge_bytes(p, (match ? match.position : b.size()) - static_cast<std::size_t>(start));
  return match ? match_tuple(p, match) : atoms::nil;
}

Term prim_binary_matches(Process& p, Args args) {
  Bytes b;
  Patterns patterns;
  if (!b.get(args[0]) || !patterns.get(args[1])) return badarg(p);
  ListBuilder out(p);
  for (std::size_t at = 0;;) {
    const Patterns::Match match = patterns.find(b.text(), at);
    if (!match) break;
    out.push(match_tuple(p, match));
    at = match.position + match.size;
  }
  charge_bytes(p, b.size() + 64 * out.size());
  return out.finish();
}

Term prim_binary_split(Process& p, Args args) {
  Bytes b;
  Patterns patterns;
  bool global = false;
  if (!b.get(args[0]) || !patterns.get(args[1]) || !get_bool(args[2], global)) return badarg(p);
  ListBuilder out(p);
  std::size_t start = 0;
  while (global || out.size() == 0) {
    const Patterns::Match match = patterns.find(b.text(), start);
    if (!match) break;
    out.push(slice_of(p, args[0], start, match.position - start));
    start = match.position + match.size;
  }
  out.push(start == 0 ? args[0] : slice_of(p, args[0], start, b.size() - start));
  charge_bytes(p, b.size() + 64 * out.size());
  return out.finish();
}

Term prim_binary_replace(Process& p, Args args) { return prim_string_replace(p, args); }

Term prim_binary_to_list(Process& p, Args args) {
  Bytes b;
  if (!b.get(args[0])) return badarg(p);
  Term list = Term::nil_list();
  for (std::size_t i = b.size(); i > 0; --i) list = p.cons(Term::small(b.data()[i - 1]), list);
  charge_cells(p, b.size());
  return list;
}

Term prim_binary_copy(Process& p, Args args) {
  Bytes b;
  std::int64_t count = 0;
  if (!b.get(args[0]) || !get_count(args[1], count) || count < 0) return badarg(p);
  if (count == 1) return binary_copy(p, args[0]);
  const auto n = static_cast<std::size_t>(count);
  if (b.size() != 0 && n > kMaxBuiltBytes / b.size()) return system_limit(p);
  std::uint8_t* out = nullptr;
  const std::size_t total = n * b.size();
  Term result = new_binary(p, total, &out);
  if (result.is_none()) return result;
  if (b.size() == 1) {
    std::memset(out, b.data()[0], total);
  } else if (total > 0) {
    // Doubles what is there.
    std::memcpy(out, b.data(), b.size());
    for (std::size_t done = b.size(); done < total;) {
      const std::size_t now = done < total - done ? done : total - done;
      std::memcpy(out + done, out, now);
      done += now;
    }
  }
  charge_bytes(p, total);
  return result;
}

Term prim_binary_common_prefix(Process& p, Args args) {
  Bytes first;
  if (!args[0].is_cons() || !first.get(args[0].head())) return badarg(p);
  std::size_t common = first.size();
  std::size_t work = 0;
  Term rest = args[0].tail();
  for (; rest.is_cons(); rest = rest.tail()) {
    Bytes next;
    if (!next.get(rest.head())) return badarg(p);
    std::size_t i = 0;
    const std::size_t end = common < next.size() ? common : next.size();
    while (i < end && first.data()[i] == next.data()[i]) ++i;
    common = i;
    work += 8 + i;
  }
  charge_bytes(p, work);
  if (!rest.is_nil_list()) return badarg(p);
  return Term::small(static_cast<std::int64_t>(common));
}

}  // namespace quelea
