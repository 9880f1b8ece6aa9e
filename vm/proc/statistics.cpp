#include "vm/proc/statistics.h"

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
void raise_alarm(Process& p, const Statistics& statistics, const char* kind, std::uint64_t value,
                 const char* unit) {
  Vm& vm = p.vm();
  const Term receiver = statistics.alarm_receiver;
  Process* target = nullptr;
  if (receiver.is_atom()) target = vm.names().find(receiver);
  if (receiver.is_local_pid()) target = vm.processes().find(receiver);
  if (target == &p) return;  // Its own alarms would alarm it again.
  if (target == nullptr) {
    vm.log(LogLevel::Warning,
           named(p) + " raised " + kind + ": " + std::to_string(value) + " " + unit);
    return;
  }
  const Term atom = vm.atoms().intern("alarm");
  const Term kind_atom = vm.atoms().intern(kind);
  if (atom.is_none() || kind_atom.is_none()) return;
  AlarmTerm memory;
  const Term message =
      memory.tuple(atom, kind_atom, p.self(), Term::small(static_cast<std::int64_t>(value)));
  post_signal(*target, make_signal(vm, SignalKind::Message, message, Term::none()));
}

}  // namespace

void check_slice(Process& p, Statistics& statistics, std::uint64_t slice_ns) {
  if (statistics.long_schedule_ns != 0 && slice_ns > statistics.long_schedule_ns) {
    raise_alarm(p, statistics, "long_schedule", slice_ns / 1'000'000, "ms");
  }
  if (statistics.long_mailbox == 0) return;
  // Once when it grows past the limit; again after it was short.
  const bool is_long = p.message_count > statistics.long_mailbox;
  const bool was_long = p.extra_record != nullptr && p.extra_record->mailbox_was_long;
  if (is_long && !was_long) {
    p.extra().mailbox_was_long = true;
    raise_alarm(p, statistics, "long_mailbox", p.message_count, "messages");
  } else if (was_long && p.message_count <= statistics.long_mailbox / 2) {
    p.extra_record->mailbox_was_long = false;
  }
}

void check_collection(Process& p, Statistics& statistics, std::uint64_t collection_ns) {
  if (collection_ns > statistics.long_collection_ns) {
    raise_alarm(p, statistics, "long_collection", collection_ns / 1'000'000, "ms");
  }
}

}  // namespace quelea
