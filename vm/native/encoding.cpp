// Codecs, in slices: hexadecimal, Base64, percent encoding, records of CSV.
#include <array>

#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/native/slices.h"

namespace quelea {
namespace {

constexpr std::uint8_t kBad = 0xFF;

constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) {
    values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return values;
}();

constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kBase64UrlDigits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::uint8_t, 256> base64_values(const char* digits) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (unsigned i = 0; i < 64; ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kBase64Values = base64_values(kBase64Digits);
constexpr std::array<std::uint8_t, 256> kBase64UrlValues = base64_values(kBase64UrlDigits);

/// Whole groups of Base64 and of hexadecimal digits, too.
constexpr std::size_t kDigitsAStep = 3 * 1024;

/// A codec whose result's size is known before.
struct Recode : BytesLoop {
  Recode(Process& p, Args args, std::size_t result_size)
      : BytesLoop(p, args), result(new_binary(p, result_size, &out)), ahead(out, result_size) {}
  std::uint8_t* out = nullptr;
  Term result;
  PagesAhead ahead;

  /// Each byte is looked up in a table, which takes longer than to copy it.
  std::string_view next_digits(std::size_t most, std::size_t& cost) {
    const std::string_view piece = next_piece(most, cost);
    cost += 2 * cost_of_bytes(piece.size());
    return piece;
  }
};

struct HexEncode : Recode {
  HexEncode(Process& p, Args args) : Recode(p, args, 2 * binary_bytes(args[0])) {}

  bool step(Process&, std::size_t& cost) {
    if (result.is_none()) return false;
    ahead.reach(out + 2 * std::min(kDigitsAStep, size() - at));
    for (char c : next_digits(kDigitsAStep, cost)) {
      const auto byte = static_cast<std::uint8_t>(c);
      *out++ = static_cast<std::uint8_t>("0123456789abcdef"[byte >> 4]);
      *out++ = static_cast<std::uint8_t>("0123456789abcdef"[byte & 15]);
    }
    return at < size();
  }
  Term finish(Process&) { return result; }
};

struct HexDecode : Recode {
  HexDecode(Process& p, Args args) : Recode(p, args, binary_bytes(args[0]) / 2) {}
  bool good = true;

  bool step(Process&, std::size_t& cost) {
    if (result.is_none()) return false;
    const std::string_view piece = next_digits(kDigitsAStep, cost);
    ahead.reach(out + piece.size() / 2);
    for (std::size_t i = 0; i < piece.size(); i += 2) {
      const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(piece[i])];
      const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(piece[i + 1])];
      if (high == kBad || low == kBad) return good = false;
      *out++ = static_cast<std::uint8_t>(high << 4 | low);
    }
    return at < size();
  }
  Term finish(Process& p) {
    if (result.is_none()) return result;
    return good ? ok_tuple(p, result) : atoms::error;
  }
};

struct Base64Encode : Recode {
  Base64Encode(Process& p, Args args) : Recode(p, args, result_size(args)) {
    get_bool(args[1], url);
    get_bool(args[2], padding);
    digits = url ? kBase64UrlDigits : kBase64Digits;
  }
  static std::size_t result_size(Args args) {
    const std::size_t size = binary_bytes(args[0]);
    const std::size_t rest = size % 3;
    return size / 3 * 4 + (rest == 0 ? 0 : args[2] == atoms::true_ ? 4 : rest + 1);
  }
  bool url = false;
  bool padding = false;
  const char* digits;

  bool step(Process&, std::size_t& cost) {
    if (result.is_none()) return false;
    const std::string_view piece = next_digits(kDigitsAStep, cost);
    const std::size_t rest = piece.size() % 3;  // only of the last piece
    ahead.reach(out + piece.size() / 3 * 4);
    const std::uint8_t* in = bytes.data() + at - piece.size();
    const std::uint8_t* end = in + piece.size() - rest;
    auto put = [&](unsigned value) { *out++ = static_cast<std::uint8_t>(digits[value & 63]); };
    for (; in != end; in += 3) {
      const unsigned bits = static_cast<unsigned>(in[0] << 16 | in[1] << 8 | in[2]);
      put(bits >> 18), put(bits >> 12), put(bits >> 6), put(bits);
    }
    if (rest != 0) {
      const unsigned bits = static_cast<unsigned>(in[0] << 16 | (rest == 2 ? in[1] << 8 : 0));
      put(bits >> 18), put(bits >> 12);
      if (rest == 2) put(bits >> 6);
      if (padding) {
        if (rest == 1) *out++ = '=';
        *out++ = '=';
      }
    }
    return at < size();
  }
  Term finish(Process&) { return result; }
};

