#include <catch2/catch.hpp>
#include <string>

#include "compiler/syntax/lexer.h"
#include "compiler/syntax/literals.h"
#include "compiler/syntax/utf8.h"

using namespace quelea::compiler;

namespace {

struct Lexed {
  std::string text;  // tokens as they are written, a newline token as "NL", parted by spaces
  uint32_t errors = 0;
};

Lexed lex(std::string source) {
  SourceFile file("test.qu", std::move(source));
  Interner interner;
  DiagnosticSink sink;
  Lexer lexer(file, interner, sink, {0, static_cast<uint32_t>(file.text().size())});
  Lexed out;
  for (Token token = lexer.next(); token.kind != TokenKind::kEndOfFile; token = lexer.next()) {
    if (!out.text.empty()) out.text += ' ';
    out.text += token.kind == TokenKind::kNewline ? "NL" : std::string(file.text(token.span));
  }
  out.errors = sink.error_count();
  return out;
}

std::string tokens(std::string source) { return lex(std::move(source)).text; }

TokenKind kind_of(std::string source, size_t index = 0) {
  SourceFile file("test.qu", std::move(source));
  Interner interner;
  DiagnosticSink sink;
  Lexer lexer(file, interner, sink, {0, static_cast<uint32_t>(file.text().size())});
  Token token = lexer.next();
  for (size_t i = 0; i < index; ++i) token = lexer.next();
  return token.kind;
}

}  // namespace

TEST_CASE("a newline ends an expression where the innermost bracket is a block's") {
  CHECK(tokens("a\nb") == "a NL b");
  CHECK(tokens("a\n\n# comment\n\nb\n") == "a NL b NL");
  CHECK(tokens("(a\nb)") == "( a b )");
  CHECK(tokens("[a\nb]") == "[ a b ]");
  CHECK(tokens("<<a\nb>>") == "<< a b >>");
  CHECK(tokens("%{a\nb}") == "%{ a b }");
  CHECK(tokens("%P{a\nb}") == "%P{ a b }");
  CHECK(tokens("{a\nb}") == "{ a NL b }");
  CHECK(tokens("({a\nb}\nc)") == "( { a NL b } c )");
  CHECK(tokens("{(a\nb)\nc}") == "{ ( a b ) NL c }");
  CHECK(tokens("\"${a\nb}\"\nc") == "\"${ a b }\" NL c");
}

TEST_CASE("a line goes on after what wants more") {
  for (const char* op :
       {"+",  "-",  "*", "/",   "=",  "->",  "=>", "|",   "|>",  "!",    "==",  "<", "<>",
        "++", "..", ",", "and", "or", "not", "in", "div", "rem", "band", "bsl", "."}) {
    CHECK(tokens(std::string("a ") + op + "\nb") == std::string("a ") + op + " b");
  }
  CHECK(tokens("a is\nb") == "a is b");
  CHECK(tokens("is\nb") == "is NL b");
  CHECK(tokens("x.div\nb") == "x . div NL b");
  CHECK(tokens("a?\nb") == "a ? NL b");
}

TEST_CASE("a line goes on when the next begins with what continues") {
  for (const char* op : {"|>", "<>", "++", "and", "or", "else", "when", ".", "|", "=", "{"}) {
    CHECK(tokens(std::string("a\n # comment\n\n") + op + " b") == std::string("a ") + op + " b");
  }
  for (const char* op : {"(", "[", "-", "+", "*", "==", "in", "not"}) {
    CHECK(tokens(std::string("a\n") + op + " b") == std::string("a NL ") + op + " b");
  }
}

TEST_CASE("words, labels and names after a dot") {
  CHECK(kind_of("match") == TokenKind::kMatch);
  CHECK(kind_of("match:") == TokenKind::kName);
  CHECK(kind_of("x.match", 2) == TokenKind::kName);
  CHECK(kind_of("fn match(x)", 1) == TokenKind::kName);
  CHECK(kind_of("after") == TokenKind::kName);
  CHECK(kind_of("A.B.C") == TokenKind::kModuleName);
  CHECK(tokens("A.B.c") == "A.B . c");
  CHECK(tokens("m.Field.x") == "m . Field . x");
}

TEST_CASE("colons") {
  CHECK(tokens("a:b") == "a : b");
  CHECK(tokens("a :b") == "a :b");
  CHECK(tokens("f(x):Int") == "f ( x ) : Int");
  CHECK(tokens("1:x") == "1 : x");
  CHECK(tokens("<<x>>:y") == "<< x >> : y");
  CHECK(kind_of(":node@host") == TokenKind::kAtom);
  CHECK(kind_of(":\"any text\"") == TokenKind::kQuotedAtom);
  CHECK(tokens("(:ok,:b)") == "( :ok , :b )");
  CHECK(tokens("[:a|:b]") == "[ :a | :b ]");
}

TEST_CASE("numbers") {
  CHECK(kind_of("1_000") == TokenKind::kInt);
  CHECK(kind_of("1.5e-3") == TokenKind::kFloat);
  CHECK(kind_of("1e9") == TokenKind::kFloat);
  CHECK(tokens("1..2") == "1 .. 2");
  CHECK(tokens("t.0.1") == "t . 0 . 1");
  CHECK(tokens("1.foo") == "1 . foo");
  CHECK(tokens("-1") == "- 1");
  CHECK(lex("0xFF_ff 0b1_0 0o17").errors == 0);
  CHECK(lex("12a").errors == 1);
  CHECK(lex("0b2").errors == 1);
  CHECK(lex("0x").errors == 1);
}

