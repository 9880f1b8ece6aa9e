#include "vm/proc/signal.h"

#include <cstdlib>
#include <new>

#include "vm/base/memory.h"
#include "vm/code/code_registry.h"
#include "vm/proc/process.h"
#include "vm/proc/vm.h"
#include "vm/term/copy.h"

namespace quelea {

namespace {

/// Builds in a signal's own words first, then in further fragments.
class SignalBuilder : public TermAlloc {
 public:
  explicit SignalBuilder(Signal* signal) : signal_(signal) {
    hp = signal->start;
    limit = signal->limit;
    grow = &more;
  }

  void finish() {
    close();
    signal_->ref_binaries = ref_binaries;
  }

 private:
  void close() { (signal_->more != nullptr ? signal_->more : signal_)->top = hp; }

  static Word* more(TermAlloc& self, std::size_t words) {
    auto& builder = static_cast<SignalBuilder&>(self);
    builder.close();
    builder.next_words_ *= 2;
    Fragment* fragment = make_fragment(words > builder.next_words_ ? words : builder.next_words_);
    fragment->next = builder.signal_->more;
    builder.signal_->more = fragment;
    builder.hp = fragment->start + words;
    builder.limit = fragment->limit;
    return fragment->start;
  }

  Signal* signal_;
  std::size_t next_words_ = kSharingThreshold;
};

}  // namespace

Signal* make_signal(Vm& vm, SignalKind kind, Term term, Term from, Word reference) {
  std::size_t words = 0;
  if (term.is_pointer()) {
    words = term_words(term, vm.copy_options(), kSharingThreshold);
  }
  void* memory = allocate(sizeof(Signal) + words * sizeof(Word));
  if (memory == nullptr) std::abort();
  Word* start = reinterpret_cast<Word*>(static_cast<char*>(memory) + sizeof(Signal));
  auto signal = new (memory)
      Signal{{nullptr, start, start, start + words, nullptr}, kind, term, from, reference, nullptr};
  if (words != 0) {
    SignalBuilder builder(signal);
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

}  // namespace quelea
