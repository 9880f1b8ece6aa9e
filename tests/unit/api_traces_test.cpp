// That nobody can tell where a function was inlined: each program prints its traces, and prints the
// same when nothing is.
#include <quelea/quelea.h>

#include <catch2/catch.hpp>
#include <string>

#include "compiler/driver/build.h"

namespace {

// What the program and the machine have to say, every text after the other.
std::string run(const std::string& text, bool inlining) {
  std::string said;
  quelea_config config;
  quelea_config_init(&config);
  config.user = &said;
  config.write = [](void* user, int, const char* bytes, size_t length) {
    static_cast<std::string*>(user)->append(bytes, length);
    return true;
  };
  quelea_vm* vm = quelea_vm_create(&config);
  const quelea::compiler::BuildResult built =
      quelea::compiler::build("t.qu", text, {.warnings = false, .inlining = inlining}, nullptr);
  said += built.text;
  for (const quelea::compiler::BuiltModule& module : built.modules)
    quelea_vm_load(vm, module.name.c_str(), module.bytes.data(), module.bytes.size());
  int status = -1;
  quelea_vm_run_main(vm, "Script.T", &status);
  quelea_vm_destroy(vm);
  return said + std::to_string(status);
}

constexpr const char* kShow = R"(
fn show(f) {
  result = try { f() } catch { _ reason, trace -> {
    println(inspect(reason))
    for entry in trace { println(inspect(entry)) }
  } }
  println(inspect(result))
}
)";

constexpr const char* kPrograms[] = {
    // Bodies in bodies, ended by calls or not, from a tail call or not.
    R"(
fn low(x) = x + 1
fn mid(x) {
  y = low(x)
  y * 2
}
fn passes(x) = mid(x)
fn high(x) {
  y = passes(x)
  [y | passes(y)]
}
fn tail(x) = passes(x)
fn chain(x) = if x == 1 { tail(x) } else { mid(high(x)) }
show(fn() = high(:a))
show(fn() { [high(:a)] })
show(fn() = tail(:a))
show(fn() { [tail(:a)] })
show(fn() = chain(:a))
show(fn() { [chain(:a)] })
show(fn() = high([]))
)",
    // Clauses, guards, matches.
    R"(
fn first((a, _)) = a
fn sign(n) when n > 0 = 1
fn sign(0) = 0
fn named(%{name: n}) = "${n}!"
fn unpack(x) {
  (:ok, y) = x
  y
}
fn choose(x) = match x {
  1 -> :one
  (a, b) when a > b -> a.x
}
fn all(x) {
  a = first(x)
  b = sign(a)
  c = unpack(b)
  (a, b, c, choose(c))
}
show(fn() = first(1))
show(fn() = [first(1)])
show(fn() = [sign(0 - 3)])
show(fn() = [sign((1, 2))])
show(fn() = [named(%{})])
show(fn() = [named(%{name: :x})])
show(fn() = [unpack(:no)])
show(fn() = [choose(3)])
show(fn() = [choose((2, 1))])
show(fn() = all((1, 2)))
show(fn() = all(1))
show(fn() { [all((1, 2))] })
)",
    // What ends in an error, a native, an unknown function, an exit; what is called with a default.
    R"(
fn fail(x) = error((:bad, x))
fn size(x) = map_size(x)
fn bytes(x) = byte_size(x)
fn nowhere(x) = Nowhere.f(x)
fn leave(x) = exit(x)
fn hurl(x) = throw(x)
fn number(x) = float(x)
fn grow(x, by = :much) = x + by
fn use(f) {
  y = f(1)
  [y]
}
fn four(x) {
  y = grow(x)
  [y]
}
fn check(x) = if x > 3 { fail(x) } else { x }
fn apply_it(f, x) {
  y = f(x)
  y
}
show(fn() = fail(1))
show(fn() = [fail(1)])
show(fn() = [size(1)])
show(fn() = [bytes(1)])
show(fn() = [nowhere(1)])
show(fn() = nowhere(1))
show(fn() = [leave(1)])
show(fn() = [hurl(1)])
show(fn() = [number(:a)])
show(fn() = four(1))
show(fn() = [check(7)])
show(fn() = check(7))
show(fn() = [apply_it(3, 4)])
show(fn() = [apply_it(&fail/1, 4)])
show(fn() = use(&number/1))
)",
    // Two that call each other, and one that calls itself twice.
    R"(
fn even(n) = if n == 0 { true } else { odd(n - 1) }
fn odd(n) = if n == 0 { 1 + :a } else { even(n - 1) }
fn down(n) = if n == 0 { 1 + :a } else { [up(n - 1)] }
fn up(n) = if n == 0 { 2 + :a } else { [down(n - 1)] }
fn sum((l, r)) = add(sum(l), sum(r))
fn sum(n) = add(n, 0)
fn add(a, b) = a + b
show(fn() = even(10))
show(fn() = even(9))
show(fn() { [even(10)] })
show(fn() = down(5))
show(fn() = up(50))
show(fn() = sum(((1, 2), (3, :x))))
)",
    // Where a process is, and a crash that nobody catches.
    R"(
fn here() {
  info = Process.info(self(), :current_stacktrace)
  info
}
fn where() {
  t = here()
  t
}
fn at() {
  f = Process.info(self(), :current_function)
  [f]
}
fn outer() {
  x = at()
  x
}
fn work(x) {
  y = x + :b
  [y]
}
fn start() {
  z = work(1)
  [z]
}
println(inspect(where()))
println(inspect(outer()))
start()
)"};

}  // namespace

TEST_CASE("a trace does not tell what was inlined") {
  for (const char* program : kPrograms) {
    const std::string text = std::string(program) + kShow;
    const std::string plain = run(text, false);
    INFO(text);
    CHECK(plain.find("unknown") == std::string::npos);
    CHECK(run(text, true) == plain);
  }
}
