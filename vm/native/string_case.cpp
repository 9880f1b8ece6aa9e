// Natives over strings: case and normal forms.
//
// utf8proc maps a code point to one code point. Unicode's unconditional mappings to several (`ß` to
// `SS`) are in the table here, from SpecialCasing.txt.
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "vm/base/raw_vector.h"
#include "vm/native/slices.h"
#include "vm/native/text.h"

namespace quelea {
namespace {

struct SpecialCase {
  std::uint16_t code_point;
  std::uint16_t upper[3];
  std::uint16_t
      title[3];  ///< All zero: as utf8proc has it, or, where that changes nothing, as upper.
};

// Sorted by code point. The Greek letters with iota subscript (1F80 to 1FAF) follow a rule, see
// below.
constexpr SpecialCase kSpecialCases[] = {
    {0x00DF, {0x53, 0x53}, {0x53, 0x73}},
    {0x0149, {0x2BC, 0x4E}, {0x2BC, 0x4E}},
    {0x01F0, {0x4A, 0x30C}, {0x4A, 0x30C}},
    {0x0390, {0x399, 0x308, 0x301}, {0x399, 0x308, 0x301}},
    {0x03B0, {0x3A5, 0x308, 0x301}, {0x3A5, 0x308, 0x301}},
    {0x0587, {0x535, 0x552}, {0x535, 0x582}},
    {0x1E96, {0x48, 0x331}, {0x48, 0x331}},
    {0x1E97, {0x54, 0x308}, {0x54, 0x308}},
    {0x1E98, {0x57, 0x30A}, {0x57, 0x30A}},
    {0x1E99, {0x59, 0x30A}, {0x59, 0x30A}},
    {0x1E9A, {0x41, 0x2BE}, {0x41, 0x2BE}},
    {0x1F50, {0x3A5, 0x313}, {0x3A5, 0x313}},
    {0x1F52, {0x3A5, 0x313, 0x300}, {0x3A5, 0x313, 0x300}},
    {0x1F54, {0x3A5, 0x313, 0x301}, {0x3A5, 0x313, 0x301}},
    {0x1F56, {0x3A5, 0x313, 0x342}, {0x3A5, 0x313, 0x342}},
    {0x1FB2, {0x1FBA, 0x399}, {0x1FBA, 0x345}},
    {0x1FB3, {0x391, 0x399}, {0x1FBC}},
    {0x1FB4, {0x386, 0x399}, {0x386, 0x345}},
    {0x1FB6, {0x391, 0x342}, {0x391, 0x342}},
    {0x1FB7, {0x391, 0x342, 0x399}, {0x391, 0x342, 0x345}},
    {0x1FBC, {0x391, 0x399}, {0x1FBC}},
    {0x1FC2, {0x1FCA, 0x399}, {0x1FCA, 0x345}},
    {0x1FC3, {0x397, 0x399}, {0x1FCC}},
    {0x1FC4, {0x389, 0x399}, {0x389, 0x345}},
    {0x1FC6, {0x397, 0x342}, {0x397, 0x342}},
    {0x1FC7, {0x397, 0x342, 0x399}, {0x397, 0x342, 0x345}},
    {0x1FCC, {0x397, 0x399}, {0x1FCC}},
    {0x1FD2, {0x399, 0x308, 0x300}, {0x399, 0x308, 0x300}},
    {0x1FD3, {0x399, 0x308, 0x301}, {0x399, 0x308, 0x301}},
    {0x1FD6, {0x399, 0x342}, {0x399, 0x342}},
    {0x1FD7, {0x399, 0x308, 0x342}, {0x399, 0x308, 0x342}},
    {0x1FE2, {0x3A5, 0x308, 0x300}, {0x3A5, 0x308, 0x300}},
    {0x1FE3, {0x3A5, 0x308, 0x301}, {0x3A5, 0x308, 0x301}},
    {0x1FE4, {0x3A1, 0x313}, {0x3A1, 0x313}},
    {0x1FE6, {0x3A5, 0x342}, {0x3A5, 0x342}},
    {0x1FE7, {0x3A5, 0x308, 0x342}, {0x3A5, 0x308, 0x342}},
    {0x1FF2, {0x1FFA, 0x399}, {0x1FFA, 0x345}},
    {0x1FF3, {0x3A9, 0x399}, {0x1FFC}},
    {0x1FF4, {0x38F, 0x399}, {0x38F, 0x345}},
    {0x1FF6, {0x3A9, 0x342}, {0x3A9, 0x342}},
    {0x1FF7, {0x3A9, 0x342, 0x399}, {0x3A9, 0x342, 0x345}},
    {0x1FFC, {0x3A9, 0x399}, {0x1FFC}},
    {0xFB00, {0x46, 0x46}, {0x46, 0x66}},
    {0xFB01, {0x46, 0x49}, {0x46, 0x69}},
    {0xFB02, {0x46, 0x4C}, {0x46, 0x6C}},
    {0xFB03, {0x46, 0x46, 0x49}, {0x46, 0x66, 0x69}},
    {0xFB04, {0x46, 0x46, 0x4C}, {0x46, 0x66, 0x6C}},
    {0xFB05, {0x53, 0x54}, {0x53, 0x74}},
    {0xFB06, {0x53, 0x54}, {0x53, 0x74}},
    {0xFB13, {0x544, 0x546}, {0x544, 0x576}},
    {0xFB14, {0x544, 0x535}, {0x544, 0x565}},
    {0xFB15, {0x544, 0x53B}, {0x544, 0x56B}},
    {0xFB16, {0x54E, 0x546}, {0x54E, 0x576}},
    {0xFB17, {0x544, 0x53D}, {0x544, 0x56D}},
};

const SpecialCase* special_case(std::int32_t c) {
  if (c < 0xDF || c > 0xFB17) return nullptr;
  const auto* at = std::lower_bound(
      std::begin(kSpecialCases), std::end(kSpecialCases), c,
      [](const SpecialCase& entry, std::int32_t value) { return entry.code_point < value; });
  return at != std::end(kSpecialCases) && at->code_point == c ? at : nullptr;
}

void append_all(std::string& out, const std::uint16_t (&code_points)[3]) {
  for (std::uint16_t c : code_points) {
    if (c != 0) utf8_append(out, c);
  }
}

void append_upper(std::string& out, std::int32_t c, std::string_view, std::size_t, std::size_t&) {
  if (const SpecialCase* special = special_case(c)) return append_all(out, special->upper);
  if (c >= 0x1F80 && c <= 0x1FAF) {
    // Alpha, eta, omega with iota subscript: the capital letter without it, then a capital iota.
    const std::int32_t base = c < 0x1F90 ? 0x1F08 : c < 0x1FA0 ? 0x1F28 : 0x1F68;
    utf8_append(out, static_cast<std::uint32_t>(base + (c & 7)));
    return utf8_append(out, 0x399);
  }
  utf8_append(out, static_cast<std::uint32_t>(utf8proc_toupper(c)));
}

bool is_cased(std::int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

/// Marks, format characters and such, which do not end a word.
bool is_case_ignorable(std::int32_t c) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return c == '\'' || c == '.' || c == 0x2019 || c == 0xB7;
  }
}

/// The capital sigma of two bytes at `at` ends a word: a letter stands in front of it and none
/// behind. What no word ends at may stand between, any number of it: then `cost` may give up.
bool is_final_sigma(std::string_view text, std::size_t at, std::size_t& cost) {
  auto decode_before = [&](std::size_t end, std::size_t& start) {
    start = end - 1;
    while (start > 0 && (static_cast<std::uint8_t>(text[start]) & 0xC0) == 0x80) --start;
    unsigned size = 0;
    return first_code_point(text.substr(start, end - start), size);
  };
  bool letter_before = false;
  for (std::size_t end = at, start = 0; end > 0; end = start) {
    if (give_up_where(at - end > kMostTextAtOnce, cost)) return false;
    ++cost;
    const std::int32_t c = decode_before(end, start);
    if (c >= 0 && is_case_ignorable(c)) continue;
    letter_before = c >= 0 && is_cased(c);
    break;
  }
  if (!letter_before) return false;
  for (std::size_t next = at + 2; next < text.size();) {
    if (give_up_where(next - at > kMostTextAtOnce, cost)) return false;
    ++cost;
    unsigned size = 0;
    const std::int32_t c = first_code_point(text.substr(next), size);
    if (c < 0 || !is_case_ignorable(c)) return c < 0 || !is_cased(c);
    next += size;
  }
  return true;
}

void append_lower(std::string& out, std::int32_t c, std::string_view text, std::size_t at,
                  std::size_t& cost) {
  if (c == 0x130) {
    out.append("i\u0307");
  } else if (c == 0x3A3 && is_final_sigma(text, at, cost)) {
    utf8_append(out, 0x3C2);
  } else {
    utf8_append(out, static_cast<std::uint32_t>(utf8proc_tolower(c)));
  }
}

void append_title(std::string& out, std::int32_t c) {
  if (const SpecialCase* special = special_case(c)) return append_all(out, special->title);
  utf8_append(out, static_cast<std::uint32_t>(utf8proc_totitle(c)));
}

/// Most text has nothing to change: then the string itself is the result.
struct Rewrite : BytesLoop {
  using BytesLoop::BytesLoop;
  bool changed = false;
  bool fits = true;
  TextOut out;

