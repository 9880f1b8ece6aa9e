#include <catch2/catch.hpp>
#include <functional>

#include "tests/unit/code_support.h"

using namespace quelea;
using namespace quelea::test;

namespace {

/// Verifies a function f/arity whose body comes after `enter`.
std::string verify_body(std::uint32_t arity, std::uint32_t frame,
                        const std::function<void(Draft&)>& body) {
  Draft draft;
  draft.begin("f", arity, frame);
  draft.code.emit(op_enter);
  body(draft);
  draft.end();
  return verify(*draft.image);
}

bool says(const std::string& message, const std::string& part) {
  INFO(message);
  bool found = message.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("good code is accepted") {
  CHECK(verify(*factorial().image) == "");
  CHECK(verify_body(1, 4, [](Draft& d) {
          // A loop over a list that keeps a sum.
          Label top = d.code.new_label(), done = d.code.new_label();
          d.code.emit(op_load, Slot{2}, d.integer(0));
          d.code.bind(top);
          d.code.emit(op_is_cons, Slot{1}, done);
          d.code.emit(op_get_cell, Slot{3}, Slot{1}, Slot{1});
          d.code.emit(op_add, Slot{2}, Slot{2}, Slot{3});
          d.code.emit(op_loop, top, live({1, 2}));
          d.code.bind(done);
          d.code.emit(op_ret, Slot{2});
        }) == "");
  CHECK(verify_body(2, 5, [](Draft& d) {
          d.code.emit(op_alloc, Number{7}, live({1, 2}));
          d.code.emit(op_cons, Slot{3}, Slot{1}, Slot{2});
          d.code.emit(op_list, Slot{4}, std::vector<Value>{Slot{3}}, d.integer(1));
          d.code.emit(op_get_head, Slot{4}, Slot{4});
          d.code.emit(op_tuple, Slot{4}, std::vector<Value>{Slot{3}, Slot{4}});
          d.code.emit(op_get_elem, Slot{3}, Slot{4}, Number{1});
          d.code.emit(op_ret, Slot{3});
        }) == "");
}

TEST_CASE("a native alone is a function") {
  Draft draft;
  NativeRef native = draft.native("Prim", "map_size", 1);
  draft.begin("f", 1, 2);
  draft.code.emit(op_tail_native, native);
  draft.end();
  CHECK(verify(*draft.image) == "");
}

TEST_CASE("slots must hold terms when they are read") {
  says(verify_body(0, 3, [](Draft& d) { d.code.emit(op_ret, Slot{1}); }), "may hold nothing");
  says(verify_body(0, 3, [](Draft& d) { d.code.emit(op_ret, Slot{3}); }), "no such slot");
  says(verify_body(0, 3, [](Draft& d) { d.code.emit(op_ret, Slot{0}); }), "no such slot");
  says(verify_body(1, 4,
                   [](Draft& d) {
                     // Slot 2 is written on one way only.
                     Label other = d.code.new_label();
                     d.code.emit(op_is_int, Slot{1}, other);
                     d.code.emit(op_load, Slot{2}, d.integer(1));
                     d.code.bind(other);
                     d.code.emit(op_ret, Slot{2});
                   }),
       "may hold nothing");
}

TEST_CASE("what is dead at a safe point is gone") {
  says(verify_body(2, 3,
                   [](Draft& d) {
                     d.code.emit(op_alloc, Number{2}, live({1}));
                     d.code.emit(op_ret, Slot{2});
                   }),
       "may hold nothing");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_alloc, Number{2}, live({1, 2}));
                     d.code.emit(op_ret, Slot{1});
                   }),
       "live map with a slot that may hold nothing");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_alloc, Number{2}, live({1, 9}));
                     d.code.emit(op_ret, Slot{1});
                   }),
       "slots that are not there");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_alloc, Number{2}, live({0, 1}));
                     d.code.emit(op_ret, Slot{1});
                   }),
       "slot 0 in a live map");
}

TEST_CASE("cells and tuples are taken apart only where proven") {
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_get_head, Slot{2}, Slot{1});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "may hold no list cell");
  auto element = [](std::uint32_t index) {
    return verify_body(1, 3, [index](Draft& d) {
      Label other = d.code.new_label();
      d.code.emit(op_is_tagged_tuple, Slot{1}, Number{2}, d.atom("ok"), other);
      d.code.emit(op_get_elem, Slot{2}, Slot{1}, Number{index});
      d.code.emit(op_ret, Slot{2});
      d.code.bind(other);
      d.code.emit(op_ret, Slot{1});
    });
  };
  CHECK(element(1) == "");
  says(element(2), "may hold no tuple, or none that large");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     // Sizes 2 and 3 meet: two elements are sure.
                     Label a = d.code.new_label(), b = d.code.new_label(), e = d.code.new_label();
                     d.code.emit(op_switch_arity, Slot{1}, e,
                                 std::vector<SwitchCase>{{d.integer(2), a}, {d.integer(3), b}});
                     d.code.bind(e);
                     d.code.emit(op_ret, Slot{1});
                     d.code.bind(b);
                     d.code.emit(op_get_elem, Slot{2}, Slot{1}, Number{2});
                     d.code.bind(a);
                     d.code.emit(op_get_elem, Slot{2}, Slot{1}, Number{1});
                     d.code.emit(op_get_elem, Slot{2}, Slot{1}, Number{2});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "none that large");
}

