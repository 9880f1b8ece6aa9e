// What Erlang/OTP answers, kept under tests/data/term (made by tests/data/generate/term_data.erl),
// against our answers.
#include <bit>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/etf.h"
#include "vm/term/float_text.h"
#include "vm/term/hash.h"
#include "vm/term/number.h"

using namespace quelea;

namespace {

std::vector<std::string> lines_of(const char* name) {
  const std::string folder = QUELEA_TEST_DIR "/data/term/";
  std::ifstream file(folder + name);
  REQUIRE(file.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  REQUIRE(lines.size() > 50);
  return lines;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> fields;
  for (std::string field; stream >> field;) fields.push_back(field);
  return fields;
}

std::string unhex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

double double_of(const std::string& hex) {
  return std::bit_cast<double>(std::stoull(hex, nullptr, 16));
}

std::string bit_text(BinaryView view) {
  std::string text = "b";
  for (std::size_t i = 0; i < view.bit_size; ++i) {
    text += static_cast<char>('0' + bits_read_word(view, i, 1));
  }
  return text;
}

struct Fixture {
  AtomTable atoms;
  TestHeap heap;

  Fixture() {
    options.find_export = [](void* context, Term module, Term function, std::uint32_t arity) {
      auto& exports = static_cast<Fixture*>(context)->exports;
      exports.push_back(std::make_unique<ExportIdentity>(ExportIdentity{module, function, arity}));
      return const_cast<const ExportIdentity*>(exports.back().get());
    };
    options.context = this;
  }
  Term decode(const std::string& bytes) {
    EtfDecodeResult result = etf_decode(heap, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                        bytes.size(), atoms, options);
    INFO((result.error != nullptr ? result.error : ""));
    REQUIRE(!result.term.is_none());
    return result.term;
  }

  EtfDecodeOptions options;
  std::vector<std::unique_ptr<ExportIdentity>> exports;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "arithmetic answers as Erlang's") {
  for (const std::string& line : lines_of("arithmetic.txt")) {
    INFO(line);
    std::vector<std::string> f = fields_of(line);
    Term a = heap.integer(f[1]), b = heap.integer(f[2]);
    REQUIRE(digits(a) == f[1]);
    NumberResult result;
    Term answer = f[0] == "+"      ? number_add(heap, a, b, result)
                  : f[0] == "-"    ? number_sub(heap, a, b, result)
                  : f[0] == "*"    ? number_mul(heap, a, b, result)
                  : f[0] == "div"  ? number_idiv(heap, a, b, result)
                  : f[0] == "rem"  ? number_rem(heap, a, b, result)
                  : f[0] == "band" ? number_band(heap, a, b, result)
                  : f[0] == "bor"  ? number_bor(heap, a, b, result)
                  : f[0] == "bxor" ? number_bxor(heap, a, b, result)
                  : f[0] == "bsl"  ? number_bsl(heap, a, b, result)
                  : f[0] == "bsr"  ? number_bsr(heap, a, b, result)
                                   : number_bnot(heap, a, result);
    REQUIRE(digits(answer) == f[3]);
    REQUIRE(exact_equal(answer, heap.integer(f[3])));
  }
}

TEST_CASE_METHOD(Fixture, "integers become floats and back as in Erlang") {
  for (const std::string& line : lines_of("numbers.txt")) {
    INFO(line);
    std::vector<std::string> f = fields_of(line);
    NumberResult result;
    Term value = number_float(heap, heap.integer(f[0]), result);
    REQUIRE(std::bit_cast<std::uint64_t>(value.float_value()) == std::stoull(f[1], nullptr, 16));
    REQUIRE(digits(number_trunc(heap, value, result)) == f[2]);
    Term eighth = heap.make_float(value.float_value() / 8);
    REQUIRE(digits(number_round(heap, eighth, result)) == f[3]);
  }
}

TEST_CASE_METHOD(Fixture, "order and equality are Erlang's") {
  std::vector<std::string> lines = lines_of("order.txt");
  std::vector<Term> terms;
  std::size_t at = 0;
  for (; lines[at] != "--"; ++at) terms.push_back(decode(unhex(lines[at])));
  ++at;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    for (std::size_t j = 0; j < terms.size(); ++j) {
      INFO(show(terms[i], atoms).substr(0, 300) << " and " << show(terms[j], atoms).substr(0, 300));
      char expected = lines[at + i][j];
      int order = compare(terms[i], terms[j], atoms);
      CHECK((order < 0 ? '<' : order > 0 ? '>' : '=') == expected);
      CHECK(numeric_equal(terms[i], terms[j]) == (expected == '='));
      bool exact = lines[at + terms.size() + 1 + i][j] == '=';
      CHECK(exact_equal(terms[i], terms[j]) == exact);
      CHECK((compare_keys(terms[i], terms[j], atoms) == 0) == exact);
      if (exact) CHECK(hash_term(terms[i], atoms) == hash_term(terms[j], atoms));
      if (!exact) CHECK(hash_term(terms[i], atoms) != hash_term(terms[j], atoms));
    }
  }
}

TEST_CASE_METHOD(Fixture, "float text has Erlang's digits and reads back") {
  for (const std::string& line : lines_of("floats.txt")) {
    INFO(line);
    std::vector<std::string> f = fields_of(line);
    double value = double_of(f[0]);
    char text[kFloatTextMax];
    std::string ours(text, float_print_short(value, text));
    // From one up we write fewer exponents; the digits are the same.
    bool same_layout = std::abs(value) < 1 || std::abs(value) >= 9007199254740992.0 ||
                       ours.find('e') != std::string::npos || f[1].find('e') == std::string::npos;
    if (same_layout) REQUIRE(ours == f[1]);
    double back = 0;
    REQUIRE(float_parse(ours, back));
    REQUIRE(std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value));
    REQUIRE(float_parse(f[1], back));
    REQUIRE(std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value));
    std::string scientific;
    float_print_scientific(scientific, value, 6);
    REQUIRE(scientific == f[2]);
  }
}

