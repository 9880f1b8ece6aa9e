// The shapes that the interpreter's speed depends on, as code one would write by hand.
#include <catch2/catch.hpp>

#include "tests/unit/core_support.h"

using quelea::test::compile_text;

TEST_CASE("a call's arguments are computed where the callee wants them", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) })")
                   .code("fib") ==
        R"(
    enter
    lt_imm s1, 2, L1
    ret s1
L1:
    sub_imm s3, s1, 1
    call fib/1, base 2 -> s2, live {1}
    sub_imm s4, s1, 2
    call fib/1, base 3 -> s1, live {2}
    add s1, s2, s1
    ret s1
)");
}

TEST_CASE("a self tail call over a list is a loop", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn sum([], acc) = acc
pub fn sum([x | rest], acc) = sum(rest, acc + x))")
                   .code("sum") ==
        R"(
    enter
L1:
    uncons s3, s1, s1, L2
    add s2, s2, s3
    loop L1, live {1 2}
L2:
    eq_imm s1, [], L3
    ret s2
L3:
    raise function_clause, nil
)");
}

TEST_CASE("a comprehension is a loop in place", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn double(xs) = [x * 2 for x in xs])").code("double") == R"(
    enter
    load s2, []
L1:
    uncons s3, s1, s1, L2
    mul_imm s3, s3, 2
    new_cons s2, s3, s2, live {1 2 3}
    loop L1, live {1 2}
L2:
    eq_imm s1, [], L3
    load s3, []
    call_native Prim.reverse/2, base 1 -> s1, live {}
    ret s1
L3:
    move s4, s1
    call_native Prim.generator/1, base 3 -> s1, live {2}
    loop L1, live {1 2}
)");
}

TEST_CASE("a range is never built", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn total(n) = for i in 1..n with acc = 0 { acc + i })")
                   .code("total") ==
        R"(
    enter
    is_int s1, L3
    load s2, 1
    load s3, 0
L1:
    ge s1, s2, L2
    add s3, s3, s2
    add_imm s2, s2, 1
    loop L1, live {1 2 3}
L2:
    ret s3
L3:
    load s2, 1
    move s3, s1
    call_native Prim.range/2, base 1 -> s1, live {}
    raise bad_generator, s1
)");
}

TEST_CASE("many atoms are one switch", "[core]") {
  CHECK("\n" +
            compile_text(
                R"(pub fn day(d) = match d { :mon -> 1; :tue -> 2; :wed -> 3; :thu -> 4; _ -> 0 })")
                .code("day") ==
        R"(
    enter
    switch_imm s1, L5, {:mon -> L1, :tue -> L2, :wed -> L3, :thu -> L4}
L1:
    ret_const 1
L2:
    ret_const 2
L3:
    ret_const 3
L4:
    ret_const 4
L5:
    ret_const 0
)");
}

TEST_CASE("tuples of one size share the test of the size", "[core]") {
  CHECK("\n" +
            compile_text(R"(pub fn unwrap(r) = match r { (:ok, v) -> v; (:error, e) -> error(e) })")
                .code("unwrap") ==
        R"(
    enter
    is_tuple_n s1, 2, L2
    get_elem s2, s1, 0
    eq_imm s2, :ok, L1
    get_elem s1, s1, 1
    ret s1
L1:
    eq_imm s2, :error, L2
    get_elem s1, s1, 1
    raise error, s1
L2:
    raise case_clause, s1
)");
}

TEST_CASE("size and tag of a lone tuple are one test", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn tagged(r) = match r { (:ok, v) -> v; _ -> nil })")
                   .code("tagged") ==
        R"(
    enter
    is_tagged_tuple s1, 2, :ok, L1
    get_elem s1, s1, 1
    ret s1
L1:
    ret_const nil
)");
}

TEST_CASE("small functions are put in place of their calls", "[core]") {
  CHECK("\n" + compile_text(R"(
fn pair(x, y) = (x, [y])
fn small(n) = is_int(n) and n < 10
fn next(n) = if n > 9 { 0 } else { other(n) }
fn other(n) = for _ in 1..n with s = 0 { s + n }
fn square(x) = x * x
pub fn sum(a) = (pair(a, 1), small(a), next(a), square(a)))")
                   .code("sum") ==
        R"(
    enter
    alloc 3, live {1}
    tuple s2, [s1, [1]]
    is_int s1, L1
    cmp_lt s3, s1, 10
    jump L2
L1:
    load s3, false
L2:
    gt_imm s1, 9, L3
    load s4, 0
    jump L4
L3:
    move s5, s1
    call other/1, base 4 -> s4, live {1 2 3}
L4:
    mul s1, s1, s1
    alloc 5, live {1 2 3 4}
    tuple s1, [s2, s3, s4, s1]
    ret s1
)");
}