TEST_CASE("strings") {
  CHECK(tokens(R"("a" "b")") == R"("a" "b")");
  CHECK(tokens(R"("a\"b" c)") == R"("a\"b" c)");
  CHECK(tokens(R"("a\\" c)") == R"("a\\" c)");
  CHECK(tokens(R"(r"a\" c)") == R"(r"a\" c)");
  CHECK(tokens(R"("\${x}" c)") == R"("\${x}" c)");
  CHECK(tokens(R"("a${"b${c}d"}e")") == R"("a${ "b${ c }d" }e")");
  CHECK(tokens("\"${%{a: {1}}}\"") == "\"${ %{ a : { 1 } } }\"");
  CHECK(lex("\"abc").errors == 1);
  CHECK(lex("\"abc\nx\"").errors == 2);
  CHECK(lex("\"\"\"\na\n\"\"\"\n").errors == 0);
  CHECK(lex("\"\"\"\na").errors == 1);
}

TEST_CASE("characters") {
  for (const char* good : {"'a'", "'\\n'", "'λ'", "'\\''", "'\"'", "'\\u{1F426}'", "'\\x41'"}) {
    CHECK(lex(good).errors == 0);
    CHECK(kind_of(good) == TokenKind::kChar);
  }
  for (const char* bad : {"'ab'", "''", "'", "'a", "'\n'"}) CHECK(lex(bad).errors >= 1);
}

TEST_CASE("brackets do not match across braces") {
  CHECK(tokens("{ ( a\n} b\nc") == "{ ( a } b NL c");
  CHECK(tokens("( a } \n b") == "( a } b");
  CHECK(tokens("{ ) \n a }") == "{ ) NL a }");
}

TEST_CASE("any bytes lex to an end") {
  std::string all;
  for (int i = 1; i < 128; ++i) all += static_cast<char>(i);
  for (int i = 0; i < 3; ++i) all += all;
  CHECK(lex(all).errors > 0);
}

TEST_CASE("integers are decoded") {
  CHECK(decode_int("1_000").value == 1000);
  CHECK(decode_int("0xff").value == 255);
  CHECK(decode_int("0b101").value == 5);
  CHECK(decode_int("0o17").value == 15);
  CHECK(decode_int("007").value == 7);
  CHECK(decode_int("9223372036854775807").small);
  IntText big = decode_int("0xffff_ffff_ffff_ffff");
  CHECK_FALSE(big.small);
  CHECK(big.digits == "ffffffffffffffff");
  CHECK(big.radix == 16);
  CHECK(decode_int("9223372036854775808").digits == "9223372036854775808");
}

TEST_CASE("floats are decoded") {
  double value = 0;
  CHECK(decode_float("1.5e-3", &value));
  CHECK(value == 0.0015);
  CHECK(decode_float("1_000.5", &value));
  CHECK(value == 1000.5);
  CHECK_FALSE(decode_float("1e400", &value));
  CHECK_FALSE(decode_float("1.8e308", &value));
  CHECK(decode_float("1e-400", &value));
  CHECK(value == 0.0);
  CHECK(decode_float("0.0e999", &value));
  CHECK(decode_float("5e-324", &value));
  CHECK(value > 0);
}

TEST_CASE("escapes are decoded") {
  auto decode = [](std::string_view raw) {
    std::string out;
    LiteralError error;
    return decode_escapes(raw, 0, out, error) ? out : "error: " + error.message;
  };
  CHECK(decode(R"(a\n\t\r\e\\\"\'\$b)") == "a\n\t\r\x1b\\\"'$b");
  CHECK(decode(R"(\0)") == std::string(1, '\0'));
  CHECK(decode(R"(\x41\xff)") == "A\xC3\xBF");
  CHECK(decode(R"(\u{1F426})") == "\xF0\x9F\x90\xA6");
  CHECK(decode(R"(\u{D800})").starts_with("error"));
  CHECK(decode(R"(\u{110000})").starts_with("error"));
  CHECK(decode(R"(\u{})").starts_with("error"));
  CHECK(decode(R"(\u{41)").starts_with("error"));
  CHECK(decode(R"(\q)").starts_with("error"));
  CHECK(decode("\\").starts_with("error"));
}

TEST_CASE("UTF-8 is validated") {
  CHECK(find_invalid_utf8("plain ascii, longer than a word") == 31);
  CHECK(find_invalid_utf8("h\xC3\xA9llo \xF0\x9F\x90\xA6 and more") == 20);
  CHECK(find_invalid_utf8(std::string_view("abc\0def", 7)) == 3);
  for (const char* bad : {"\xC3", "\xC3(", "\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF0\x80\x80\x80", "\xFF"}) {
    CHECK(find_invalid_utf8(std::string("12345678") + bad) == 8);
  }
}

TEST_CASE("positions count lines and code points from 1") {
  SourceFile file("test.qu", "a\n\xC3\xA9\tb\r\n\nlast");
  CHECK(file.position(0).line == 1);
  CHECK(file.position(2).line == 2);
  CHECK(file.position(5).column == 3);
  CHECK(file.line_count() == 4);
  CHECK(file.text(file.line_span(2)) == "\xC3\xA9\tb");
  CHECK(file.position(1000).line == 4);
  CHECK(file.position(1000).column == 5);
}
