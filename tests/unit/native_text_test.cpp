#include "tests/unit/native_fixture.h"

using namespace quelea;

TEST_CASE("string natives count graphemes") {
  NativeMachine m;
  check_natives(m, {
                       {"string_length(\"hé👩‍👩‍👧x\")", "4"},
                       {"string_length(\"a\r\nb\")", "3"},
                       {"string_length(\"\xff\xfe\")", "2"},
                       {"string_length(5)", "! :badarg"},
                       {"string_graphemes(\"ae\u0301x\")", "[\"a\", \"e\u0301\", \"x\"]"},
                       {"string_next_grapheme(\"\")", "nil"},
                       {"string_next_grapheme(\"éa\")", "(\"é\", \"a\")"},
                       {"string_codepoints(\"e\u0301\")", "[\"e\", \"\u0301\"]"},
                       {"string_to_charlist(\"aλ\")", "[97, 955]"},
                       {"string_to_charlist(\"\xff\")", "! :badarg"},
                       {"string_from_charlist([97, 955])", "\"aλ\""},
                       {"string_from_charlist([55296])", "! :badarg"},
                       {"string_at(\"abc\", 1)", "\"b\""},
                       {"string_at(\"abc\", -1)", "\"c\""},
                       {"string_at(\"abc\", 3)", "nil"},
                       {"string_at(\"abc\", -4)", "nil"},
                       {"string_slice(\"hello\", 1, 3)", "\"ell\""},
                       {"string_slice(\"hello\", -3, 2)", "\"ll\""},
                       {"string_slice(\"hello\", 9, 2)", "\"\""},
                       {"string_slice(\"hello\", 0, -1)", "! :badarg"},
                       {"string_reverse(\"ae\u0301x\")", "\"xe\u0301a\""},
                       {"string_pad_leading(\"7\", 3, \"0\")", "\"007\""},
                       {"string_pad_trailing(\"a\", 4, \"xy\")", "\"axyx\""},
                       {"string_pad_leading(\"abc\", 2, \" \")", "\"abc\""},
                       {"string_pad_leading(\"abc\", 5, \"\")", "! :badarg"},
                       {"string_pad_leading(\"\", 99999999999999, \"x\")", "! :system_limit"},
                       {"string_repeat(\"ab\", 3)", "\"ababab\""},
                       {"string_repeat(\"ab\", 0)", "\"\""},
                       {"string_repeat(\"ab\", 99999999999)", "! :system_limit"},
                       {"string_valid(\"é\")", "true"},
                       {"string_valid(\"\xe9\")", "false"},
                       {"string_valid(5)", "false"},
                       {"string_printable(\"a\nb\")", "true"},
                       {"string_printable(\"a\x01\")", "false"},
                       {"string_scrub(\"a\xff\")", "\"a\uFFFD\""},
                       {"string_width(\"aé漢👍\")", "6"},
                       {"atom_to_string(:ok)", "\"ok\""},
                       {"string_to_atom(\"hello\")", ":hello"},
                       {"string_to_existing_atom(\"never seen before\")", ":error"},
                       {"string_to_existing_atom(\"ok\")", "(:ok, :ok)"},
                   });
}

TEST_CASE("string natives map case and normalise") {
  NativeMachine m;
  check_natives(m, {
                       {"string_upcase(\"straße ﬁ éλ\")", "\"STRASSE FI ÉΛ\""},
                       {"string_downcase(\"ÀΛİ\")", "\"àλi\u0307\""},
                       {"string_downcase(\"ΑΣ ΣΑΣ. Σ\")", "\"ας σας. σ\""},
                       {"string_capitalize(\"éCOLE\")", "\"École\""},
                       {"string_capitalize(\"ßa\")", "\"Ssa\""},
                       {"string_capitalize(\"\")", "\"\""},
                       {"string_upcase(\"\xff\")", "<<255>>"},
                       {"string_casefold(\"Straße\")", "\"strasse\""},
                       {"string_normalize(\"e\u0301\", :nfc)", "\"\u00e9\""},
                       {"string_normalize(\"\u00e9\", :nfd)", "\"e\u0301\""},
                       {"string_normalize(\"ﬁ\", :nfkc)", "\"fi\""},
                       {"string_normalize(\"a\", :nfx)", "! :badarg"},
                       {"string_normalize(\"\xff\", :nfc)", "! :badarg"},
                   });
}

