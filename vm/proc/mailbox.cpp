#include "vm/proc/mailbox.h"

#include <algorithm>
#include <new>

#include "vm/proc/process_extra.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/timers.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {
/// Larger messages become old at once: they are not copied until the next full collection.
constexpr std::size_t kLargeMessageWords = 1024;
/// Shorter queues are scanned faster than places in them are kept.
constexpr std::uint32_t kLongQueue = 32;
/// What so many messages weigh is known; fewer are looked at.
constexpr std::uint32_t kManyMessages = 64;

/// Whether a message has one of the tags of a recv_start instruction.
bool has_tag(Term message, Term tags) {
  Term tag = message;
  if (is_tuple(message) && tuple_size(message) != 0) tag = tuple_at(message, 0);
  for (std::size_t i = 0; i < tuple_size(tags); ++i) {
    if (tuple_at(tags, i) == tag) return true;
  }
  return false;
}

MailboxPlaces& places_of(Process& p) {
  auto& places = p.extra().places;
  if (places == nullptr) places = std::make_unique<MailboxPlaces>();
  p.set_flag_bit(Process::kKeepsPlaces, true);
  return *places;
}

using Way = MailboxPlaces::Way;

/// The way of the receive at `site` for which `wanted` holds, or null. Code stays where it is while
/// the machine lives, older versions of modules, too: an address is one receive for ever.
template <class Wanted>
Way* find_way(Process& p, const Word* site, Wanted wanted) {
  if (!p.has_flag(Process::kKeepsPlaces)) return nullptr;
  for (Way& way : p.extra_record->places->known_ways()) {
    if (way.site == site && wanted(way)) return &way;
  }
  return nullptr;
}

Way* way_from(Process& p, const Word* site, Fragment** from) {
  return find_way(p, site, [=](const Way& way) { return way.from == from; });
}

/// Where there are too many, only ways from the start of the queue make room for each other: of the
/// others there may be any number.
void remember_way(Process& p, Way way) {
  MailboxPlaces& places = places_of(p);
  if (Way* known = way_from(p, way.site, way.from)) {
    *known = way;
  } else if (places.way_count < MailboxPlaces::kWays) {
    places.ways[places.way_count++] = way;
  } else if (way.from == nullptr) {
    places.ways[places.next_way++ % MailboxPlaces::kWays] = way;
  }
}

/// The message at `link` goes; the place `behind` lies in it.
void mend_ways(MailboxPlaces& places, Fragment** link, Fragment** behind) {
  for (unsigned i = 0; i < places.way_count;) {
    if (places.ways[i].from != link) {
      ++i;
      continue;
    }
    // What was refused is gone: the way that led to it goes on.
    const Way gone = places.ways[i];
    places.ways[i] = places.ways[--places.way_count];
    for (Way& way : places.known_ways()) {
      if (way.site == gone.site && way.to == link) way.to = gone.to;
    }
  }
  for (Way& way : places.known_ways()) {
    if (way.from == behind) way.from = link;
    if (way.to == behind) way.to = link;
  }
}

/// To pass many takes a while, which belongs to the time limit of the receive.
void note_begin(Process& p) {
  MailboxPlaces& places = places_of(p);
  if (places.began_ns == 0) places.began_ns = p.vm().monotonic_ns();
}

/// How long the receive has been passing messages.
std::uint64_t passing_ns(Process& p, std::uint64_t now_ns) {
  if (!p.has_flag(Process::kKeepsPlaces)) return 0;
  const std::uint64_t began_ns = p.extra_record->places->began_ns;
  return began_ns != 0 ? now_ns - began_ns : 0;
}

/// Goes straight to where messages with the reference of this number may begin, if that is known.
void go_to_reference(Process& p, Word number) {
  for (const auto& start : p.extra_record->places->starts) {
    if (start.number == number && start.link != nullptr) p.scan_link = start.link;
  }
}

}  // namespace

std::size_t message_words(const Signal& message) {
  std::size_t words =
      message.used_words() +
      (sizeof(Signal) + (message.has_tail() ? sizeof(SignalTail) : 0)) / sizeof(Word);
  for (const Fragment* more = message.more(); more != nullptr; more = more->next) {
    words += more->used_words();
  }
  return words;
}

namespace {

/// The queue has become long: from now on what it weighs is known. Where there is no memory for
/// that, it begins with a later message.
[[gnu::cold, gnu::noinline]] void begin_weighing(Process& p) {
  try {
    std::size_t& words = p.extra().message_words;
    words = 0;
    for (const Fragment* at = p.first_message; at != nullptr; at = at->next) {
      words += message_words(*static_cast<const Signal*>(at));
    }
    p.set_flag_bit(Process::kWeighsMessages, true);
  } catch (const std::bad_alloc&) {
  }
}

inline void note_arrival(Process& p, const Signal& message) {
  ++p.message_count;
  if (p.has_flag(Process::kWeighsMessages)) {
    p.extra_record->message_words += message_words(message);
  } else if (QUELEA_UNLIKELY(p.message_count % kManyMessages == 0)) {
    begin_weighing(p);
  }
}

inline void note_departure(Process& p, const Signal& message) {
  --p.message_count;
  if (!p.has_flag(Process::kWeighsMessages)) return;
  std::size_t& words = p.extra_record->message_words;
  words -= message_words(message);
  if (p.message_count != 0) return;
  QUELEA_ASSERT(words == 0);
  p.set_flag_bit(Process::kWeighsMessages, false);
}

}  // namespace