  /// After a step that mapped [before, at) to what is in `out.text` from `written` on.
  bool settle(Process& p, std::size_t before, std::size_t written) {
    changed =
        changed || text().substr(before, at - before) != std::string_view(out.text).substr(written);
    fits = out.settle(p);
    return fits && at < size();
  }
  Term finish(Process& p) {
    if (!fits) return system_limit(p);
    return changed ? out.finish(p) : whole;
  }
};

using AppendMapped = void (*)(std::string& out, std::int32_t c, std::string_view text,
                              std::size_t at, std::size_t& cost);

/// ASCII letters from kFirst to kLast change case, other code points go through kAppend. The first
/// one may be mapped on its own.
template <char kFirst, char kLast, AppendMapped kAppend, bool kTitle = false>
struct MapCase : Rewrite {
  MapCase(Process& p, Args args) : Rewrite(p, args) {
    if (size() < 16 * 1024) out.text.reserve(size());
  }

  bool step(Process& p, std::size_t& cost) {
    const std::string_view text = this->text();
    const std::size_t before = at;
    const std::size_t written = out.text.size();
    const std::size_t stop = std::min(at + 1024, text.size());
    if (kTitle && at == 0 && stop > 0) map_first();
    while (at < stop) {
      const char byte = text[at];
      if (static_cast<std::uint8_t>(byte) < 0x80) {
        out.text.push_back(byte >= kFirst && byte <= kLast ? static_cast<char>(byte ^ 0x20) : byte);
        ++at;
        continue;
      }
      unsigned length = 0;
      const std::int32_t c = first_code_point(text.substr(at), length);
      if (c < 0) {
        out.text.push_back(byte);
      } else {
        kAppend(out.text, c, text, at, cost);
      }
      at += length;
    }
    cost += 1 + (at - before) / 4;
    return settle(p, before, written);
  }