TEST_CASE("string natives search, split and replace") {
  NativeMachine m;
  check_natives(m,
                {
                    {"string_trim(\"\u2003 a b\n\u00a0\")", "\"a b\""},
                    {"string_trim(\" \n \")", "\"\""},
                    {"string_trim_leading(\" a \")", "\"a \""},
                    {"string_trim_trailing(\" a \")", "\" a\""},
                    {"string_trim_leading(\"xxa\", \"x\")", "\"a\""},
                    {"string_trim_trailing(\"abab\", \"ab\")", "\"\""},
                    {"string_split(\"  a b\n c \")", "[\"a\", \"b\", \"c\"]"},
                    {"string_split(\"a\u00a0b\u2003c\")", "[\"a\u00a0b\", \"c\"]"},
                    {"string_split(\"\")", "[]"},
                    {"string_split(\"a,b,,c\", \",\", 0, false)", "[\"a\", \"b\", \"\", \"c\"]"},
                    {"string_split(\"a,b,,c\", \",\", 0, true)", "[\"a\", \"b\", \"c\"]"},
                    {"string_split(\"a,b,c\", \",\", 2, false)", "[\"a\", \"b,c\"]"},
                    {"string_split(\"a,b\", \",\", 1, false)", "[\"a,b\"]"},
                    {"string_split(\"a,b;c\", [\",\", \";\"], 0, false)", "[\"a\", \"b\", \"c\"]"},
                    {"string_split(\"\", \",\", 0, false)", "[\"\"]"},
                    {"string_split(\"\", \",\", 0, true)", "[]"},
                    {"string_split(\"abc\", \"\", 0, false)", "[\"\", \"a\", \"b\", \"c\", \"\"]"},
                    {"string_split(\"abc\", \"\", 0, true)", "[\"a\", \"b\", \"c\"]"},
                    {"string_split(\"abc\", [\"\"], 0, true)", "! :badarg"},
                    {"string_split(\"abc\", 5, 0, true)", "! :badarg"},
                    {"string_lines(\"a\nb\r\n\nc\")", "[\"a\", \"b\", \"\", \"c\"]"},
                    {"string_lines(\"a\n\")", "[\"a\"]"},
                    {"string_join([\"a\", \"b\", [99, \"d\"]], \", \")", "\"a, b, cd\""},
                    {"string_join([], \",\")", "\"\""},
                    {"string_join([1], \",\")", "! :badarg"},
                    {"string_replace(\"banana\", \"an\", \"o\", true)", "\"booa\""},
                    {"string_replace(\"banana\", \"an\", \"o\", false)", "\"boana\""},
                    {"string_replace(\"abc\", [\"ab\", \"abc\"], \"x\", true)", "\"x\""},
                    {"string_contains(\"abc\", \"bc\")", "true"},
                    {"string_contains(\"abc\", [\"x\", \"\"])", "true"},
                    {"string_contains(\"abc\", [])", "false"},
                    {"string_starts_with(\"abc\", [\"b\", \"ab\"])", "true"},
                    {"string_ends_with(\"abc\", \"abc\")", "true"},
                    {"string_ends_with(\"abc\", \"xabc\")", "false"},
                    {"string_index_of(\"aéx\", \"x\")", "2"},
                    {"string_index_of(\"abc\", \"x\")", "nil"},
                });
}