/// The digits of Base64 without the padding, which fills the last group of four where there is any.
/// False for a number of them that nothing is encoded as.
bool base64_digits(std::string_view& text) {
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return false;
    text.remove_suffix(1);
    if (text.ends_with('=')) text.remove_suffix(1);
  }
  return text.size() % 4 != 1;
}

struct Base64Decode : BytesLoop {
  Base64Decode(Process& p, Args args)
      : BytesLoop(p, args),
        values(args[1] == atoms::true_ ? &kBase64UrlValues : &kBase64Values),
        left(text()) {
    good = base64_digits(left);
    if (good) result = new_binary(p, left.size() / 4 * 3 + (left.size() % 4 * 3) / 4, &out);
  }
  const std::array<std::uint8_t, 256>* values;
  std::string_view left;
  bool good;
  Term result = Term::none();
  std::uint8_t* out = nullptr;
  std::uint32_t bits = 0;
  unsigned count = 0;

  bool step(Process&, std::size_t& cost) {
    if (!good || result.is_none()) return false;
    const std::string_view piece = left.substr(0, kDigitsAStep);
    left.remove_prefix(piece.size());
    cost += 1 + cost_of_bytes(piece.size());
    for (char c : piece) {
      const std::uint8_t value = (*values)[static_cast<std::uint8_t>(c)];
      if (value == kBad) return good = false;
      bits = bits << 6 | value;
      if (++count % 4 == 0) {
        *out++ = static_cast<std::uint8_t>(bits >> 16);
        *out++ = static_cast<std::uint8_t>(bits >> 8);
        *out++ = static_cast<std::uint8_t>(bits);
      }
    }
    return !left.empty();
  }
  Term finish(Process& p) {
    if (!good) return atoms::error;
    if (result.is_none()) return result;
    // What is left over of the last digit must be zero: every binary has one encoding.
    if (count % 4 == 2) {
      if ((bits & 15) != 0) return atoms::error;
      *out++ = static_cast<std::uint8_t>(bits >> 4);
    } else if (count % 4 == 3) {
      if ((bits & 3) != 0) return atoms::error;
      *out++ = static_cast<std::uint8_t>(bits >> 10);
      *out++ = static_cast<std::uint8_t>(bits >> 2);
    }
    return ok_tuple(p, result);
  }
};

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> plain{};
  for (unsigned c = 0; c < 128; ++c) {
    plain[c] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  for (char c : std::string_view("-._~")) plain[static_cast<std::uint8_t>(c)] = true;
  return plain;
}();

/// Text of which most stays as it is; where all does, it is itself the result.
struct Rewrite : BytesLoop {
  using BytesLoop::BytesLoop;
  bool changed = false;
  bool fits = true;
  TextOut out;

  Term rewritten(Process& p) {
    if (!fits) return system_limit(p);
    return changed ? out.finish(p) : whole;
  }
};

struct UriEncode : Rewrite {
  UriEncode(Process& p, Args args) : Rewrite(p, args), plain(kUnreserved) {
    Bytes extra;
    extra.get(args[1]);
    for (char c : extra.text()) plain[static_cast<std::uint8_t>(c)] = true;
  }
  std::array<bool, 256> plain;

  bool step(Process& p, std::size_t& cost) {
    for (char c : next_piece(1024, cost)) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (plain[byte]) {
        out.text.push_back(c);
      } else {
        changed = true;
        out.text.push_back('%');
        out.text.push_back("0123456789ABCDEF"[byte >> 4]);
        out.text.push_back("0123456789ABCDEF"[byte & 15]);
      }
    }
    cost += 192;
    fits = out.settle(p);
    return fits && at < size();
  }
  Term finish(Process& p) { return rewritten(p); }
};

struct UriDecode : Rewrite {
  UriDecode(Process& p, Args args) : Rewrite(p, args), plus_is_space(args[1] == atoms::true_) {}
  bool plus_is_space;
  bool good = true;

  bool step(Process& p, std::size_t& cost) {
    const std::string_view text = this->text();
    const std::size_t stop = std::min(at + 1024, text.size());
    cost += 192 + cost_of_bytes(stop - at);
    while (at < stop) {
      char c = text[at++];
      if (c == '%') {
        const std::string_view digits = text.substr(at, 2);
        if (digits.size() < 2) return good = false;
        const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(digits[0])];
        const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(digits[1])];
        if (high == kBad || low == kBad) return good = false;
        c = static_cast<char>(high << 4 | low);
        at += 2;
        changed = true;
      } else if (c == '+' && plus_is_space) {
        c = ' ';
        changed = true;
      }
      out.text.push_back(c);
    }
    fits = out.settle(p);
    return fits && at < text.size();
  }
  Term finish(Process& p) {
    if (!good) return atoms::error;
    const Term result = rewritten(p);
    return result.is_none() ? result : ok_tuple(p, result);
  }
};

}  // namespace

