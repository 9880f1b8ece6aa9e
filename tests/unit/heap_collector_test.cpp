// The collector, driven directly: random terms as roots, collections of all kinds, whole heaps
// checked.
#include <catch2/catch.hpp>
#include <random>

#include "vm/code/code_registry.h"
#include "vm/heap/walker.h"
#include "vm/interp/machine.h"
#include "vm/native/native.h"
#include "vm/proc/process.h"
#include "vm/proc/signal.h"
#include "vm/term/binary.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"
#include "vm/proc/schedulers.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

using namespace quelea;

namespace {

struct Roots : NativeState {};

/// A process that stands at the bottom of its stack and builds terms.
class HeapFixture {
 public:
  HeapFixture() : vm(make_vm({})), p(*vm->new_process(vm->schedulers().first(), 64)) {
    vm->publish(p);
    p.fp = reinterpret_cast<Term*>(p.block_end() - 1);
    p.fp->bits = make_return_word(reinterpret_cast<Word>(vm->bottom_return_point), 0);
    p.pc = reinterpret_cast<const Word*>(vm->bottom_return_point);
    p.set_flag_bit(Process::kAtReturnPoint, true);
    p.native_state = new Roots;
    allow_building();
  }

  std::vector<Term>& roots() { return p.native_state->roots; }

  void collect(bool full) {
    if (p.in_fragment()) p.leave_fragment();
    REQUIRE(p.collect(512, full));
    check();
    allow_building();
  }

  void check() {
    ForeignRanges foreign;
    foreign.literals_begin = vm->code().literals().begin();
    foreign.literals_end = vm->code().literals().end();
    const std::string wrong = HeapWalker(p, foreign).check();
    REQUIRE(wrong == "");
  }

  /// A random term, some of it made of earlier ones.
  Term make(std::mt19937_64& random, int depth) {
    const auto pick = random() % 10;
    if (depth == 0 || pick < 2) {
      switch (random() % 5) {
        case 0:
          return Term::small(static_cast<std::int64_t>(random() % 1000));
        case 1:
          return p.make_float(static_cast<double>(random() % 100));
        case 2:
          return binary_from_text(p, std::string(random() % 200, 'q'));
        case 3: {
          // Shared, unless it is large: terms made of terms would grow without bound.
          if (roots().empty()) return Term::nil_list();
          const Term shared = roots()[random() % roots().size()];
          return term_words(shared, vm->copy_options(), 100) < 100 ? shared : Term::small(7);
        }
        default: {
          const std::uint64_t limbs[] = {random(), random() | 1};
          return make_big(p, random() % 2 == 0, limbs, 2);
        }
      }
    }
    if (pick < 5) {
      Term list = Term::nil_list();
      for (auto n = random() % 6; n > 0; --n) list = p.cons(make(random, depth - 1), list);
      return list;
    }
    if (pick < 8) return p.tuple(make(random, depth - 1), make(random, depth - 1), atoms::ok);
    Term pairs[8];
    for (unsigned i = 0; i < 8; i += 2) {
      pairs[i] = Term::small(i);
      pairs[i + 1] = make(random, depth - 1);
    }
    return map_from_pairs(p, pairs, 4, vm->atoms());
  }

  std::unique_ptr<Vm> vm;
  Process& p;

 private:
  void allow_building() { p.limit = p.block_end() - 32; }
};

}  // namespace

TEST_CASE("terms are the same after collections of every kind") {
  HeapFixture f;
  std::mt19937_64 random(20261120);
  std::vector<std::uint64_t> hashes;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 20; ++i) {
      const Term term = f.make(random, 4);
      if (random() % 4 != 0) continue;
      // Old roots are replaced now and then, so that old space dies, too.
      if (f.roots().size() >= 200) {
        const std::size_t at = random() % f.roots().size();
        f.roots()[at] = term;
        hashes[at] = hash_term(term, f.vm->atoms());
      } else {
        f.roots().push_back(term);
        hashes.push_back(hash_term(term, f.vm->atoms()));
      }
    }
    f.collect(random() % 16 == 0);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      REQUIRE(hash_term(f.roots()[i], f.vm->atoms()) == hashes[i]);
    }
  }
}

TEST_CASE("what nobody refers to goes away") {
  HeapFixture f;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5000; ++i) f.p.tuple(Term::small(i), Term::small(round));
    f.collect(false);
  }
  f.collect(true);
  REQUIRE(f.p.used_words() < 64);
  REQUIRE(f.p.held_words() < 200'000);
}

TEST_CASE("shared bytes are dropped with the last object") {
  HeapFixture f;
  SharedBytes* shared = SharedBytes::create(4096);
  shared->retain();
  f.roots().push_back(binary_from_shared(f.p, shared, 4096 * 8));
  f.collect(false);
  f.collect(true);
  REQUIRE(shared->references.load() == 2);
  f.roots().clear();
  f.collect(true);
  REQUIRE(shared->references.load() == 1);
  shared->release();
}

TEST_CASE("adopted messages live as long as they are referred to, young or old") {
  HeapFixture f;
  const Term message = f.p.tuple(f.p.cons(Term::small(1), Term::nil_list()), atoms::ok,
                                 binary_from_text(f.p, std::string(300, 'm')));
  const std::uint64_t hash = hash_term(message, f.vm->atoms());
  for (bool as_old : {false, true}) {
    Signal* signal = make_signal(*f.vm, SignalKind::Message, message, f.p.self());
    f.roots().push_back(signal->term);
    f.p.adopt(signal, as_old);
  }
  for (int i = 0; i < 6; ++i) {
    f.collect(i % 2 == 1);
    for (Term root : f.roots()) REQUIRE(hash_term(root, f.vm->atoms()) == hash);
  }
}

TEST_CASE("a list of a million survives with one copy and is given back") {
  HeapFixture f;
  Term list = Term::nil_list();
  f.roots().push_back(list);
  for (int i = 0; i < 1'000'000; ++i) {
    f.roots()[0] = f.p.cons(Term::small(i), f.roots()[0]);
    if (f.p.collection_due()) f.collect(false);
  }
  std::size_t length = 0;
  for (Term at = f.roots()[0]; at.is_cons(); at = at.tail()) ++length;
  REQUIRE(length == 1'000'000);
  f.roots().clear();
  f.collect(true);
  REQUIRE(f.p.used_words() == 0);
}
