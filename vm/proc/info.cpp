// Looking at processes, and their flags.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"
#include "vm/term/binary.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {

namespace {

constexpr std::string_view kHeapActionNames[] = {"kill", "error", "log"};
constexpr std::string_view kOnFullNames[] = {"drop_new", "drop_old", "kill", "block"};
constexpr std::string_view kPriorityNames[] = {"max", "high", "normal", "low"};

constexpr std::string_view kItems[] = {"registered_name",
                                       "status",
                                       "current_function",
                                       "initial_call",
                                       "message_queue_len",
                                       "links",
                                       "monitors",
                                       "monitored_by",
                                       "trap_exit",
                                       "priority",
                                       "heap_size",
                                       "stack_size",
                                       "total_heap_size",
                                       "memory",
                                       "reductions",
                                       "garbage_collections",
                                       "dictionary",
                                       "label",
                                       "max_heap",
                                       "min_heap",
                                       "max_mailbox",
                                       "blocked",
                                       "binary_bytes",
                                       "current_location",
                                       "messages",
                                       "current_stacktrace",
                                       "binary",
                                       "garbage_collection"};

/// What may be long is given only when asked for by name.
constexpr std::string_view kLongItems[] = {"messages", "current_stacktrace", "binary",
                                           "binary_bytes", "garbage_collection"};
/// A look copies so many messages or lists so many binaries, not more: its cost is bounded.
constexpr std::size_t kMostListed = 1000;
/// Frames that are walked in search of the oldest.
constexpr std::size_t kMostFrames = 100'000;

std::string_view status_text(const Process& process, const Process& asking) {
  if (&process == &asking) return "running";
  switch (process.state) {
    case ProcessState::Runnable:
      return "runnable";
    case ProcessState::Running:
      return "running";
    case ProcessState::Waiting:
      return "waiting";
    case ProcessState::Exiting:
      return "exiting";
  }
  return "waiting";
}

/// Builds what a look at `target` shows, in the heap of `p`.
class Look {
 public:
  Look(Process& p, Process& target) : p_(p), vm_(p.vm()), target_(target) {}

  /// none: no such item.
  Term item(std::string_view name);

 private:
  Term atom(std::string_view text) { return vm_.atoms().intern(text); }
  Term copied(Term term) { return &p_ == &target_ ? term : p_.import_in_native(term); }
  Term number(std::uint64_t value) { return Term::small(static_cast<std::int64_t>(value)); }
  ProcessExtra* extra() { return target_.extra_record; }
  Term function_at(const Word* pc);
  Term links();
  Term monitors();
  Term monitored_by();
  Term messages();
  Term binaries();
  Term collector();
  Term max_mailbox();
  Term max_heap();
  Term dictionary();