TEST_CASE("a size is there only where it was taken, and is no longer what it is of") {
  auto size = [](Op op, bool elsewhere) {
    return verify_body(1, 3, [=](Draft& d) {
      Label none = d.code.new_label();
      d.code.emit(op, Slot{2}, Slot{1}, none);
      d.code.emit(op_ret, Slot{2});
      d.code.bind(none);
      d.code.emit(op_ret, Slot{elsewhere ? 2u : 1u});
    });
  };
  for (Op op : {op_tuple_size, op_map_size, op_byte_size, op_bit_size}) {
    CHECK(size(op, false) == "");
    says(size(op, true), "may hold nothing");
  }
  says(verify_body(1, 3,
                   [](Draft& d) {
                     Label other = d.code.new_label();
                     d.code.emit(op_is_tuple_n, Slot{1}, Number{2}, other);
                     d.code.emit(op_tuple_size, Slot{1}, Slot{1}, other);
                     d.code.emit(op_get_elem, Slot{2}, Slot{1}, Number{1});
                     d.code.bind(other);
                     d.code.emit(op_ret, Slot{1});
                   }),
       "may hold no tuple");
}

TEST_CASE("what is built must have been allocated") {
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_cons, Slot{2}, Slot{1}, Slot{1});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "more words built");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     // The credit ends where another way joins.
                     Label join = d.code.new_label();
                     d.code.emit(op_alloc, Number{2}, live({1}));
                     d.code.emit(op_is_int, Slot{1}, join);
                     d.code.bind(join);
                     d.code.emit(op_cons, Slot{2}, Slot{1}, Slot{1});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "more words built");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     d.code.emit(op_alloc, Number{2}, live({1}));
                     d.code.emit(op_add, Slot{2}, Slot{1}, Slot{1});
                     d.code.emit(op_cons, Slot{2}, Slot{1}, Slot{1});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "more words built");
}

TEST_CASE("calls lie within the frame and have their arguments") {
  auto call = [](std::uint32_t base, std::uint32_t slot, LiveMap map) {
    return verify_body(1, 4, [&](Draft& d) {
      ImportRef callee = d.import("M", "f", 1);
      d.code.emit(op_move, Slot{slot}, Slot{1});
      d.code.emit(op_call_ext, callee, Return{base, Slot{1}, map});
      d.code.emit(op_ret, Slot{1});
    });
  };
  CHECK(call(2, 3, live({1})) == "");
  says(call(3, 3, live({1})), "outside of the frame");
  says(call(0, 2, live({})), "outside of the frame");
  says(call(2, 2, live({1})), "argument that may hold nothing");
  says(call(1, 2, live({1})), "slots that are not there");
  says(verify_body(1, 3, [](Draft& d) { d.code.emit(op_tail_fun, Slot{1}, Number{1}); }),
       "lies within its arguments");
}

TEST_CASE("functions begin with enter and do not run off their end") {
  Draft draft;
  draft.begin("f", 0, 2);
  draft.code.emit(op_ret_const, draft.integer(1));
  draft.end();
  says(verify(*draft.image), "does not begin with enter");
  says(verify_body(1, 2, [](Draft& d) { d.code.emit(op_move, Slot{1}, Slot{1}); }),
       "runs off its end");
  says(verify_body(0, 2,
                   [](Draft& d) {
                     d.code.emit(op_enter);
                     d.code.emit(op_ret_const, d.integer(1));
                   }),
       "enter inside");
}

TEST_CASE("jumps lead to instructions of the function") {
  Draft draft;
  draft.begin("f", 1, 3);
  draft.code.emit(op_enter);
  Label label = draft.code.new_label();
  draft.code.emit(op_is_int, Slot{1}, label);
  draft.code.bind(label);
  draft.code.emit(op_ret, Slot{1});
  draft.end();
  REQUIRE(verify(*draft.image) == "");
  // enter is byte 0; is_int has its slot in byte 2, its target in 3 to 6.
  for (std::uint32_t target : {0u, 2u, 5u, 8u, 9u, 0x7fffffffu, 0xffffffffu}) {
    for (unsigned i = 0; i < 4; ++i)
      draft.image->code[3 + i] = static_cast<std::uint8_t>(target >> 8 * i);
    CHECK(verify(*draft.image) != "");
  }
}

