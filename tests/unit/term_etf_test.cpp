#include <catch2/catch.hpp>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/etf.h"
#include "vm/term/identity.h"
#include "vm/term/work.h"

using namespace quelea;

namespace {

struct Fixture {
  AtomTable atoms;
  TestHeap heap;
  EtfDecodeOptions options;

  EtfDecodeResult decode(std::string_view bytes) {
    return etf_decode(heap, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                      atoms, options);
  }
  std::string encode(Term term, const EtfEncodeOptions& encoding = {}) {
    std::string bytes;
    REQUIRE(etf_encode(bytes, term, atoms, encoding));
    return bytes;
  }
};

using namespace std::string_literals;

}  // namespace

TEST_CASE_METHOD(Fixture, "large maps travel, in key order where that is asked for") {
  std::vector<Term> pairs;
  for (int i = 0; i < 1000; ++i)
    pairs.insert(pairs.end(), {heap.text(std::to_string(i)), Term::small(i)});
  Term map = map_from_pairs(heap, pairs.data(), 1000, atoms);
  std::string bytes = encode(map);
  REQUIRE(exact_equal(decode(bytes).term, map));
  EtfEncodeOptions ordered;
  ordered.deterministic = true;
  std::string sorted = encode(map, ordered);
  REQUIRE(sorted.size() == bytes.size());
  REQUIRE(sorted != bytes);
  REQUIRE(exact_equal(decode(sorted).term, map));
}

TEST_CASE_METHOD(Fixture, "pids, references and ports travel") {
  NodeIdentity node{atoms.intern("a@b"), 7};
  EtfEncodeOptions encoding;
  encoding.node = node;
  Term pid = Term::local_pid(Word{5} << 32 | 4000000000u);
  Term owned = make_ref(heap, 0x123456789ABCDEFu, pid.bits), plain = make_ref(heap, ~0ull);
  Term all = heap.list({pid, owned, plain});
  std::string bytes = encode(all, encoding);
  options.node = node;
  Term same = decode(bytes).term;
  REQUIRE(exact_equal(same, all));
  REQUIRE(ref_owner(same.tail().head()) == pid.bits);
  // Elsewhere they are somebody else's, and travel back unharmed.
  options.node = {atoms.intern("c@d"), 7};
  Term foreign = decode(bytes).term;
  REQUIRE(is_pid(foreign.head()));
  REQUIRE(!foreign.head().is_local_pid());
  REQUIRE(foreign.tail().head().is_kind(Kind::ExternalRef));
  REQUIRE(encode(foreign, {}) == bytes);
  options.node = {node.name, 8};
  REQUIRE(!decode(bytes).term.head().is_local_pid());
}

TEST_CASE_METHOD(Fixture, "what is no term is refused") {
  const std::string bad[] = {
      "",
      "\x83"s,
      "\x82\x61\x01"s,
      "\x83\xFF"s,
      "\x83\x61"s,
      "\x83\x61\x01\x00"s,                          // bytes follow
      "\x83\x50\x00\x00\x00\x01x"s,                 // not compressed as it should be
      "\x83\x6C\xFF\xFF\xFF\xFF\x6A"s,              // a list longer than the input
      "\x83\x69\xFF\xFF\xFF\xFF\x61\x01"s,          // a tuple likewise
      "\x83\x74\xFF\xFF\xFF\xFF\x61\x01"s,          // a map likewise
      "\x83\x6D\xFF\xFF\xFF\xFFxx"s,                // a binary likewise
      "\x83\x6F\xFF\xFF\xFF\xFF\x00xx"s,            // an integer likewise
      "\x83\x6E\x01\x02\x05"s,                      // a sign of 2
      "\x83\x46\x7F\xF0\x00\x00\x00\x00\x00\x00"s,  // infinity
      "\x83\x77\x02\xC3\x28"s,                      // an atom that is no UTF-8
      "\x83\x4D\x00\x00\x00\x01\x09x"s,             // nine bits in a byte
      "\x83\x4D\x00\x00\x00\x00\x01"s,
      "\x83\x74\x00\x00\x00\x02\x61\x01\x61\x01\x61\x01\x61\x02"s,  // a key twice
      "\x83\x71\x77\x01m\x77\x01g\x61\x01"s,                        // a function nobody knows
      "\x83\x71\x61\x01\x61\x01\x61\x01"s,
      "\x83\x5A\x00\x09\x77\x01n\x00\x00\x00\x00"s,  // a reference of nine words
      "\x83\x68\x02\x61\x01"s,
  };
  for (const std::string& bytes : bad) {
    EtfDecodeResult result = decode(bytes);
    INFO(bytes.size());
    REQUIRE(result.term.is_none());
    REQUIRE(result.error != nullptr);
  }
}