  Process& p_;
  Vm& vm_;
  Process& target_;
};

Term Look::function_at(const Word* pc) {
  const LoadedModule* module = vm_.code().module_at(pc);
  const LoadedFunction* function = module != nullptr ? module->function_at(pc) : nullptr;
  if (function == nullptr) return atoms::undefined;
  return p_.tuple(module->name, function->name, Term::small(function->arity - function->captured));
}

Term Look::links() {
  Term list = Term::nil_list();
  if (extra() == nullptr) return list;
  for (Word bits : extra()->links) list = p_.cons(Term{bits}, list);
  return list;
}

Term Look::monitors() {
  Term list = Term::nil_list();
  if (extra() == nullptr) return list;
  for (const auto& [ref, monitor] : extra()->monitors) {
    const Term object = monitor.name.is_atom() ? monitor.name : monitor.target;
    list = p_.cons(p_.tuple(atoms::process, object), list);
  }
  return list;
}

Term Look::monitored_by() {
  Term list = Term::nil_list();
  if (extra() == nullptr) return list;
  for (const auto& [ref, watcher] : extra()->watchers) list = p_.cons(watcher.pid, list);
  return list;
}

Term Look::messages() {
  std::vector<Term> terms;
  for (Fragment* f = target_.first_message; f != nullptr && terms.size() < kMostListed;
       f = f->next) {
    p_.charge(static_cast<std::int64_t>(1 + as_signal(f)->used_words() / 8));
    terms.push_back(p_.import_in_native(as_signal(f)->term));
  }
  // What it has not looked at yet lies newest first.
  std::vector<Term> arrivals;
  for (Fragment* f = target_.outer.load(std::memory_order_acquire); f != nullptr; f = f->next) {
    const SignalKind kind = as_signal(f)->kind;
    if (kind == SignalKind::Message || kind == SignalKind::AliasMessage) {
      arrivals.push_back(as_signal(f)->term);
    }
  }
  p_.charge(static_cast<std::int64_t>(arrivals.size() / 8));
  for (; !arrivals.empty() && terms.size() < kMostListed; arrivals.pop_back()) {
    terms.push_back(p_.import_in_native(arrivals.back()));
  }
  Term list = Term::nil_list();
  for (std::size_t i = terms.size(); i-- > 0;) list = p_.cons(terms[i], list);
  return list;
}

Term Look::binaries() {
  Term list = Term::nil_list();
  std::size_t count = 0;
  target_.for_each_binary([&](const SharedBytes& shared) {
    if (++count > kMostListed) return;
    const Term id = make_integer_unsigned(p_, reinterpret_cast<Word>(&shared));
    list = p_.cons(p_.tuple(id, number(shared.capacity),
                            number(shared.references.load(std::memory_order_relaxed))),
                   list);
  });
  return list;
}

Term Look::collector() {
  Term pairs[] = {atom("collections"), number(target_.collections()),
                  atom("heap_words"),  number(target_.used_words()),
                  atom("held_words"),  number(target_.held_words()),
                  atom("min_heap"),    number(target_.min_block_words()),
                  atom("max_heap"),    max_heap()};
  return map_from_pairs(p_, pairs, 5, vm_.atoms());
}

/// nil: no limit.
Term Look::max_heap() {
  if (extra() == nullptr || extra()->max_heap_words == 0) return atoms::nil;
  Term pairs[] = {atom("size"), number(extra()->max_heap_words), atom("action"),
                  atom(kHeapActionNames[static_cast<unsigned>(extra()->max_heap_action)])};
  return map_from_pairs(p_, pairs, 2, vm_.atoms());
}

Term Look::max_mailbox() {
  if (!target_.has_mailbox_limit) return atoms::nil;
  const MailboxLimit& limit = *extra()->mailbox_limit;
  Term pairs[] = {atom("size"),    number(limit.most),
                  atom("on_full"), atom(kOnFullNames[static_cast<unsigned>(limit.on_full)]),
                  atom("blocked"), number(limit.blocked.size())};
  return map_from_pairs(p_, pairs, 3, vm_.atoms());
}

Term Look::dictionary() {
  Term list = Term::nil_list();
  if (extra() == nullptr) return list;
  extra()->dictionary.for_each([&](Dictionary::Entry& entry) {
    list = p_.cons(p_.tuple(copied(entry.key), copied(entry.value)), list);
  });
  return list;
}

Term Look::item(std::string_view name) {
  const auto stack_words =
      static_cast<std::uint64_t>(target_.block_end() - reinterpret_cast<Word*>(target_.fp));
  if (name == "registered_name") {
    return extra() != nullptr && extra()->name.is_atom() ? extra()->name : Term::nil_list();
  }
  if (name == "status") return atom(status_text(target_, p_));
  if (name == "current_function") return function_at(target_.pc);
  if (name == "initial_call") {
    // The oldest frame knows no caller, so that its code is found by walking there.
    const Word* pc = target_.pc;
    std::size_t frames = 0;
    for (Term* fp = target_.fp; return_point_of(fp).base_bytes != 0;) {
      if (++frames > kMostFrames) return atoms::undefined;
      const ReturnPoint& point = return_point_of(fp);
      pc = reinterpret_cast<const Word*>(&point);
      fp = caller_of(fp, point);
    }
    return function_at(pc);
  }
  if (name == "message_queue_len") {
    std::uint64_t count = target_.message_count;
    for (Fragment* f = target_.outer.load(std::memory_order_acquire); f != nullptr; f = f->next) {
      const SignalKind kind = as_signal(f)->kind;
      count += kind == SignalKind::Message || kind == SignalKind::AliasMessage;
    }
    return number(count);
  }
  if (name == "links") return links();
  if (name == "monitors") return monitors();
  if (name == "monitored_by") return monitored_by();
  if (name == "messages") return messages();
  if (name == "dictionary") return dictionary();
  if (name == "trap_exit") return make_bool(target_.has_flag(Process::kTrapExit));
  if (name == "priority") return atom(kPriorityNames[static_cast<unsigned>(target_.priority)]);
  if (name == "heap_size") return number(target_.used_words());
  if (name == "stack_size") return number(stack_words);
  if (name == "total_heap_size") return number(target_.held_words());
  if (name == "memory") {
    return number(sizeof(Process) + target_.held_words() * sizeof(Word) +
                  (extra() != nullptr ? sizeof(ProcessExtra) : 0));
  }
  if (name == "reductions") return number(target_.reductions_done);
  if (name == "garbage_collections") return number(target_.collections());
  if (name == "label") {
    return extra() != nullptr && !extra()->label.is_none() ? copied(extra()->label) : atoms::nil;
  }
  if (name == "max_heap") return max_heap();
  if (name == "min_heap") return number(target_.min_block_words());
  if (name == "max_mailbox") return max_mailbox();
  if (name == "blocked") return make_bool(target_.has_flag(Process::kBlocked));
  if (name == "binary_bytes") return number(target_.binary_bytes());
  if (name == "binary") return binaries();
  if (name == "garbage_collection") return collector();
  if (name == "current_location") {
    const Term trace =
        &p_ == &target_ ? readable_trace(p_, capture_trace(p_)) : trace_of_other(p_, target_);
    return trace.is_cons() ? trace.head() : atoms::undefined;
  }
  if (name == "current_stacktrace") {
    return &p_ == &target_ ? readable_trace(p_, capture_trace(p_)) : trace_of_other(p_, target_);
  }
  return Term::none();
}

}  // namespace