TEST_CASE("only safe points jump back") {
  auto back = [](bool safe) {
    return verify_body(1, 2, [=](Draft& d) {
      Label top = d.code.new_label();
      d.code.bind(top);
      if (safe)
        d.code.emit(op_loop, top, live({1}));
      else
        d.code.emit(op_jump, top);
    });
  };
  CHECK(back(true) == "");
  says(back(false), "jump back");
}

TEST_CASE("handlers begin with catch, and see only what surely lives") {
  auto guarded = [](bool keeps, bool handler_catches, ExceptionKind kind) {
    return verify_body(1, 6, [=](Draft& d) {
      Label start = d.code.new_label(), end = d.code.new_label(), handler = d.code.new_label();
      ImportRef callee = d.import("M", "f", 0);
      d.code.bind(start);
      d.code.emit(op_call_ext, callee, Return{3, Slot{2}, keeps ? live({1}) : live({})});
      d.code.bind(end);
      d.code.emit(op_ret, Slot{2});
      d.code.bind(handler);
      if (handler_catches) d.code.emit(op_catch, Slot{3}, Slot{4}, Slot{5});
      d.code.emit(op_ret, Slot{1});
      d.code.exception_range(start, end, handler, kind);
    });
  };
  CHECK(guarded(true, true, ExceptionKind::Handler) == "");
  says(guarded(false, true, ExceptionKind::Handler), "may hold nothing");
  says(guarded(true, false, ExceptionKind::Handler), "must begin with catch");
  CHECK(guarded(true, false, ExceptionKind::Guard) == "");
  says(guarded(true, true, ExceptionKind::Guard), "must begin with catch");
  says(verify_body(1, 5,
                   [](Draft& d) {
                     d.code.emit(op_catch, Slot{2}, Slot{3}, Slot{4});
                     d.code.emit(op_ret, Slot{1});
                   }),
       "fallen into");
}

TEST_CASE("constants are of the kind that is wanted") {
  says(
      verify_body(1, 3, [](Draft& d) { d.code.emit(op_idiv_imm, Slot{2}, Slot{1}, d.integer(0)); }),
      "division by zero");
  says(verify_body(1, 3, [](Draft& d) { d.code.emit(op_add_imm, Slot{2}, Slot{1}, d.atom("a")); }),
       "no small integer");
  says(
      verify_body(1, 3, [](Draft& d) { d.code.emit(op_add_imm, Slot{2}, Slot{1}, d.string("a")); }),
      "not immediate");
  says(
      verify_body(1, 3, [](Draft& d) { d.code.emit(op_bsl_imm, Slot{2}, Slot{1}, d.integer(-1)); }),
      "negative shift");
  auto keys = [](std::initializer_list<const char*> names) {
    return verify_body(1, 3, [&](Draft& d) {
      LiteralWriter writer;
      writer.tuple(static_cast<std::uint32_t>(names.size()));
      for (const char* name : names) writer.atom(name);
      ConstantRef tuple = d.term(std::move(writer));
      d.code.emit(op_alloc, Number{10}, live({1}));
      d.code.emit(op_map_literal, Slot{2}, tuple, std::vector<Value>(names.size(), Slot{1}));
      d.code.emit(op_ret, Slot{2});
    });
  };
  CHECK(keys({"a", "b"}) == "");
  says(keys({"b", "a"}), "not in order");
  says(keys({"a", "a"}), "not in order");
  says(verify_body(1, 3,
                   [](Draft& d) {
                     Label to = d.code.new_label();
                     d.code.emit(op_switch_imm, Slot{1}, to,
                                 std::vector<SwitchCase>{{d.atom("a"), to}, {d.atom("a"), to}});
                     d.code.bind(to);
                     d.code.emit(op_ret, Slot{1});
                   }),
       "equal constants");
}

TEST_CASE("code made to be expensive is refused in time") {
  Draft draft;
  std::uint32_t frame = 60000;
  draft.begin("f", 1, frame);
  draft.code.emit(op_enter);
  std::vector<Label> labels;
  for (int i = 0; i < 20000; ++i) labels.push_back(draft.code.new_label());
  for (Label label : labels) draft.code.emit(op_is_int, Slot{1}, label);
  for (Label label : labels) {
    draft.code.bind(label);
    draft.code.emit(op_move, Slot{2}, Slot{1});
  }
  draft.code.emit(op_ret, Slot{1});
  draft.end();
  says(verify(*draft.image), "too complex");
}

TEST_CASE("a message names the function and the instruction") {
  CHECK(verify_body(0, 3, [](Draft& d) { d.code.emit(op_ret, Slot{1}); }) ==
        "function f/0, line 1, offset 1 (ret): a slot is read that may hold nothing");
}