void start_scan(Process& p, const Word* site, Term reference) {
  const Way* way = way_from(p, site, nullptr);
  p.scan_link = way != nullptr ? way->to : &p.first_message;
  if (!p.has_flag(Process::kKeepsPlaces)) return;
  p.extra_record->places->unseen = nullptr;
  p.extra_record->places->began_ns = 0;
  if (reference.is_kind(Kind::Ref)) go_to_reference(p, ref_number(reference));
}

void start_scan_for(Process& p, Word number) {
  p.scan_link = &p.first_message;
  if (p.has_flag(Process::kKeepsPlaces)) go_to_reference(p, number);
}

void end_scan(Process& p) {
  p.scan_link = Process::no_message();
  p.set_flag_bit(Process::kCollectedInReceive, false);
}

void pass_message(Process& p) {
  Fragment** from = p.scan_link;
  if (*from == nullptr) return;
  if (p.message_count >= kPassedAtOnce && from == &p.first_message) note_begin(p);
  const Word* site = p.receive_site;
  const Term tags = site != nullptr ? Term{site[1]} : Term::nil_list();
  if (!is_tuple(tags)) {
    p.scan_link = &(*from)->next;
    return;
  }
  // The message at the scan point was refused by its tag or by the rest of a pattern; only the
  // first kind of refusal holds for good.
  const bool by_tag = !has_tag(as_signal(*from)->term, tags);
  const bool is_long = p.message_count >= kLongQueue;
  Way* way = nullptr;
  if (is_long) {
    way = by_tag ? find_way(p, site, [=](const Way& known) { return known.to == from; })
                 : way_from(p, site, from);
  }
  Fragment** link = way != nullptr && !by_tag ? way->to : &(*from)->next;
  std::uint32_t count = 0;
  while (*link != nullptr && count < kPassedAtOnce && !has_tag(as_signal(*link)->term, tags)) {
    link = &(*link)->next;
    ++count;
  }
  p.scan_link = link;
  p.charge(count / 8);
  if (count == kPassedAtOnce) note_begin(p);
  if (way != nullptr) {
    way->to = link;
  } else if (is_long && by_tag && from == &p.first_message) {
    remember_way(p, {site, nullptr, link});
  } else if (is_long && !by_tag && count >= kLongQueue) {
    remember_way(p, {site, from, link});
  }
}

void note_new_reference(Process& p, Word number) {
  if (p.message_count < kLongQueue) return;
  MailboxPlaces& places = places_of(p);
  places.starts[places.next_start++ % MailboxPlaces::kStarts] = {number, p.last_link};
}

Signal* unlink_message(Process& p, Fragment** link) {
  Signal* message = as_signal(*link);
  Fragment** behind = &message->next;
  *link = message->next;
  if (p.last_link == behind) p.last_link = link;
  if (p.scan_link == behind) p.scan_link = link;
  note_departure(p, *message);
  if (QUELEA_UNLIKELY(p.has_mailbox_limit) && is_counted(*message)) message_left(p);
  if (p.has_flag(Process::kKeepsPlaces)) {
    MailboxPlaces& places = *p.extra_record->places;
    if (p.message_count == 0) {
      p.extra_record->places.reset();
      p.set_flag_bit(Process::kKeepsPlaces, false);
    } else {
      mend_ways(places, link, behind);
      for (auto& start : places.starts) {
        if (start.link == behind) start.link = link;
      }
      for (Fragment*** place : {&places.priority_end, &places.unseen}) {
        if (*place == behind) *place = link;
      }
    }
  }
  return message;
}

void deliver(Process& p, Signal* message) {
  message->next = nullptr;
  *p.last_link = message;
  p.last_link = &message->next;
  note_arrival(p, *message);
  if (QUELEA_UNLIKELY(p.has_mailbox_limit)) drop_oldest(p);
}

void deliver_first(Process& p, Signal* message) {
  MailboxPlaces& places = places_of(p);
  Fragment** const link = places.priority_end != nullptr ? places.priority_end : &p.first_message;
  Fragment** const behind = &message->next;
  Fragment** unseen = places.unseen;
  if (p.scan_link != Process::no_message()) {
    if (unseen == nullptr) unseen = link;
    if (p.scan_link == link && *link != nullptr) p.scan_link = behind;
  }
  places = {};
  places.priority_end = behind;
  places.unseen = unseen;
  message->next = *link;
  *link = message;
  if (p.last_link == link) p.last_link = behind;
  note_arrival(p, *message);
  if (QUELEA_UNLIKELY(p.has_mailbox_limit)) drop_oldest(p);
}

