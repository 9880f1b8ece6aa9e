// Processes: exceptions, waiting, trapping, collecting, the dictionary.
#include "vm/proc/process.h"

#include <algorithm>

#include "vm/code/code_registry.h"
#include "vm/heap/collector.h"
#include "vm/heap/walker.h"
#include "vm/native/native.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/statistics.h"
#include "vm/proc/timers.h"
#include "vm/proc/trace.h"
#include "vm/proc/vm.h"

namespace quelea {

namespace {
/// Larger first blocks are pieces of their own: a process that outgrows one gives it back.
constexpr std::size_t kMostEmbeddedWords = 64;
}  // namespace

Process* Process::make(std::size_t block_words) {
  const bool embedded = block_words <= kMostEmbeddedWords;
  const std::size_t bytes =
      allocation_size(sizeof(Process) + (embedded ? block_words * sizeof(Word) : 0));
  void* memory = allocate(bytes);
  if (memory == nullptr) return nullptr;
  auto process = ::new (memory) Process;
  if (embedded) {
    process->init_embedded_block(reinterpret_cast<Word*>(process + 1),
                                 (bytes - sizeof(Process)) / sizeof(Word));
  } else if (!process->init_block(block_words)) {
    delete process;
    return nullptr;
  }
  process->grow = &Process::grow_heap;
  return process;
}

ProcessExtra& Process::extra() {
  if (extra_record == nullptr) extra_record = new ProcessExtra;
  return *extra_record;
}

Unwinding& Process::unwinding() {
  ProcessExtra& x = extra();
  if (x.unwinding == nullptr) x.unwinding = std::make_unique<Unwinding>();
  return *x.unwinding;
}

const Unwinding* Process::known_unwinding() const {
  return extra_record != nullptr ? extra_record->unwinding.get() : nullptr;
}

// Exceptions
// ----------------------------------------------------------------------------------------

Term Process::raise(Term class_atom, Term reason) {
  Unwinding& x = unwinding();
  x.exception_class = class_atom;
  x.exception_reason = reason;
  x.exception_trace = Term::none();
  x.first_arguments = Term::none();
  pending = Pending::Exception;
  return Term::none();
}

Term Process::reraise(Term class_atom, Term reason, Term trace) {
  if (class_atom != atoms::error && class_atom != atoms::exit && class_atom != atoms::throw_) {
    return badarg();
  }
  raise(class_atom, reason);
  unwinding().exception_trace = trace;
  return Term::none();
}

// Waiting and trapping
// --------------------------------------------------------------------------------

bool Process::on_pool() const {
  // Where there is nobody else, nobody is held up.
  return !local().is_scheduler || !vm().schedulers().has_pool() || vm().processes().count() == 1;
}

Term Process::to_pool() {
  pending = Pending::Pool;
  return Term::none();
}

Term Process::again() {
  pending = Pending::Again;
  return Term::none();
}

Term Process::again_when_woken(std::int64_t timeout_ms) {
  stop_receive_timer(*this);
  if (timeout_ms >= 0 && !start_receive_timer(*this, std::min(timeout_ms, kMaxReceiveMs))) {
    return raise_error(atoms::system_limit);
  }
  pending = Pending::Wait;
  return Term::none();
}

Term Process::trap(Term module, Term name, std::span<const Term> args) {
  Unwinding& x = unwinding();
  x.call_fun = Term::none();
  x.call_export = vm().code().request_export(module, name, static_cast<std::uint32_t>(args.size()));
  x.call_arguments.assign(args.begin(), args.end());
  pending = Pending::Call;
  return Term::none();
}

Term Process::trap(Term module, Term name, std::initializer_list<Term> args) {
  return trap(module, name, std::span<const Term>(args.begin(), args.size()));
}

Term Process::hibernate() {
  if (first_message != nullptr) return atoms::ok;
  stop_receive_timer(*this);
  pending = Pending::Doze;
  return Term::none();
}

Term Process::hibernate(Term module, Term name, std::span<const Term> args) {
  stop_receive_timer(*this);
  trap(module, name, args);
  pending = Pending::Hibernate;
  return Term::none();
}

Term Process::trap_fun(Term fun, std::span<const Term> args) {
  if (!is_fun(fun)) return raise_error(tuple(atoms::badfun, fun));
  if (fun_arity(fun) != args.size()) {
    Term list = Term::nil_list();
    for (std::size_t i = args.size(); i-- > 0;) list = cons(args[i], list);
    return raise_error(tuple(atoms::badarity, tuple(fun, list)));
  }
  Unwinding& x = unwinding();
  x.call_fun = fun;
  x.call_export = nullptr;
  x.call_arguments.assign(args.begin(), args.end());
  pending = Pending::Call;
  return Term::none();
}

Term Process::trap_fun(Term fun, std::initializer_list<Term> args) {
  return trap_fun(fun, std::span<const Term>(args.begin(), args.size()));
}

// Collecting
// ------------------------------------------------------------------------------------------

Word* Process::grow_heap(TermAlloc& self, std::size_t words) {
  auto& p = static_cast<Process&>(self);
  p.interrupt_slice();
  if (words == 0) {
    p.set_collection_due(false);
    return nullptr;
  }
  return p.alloc_in_fragment(words);
}

namespace {

void scan_roots(Heap& heap, Collector& collector) {
  auto& p = static_cast<Process&>(heap);
  if (p.has_flag(Process::kAtReturnPoint)) collector.root(p.value);
  if (p.native_state != nullptr) {
    for (Term& term : p.native_state->roots) collector.root(term);
  }
  ProcessExtra* x = p.extra_record;
  if (x == nullptr) return;
  collector.root(x->label);
  if (Unwinding* u = x->unwinding.get()) {
    for (Term* term : {&u->exception_class, &u->exception_reason, &u->exception_trace,
                       &u->first_arguments, &u->call_fun, &u->exit_reason, &u->exit_trace}) {
      collector.root(*term);
    }
    for (Term& term : u->call_arguments) collector.root(term);
  }
  x->dictionary.scan(collector.wants_all(), collector.fills_old(), [&](Dictionary::Entry& entry) {
    collector.root(entry.key);
    collector.root(entry.value);
  });
}

ForeignRanges literal_range(Vm& vm) {
  const LiteralArea& literals = vm.code().literals();
  return {literals.begin(), literals.end(), nullptr, nullptr};
}

}  // namespace

std::size_t Process::frame_room(const Word* at) const {
  const LoadedModule* module = vm().code().module_at(at);
  const LoadedFunction* function = module != nullptr ? module->function_at(at) : nullptr;
  return (function != nullptr ? function->frame_slots * sizeof(Word) : 0) + kRedZoneBytes;
}

/// MemoryGuard hears of larger heaps.
static constexpr std::size_t kNotedHeapWords = std::size_t{1} << 14;

bool Process::collect(std::size_t room_bytes, bool full) {
  ForeignRanges foreign = literal_range(vm());
  if (const Fragment* message = *scan_link; message != nullptr) {
    foreign.message_begin = message->start();
    foreign.message_end = message->top();
    set_flag_bit(kCollectedInReceive, true);
  }
  // The stack is known to live: copying it first and judging it then would need twice the limit.
  if (static_cast<std::size_t>(block_end() - reinterpret_cast<Word*>(fp)) > heap_limit_words() &&
      !within_heap_limit(true)) {
    return false;
  }
  StackTop top{fp, pc, has_flag(kAtReturnPoint), live_map, extra_first, extra_count};
  if (room_bytes == 0) room_bytes = frame_room(pc);
  const bool timed = vm().alarms().long_collection_ns.load(std::memory_order_relaxed) != 0;
  const std::uint64_t began_ns = timed ? vm().monotonic_ns() : 0;
  const AwayFromOthers away(local());
  const bool was_exact = old_space_is_exact();
  CollectionResult result =
      Collector(*this, foreign, heap_limit_words())
          .collect(top, room_bytes, full ? Extent::Full : Extent::Due, scan_roots);
  fp = top.fp;
  bool is_exact = result.full || was_exact;
  if (!is_exact && !waits_for_marking() && heap_limit_acts(false)) {
    // What is dead in the old space must not count.
    if (marks_old_space()) {
      Collector(*this, foreign, heap_limit_words()).begin_marking(top, true, scan_roots);
    } else {
      result = Collector(*this, foreign, heap_limit_words())
                   .collect(top, room_bytes, Extent::Full, scan_roots);
      fp = top.fp;
      is_exact = true;
    }
  }
  charge(static_cast<std::int64_t>(result.live_words / 64));
  if (result.live_words > kNotedHeapWords) vm().memory().note_heap(*this);
  ++collections_;
  Statistics& statistics = local().statistics;
  count(statistics.collections);
  count(statistics.full_collections, result.full);
  count(statistics.collected_words, result.reclaimed_words);
  if (QUELEA_UNLIKELY(began_ns != 0)) {
    check_collection(*this, vm().monotonic_ns() - began_ns);
  }
#if QUELEA_GCSTRESS
  if (used_words() < 4096 || collections_ % 64 == 0) {
    const std::string wrong = HeapWalker(*this, foreign).check();
    if (!wrong.empty()) {
      std::fprintf(stderr, "heap walker: %s\n", wrong.c_str());
      QUELEA_ASSERT(wrong.empty());
    }
  }
#endif
  return waits_for_marking() || within_heap_limit(is_exact);
}

bool Process::continue_marking() {
  Marking& marking = *old_->marking;
  const bool waits = marking.is_waited_for();
  const std::size_t budget = marking.budget();
  // Half of the slice is the process's own.
  charge(std::min(static_cast<std::int64_t>(budget / 16), reductions / 2));
  if (!marking.step(budget)) return !marking.is_waited_for();
  const std::size_t before = marking.snapshot_words() + old_words();
  finish_marking(heap_limit_words());
  Statistics& statistics = local().statistics;
  ++collections_;
  count(statistics.collections);
  count(statistics.full_collections);
  count(statistics.collected_words, before > 2 * old_words() ? before - 2 * old_words() : 0);
  // Whether what lives fits into the limits is known now.
  if (waits) set_collection_due(false);
  vm().memory().note_heap(*this);
  return true;
}

void Process::compact(std::size_t room_bytes) {
  const ForeignRanges foreign = literal_range(vm());
  StackTop top{fp, pc, has_flag(kAtReturnPoint), live_map, extra_first, extra_count};
  const std::size_t limit_words = heap_limit_words();
  Collector(*this, foreign, limit_words).collect(top, room_bytes, Extent::Copy, scan_roots);
  Collector(*this, foreign, limit_words).compact(top, room_bytes, scan_roots);
  fp = top.fp;
  ++collections_;
}

bool Process::long_collection_ahead() const {
  // A full collection that copies takes about 3 ns a word, more where pages are new; a deep stack
  // is looked through by every one, and what natives and a spawn have built beside the block, much
  // of which lives, is copied by the next.
  constexpr std::size_t kLongWords = std::size_t{1} << 19;
  const auto stack = static_cast<std::size_t>(block_end() - reinterpret_cast<Word*>(fp));
  return stack > kLongWords || fragment_words_ > kLongWords ||
         (old_words() + stack > kLongWords && !marks_old_space() &&
          full_collection_ahead(heap_limit_words()));
}

namespace {
/// Some of what a heap holds may be dead: what looks like a sixteenth past the process's own limit
/// is worth a look at all of it, less is not. Who lives close to its limit would have its old space
/// collected with each collection of the young.
std::size_t worth_a_look(std::size_t limit_words) { return limit_words + limit_words / 16; }
}  // namespace

std::size_t Process::heap_limit_words() const {
  const std::size_t machine = vm().max_process_words();
  const std::size_t own = extra_record != nullptr ? extra_record->max_heap_words : 0;
  if (own == 0 || extra_record->max_heap_action == HeapLimitAction::Log) return machine;
  return std::min(worth_a_look(own), machine);
}

/// What counts for the limits: heap, stack, and for the process's own limit its binaries, each
/// once. Unless `is_exact`, some of it may be dead.
bool Process::passes_heap_limit(std::size_t* used_out, bool is_exact) const {
  std::size_t limit_words = extra_record != nullptr ? extra_record->max_heap_words : 0;
  if (!is_exact) limit_words = worth_a_look(limit_words);
  const std::size_t machine_words = vm().max_process_words();
  std::size_t used =
      used_words() + static_cast<std::size_t>(block_end() - reinterpret_cast<Word*>(fp));
  bool passed = used > machine_words;
  if (limit_words != 0) {
    if (!passed && used <= limit_words) used += binary_bytes() / sizeof(Word);
    passed = passed || used > limit_words;
  }
  if (used_out != nullptr) *used_out = used;
  return passed;
}

/// A limit is passed, and something is done about it: a line in the log for each doubling, not for
/// each collection.
bool Process::heap_limit_acts(bool is_exact, std::size_t* used_out) const {
  std::size_t used = 0;
  if (!passes_heap_limit(&used, is_exact)) return false;
  if (used_out != nullptr) *used_out = used;
  return used > vm().max_process_words() || extra_record->max_heap_action != HeapLimitAction::Log ||
         used >= 2 * extra_record->logged_heap_words;
}

bool Process::within_heap_limit(bool is_exact) {
  std::size_t used = 0;
  if (!heap_limit_acts(is_exact, &used)) return true;
  const std::size_t machine_words = vm().max_process_words();
  const HeapLimitAction action =
      used > machine_words ? HeapLimitAction::Kill : extra_record->max_heap_action;
  if (action == HeapLimitAction::Log) {
    extra_record->logged_heap_words = used;
    report_heap_limit(*this, used, false);
    if (in_fragment()) leave_fragment();
    return true;
  }
  if (action == HeapLimitAction::Kill) {
    report_heap_limit(*this, used, true);
    exit_with(atoms::killed);
    return false;
  }
  // A native that worked in slices is left for good.
  delete native_state;
  native_state = nullptr;
  raise_error(atoms::system_limit);
  return false;
}

void Process::request_collection(bool full) {
  interrupt_slice();
  set_collection_due(full);
}

Term Process::trace_of(Term raw_trace) { return readable_trace(*this, raw_trace); }
Term Process::current_trace() { return capture_trace(*this); }

void Process::exit_with(Term reason) {
  unwinding().exit_reason = reason;
  pending = Pending::Exit;
}

// Dictionary
// ------------------------------------------------------------------------------------------

namespace {
Term or_nil(Term term) { return term.is_none() ? atoms::nil : term; }
}  // namespace

Term Process::dictionary_get(Term key, std::size_t& work) {
  return extra_record == nullptr ? atoms::nil
                                 : or_nil(extra_record->dictionary.get(key, vm().atoms(), work));
}
Term Process::dictionary_put(Term key, Term value, std::size_t& work) {
  Dictionary& dictionary = extra().dictionary;
  const Term before = dictionary.put(key, value, vm().atoms(), work);
  if (QUELEA_UNLIKELY(dictionary.wants_scan()) && !collection_due()) {
    set_collection_due(false);
    interrupt_slice();
  }
  return or_nil(before);
}
Term Process::dictionary_erase(Term key, std::size_t& work) {
  return extra_record == nullptr ? atoms::nil
                                 : or_nil(extra_record->dictionary.erase(key, vm().atoms(), work));
}

}  // namespace quelea
