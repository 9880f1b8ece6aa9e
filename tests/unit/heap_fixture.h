// A process to build terms in and collect, without a program.
#pragma once

#include <catch2/catch.hpp>
#include <random>

#include "vm/code/code_registry.h"
#include "vm/heap/walker.h"
#include "vm/interp/machine.h"
#include "vm/native/native.h"
#include "vm/proc/process.h"
#include "vm/proc/schedulers.h"
#include "vm/term/binary.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {

struct Roots : NativeState {};

/// A process that stands at the bottom of its stack and builds terms.
class HeapFixture {
 public:
  HeapFixture() : vm(make_vm({})), p(*vm->new_process(vm->schedulers().first(), 64)) {
    vm->processes().give_pid(p, p.local().free_places);
    vm->processes().show(p);
    p.fp = reinterpret_cast<Term*>(p.block_end() - 1);
    p.fp->bits = make_return_word(reinterpret_cast<Word>(vm->bottom_return_point), 0);
    p.pc = reinterpret_cast<const Word*>(vm->bottom_return_point);
    p.set_flag_bit(Process::kAtReturnPoint, true);
    p.native_state = new Roots;
    allow_building();
  }

  std::vector<Term>& roots() { return p.native_state->roots; }

  /// A full one to its end.
  void collect(bool full) {
    collect_begun(full);
    if (full) finish_marking();
  }
  /// A full one may be a cycle that has only begun.
  void collect_begun(bool full) {
    if (p.in_fragment()) p.leave_fragment();
    REQUIRE(p.collect(512, full));
    check();
    allow_building();
  }
  /// As a scheduler does. True: no cycle is under way any more.
  bool step() {
    p.reductions = 4000;
    return p.continue_marking() && !p.is_marking();
  }
  void finish_marking() {
    while (p.is_marking()) {
      while (!step()) {
      }
      if (p.collection_due()) collect_begun(false);
    }
    check();
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

}  // namespace quelea
