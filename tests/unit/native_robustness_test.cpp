// Every native gets arguments that make no sense: it raises or answers, and never crashes.
#include "tests/unit/native_fixture.h"
#include "tests/unit/native_random.h"
#include "vm/native/native_table.h"

using namespace quelea;

namespace {

/// These would write files, start programs, wait for input or end the machine.
bool is_harmless(std::string_view name) {
  for (std::string_view prefix : {"file_", "cmd_", "io_", "system_halt", "code_load"}) {
    if (name.starts_with(prefix)) return false;
  }
  return true;
}

Term any_argument(NativeMachine& m, std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return m.parse("[(1, 2), (:a, :b)]");
    case 1:
      return m.parse("\"text, \xff text\"");
    case 2:
      return m.parse("%{:a => 1, :link => true, :timeout => 5}");
    case 3:
      return m.parse(random() % 2 != 0 ? "true" : ":asc");
    case 4:
      return m.parse("[:a | :b]");
    default:
      return random_term(m, random, 2);
  }
}

}  // namespace

TEST_CASE("natives survive arguments of any shape") {
  std::mt19937_64 random(3);
  for (const NativeDeclaration& native : native_declarations()) {
    if (!is_harmless(native.name)) continue;
    NativeMachine m;
    INFO(native.name << "/" << native.arity);
    for (int round = 0; round < 300; ++round) {
      Term slots[8];
      for (std::uint32_t i = 0; i < native.arity; ++i) slots[7 - i] = any_argument(m, random);
      int calls = 0;
      do {
        m.process->pending = Process::Pending::None;
        m.process->reductions = 4000;
        Term result = native.function(*m.process, Args(slots + 8));
        if (!result.is_none()) break;
        REQUIRE(m.process->pending != Process::Pending::None);
      } while (++calls < 1000 && m.process->pending == Process::Pending::Again);
      CHECK(calls < 1000);
      if (m.process->pending != Process::Pending::Again) CHECK(m.process->native_state == nullptr);
    }
  }
}
