// Making processes.
#include <algorithm>
#include <memory>
#include <vector>

#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"
#include "vm/proc/vm.h"
#include "vm/term/copy.h"
#include "vm/term/identity.h"
#include "vm/term/work.h"

namespace quelea {

namespace {

/// Record and block of a process with the smallest frames are one piece of 384 bytes, which has
/// room for frames of eleven slots before the first collection.
constexpr std::size_t kMinBlockWords = 15;
/// What the first frame leaves of the block at least.
constexpr std::size_t kSpareWords = 6;
constexpr std::size_t kMaxBlockRequest = std::size_t{1} << 27;

struct Start {
  const Word* entry;
  std::vector<Term> arguments;  ///< Captured values included; terms of the parent.
  Term module, function;
  std::uint32_t arity;
};

std::size_t frame_slots(Vm& vm, const Word* entry) {
  const LoadedModule* module = vm.code().module_at(entry);
  const LoadedFunction* function = module != nullptr ? module->function_at(entry) : nullptr;
  return function != nullptr ? function->frame_slots : 0;
}

/// Copies arguments into the child and puts them into its first frame.
void fill_first_frame(Vm& vm, Process& child, const Start& start, std::size_t slots) {
  auto fp = reinterpret_cast<Term*>(child.block_end() - 1);
  child.limit = child.block_end() - std::max(slots, start.arguments.size() + 1) - kRedZoneSlots;
  fp->bits = make_return_word(reinterpret_cast<Word>(vm.bottom_return_point), 0);
  for (std::size_t i = 0; i < start.arguments.size(); ++i) {
    fp[-1 - static_cast<std::ptrdiff_t>(i)] =
        copy_term(child, start.arguments[i], vm.copy_options());
  }
  if (child.in_fragment()) child.leave_fragment();
  child.pc = start.entry;
  child.fp = fp;
  child.live_map = kEmptyLiveMap;
  child.extra_first = 1;
  child.extra_count = static_cast<std::uint16_t>(start.arguments.size());
}

/// Of each argument at most `most` are counted.
std::size_t argument_words(Vm& vm, const Start& start, std::size_t most) {
  std::size_t words = 0;
  for (Term argument : start.arguments) {
    if (argument.is_pointer()) words += term_words(argument, vm.copy_options(), most);
  }
  return words;
}

struct NewProcessDropper {
  void operator()(Process* process) const { process->vm().forget_new(*process); }
};
/// A process that nobody knows yet.
using NewProcess = std::unique_ptr<Process, NewProcessDropper>;

void set_limits(Process& child, const SpawnOptions& options) {
  if (options.max_heap_words != 0) {
    child.extra().max_heap_words = options.max_heap_words;
    child.extra().max_heap_action = options.max_heap_action;
  }
  if (options.max_mailbox != 0) {
    child.extra().mailbox_limit =
        std::make_unique<MailboxLimit>(options.max_mailbox, options.on_full);
    child.has_mailbox_limit = true;
  }
}

/// Null: there are too many processes, or there is no memory for it.
NewProcess make_child(SchedulerLocal& here, const Start& start, std::size_t argument_words,
                      const SpawnOptions& options) {
  Vm& vm = *here.vm;
  const std::size_t slots = frame_slots(vm, start.entry);
  std::size_t words = std::max(slots, start.arguments.size() + 1) + kRedZoneSlots + argument_words;
  words = std::max(
      {words + kSpareWords, kMinBlockWords, std::min(options.min_heap_words, kMaxBlockRequest)});
  NewProcess child(vm.new_process(here, words));
  if (child == nullptr) return nullptr;
  child->priority = options.priority;
  fill_first_frame(vm, *child, start, slots);
  set_limits(*child, options);
  if (!vm.processes().give_pid(*child, here.free_places)) return nullptr;
  return child;
}

/// Others get to know the child, and parent and child of each other: wants no memory. False: the
/// name is not to be had.
bool introduce(Process& parent, Process& child, const SpawnOptions& options, Term monitor_ref) {
  Vm& vm = parent.vm();
  vm.processes().show(child);
  if (options.name.is_atom() && !vm.names().add(options.name, child)) {
    if (options.monitor && !options.monitoring.tag.is_none())
      drop_signal(take_tag(*parent.extra_record, ref_number(monitor_ref)));
    child.pending = Process::Pending::Killed;
    vm.end_process(child);
    return false;
  }
  if (options.link) {
    const std::uint32_t number = next_link_number(*parent.extra_record);
    parent.extra_record->links.insert({child.self().bits, number, options.link_priority, 0});
    child.extra_record->links.insert({parent.self().bits, 0, false, number});
  }
  if (options.monitor) {
    parent.note_monitor(monitor_ref, child.self(), options.monitoring);
    child.extra_record->watchers.insert({ref_number(monitor_ref), parent.self()});
  }
  vm.schedulers().make_runnable(parent.local(), child);
  return true;
}

/// All that may want memory comes before anybody can see the child.
Term finish_spawn(Process& parent, const Start& start, const SpawnOptions& options) {
  const std::size_t words = argument_words(parent.vm(), start, kSharingThreshold);
  // A copy that takes some milliseconds is made where nobody waits for it.
  if (QUELEA_UNLIKELY(words >= kSharingThreshold) && !parent.on_pool() &&
      argument_words(parent.vm(), start, kMostWalk) >= kMostWalk) {
    return parent.to_pool();
  }
  NewProcess child = make_child(parent.local(), start, words, options);
  if (child == nullptr) return parent.raise_error(atoms::system_limit);
  child->parent_ = parent.self();
  if (parent.extra_record != nullptr && !parent.extra_record->group_leader.is_none()) {
    child->extra().group_leader = parent.extra_record->group_leader;
  }
  if (options.link || options.monitor) child->extra();  // Has room for one of each.
  if (options.link) parent.extra().links.make_room();
  if (options.name.is_atom()) parent.vm().names().make_room(options.name);
  parent.charge(static_cast<std::int64_t>(8 + child->used_words() / 16));
  Term result = child->self(), monitor_ref = Term::none();
  if (options.monitor) {
    result = parent.tuple(result, Term::small(0));
    monitor_ref = parent.prepare_monitor(options.monitoring);
    result.pointer()[2] = monitor_ref.bits;
  }
  return introduce(parent, *child.release(), options, monitor_ref) ? result : parent.badarg();
}

}  // namespace

Term Process::spawn_fun(Term fun, const SpawnOptions& options) {
  if (!is_fun(fun) || fun_arity(fun) != 0) return badarg();
  Start start;
  if (fun.is_kind(Kind::Fun)) {
    auto entry = reinterpret_cast<const FunEntry*>(fun.pointer()[1]);
    start.entry = entry->entry;
    for (std::size_t i = 0; i < fun_captured(fun); ++i) {
      start.arguments.push_back(fun_captured_at(fun, i));
    }
  } else {
    start.entry =
        reinterpret_cast<const Export*>(fun.pointer()[1])->entry.load(std::memory_order_acquire);
  }
  return finish_spawn(*this, start, options);
}

Term Process::spawn_call(Term module, Term name, Term arg_list, const SpawnOptions& options) {
  if (!module.is_atom() || !name.is_atom()) return badarg();
  Start start;
  for (; arg_list.is_cons(); arg_list = arg_list.tail()) {
    start.arguments.push_back(arg_list.head());
  }
  if (!arg_list.is_nil_list()) return badarg();
  if (start.arguments.size() > kMaxArity) return raise_error(atoms::system_limit);
  const Export* target =
      vm().code().request_export(module, name, static_cast<std::uint32_t>(start.arguments.size()));
  start.entry = target->entry.load(std::memory_order_acquire);
  return finish_spawn(*this, start, options);
}

/// The main process: nobody's child.
Process* spawn_main(Vm& vm, const Export* target, std::span<const Term> arguments) {
  Start start;
  start.entry = target->entry.load(std::memory_order_acquire);
  start.arguments.assign(arguments.begin(), arguments.end());
  SchedulerLocal& here = vm.schedulers().first();
  const std::size_t words = argument_words(vm, start, kSharingThreshold);
  Process* process = make_child(here, start, words, SpawnOptions{}).release();
  if (process == nullptr) return nullptr;
  vm.processes().show(*process);
  // Into the queue without a word to others: a script without processes starts no threads.
  here.queue.push(*process);
  return process;
}

}  // namespace quelea
