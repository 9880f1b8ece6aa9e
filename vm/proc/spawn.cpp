// Making processes.
#include <algorithm>
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

Process* make_child(SchedulerLocal& here, const Start& start, std::size_t argument_words,
                    const SpawnOptions& options) {
  Vm& vm = *here.vm;
  const std::size_t slots = frame_slots(vm, start.entry);
  std::size_t words = std::max(slots, start.arguments.size() + 1) + kRedZoneSlots + argument_words;
  words = std::max(
      {words + kSpareWords, kMinBlockWords, std::min(options.min_heap_words, kMaxBlockRequest)});
  Process* child = vm.new_process(here, words);
  if (child == nullptr) return nullptr;
  child->priority = options.priority;
  fill_first_frame(vm, *child, start, slots);
  if (options.max_heap_words != 0) {
    child->extra().max_heap_words = options.max_heap_words;
    child->extra().max_heap_action = options.max_heap_action;
  }
  if (options.max_mailbox != 0) {
    child->extra().mailbox_limit =
        std::make_unique<MailboxLimit>(options.max_mailbox, options.on_full);
    child->has_mailbox_limit = true;
  }
  // From here on others can find it.
  return vm.publish(*child) ? child : nullptr;
}

Term finish_spawn(Process& parent, const Start& start, const SpawnOptions& options) {
  Vm& vm = parent.vm();
  const std::size_t words = argument_words(vm, start, kSharingThreshold);
  // A copy that takes some milliseconds is made where nobody waits for it.
  if (QUELEA_UNLIKELY(words >= kSharingThreshold) && !parent.on_pool() &&
      argument_words(vm, start, kMostWalk) >= kMostWalk) {
    return parent.to_pool();
  }
  Process* child = make_child(parent.local(), start, words, options);
  if (child == nullptr) return parent.raise_error(atoms::system_limit);
  if (options.name.is_atom() && !vm.names().add(options.name, *child)) {
    child->exit_with(atoms::noproc);
    vm.end_process(*child);
    return parent.badarg();
  }
  if (parent.extra_record != nullptr && !parent.extra_record->group_leader.is_none()) {
    child->extra().group_leader = parent.extra_record->group_leader;
  }
  parent.charge(static_cast<std::int64_t>(8 + child->used_words() / 16));
  Term result = child->self();
  if (options.link) {
    const std::uint32_t number = next_link_number(parent.extra());
    parent.extra().links.insert({child->self().bits, number, options.link_priority, 0});
    child->extra().links.insert({parent.self().bits, 0, false, number});
  }
  if (options.monitor) {
    result = parent.tuple(child->self(), parent.note_monitor(child->self(), options.monitoring));
    child->extra().watchers.insert({ref_number(tuple_at(result, 1)), parent.self()});
  }
  vm.schedulers().make_runnable(parent.local(), *child);
  return result;
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
      vm().code().intern_export(module, name, static_cast<std::uint32_t>(start.arguments.size()));
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
  Process* process = make_child(here, start, words, SpawnOptions{});
  // Into the queue without a word to others: a script without processes starts no threads.
  if (process != nullptr) here.queue.push(*process);
  return process;
}

}  // namespace quelea