TEST_CASE_METHOD(Fixture, "compressed terms are inflated, to what they say") {
  // What `term_to_binary(lists:duplicate(100, 1), [compressed])` gives without the shorter STRING.
  const std::string deflated =
      "\x78\x9c\xcb\x61\x60\x60\x48\x49\x64\x1c\x1e\x30\x0b\x00\xe8\x35\x27\x83"s;
  const std::string good = "\x83\x50\x00\x00\x00\xce"s + deflated;
  Term ones = Term::nil_list();
  for (int i = 0; i < 100; ++i) ones = heap.cons(Term::small(1), ones);
  const EtfDecodeResult result = decode(good);
  REQUIRE(exact_equal(result.term, ones));
  REQUIRE(result.used == good.size());
  for (const std::string& bytes : {
           "\x83\x50\x00\x00\x00\xcd"s + deflated,          // longer than it says
           "\x83\x50\x00\x00\x00\xcf"s + deflated,          // shorter
           "\x83\x50\xff\xff\xff\xff"s + deflated,          // more than so few bytes can be
           good.substr(0, good.size() - 5),                 // cut off
           good.substr(0, 6),                               //
           good + "x",                                      // bytes follow
           "\x83\x68\x01\x50\x00\x00\x00\xce"s + deflated,  // inside of a term
       }) {
    INFO(bytes.size());
    const EtfDecodeResult refused = decode(bytes);
    REQUIRE(refused.term.is_none());
    REQUIRE(refused.error != nullptr);
  }
  options.allow_rest = true;
  REQUIRE(decode(good + "rest").used == good.size());
}

TEST_CASE_METHOD(Fixture, "small variants of old tags are understood") {
  REQUIRE(decode("\x83\x64\x00\x02\xE9z"s).term == atoms.intern("\u00E9z"));
  REQUIRE(decode("\x83\x73\x02ok"s).term == atoms::ok);
  REQUIRE(decode("\x83\x76\x00\x02ok"s).term == atoms::ok);
  REQUIRE(decode("\x83\x6C\x00\x00\x00\x00\x61\x05"s).term == Term::small(5));
  REQUIRE(decode("\x83\x6E\x03\x00\x01\x00\x00"s).term == Term::small(1));
  REQUIRE(decode("\x83\x6E\x00\x01"s).term == Term::small(0));
  REQUIRE(decode("\x83\x6F\x00\x00\x00\x01\x01\x05"s).term == Term::small(-5));
  REQUIRE(
      exact_equal(decode("\x83\x69\x00\x00\x00\x01\x61\x05"s).term, heap.tuple(Term::small(5))));
}

TEST_CASE_METHOD(Fixture, "new atoms, words and bytes are capped") {
  std::string two = "\x83\x68\x02\x77\x04new1\x77\x04new2"s;
  options.max_new_atoms = 1;
  REQUIRE(decode(two).term.is_none());
  options.max_new_atoms = 2;
  REQUIRE(!decode(two).term.is_none());
  options.max_words = 10;
  REQUIRE(decode("\x83\x6B\x00\x0Axxxxxxxxxx"s).term.is_none());
  options.max_words = 20;
  REQUIRE(!decode("\x83\x6B\x00\x0Axxxxxxxxxx"s).term.is_none());
  EtfEncodeOptions encoding;
  encoding.max_bytes = 50;
  std::string out = "before";
  REQUIRE(!etf_encode(out, heap.text(std::string(100, 'x')), atoms, encoding));
  REQUIRE(out == "before");
}

