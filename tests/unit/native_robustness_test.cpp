// Every native gets arguments that make no sense: it raises or answers, and never crashes. So it
// does where there is no room for the binaries that it makes.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

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
  switch (random() % 10) {
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
    case 5:
      return binary_from_text(*m.process, std::string(65 + random() % 100, '7'));
    case 6:
      return m.process->cons(binary_from_text(*m.process, std::string(70, '7')), Term::nil_list());
    default:
      return random_term(m, random, 2);
  }
}

/// Nothing in it is what no program may see.
bool is_whole(Term term) {
  std::vector<Term> left{term};
  while (!left.empty()) {
    term = left.back();
    left.pop_back();
    if (term.is_none()) return false;
    if (term.is_cons()) {
      left.push_back(term.tail());
      left.push_back(term.head());
    } else if (is_tuple(term)) {
      for (std::size_t i = 0; i < tuple_size(term); ++i) left.push_back(tuple_at(term, i));
    } else if (is_map(term)) {
      MapIterator entries(term);
      Term key, value;
      while (entries.next(key, value)) {
        left.push_back(key);
        left.push_back(value);
      }
    }
  }
  return true;
}

void call_all(bool is_tight) {
  std::mt19937_64 random(3);
  for (const NativeDeclaration& native : native_declarations()) {
    if (!is_harmless(native.name)) continue;
    NativeMachine m;
    m.is_tight = is_tight;
    INFO(native.name << "/" << native.arity);
    for (int round = 0; round < 300; ++round) {
      Term slots[8];
      for (std::uint32_t i = 0; i < native.arity; ++i) slots[7 - i] = any_argument(m, random);
      int calls = 0;
      do {
        m.process->pending = Process::Pending::None;
        m.process->reductions = 4000;
        const NativeMachine::Room room(m);
        const Term result = native.function(*m.process, Args(slots + 8));
        if (!result.is_none()) {
          CHECK(is_whole(result));
          break;
        }
        REQUIRE(m.process->pending != Process::Pending::None);
      } while (++calls < 1000 && m.process->pending == Process::Pending::Again);
      CHECK(calls < 1000);
      if (m.process->pending != Process::Pending::Again) CHECK(m.process->native_state == nullptr);
    }
  }
}

/// A text that wants a buffer.
const std::string kLong(70, 'l');

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// A folder with a long name, a file of lines and a link in it, gone with its scope.
struct LongNames {
  LongNames() {
    char name[] = "/tmp/quelea-room-XXXXXX";
    root = mkdtemp(name);
    folder = root + "/" + kLong;
    std::filesystem::create_directory(folder);
    std::ofstream(file()) << kLong << "\n" << kLong << "\n";
    std::filesystem::create_symlink(file(), link());
  }
  ~LongNames() { std::filesystem::remove_all(root); }
  std::string file() const { return folder + "/" + kLong; }
  std::string link() const { return folder + "/link"; }
  std::string root, folder;
};

}  // namespace

TEST_CASE("natives survive arguments of any shape") { call_all(false); }
TEST_CASE("natives survive arguments of any shape without room for binaries") { call_all(true); }

TEST_CASE("natives whose results have no room raise system_limit") {
  const LongNames names;
  const std::string file = quoted(names.file()), folder = quoted(names.folder);
  const std::string csv_row = "\"" + kLong + "\"\"x\",1";
  setenv("QUELEA_ROOM_TEST", kLong.c_str(), 1);
  NativeMachine m;
  m.host.all_arguments = {kLong};
  m.host.in = kLong + "\n" + kLong + "\n";
  const auto text = [&](const std::string& bytes) { return binary_from_text(*m.process, bytes); };
  const Term opened = tuple_at(m.result_of("file_open(" + file + ", [:read])"), 1);
  // Then the rest of both is at hand.
  CHECK(m.run("io_read(1)") == "(:ok, \"l\")");
  CHECK(m.show(m.call("file_read_chunk", {opened, Term::small(1)})) == "(:ok, \"l\")");
  const Term json = text("[\"" + kLong + "\\n\"]"), json_key = text("{\"" + kLong + "\": 1}");
  const Term etf = m.call("Prelude.term_to_binary", {text(kLong)});
  const Term junk = text("QLEA" + kLong);
  m.is_tight = true;

  const std::vector<std::string> calls{
      "file_list(" + folder + ")",
      "file_read_link(" + quoted(names.link()) + ")",
      "file_real_path(" + file + ")",
      "file_make_temp(" + folder + ", \"t\", :file)",
      "file_make_temp(" + folder + ", \"t\", :directory)",
      "system_argv()",
      "system_env()",
      "system_env(\"QUELEA_ROOM_TEST\")",
      "cmd_run(\"/bin/echo\", [" + quoted(kLong) + "], %{})",
      "cmd_find(" + quoted(names.folder + "/../../../bin/sh") + ")",
      "regex_compile(\"(?R\", \"\")",
      "regex_is_match(\"(?R\", \"\", \"a\")",
      "io_read_line()",
      "io_read(100)"};
  for (const std::string& call : calls) {
    INFO(call);
    CHECK(m.run(call) == "! :system_limit");
  }
  for (const auto& [native, arguments] : std::vector<std::pair<const char*, std::vector<Term>>>{
           {"file_read_chunk", {opened, Term::small(70)}},
           {"file_read_line", {opened}},
           {"file_read_lines", {opened, atoms::true_}},
           {"json_decode", {json, m.parse("%{}")}},
           {"json_decode", {json_key, m.parse("%{}")}},
           {"Prelude.binary_to_term", {etf}},
           {"csv_row", {text(csv_row), Term::small(0), Term::small(','), Term::small('"')}},
           {"code_check", {m.parse(":M"), junk}},
           {"code_load",
            {m.process->cons(m.process->tuple(m.parse(":M"), junk), Term::nil_list())}}}) {
    INFO(native);
    CHECK(m.show(m.call(native, arguments)) == "! :system_limit");
  }
  // Nothing was lost by that, and nothing left behind.
  m.is_tight = false;
  CHECK(m.run("io_read_line()") == "(:ok, " + quoted(kLong.substr(1) + "\\n") + ")");
  CHECK(m.show(m.call("file_read_line", {opened})) ==
        "(:ok, " + quoted(kLong.substr(1) + "\\n") + ")");
  CHECK(m.show(m.call("file_read_chunk", {opened, Term::small(100)})) ==
        "(:ok, " + quoted(kLong + "\\n") + ")");
  CHECK(std::distance(std::filesystem::directory_iterator(names.folder), {}) == 2);
}
