#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/native_fixture.h"
#include "vm/heap/collector.h"

using namespace quelea;

namespace {

/// A directory that is gone with its scope.
struct Scratch {
  Scratch() {
    char name[] = "/tmp/quelea-native-XXXXXX";
    path = mkdtemp(name);
  }
  ~Scratch() {
    NativeMachine m;
    m.call("file_remove_tree", {binary_from_text(*m.process, path)});
  }
  std::string quoted(const std::string& name) const { return "\"" + path + "/" + name + "\""; }
  std::string path;
};

int open_files() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) != -1;
  return count;
}

}  // namespace

TEST_CASE("file natives by path") {
  NativeMachine m;
  const Scratch dir;
  const std::string a = dir.quoted("a");
  const std::string b = dir.quoted("b");
  CHECK(m.run("file_read(" + a + ")") == "(:error, :enoent)");
  CHECK(m.run("file_write(" + a + ", [\"he\", 108, \"lo\"], :write)") == ":ok");
  CHECK(m.run("file_write(" + a + ", \"!\", :append)") == ":ok");
  CHECK(m.run("file_write(" + a + ", \"!\", :exclusive)") == "(:error, :eexist)");
  CHECK(m.run("file_read(" + a + ")") == "(:ok, \"hello!\")");
  CHECK(m.run("file_read(" + dir.quoted("") + ")") == "(:error, :eisdir)");
  CHECK(m.run("file_write(" + a + ", 5, :write)") == "! :badarg");
  CHECK(m.run("file_read(\"a\\x00b\")") == "! :badarg");
  CHECK(m.run("file_exists(" + a + ")") == "true");
  CHECK(m.run("file_exists(" + b + ")") == "false");
  CHECK(m.run("file_copy(" + a + ", " + b + ")") == "(:ok, 6)");
  CHECK(m.run("file_copy(" + a + ", " + a + ")") == "(:error, :einval)");
  CHECK(m.run("file_list(" + dir.quoted("") + ")") == "(:ok, [\"a\", \"b\"])");
  CHECK(m.run("file_rename(" + b + ", " + dir.quoted("c") + ")") == ":ok");
  CHECK(m.run("file_symlink(\"a\", " + dir.quoted("l") + ")") == ":ok");
  CHECK(m.run("file_read_link(" + dir.quoted("l") + ")") == "(:ok, \"a\")");
  Term stat = m.result_of("file_stat(" + dir.quoted("l") + ", true)");
  CHECK(m.show(m.call("map_get", {tuple_at(stat, 1), m.parse(":size"), atoms::nil})) == "6");
  CHECK(m.show(m.call("map_get", {tuple_at(stat, 1), m.parse(":type"), atoms::nil})) == ":regular");
  CHECK(m.run("file_chmod(" + a + ", 384)") == ":ok");
  CHECK(m.run("file_touch(" + a + ", 1000000000)") == ":ok");
  stat = m.result_of("file_stat(" + a + ", true)");
  CHECK(m.show(m.call("map_get", {tuple_at(stat, 1), m.parse(":mtime_ns"), atoms::nil})) ==
        "1000000000");
  CHECK(m.show(m.call("map_get", {tuple_at(stat, 1), m.parse(":mode"), atoms::nil})) == "384");
  CHECK(m.run("file_mkdir(" + dir.quoted("x/y/z") + ", false)") == "(:error, :enoent)");
  CHECK(m.run("file_mkdir(" + dir.quoted("x/y/z") + ", true)") == ":ok");
  CHECK(m.run("file_mkdir(" + dir.quoted("x/y/z") + ", true)") == ":ok");
  CHECK(m.run("file_mkdir(" + a + ", true)") == "(:error, :eexist)");
  CHECK(m.run("file_mkdir(" + dir.quoted("a/b") + ", true)") == "(:error, :enotdir)");
  CHECK(m.run("file_rmdir(" + dir.quoted("x") + ")") == "(:error, :enotempty)");
  CHECK(m.run("file_remove_tree(" + dir.quoted("x") + ")") == "(:ok, 3)");
  CHECK(m.run("file_remove_tree(" + dir.quoted("l") + ")") == "(:ok, 1)");
  CHECK(m.run("file_exists(" + a + ")") == "true");
  CHECK(m.run("file_remove(" + a + ")") == ":ok");
  Term made = m.result_of("file_make_temp(" + dir.quoted("") + ", \"t-\", :directory)");
  CHECK(tuple_at(made, 0) == atoms::ok);
}