Term prim_hex_encode(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<HexEncode>(p, args) : badarg(p);
}

Term prim_hex_decode(Process& p, Args args) {
  if (!is_binary(args[0])) return badarg(p);
  return binary_bytes(args[0]) % 2 == 0 ? in_slices<HexDecode>(p, args) : atoms::error;
}

Term prim_base64_encode(Process& p, Args args) {
  bool url = false;
  bool padding = false;
  if (!is_binary(args[0]) || !get_bool(args[1], url) || !get_bool(args[2], padding)) {
    return badarg(p);
  }
  return in_slices<Base64Encode>(p, args);
}

Term prim_base64_decode(Process& p, Args args) {
  bool url = false;
  if (!is_binary(args[0]) || !get_bool(args[1], url)) return badarg(p);
  return in_slices<Base64Decode>(p, args);
}

Term prim_uri_encode(Process& p, Args args) {
  if (!is_binary(args[0]) || !is_binary(args[1])) return badarg(p);
  return in_slices<UriEncode>(p, args);
}

Term prim_uri_decode(Process& p, Args args) {
  bool plus_is_space = false;
  if (!is_binary(args[0]) || !get_bool(args[1], plus_is_space)) return badarg(p);
  return in_slices<UriDecode>(p, args);
}

// CSV -------------------------------------------------------------------------------------------
namespace {

/// Reads the quoted field that starts behind the quote at `at`; doubled quotes stand for one. False
/// when it never ends.
bool read_quoted(std::string_view text, std::size_t& at, char quote, std::string& out) {
  while (true) {
    const std::size_t end = text.find(quote, at);
    if (end == std::string_view::npos) return false;
    out.append(text.substr(at, end - at));
    at = end + 1;
    if (at == text.size() || text[at] != quote) return true;
    out.push_back(quote);
    ++at;
  }
}

}  // namespace

Term prim_csv_row(Process& p, Args args) {
  Bytes b;
  auto is_byte = [](Term t) {
    return t.is_small() && t.small_value() >= 0 && t.small_value() < 256;
  };
  if (is_large_unaligned(p, args[0])) return p.to_pool();
  if (!b.get(args[0]) || !args[1].is_small() || !is_byte(args[2]) || !is_byte(args[3])) {
    return badarg(p);
  }
  const auto start = static_cast<std::size_t>(args[1].small_value());
  if (args[1].small_value() < 0 || start > b.size()) return badarg(p);
  if (start == b.size()) return atoms::nil;
  // A row that does not end in so much of it is for the pool.
  const bool is_part = is_for_pool(p, b.size() - start, kPoolTextBytes);
  const std::string_view text = b.text().substr(0, is_part ? start + kPoolTextBytes : b.size());
  const char separator = static_cast<char>(args[2].small_value());
  const char quote = static_cast<char>(args[3].small_value());
  ListBuilder fields(p);
  std::size_t at = start;
  std::string quoted;
  while (true) {
    if (at < text.size() && text[at] == quote) {
      const std::size_t field = at++;
      quoted.clear();
      const bool is_closed = read_quoted(text, at, quote, quoted);
      if (is_part && (!is_closed || at == text.size())) return p.to_pool();
      if (!is_closed) {
        return error_tuple(p, Term::small(static_cast<std::int64_t>(field)));
      }
      if (!fields.push_made(text_term(p, quoted))) return Term::none();
    } else {
      const std::size_t field = at;
      while (at < text.size() && text[at] != separator && text[at] != '\n' && text[at] != '\r')
        ++at;
      fields.push(slice_of(p, args[0], field, at - field));
    }
    if (is_part && text.size() - at < 2) return p.to_pool();
    if (at == text.size()) break;
    if (text[at] == separator) {
      ++at;
      continue;
    }
    if (text[at] == '\r') {
      ++at;
      if (at < text.size() && text[at] == '\n') ++at;
      break;
    }
    if (text[at] == '\n') {
      ++at;
      break;
    }
    // Something stands between a closing quote and the separator.
    return error_tuple(p, Term::small(static_cast<std::int64_t>(at)));
  }
  charge_bytes(p, at - start + 64 * fields.size());
  return p.tuple(fields.finish(), Term::small(static_cast<std::int64_t>(at)));
}

}  // namespace quelea
