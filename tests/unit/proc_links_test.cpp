// The tables of relations, and the protocol of links under every crossing of its signals.
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <random>

#include "vm/proc/flat_table.h"
#include "vm/proc/process_extra.h"

namespace quelea {
namespace {

struct Pair {
  Word key;
  Word value;
};

TEST_CASE("a flat table holds what a map holds") {
  std::mt19937_64 random(Catch::rngSeed());
  for (unsigned most : {1u, 2u, 5u, 9u, 40u, 3000u}) {
    FlatTable<Pair, 1> table;
    std::map<Word, Word> model;
    for (unsigned step = 0; step < 20'000; ++step) {
      // Keys that collide, and all of them once in a while gone.
      const Word key = (1 + random() % most) << (random() % 2 * 32);
      const bool shrinking = step / 4000 % 2 == 1;
      if (random() % 4 < (shrinking ? 1u : 3u)) {
        if (Pair* found = table.find(key)) {
          found->value = step;
        } else {
          table.insert({key, step});
        }
        model[key] = step;
      } else {
        REQUIRE(table.erase(key) == (model.erase(key) != 0));
      }
      REQUIRE(table.size() == model.size());
    }
    std::map<Word, Word> listed;
    table.for_each([&](const Pair& pair) { listed[pair.key] = pair.value; });
    REQUIRE(listed == model);
    for (auto& [key, value] : model) REQUIRE(table.find(key)->value == value);
  }
}

/// One side of a link, and the signals on their way from it.
struct Side {
  struct Sent {
    bool is_link;
    Word numbers;
  };
  ProcessExtra extra;
  std::deque<Sent> sent;
  Term pid;

  void link(Side& other) {
    if (extra.links.find(other.pid.bits) != nullptr) return;
    const std::uint32_t number = next_link_number(extra);
    extra.links.insert({other.pid.bits, number, false, 0});
    sent.push_back({true, number});
  }
  void unlink(Side& other) {
    LinkEnd* end = extra.links.find(other.pid.bits);
    if (end == nullptr) return;
    sent.push_back({false, Word{end->own} << 32 | end->peer});
    extra.links.erase(other.pid.bits);
  }
  void receive_from(Side& other) {
    if (other.sent.empty()) return;
    const Sent signal = other.sent.front();
    other.sent.pop_front();
    if (signal.is_link) {
      note_link(extra, other.pid, static_cast<std::uint32_t>(signal.numbers));
    } else {
      note_unlink(extra, other.pid, signal.numbers);
    }
  }
};

TEST_CASE("both ends of a link agree when all signals have arrived") {
  std::mt19937_64 random(Catch::rngSeed());
  unsigned linked = 0;
  for (unsigned round = 0; round < 20'000; ++round) {
    Side a, b;
    a.pid = Term::local_pid(1);
    b.pid = Term::local_pid(2);
    const unsigned steps = random() % 24;
    for (unsigned step = 0; step < steps; ++step) {
      Side& one = random() % 2 != 0 ? a : b;
      Side& other = &one == &a ? b : a;
      switch (random() % 4) {
        case 0:
          one.link(other);
          break;
        case 1:
          one.unlink(other);
          break;
        default:
          one.receive_from(other);
      }
    }
    while (!a.sent.empty() || !b.sent.empty()) {
      if (random() % 2 != 0) a.receive_from(b);
      b.receive_from(a);
    }
    const LinkEnd* at_a = a.extra.links.find(b.pid.bits);
    const LinkEnd* at_b = b.extra.links.find(a.pid.bits);
    REQUIRE((at_a != nullptr) == (at_b != nullptr));
    if (at_a == nullptr) continue;
    REQUIRE(at_a->own == at_b->peer);
    REQUIRE(at_a->peer == at_b->own);
    ++linked;
  }
  REQUIRE(linked > 1000);
}

}  // namespace
}  // namespace quelea