void keep_places(Process& p) { places_of(p); }

void go_back_to_priority(Process& p) {
  MailboxPlaces& places = *p.extra_record->places;
  if (places.unseen == nullptr) return;
  p.scan_link = places.unseen;
  places.unseen = nullptr;
}

namespace {

/// Whether a message is left that the receive has not looked at.
bool is_one_left(Process& p) {
  if (*p.scan_link == nullptr && QUELEA_UNLIKELY(p.has_flag(Process::kKeepsPlaces))) {
    go_back_to_priority(p);
  }
  return *p.scan_link != nullptr;
}

WaitResult time_out(Process& p) {
  stop_receive_timer(p);
  end_scan(p);
  return WaitResult::Timeout;
}

}  // namespace

PeekResult peek_arrivals(Process& p) {
  if (is_one_left(p)) return PeekResult::Message;
  if (p.outer.load(std::memory_order_relaxed) == nullptr) return PeekResult::Nothing;
  const Handled handled = p.handle_signals();
  if (handled == Handled::Exits) return PeekResult::Exited;
  if (*p.scan_link != nullptr) return PeekResult::Message;
  return handled == Handled::All ? PeekResult::Nothing : PeekResult::Busy;
}

void stop_receive_timer(Process& p) {
  if (p.receive_timer != 0) {
    p.vm().timers_of(p.receive_timer)->cancel_wake(p.receive_timer);
    p.receive_timer = 0;
  }
  p.set_flag_bit(Process::kTimedOut, false);
}

void adopt_signal(Process& p, Signal* signal, bool as_old) {
  // Later pieces may refer to objects in earlier ones, as old objects may not to young ones: all of
  // them become old together.
  as_old = as_old || signal->more() != nullptr || signal->used_words() >= kLargeMessageWords;
  if (as_old) {
    try {
      p.old();
    } catch (const std::bad_alloc&) {
      drop_signal(signal);
      throw;
    }
  }
  for (Fragment* more = signal->more(); more != nullptr;) {
    Fragment* next = more->next;
    p.adopt(more, true);
    more = next;
  }
  if (signal->used_words() == 0 && signal->ref_binaries == nullptr) {
    release_fragment(signal);
    return;
  }
  p.adopt(signal, as_old);
  if (p.fragments_due() || p.old_space_is_full()) p.interrupt_for_collection();
}

bool start_receive_timer(Process& p, std::int64_t ms, std::uint64_t passed_ns) {
  Schedulers& schedulers = p.vm().schedulers();
  const std::uint64_t now_ns = p.vm().monotonic_ns();
  const std::uint64_t limit_ns = static_cast<std::uint64_t>(ms) * 1'000'000;
  p.receive_timer = schedulers.timers_for(p.local()).start_wake(
      now_ns, limit_ns - std::min(passed_ns, limit_ns), p.self());
  schedulers.started_timer(p.local());
  return p.receive_timer != 0;
}

void take_message(Process& p) {
  if (*p.scan_link == nullptr) return;
  Signal* message = unlink_message(p, p.scan_link);
  p.scan_link = Process::no_message();
  if (p.receive_timer != 0) stop_receive_timer(p);
  // After a collection in the middle of the receive, old objects may refer to the message.
  const bool collected = p.has_flag(Process::kCollectedInReceive);
  p.set_flag_bit(Process::kCollectedInReceive, false);
  adopt_signal(p, message, collected);
}

WaitResult wait_until(Process& p, Term timeout) {
  // What had arrived took effect before the process went on; what comes after that is too late.
  if (p.has_flag(Process::kTimedOut)) return is_one_left(p) ? WaitResult::Message : time_out(p);
  const PeekResult found = peek_arrivals(p);
  if (found == PeekResult::Message) return WaitResult::Message;
  if (found == PeekResult::Exited) return WaitResult::Exited;
  const WaitResult later = found == PeekResult::Busy ? WaitResult::Busy : WaitResult::Wait;
  if (timeout == atoms::infinity) return later;
  if (timeout == Term::small(0)) {
    if (later == WaitResult::Wait) return time_out(p);
    p.set_flag_bit(Process::kTimedOut, true);
    return later;
  }
  if (p.receive_timer == 0) {
    if (!timeout.is_small() || timeout.small_value() < 0 || timeout.small_value() > kMaxReceiveMs) {
      p.raise_error(atoms::timeout_value);
      return WaitResult::Raised;
    }
    if (!start_receive_timer(p, timeout.small_value(), passing_ns(p, p.vm().monotonic_ns()))) {
      p.raise_error(atoms::system_limit);
      return WaitResult::Raised;
    }
  }
  return later;
}

}  // namespace quelea
