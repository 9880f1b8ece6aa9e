// Cycles of marking: what lives stays, what was dead goes, whatever happens between the steps.
#include <cstring>

#include "tests/unit/heap_fixture.h"
#include "vm/heap/mark_stack.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/signal.h"

using namespace quelea;

namespace {

class MarkingFixture : public HeapFixture {
 public:
  std::mt19937_64 random{20261130};
  std::vector<std::uint64_t> hashes;

  /// Until the old space is one that is marked: `count` roots, each a list of so many terms.
  void fill(std::size_t count, int terms) {
    for (std::size_t i = 0; i < count; ++i) {
      roots().push_back(Term::nil_list());
      for (int n = terms; n > 0; --n) {
        const Term term =
            p.tuple(Term::small(n), p.make_float(n), p.cons(Term::small(n), Term::nil_list()));
        roots()[i] = p.cons(term, roots()[i]);
        if (p.collection_due()) collect(false);
      }
      hashes.push_back(hash_of(i));
    }
    collect(false);
    finish_marking();
    REQUIRE(p.marks_old_space());
  }
  void add_list(std::size_t i, int terms) {
    roots()[i] = Term::nil_list();
    for (int n = terms; n > 0; --n) roots()[i] = p.cons(p.tuple(Term::small(n)), roots()[i]);
    hashes[i] = hash_of(i);
  }
  /// Begins a cycle that the process would wait for.
  void begin() {
    collect_begun(true);
    REQUIRE(p.waits_for_marking());
  }
  std::uint64_t hash_of(std::size_t i) { return hash_term(roots()[i], vm->atoms()); }
  void check_roots() {
    for (std::size_t i = 0; i < hashes.size(); ++i) REQUIRE(hash_of(i) == hashes[i]);
  }
};

}  // namespace

TEST_CASE("a stack of words gives back the last one first, across its chunks") {
  MarkStack stack;
  REQUIRE(stack.top() == nullptr);
  Word* at = stack.make_room(stack.top());
  std::vector<Word> expected;
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    while (at[-1] == 0) {
      Word* below = stack.leave_chunk();
      if (below == nullptr) break;
      at = below;
    }
    REQUIRE((at[-1] == 0) == expected.empty());
    if (!expected.empty() && random() % 5 < (i / 20'000 % 2 == 0 ? 1u : 4u)) {
      REQUIRE(*--at == expected.back());
      expected.pop_back();
      continue;
    }
    at = stack.make_room(at);
    for (std::size_t n = random() % MarkStack::kRoomWords; n > 0; --n) {
      expected.push_back(random() | 1);
      *at++ = expected.back();
    }
  }
}

TEST_CASE("a cycle of marking takes what was dead when it began, in steps, and moves nothing") {
  MarkingFixture f;
  f.fill(8, 20'000);
  const std::size_t all = f.p.used_words();
  for (std::size_t i = 0; i < 8; i += 2) f.add_list(i, 1);
  f.begin();
  const Term third = f.roots()[3];
  int steps = 1;
  while (!f.step()) ++steps;
  REQUIRE(steps > 1);
  REQUIRE(!f.p.is_marking());
  f.check();
  f.check_roots();
  REQUIRE(f.roots()[3] == third);
  REQUIRE(f.p.used_words() < all * 6 / 10);
  REQUIRE(f.p.used_words() > all * 4 / 10);
}

TEST_CASE("holes are filled before more memory is taken") {
  MarkingFixture f;
  f.fill(16, 10'000);
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t at = f.random() % 16;
      f.roots()[at] = Term::nil_list();
      for (int n = 10'000; n > 0; --n) {
        f.roots()[at] = f.p.cons(f.p.tuple(Term::small(n), Term::small(1), f.p.make_float(n),
                                           f.p.cons(Term::small(round), Term::nil_list())),
                                 f.roots()[at]);
        if (f.p.collection_due()) f.collect(false);
      }
      f.hashes[at] = f.hash_of(at);
    }
    f.collect(true);
    f.check_roots();
  }
  REQUIRE(f.p.held_words() < 3 * f.p.used_words() + (std::size_t{1} << 20));
}

