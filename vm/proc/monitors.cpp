// Monitors and aliases: references of a process that mean something to others.
//
// A monitor is one-sided: who watches notes the reference, and the watched one, when the signal
// arrives, whom it is to tell. An alias is only noted by its owner; senders find the owner in the
// reference. Both are the same entry (OwnReference), because one reference may be both: what a call
// of a server makes, whose answer comes through the alias and whose end through the monitor.
//
// Signals keep their order, and a DOWN counts only while the entry is there: after `demonitor` none
// comes, and each monitor gives one at most. That it gives one at all: the watched one has the
// watcher in its table when it ends, or finds the signal in its queue then, or the queue was closed
// before, which `post` tells the watcher.
#include "vm/native/native.h"
#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal_builder.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {

/// Whom a monitor is for. False: there is no such thing to watch.
struct Watched {
  Term target = Term::none();  ///< Pid, or the name where nobody has it.
  Term name = Term::none();
  Process* process = nullptr;

  bool find(Process& p, Term item) {
    Vm& vm = p.vm();
    if (item.is_local_pid()) {
      target = item;
      process = vm.processes().find(item);
      return true;
    }
    if (is_tuple(item) && tuple_size(item) == 2 && tuple_at(item, 0).is_atom() &&
        is_local_node(vm, tuple_at(item, 1))) {
      item = tuple_at(item, 0);
    }
    if (!item.is_atom()) return false;
    name = item;
    process = vm.names().find(item);
    target = process != nullptr ? process->self() : item;
    return true;
  }
};

void keep_tag(Process& p, Word number, Term tag) {
  auto& tags = p.extra().tags;
  if (tags == nullptr) tags = std::make_unique<TagTable>();
  OwnedSignal copy(make_signal(p.vm(), SignalKind::Down, tag, Term::none(), number));
  p.charge(static_cast<std::int64_t>(copy->used_words() / 16));
  tags->emplace(number, copy.get());
  copy.release();
}

/// Whether a message is that of a monitor of this process.
bool is_down_of(const Signal& message, Word number) {
  const Term term = message.term;
  if (!is_tuple(term) || tuple_size(term) != 5) return false;
  const Term ref = tuple_at(term, 1);
  // With a tag the first element may be anything; what a process sends can look the same only where
  // it was given the reference.
  return ref.is_kind(Kind::Ref) && ref_number(ref) == number &&
         message.kind() == SignalKind::Notice;
}

/// Goes on with the search for the message of a monitor, and takes it away. It moves the scan
/// point, as a receive does, so that its place is kept while others run. True: the search is over.
bool flush_down(Process& p, Word number) {
  std::uint32_t passed = 0;
  while (*p.scan_link != nullptr && !is_down_of(*as_signal(*p.scan_link), number)) {
    if (++passed > kPassedAtOnce) return false;
    p.scan_link = &(*p.scan_link)->next;
  }
  if (*p.scan_link != nullptr) drop_signal(unlink_message(p, p.scan_link));
  end_scan(p);
  p.charge(passed / 8);
  return true;
}

}  // namespace

ProcessExtra::~ProcessExtra() {
  if (tags == nullptr) return;
  for (auto& [number, tag] : *tags) drop_signal(tag);
}

Signal* take_tag(ProcessExtra& x, Word number) {
  auto found = x.tags->find(number);
  Signal* const tag = found->second;
  x.tags->erase(found);
  if (x.tags->empty()) x.tags.reset();
  return tag;
}

Term Process::prepare_monitor(const MonitorOptions& options) {
  const Word number = next_reference_number();
  note_new_reference(*this, number);
  const Term ref = make_ref(*this, number, self().bits);
  extra().references.make_room();
  if (!options.tag.is_none()) keep_tag(*this, number, options.tag);
  return ref;
}

void Process::note_monitor(Term ref, Term target, const MonitorOptions& options, Term name) {
  extra_record->references.insert(
      {ref_number(ref), target, name, options.alias, options.priority, !options.tag.is_none()});
}

Term Process::monitor(Term item, const MonitorOptions& options) {
  Watched watched;
  if (!watched.find(*this, item)) return badarg();
  // Watching oneself means nothing, not even an alias.
  if (watched.process == this) return alias(AliasUse::None);
  OwnedSignal signal(make_empty_signal(SignalKind::Monitor, 0, self(), 0));
  const Term ref = prepare_monitor(options);
  note_monitor(ref, watched.target, options, watched.name);
  signal->tail()->reference = ref_number(ref);
  if (watched.process == nullptr || !post(*watched.process, signal.release())) {
    post_due_signal(local(), *this, SignalKind::Down, atoms::noproc, watched.target,
                    ref_number(ref));
  }
  return ref;
}

void end_monitor(Process& p, OwnReference& reference) {
  ProcessExtra& x = *p.extra_record;
  if (reference.tagged) drop_signal(take_tag(x, reference.key));
  if (reference.alias == AliasUse::Explicit) {
    reference.target = reference.name = Term::none();
    reference.tagged = reference.priority = false;  // What is left is an alias like others.
  } else {
    x.references.erase(reference.key);
  }
}

void take_monitor_away(Process& p, OwnReference& reference) {
  const Term target = reference.target;
  if (Process* process = target.is_local_pid() ? p.vm().processes().find(target) : nullptr) {
    p.post(*process,
           make_signal(p.vm(), SignalKind::Demonitor, Term::none(), p.self(), reference.key));
  }
  end_monitor(p, reference);
}

Term Process::demonitor(Term ref, bool flush) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  const Word number = ref_number(ref);
  if (native_state == nullptr) {
    OwnReference* found = extra_record != nullptr ? extra_record->references.find(number) : nullptr;
    if (found != nullptr && !found->target.is_none()) {
      take_monitor_away(*this, *found);
      return atoms::true_;
    }
    if (!flush) return atoms::false_;
    // It fired: its message was delivered then, and is here unless it was taken. One that is still
    // to be delivered finds no monitor.
    start_scan_for(*this, number);
  }
  if (!flush_down(*this, number)) {
    if (native_state == nullptr) native_state = new NativeState;
    return again();
  }
  delete native_state;
  native_state = nullptr;
  return atoms::false_;
}

Term Process::alias(AliasUse use, bool priority) {
  const Word number = next_reference_number();
  note_new_reference(*this, number);
  const Term ref = make_ref(*this, number, self().bits);
  if (use != AliasUse::None) {
    extra().references.insert({number, Term::none(), Term::none(), use, priority, false});
  }
  return ref;
}

Term Process::unalias(Term ref) {
  if (!ref.is_kind(Kind::Ref)) return badarg();
  OwnReference* found =
      extra_record != nullptr ? extra_record->references.find(ref_number(ref)) : nullptr;
  if (found == nullptr || found->alias == AliasUse::None) return atoms::false_;
  found->alias = AliasUse::None;
  if (found->target.is_none()) extra_record->references.erase(found->key);
  return atoms::true_;
}

}  // namespace quelea
