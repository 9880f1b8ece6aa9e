// Finding matches of a regular expression, one after the other, in bounded time.
//
// The problem. PCRE2 can be told how many steps it may take, but counts them anew for each place
// where a match may begin, and does not count what repeats a single character. So a search may take
// the square or the cube of the text's size, and nothing stops a call once it has begun.
//
// The idea. A call is for few places and few steps, at first so few that it cannot take long
// whatever the pattern. While there is more to do, further calls are made: eight times the steps
// for who ran out of them, eight times the places after a call that was quick. So a call takes at
// most some eight times as long as one before it, and between two calls there is time to see how
// long it has been. On a scheduler that is a millisecond, then the search is left to the pool.
// There, or at once in a machine without one, it goes on in slices, so that others get their turn,
// until it has taken a second, and a microsecond for each byte of the text: that is
// `error :match_limit`.
//
// A search goes on behind the places that were tried, unless the pattern speaks of where a search
// began (Compiled::goes_on): then it begins at the same place each time.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "vm/native/support.h"

namespace quelea::regex {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Compiled {
  std::unique_ptr<pcre2_code, FreeCode> code;
  bool utf = true;
  bool anchored = false;  ///< A match begins where the search does, or nowhere.
  bool goes_on = false;   ///< Whether a search may be taken up at any later place.
  std::uint32_t groups = 0;
  std::size_t bytes = 0;       ///< Of its source and its compiled forms.
  std::uint64_t last_use = 0;  ///< The cache's.
};

/// Where a search is.
struct Progress {
  std::size_t at = 0;      ///< No match begins before.
  std::size_t places = 0;  ///< For the next call; 0: it is the first.
  std::uint32_t steps = 0;
  std::uint64_t used_ns = 0;  ///< By this native in all.
};

class Matcher {
 public:
  Matcher(Process& p, const Compiled& pattern, std::string_view subject, std::uint64_t used_ns = 0);

  /// The next match at `from` or behind. False: none, or `gave_up()`.
  bool find(std::size_t from, std::uint32_t options = 0);
  /// The match after the one found last: an empty one is not found again at the same place.
  bool find_next();
  /// The match at `from` or behind, for a native that comes back: takes up what it `left`.
  bool find_in_slices(std::size_t from, const Progress* left);
  /// It is the pool's turn to be shared: the native comes again with `progress()`.
  bool goes_on_later() const { return later_; }
  Progress progress() const {
    Progress left = progress_;
    left.used_ns = used_ns();
    return left;
  }

  bool gave_up() const { return count_ <= 0 && count_ != PCRE2_ERROR_NOMATCH; }
  /// For `gave_up()`: leaves for the pool, or raises.
  Term match_limit();
  /// What the native has used in all, as far as the clock was looked at.
  std::uint64_t used_ns() const { return before_ns_ + used_ns_; }

  /// Groups up to the last that took part, the whole match included.
  std::size_t count() const { return static_cast<std::size_t>(count_); }
  bool took_part(std::size_t group) const {
    return group < count() && ovector()[2 * group] != PCRE2_UNSET;
  }
  std::size_t group_start(std::size_t group) const { return ovector()[2 * group]; }
  /// With \K in a lookahead a match may start behind its end; it counts as empty.
  std::size_t group_end(std::size_t group) const {
    const std::size_t end = ovector()[2 * group + 1];
    return end < group_start(group) ? group_start(group) : end;
  }
  std::string_view text(std::size_t group) const {
    return subject_.substr(group_start(group), group_end(group) - group_start(group));
  }

 private:
  bool search(std::size_t from, std::uint32_t options);
  void call(std::size_t from, std::size_t last, std::uint32_t options);
  bool plan_next(bool has_matched_none, std::uint64_t took_ns);
  std::uint64_t look_at_clock();
  bool is_time_up(std::uint64_t next_ns) const;
  void first_call(std::size_t from);
  std::size_t most_places() const;
  std::size_t next_code_point(std::size_t at) const;
  const PCRE2_SIZE* ovector() const { return pcre2_get_ovector_pointer(data_.get()); }

  Process& p_;
  const Compiled& pattern_;
  std::string_view subject_;
  bool is_quick_;          ///< On a scheduler.
  bool is_deterministic_;  ///< Slices must not depend on a clock.
  bool in_slices_ = false;
  bool later_ = false;
  unsigned finds_ = 0;
  std::uint64_t before_ns_;    ///< Used before this slice.
  std::uint64_t mark_ns_;      ///< What the clock said last.
  std::uint64_t used_ns_ = 0;  ///< In this slice.
  Progress progress_;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data_;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> context_;
  int count_ = PCRE2_ERROR_NOMATCH;
};

}  // namespace quelea::regex
