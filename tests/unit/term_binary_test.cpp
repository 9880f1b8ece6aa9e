#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"
#include "vm/term/utf8.h"

using namespace quelea;

namespace {

std::string bit_text(BinaryView view) {
  std::string text;
  for (std::size_t i = 0; i < view.bit_size; ++i) {
    text += static_cast<char>('0' + bits_read_word(view, i, 1));
  }
  return text;
}
std::string bit_text(Term bits) { return bit_text(binary_view(bits)); }

struct Fixture {
  AtomTable atoms;
  TestHeap heap;

  Term random_bits(TestRandom& random, std::size_t max_bits, std::string& text) {
    BinaryBuilder builder;
    std::size_t bits = random.below(max_bits);
    text.clear();
    for (std::size_t i = 0; i < bits; ++i) {
      unsigned bit = static_cast<unsigned>(random.below(2));
      builder.put_word(bit, 1);
      text += static_cast<char>('0' + bit);
    }
    return builder.finish(heap);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "parts and concatenations of bits agree with a model") {
  TestRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string a_text, b_text;
    std::size_t most = i % 3 == 0 ? 1400 : 90;
    Term a = random_bits(random, most, a_text), b = random_bits(random, most, b_text);
    REQUIRE(bit_text(a) == a_text);
    std::size_t from = random.below(a_text.size() + 1);
    std::size_t size = random.below(a_text.size() - from + 1);
    Term part = binary_part(heap, a, from, size);
    REQUIRE(bit_text(part) == a_text.substr(from, size));
    std::size_t again = random.below(size + 1);
    Term deeper = binary_part(heap, part, again, size - again);
    REQUIRE(bit_text(deeper) == a_text.substr(from + again, size - again));
    Term joined = binary_append(heap, part, b);
    REQUIRE(bit_text(joined) == a_text.substr(from, size) + b_text);
    Term twice = binary_append(heap, joined, joined);
    REQUIRE(bit_text(twice) == bit_text(joined) + bit_text(joined));
    REQUIRE(bit_text(binary_append(heap, joined, a)) == bit_text(joined) + a_text);
    REQUIRE(bit_text(binary_copy(heap, deeper)) == bit_text(deeper));
    REQUIRE(exact_equal(binary_copy(heap, deeper), deeper));
    REQUIRE(hash_term(binary_copy(heap, deeper), atoms) == hash_term(deeper, atoms));
    // Order is that of the bits, the shorter first.
    int order = compare(part, b, atoms);
    int expected = bit_text(part).compare(b_text);
    REQUIRE(((order > 0) - (order < 0)) == ((expected > 0) - (expected < 0)));
  }
}

TEST_CASE_METHOD(Fixture, "appending to the same binary twice gives two binaries") {
  Term base = heap.text(std::string(100, 'x'));
  base = binary_append(heap, base, heap.text("base"));
  Term one = binary_append(heap, base, heap.text("one"));
  Term two = binary_append(heap, base, heap.text("two"));
  REQUIRE(binary_view(one).text().substr(104) == "one");
  REQUIRE(binary_view(two).text().substr(104) == "two");
  REQUIRE(binary_view(base).bytes == binary_view(one).bytes);
  REQUIRE(binary_view(base).bytes != binary_view(two).bytes);
}

TEST_CASE_METHOD(Fixture, "appending copies each byte a bounded number of times") {
  Term text = heap.text("");
  std::size_t moved = 0;
  const std::uint8_t* before = nullptr;
  for (int i = 0; i < 100000; ++i) {
    text = binary_append(heap, text, heap.text("0123456789"));
    BinaryView view = binary_view(text);
    if (view.bytes != before) moved += view.bit_size / 8;
    before = view.bytes;
  }
  REQUIRE(binary_bytes(text) == 1000000);
  REQUIRE(moved < 3000000);
}

TEST_CASE_METHOD(Fixture, "a builder appends in place and leaves the original alone") {
  TestRandom random(5);
  for (int i = 0; i < 300; ++i) {
    std::string text, more;
    Term base = random_bits(random, 2000, text);
    std::size_t from = random.below(text.size() + 1);
    Term part = binary_part(heap, base, from, text.size() - from);
    for (int round = 0; round < 3; ++round) {
      Term add = random_bits(random, round == 0 ? 20 : 3000, more);
      BinaryBuilder builder;
      builder.append_to(part);
      builder.put_bits(binary_view(add));
      builder.put_bits(binary_view(part));
      Term result = builder.finish(heap);
      std::string expected = text.substr(from) + more + text.substr(from);
      REQUIRE(bit_text(result) == expected);
      REQUIRE(bit_text(part) == text.substr(from));
      BinaryBuilder dropped;
      dropped.append_to(result);
      dropped.put_bits(binary_view(add));
      {
        BinaryBuilder other;
        other.append_to(result);
        other.put_word(1, 1);
        REQUIRE(bit_text(other.finish(heap)) == expected + "1");
      }
    }
  }
}

TEST_CASE_METHOD(Fixture, "floats of every size go in and come out") {
  for (double value :
       {0.0, -0.0, 1.0, -1.5, 65504.0, 6.103515625e-05, 5.960464477539063e-08, 0.333251953125}) {
    for (unsigned size : {16u, 32u, 64u}) {
      for (bool little : {false, true}) {
        BinaryBuilder builder;
        builder.put_word(1, 3);
        REQUIRE(builder.put_float(heap.make_float(value), size, little));
        double back = 1;
        Term made = builder.finish(heap);
        REQUIRE(bits_read_float(binary_view(made), 3, size, little, back));
        REQUIRE(std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value));
      }
    }
  }
  BinaryBuilder builder;
  REQUIRE(!builder.put_float(heap.make_float(65520.0), 16, false));
  REQUIRE(!builder.put_float(heap.make_float(1e39), 32, false));
  REQUIRE(!builder.put_float(heap.make_float(1.0), 24, false));
  REQUIRE(!builder.put_float(atoms::ok, 64, false));
  REQUIRE(builder.put_float(Term::small(3), 64, false));
  // Halves: every finite one survives.
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    BinaryBuilder in;
    in.put_word(half, 16);
    BinaryView view = binary_view(in.finish(heap));
    double value;
    bool finite = bits_read_float(view, 0, 16, false, value);
    REQUIRE(finite == ((half >> 10 & 31) != 31));
    if (!finite) continue;
    BinaryBuilder out;
    REQUIRE(out.put_float(heap.make_float(value), 16, false));
    REQUIRE(bits_read_word(binary_view(out.finish(heap)), 0, 16) == half);
  }
  BinaryBuilder infinite;
  infinite.put_word(0x7FF0000000000000u, 64);
  double value;
  REQUIRE(!bits_read_float(binary_view(infinite.finish(heap)), 0, 64, false, value));
}

