// The wheel of timers beside a map ordered by time, over virtual time; and shared by threads.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "vm/interp/machine.h"
#include "vm/proc/process_table.h"
#include "vm/proc/timers.h"

using namespace quelea;

namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kYearNs = std::uint64_t{365} * 86'400 * 1'000 * kMs;

/// What a wheel does, the slow way: a multimap keeps equal times in the order of insertion.
struct Oracle {
  std::multimap<std::uint64_t, Word> by_time;
  std::unordered_map<Word, std::multimap<std::uint64_t, Word>::iterator> by_number;

  void start(Word number, std::uint64_t due_ns) {
    REQUIRE(by_number.emplace(number, by_time.emplace(due_ns, number)).second);
  }
  void remove(Word number) {
    auto found = by_number.find(number);
    by_time.erase(found->second);
    by_number.erase(found);
  }
};

/// Delays that reach every level, and many that meet in one tick.
std::uint64_t any_delay(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:
      return random() % 4 * kMs;
    case 1:
      return random() % (2 * kMs);
    case 2:
      return random() % 5000 * kMs;
    case 3:
      return random() % kYearNs;
    default:
      return random() >> (12 + random() % 52);
  }
}

Word start(Timers& timers, std::uint64_t now_ns, std::uint64_t delay_ns) {
  const Word number = timers.start_wake(now_ns, delay_ns, Term::local_pid(1));
  REQUIRE(number != 0);
  return number;
}

void take_all(Timers& timers, Oracle& oracle, std::uint64_t now_ns, std::size_t at_once) {
  std::vector<Timers::Due> due(at_once);
  while (const std::size_t count = timers.take_due(now_ns, due)) {
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(!oracle.by_time.empty());
      REQUIRE(oracle.by_time.begin()->first <= now_ns);
      REQUIRE(oracle.by_time.begin()->second == due[i].number);
      oracle.remove(due[i].number);
    }
  }
  REQUIRE((oracle.by_time.empty() || oracle.by_time.begin()->first > now_ns));
}

void run_against_oracle(std::uint64_t seed, std::uint64_t now_ns, unsigned steps) {
  std::mt19937_64 random(seed);
  Timers timers;
  Oracle oracle;
  std::vector<Word> numbers;
  std::uint64_t last_due_ns = 0;
  for (unsigned i = 0; i < steps; ++i) {
    if (const auto what = random() % 8; what < 4) {
      // Now and then the very time of another one.
      std::uint64_t due_ns = now_ns + any_delay(random);
      if (random() % 4 == 0 && last_due_ns > now_ns) due_ns = last_due_ns;
      last_due_ns = due_ns;
      numbers.push_back(start(timers, now_ns, due_ns - now_ns));
      oracle.start(numbers.back(), due_ns);
    } else if (what < 6 && !numbers.empty()) {
      std::swap(numbers[random() % numbers.size()], numbers.back());
      timers.cancel_wake(numbers.back());
      if (oracle.by_number.count(numbers.back()) != 0) oracle.remove(numbers.back());
      numbers.pop_back();
    } else {
      if (random() % 3 == 0 && !oracle.by_time.empty()) {
        now_ns = std::max(now_ns, oracle.by_time.begin()->first - random() % 2);
      } else {
        now_ns += any_delay(random) >> (random() % 40);
      }
      take_all(timers, oracle, now_ns, 1 + random() % 4);
    }
    REQUIRE(timers.size() == oracle.by_time.size());
    REQUIRE(timers.empty() == oracle.by_time.empty());
    REQUIRE((timers.empty() || timers.next_due_ns() <= oracle.by_time.begin()->first));
  }
  while (!timers.empty()) {
    const std::uint64_t next = timers.next_due_ns();
    REQUIRE(next >= now_ns);
    now_ns = next;
    take_all(timers, oracle, now_ns, 3);
  }
  REQUIRE(oracle.by_time.empty());
}

}  // namespace

