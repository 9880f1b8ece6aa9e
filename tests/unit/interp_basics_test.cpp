#include <cstdio>
#include <ctime>

#include "tests/unit/machine_fixture.h"

using namespace quelea;

namespace {

// Each call moves the whole stack under gcstress.
#if QUELEA_GCSTRESS
constexpr int kDepth = 2000;
constexpr int kLength = 3000;
#else
constexpr int kDepth = 2000000;
constexpr int kLength = 300000;
#endif

/// fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
void add_fib(TestModule& m) {
  m.begin("fib", 1, 6);
  Label big = m.code.new_label();
  m.code.emit(op_lt_imm, Slot{1}, m.integer(2), big);
  m.code.emit(op_ret, Slot{1});
  m.code.bind(big);
  m.code.emit(op_sub_imm, Slot{4}, Slot{1}, m.integer(1));
  m.code.emit(op_call, FunctionRef{0}, Return{3, Slot{2}, live({1})});
  m.code.emit(op_sub_imm, Slot{4}, Slot{1}, m.integer(2));
  m.code.emit(op_call, FunctionRef{0}, Return{3, Slot{3}, live({2})});
  m.code.emit(op_add, Slot{2}, Slot{2}, Slot{3});
  m.code.emit(op_ret, Slot{2});
  m.end();
}

void add_fib_main(TestModule& m, std::int64_t n) {
  m.begin("main", 0, 6);
  m.code.emit(op_load, Slot{3}, m.integer(n));
  m.code.emit(op_call, FunctionRef{0}, Return{2, Slot{1}, live({})});
  m.code.emit(op_ret, Slot{1});
  m.end();
}

}  // namespace

TEST_CASE("calls, returns and small arithmetic") {
  TestMachine machine;
  TestModule m;
  add_fib(m);
  add_fib_main(m, 20);
  machine.load(m);
  REQUIRE(machine.run("main") == "6765");
}

TEST_CASE("fib(35)", "[.][bench]") {
  TestMachine machine;
  TestModule m;
  add_fib(m);
  add_fib_main(m, 35);
  machine.load(m);
  const std::clock_t start = std::clock();
  REQUIRE(machine.run("main") == "9227465");
  const double took = 1e9 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("fib(35): %.2f ns a call\n", took / 29860703);
}

TEST_CASE("lists are built and survive collections") {
  TestMachine machine;
  TestModule m;
  // fn build(n, acc): loops, conses; fn sum(list, acc)
  m.begin("build", 2, 3);
  Label again = m.code.new_label(), more = m.code.new_label();
  m.code.bind(again);
  m.code.emit(op_eq_imm, Slot{1}, m.integer(0), more);
  m.code.emit(op_ret, Slot{2});
  m.code.bind(more);
  m.code.emit(op_alloc, Number{2}, live({1, 2}));
  m.code.emit(op_cons, Slot{2}, Slot{1}, Slot{2});
  m.code.emit(op_sub_imm, Slot{1}, Slot{1}, m.integer(1));
  m.code.emit(op_loop, again, live({1, 2}));
  m.end();
  m.begin("sum", 2, 3);
  Label next = m.code.new_label(), done = m.code.new_label();
  m.code.bind(next);
  m.code.emit(op_is_cons, Slot{1}, done);
  { m.code.emit(op_get_head, Slot{0 + 2}, Slot{1}); }
  m.code.emit(op_get_tail, Slot{1}, Slot{1});
  m.code.emit(op_loop, next, live({1, 2}));
  m.code.bind(done);
  m.code.emit(op_ret, Slot{2});
  m.end();
  m.begin("main", 0, 6);
  m.code.emit(op_load, Slot{3}, m.integer(kLength));
  m.code.emit(op_load, Slot{4}, m.nil());
  m.code.emit(op_call, FunctionRef{0}, Return{2, Slot{1}, live({})});
  m.code.emit(op_move, Slot{3}, Slot{1});
  m.code.emit(op_load, Slot{4}, m.nil());
  m.code.emit(op_call, FunctionRef{1}, Return{2, Slot{1}, live({})});
  m.code.emit(op_ret, Slot{1});
  m.end();
  machine.load(m);
  REQUIRE(machine.run("main") == std::to_string(kLength));
}

