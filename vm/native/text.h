// Walking and searching text.
#pragma once

#include <algorithm>
#include <deque>
#include <string_view>
#include <vector>

#include "vm/native/support.h"
#include "vm/term/utf8.h"

namespace quelea {

inline const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// The code point at the start of a non-empty text and its size; -1 and 1 where it is not well
/// formed.
inline std::int32_t first_code_point(std::string_view text, unsigned& size) {
  const auto byte = static_cast<std::uint8_t>(text[0]);
  size = 1;
  if (byte < 0x80) return byte;
  const std::int32_t c = utf8_decode(bytes_of(text), bytes_of(text) + text.size(), size);
  if (c < 0) size = 1;
  return c;
}

/// Bytes of the first grapheme of a non-empty text.
std::size_t first_grapheme(std::string_view text);

/// Goes past up to `most` graphemes from byte `at` on; returns how many.
std::size_t pass_graphemes(std::string_view text, std::size_t& at, std::size_t most);

/// Graphemes of a text; all of them, or up to `stop`.
std::size_t count_graphemes(std::string_view text, std::size_t stop = static_cast<std::size_t>(-1));

/// Byte offset of grapheme `index`; the text's size when it has fewer.
std::size_t grapheme_offset(std::string_view text, std::size_t index);

/// Unicode's White_Space property.
bool is_white_space(std::int32_t code_point);

inline bool is_ascii(std::string_view text) {
  for (char c : text) {
    if (static_cast<std::uint8_t>(c) >= 0x80) return false;
  }
  return true;
}

/// First position of `what` in `text` from `from` on, or npos. Linear in both.
std::size_t find_bytes(std::string_view text, std::string_view what, std::size_t from);

/// One or several byte strings to look for at once.
class Patterns {
 public:
  /// A non-empty binary, or a list of such; false for anything else. With `allow_empty` empty ones
  /// too.
  bool get(Term term, bool allow_empty = false);
  /// Whether `get` would take them.
  static bool are_fine(Term term, bool allow_empty = false);

  struct Match {
    std::size_t position = std::string_view::npos;
    std::size_t size = 0;
    explicit operator bool() const { return position != std::string_view::npos; }
  };
  /// The first match at `from` or behind it that begins in front of `end`; the longest of those
  /// that begin there. Successive calls on the same text with growing `from` and the same `end`
  /// look at each byte once for each pattern.
  Match find(std::string_view text, std::size_t from, std::size_t end);

  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  std::deque<Bytes> storage_;
  std::vector<std::string_view> texts_;
  std::size_t longest_ = 0;
  std::size_t searched_to_ = 0;    ///< The `end` that `next_` is about; 0 before the first search.
  std::vector<std::size_t> next_;  ///< Where each pattern occurs next, or npos.
};

/// A search that stops now and then: a piece of the text at a time.
class Search {
 public:
  Patterns patterns;

  bool is_over(std::string_view text) const { return from >= text.size(); }
  /// Unless it is over: the next match at `from` or behind it, which moves on. None: there is none
  /// in this piece.
  Patterns::Match next(std::string_view text, std::size_t& cost) {
    if (from >= end_) end_ = std::min(from + kPiece, text.size());
    const Patterns::Match match = patterns.find(text, from, end_);
    const std::size_t before = from;
    from = match ? match.position + match.size : end_;
    cost += 4 + patterns.texts().size() * (from - before) / 16;
    return match;
  }
  std::size_t from = 0;

 private:
  static constexpr std::size_t kPiece = std::size_t{128} << 10;
  std::size_t end_ = 0;
};

}  // namespace quelea