 private:
  void map_first() {
    unsigned length = 0;
    const std::int32_t c = first_code_point(text(), length);
    if (c < 0) {
      out.text.push_back(text()[0]);
    } else {
      append_title(out.text, c);
    }
    at = length;
  }
};

/// A code point in the form under way: one or several.
class Decomposed {
 public:
  Decomposed(std::int32_t c, int options) {
    const utf8proc_ssize_t length = utf8proc_decompose_char(
        c, code_points_, kMost, static_cast<utf8proc_option_t>(options), &bound_class_);
    size_ = length > 0 && length <= kMost ? static_cast<std::size_t>(length) : 0;
  }
  const std::int32_t* begin() const { return code_points_; }
  const std::int32_t* end() const { return code_points_ + size_; }
  std::int32_t first() const { return size_ == 0 ? 0 : code_points_[0]; }

 private:
  static constexpr utf8proc_ssize_t kMost = 32;  // No code point becomes more than 18.
  std::int32_t code_points_[kMost];
  int bound_class_ = 0;
  std::size_t size_ = 0;
};

std::uint16_t combining_class(std::int32_t c) {
  return static_cast<std::uint16_t>(utf8proc_get_property(c)->combining_class);
}

/// Whether text may be cut in front of this code point: no form makes one of it and of what stands
/// before it.
bool begins_anew(std::int32_t c, int options) {
  auto is_in = [&](std::int32_t first, std::int32_t last) { return c >= first && c <= last; };
  if (c < 0x300 || is_in(0x391, 0x3C9) || is_in(0x410, 0x44F) || is_in(0x5D0, 0x5EA) ||
      is_in(0x621, 0x64A) || is_in(0x3041, 0x3096) || is_in(0x30A1, 0x30FA) ||
      is_in(0x3400, 0x9FFF) || is_in(0xAC00, 0xD7A3)) {
    return true;
  }
  // Of others it is the first code point of its form that counts. It must be in no composition, of
  // which this library does not say whether as the first or as the second, and no Korean vowel or
  // final consonant.
  constexpr std::uint16_t kInNone = UINT16_MAX;
  const std::int32_t first = Decomposed(c, options).first();
  const utf8proc_property_t& property = *utf8proc_get_property(first);
  return property.combining_class == 0 && property.comb_index == kInNone &&
         (first < 0x1160 || first > 0x11FF);
}

/// Normal forms, by utf8proc, of pieces that are cut where no form joins. Marks are put in order
/// here: utf8proc takes the square of their number for it.
struct Normalize : Rewrite {
  Normalize(Process& p, Args args, int mapping) : Rewrite(p, args), options(mapping) {}
  int options;
  bool good = true;

