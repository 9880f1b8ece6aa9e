// The collector, driven directly: random terms as roots, collections of all kinds, whole heaps
// checked.
#include "tests/unit/heap_fixture.h"
#include "vm/proc/signal.h"

using namespace quelea;

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
    if (as_old) f.p.old();
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