TEST_CASE("binary natives") {
  NativeMachine m;
  check_natives(m, {
                       {"binary_part(\"hello\", 1, 3)", "\"ell\""},
                       {"binary_part(\"hello\", 5, -2)", "\"lo\""},
                       {"binary_part(\"hello\", 1, 9)", "! :badarg"},
                       {"binary_part(\"hello\", 1, -2)", "! :badarg"},
                       {"binary_part(\"hello\", 99999999999999999999, 1)", "! :badarg"},
                       {"binary_at(\"abc\", 2)", "99"},
                       {"binary_at(\"abc\", 3)", "! :badarg"},
                       {"binary_at(\"abc\", -1)", "! :badarg"},
                       {"binary_match(\"abcabc\", \"bc\", 2)", "(4, 2)"},
                       {"binary_match(\"abcabc\", [\"ca\", \"bca\"], 0)", "(1, 3)"},
                       {"binary_match(\"abc\", \"x\", 0)", "nil"},
                       {"binary_match(\"abc\", \"\", 0)", "! :badarg"},
                       {"binary_match(\"abc\", \"a\", 4)", "! :badarg"},
                       {"binary_matches(\"aaa\", \"aa\")", "[(0, 2)]"},
                       {"binary_split(\"a,b,c\", \",\", false)", "[\"a\", \"b,c\"]"},
                       {"binary_split(\"a,b,c\", \",\", true)", "[\"a\", \"b\", \"c\"]"},
                       {"binary_to_list(\"ab\")", "[97, 98]"},
                       {"binary_copy(\"ab\", 2)", "\"abab\""},
                       {"binary_common_prefix([\"abc\", \"abd\", \"ab\"])", "2"},
                       {"iodata_to_binary([97, [\"bc\", []] | \"d\"])", "\"abcd\""},
                       {"iodata_to_binary([256])", "! :badarg"},
                       {"iodata_to_binary(:a)", "! :badarg"},
                       {"iodata_size([97, [\"bc\"]])", "3"},
                       {"hex_encode(\"\x01\xff\")", "\"01ff\""},
                       {"hex_decode(\"01fF\")", "(:ok, <<1, 255>>)"},
                       {"hex_decode(\"0\")", ":error"},
                       {"hex_decode(\"0g\")", ":error"},
                       {"base64_encode(\"f\", false, true)", "\"Zg==\""},
                       {"base64_encode(\"fo\", false, false)", "\"Zm8\""},
                       {"base64_encode(\"\xfb\xff\", true, true)", "\"-_8=\""},
                       {"base64_decode(\"Zm9v\", false)", "(:ok, \"foo\")"},
                       {"base64_decode(\"Zg==\", false)", "(:ok, \"f\")"},
                       {"base64_decode(\"Zg\", false)", "(:ok, \"f\")"},
                       {"base64_decode(\"Zh==\", false)", ":error"},
                       {"base64_decode(\"Z\", false)", ":error"},
                       {"base64_decode(\"Z===\", false)", ":error"},
                       {"base64_decode(\"\", false)", "(:ok, \"\")"},
                       {"uri_encode(\"a b/é\", \"/\")", "\"a%20b/%C3%A9\""},
                       {"uri_decode(\"a%20b+c\", false)", "(:ok, \"a b+c\")"},
                       {"uri_decode(\"a+b\", true)", "(:ok, \"a b\")"},
                       {"uri_decode(\"%4\", false)", ":error"},
                       {"csv_row(\"a,\\\"b \\\"\\\"c\\\"\\\",\nd\\\",\r\nx\", 0, 44, 34)",
                        "([\"a\", \"b \\\"c\\\",\\nd\", \"\"], 17)"},
                       {"csv_row(\"a\", 1, 44, 34)", "nil"},
                       {"csv_row(\"\\\"a\", 0, 44, 34)", "(:error, 0)"},
                       {"csv_row(\"\\\"a\\\"b\", 0, 44, 34)", "(:error, 3)"},
                   });
  // Windows that do not start at a byte work like any other binary.
  Term text = m.parse("\"xabcx\"");
  BinaryBuilder builder;
  builder.put_word(5, 3);
  builder.put_text("a,b");
  Term shifted = binary_part(*m.process, builder.finish(*m.process), 3, 24);
  CHECK(m.show(m.call("string_split", {shifted, m.parse("\",\""), Term::small(0),
                                       atoms::false_})) == "[\"a\", \"b\"]");
  CHECK(m.show(m.call("string_length", {text})) == "5");
}
