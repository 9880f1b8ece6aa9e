// Mailboxes with a limit (`spawn_opt(f, max_mailbox: n, on_full: policy)`).
//
// The problem: whoever sends faster than the receiver works fills the machine's memory, and it is
// not the sender who pays. A limit must hold where messages are made, not where they are looked at:
// a receiver that is never scheduled must not be flooded either.
//
// The idea. Messages on their way and messages queued are counted together, in one counter that
// senders raise before they copy anything and the owner lowers when a message leaves. Everything
// else goes through signals, as all that processes do to each other:
//
//   drop_new  the sender, finding no room, sends nothing.
//   drop_old  the message goes its way, and the owner removes its oldest one when it arrives. A
//             sender that is far ahead of the owner gives up the rest of its slice.
//   kill      the sender sends `MailboxFull` instead, once; the owner dies of it with the reason
//             :mailbox_full, which cannot be trapped.
//   block     the message goes its way, followed by `Blocked`. The sender stops at its next safe
//             point, until the owner answers `Unblocked`: one for each message that leaves, or all
//             at once when it has room or ends. Nothing is sent twice, no order changes, a sender
//             that is killed meanwhile is simply gone, and whoever sends to itself never waits.
//
// Counted is what processes and timers send. What the machine itself puts into a mailbox, DOWN and
// EXIT messages, is neither counted nor dropped. Timers never wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "vm/base/machine_allocator.h"
#include "vm/proc/process.h"
#include "vm/proc/signal.h"

namespace quelea {

struct MailboxLimit {
  MailboxLimit(std::uint32_t limit, OnFull policy) : most(limit), on_full(policy) {}

  const std::uint32_t most;
  const OnFull on_full;
  /// Counted messages, sent and not taken. Any thread; the order of signals does not depend on it.
  std::atomic<std::uint32_t> queued{0};
  std::atomic<bool> killed{false};    ///< `MailboxFull` was sent.
  const Fragment* fetched = nullptr;  ///< Owner only: what a receive looks at is not dropped.
  std::deque<Term, MachineAllocator<Term>> blocked;  ///< Pids of senders that wait. Owner only.
};

/// The slow half of `admit_message`.
bool admit_to_limited(SchedulerLocal& here, Process* sender, Process& to);

/// Counts a message that is about to be sent; null stands for a timer. False: it is not to be sent.
inline bool admit_message(SchedulerLocal& here, Process* sender, Process& to) {
  return QUELEA_LIKELY(!to.has_mailbox_limit) || admit_to_limited(here, sender, to);
}
/// A counted message is not sent after all.
void take_back_admission(Process& to);
/// After a message was sent to a process with a limit: the sender may have to wait. Where there is
/// no memory to say so it does not.
void wait_for_room(Process& sender, Process& to);

/// Whether a queued message counts.
inline bool is_counted(const Signal& message) { return message.kind() != SignalKind::Notice; }
/// Owner: a counted message left the mailbox.
void message_left(Process& p);
/// Owner: a receive looks at `message` (null: at none), which must stay while signals are handled.
void note_fetched(Process& p, const Fragment* message);
/// Owner: removes the oldest counted messages where that is the policy and there are too many.
void drop_oldest(Process& p);
/// Owner: `sender` waits for room.
void note_blocked(Process& p, Term sender);
/// Owner: `sender` waits no more.
void unblock(Process& p, Term sender);
/// Owner: it ends, and nobody waits for it any more.
void release_blocked(Process& p);

}  // namespace quelea
