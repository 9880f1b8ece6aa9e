#include <catch2/catch.hpp>

#include "tests/unit/term_support.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"

using namespace quelea;

namespace {

struct Fixture {
  AtomTable atoms;
  TestHeap heap;

  std::string shown(Term term) { return show(term, atoms); }
  std::string shown_wide(Term term, std::size_t width) {
    std::string out;
    InspectOptions options;
    options.width = width;
    inspect(out, term, atoms, options);
    return out;
  }
  Term map(std::vector<Term> pairs) {
    return map_from_pairs(heap, pairs.data(), pairs.size() / 2, atoms);
  }
  Term atom(const char* text) { return atoms.intern(text); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "inspect writes source") {
  REQUIRE(shown(Term::small(-12)) == "-12");
  REQUIRE(shown(heap.integer("123456789012345678901234567890")) ==
          "123456789012345678901234567890");
  REQUIRE(shown(atoms::ok) == ":ok");
  REQUIRE(shown(atoms::nil) == "nil");
  REQUIRE(shown(atoms::true_) == "true");
  REQUIRE(shown(atom("EXIT")) == ":EXIT");
  REQUIRE(shown(atom("node@host")) == ":node@host");
  REQUIRE(shown(atom("two words")) == ":\"two words\"");
  REQUIRE(shown(atom("")) == ":\"\"");
  REQUIRE(shown(atom("1st")) == ":\"1st\"");
  REQUIRE(shown(atom("Chat.Room")) == ":\"Chat.Room\"");
  REQUIRE(shown(Term::nil_list()) == "[]");
  REQUIRE(shown(heap.tuple()) == "()");
  REQUIRE(shown(heap.tuple(Term::small(1))) == "(1,)");
  REQUIRE(shown(heap.tuple(atoms::ok, heap.text("v"))) == "(:ok, \"v\")");
  REQUIRE(shown(heap.list({Term::small(1), Term::small(2)})) == "[1, 2]");
  REQUIRE(shown(heap.list({Term::small(1)}, Term::small(2))) == "[1 | 2]");
  REQUIRE(shown(heap.list({heap.list({})}, heap.tuple(Term::small(2)))) == "[[] | (2,)]");
  REQUIRE(shown(map({})) == "%{}");
  REQUIRE(shown(map({atom("name"), heap.text("Ann"), heap.text("key"), Term::small(1)})) ==
          "%{name: \"Ann\", \"key\" => 1}");
  REQUIRE(shown(map({heap.tuple(Term::small(1)), heap.list({}), atom("a b"), Term::small(2)})) ==
          "%{:\"a b\" => 2, (1,) => []}");
  REQUIRE(shown(map({atoms::struct_, atom("Player"), atom("name"), heap.text("Ann")})) ==
          "%Player{name: \"Ann\"}");
  REQUIRE(shown(map({atoms::struct_, atom("Player")})) == "%Player{}");
  REQUIRE(shown(map({atoms::struct_, atom("player")})) == "%{__struct__: :player}");
}

TEST_CASE_METHOD(Fixture, "strings are escaped, other binaries are bytes") {
  REQUIRE(shown(heap.text("")) == "\"\"");
  REQUIRE(shown(heap.text("a\n\t\r\"\\\x1B")) == "\"a\\n\\t\\r\\\"\\\\\\e\"");
  REQUIRE(shown(heap.text("$ ${ $$")) == "\"$ \\${ $$\"");
  REQUIRE(shown(heap.text("caf\u00E9 \U0001F426")) == "\"caf\u00E9 \U0001F426\"");
  REQUIRE(shown(heap.text(std::string_view("\0\1", 2))) == "<<0, 1>>");
  REQUIRE(shown(heap.text("\xFF\xFE")) == "<<255, 254>>");
  BinaryBuilder bits;
  bits.put_word(1, 8);
  bits.put_word(2, 3);
  REQUIRE(shown(bits.finish(heap)) == "<<1, 2:3>>");
  bits.put_word(5, 3);
  REQUIRE(shown(bits.finish(heap)) == "<<5:3>>");
  std::string out;
  inspect_string(out, "a\u202Eb");
  REQUIRE(out == "\"a\\u{202E}b\"");
}

TEST_CASE_METHOD(Fixture, "pids, references and functions have names") {
  REQUIRE(shown(Term::local_pid(12)) == "#Pid<0.12.0>");
  REQUIRE(shown(Term::local_pid(Word{3} << 32 | 12)) == "#Pid<0.12.3>");
  REQUIRE(shown(make_ref(heap, 77)) == "#Ref<0.0.77>");
  ExportIdentity exported{atom("List"), atom("map"), 2};
  Word* object = heap.alloc(2);
  object[0] = Header::make(Kind::ExportFun, 1).bits;
  object[1] = reinterpret_cast<Word>(&exported);
  REQUIRE(shown(Term::boxed(object)) == "#Fun<List.map/2>");
}

TEST_CASE_METHOD(Fixture, "known modules are written without a colon") {
  InspectOptions options;
  options.is_module = [](void* context, Term module) {
    return module == *static_cast<Term*>(context);
  };
  Term known = atom("Chat.Room");
  options.context = &known;
  std::string out;
  inspect(out, heap.list({known, atom("Other")}), atoms, options);
  REQUIRE(out == "[Chat.Room, :Other]");
}

TEST_CASE_METHOD(Fixture, "to_string gives strings, atoms and numbers as they are") {
  auto text = [&](Term term) {
    std::string out;
    to_string(out, term, atoms);
    return out;
  };
  REQUIRE(text(heap.text("a\nb")) == "a\nb");
  REQUIRE(text(atoms::ok) == "ok");
  REQUIRE(text(heap.make_float(1000.0)) == "1000.0");
  REQUIRE(text(heap.list({atoms::ok, heap.text("x")})) == "[:ok, \"x\"]");
  REQUIRE(text(heap.text("\xFF")) == "<<255>>");
}

TEST_CASE_METHOD(Fixture, "long terms are laid out in lines that fit") {
  Term list =
      heap.list({heap.text("first element"), heap.tuple(atoms::ok, Term::small(1)),
                 map({atom("key"), heap.text("some value"), atom("other"), heap.list({})})});
  REQUIRE(shown_wide(list, 200) == shown(list));
  REQUIRE(shown_wide(list, 30) ==
          "[\n  \"first element\",\n  (:ok, 1),\n  %{\n    key: \"some value\",\n    other: []\n  "
          "}\n]");
}

TEST_CASE_METHOD(Fixture, "a limit cuts the text short") {
  Term list = Term::nil_list();
  for (int i = 0; i < 100000; ++i) list = heap.cons(Term::small(i), list);
  std::string out;
  InspectOptions options;
  options.limit = 100;
  std::size_t work = 0;
  inspect(out, list, atoms, options, &work);
  REQUIRE(out.size() < 200);
  REQUIRE(work < 200);
}
