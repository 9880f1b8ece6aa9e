#include "tests/unit/native_fixture.h"

using namespace quelea;

TEST_CASE("number natives") {
  NativeMachine m;
  check_natives(m, {
                       {"int_to_string(255, 16)", "\"ff\""},
                       {"int_to_string(-5, 2)", "\"-101\""},
                       {"int_to_string(5, 37)", "! :badarg"},
                       {"int_parse(\"-12\", 10)", "(:ok, -12)"},
                       {"int_parse(\"12x\", 10)", ":error"},
                       {"int_parse(\"\", 10)", ":error"},
                       {"int_parse(\"FF\", 16)", "(:ok, 255)"},
                       {"int_parse(\"123456789012345678901234567890\", 10)",
                        "(:ok, 123456789012345678901234567890)"},
                       {"int_parse_prefix(\"12x\", 10)", "(12, \"x\")"},
                       {"int_parse_prefix(\"-\", 10)", ":error"},
                       {"int_digits(1234, 10)", "[1, 2, 3, 4]"},
                       {"int_digits(0, 10)", "[0]"},
                       {"int_digits(100000000000000000000, 16)",
                        "[5, 6, 11, 12, 7, 5, 14, 2, 13, 6, 3, 1, 0, 0, 0, 0, 0]"},
                       {"int_digits(100000000000000000000, 1000)", "[100, 0, 0, 0, 0, 0, 0]"},
                       {"int_pow(2, 100)", "1267650600228229401496703205376"},
                       {"int_pow(2, -1)", "! :badarith"},
                       {"int_pow(2, 99999999999)", "! :system_limit"},
                       {"int_pow(-1, 100000000000000000000001)", "-1"},
                       {"int_pow(10, 0)", "1"},
                       {"int_pow_mod(3, 200, 1000007)", "959082"},
                       {"int_pow_mod(-3, 3, 5)", "3"},
                       {"int_gcd(-12, 18)", "6"},
                       {"int_sqrt(99)", "9"},
                       {"int_sqrt(-1)", "! :badarith"},
                       {"int_bit_length(-8)", "4"},
                       {"int_popcount(255)", "8"},
                       {"float_to_string(1.5)", "\"1.5\""},
                       {"float_to_string(2, 2)", "\"2.00\""},
                       {"float_to_string(:a)", "! :badarg"},
                       {"float_to_string_exponent(1234.5, 2)", "\"1.23e+03\""},
                       {"float_parse(\"1.5\")", "(:ok, 1.5)"},
                       {"float_parse(\"1\")", "(:ok, 1.0)"},
                       {"float_parse(\"+1e3\")", "(:ok, 1000.0)"},
                       {"float_parse(\"1.\")", ":error"},
                       {"float_parse(\"\")", ":error"},
                       {"float_parse(\"1e999\")", ":error"},
                       {"float_parse(\"0.5e999\")", ":error"},
                       {"float_parse(\"1e-999\")", "(:ok, 0.0)"},
                       {"float_parse(\"inf\")", ":error"},
                       {"float_parse_prefix(\"1.5e\")", "(1.5, \"e\")"},
                       {"float_parse_prefix(\"1.x\")", "(1.0, \".x\")"},
                       {"float_round(2.5, 0)", "3.0"},
                       {"float_round(-2.5, 0)", "-3.0"},
                       {"float_round(5.5675, 3)", "5.567"},
                       {"float_round(0.125, 2)", "0.13"},
                       {"float_round(9.995, 2)", "9.99"},
                       {"float_round(99.96, 1)", "100.0"},
                       {"float_round(1.0e-70, 2)", "0.0"},
                       {"float_ceil(1.0e-70, 2)", "0.01"},
                       {"float_floor(-1.0e-70, 2)", "-0.01"},
                       {"float_floor(1.29, 1)", "1.2"},
                       {"float_floor(-1.21, 1)", "-1.3"},
                       {"float_ceil(1.21, 1)", "1.3"},
                       {"float_ceil(1.2, 1)", "1.2"},
                       {"float_round(1.5, 16)", "! :badarg"},
                       {"float_ratio(0.75)", "(3, 4)"},
                       {"float_ratio(-3.0)", "(-3, 1)"},
                       {"math_sqrt(4)", "2.0"},
                       {"math_sqrt(-1)", "! :badarith"},
                       {"math_sqrt(:a)", "! :badarg"},
                       {"math_exp(1000)", "! :badarith"},
                       {"math_log(0)", "! :badarith"},
                       {"math_pow(2, 10)", "1024.0"},
                       {"math_atan2(0, -1)", "3.141592653589793"},
                       {"math_cbrt(27)", "3.0"},
                       {"math_cbrt(-1000)", "-10.0"},
                       {"math_hypot(3, 4)", "5.0"},
                   });
}

TEST_CASE("random natives are reproducible and stay in range") {
  NativeMachine a;
  NativeMachine b;
  CHECK(a.run("random_seed(42)") == b.run("random_seed(42)"));
  Term state = a.result_of("random_seed(42)");
  for (int i = 0; i < 1000; ++i) {
    Term pair = a.call("random_int", {state, Term::small(-3), Term::small(3)});
    const std::int64_t value = tuple_at(pair, 0).small_value();
    CHECK((value >= -3 && value <= 3));
    state = tuple_at(pair, 1);
    pair = a.call("random_float", {state});
    const double fraction = tuple_at(pair, 0).float_value();
    CHECK((fraction >= 0 && fraction < 1));
    state = tuple_at(pair, 1);
  }
  check_natives(a, {
                       {"random_int(5, 1, 2)", "! :badarg"},
                       {"random_int(\"too short\", 1, 2)", "! :badarg"},
                   });
  Term big = a.parse("1000000000000000000000000000000");
  Term pair = a.call("random_int", {state, Term::small(0), big});
  CHECK(integer_compare(tuple_at(pair, 0), big) <= 0);
  pair = a.call("random_shuffle", {state, a.result_of("range(1, 20)")});
  CHECK(a.show(a.call("list_sort", {tuple_at(pair, 0)})) == a.run("range(1, 20)"));
}
