#include "vm/proc/statistics.h"

#include <new>
#include <string>

#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

/// Memory for the few words of an alarm, which is copied at once.
struct AlarmTerm : TermAlloc {
  AlarmTerm() {
    hp = words;
    limit = words + 16;
  }
  Word words[16];
};

/// `(:alarm, kind, pid, value)` to the receiver, or a line in the log.
void raise_alarm(Process& p, const char* kind, std::uint64_t value, const char* unit) {
  Vm& vm = p.vm();
  const Term receiver{vm.alarms().receiver.load(std::memory_order_relaxed)};
  Process* target = nullptr;
  if (receiver.is_atom()) target = vm.names().find(receiver);
  if (receiver.is_local_pid()) target = vm.processes().find(receiver);
  if (target == &p) return;  // Its own alarms would alarm it again.
  if (target == nullptr) {
    vm.log(LogLevel::Warning,
           named(p) + " raised " + kind + ": " + std::to_string(value) + " " + unit);
    return;
  }
  const Term atom = vm.atoms().intern("alarm", AtomOf::Machine);
  const Term kind_atom = vm.atoms().intern(kind, AtomOf::Machine);
  AlarmTerm memory;
  const Term message =
      memory.tuple(atom, kind_atom, p.self(), Term::small(static_cast<std::int64_t>(value)));
  p.post(*target, make_signal(vm, SignalKind::Notice, message, Term::none()));
}

void check_mailbox(Process& p, std::uint32_t most_messages) {
  // Once when it grows past the limit; again after it was short.
  const bool is_long = p.message_count > most_messages;
  const bool was_long = p.extra_record != nullptr && p.extra_record->mailbox_was_long;
  if (is_long && !was_long) {
    ProcessExtra& x = p.extra();
    raise_alarm(p, "long_mailbox", p.message_count, "messages");
    x.mailbox_was_long = true;
  } else if (was_long && p.message_count <= most_messages / 2) {
    p.extra_record->mailbox_was_long = false;
  }
}

/// No alarm where there is no memory for it.
template <class Raise>
void where_memory_lets(Raise raise) {
  try {
    raise();
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace

void check_slice(Process& p, std::uint64_t slice_ns) {
  const Alarms& alarms = p.vm().alarms();
  const std::uint64_t most_ns = alarms.long_schedule_ns.load(std::memory_order_relaxed);
  if (most_ns != 0 && slice_ns > most_ns) {
    where_memory_lets([&] { raise_alarm(p, "long_schedule", slice_ns / 1'000'000, "ms"); });
  }
  const std::uint32_t most_messages = alarms.long_mailbox.load(std::memory_order_relaxed);
  if (most_messages != 0) where_memory_lets([&] { check_mailbox(p, most_messages); });
}

void check_collection(Process& p, std::uint64_t collection_ns) {
  if (collection_ns > p.vm().alarms().long_collection_ns.load(std::memory_order_relaxed)) {
    where_memory_lets([&] { raise_alarm(p, "long_collection", collection_ns / 1'000'000, "ms"); });
  }
}

}  // namespace quelea