  bool step(Process& p, std::size_t& cost) {
    const std::size_t before = at;
    const std::size_t written = out.text.size();
    code_points.clear();
    good = decompose_piece(cost);
    if (!good || gave_up(cost)) return false;
    cost += 1 + (at - before);
    put_marks_in_order();
    // The result is written in the place of the code points, with a zero behind it.
    const auto count = static_cast<utf8proc_ssize_t>(code_points.size());
    code_points.push_back(0);
    const utf8proc_ssize_t length =
        utf8proc_reencode(code_points.data(), count, static_cast<utf8proc_option_t>(options));
    fits = length >= 0;
    if (!fits) return false;
    out.text.append(reinterpret_cast<const char*>(code_points.data()),
                    static_cast<std::size_t>(length));
    return settle(p, before, written);
  }
  Term finish(Process& p) { return good ? Rewrite::finish(p) : badarg(p); }

 private:
  RawVector<std::int32_t> code_points;

  /// Moves `at` behind at least a few kilobytes; false where they are not well formed.
  bool decompose_piece(std::size_t& cost) {
    constexpr std::size_t kPiece = 2048;
    const std::size_t start = at;
    while (at < size()) {
      unsigned length = 0;
      const std::int32_t c = first_code_point(text().substr(at), length);
      if (c < 0) return false;
      if (at - start >= kPiece && begins_anew(c, options)) break;
      if (give_up_where(at - start > kMostTextAtOnce, cost)) break;
      for (std::int32_t one : Decomposed(c, options)) code_points.push_back(one);
      at += length;
    }
    return true;
  }
  /// Those between two other code points, by their class, and otherwise as they stood.
  void put_marks_in_order() {
    auto is_mark = [](std::int32_t c) { return combining_class(c) != 0; };
    auto comes_before = [](std::int32_t a, std::int32_t b) {
      return combining_class(a) < combining_class(b);
    };
    for (std::int32_t* end = code_points.begin(); end != code_points.end();) {
      std::int32_t* const first = std::find_if(end, code_points.end(), is_mark);
      end = std::find_if_not(first, code_points.end(), is_mark);
      if (!std::is_sorted(first, end, comes_before)) std::stable_sort(first, end, comes_before);
    }
  }
};

int normal_form(Process& p, Term name) {
  if (is_atom_named(p, name, "nfc")) return UTF8PROC_COMPOSE;
  if (is_atom_named(p, name, "nfd")) return UTF8PROC_DECOMPOSE;
  if (is_atom_named(p, name, "nfkc")) return UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
  if (is_atom_named(p, name, "nfkd")) return UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
  return 0;
}

struct Casefold : Normalize {
  Casefold(Process& p, Args args)
      : Normalize(p, args, UTF8PROC_STABLE | UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE) {}
};
struct ToForm : Normalize {
  ToForm(Process& p, Args args) : Normalize(p, args, UTF8PROC_STABLE | normal_form(p, args[1])) {}
};

}  // namespace

Term prim_string_upcase(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<MapCase<'a', 'z', append_upper>>(p, args) : badarg(p);
}
Term prim_string_downcase(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<MapCase<'A', 'Z', append_lower>>(p, args) : badarg(p);
}
Term prim_string_capitalize(Process& p, Args args) {
  if (!is_binary(args[0])) return badarg(p);
  return in_slices<MapCase<'A', 'Z', append_lower, true>>(p, args);
}

Term prim_string_casefold(Process& p, Args args) {
  return is_binary(args[0]) ? in_slices<Casefold>(p, args) : badarg(p);
}

Term prim_string_normalize(Process& p, Args args) {
  if (!is_binary(args[0]) || normal_form(p, args[1]) == 0) return badarg(p);
  return in_slices<ToForm>(p, args);
}

}  // namespace quelea
