#include "vm/native/regex_match.h"

#include <time.h>

#include <algorithm>

#include "vm/proc/vm.h"

namespace quelea::regex {

namespace {

/// Steps from one place where a match may begin, at most.
constexpr std::uint32_t kMostSteps = 10'000'000;
constexpr std::uint32_t kHeapLimitKib = 64 * 1024;
/// The first call: places times steps times bytes (what a step may look at), and bounds of the
/// former two.
constexpr std::size_t kFirstWork = std::size_t{1} << 21;
constexpr std::size_t kFirstPlaces = 128;
constexpr std::size_t kFirstSteps = 2'000;
constexpr std::size_t kLeastSteps = 8;
constexpr unsigned kGrowth = 8;
/// Places times bytes for one call, lest what is quick here is slow further on.
constexpr std::size_t kQuickProduct = std::size_t{1} << 24;
constexpr std::size_t kPoolProduct = std::size_t{1} << 32;
constexpr std::size_t kLeastMostPlaces = 4096;  // on the pool
constexpr std::uint64_t kQuickNs = 1'000'000;
constexpr std::uint64_t kPoolSliceNs = 5'000'000;
/// In all, for one call of a function: a second, and a microsecond for each byte.
constexpr std::uint64_t kMostNs = 1'000'000'000;
constexpr std::uint64_t kMostNsAByte = 1'000;
/// So much longer in a deterministic machine: the clock is to decide only what would hang.
constexpr std::uint64_t kPatience = 60;
/// The clock is looked at after so many matches that were found at once.
constexpr unsigned kFindsALook = 64;

std::uint64_t thread_cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// What is spent. A thread of the pool may not get to run for a while, which is not the pattern's
/// fault; on a scheduler others wait all the same, and this clock is quicker to look at.
std::uint64_t now_ns(bool is_quick) { return is_quick ? Vm::real_monotonic_ns() : thread_cpu_ns(); }

}  // namespace

Matcher::Matcher(Process& p, const Compiled& pattern, std::string_view subject,
                 std::uint64_t used_ns)
    : p_(p),
      pattern_(pattern),
      subject_(subject),
      is_quick_(!p.on_pool()),
      is_deterministic_(p.vm().determinism() != nullptr),
      before_ns_(used_ns),
      mark_ns_(now_ns(is_quick_)),
      data_(pcre2_match_data_create_from_pattern(pattern.code.get(), nullptr)),
      context_(pcre2_match_context_create(nullptr)) {
  if (data_ == nullptr || context_ == nullptr) no_memory();
  pcre2_set_heap_limit(context_.get(), kHeapLimitKib);
}

std::uint64_t Matcher::look_at_clock() {
  const std::uint64_t now = now_ns(is_quick_);
  const std::uint64_t took = now - mark_ns_;
  mark_ns_ = now;
  used_ns_ += took;
  return took;
}

/// Whether something that may take `next_ns` would be too much.
bool Matcher::is_time_up(std::uint64_t next_ns) const {
  if (is_quick_) return used_ns_ + next_ns > kQuickNs;
  const std::uint64_t most_ns = kMostNs + kMostNsAByte * subject_.size();
  return used_ns() + next_ns > (is_deterministic_ ? kPatience * most_ns : most_ns);
}

void Matcher::first_call(std::size_t from) {
  const std::size_t size = subject_.size() + 1;
  const std::size_t steps =
      std::clamp(kFirstWork / (size * kFirstPlaces), kLeastSteps, kFirstSteps);
  progress_.at = from;
  progress_.steps = static_cast<std::uint32_t>(steps);
  progress_.places = std::clamp(kFirstWork / (size * steps), std::size_t{1}, kFirstPlaces);
}

std::size_t Matcher::most_places() const {
  const std::size_t size = subject_.size() + 1;
  return is_quick_ ? std::max(std::size_t{1}, kQuickProduct / size)
                   : std::max(kLeastMostPlaces, kPoolProduct / size);
}

bool Matcher::find(std::size_t from, std::uint32_t options) {
  first_call(from);
  if (++finds_ % kFindsALook == 0) {
    look_at_clock();
    if (is_time_up(0)) {
      count_ = PCRE2_ERROR_MATCHLIMIT;
      return false;
    }
  }
  return search(from, options);
}

bool Matcher::find_in_slices(std::size_t from, const Progress* left) {
  in_slices_ = !is_quick_ && !is_deterministic_;
  if (left == nullptr || is_quick_) {
    first_call(from);
  } else {
    progress_ = *left;
  }
  return search(from, 0);
}

bool Matcher::find_next() {
  const std::size_t end = group_end(0);
  if (group_start(0) < end) return find(end);
  if (find(end, PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED)) return true;
  if (count_ != PCRE2_ERROR_NOMATCH || end >= subject_.size()) return false;
  return find(next_code_point(end));
}

bool Matcher::search(std::size_t from, std::uint32_t options) {
  const bool is_anchored = pattern_.anchored || (options & PCRE2_ANCHORED) != 0;
  for (;;) {
    // The last place is behind the last byte.
    const bool is_last = is_anchored || progress_.places > subject_.size() - progress_.at;
    const std::size_t last = is_last ? PCRE2_UNSET : progress_.at + progress_.places - 1;
    const std::size_t start = pattern_.goes_on ? progress_.at : from;
    call(start, last, start == from ? options : options & ~PCRE2_NOTEMPTY_ATSTART);
    const bool has_matched_none = count_ == PCRE2_ERROR_NOMATCH;
    if (has_matched_none ? is_last
                         : count_ != PCRE2_ERROR_MATCHLIMIT || progress_.steps >= kMostSteps) {
      return count_ > 0;
    }
    if (has_matched_none) progress_.at = next_code_point(last);
    if (!plan_next(has_matched_none, look_at_clock())) return false;
  }
}

/// How large the next call may be. False: there is none, or not now.
bool Matcher::plan_next(bool has_matched_none, std::uint64_t took_ns) {
  std::uint64_t next_ns = took_ns;
  if (!has_matched_none) {
    progress_.steps = std::min(kGrowth * progress_.steps, kMostSteps);
    // As many steps in all, of places that are perhaps like this one.
    if (progress_.places < kGrowth) next_ns *= kGrowth;
    progress_.places = std::max(std::size_t{1}, progress_.places / kGrowth);
  } else if (!pattern_.goes_on || kGrowth * took_ns <= kPoolSliceNs) {
    progress_.places *= kGrowth;
    if (pattern_.goes_on) progress_.places = std::min(progress_.places, most_places());
    next_ns *= kGrowth;
  }
  if (is_time_up(next_ns)) {
    count_ = PCRE2_ERROR_MATCHLIMIT;
    return false;
  }
  later_ = in_slices_ && used_ns_ > kPoolSliceNs;
  return !later_;
}

/// The first match that begins at `from` or behind, up to `last`.
void Matcher::call(std::size_t from, std::size_t last, std::uint32_t options) {
  pcre2_set_match_limit(context_.get(), progress_.steps);
  pcre2_set_offset_limit(context_.get(), last);
  if (pattern_.utf) options |= PCRE2_NO_UTF_CHECK;
  const auto* text = reinterpret_cast<PCRE2_SPTR>(subject_.data());
  count_ = pcre2_match(pattern_.code.get(), text, subject_.size(), from, options, data_.get(),
                       context_.get());
  if (count_ == PCRE2_ERROR_JIT_STACKLIMIT) {
    // The interpreter's stack is on the heap and has room for more.
    count_ = pcre2_match(pattern_.code.get(), text, subject_.size(), from, options | PCRE2_NO_JIT,
                         data_.get(), context_.get());
  }
  if (count_ == PCRE2_ERROR_NOMEMORY) no_memory();
}

std::size_t Matcher::next_code_point(std::size_t at) const {
  ++at;
  if (!pattern_.utf) return at;
  while (at < subject_.size() && (static_cast<std::uint8_t>(subject_[at]) & 0xC0) == 0x80) ++at;
  return at;
}

Term Matcher::match_limit() {
  return is_quick_ ? p_.to_pool() : fail(p_, atom_of(p_, "match_limit"));
}

}  // namespace quelea::regex
