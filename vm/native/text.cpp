#include "vm/native/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>

#include "vm/native/pool.h"

namespace quelea {

std::size_t first_grapheme(std::string_view text, std::size_t& cost) {
  unsigned size = 0;
  std::int32_t c = first_code_point(text, size);
  std::size_t at = size;
  // Two ASCII characters never belong together, but for carriage return and newline.
  if (c >= 0 && c < 0x80 && c != '\r' &&
      (at == text.size() || static_cast<std::uint8_t>(text[at]) < 0x80)) {
    return at;
  }
  if (c < 0) return at;
  utf8proc_int32_t state = 0;
  while (at < text.size()) {
    if (QUELEA_UNLIKELY(give_up_where(at > kMostTextAtOnce, cost))) break;
    const std::int32_t next = first_code_point(text.substr(at), size);
    if (next < 0 || utf8proc_grapheme_break_stateful(c, next, &state)) break;
    at += size;
    c = next;
  }
  return at;
}

namespace {

/// Bytes of ASCII without carriage return at the start of a text, but for the last of them: each is
/// a grapheme.
std::size_t plain_graphemes(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHighs = 0x8080808080808080u;
  constexpr std::size_t kMostPlain = 4096;
  std::size_t at = 0;
  while (at + 8 <= text.size() && at < kMostPlain) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t returns = word ^ kOnes * '\r';
    if (((word | ((returns - kOnes) & ~returns)) & kHighs) != 0) break;
    at += 8;
  }
  return at == 0 ? 0 : at - 1;
}

}  // namespace

std::size_t pass_graphemes(std::string_view text, std::size_t& at, std::size_t most,
                           std::size_t& cost) {
  std::size_t count = 0;
  while (at < text.size() && count < most && !gave_up(cost)) {
    if (const std::size_t plain = plain_graphemes(text.substr(at)); plain > 0) {
      const std::size_t taken = plain < most - count ? plain : most - count;
      at += taken;
      count += taken;
      continue;
    }
    at += first_grapheme(text.substr(at), cost);
    ++count;
  }
  return count;
}

bool is_white_space(std::int32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 9 && c <= 13);
  if (c < 0x85) return false;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::size_t find_bytes(std::string_view text, std::string_view what, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (what.size() == 1) {
    const void* found = std::memchr(text.data() + from, what[0], text.size() - from);
    return found == nullptr
               ? std::string_view::npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  }
  const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool Patterns::are_fine(Term term, bool allow_empty) {
  auto is_fine = [&](Term pattern) {
    return is_binary(pattern) && (allow_empty || binary_bits(pattern) != 0);
  };
  if (!term.is_list()) return is_fine(term);
  for (; term.is_cons(); term = term.tail()) {
    if (!is_fine(term.head())) return false;
  }
  return term.is_nil_list();
}

bool Patterns::get(Term term, bool allow_empty) {
  auto add = [&](Term pattern) {
    Bytes& bytes = storage_.emplace_back();
    if (!bytes.get(pattern) || (bytes.size() == 0 && !allow_empty)) return false;
    texts_.push_back(bytes.text());
    longest_ = std::max(longest_, bytes.size());
    return true;
  };
  if (!term.is_list()) return add(term);
  for (; term.is_cons(); term = term.tail()) {
    if (!add(term.head())) return false;
  }
  return term.is_nil_list();
}

bool Patterns::begin_on_pool(Process& p, Term term) {
  constexpr std::size_t kMost = 1024;
  if (p.on_pool()) return false;
  if (!term.is_list()) return is_large_unaligned(p, term);
  std::size_t unaligned_bytes = 0;
  for (std::size_t count = 0; term.is_cons(); term = term.tail()) {
    const Term pattern = term.head();
    if (is_binary(pattern) && !binary_view(pattern).is_aligned()) {
      unaligned_bytes += binary_bytes(pattern);
    }
    if (++count > kMost || unaligned_bytes > kPoolTextBytes) return true;
  }
  return false;
}

void Patterns::put_in_order() {
  ordered_ = texts_;
  std::sort(ordered_.begin(), ordered_.end());
  ordered_.erase(std::unique(ordered_.begin(), ordered_.end()), ordered_.end());
  first_of_.assign(kByteValues + 1, 0);
  for (std::string_view one : ordered_) {
    if (!one.empty()) ++first_of_[static_cast<std::uint8_t>(one[0]) + 1];
  }
  for (std::size_t i = 0; i < kByteValues; ++i) first_of_[i + 1] += first_of_[i];
}

/// Bytes of the longest pattern that the text begins with; 0: there is none.
std::size_t Patterns::longest_at(std::string_view text, std::size_t& cost) const {
  const auto byte = static_cast<std::uint8_t>(text[0]);
  const std::string_view* low = ordered_.data() + first_of_[byte];
  const std::string_view* high = ordered_.data() + first_of_[byte + 1];
  std::size_t longest = 0;
  std::size_t depth = 1;
  for (; low != high; ++depth) {
    // Of those that begin alike the one that ends here comes first.
    if (low->size() == depth) {
      longest = depth;
      ++low;
    }
    if (depth == text.size()) break;
    const auto next = static_cast<std::uint8_t>(text[depth]);
    auto byte_of = [&](std::string_view one) { return static_cast<std::uint8_t>(one[depth]); };
    low = std::lower_bound(low, high, next,
                           [&](std::string_view one, std::uint8_t c) { return byte_of(one) < c; });
    high = std::upper_bound(low, high, next,
                            [&](std::uint8_t c, std::string_view one) { return c < byte_of(one); });
  }
  cost += 2 * depth;
  return longest;
}

Patterns::Match Patterns::find_many(std::string_view text, std::size_t from, std::size_t end,
                                    std::size_t& cost) {
  Match match;
  std::size_t at = from;
  for (; at < end && !match; ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (first_of_[byte] == first_of_[byte + 1]) continue;
    if (const std::size_t size = longest_at(text.substr(at), cost)) match = {at, size};
  }
  cost += 4 + (at - from) / 8;
  return match;
}

Patterns::Match Patterns::find(std::string_view text, std::size_t from, std::size_t end,
                               std::size_t& cost) {
  if (are_many()) {
    if (ordered_.empty()) put_in_order();
    return find_many(text, from, end, cost);
  }
  const Match match = find_some(text, from, end);
  const std::size_t passed = (match ? match.position + match.size : end) - from;
  cost += 4 + texts_.size() * passed / 16;
  return match;
}

Patterns::Match Patterns::find_some(std::string_view text, std::size_t from, std::size_t end) {
  text = text.substr(0, end + longest_ - 1);
  if (texts_.size() == 1) return {find_bytes(text, texts_[0], from), texts_[0].size()};
  if (searched_to_ != end) {
    next_.assign(texts_.size(), 0);
    for (std::size_t i = 0; i < texts_.size(); ++i) next_[i] = find_bytes(text, texts_[i], from);
    searched_to_ = end;
  }
  Match best;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    if (next_[i] < from) next_[i] = find_bytes(text, texts_[i], from);
    if (next_[i] >= end) continue;
    if (next_[i] < best.position || (next_[i] == best.position && texts_[i].size() > best.size)) {
      best = {next_[i], texts_[i].size()};
    }
  }
  return best;
}

}  // namespace quelea