TEST_CASE("the clauses of a small function come before its call", "[core]") {
  CHECK("\n" + compile_text(R"(
fn place(0, _) = 1
fn place(n, x) when n > 0 = n - x
pub fn sum(a, b) = a * place(b, a))")
                   .code("sum") ==
        R"(
    enter
    eq_imm s2, 0, L1
    load s2, 1
    jump L3
L1:
    gt_imm s2, 0, L2
    sub s2, s2, s1
    jump L3
L2:
    move s3, s2
    move s4, s1
    call place/2, base 2 -> s2, live {1}
L3:
    mul s1, s1, s2
    ret s1
)");
}

TEST_CASE("what is inlined makes a function grow within bounds", "[core]") {
  const auto calls_left = [](const std::string& helper) {
    std::string list;
    for (int i = 0; i < 200; ++i) list += "s(x + " + std::to_string(i) + "), ";
    const std::string code =
        compile_text("fn s(x) = " + helper + "\npub fn f(x) = [" + list + "]").code("f");
    int count = 0;
    for (size_t at = 0; (at = code.find("call s/1", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  CHECK(calls_left("x + 1") == 0);
  const int left = calls_left("if x > 3 and x < 90 { x * 2 + 7 } else { x div 3 - x rem 7 }");
  CHECK(left > 150);
  CHECK(left < 200);
}

TEST_CASE("a function that calls itself is not put in place of its calls", "[core]") {
  CHECK("\n" + compile_text(R"(
fn last(n) = if n == 0 { n } else { last(n - 1) }
pub fn twice(n) = last(n) + 1)")
                   .code("twice") ==
        R"(
    enter
    move s2, s1
    call last/1, base 1 -> s1, live {}
    add_imm s1, s1, 1
    ret s1
)");
}

TEST_CASE("integers are equal exactly", "[core]") {
  CHECK("\n" + compile_text(R"(
pub fn f(x, y) {
  if tuple_size(x) == 2 or length(y) == 3 or x rem 2 + 1 == 1 { 1 } else { 2 }
})")
                   .code("f") ==
        R"(
    enter
    tuple_size s3, s1, L3
    ne_imm s3, 2, L1
    move s3, s2
    call_native Prelude.length/1, base 2 -> s2, live {1}
    ne_imm s2, 3, L1
    rem_imm s1, s1, 2
    add_imm s1, s1, 1
    eq_imm s1, 1, L2
L1:
    ret_const 1
L2:
    ret_const 2
L3:
    move s2, s1
    call_native Prelude.tuple_size/1, base 1 -> s1, live {}
    raise error, s1
)");
  // What is counted in a loop, too; but not what may be a float.
  const std::string loop = compile_text(R"(
pub fn f(xs, z) = for _ in xs with (n, m) = (0, z) {
  if n == 7 or m == 7 { (n, m) } else { (n + 1, m + 1) }
})")
                               .code("f");
  INFO(loop);
  CHECK(loop.find("ne_imm s2, 7") != std::string::npos);
  CHECK(loop.find("ne_num s3, 7") != std::string::npos);
}

TEST_CASE("a receive scans, takes and waits", "[core]") {
  CHECK("\n" +
            compile_text(
                R"(pub fn wait(ref) = receive { (:reply, ^ref, v) -> v } after 100 { :timeout })")
                .code("wait") ==
        R"(
    enter
    recv_start (:reply,), s1
L1:
    recv_peek s2, L3
    is_tagged_tuple s2, 3, :reply, L2
    get_elem s3, s2, 1
    eq s3, s1, L2
    get_elem s1, s2, 2
    recv_take
    ret s1
L2:
    recv_skip
    loop L1, live {1}
L3:
    load s2, 100
    recv_wait_until s2, L1, live {1 2}
    ret_const :timeout
)");
}

TEST_CASE("a try is an exception range", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn safe(f) = try { f() } catch { error r -> (:error, r) })")
                   .code("safe") ==
        R"(
    enter
L1:
    call_fun s1, 0, base 1 -> s1, live {}
    ret s1
L2:
    catch s1, s2, s3
    eq_imm s1, :error, L3
    alloc 3, live {2}
    tuple s1, [:error, s2]
    ret s1
L3:
    reraise s1, s2, s3
  .handler L1..L2 to L2
)");
}

TEST_CASE("a guard that raises is false", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn guard(x) when length(x) == 2 = :pair
pub fn guard(_) = :other)")
                   .code("guard") ==
        R"(
    enter
L1:
    move s2, s1
    call_native Prelude.length/1, base 1 -> s1, live {}
    eq_imm s1, 2, L3
L2:
    ret_const :pair
L3:
    ret_const :other
  .guard L1..L2 to L3
)");
}

TEST_CASE("known lambdas are called, not closed over", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn add(n) { plus = fn(x) = x + n; plus(1) * plus(2) })")
                   .code("add") ==
        R"(
    enter
    load s3, 1
    move s4, s1
    call -add/1-fun-0-/2, base 2 -> s2, live {1}
    load s4, 2
    move s5, s1
    call -add/1-fun-0-/2, base 3 -> s1, live {2}
    mul s1, s2, s1
    ret s1
)");
}

