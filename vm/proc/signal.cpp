#include "vm/proc/signal.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "vm/base/memory.h"
#include "vm/code/code_registry.h"
#include "vm/proc/process.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal_builder.h"
#include "vm/proc/vm.h"
#include "vm/term/binary.h"
#include "vm/term/copy.h"

namespace quelea {

Word* SignalBuilder::more(TermAlloc& self, std::size_t words) {
  auto& builder = static_cast<SignalBuilder&>(self);
  // Called with 0 words: a collection would pay. There is none here.
  if (words == 0) return nullptr;
  builder.close();
  Fragment* fragment = make_fragment(std::max(words, builder.next_words_));
  builder.next_words_ *= 2;
  fragment->next = builder.signal_->more();
  builder.signal_->tail()->more = fragment;
  builder.hp = fragment->start() + words;
  builder.limit = fragment->limit();
  return fragment->start();
}

Signal* make_empty_signal(SignalKind kind, std::size_t words, Term from, Word reference) {
  void* memory = allocate(Signal::bytes_for(kind, words));
  if (memory == nullptr) no_memory();
  return new (memory) Signal(kind, words, from, reference);
}

std::size_t signal_words(Vm& vm, Term term) {
  return term.is_pointer() ? term_words(term, vm.copy_options(), kSharingThreshold) : 0;
}

Signal* make_signal(Vm& vm, SignalKind kind, Term term, Term from, Word reference,
                    std::size_t room) {
  return make_counted_signal(vm, kind, term, signal_words(vm, term), from, reference, room);
}

Signal* make_counted_signal(Vm& vm, SignalKind kind, Term term, std::size_t words, Term from,
                            Word reference, std::size_t room) {
  OwnedSignal signal(make_empty_signal(kind, words + room, from, reference));
  signal->term = term;
  if (words != 0) {
    SignalBuilder builder(signal.get(), 2 * kSharingThreshold, room);
    signal->term = words < kSharingThreshold ? copy_counted(builder, term, vm.copy_options(), words)
                                             : copy_term(builder, term, vm.copy_options());
  }
  return signal.release();
}

void drop_signal(Signal* signal) {
  // Their objects lie in all of its pieces.
  release_ref_binaries(std::exchange(signal->ref_binaries, nullptr));
  for (Fragment* more = signal->more(); more != nullptr;) {
    Fragment* next = more->next;
    release(more);
    more = next;
  }
  release_fragment(signal);
}

void take_memory(Signal* signal, Signal* other) {
  join_ref_binaries(signal->ref_binaries, std::exchange(other->ref_binaries, nullptr));
  if (other->used_words() == 0 && other->more() == nullptr) {
    release_fragment(other);
    return;
  }
  Fragment* last = other;
  for (last->next = other->more(); last->next != nullptr;) last = last->next;
  last->next = signal->tail()->more;
  signal->tail()->more = other;
}

namespace {

/// What the queue of the dead holds.
Signal* closed() {
  static constexpr Word kClosed = 0;
  return reinterpret_cast<Signal*>(const_cast<Word*>(&kClosed));
}

}  // namespace

bool post_signal(SchedulerLocal& here, Process& to, Signal* signal) {
  Signal* head = to.outer.load(std::memory_order_acquire);
  do {
    if (QUELEA_UNLIKELY(head == closed())) {
      drop_signal(signal);
      return false;
    }
    signal->next = head;
  } while (!to.outer.compare_exchange_weak(head, signal, std::memory_order_seq_cst,
                                           std::memory_order_acquire));
  here.vm->schedulers().wake(here, to);
  return true;
}

void post_due_signal(SchedulerLocal& here, Process& to, SignalKind kind, Term term, Term from,
                     Word reference, std::size_t room) {
  try {
    post_signal(here, to,
                insist([&] { return make_signal(*here.vm, kind, term, from, reference, room); }));
  } catch (const std::bad_alloc&) {
    here.vm->give_up();
  }
}

Signal* close_signals(Process& process) {
  Signal* last = process.outer.exchange(closed(), std::memory_order_acq_rel);
  return last == closed() ? nullptr : last;
}

bool Process::post(Process& to, Signal* signal) { return post_signal(local(), to, signal); }

Word Process::next_reference_number() {
  static constexpr std::uint64_t kBatch = 1024;
  SchedulerLocal& here = local();
  if (here.next_number == here.number_end) {
    here.next_number = vm().take_reference_numbers(kBatch);
    here.number_end = here.next_number + kBatch;
  }
  return here.next_number++;
}

}  // namespace quelea
