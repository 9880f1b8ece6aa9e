// The mailbox: arrival, scanning and taking.
//
// Messages that arrived are in the inner queue (Process::first_message …), in order. A receive
// walks it with `scan_link`, which points to the link of the message under inspection: a message
// that no arm wants is passed by moving the scan point, and is not looked at again before the next
// receive starts. New arrivals are linked at the end, so that a receive that waits goes on where it
// stopped.
//
// A long backlog must not make every receive slow. The compiler says of each receive what is
// certain (`recv_start`), and a process with a long queue remembers two kinds of places in it:
//
//   tags        Every message the receive can match is one of a few immediates, or a tuple that
//               begins with one. Passing a message goes straight on to the next one with such a
//               tag. Where that was a long way, its two ends are remembered for this receive
//               instruction: no tag decides differently tomorrow, so the next time the same receive
//               goes from one end to the other in one step. Ways begin at the start of the queue,
//               or at a message whose tag was right and which was refused nevertheless: an answer
//               that came too late stays in the mailbox for ever, and the next call passes it.
//   reference   Every message it can match contains a certain reference. When a process with a long
//               queue makes a reference, the end of the queue is remembered: what is queued before
//               cannot contain it. This is the call of a server with a full mailbox, or of several
//               at once.
//
// Priority messages (Erlang's, through an alias that takes them) go before all others, in their own
// order. Nothing remembered holds when one arrives. A receive that waits at the end goes back to
// it; one that is looking at a message finishes with that, and goes back at the end.
//
// A remembered place is a link, like the scan point, and moves back when the message it lies in is
// removed (`unlink_message` is the only way out of the queue). Short queues remember nothing.
#pragma once

#include <span>

#include "vm/proc/process.h"
#include "vm/proc/signal.h"

namespace quelea {

/// Busy: nothing so far, but signals are left for the next slice.
enum class PeekResult { Message, Nothing, Busy, Exited };
enum class WaitResult { Message, Timeout, Wait, Busy, Raised, Exited };

/// Places in a long mailbox; part of ProcessExtra.
struct MailboxPlaces {
  /// Of the messages between the one at `from` and `to` none has a tag of the receive at `site`;
  /// `from` is null: of all before `to`.
  struct Way {
    const Word* site;
    Fragment** from;
    Fragment** to;
  };
  static constexpr unsigned kWays = 32;
  Way ways[kWays];
  unsigned way_count = 0;
  unsigned next_way = 0;  ///< Which one makes room when there are too many.
  std::span<Way> known_ways() { return {ways, way_count}; }
  /// No message before `link` contains the reference of this number; null: there is none.
  struct Start {
    Word number = 0;
    Fragment** link = nullptr;
  };
  static constexpr unsigned kStarts = 8;
  Start starts[kStarts];
  unsigned next_start = 0;
  /// When the receive under way began to pass many messages; 0: it did not.
  std::uint64_t began_ns = 0;
  Fragment** priority_end = nullptr;  ///< Behind the last priority message; null: there is none.
  Fragment** unseen = nullptr;        ///< A priority message that the receive has to go back to.
};

/// A receive begins at `site`, a recv_start instruction; `reference` as its second operand.
void start_scan(Process& p, const Word* site, Term reference);
/// Another search, for a message that holds the reference of this number.
void start_scan_for(Process& p, Word number);
/// It, or a receive, is over without a message.
void end_scan(Process& p);
/// So many messages at most are passed in one go: by a search, or by a receive without a look at
/// whether its slice is over.
inline constexpr std::uint32_t kPassedAtOnce = 4096;
/// No arm wants the message at the scan point: on to the next that one may want, or to the end.
void pass_message(Process& p);
/// The process makes a reference: what is in its mailbox now cannot contain it.
void note_new_reference(Process& p, Word number);

/// Lets arrived signals take effect; whether there is a message at the scan point then.
PeekResult peek_arrivals(Process& p);
/// Removes the message at the scan point and makes its memory the process's; the receive is over.
void take_message(Process& p);
/// Makes the memory of a signal, whose terms the process may hold from now on, the process's.
void adopt_signal(Process& p, Signal* signal, bool as_old);
/// Takes the message at `link` out of the queue; its memory is the caller's.
Signal* unlink_message(Process& p, Fragment** link);
/// A receive with a time limit found nothing so far.
WaitResult wait_until(Process& p, Term timeout);
/// Starts the timer of a receive or waiting native, which has none; of its time `passed_ns` are
/// over already. False at the machine's limit.
bool start_receive_timer(Process& p, std::int64_t ms, std::uint64_t passed_ns = 0);
/// Stops it; it may have fired.
void stop_receive_timer(Process& p);

/// What a message takes in its mailbox.
std::size_t message_words(const Signal& message);
/// Appends a message signal to the inner queue.
void deliver(Process& p, Signal* message);
/// For places in the mailbox: `deliver_first` wants no memory afterwards.
void keep_places(Process& p);
/// Puts it before all messages without priority.
void deliver_first(Process& p, Signal* message);
/// The receive looks at nothing: it goes on with a priority message that came meanwhile. Only where
/// the process keeps places.
void go_back_to_priority(Process& p);

}  // namespace quelea