TEST_CASE("deep recursion grows the stack") {
  TestMachine machine;
  TestModule m;
  m.begin("deep", 1, 5);
  Label more = m.code.new_label();
  m.code.emit(op_eq_imm, Slot{1}, m.integer(0), more);
  m.code.emit(op_ret_const, m.integer(0));
  m.code.bind(more);
  m.code.emit(op_sub_imm, Slot{3}, Slot{1}, m.integer(1));
  m.code.emit(op_call, FunctionRef{0}, Return{2, Slot{2}, live({})});
  m.code.emit(op_add_imm, Slot{2}, Slot{2}, m.integer(1));
  m.code.emit(op_ret, Slot{2});
  m.end();
  m.begin("main", 0, 4);
  m.code.emit(op_load, Slot{3}, m.integer(kDepth));
  m.code.emit(op_call, FunctionRef{0}, Return{2, Slot{1}, live({})});
  m.code.emit(op_ret, Slot{1});
  m.end();
  machine.load(m);
  REQUIRE(machine.run("main") == std::to_string(kDepth));
}

TEST_CASE("an uncaught error is reported with its trace") {
  TestMachine machine;
  TestModule m;
  m.begin("main", 0, 3);
  m.code.line(7);
  m.code.emit(op_load, Slot{1}, m.atom("x"));
  m.code.emit(op_add, Slot{2}, Slot{1}, Slot{1});
  m.code.emit(op_ret, Slot{2});
  m.end();
  machine.load(m);
  const std::string report = machine.run("main");
  REQUIRE(report.find("error :badarith") == 0);
  REQUIRE(report.find("main/0") != std::string::npos);
}

TEST_CASE("exceptions are caught in callers") {
  TestMachine machine;
  TestModule m;
  m.begin("thrower", 0, 2);
  m.code.emit(op_raise, raise_throw_, m.integer(42));
  m.end();
  m.begin("main", 0, 6);
  Label start = m.code.new_label(), stop = m.code.new_label(), handler = m.code.new_label();
  m.code.bind(start);
  m.code.emit(op_call, FunctionRef{0}, Return{4, Slot{1}, live({})});
  m.code.bind(stop);
  m.code.emit(op_ret, Slot{1});
  m.code.bind(handler);
  m.code.emit(op_catch, Slot{1}, Slot{2}, Slot{3});
  m.code.emit(op_alloc, Number{3}, live({1, 2}));
  m.code.emit(op_tuple, Slot{1}, std::vector<Value>{Slot{1}, Slot{2}});
  m.code.emit(op_ret, Slot{1});
  m.code.exception_range(start, stop, handler, ExceptionKind::Handler);
  m.end();
  machine.load(m);
  REQUIRE(machine.run("main") == "(:throw, 42)");
}

TEST_CASE("messages to oneself, in order, and a timeout") {
  TestMachine machine;
  TestModule m;
  m.begin("main", 0, 5);
  m.code.emit(op_self_pid, Slot{1});
  m.code.emit(op_send, Slot{1}, m.integer(1));
  m.code.emit(op_send, Slot{1}, m.integer(2));
  // receive 2, then 1, then time out
  for (int wanted : {2, 1}) {
    Label scan = m.code.new_label(), wait = m.code.new_label(), skip = m.code.new_label(),
          next = m.code.new_label();
    m.code.emit(op_recv_start, m.empty_list(), m.empty_list());
    m.code.bind(scan);
    m.code.emit(op_recv_peek, Slot{2}, wait);
    m.code.emit(op_eq_imm, Slot{2}, m.integer(wanted), skip);
    m.code.emit(op_recv_take);
    m.code.emit(op_jump, next);
    m.code.bind(skip);
    m.code.emit(op_recv_skip);
    m.code.emit(op_loop, scan, live({1}));
    m.code.bind(wait);
    m.code.emit(op_recv_wait, scan, live({1}));
    m.code.bind(next);
  }
  Label scan = m.code.new_label(), wait = m.code.new_label();
  m.code.emit(op_recv_start, m.empty_list(), m.empty_list());
  m.code.bind(scan);
  m.code.emit(op_recv_peek, Slot{2}, wait);
  m.code.emit(op_recv_take);
  m.code.emit(op_ret, Slot{2});
  m.code.bind(wait);
  m.code.emit(op_load, Slot{3}, m.integer(20));
  m.code.emit(op_recv_wait_until, Slot{3}, scan, live({3}));
  m.code.emit(op_ret_const, m.atom("late"));
  m.end();
  machine.load(m);
  REQUIRE(machine.run("main") == ":late");
}
