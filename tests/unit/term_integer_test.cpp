#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/float_text.h"
#include "vm/term/number.h"

using namespace quelea;

namespace {

struct Fixture {
  TestHeap heap;

  Term random_integer(TestRandom& random) {
    std::size_t limbs = 1 + random.below(6);
    std::vector<std::uint64_t> words(limbs);
    for (std::uint64_t& word : words) {
      word = random.below(3) == 0 ? (random.below(2) == 0 ? 0 : ~0ull) : random.next();
    }
    if (random.below(3) == 0) words.resize(1), words[0] >>= random.below(64);
    return make_big(heap, random.below(2) == 0, words.data(), words.size());
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "integers obey the laws of arithmetic") {
  TestRandom random(7);
  for (int i = 0; i < 3000; ++i) {
    Term a = random_integer(random), b = random_integer(random), c = random_integer(random);
    INFO(digits(a) << " " << digits(b) << " " << digits(c));
    Term sum = integer_add(heap, a, b);
    REQUIRE(exact_equal(integer_sub(heap, sum, b), a));
    REQUIRE(exact_equal(sum, integer_add(heap, b, a)));
    REQUIRE(exact_equal(integer_mul(heap, a, integer_add(heap, b, c)),
                        integer_add(heap, integer_mul(heap, a, b), integer_mul(heap, a, c))));
    if (b != Term::small(0)) {
      Term q = integer_div(heap, a, b), r = integer_rem(heap, a, b);
      REQUIRE(exact_equal(integer_add(heap, integer_mul(heap, q, b), r), a));
      REQUIRE(integer_compare(integer_abs(heap, r), integer_abs(heap, b)) < 0);
    }
    // ~(a & b) = ~a | ~b, a ^ b = (a | b) - (a & b).
    REQUIRE(exact_equal(integer_bnot(heap, integer_band(heap, a, b)),
                        integer_bor(heap, integer_bnot(heap, a), integer_bnot(heap, b))));
    REQUIRE(exact_equal(integer_bxor(heap, a, b),
                        integer_sub(heap, integer_bor(heap, a, b), integer_band(heap, a, b))));
    Term shift = Term::small(static_cast<std::int64_t>(random.below(200)));
    REQUIRE(exact_equal(integer_bsr(heap, integer_bsl(heap, a, shift), shift), a));
    REQUIRE(integer_compare(a, b) == -integer_compare(b, a));
    REQUIRE((integer_compare(a, b) < 0) == integer_is_negative(integer_sub(heap, a, b)));
    for (unsigned radix : {2u, 7u, 10u, 16u, 36u}) {
      REQUIRE(exact_equal(heap.integer(digits(a, radix), radix), a));
    }
    Term square = integer_mul(heap, a, a);
    Term root = integer_isqrt(heap, square);
    REQUIRE(exact_equal(root, integer_abs(heap, a)));
    Term divisor = integer_gcd(heap, a, b);
    if (divisor != Term::small(0)) {
      REQUIRE(integer_rem(heap, a, divisor) == Term::small(0));
      REQUIRE(integer_rem(heap, b, divisor) == Term::small(0));
    }
  }
}

TEST_CASE_METHOD(Fixture, "integers compare with floats exactly") {
  TestRandom random(11);
  for (int i = 0; i < 2000; ++i) {
    Term a = random_integer(random);
    double value;
    REQUIRE(integer_to_double(a, value));
    Term back = integer_from_double(heap, value);
    int order = integer_compare(a, back);
    int found = integer_compare_float(a, value);
    REQUIRE(((found > 0) - (found < 0)) == ((order > 0) - (order < 0)));
    REQUIRE(integer_compare_float(a, std::nextafter(value, INFINITY)) <= 0);
    REQUIRE(integer_compare_float(a, std::nextafter(value, -INFINITY)) >= 0);
  }
  REQUIRE(integer_compare_float(Term::small(0), 0.5) < 0);
  REQUIRE(integer_compare_float(Term::small(0), -0.5) > 0);
  REQUIRE(integer_compare_float(Term::small(0), -0.0) == 0);
  REQUIRE(integer_compare_float(Term::small(kMaxSmall), 0x1p60) < 0);
  REQUIRE(integer_compare_float(Term::small(kMinSmall), -0x1p60) == 0);
  REQUIRE(integer_compare_float(Term::small(-3), -2.5) < 0);
  REQUIRE(integer_compare_float(Term::small(3), 2.5) > 0);
}

TEST_CASE_METHOD(Fixture, "integers have an end, which is a limit and not a crash") {
  Term one = Term::small(1);
  std::int64_t bits = static_cast<std::int64_t>(kMaxIntegerBits);
  Term top = integer_bsl(heap, one, Term::small(bits - 1));
  REQUIRE(!top.is_none());
  REQUIRE(integer_bsl(heap, one, Term::small(bits)).is_none());
  REQUIRE(integer_add(heap, top, top).is_none());
  REQUIRE(integer_mul(heap, top, top).is_none());
  REQUIRE(integer_bsl(heap, one, heap.integer("99999999999999999999999")).is_none());
  REQUIRE(integer_bsr(heap, one, heap.integer("99999999999999999999999")) == Term::small(0));
  REQUIRE(integer_bsr(heap, Term::small(-5), heap.integer("99999999999999999999999")) ==
          Term::small(-1));
  REQUIRE(integer_bsl(heap, Term::small(0), heap.integer("99999999999999999999999")) ==
          Term::small(0));
  REQUIRE(integer_pow(heap, Term::small(2), kMaxIntegerBits).is_none());
  REQUIRE(integer_pow(heap, Term::small(3), ~0ull).is_none());
  REQUIRE(integer_pow(heap, Term::small(-1), ~0ull) == Term::small(-1));
  REQUIRE(digits(integer_pow(heap, Term::small(-7), 31)) == "-157775382034845806615042743");
  NumberResult result;
  REQUIRE(number_mul(heap, top, top, result).is_none());
  REQUIRE(result.error == atoms::system_limit);
  bool limit = false;
  REQUIRE(integer_parse(heap, std::string(21000000, '9'), 10, &limit).is_none());
  REQUIRE(limit);
}

TEST_CASE_METHOD(Fixture, "a million digits are read and written quickly") {
  std::string text(1000000, '7');
  std::size_t work = 0;
  Term number = integer_parse(heap, text, 10, nullptr, &work);
  REQUIRE(work > 10000);
  REQUIRE(digits(number) == text);
}

TEST_CASE_METHOD(Fixture, "only digits are read as an integer") {
  for (const char* text :
       {"", "-", "+", "1 ", " 1", "1a", "--1", "0x1", "1.", "12345678901234567890x"}) {
    INFO(text);
    REQUIRE(heap.integer(text).is_none());
  }
  REQUIRE(heap.integer("+12") == Term::small(12));
  REQUIRE(heap.integer("-0") == Term::small(0));
  REQUIRE(heap.integer("0000000000000000000000000000000000012") == Term::small(12));
  REQUIRE(heap.integer("-1152921504606846976") == Term::small(kMinSmall));
  REQUIRE(heap.integer("zZ", 36) == Term::small(35 * 36 + 35));
  REQUIRE(heap.integer("12", 1).is_none());
  REQUIRE(heap.integer("12", 37).is_none());
}

TEST_CASE_METHOD(Fixture, "the edges of small integers") {
  Term largest = Term::small(kMaxSmall), least = Term::small(kMinSmall), one = Term::small(1);
  Term beyond = integer_add(heap, largest, one);
  REQUIRE(is_big(beyond));
  REQUIRE(integer_sub(heap, beyond, one) == largest);
  REQUIRE(is_big(integer_neg(heap, least)));
  REQUIRE(integer_neg(heap, integer_neg(heap, least)) == least);
  REQUIRE(exact_equal(integer_div(heap, least, Term::small(-1)), beyond));
  REQUIRE(is_big(integer_sub(heap, least, one)));
  REQUIRE(exact_equal(integer_bnot(heap, integer_sub(heap, least, one)), beyond));
  std::int64_t value = 0;
  REQUIRE(integer_to_int64(beyond, value));
  REQUIRE(value == kMaxSmall + 1);
  REQUIRE(integer_to_int64(make_integer(heap, INT64_MIN), value));
  REQUIRE(value == INT64_MIN);
  REQUIRE(!integer_to_int64(make_integer_unsigned(heap, ~0ull), value));
  std::uint64_t word = 0;
  REQUIRE(integer_to_uint64(make_integer_unsigned(heap, ~0ull), word));
  REQUIRE(word == ~0ull);
  REQUIRE(!integer_to_uint64(Term::small(-1), word));
}

TEST_CASE_METHOD(Fixture, "arithmetic that has no answer is badarith") {
  NumberResult result;
  result.error = Term::none();
  REQUIRE(number_idiv(heap, Term::small(1), Term::small(0), result).is_none());
  REQUIRE(result.error == atoms::badarith);
  REQUIRE(number_fdiv(heap, Term::small(1), heap.make_float(0.0), result).is_none());
  REQUIRE(number_add(heap, atoms::ok, Term::small(1), result).is_none());
  REQUIRE(number_mul(heap, heap.make_float(1e308), heap.make_float(10), result).is_none());
  REQUIRE(number_add(heap, integer_pow(heap, Term::small(10), 400), heap.make_float(1), result)
              .is_none());
  REQUIRE(number_band(heap, heap.make_float(1), Term::small(1), result).is_none());
}

TEST_CASE("floats are written as the language says") {
  auto text = [](double value) {
    char out[kFloatTextMax];
    return std::string(out, float_print_short(value, out));
  };
  REQUIRE(text(1000.0) == "1000.0");
  REQUIRE(text(2500.0) == "2500.0");
  REQUIRE(text(123456789.125) == "123456789.125");
  REQUIRE(text(1e22) == "1.0e22");
  REQUIRE(text(1e9) == "1.0e9");
  REQUIRE(text(6.02e23) == "6.02e23");
  REQUIRE(text(1.5e-3) == "0.0015");
  REQUIRE(text(-0.0) == "-0.0");
  REQUIRE(text(-1.5e-300) == "-1.5e-300");
  REQUIRE(text(9007199254740991.0) == "9007199254740991.0");
  REQUIRE(text(9007199254740992.0) == "9.007199254740992e15");
  auto fixed = [](double value, unsigned decimals) {
    std::string out;
    float_print_fixed(out, value, decimals);
    return out;
  };
  REQUIRE(fixed(3.14159, 2) == "3.14");
  REQUIRE(fixed(0.125, 2) == "0.13");
  REQUIRE(fixed(0.375, 2) == "0.38");
  REQUIRE(fixed(-2.5, 0) == "-3");
  REQUIRE(fixed(9.5, 0) == "10");
  REQUIRE(fixed(-99.5, 0) == "-100");
  REQUIRE(fixed(9.96875, 4) == "9.9688");
  REQUIRE(fixed(1.005, 2) == "1.00");
  REQUIRE(fixed(1e22, 2) == "10000000000000000000000.00");
  REQUIRE(fixed(7.0, 0) == "7");
  REQUIRE(fixed(7.0, 3) == "7.000");
}

TEST_CASE("floats are read strictly or as literals") {
  double value = 0;
  for (const char* bad : {"", ".", "1", "1.", ".5", "1.5e", "1.5e+", "1e5", "inf", "nan", "1.5 ",
                          " 1.5", "1.0e400", "-1.0e999", "1,5", "0x1.8p3"}) {
    INFO(bad);
    REQUIRE(!float_parse(bad, value));
  }
  REQUIRE(float_parse("1e5", value, true));
  REQUIRE(value == 1e5);
  REQUIRE(float_parse("-1.5E-3", value));
  REQUIRE(value == -1.5e-3);
  REQUIRE(float_parse("1.0e-400", value));
  REQUIRE(value == 0.0);
  REQUIRE(float_parse("-1.0e-400", value));
  REQUIRE(std::signbit(value));
  REQUIRE(float_parse("0000.10", value));
  REQUIRE(value == 0.1);
}