Term Process::info(Term pid, Term item) {
  if (!pid.is_local_pid()) return badarg();
  if (item.is_list()) return info_list(pid, item);
  // One value of the dictionary: `(:dictionary, key)`.
  const bool one_value = is_tuple(item) && tuple_size(item) == 2 && tuple_at(item, 0).is_atom() &&
                         vm().atoms().text(tuple_at(item, 0)) == "dictionary";
  if (!item.is_atom() && !one_value) return badarg();
  Process* target = vm().processes().find(pid);
  if (target == nullptr) return atoms::nil;
  if (one_value) {
    const Term value = target->dictionary_get(tuple_at(item, 1));
    return target == this ? value : import_in_native(value);
  }
  const Term result = Look(*this, *target).item(vm().atoms().text(item));
  return result.is_none() ? badarg() : result;
}

/// [(item, value)], in the order asked for.
Term Process::info_list(Term pid, Term items) {
  Process* target = vm().processes().find(pid);
  std::vector<Term> pairs;
  for (; items.is_cons(); items = items.tail()) {
    if (!items.head().is_atom() || pairs.size() > std::size(kItems)) return badarg();
    if (target == nullptr) continue;
    const Term value = Look(*this, *target).item(vm().atoms().text(items.head()));
    if (value.is_none()) return badarg();
    pairs.push_back(tuple(items.head(), value));
  }
  if (!items.is_nil_list()) return badarg();
  if (target == nullptr) return atoms::nil;
  Term list = Term::nil_list();
  for (std::size_t i = pairs.size(); i-- > 0;) list = cons(pairs[i], list);
  return list;
}

Term Process::info(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  Process* target = vm().processes().find(pid);
  if (target == nullptr) return atoms::nil;
  Look look(*this, *target);
  std::vector<Term> pairs;
  for (std::string_view name : kItems) {
    if (std::find(std::begin(kLongItems), std::end(kLongItems), name) != std::end(kLongItems)) {
      continue;
    }
    pairs.push_back(vm().atoms().intern(name));
    pairs.push_back(look.item(name));
  }
  return map_from_pairs(*this, pairs.data(), pairs.size() / 2, vm().atoms());
}

Term Process::set_flag(Term flag, Term new_value) {
  if (!flag.is_atom()) return badarg();
  const std::string_view name = vm().atoms().text(flag);
  if (name == "trap_exit") {
    if (!is_bool(new_value)) return badarg();
    const Term before = make_bool(has_flag(kTrapExit));
    set_flag_bit(kTrapExit, new_value == atoms::true_);
    return before;
  }
  if (name == "priority") {
    if (!new_value.is_atom()) return badarg();
    const std::string_view wanted = vm().atoms().text(new_value);
    for (unsigned i = 0; i < 4; ++i) {
      if (kPriorityNames[i] != wanted) continue;
      const Term before = vm().atoms().intern(kPriorityNames[static_cast<unsigned>(priority)]);
      priority = static_cast<Priority>(i);
      return before;
    }
    return badarg();
  }
  if (name == "max_heap" && is_map(new_value)) {
    const Term size = map_get(new_value, vm().atoms().intern("size"), vm().atoms());
    const Term action = map_get(new_value, vm().atoms().intern("action"), vm().atoms());
    if (!size.is_small() || size.small_value() < 0) return badarg();
    if (!action.is_none()) {
      const auto named = std::find(std::begin(kHeapActionNames), std::end(kHeapActionNames),
                                   action.is_atom() ? vm().atoms().text(action) : "");
      if (named == std::end(kHeapActionNames)) return badarg();
      extra().max_heap_action = static_cast<HeapLimitAction>(named - std::begin(kHeapActionNames));
    }
    const Term before = Term::small(static_cast<std::int64_t>(extra().max_heap_words));
    extra().max_heap_words = static_cast<std::size_t>(size.small_value());
    return before;
  }
  if (!new_value.is_small() || new_value.small_value() < 0) return badarg();
  const auto words = static_cast<std::size_t>(new_value.small_value());
  if (name == "max_heap" || name == "max_heap_size") {
    const Term before = Term::small(static_cast<std::int64_t>(extra().max_heap_words));
    extra().max_heap_words = words;
    return before;
  }
  if (name == "min_heap" || name == "min_heap_size") {
    const Term before = Term::small(min_block_words_);
    set_min_block_words(words < 28 ? 28 : words > (1u << 27) ? 1u << 27 : words);
    return before;
  }
  return badarg();
}

}  // namespace quelea
