// The process dictionary and the process table, each by itself.
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "vm/interp/machine.h"
#include "vm/proc/dictionary.h"
#include "vm/proc/local.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/proc/run_queue.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/signal.h"

using namespace quelea;

namespace {

/// Puts and erases at random, and compares with a map.
void compare_with_map(unsigned keys, int rounds) {
  AtomTable atoms;
  Dictionary dictionary;
  std::map<std::int64_t, std::int64_t> model;
  std::mt19937 random(11);
  std::size_t work = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::int64_t key = random() % keys, value = random() % 1000;
    const Term term = Term::small(key);
    const Term before = model.count(key) != 0 ? Term::small(model[key]) : Term::none();
    if (random() % 3 != 0) {
      REQUIRE(dictionary.put(term, Term::small(value), atoms, work) == before);
      model[key] = value;
    } else {
      REQUIRE(dictionary.erase(term, atoms, work) == before);
      model.erase(key);
    }
    REQUIRE(dictionary.size() == model.size());
  }
  for (const auto& [key, value] : model) {
    REQUIRE(dictionary.get(Term::small(key), atoms, work) == Term::small(value));
  }
  // A walk in pieces meets each of them once.
  std::size_t met = 0;
  for (Dictionary::Place at; !dictionary.visit_some(at, 7, [&](Dictionary::Entry& entry) {
         REQUIRE(model.at(entry.key.small_value()) == entry.value.small_value());
         ++met;
       });) {
    continue;
  }
  REQUIRE(met == model.size());
}

}  // namespace

TEST_CASE("the dictionary agrees with a map") {
  compare_with_map(200, 20'000);
  compare_with_map(100'000, 300'000);
}

TEST_CASE("no put into a dictionary moves much, and a scan sees what was put") {
  AtomTable atoms;
  Dictionary dictionary;
  std::size_t work = 0;
  std::size_t bytes = 0;
  Word pair[2] = {Term::small(1).bits, Term::nil_list().bits};
  const Term list = Term::cons(pair);
  for (std::int64_t i = 0; i < 200'000; ++i) {
    dictionary.put(Term::small(i), list, atoms, work);
    REQUIRE(dictionary.held_bytes() - bytes < 128 * 1024);
    bytes = dictionary.held_bytes();
  }
  std::size_t seen = 0;
  const auto count = [&](Dictionary::Entry&) { ++seen; };
  dictionary.scan(false, true, count);
  REQUIRE(seen == 200'000);
  dictionary.put(Term::small(7), list, atoms, work);
  dictionary.put(Term::small(8), Term::small(0), atoms, work);  // Refers to no object.
  seen = 0;
  dictionary.scan(false, false, count);
  REQUIRE(seen == 1);
  // What is still young is looked at again.
  seen = 0;
  dictionary.scan(false, true, count);
  REQUIRE(seen == 1);
  seen = 0;
  dictionary.scan(false, true, count);
  REQUIRE(seen == 0);
  dictionary.scan(true, true, count);
  REQUIRE(seen == 200'000);
}

TEST_CASE("who is ended by a huge reason takes its memory over") {
  auto vm = make_vm({});
  Process* p = vm->new_process(vm->schedulers().first(), 1 << 12);
  vm->processes().give_pid(*p, p->local().free_places);
  vm->processes().show(*p);
  Term reason = Term::nil_list();
  for (int i = 0; i < 100'000; ++i) reason = p->cons(Term::small(i), reason);
  Signal* signal = make_signal(*vm, SignalKind::Exit, reason, Term::none(), 0, kExitMessageWords);
  const Term sent = signal->term;
  REQUIRE(p->post(*p, signal));
  REQUIRE(p->handle_signals() == Handled::Exits);
  REQUIRE(p->known_unwinding()->exit_reason == sent);
}

TEST_CASE("a pid of the dead is nobody's") {
  auto vm = make_vm({});
  ProcessTable table(3);
  PlaceCache places;
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 4; ++i) processes.push_back(std::make_unique<Process>());
  const auto add = [&](Process& process) {
    if (!table.give_pid(process, places)) return Term::none();
    REQUIRE(table.find(process.pid_) == nullptr);
    table.show(process);
    return process.pid_;
  };
  for (int i = 0; i < 3; ++i) add(*processes[static_cast<std::size_t>(i)]);
  REQUIRE(add(*processes[3]).is_none());
  const Term dead = processes[1]->pid_;
  table.remove(*processes[1], places);
  REQUIRE(table.find(dead) == nullptr);
  // The place comes round again, behind all that are free.
  Term pid = Term::none();
  for (int i = 0; i < 1000 && (pid.is_none() || pid_id(pid) != pid_id(dead)); ++i) {
    if (!pid.is_none()) table.remove(*processes[3], places);
    pid = add(*processes[3]);
  }
  REQUIRE(pid_id(pid) == pid_id(dead));
  REQUIRE(table.find(dead) == nullptr);
  REQUIRE(table.find(pid) == processes[3].get());
  REQUIRE(table.count() == 3);
}

TEST_CASE("run queues keep order and priorities, and starve nobody") {
  RunQueue queue;
  std::vector<std::unique_ptr<Process>> processes;
  for (Priority priority : {Priority::Low, Priority::Normal, Priority::High, Priority::Max}) {
    for (int i = 0; i < 20; ++i) {
      processes.push_back(std::make_unique<Process>());
      processes.back()->priority = priority;
      queue.push(*processes.back());
    }
  }
  for (int i = 0; i < 20; ++i) REQUIRE(queue.pop()->priority == Priority::Max);
  for (int i = 0; i < 20; ++i) REQUIRE(queue.pop()->priority == Priority::High);
  int low = 0;
  for (int i = 0; i < 16; ++i) low += queue.pop()->priority == Priority::Low;
  REQUIRE(low == 2);
  REQUIRE(queue.size() == 24);
  while (queue.pop() != nullptr) continue;
  REQUIRE(queue.size() == 0);
}
