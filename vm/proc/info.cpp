// Looking at processes, and their flags.
#include <string_view>

#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"
#include "vm/term/map.h"

namespace quelea {

namespace {

constexpr std::string_view kPriorityNames[] = {"max", "high", "normal", "low"};

constexpr std::string_view kItems[] = {
    "registered_name",   "status",   "current_function", "initial_call",
    "message_queue_len", "links",    "monitors",         "monitored_by",
    "trap_exit",         "priority", "heap_size",        "stack_size",
    "total_heap_size",   "memory",   "reductions",       "garbage_collections",
    "dictionary",        "label",    "messages",         "current_stacktrace"};

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
  for (Fragment* f = target_.first_message; f != nullptr; f = f->next) {
    terms.push_back(p_.import_in_native(as_signal(f)->term));
  }
  Term list = Term::nil_list();
  for (std::size_t i = terms.size(); i-- > 0;) list = p_.cons(terms[i], list);
  return list;
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
    for (Term* fp = target_.fp; return_point_of(fp).base_bytes != 0;) {
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
  if (name == "current_stacktrace") {
    return &p_ == &target_ ? readable_trace(p_, capture_trace(p_)) : Term::nil_list();
  }
  return Term::none();
}

}  // namespace

Term Process::info(Term pid, Term item) {
  if (!pid.is_local_pid() || !item.is_atom()) return badarg();
  Process* target = vm().processes().find(pid);
  if (target == nullptr) return atoms::nil;
  const Term result = Look(*this, *target).item(vm().atoms().text(item));
  return result.is_none() ? badarg() : result;
}

Term Process::info(Term pid) {
  if (!pid.is_local_pid()) return badarg();
  Process* target = vm().processes().find(pid);
  if (target == nullptr) return atoms::nil;
  Look look(*this, *target);
  std::vector<Term> pairs;
  for (std::string_view name : kItems) {
    // What may be long is given only when asked for by name.
    if (name == "messages" || name == "current_stacktrace") continue;
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