TEST_CASE_METHOD(Fixture, "code points go in and come out of every encoding") {
  for (std::int64_t c :
       {0, 0x41, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}) {
    for (unsigned pad : {0u, 5u}) {
      for (bool little : {false, true}) {
        BinaryBuilder builder;
        builder.put_word(0, pad);
        REQUIRE(builder.put_utf8(Term::small(c)));
        REQUIRE(builder.put_utf16(Term::small(c), little));
        REQUIRE(builder.put_utf32(Term::small(c), little));
        BinaryView view = binary_view(builder.finish(heap));
        std::size_t at = pad, taken = 0;
        REQUIRE(bits_read_utf8(view, at, taken) == c);
        at += taken;
        REQUIRE(bits_read_utf16(view, at, little, taken) == c);
        at += taken;
        REQUIRE(bits_read_utf32(view, at, little, taken) == c);
        REQUIRE(at + taken == view.bit_size);
        REQUIRE(bits_read_utf8(view, view.bit_size, taken) == -1);
        REQUIRE(bits_read_utf16(view, view.bit_size, little, taken) == -1);
        REQUIRE(bits_read_utf32(view, view.bit_size, little, taken) == -1);
      }
    }
  }
  BinaryBuilder builder;
  REQUIRE(!builder.put_utf8(Term::small(0xD800)));
  REQUIRE(!builder.put_utf8(Term::small(-1)));
  REQUIRE(!builder.put_utf16(Term::small(0x110000), false));
  REQUIRE(!builder.put_utf32(atoms::ok, false));
}