TEST_CASE_METHOD(Fixture, "terms without 131, and with something behind them") {
  options.bare = true;
  options.allow_rest = true;
  EtfDecodeResult result = decode("\x61\x05rest"s);
  REQUIRE(result.term == Term::small(5));
  REQUIRE(result.used == 2);
  EtfEncodeOptions encoding;
  encoding.bare = true;
  REQUIRE(encode(Term::small(5), encoding) == "\x61\x05");
}

TEST_CASE_METHOD(
    Fixture,
    "a valid encoding cut short or changed anywhere is an error or a term, never a crash") {
  std::vector<Term> pairs;
  for (int i = 0; i < 40; ++i) pairs.insert(pairs.end(), {Term::small(i), heap.text("v")});
  Term term = heap.tuple(
      map_from_pairs(heap, pairs.data(), 40, atoms), heap.list({atoms::ok}, atoms::error),
      heap.integer("123456789012345678901234567890"), heap.make_float(1.5),
      heap.list({Term::small(1), Term::small(2)}), make_ref(heap, 5), Term::local_pid(3));
  std::string bytes = encode(term);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(decode(std::string_view(bytes).substr(0, size)).term.is_none());
  }
  TestRandom random(17);
  for (int i = 0; i < 20000; ++i) {
    std::string changed = bytes;
    for (std::size_t n = 1 + random.below(3); n > 0; --n) {
      changed[random.below(changed.size())] = static_cast<char>(random.next());
    }
    EtfDecodeResult result = decode(changed);
    if (!result.term.is_none()) {
      std::string again = encode(result.term);
      REQUIRE(exact_equal(decode(again).term, result.term));
    }
  }
}

TEST_CASE_METHOD(Fixture, "decoding a map with huge keys gives up where it may") {
  // They differ at their ends.
  Term list = Term::nil_list();
  Term other = heap.cons(atoms::ok, Term::nil_list());
  for (int i = 0; i < 200'000; ++i) {
    list = heap.cons(Term::small(i), list);
    other = heap.cons(Term::small(i), other);
  }
  for (const int small_keys : {0, 2000}) {
    std::vector<Term> pairs = {list, Term::small(1), other, Term::small(2)};
    for (int i = 0; i < small_keys; ++i) {
      pairs.insert(pairs.end(), {Term::small(i), Term::small(i)});
    }
    const Term map = map_from_pairs(heap, pairs.data(), pairs.size() / 2, atoms);
    const std::string bytes = encode(map);
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    EtfDecoding on_scheduler(heap, data, bytes.size(), atoms, options);
    std::size_t cost = kMayGiveUp;
    while (!gave_up(cost) && on_scheduler.step(cost)) continue;
    REQUIRE(gave_up(cost));
    REQUIRE(exact_equal(decode(bytes).term, map));
  }
}

TEST_CASE_METHOD(Fixture, "a large binary is decoded in pieces") {
  for (const unsigned last_bits : {8u, 3u}) {
    const std::string text(1'000'000, 'b');
    const Term whole = heap.text(text);
    const Term binary = binary_part(heap, whole, 0, text.size() * 8 - (8 - last_bits));
    const std::string bytes = encode(binary);
    EtfDecoding decoding(heap, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                         atoms, options);
    int steps = 0;
    std::size_t most = 0;
    for (bool more = true; more; ++steps) {
      std::size_t cost = 0;
      more = decoding.step(cost);
      most = std::max(most, cost);
    }
    REQUIRE(steps > 8);
    REQUIRE(most < 16'000);
    REQUIRE(exact_equal(decoding.result().term, binary));
  }
}