TEST_CASE("a tuple that is taken apart at once is not built", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn swap(a, b) { (x, y) = (b, a); [x, y] })").code("swap") == R"(
    enter
    alloc 4, live {1 2}
    list s1, [s2, s1], []
    ret s1
)");
}

TEST_CASE("runs of building share one alloc", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn nest(a, b) = (a, [b, (b, a)], [a]))").code("nest") == R"(
    enter
    alloc 13, live {1 2}
    tuple s3, [s2, s1]
    list s2, [s2, s3], []
    cons s3, s1, []
    tuple s1, [s1, s2, s3]
    ret s1
)");
}

TEST_CASE("a rebuilt cell is the old one", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn same([x | xs], n) when n > 0 = [x | xs]
pub fn same(_, _) = [])")
                   .code("same") ==
        R"(
    enter
    is_cons s1, L1
    gt_imm s2, 0, L1
    ret s1
L1:
    ret_const []
)");
}

TEST_CASE("map patterns test a key once", "[core]") {
  CHECK("\n" + compile_text(
                   R"(pub fn point(m) = match m { %{x: 0, y: y} -> y; %{x: x} -> x; _ -> nil })")
                   .code("point") ==
        R"(
    enter
    map_get s2, s1, :x, L2
    eq_imm s2, 0, L1
    map_get s1, s1, :y, L1
    ret s1
L1:
    ret s2
L2:
    ret_const nil
)");
}

TEST_CASE("accumulators in tuples are carried apart", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn fibs(n) = for _ in 1..n with (a, b) = (0, 1) { (b, a + b) })")
                   .code("fibs") ==
        R"(
    enter
    is_int s1, L3
    load s2, 1
    load s4, 1
    load s3, 0
L1:
    ge s1, s2, L2
    add s3, s3, s4
    add_imm s2, s2, 1
    move s5, s3
    move s3, s4
    move s4, s5
    loop L1, live {1 2 3 4}
L2:
    alloc 3, live {3 4}
    tuple s1, [s3, s4]
    ret s1
L3:
    load s2, 1
    move s3, s1
    call_native Prim.range/2, base 1 -> s1, live {}
    raise bad_generator, s1
)");
}

TEST_CASE("constants are folded", "[core]") {
  CHECK("\n" + compile_text(R"(const side = 4
pub fn area() = side * side + (2 - 1))")
                   .code("area") ==
        R"(
    enter
    ret_const 17
)");
}

TEST_CASE("binaries are walked by position", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn bytes(<<b, rest/bytes>>, acc) = bytes(rest, acc + b)
pub fn bytes(<<>>, acc) = acc)")
                   .worker("bytes") ==
        R"(
    enter
L1:
    bs_byte s4, s3, s1, s3, L2
    add s2, s2, s4
    loop L1, live {1 2 3}
L2:
    bs_end s1, s3, L3
    ret s2
L3:
    bs_rest s1, s1, s3, 8, L4
    raise function_clause, nil
L4:
    raise badarg, s1
)");
}

TEST_CASE("what a leaf gives goes on by a way of its own", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn make(0) = (nil, nil)
pub fn make(d) = (make(d - 1), make(d - 1)))")
                   .code("make") ==
        R"(
    enter
    eq_imm s1, 0, L1
    ret_const (nil, nil)
L1:
    sub_imm s3, s1, 1
    eq_imm s3, 0, L2
    ret_const ((nil, nil), (nil, nil))
L2:
    move s5, s3
    call make/1, base 4 -> s1, live {3}
    call make/1, base 2 -> s2, live {1}
    alloc 3, live {1 2}
    tuple s1, [s1, s2]
    ret s1
)");
}

TEST_CASE("a constant that decides a test behind a join splits the join", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn kind(x) {
  size = if x > 100 { :large } else { 7 }
  if size == :large { (:big, x) } else { (size + 1, x) }
})")
                   .code("kind") ==
        R"(
    enter
    gt_imm s1, 100, L1
    alloc 3, live {1}
    tuple s1, [:big, s1]
    ret s1
L1:
    alloc 3, live {1}
    tuple s1, [8, s1]
    ret s1
)");
}

TEST_CASE("a size in a guard is an instruction that leads to the next clause", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn long(b) when byte_size(b) > 3 = true
pub fn long(_) = false)")
                   .code("long") ==
        R"(
    enter
    byte_size s1, s1, L1
    gt_imm s1, 3, L1
    ret_const true
L1:
    ret_const false
)");
}

TEST_CASE("a size elsewhere is the native's to complain about", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn bytes(b) = byte_size(b))").code("bytes") == R"(
    enter
    byte_size s1, s1, L1
    ret s1
L1:
    tail_native Prelude.byte_size/1
)");
}

TEST_CASE("nobody jumps over the complaint about a size", "[core]") {
  CHECK("\n" + compile_text(R"(pub fn next(t) = tuple_size(t) + 1)").code("next") == R"(
    enter
    tuple_size s1, s1, L1
    add_imm s1, s1, 1
    ret s1
L1:
    move s2, s1
    call_native Prelude.tuple_size/1, base 1 -> s1, live {}
    raise error, s1
)");
}