TEST_CASE("malformed UTF-8 is refused") {
  for (std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xE2\x82", "abcdefgh\xFF", "\xF0\x9F\x98"}) {
    REQUIRE(!utf8_valid(bad));
  }
  REQUIRE(utf8_valid("plain text of more than eight bytes"));
  REQUIRE(utf8_valid("caf\u00E9 \u20AC \U0001F426"));
  REQUIRE(utf8_length("caf\u00E9 \u20AC \U0001F426") == 8);
}

TEST_CASE_METHOD(Fixture, "absurd sizes are refused") {
  BinaryBuilder builder;
  REQUIRE(!builder.put_int(Term::small(1), std::size_t{1} << 60, false));
  builder.reserve_bits(std::size_t{1} << 60);
  REQUIRE(builder.put_int(Term::small(1), 8, false));
  REQUIRE(bit_text(builder.finish(heap)) == "00000001");
}

TEST_CASE_METHOD(Fixture, "shared bytes are freed with their last binary") {
  static int disposed = 0;
  disposed = 0;
  std::uint8_t bytes[100] = {};
  {
    TestHeap one;
    SharedBytes* shared = SharedBytes::wrap(bytes, sizeof bytes, [](SharedBytes* record) {
      ++disposed;
      delete record;
    });
    Term binary = binary_from_shared(one, shared, 800);
    {
      TestHeap two;
      shared->retain();
      binary_from_shared(two, shared, 800);
      REQUIRE(two.off_heap_bytes == 100);
    }
    REQUIRE(disposed == 0);
    REQUIRE(binary_bytes(binary) == 100);
  }
  REQUIRE(disposed == 1);
}

TEST_CASE_METHOD(Fixture, "an account refuses buffers past its limit and gets back what is freed") {
  BinaryAccount account;
  account.limit = 10000;
  {
    TestHeap limited;
    limited.binary_account = &account;
    Term first = limited.text(std::string(6000, 'x'));
    REQUIRE(account.bytes == 6000);
    REQUIRE(limited.text(std::string(6000, 'x')).is_none());
    REQUIRE(binary_append(limited, first, limited.text("more")).is_none());
    REQUIRE(binary_copy(limited, first).is_none());
    BinaryBuilder builder;
    builder.put_bits(binary_view(first));
    REQUIRE(builder.finish(limited).is_none());
    // Small ones and windows need no buffer.
    REQUIRE(!limited.text("small").is_none());
    REQUIRE(!binary_part(limited, first, 8, 40000).is_none());
    // A reference from another heap costs nothing.
    TestHeap other;
    other.binary_account = &account;
    REQUIRE(!copy_term(other, first, {}).is_none());
    REQUIRE(account.bytes == 6000);
    Term grown = limited.text(std::string(100, 'x'));
    for (int i = 0; i < 5; ++i) grown = binary_append(limited, grown, limited.text("0123456789"));
    REQUIRE(!grown.is_none());
    REQUIRE(account.bytes < 7000);
  }
  REQUIRE(account.bytes == 0);
}

TEST_CASE("a heap that holds many buffers is asked to collect") {
  static int asked = 0;
  asked = 0;
  BinaryAccount account;
  account.collect_after = 100000;
  TestHeap heap;
  heap.binary_account = &account;
  static Word* (*grow)(TermAlloc&, std::size_t);
  grow = heap.grow;
  heap.grow = [](TermAlloc& alloc, std::size_t words) {
    if (words > 0) return grow(alloc, words);
    ++asked;
    alloc.off_heap_bytes = 0;
    return static_cast<Word*>(nullptr);
  };
  for (int i = 0; i < 100; ++i) heap.text(std::string(10000, 'x'));
  REQUIRE(asked == 9);
}