TEST_CASE("a wheel of timers does what an ordered map does") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO(seed);
    run_against_oracle(seed, seed % 3 == 0 ? 1 : seed * kYearNs + seed, 2000);
  }
}

TEST_CASE("a wheel of timers passes the borders of all its levels") {
  for (unsigned bit = 22; bit < 63; ++bit) {
    INFO(bit);
    run_against_oracle(bit, (std::uint64_t{1} << bit) - 2 * kMs - 1, 200);
  }
}

TEST_CASE("without cancellations the next due time is exact") {
  Timers timers;
  std::mt19937_64 random(5);
  std::set<std::uint64_t> due;
  std::uint64_t now_ns = 3 * kYearNs;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t delay_ns = 1 + any_delay(random);
    start(timers, now_ns, delay_ns);
    due.insert(now_ns + delay_ns);
    REQUIRE(timers.next_due_ns() == *due.begin());
    if (i % 3 == 0) {
      now_ns = *due.begin();
      Timers::Due fired[8];
      while (timers.take_due(now_ns, fired) != 0) continue;
      due.erase(due.begin());
      if (!due.empty()) REQUIRE(timers.next_due_ns() == *due.begin());
    }
  }
}

TEST_CASE("a timer too far away for a clock fires at its end") {
  Timers timers;
  start(timers, kYearNs, Timers::kNever);
  Timers::Due fired[1];
  REQUIRE(timers.take_due(Timers::kNever - 2, fired) == 0);
  REQUIRE(timers.take_due(Timers::kNever - 1, fired) == 1);
}

TEST_CASE("no number of a timer is given twice, also when its slots are used up") {
  Timers timers(3, 5);
  std::mt19937_64 random(1);
  std::set<Word> given;
  std::vector<Word> running;
  for (int i = 0; i < 30'000; ++i) {
    // Waves, so that slabs empty and fill again.
    const bool grows = i / 3000 % 2 == 0;
    if (running.empty() || random() % 4 < (grows ? 3 : 1)) {
      running.push_back(start(timers, 0, random() % kYearNs));
      REQUIRE(given.insert(running.back()).second);
      REQUIRE(TimerPool::is_number(running.back()));
      REQUIRE(TimerPool::wheel_of(running.back()) == 3);
    } else {
      std::swap(running[random() % running.size()], running.back());
      timers.cancel_wake(running.back());
      running.pop_back();
    }
    REQUIRE(timers.size() == running.size());
  }
}

