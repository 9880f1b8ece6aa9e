// Walking and searching text.
#pragma once

#include <algorithm>
#include <deque>
#include <string_view>
#include <vector>

#include "vm/native/support.h"
#include "vm/term/utf8.h"
#include "vm/term/work.h"

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

/// What cannot stop in the middle looks at so many bytes at most, or leaves it to the pool.
inline constexpr std::size_t kMostTextAtOnce = std::size_t{64} << 10;

/// Bytes of the first grapheme of a non-empty text. It may have any number of marks: where it is
/// long, `cost` may give up (vm/term/work.h). What it took is for the caller to add.
std::size_t first_grapheme(std::string_view text, std::size_t& cost);

/// Goes past up to `most` graphemes from byte `at` on; returns how many. Gives up as
/// `first_grapheme`.
std::size_t pass_graphemes(std::string_view text, std::size_t& at, std::size_t most,
                           std::size_t& cost);

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

/// One or several byte strings to look for at once. Few of them are each searched for with what the
/// C library has for that. Many are in order, and at each place of the text those that go on as it
/// does become fewer with each byte.
class Patterns {
 public:
  /// A non-empty binary, or a list of such; false for anything else. With `allow_empty` empty ones
  /// too.
  bool get(Term term, bool allow_empty = false);
  /// Whether `get` would take them.
  static bool are_fine(Term term, bool allow_empty = false);
  /// Whether `are_fine` and `get` take long.
  static bool begin_on_pool(Process& p, Term term);

  struct Match {
    std::size_t position = std::string_view::npos;
    std::size_t size = 0;
    explicit operator bool() const { return position != std::string_view::npos; }
  };
  /// The first match at `from` or behind it that begins in front of `end`; the longest of those
  /// that begin there. Successive calls on the same text with growing `from` and the same `end`
  /// look at each byte once for each pattern, unless they are many.
  Match find(std::string_view text, std::size_t from, std::size_t end, std::size_t& cost);
  /// So many places at a time.
  std::size_t piece() const { return are_many() ? kPiece / 32 : std::max(kPiece, 4 * longest_); }
  /// A search for them cannot stop soon.
  bool are_long() const { return longest_ > (texts_.size() > kFew ? kLongOfMany : kPiece); }

  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  static constexpr std::size_t kPiece = std::size_t{128} << 10;
  static constexpr std::size_t kFew = 16;
  static constexpr std::size_t kLongOfMany = 4096;
  static constexpr std::size_t kByteValues = 256;

  bool are_many() const { return texts_.size() > kFew && !are_long(); }
  Match find_some(std::string_view text, std::size_t from, std::size_t end);
  Match find_many(std::string_view text, std::size_t from, std::size_t end, std::size_t& cost);
  std::size_t longest_at(std::string_view text, std::size_t& cost) const;
  void put_in_order();

  std::deque<Bytes> storage_;
  std::vector<std::string_view> texts_;
  std::size_t longest_ = 0;
  /// The same where they are many and were looked for, without duplicates, and where those begin
  /// whose first byte has a value or a larger one.
  std::vector<std::string_view> ordered_;
  std::vector<std::uint32_t> first_of_;
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
    if (give_up_where(patterns.are_long(), cost)) return {};
    if (from >= end_) end_ = std::min(from + patterns.piece(), text.size());
    const Patterns::Match match = patterns.find(text, from, end_, cost);
    from = match ? match.position + match.size : end_;
    return match;
  }
  std::size_t from = 0;

 private:
  std::size_t end_ = 0;
};

}  // namespace quelea
