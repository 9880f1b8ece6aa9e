// Natives over binaries of whole bytes.
#include "vm/native/list_builder.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

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

namespace {

struct FindFirst : BytesLoop {
  FindFirst(Process& p, Args args) : BytesLoop(p, args) {
    search.patterns.get(args[1]);
    search.from = static_cast<std::size_t>(args[2].small_value());
  }
  Search search;
  Patterns::Match match;

  bool step(Process&, std::size_t& cost) {
    if (search.is_over(text())) return false;
    match = search.next(text(), cost);
    return !match;
  }
  Term finish(Process& p) { return match ? match_tuple(p, match) : atoms::nil; }
};

struct FindAll : BytesLoop {
  FindAll(Process& p, Args args) : BytesLoop(p, args), out(p) { search.patterns.get(args[1]); }
  Search search;
  ListBuilder out;

  bool step(Process& p, std::size_t& cost) {
    if (search.is_over(text())) return false;
    if (const Patterns::Match match = search.next(text(), cost)) out.push(match_tuple(p, match));
    return true;
  }
  Term finish(Process&) { return out.finish(); }
};

struct SplitBytes : BytesLoop {
  SplitBytes(Process& p, Args args) : BytesLoop(p, args), out(p) {
    search.patterns.get(args[1]);
    get_bool(args[2], global);
  }
  Search search;
  bool global = false;
  ListBuilder out;

  bool step(Process& p, std::size_t& cost) {
    if (search.is_over(text()) || (!global && out.size() > 0)) return false;
    if (const Patterns::Match match = search.next(text(), cost)) {
      out.push(slice_of(p, whole, at, match.position - at));
      at = match.position + match.size;
    }
    return true;
  }
  Term finish(Process& p) {
    out.push(at == 0 ? whole : slice_of(p, whole, at, size() - at));
    return out.finish();
  }
};

/// From its end on.
struct ToList : BytesLoop {
  ToList(Process& p, Args args) : BytesLoop(p, args), left(size()) {}
  std::size_t left;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    if (left == 0) return false;
    list = p.cons(Term::small(bytes.data()[--left]), list);
    ++cost;
    return true;
  }
  Term finish(Process&) { return list; }
};

/// The bytes over and over, in pieces of 64 KB at most.
struct Copies : BytesLoop {
  Copies(Process& p, Args args) : BytesLoop(p, args) {
    std::int64_t count = 0;
    get_count(args[1], count);
    total = static_cast<std::size_t>(count) * size();
    result = new_binary(p, total, &out);
    ahead = PagesAhead(out, total);
  }
  std::size_t total = 0;
  std::size_t done = 0;
  std::uint8_t* out = nullptr;
  Term result;
  PagesAhead ahead;

  bool step(Process&, std::size_t& cost) {
    constexpr std::size_t kPiece = std::size_t{64} << 10;
    if (done == total || result.is_none()) return false;
    ahead.reach(out + std::min(done + kPiece, total));
    if (done < size()) {
      const std::string_view piece = next_piece(kPiece, cost);
      std::memcpy(out + done, piece.data(), piece.size());
      done += piece.size();
      return true;
    }
    // What is there doubles until it is large; a whole number of times the bytes is repeated.
    const std::size_t unit = std::min(done, std::max(kPiece - kPiece % size(), size()));
    const std::size_t from = unit <= kPiece ? 0 : done % size();
    const std::size_t now = std::min({total - done, unit - from, kPiece});
    std::memcpy(out + done, out + from, now);
    done += now;
    cost += 1 + cost_of_bytes(now);
    return true;
  }
  Term finish(Process&) { return result; }
};

struct CommonPrefix {
  CommonPrefix(Process&, Args args) : rest(args[0].tail()) {
    first.get(args[0].head());
    common = first.size();
  }
  Term rest;
  Bytes first;
  Bytes next;  ///< The one that is compared, up to `at`.
  std::size_t at = 0;
  std::size_t common = 0;
  bool good = true;

  bool step(Process&, std::size_t& cost) {
    constexpr std::size_t kPiece = std::size_t{64} << 10;
    if (at == 0 && (!rest.is_cons() || !(good = next.get(rest.head())))) return false;
    const std::size_t end = std::min({common, next.size(), at + kPiece});
    const std::size_t before = at;
    while (at < end && first.data()[at] == next.data()[at]) ++at;
    cost += 1 + cost_of_bytes(at - before);
    if (at == before + kPiece) return true;
    common = std::min(common, at);
    at = 0;
    rest = rest.tail();
    return true;
  }
  Term finish(Process& p) {
    if (!good || !rest.is_nil_list()) return badarg(p);
    return Term::small(static_cast<std::int64_t>(common));
  }
};

}  // namespace

Term prim_binary_match(Process& p, Args args) {
  if (p.native_state == nullptr) {
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1]) || !args[2].is_small() ||
        args[2].small_value() < 0 ||
        static_cast<std::size_t>(args[2].small_value()) > binary_bytes(args[0])) {
      return badarg(p);
    }
  }
  return in_slices<FindFirst>(p, args);
}

Term prim_binary_matches(Process& p, Args args) {
  if (p.native_state == nullptr) {
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1])) return badarg(p);
  }
  return in_slices<FindAll>(p, args);
}

Term prim_binary_split(Process& p, Args args) {
  if (p.native_state == nullptr) {
    bool global = false;
    if (Patterns::begin_on_pool(p, args[1])) return p.to_pool();
    if (!is_binary(args[0]) || !Patterns::are_fine(args[1]) || !get_bool(args[2], global)) {
      return badarg(p);
    }
  }
  return in_slices<SplitBytes>(p, args);
}

Term prim_binary_replace(Process& p, Args args) { return prim_string_replace(p, args); }

Term prim_binary_to_list(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<ToList>(p, args) : badarg(p);
}

Term prim_binary_copy(Process& p, Args args) {
  std::int64_t count = 0;
  if (!is_binary(args[0]) || !get_count(args[1], count) || count < 0) return badarg(p);
  const std::size_t size = binary_bytes(args[0]);
  if (size != 0 && static_cast<std::size_t>(count) > kMaxBinaryBytes / size) return system_limit(p);
  return in_slices<Copies>(p, args);
}

Term prim_binary_common_prefix(Process& p, Args args) {
  if (!args[0].is_cons() || !is_binary(args[0].head())) return badarg(p);
  return in_slices<CommonPrefix>(p, args);
}

}  // namespace quelea