TEST_CASE("a million timers take little memory and give it back") {
  TimerPool pool(0, TimerPool::kGenerations);
  std::vector<Timer*> timers;
  for (int i = 0; i < 1'000'000; ++i) timers.push_back(pool.take());
  REQUIRE(pool.bytes() < 64'100'000);
  std::shuffle(timers.begin(), timers.end(), std::mt19937(2));
  for (Timer* timer : timers) pool.give_back(timer);
  REQUIRE(pool.bytes() < 50'000);
}

TEST_CASE("a message's timer is found, and a cancelled one sends nothing") {
  const auto vm = make_vm({});
  Timers timers(1);
  Signal* message = make_signal(*vm, SignalKind::Message, Term::small(1), Term::none());
  const Word number = timers.start_message(kMs, 5 * kMs, Term::local_pid(1), message);
  REQUIRE(timers.find_message(number)->due_ns == 6 * kMs);
  REQUIRE(timers.find_message(number)->destination == Term::local_pid(1));
  REQUIRE_FALSE(timers.find_message(number + 1));
  REQUIRE_FALSE(timers.cancel_message(number | 0xffff));
  REQUIRE(timers.cancel_message(number)->due_ns == 6 * kMs);
  REQUIRE_FALSE(timers.cancel_message(number));
  REQUIRE_FALSE(timers.find_message(number));
  REQUIRE(timers.empty());
  // Who makes up a number does not stop somebody's receive.
  REQUIRE_FALSE(timers.cancel_message(start(timers, 0, kMs)));
  // One that waits for its message is not there yet.
  const Word reserved = timers.reserve();
  REQUIRE_FALSE(timers.cancel_message(reserved));
  timers.start_reserved(reserved, 0, 2 * kMs, Term::local_pid(1),
                        make_signal(*vm, SignalKind::Message, Term::small(2), Term::none()));
  REQUIRE(timers.find_message(reserved));
  // Its message goes with the wheel.
}

TEST_CASE("timers of those who have ended are found as others are started") {
  const auto vm = make_vm({});
  ProcessTable processes(0);
  Timers timers(1);
  // Nobody has that pid, and the name and the receive are somebody's.
  const auto message = [&] {
    return make_signal(*vm, SignalKind::Message, Term::small(1), Term::none());
  };
  const Word named = timers.start_message(0, kYearNs, atoms::ok, message());
  const Word reserved = timers.reserve();
  const Word receive = start(timers, 0, kYearNs);
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(timers.start_message(0, kYearNs, Term::local_pid(1), message()) != 0);
    timers.drop_some_of_ended(processes);
    REQUIRE(timers.size() <= 512);
  }
  for (int i = 0; i < 2'000; ++i) timers.drop_some_of_ended(processes);
  REQUIRE(timers.size() == 2);
  REQUIRE(timers.cancel_message(named));
  timers.cancel_wake(receive);
  timers.give_back(reserved);
  REQUIRE(timers.empty());
}

namespace {

/// One thread's work on a wheel that it shares: each timer is started, and then either this thread
/// cancels it, or one of them takes it.
class Worker {
 public:
  Worker(Vm& vm, Timers& timers, std::atomic<std::uint64_t>& now_ns, unsigned seed)
      : vm_(vm), timers_(timers), now_ns_(now_ns), random_(seed) {}

  void run() {
    std::vector<Word> mine;
    for (int i = 0; i < 30'000; ++i) {
      const std::uint64_t now_ns = now_ns_.fetch_add(random_() % (kMs / 4));
      mine.push_back(timers_.start_message(
          now_ns, random_() % (20 * kMs), Term::local_pid(1),
          make_signal(vm_, SignalKind::Message, Term::small(1), Term::none())));
      if (random_() % 2 == 0) {
        const std::size_t at = random_() % mine.size();
        if (timers_.cancel_message(mine[at])) ended.push_back(mine[at]);
      }
      if (random_() % 8 == 0) take_due(now_ns);
    }
    started = std::move(mine);
  }

  void take_due(std::uint64_t now_ns) {
    Timers::Due due[16];
    while (const std::size_t count = timers_.take_due(now_ns, due)) {
      for (std::size_t i = 0; i < count; ++i) {
        drop_signal(due[i].message);
        ended.push_back(due[i].number);
      }
    }
  }

  std::vector<Word> started, ended;

 private:
  Vm& vm_;
  Timers& timers_;
  std::atomic<std::uint64_t>& now_ns_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("threads that share a wheel: each timer fires or is cancelled, exactly once") {
  const auto vm = make_vm({});
  Timers timers;
  std::atomic<std::uint64_t> now_ns{kYearNs};
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    workers.push_back(std::make_unique<Worker>(*vm, timers, now_ns, i));
    threads.emplace_back([worker = workers.back().get()] { worker->run(); });
  }
  for (std::thread& thread : threads) thread.join();
  workers[0]->take_due(now_ns + 20 * kMs);
  REQUIRE(timers.empty());
  REQUIRE(timers.size() == 0);
  std::vector<Word> started, ended;
  for (auto& worker : workers) {
    started.insert(started.end(), worker->started.begin(), worker->started.end());
    ended.insert(ended.end(), worker->ended.begin(), worker->ended.end());
  }
  std::sort(started.begin(), started.end());
  std::sort(ended.begin(), ended.end());
  REQUIRE(std::adjacent_find(started.begin(), started.end()) == started.end());
  REQUIRE(started == ended);
}
