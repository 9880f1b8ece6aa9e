// Threads that hold windows on one buffer and append to it: one of them at most may do so in place.
#include <atomic>
#include <barrier>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "term_support.h"

using namespace quelea;

namespace {

constexpr unsigned kThreads = 4;

/// As a message arrives: an object in this heap on the same buffer, or a window on one.
Term receive(TermAlloc& heap, Term bits) {
  const Term base = bits.is_kind(Kind::SubBinary) ? Term{bits.pointer()[3]} : bits;
  SharedBytes* shared = ref_binary_bytes(base);
  shared->retain();
  const Term copy = binary_from_shared(heap, shared, binary_bits(base));
  if (base == bits) return copy;
  return binary_part(heap, copy, static_cast<std::size_t>(Term{bits.pointer()[1]}.small_value()),
                     binary_bits(bits));
}

SharedBytes* buffer_of(Term bits) {
  return ref_binary_bytes(bits.is_kind(Kind::SubBinary) ? Term{bits.pointer()[3]} : bits);
}

/// Bits that tell who wrote them.
Term pattern(TermAlloc& heap, unsigned who, std::size_t bits) {
  BinaryBuilder builder;
  for (std::size_t i = 0; i < bits; ++i) builder.put_word((who >> i % 2) & 1, 1);
  return builder.finish(heap);
}

enum class How { Append, Build, BuildAndDrop };

Term extend(TermAlloc& heap, Term base, Term end, How how) {
  if (how == How::Append) return binary_append(heap, base, end);
  BinaryBuilder builder;
  builder.append_to(base);
  builder.put_bits(binary_view(end));
  if (how == How::Build) return builder.finish(heap);
  // Dropped: others may claim the room after it.
  return Term::none();
}

struct Round {
  std::size_t start_bits;  ///< Where the window on the buffer begins.
  std::size_t end_bits;    ///< Behind a byte's border.
  std::size_t more_bits;
};

/// All threads extend the same bits at once; how many did so in place.
unsigned race(BinaryAccount& account, const Round& round, bool drops) {
  TestHeap heap;
  heap.binary_account = &account;
  Term base = binary_append(heap, pattern(heap, 2, 4000), pattern(heap, 1, 800 + round.end_bits));
  base = binary_part(heap, base, round.start_bits, binary_bits(base) - round.start_bits);
  std::vector<std::unique_ptr<TestHeap>> heaps;
  Term results[kThreads];
  for (unsigned i = 0; i < kThreads; ++i) {
    heaps.push_back(std::make_unique<TestHeap>());
    heaps.back()->binary_account = &account;
  }
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (unsigned who = 0; who < kThreads; ++who) {
    threads.emplace_back([&, who] {
      TestHeap& mine = *heaps[who];
      const Term received = receive(mine, base), end = pattern(mine, who, round.more_bits);
      const How how = drops && who == 0 ? How::BuildAndDrop
                      : who % 2 == 0    ? How::Append
                                        : How::Build;
      start.arrive_and_wait();
      results[who] = extend(mine, received, end, how);
    });
  }
  for (std::thread& thread : threads) thread.join();
  unsigned in_place = 0;
  for (unsigned who = 0; who < kThreads; ++who) {
    if (results[who].is_none()) continue;
    in_place += buffer_of(results[who]) == buffer_of(base);
    const std::size_t bits = binary_bits(base);
    const BinaryView whole = binary_view(results[who]);
    REQUIRE(whole.bit_size == bits + round.more_bits);
    REQUIRE(bits_equal(whole.sub(0, bits), binary_view(base)));
    REQUIRE(bits_equal(whole.sub(bits, round.more_bits),
                       binary_view(pattern(heap, who, round.more_bits))));
  }
  return in_place;
}

}  // namespace

TEST_CASE("of threads that append to one buffer exactly one does so in place") {
  BinaryAccount account;
  TestRandom random(3);
  for (int i = 0; i < 150; ++i) {
    // Some bits off a byte's border, too; the thread sanitizer is told of the borders alone, since
    // a byte that two share is read by one while the other writes it back with the same bits.
#if defined(__SANITIZE_THREAD__)
    const Round round{8 * random.below(3), 0, 8 * (1 + random.below(99))};
#else
    const Round round{random.below(20), random.below(8), 1 + random.below(800)};
#endif
    INFO(round.start_bits << " " << round.end_bits << " " << round.more_bits);
    REQUIRE(race(account, round, false) == 1);
    REQUIRE(race(account, round, true) <= 1);
    REQUIRE(account.bytes == 0);
  }
}

TEST_CASE("a buffer without an account is charged once, whoever appends") {
  BinaryAccount account;
  for (int i = 0; i < 100; ++i) {
    TestHeap literals;
    const Term base = pattern(literals, 1, 4096);
    {
      TestHeap heaps[kThreads];
      std::barrier start(kThreads);
      std::vector<std::thread> threads;
      for (TestHeap& heap : heaps) {
        heap.binary_account = &account;
        threads.emplace_back([&] {
          start.arrive_and_wait();
          receive(heap, base);
        });
      }
      for (std::thread& thread : threads) thread.join();
      REQUIRE(account.bytes == ref_binary_bytes(base)->capacity);
    }
  }
}
