#include "vm/proc/mailbox_limit.h"

#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

/// So many uncounted messages are passed in search of the oldest counted one, not more.
constexpr unsigned kMostPassed = 1000;

MailboxLimit& limit_of(Process& p) { return *p.extra_record->mailbox_limit; }

}  // namespace

void unblock(Process& p, Term sender) {
  if (Process* process = p.vm().processes().find(sender)) {
    post_due_signal(p.local(), *process, SignalKind::Unblocked, Term::none(), p.self());
  }
}

bool admit_to_limited(SchedulerLocal& here, Process* sender, Process& to) {
  MailboxLimit& limit = limit_of(to);
  // Relaxed: the count bounds memory, it guards none.
  const std::uint32_t before = limit.queued.fetch_add(1, std::memory_order_relaxed);
  if (before < limit.most) return true;
  switch (limit.on_full) {
    case OnFull::Block:
      return true;
    case OnFull::DropOld:
      if (before / 2 >= limit.most && sender != nullptr && sender != &to) {
        sender->charge(sender->reductions);
      }
      return true;
    case OnFull::DropNew:
      break;
    case OnFull::Kill:
      if (!limit.killed.exchange(true, std::memory_order_relaxed)) {
        const Term from = sender != nullptr ? sender->self() : Term::none();
        post_due_signal(here, to, SignalKind::MailboxFull, Term::none(), from);
        if (sender == &to) to.interrupt_slice();
      }
      break;
  }
  take_back_admission(to);
  return false;
}

void take_back_admission(Process& to) {
  limit_of(to).queued.fetch_sub(1, std::memory_order_relaxed);
}

void wait_for_room(Process& sender, Process& to) {
  MailboxLimit& limit = limit_of(to);
  if (limit.on_full != OnFull::Block || &sender == &to ||
      limit.queued.load(std::memory_order_relaxed) <= limit.most) {
    return;
  }
  Signal* blocked = nullptr;
  try {
    sender.extra();
    blocked = make_signal(sender.vm(), SignalKind::Blocked, Term::none(), sender.self());
  } catch (const std::bad_alloc&) {
    return;  // The message is sent already.
  }
  if (!sender.post(to, blocked)) return;
  ++sender.extra_record->blocked_sends;
  sender.set_flag_bit(Process::kBlocked, true);
  sender.interrupt_slice();
}

void note_blocked(Process& p, Term sender) {
  if (p.extra_record == nullptr || p.extra_record->mailbox_limit == nullptr) return;
  MailboxLimit& limit = limit_of(p);
  if (limit.queued.load(std::memory_order_relaxed) <= limit.most) {
    unblock(p, sender);
  } else {
    limit.blocked.push_back(sender);
  }
}

void message_left(Process& p) {
  MailboxLimit& limit = limit_of(p);
  const std::uint32_t left = limit.queued.fetch_sub(1, std::memory_order_relaxed) - 1;
  while (!limit.blocked.empty()) {
    unblock(p, limit.blocked.front());
    limit.blocked.pop_front();
    if (left > limit.most) break;
  }
}

void note_fetched(Process& p, const Fragment* message) { limit_of(p).fetched = message; }

void drop_oldest(Process& p) {
  MailboxLimit& limit = limit_of(p);
  if (limit.on_full != OnFull::DropOld) return;
  while (limit.queued.load(std::memory_order_relaxed) > limit.most) {
    Fragment** link = &p.first_message;
    // The message a receive looks at is about to be taken, or to be passed. What only lies where it
    // will look next is not: the oldest may go.
    for (unsigned passed = 0; *link != nullptr; link = &(*link)->next) {
      if (is_counted(*as_signal(*link)) && *link != limit.fetched) break;
      if (++passed > kMostPassed) return;
    }
    if (*link == nullptr) return;
    drop_signal(unlink_message(p, link));
  }
}

void release_blocked(Process& p) {
  for (Term sender : limit_of(p).blocked) unblock(p, sender);
  limit_of(p).blocked.clear();
}

}  // namespace quelea