TEST_CASE("open files read chunks and lines, write, seek and close") {
  NativeMachine m;
  const Scratch dir;
  Term opened = m.result_of("file_open(" + dir.quoted("f") + ", [:read, :write])");
  REQUIRE(tuple_at(opened, 0) == atoms::ok);
  Term file = tuple_at(opened, 1);
  auto op = [&](const char* name, std::vector<Term> rest) {
    rest.insert(rest.begin(), file);
    return m.show(m.call(name, rest));
  };
  CHECK(op("file_put", {m.parse("[\"one\\ntwo\\r\\n\", \"three\"]")}) == ":ok");
  CHECK(op("file_read_line", {}) == ":eof");
  CHECK(op("file_seek", {m.parse(":start"), Term::small(0)}) == "(:ok, 0)");
  CHECK(op("file_read_line", {}) == "(:ok, \"one\\n\")");
  CHECK(op("file_read_chunk", {Term::small(2)}) == "(:ok, \"tw\")");
  CHECK(op("file_seek", {m.parse(":current"), Term::small(0)}) == "(:ok, 6)");
  CHECK(op("file_read_lines", {atoms::true_}) == "(:ok, [\"o\"])");
  CHECK(op("file_read_lines", {atoms::true_}) == "(:ok, [\"three\"])");
  CHECK(op("file_read_lines", {atoms::true_}) == ":eof");
  CHECK(op("file_seek", {m.parse(":start"), Term::small(3)}) == "(:ok, 3)");
  CHECK(op("file_truncate", {}) == ":ok");
  CHECK(m.run("file_read(" + dir.quoted("f") + ")") == "(:ok, \"one\")");
  CHECK(op("file_seek", {m.parse(":start"), Term::small(-1)}) == "(:error, :einval)");
  CHECK(op("file_close", {}) == ":ok");
  CHECK(op("file_close", {}) == ":ok");
  CHECK(op("file_read_chunk", {Term::small(2)}) == "(:error, :ebadf)");
  CHECK(m.run("file_read_line(\"#File<1 x>\")") == "! :badarg");
  CHECK(m.run("file_open(" + dir.quoted("g") + ", [:read])") == "(:error, :enoent)");
  CHECK(m.run("file_open(" + dir.quoted("g") + ", [:fast])") == "! :badarg");
}

