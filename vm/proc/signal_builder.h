// Builds terms in the memory of a signal: in its own words first, then in further fragments.
#pragma once

#include "vm/proc/signal.h"

namespace quelea {

class SignalBuilder : public TermAlloc {
 public:
  /// Further fragments have `next_words` words, each twice as many as the one before. Of the
  /// signal's own words the last `room` stay free.
  SignalBuilder(Signal* signal, std::size_t next_words, std::size_t room = 0)
      : signal_(signal), next_words_(next_words) {
    hp = signal->start();
    limit = signal->limit() - room;
    grow = &more;
  }

  /// The signal is as far as it was built, and can be dropped.
  ~SignalBuilder() {
    close();
    signal_->ref_binaries = ref_binaries;
  }
  SignalBuilder(const SignalBuilder&) = delete;
  SignalBuilder& operator=(const SignalBuilder&) = delete;

 private:
  void close() {
    Fragment* more = signal_->more();
    (more != nullptr ? more : signal_)->set_top(hp);
  }

  static Word* more(TermAlloc& self, std::size_t words);

  Signal* signal_;
  std::size_t next_words_;
};

/// A signal without terms that has room for `words` words of them.
Signal* make_empty_signal(SignalKind kind, std::size_t words, Term from, Word reference);

}  // namespace quelea