TEST_CASE("collections between the steps, messages and binaries change nothing about what lives") {
  MarkingFixture f;
  f.fill(40, 4'000);
  for (int round = 0; round < 12; ++round) {
    f.begin();
    for (int i = 0; f.p.is_marking(); ++i) {
      const std::size_t at = f.random() % f.roots().size();
      if (i % 8 == 3) {
        Signal* signal = make_signal(*f.vm, SignalKind::Message, f.roots()[at], f.p.self());
        f.roots()[at] = signal->term;
        adopt_signal(f.p, signal, f.random() % 2 == 0);
      } else if (i % 8 == 5) {
        f.roots()[at] = f.make(f.random, 6);
      } else if (i % 8 == 7) {
        f.collect(false);
      }
      f.hashes[at] = f.hash_of(at);
      f.step();
      if (i % 16 == 0) f.check();
    }
    f.collect(false);
    f.check_roots();
  }
}

TEST_CASE("shared bytes are dropped at the end of a cycle") {
  MarkingFixture f;
  f.fill(8, 20'000);
  SharedBytes* shared = SharedBytes::create(4096);
  shared->retain();
  shared->retain();
  f.roots().push_back(binary_from_shared(f.p, shared, 4096 * 8));
  const Term second = binary_from_shared(f.p, shared, 4096 * 8);
  f.roots().push_back(second);
  f.hashes.resize(10, 0);
  f.collect(false);
  f.roots()[8] = Term::small(0);
  f.begin();
  REQUIRE(shared->references.load() == 3);
  REQUIRE(f.p.outside_bytes() >= 4096);
  REQUIRE(f.p.binary_bytes() == 4096);
  f.finish_marking();
  REQUIRE(shared->references.load() == 2);
  f.roots()[9] = Term::small(0);
  f.begin();
  f.finish_marking();
  REQUIRE(shared->references.load() == 1);
  REQUIRE(f.p.outside_bytes() == 0);
  shared->release();
}

TEST_CASE("a cycle is given up for a collection that copies, at any step, and for another cycle") {
  for (int steps : {0, 1, 3, 6, 9, 12, 15, 18}) {
    MarkingFixture f;
    f.fill(8, 20'000);
    f.add_list(2, 5);
    f.begin();
    for (int i = 0; i < steps && f.p.is_marking(); ++i) f.step();
    f.add_list(5, 5);
    if (steps % 2 == 0) {
      f.p.compact(512);
      REQUIRE(!f.p.is_marking());
      f.check();
    } else {
      f.collect(true);
    }
    for (std::size_t i = 0; i < 8; ++i) REQUIRE(f.hash_of(i) == f.hashes[i]);
    f.roots().clear();
    f.hashes.clear();
  }
}

TEST_CASE("objects of any width and depth are marked with a stack of the machine's") {
  MarkingFixture f;
  f.fill(8, 20'000);
  Term deep = Term::nil_list();
  for (int i = 0; i < 300'000; ++i)
    deep = f.p.cons(deep, f.p.cons(Term::small(i), Term::nil_list()));
  Word* wide = f.p.alloc(1 + 100'000);
  wide[0] = Header::make(Kind::Tuple, 100'000).bits;
  for (int i = 1; i <= 100'000; ++i) wide[i] = f.p.tuple(Term::small(i)).bits;
  f.roots().push_back(deep);
  f.roots().push_back(Term::boxed(wide));
  f.hashes.push_back(f.hash_of(8));
  f.hashes.push_back(f.hash_of(9));
  f.begin();
  f.finish_marking();
  f.check_roots();
  REQUIRE(f.p.used_words() > 300'000 * 4 + 300'000);
}

TEST_CASE("a process that ends in a cycle gives everything back") {
  MarkingFixture f;
  SharedBytes* shared = SharedBytes::create(4096);
  shared->retain();
  f.fill(8, 20'000);
  f.roots().push_back(binary_from_shared(f.p, shared, 4096 * 8));
  f.begin();
  f.step();
  REQUIRE(shared->references.load() == 2);
  f.p.release_all();
  REQUIRE(shared->references.load() == 1);
  shared->release();  // while the machine that counts its bytes is there
  f.p.init_block(64);
}