TEST_CASE_METHOD(Fixture, "external terms are Erlang's, byte for byte") {
  for (const std::string& line : lines_of("external.txt")) {
    INFO(line.substr(0, 200));
    std::vector<std::string> f = fields_of(line);
    if (f.size() > 1) continue;
    std::string bytes = unhex(f[0]), ours;
    Term term = decode(bytes);
    REQUIRE(etf_encode(ours, term, atoms));
    REQUIRE(ours == bytes);
  }
  // The long ones: lists of bytes at the two sides of the limit of a string.
  for (std::size_t count : {65535u, 65536u}) {
    Term list = Term::nil_list();
    for (std::size_t i = 0; i < count; ++i) list = heap.cons(Term::small(7), list);
    std::string ours;
    REQUIRE(etf_encode(ours, list, atoms));
    REQUIRE(ours.size() == (count == 65535 ? 65539u : 131079u));
    REQUIRE(exact_equal(decode(ours), list));
  }
}

TEST_CASE_METHOD(Fixture, "integer segments are Erlang's") {
  for (const std::string& line : lines_of("segments.txt")) {
    INFO(line);
    std::vector<std::string> f = fields_of(line);
    Term value = heap.integer(f[0]);
    std::size_t size = std::stoul(f[1]), pad = std::stoul(f[2]);
    for (bool little : {false, true}) {
      BinaryBuilder builder;
      builder.put_word(0, static_cast<unsigned>(pad));
      REQUIRE(builder.put_int(value, size, little));
      Term made = builder.finish(heap);
      REQUIRE(bit_text(binary_view(made)) == f[little ? 4 : 3]);
      // Reading: the big-endian bits, also from an unaligned place.
      BinaryBuilder source;
      source.put_word(5, static_cast<unsigned>(pad));
      REQUIRE(source.put_int(value, size, false));
      BinaryView view = binary_view(source.finish(heap));
      Term plain = bits_read_int(heap, view, pad, size, false, little);
      Term with_sign = bits_read_int(heap, view, pad, size, true, little);
      REQUIRE(digits(plain) == f[little ? 7 : 5]);
      REQUIRE(digits(with_sign) == f[little ? 8 : 6]);
    }
  }
}
