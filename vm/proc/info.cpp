// Looking at processes.
//
// Nobody reads another process: it may run. Who asks sends it a signal `Look` and waits, as a
// native that is called again when something arrived; the process asked answers when it handles
// signals, between its slices or at a receive, of itself and at a place where all of it is in
// order. It builds the answer in the memory of the answer's signal, which becomes the asking
// process's as a message would. A process that ends answers `nil`, as do those that are not there.
// Nothing of this is in either mailbox, and a receive or a native of the other that waits goes on
// waiting.
//
// What an answer costs the other is bounded: of what may be long, so much is shown and no more
// (kMost…).
#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "vm/base/memory.h"
#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/native/native.h"
#include "vm/proc/local.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/option_names.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/signal_builder.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"
#include "vm/term/binary.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"
#include "vm/term/work.h"

namespace quelea {

namespace {

constexpr std::string_view kItems[] = {"registered_name",
                                       "status",
                                       "current_function",
                                       "initial_call",
                                       "parent",
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
                                       "group_leader",
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
/// So many messages and binaries are shown,
constexpr std::size_t kMostListed = 1000;
/// so many links, monitors and keys of the dictionary each,
constexpr std::size_t kMostRelations = 100'000;
/// and so many in one look, which may ask for the same again and again,
constexpr std::size_t kMostRelationsInAll = 4 * kMostRelations;
/// so many words of terms that are copied (messages, the dictionary, a label) in one look.
constexpr std::size_t kMostCopiedWords = std::size_t{1} << 17;
/// So many binaries are looked at; of more of them it is known what they take together, but not
/// which of them share their bytes.
constexpr std::size_t kMostBinaries = 8192;
/// Frames that are walked in search of the oldest.
constexpr std::size_t kMostFrames = 100'000;

/// How many of one kind are shown, of those that may be in all.
struct Share {
  explicit Share(std::size_t& left_in_all)
      : in_all(left_in_all), first(std::min(kMostRelations, left_in_all)), left(first) {}
  ~Share() { in_all -= first - left; }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  std::size_t& in_all;
  const std::size_t first;
  std::size_t left;
};

/// Builds what a look at `target` shows; only `target` itself does that, for itself or for another.
class Look {
 public:
  Look(TermAlloc& to, Process& target, bool for_another)
      : to_(to), vm_(target.vm()), target_(target), for_another_(for_another) {}

  /// For an item: its value. For a list of items: [(item, value)]. For `nil`: a map of the usual
  /// ones. What is asked for was checked (`is_answerable`).
  Term answer(Term asked);

 private:
  Term item(std::string_view name);
  std::uint64_t reductions();
  Term sizes(std::string_view name);
  Term map_of_all();
  Term atom(std::string_view text) { return vm_.atoms().intern(text, AtomOf::Machine); }
  Term number(std::uint64_t value) { return Term::small(static_cast<std::int64_t>(value)); }
  ProcessExtra* extra() { return target_.extra_record; }
  Term copied(Term term, bool foreign);
  std::string_view status() const;
  enum class Frame : std::uint8_t { Newest, Oldest };
  Term function_at(const Word* pc, Frame which);
  Term initial_call();
  Term trace();
  Term links();
  Term monitors();
  Term monitored_by();
  Term messages();
  Term binaries();
  Term collector();
  Term max_mailbox();
  Term max_heap();
  Term dictionary();

  TermAlloc& to_;
  Vm& vm_;
  Process& target_;
  const bool for_another_;
  std::size_t words_left_ = kMostCopiedWords;
  std::size_t relations_left_ = kMostRelationsInAll;
};

/// A term of the target's heap, or with `foreign` of a message, where the answer is built;
/// :too_large where it has more words than are left.
Term Look::copied(Term term, bool foreign) {
  if (!term.is_pointer() || (!foreign && !for_another_)) return term;
  const std::size_t words = term_words(term, vm_.copy_options(), words_left_ + 1);
  if (words > words_left_) return atom("too_large");
  words_left_ -= words;
  target_.charge(static_cast<std::int64_t>(1 + words / 8));
  return copy_term(to_, term, vm_.copy_options());
}

std::string_view Look::status() const {
  if (!for_another_) return "running";
  // Before its slice a process still says why its last one was over.
  const bool waits =
      target_.pending == Process::Pending::Wait || target_.pending == Process::Pending::Hibernate;
  return waits ? "waiting" : "runnable";
}

/// The function that runs there: of those inlined into each other the newest or the oldest.
Term Look::function_at(const Word* pc, Frame which) {
  const LoadedModule* module = vm_.code().module_at(pc);
  const LoadedFunction* function = nullptr;
  if (module != nullptr) {
    module->each_frame(pc, [&](const LoadedFunction& one, std::uint32_t, std::uint32_t) {
      function = &one;
      return which == Frame::Oldest;
    });
  }
  if (function == nullptr) return atoms::undefined;
  return to_.tuple(module->name, function->name, Term::small(function->arity - function->captured));
}

/// The oldest frame knows no caller, so that its code is found by walking there.
Term Look::initial_call() {
  const Word* pc = target_.pc;
  std::size_t frames = 0;
  Term* fp = newest_frame(target_);
  if (fp == nullptr) return atoms::undefined;
  while (return_point_of(fp).base_bytes != 0) {
    if (++frames > kMostFrames) return atoms::undefined;
    const ReturnPoint& point = return_point_of(fp);
    pc = reinterpret_cast<const Word*>(&point);
    fp = caller_of(fp, point);
  }
  return function_at(pc, Frame::Oldest);
}

Term Look::trace() {
  if (for_another_) return trace_of_other(to_, target_);
  return readable_trace(target_, capture_trace(target_));
}

Term Look::links() {
  Term list = Term::nil_list();
  Share share(relations_left_);
  std::size_t& left = share.left;
  if (extra() == nullptr) return list;
  extra()->links.for_each([&](const LinkEnd& end) {
    if (left != 0) list = to_.cons(Term{end.key}, list), --left;
  });
  return list;
}

Term Look::monitors() {
  Term list = Term::nil_list();
  Share share(relations_left_);
  std::size_t& left = share.left;
  if (extra() == nullptr) return list;
  extra()->references.for_each([&](const OwnReference& reference) {
    if (left == 0 || reference.target.is_none()) return;
    Term object = reference.target;
    if (reference.name.is_atom()) object = to_.tuple(reference.name, local_node(vm_));
    list = to_.cons(to_.tuple(atoms::process, object), list);
    --left;
  });
  return list;
}

Term Look::monitored_by() {
  Term list = Term::nil_list();
  Share share(relations_left_);
  std::size_t& left = share.left;
  if (extra() == nullptr) return list;
  extra()->watchers.for_each([&](const Watcher& watcher) {
    if (left != 0) list = to_.cons(watcher.pid, list), --left;
  });
  return list;
}

Term Look::messages() {
  std::vector<Term> terms;
  for (Fragment* f = target_.first_message; f != nullptr && terms.size() < kMostListed;
       f = f->next) {
    terms.push_back(copied(as_signal(f)->term, true));
  }
  Term list = Term::nil_list();
  for (std::size_t i = terms.size(); i-- > 0;) list = to_.cons(terms[i], list);
  return list;
}

Term Look::binaries() {
  Term list = Term::nil_list();
  std::size_t count = 0;
  target_.for_each_binary(kMostBinaries, [&](const SharedBytes& shared) {
    if (++count > kMostListed) return;
    const Term id = make_integer_unsigned(to_, reinterpret_cast<Word>(&shared));
    list = to_.cons(to_.tuple(id, number(shared.capacity),
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
  return map_from_pairs(to_, pairs, 5, vm_.atoms());
}

/// nil: no limit.
Term Look::max_heap() {
  if (extra() == nullptr || extra()->max_heap_words == 0) return atoms::nil;
  Term pairs[] = {atom("size"), number(extra()->max_heap_words), atom("action"),
                  atom(kHeapActionNames[static_cast<unsigned>(extra()->max_heap_action)])};
  return map_from_pairs(to_, pairs, 2, vm_.atoms());
}

Term Look::max_mailbox() {
  if (!target_.has_mailbox_limit) return atoms::nil;
  const MailboxLimit& limit = *extra()->mailbox_limit;
  Term pairs[] = {atom("size"),    number(limit.most),
                  atom("on_full"), atom(kOnFullNames[static_cast<unsigned>(limit.on_full)]),
                  atom("blocked"), number(limit.blocked.size())};
  return map_from_pairs(to_, pairs, 3, vm_.atoms());
}

Term Look::dictionary() {
  Term list = Term::nil_list();
  Share share(relations_left_);
  std::size_t& left = share.left;
  if (extra() == nullptr) return list;
  for (Dictionary::Place at; left != 0;) {
    // Of as many places no more can be entries.
    const bool over = extra()->dictionary.visit_some(at, left, [&](Dictionary::Entry& entry) {
      const Term key = copied(entry.key, false);
      list = to_.cons(to_.tuple(key, copied(entry.value, false)), list);
      --left;
    });
    if (over) break;
  }
  return list;
}

/// Of the slice under way, too: a process answers in one.
std::uint64_t Look::reductions() {
  const std::int64_t left = target_.reductions + target_.held_reductions;
  return target_.reductions_done + static_cast<std::uint64_t>(target_.local().slice_length - left);
}

/// none: not one of the sizes.
Term Look::sizes(std::string_view name) {
  if (name == "message_queue_len") return number(target_.message_count);
  if (name == "heap_size") return number(target_.used_words());
  if (name == "stack_size") {
    return number(
        static_cast<std::uint64_t>(target_.block_end() - reinterpret_cast<Word*>(target_.fp)));
  }
  if (name == "total_heap_size") return number(target_.held_words());
  if (name == "memory") {
    return number(sizeof(Process) + target_.held_words() * sizeof(Word) +
                  (extra() != nullptr ? extra()->bytes() : 0));
  }
  if (name == "reductions") return number(reductions());
  if (name == "garbage_collections") return number(target_.collections());
  if (name == "min_heap") return number(target_.min_block_words());
  if (name == "binary_bytes") return number(target_.binary_bytes(kMostBinaries));
  return Term::none();
}

Term Look::item(std::string_view name) {
  if (const Term size = sizes(name); !size.is_none()) return size;
  if (name == "registered_name") {
    const Term registered = target_.registered_name();
    return registered.is_atom() ? registered : Term::nil_list();
  }
  if (name == "status") return atom(status());
  if (name == "current_function") return function_at(target_.pc, Frame::Newest);
  if (name == "initial_call") return initial_call();
  if (name == "parent") return target_.parent_;
  if (name == "links") return links();
  if (name == "monitors") return monitors();
  if (name == "monitored_by") return monitored_by();
  if (name == "messages") return messages();
  if (name == "dictionary") return dictionary();
  if (name == "trap_exit") return make_bool(target_.has_flag(Process::kTrapExit));
  if (name == "priority") return atom(kPriorityNames[static_cast<unsigned>(target_.priority)]);
  if (name == "label") {
    const Term label = extra() != nullptr ? extra()->label : Term::none();
    return label.is_none() ? atoms::nil : copied(label, false);
  }
  if (name == "group_leader") return group_leader_of(target_);
  if (name == "max_heap") return max_heap();
  if (name == "max_mailbox") return max_mailbox();
  if (name == "blocked") return make_bool(target_.has_flag(Process::kBlocked));
  if (name == "binary") return binaries();
  if (name == "garbage_collection") return collector();
  const Term frames = trace();
  if (name == "current_stacktrace") return frames;
  return frames.is_cons() ? frames.head() : atoms::undefined;
}

Term Look::map_of_all() {
  std::vector<Term> pairs;
  for (std::string_view name : kItems) {
    if (std::find(std::begin(kLongItems), std::end(kLongItems), name) != std::end(kLongItems)) {
      continue;
    }
    pairs.push_back(atom(name));
    pairs.push_back(item(name));
  }
  return map_from_pairs(to_, pairs.data(), pairs.size() / 2, vm_.atoms());
}

Term Look::answer(Term asked) {
  if (asked == atoms::nil) return map_of_all();
  if (asked.is_atom()) return item(vm_.atoms().text(asked));
  if (is_tuple(asked)) {
    // One value of the dictionary: `(:dictionary, key)`.
    std::size_t work = kMayGiveUp;
    const Term value = target_.dictionary_get(tuple_at(asked, 1), work);
    return gave_up(work) ? atom("too_large") : copied(value, false);
  }
  std::vector<Term> pairs;
  for (; asked.is_cons(); asked = asked.tail()) {
    pairs.push_back(to_.tuple(asked.head(), item(vm_.atoms().text(asked.head()))));
  }
  Term list = Term::nil_list();
  for (std::size_t i = pairs.size(); i-- > 0;) list = to_.cons(pairs[i], list);
  return list;
}

bool is_item(const AtomTable& atoms, Term term) {
  return term.is_atom() &&
         std::find(std::begin(kItems), std::end(kItems), atoms.text(term)) != std::end(kItems);
}

/// An item, a list of not too many, a value of the dictionary, or `nil` for all.
bool is_answerable(const AtomTable& atoms, Term asked) {
  if (asked == atoms::nil || is_item(atoms, asked)) return true;
  if (is_tuple(asked)) {
    return tuple_size(asked) == 2 && tuple_at(asked, 0).is_atom() &&
           atoms.text(tuple_at(asked, 0)) == "dictionary";
  }
  std::size_t count = 0;
  for (; asked.is_cons(); asked = asked.tail()) {
    if (!is_item(atoms, asked.head()) || ++count > std::size(kItems)) return false;
  }
  return asked.is_nil_list();
}

/// What a process that waits for an answer keeps.
struct AwaitedAnswer : NativeState {
  Word number = 0;
  Signal* answer = nullptr;
  ~AwaitedAnswer() override {
    if (answer != nullptr) drop_signal(answer);
  }
};

/// The answer came; its memory is the process's now.
Term take_answer(Process& p, AwaitedAnswer& awaited) {
  Signal* answer = awaited.answer;
  awaited.answer = nullptr;
  delete p.native_state;
  p.native_state = nullptr;
  const Term term = answer->term;
  p.charge(static_cast<std::int64_t>(answer->used_words() / 16));
  adopt_signal(p, answer, false);
  return term;
}

}  // namespace

Term Process::info(Term pid, Term asked) {
  if (!pid.is_local_pid() || !is_answerable(vm().atoms(), asked)) return badarg();
  if (pid == self()) {
    return arrivals_took_effect() ? Look(*this, *this, false).answer(asked) : Term::none();
  }
  if (native_state != nullptr) {
    auto& awaited = static_cast<AwaitedAnswer&>(*native_state);
    return awaited.answer != nullptr ? take_answer(*this, awaited) : again_when_woken();
  }
  if (!on_pool() && is_huge_message(*this, asked)) return to_pool();
  Process* target = vm().processes().find(pid);
  const Word number = next_reference_number();
  auto awaited = std::make_unique<AwaitedAnswer>();
  if (target == nullptr ||
      !post(*target, make_signal(vm(), SignalKind::Look, asked, self(), number))) {
    return atoms::nil;
  }
  awaited->number = number;
  native_state = awaited.release();
  return again_when_woken();
}

namespace {
/// Null: there is no memory for it.
Signal* good_answer(Process& p, const Signal& look) {
  constexpr std::size_t kRoom = 256;
  try {
    OwnedSignal answer(
        make_empty_signal(SignalKind::LookAnswer, kRoom, p.self(), look.reference()));
    {
      SignalBuilder builder(answer.get(), 4 * kRoom);
      answer->term = Look(builder, p, true).answer(look.term);
    }
    return answer.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
}  // namespace

void answer_look(Process& p, const Signal& look, bool alive) {
  Process* asking = p.vm().processes().find(look.from());
  if (asking == nullptr) return;
  // Whoever asked waits for an answer, if there is no memory for a good one.
  if (Signal* answer = alive ? good_answer(p, look) : nullptr) {
    p.charge(static_cast<std::int64_t>(answer->used_words() / 8));
    p.post(*asking, answer);
  } else {
    post_due_signal(p.local(), *asking, SignalKind::LookAnswer, atoms::nil, p.self(),
                    look.reference());
  }
}

bool take_look_answer(Process& p, Signal* answer) {
  auto awaited = dynamic_cast<AwaitedAnswer*>(p.native_state);
  if (awaited == nullptr || awaited->number != answer->reference()) return false;
  awaited->answer = answer;
  return true;
}

}  // namespace quelea
