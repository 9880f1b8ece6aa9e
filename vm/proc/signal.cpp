#include "vm/proc/signal.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "vm/base/memory.h"
#include "vm/code/code_registry.h"
#include "vm/proc/process.h"
#include "vm/proc/signal_builder.h"
#include "vm/proc/vm.h"
#include "vm/term/copy.h"

namespace quelea {

Word* SignalBuilder::more(TermAlloc& self, std::size_t words) {
  auto& builder = static_cast<SignalBuilder&>(self);
  // Called with 0 words: a collection would pay. There is none here.
  if (words == 0) return nullptr;
  builder.close();
  Fragment* fragment = make_fragment(std::max(words, builder.next_words_));
  builder.next_words_ *= 2;
  fragment->next = builder.signal_->more;
  builder.signal_->more = fragment;
  builder.hp = fragment->start + words;
  builder.limit = fragment->limit;
  return fragment->start;
}

Signal* make_empty_signal(SignalKind kind, std::size_t words, Term from, Word reference) {
  void* memory = allocate(sizeof(Signal) + words * sizeof(Word));
  if (memory == nullptr) std::abort();
  Word* start = reinterpret_cast<Word*>(static_cast<char*>(memory) + sizeof(Signal));
  return new (memory) Signal{{nullptr, start, start, start + words, nullptr},
                             kind,
                             Term::none(),
                             from,
                             reference,
                             nullptr};
}

Signal* make_signal(Vm& vm, SignalKind kind, Term term, Term from, Word reference) {
  std::size_t words = 0;
  if (term.is_pointer()) {
    words = term_words(term, vm.copy_options(), kSharingThreshold);
  }
  Signal* signal = make_empty_signal(kind, words, from, reference);
  signal->term = term;
  if (words != 0) {
    SignalBuilder builder(signal, 2 * kSharingThreshold);
    signal->term = words < kSharingThreshold
                       ? copy_counted(builder, term, vm.copy_options(), words)
                       : copy_term(builder, term, vm.copy_options());
    builder.finish();
  }
  return signal;
}

void drop_signal(Signal* signal) {
  while (signal->more != nullptr) {
    Fragment* next = signal->more->next;
    release(signal->more);
    signal->more = next;
  }
  release_fragment(signal);
}

void post_signal(Process& to, Signal* signal) {
  Signal* head = to.outer.load(std::memory_order_relaxed);
  do {
    signal->next = head;
    // Release: the receiver's acquire exchange in `handle_signals` sees the whole signal.
  } while (!to.outer.compare_exchange_weak(head, signal, std::memory_order_release,
                                           std::memory_order_relaxed));
  to.vm().wake(to);
}

bool Process::post(Process& to, Signal* signal) {
  post_signal(to, signal);
  return true;
}

Word Process::next_reference_number() { return vm().next_ref_number(); }

}  // namespace quelea