TEST_CASE("large reads give all bytes in chunks and in lines") {
  NativeMachine m;
  const Scratch dir;
  {
    std::ofstream out(dir.path + "/big");
    for (int i = 0; i < 100'000; ++i) out << "line " << i << "\n";
  }
  Term file = tuple_at(m.result_of("file_open(" + dir.quoted("big") + ", [:read])"), 1);
  std::size_t lines = 0;
  std::size_t bytes = 0;
  while (true) {
    Term got = m.call("file_read_lines", {file, atoms::false_});
    if (!is_tuple(got)) break;
    for (Term rest = tuple_at(got, 1); rest.is_cons(); rest = rest.tail()) {
      ++lines;
      bytes += binary_bytes(rest.head());
    }
  }
  CHECK(lines == 100'000);
  CHECK(bytes == 1'088'890);
  m.call("file_seek", {file, m.parse(":start"), Term::small(0)});
  std::size_t chunked = 0;
  while (true) {
    Term got = m.call("file_read_chunk", {file, Term::small(100'000)});
    if (!is_tuple(got)) break;
    chunked += binary_bytes(tuple_at(got, 1));
  }
  CHECK(chunked == bytes);
}

TEST_CASE("a file whose handle is dropped is closed with its process") {
  const Scratch dir;
  const int before = open_files();
  {
    NativeMachine m;
    const int with_machine = open_files();
    m.run("file_open(" + dir.quoted("f") + ", [:write])");
    CHECK(open_files() == with_machine + 1);
  }
  CHECK(open_files() == before);
}

TEST_CASE("standard streams go through the host") {
  NativeMachine m;
  m.host.in = "one\ntwo";
  CHECK(m.run("io_write(:stdout, [\"a\", 98])") == ":ok");
  CHECK(m.run("io_write(:stderr, \"c\")") == ":ok");
  CHECK(m.run("io_write(:disk, \"c\")") == "! :badarg");
  CHECK(m.run("Prelude.println(%{1 => \"x\"})") == ":ok");
  CHECK(m.run("Prelude.print(\"y\")") == ":ok");
  CHECK(m.host.out == "ab%{1 => \"x\"}\ny");
  CHECK(m.host.err == "c");
  CHECK(m.run("io_read_line()") == "(:ok, \"one\\n\")");
  CHECK(m.run("io_read(2)") == "(:ok, \"tw\")");
  CHECK(m.run("io_read_all()") == "(:ok, \"o\")");
  CHECK(m.run("io_read_line()") == ":eof");
  CHECK(m.run("io_read(1)") == ":eof");
}

TEST_CASE("programs run with arguments, input, environment and a time limit") {
  NativeMachine m;
  check_natives(m, {
                       {"cmd_run(\"echo\", [\"a\", \"b c\"], %{})",
                        R"((:ok, %{status: 0, stderr: "", stdout: "a b c\n"}))"},
                       {"cmd_run(\"cat\", [], %{:stdin => [\"x\", \"y\"]})",
                        R"((:ok, %{status: 0, stderr: "", stdout: "xy"}))"},
                       {"cmd_run(\"sh\", [\"-c\", \"echo out; echo err >&2; exit 3\"], %{})",
                        R"((:ok, %{status: 3, stderr: "err\n", stdout: "out\n"}))"},
                       {"cmd_run(\"sh\", [\"-c\", \"echo err >&2\"], %{:stderr => :stdout})",
                        R"((:ok, %{status: 0, stderr: "", stdout: "err\n"}))"},
                       {"cmd_run(\"sh\", [\"-c\", \"echo $Q; pwd\"], %{:env => %{\"Q\" => \"v\"}, "
                        ":cwd => \"/\"})",
                        R"((:ok, %{status: 0, stderr: "", stdout: "v\n/\n"}))"},
                       {"cmd_run(\"sh\", [\"-c\", \"kill -9 $$\"], %{})",
                        R"((:ok, %{status: 137, stderr: "", stdout: ""}))"},
                       {"cmd_run(\"true\", [], %{:stdin => \"ignored\"})",
                        R"((:ok, %{status: 0, stderr: "", stdout: ""}))"},
                       {"cmd_run(\"no such program\", [], %{})", "(:error, :enoent)"},
                       {"cmd_run(\"/etc/passwd\", [], %{})", "(:error, :eacces)"},
                       {"cmd_run(\"sleep\", [\"10\"], %{:timeout => 30})", "(:error, :timeout)"},
                       {"cmd_run(\"sleep\", [\"10\"], %{:speed => 30})", "! :badarg"},
                       {"cmd_find(\"no such program\")", "nil"},
                       {"system_put_env(\"QUELEA_T\", \"1\")", ":ok"},
                       {"system_env(\"QUELEA_T\")", "\"1\""},
                       {"cmd_run(\"sh\", [\"-c\", \"echo $QUELEA_T\"], %{})",
                        R"((:ok, %{status: 0, stderr: "", stdout: "1\n"}))"},
                       {"system_put_env(\"QUELEA_T\", nil)", ":ok"},
                       {"system_env(\"QUELEA_T\")", "nil"},
                       {"system_put_env(\"a=b\", \"\")", "! :badarg"},
                       {"system_halt(256)", "! :badarg"},
                   });
  CHECK(std::getenv("QUELEA_T") == nullptr);
  // More than a pipe holds, both ways at once.
  Term big = m.result_of("string_repeat(\"0123456789\", 100000)");
  Term options = map_put(*m.process, m.parse("%{}"), m.parse(":stdin"), big, m.vm->atoms());
  Term result = m.call("cmd_run", {m.parse("\"cat\""), Term::nil_list(), options});
  Term out = m.call("map_get", {tuple_at(result, 1), m.parse(":stdout"), atoms::nil});
  CHECK(exact_equal(out, big));
}

TEST_CASE("hashes and checksums") {
  NativeMachine m;
  auto hex = [&](const std::string& call) {
    return m.show(m.call("hex_encode", {m.result_of(call)}));
  };
  CHECK(hex("crypto_hash(:md5, \"abc\")") == "\"900150983cd24fb0d6963f7d28e17f72\"");
  CHECK(hex("crypto_hash(:sha, \"abc\")") == "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
  CHECK(hex("crypto_hash(:sha256, [\"a\", 98, [\"c\"]])") ==
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
  CHECK(hex("crypto_hash(:sha3_256, \"\")") ==
        "\"a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a\"");
  CHECK(hex("crypto_hmac(:sha256, \"key\", \"The quick brown fox jumps over the lazy dog\")") ==
        "\"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\"");
  CHECK(hex("crypto_pbkdf2(:sha, \"password\", \"salt\", 2, 20)") ==
        "\"ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957\"");
  check_natives(m, {
                       {"crypto_hash(:nope, \"\")", "! :badarg"},
                       {"crypto_equal(\"ab\", \"ab\")", "true"},
                       {"crypto_equal(\"ab\", \"abc\")", "false"},
                       {"crypto_xor(\"\x01\x02\", \"\x01\x03\")", "<<0, 1>>"},
                       {"crc32(0, \"123456789\")", "3421780262"},
                       {"adler32(1, \"Wikipedia\")", "300286872"},
                       {"crypto_random_bytes(-1)", "! :badarg"},
                   });
  CHECK(binary_bytes(m.result_of("crypto_random_bytes(100)")) == 100);
}

TEST_CASE("terms and processes") {
  NativeMachine m;
  check_natives(m, {
                       {"process_put(:k, 1)", "nil"},
                       {"process_put(:k, 2)", "1"},
                       {"process_get(:k, 0)", "2"},
                       {"process_erase(:k)", "2"},
                       {"process_get(:k, 0)", "0"},
                       {"process_yield()", ":ok"},
                       {"pid_from_string(\"#Pid<0.1\")", ":error"},
                       {"pid_from_string(\"#Pid<0.1.2>\")", "(:ok, #Pid<0.1.2>)"},
                       {"term_compare(1, 1.0)", "0"},
                       {"term_compare(:a, 1)", "1"},
                       {"term_size([1, 2])", "4"},
                       {"inspect([1, 2], %{:width => 80})", "\"[1, 2]\""},
                       {"inspect([1, 2], %{:depth => 80})", "! :badarg"},
                       {"binary_to_term(\"junk\", :safe)", "! :badarg"},
                       {"Prelude.hash(1)", m.run("Prelude.hash(1)").c_str()},
                       {"Prelude.to_string([1, :a])", "\"[1, :a]\""},
                       {"Prelude.round(2.5)", "3"},
                       {"Prelude.float(:a)", "! :badarg"},
                       {"Prelude.put_elem((1, 2), 1, :x)", "(1, :x)"},
                       {"Prelude.put_elem((1, 2), 2, :x)", "! :badarg"},
                       {"Prelude.is_map_key(%{1 => 2}, 1)", "true"},
                       {"Prelude.is_string(\"\xff\")", "false"},
                       {"Prelude.spawn(:nobody)", "! :badarg"},
                       {"Prelude.apply(:m, :f, [1 | 2])", "! :badarg"},
                       {"Prelude.monitor(5)", "! :badarg"},
                       {"Prelude.whereis(:nobody)", "nil"},
                   });
  for (const char* text : {"1", "-5", "1.5", ":a", "\"text\"", "[1, 2 | 3]", "(1, (2,))",
                           "%{1 => %{}}", "123456789012345678901234567890"}) {
    Term term = m.parse(text);
    Term back = m.call("Prelude.binary_to_term", {m.call("Prelude.term_to_binary", {term})});
    CHECK(m.show(back) == m.show(term));
  }
}
