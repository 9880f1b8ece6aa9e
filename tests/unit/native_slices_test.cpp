// No native may hold its thread: each one whose work grows with its input is called with a large
// input, and must come back many times. How long its slices are is no matter of a test; it is
// printed where QUELEA_SLICE_TIMES is set.
#include <time.h>

#include <cstdio>
#include <map>
#include <sstream>

#include "native_fixture.h"
#include "vm/term/number.h"

namespace quelea {
namespace {

// One machine for all; what a call made is garbage that nobody collects here.
#if defined(__SANITIZE_ADDRESS__)
// Five times as slow, and here for what a native does between slices.
constexpr int kLess = 4, kLeastSlices = 2;
#else
constexpr int kLess = 1, kLeastSlices = 8;
#endif
constexpr std::int64_t kElements = (1 << 20) / kLess;
constexpr std::size_t kTextBytes = (std::size_t{24} << 20) / kLess;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Outcome {
  int slices = 0;
  double longest_ms = 0;
  double all_ms = 0;
  bool raised = false;
  Term result = Term::none();
};

class LargeInputs {
 public:
  explicit LargeInputs(NativeMachine& machine) : m_(machine), p_(*machine.process) {}

  Term operator[](const std::string& name) {
    if (auto at = made_.find(name); at != made_.end()) return at->second;
    const Term made = make(name);
    made_[name] = made;
    return made;
  }

  Outcome run(const std::string& name, const std::vector<Term>& args) {
    const bool prelude = name.rfind("Prelude.", 0) == 0;
    const NativeEntry* entry =
        find_native(*m_.vm, prelude ? "Prelude" : "Prim", prelude ? name.substr(8) : name,
                    static_cast<std::uint32_t>(args.size()));
    REQUIRE(entry != nullptr);
    Term slots[8];
    for (std::size_t i = 0; i < args.size(); ++i) slots[7 - i] = args[i];
    Outcome outcome;
    do {
      p_.pending = Process::Pending::None;
      p_.reductions = 4000;
      const double began = cpu_ms();
      outcome.result = entry->function(p_, Args(slots + 8));
      const double took = cpu_ms() - began;
      outcome.all_ms += took;
      outcome.longest_ms = std::max(outcome.longest_ms, took);
      ++outcome.slices;
    } while (outcome.result.is_none() && p_.pending == Process::Pending::Again);
    outcome.raised = outcome.result.is_none();
    p_.pending = Process::Pending::None;
    return outcome;
  }

 private:
  template <class Element>
  Term list(Element&& element, std::int64_t count = kElements) {
    Term list = Term::nil_list();
    for (std::int64_t i = count; i-- > 0;) list = p_.cons(element(i), list);
    return list;
  }
  Term text(const char* unit, std::size_t bytes = kTextBytes) {
    std::string whole;
    while (whole.size() < bytes) whole += unit;
    return binary_from_text(p_, whole);
  }
  Term make(const std::string& name) {
    auto number = [](std::int64_t i) { return Term::small(i * 7919 % 1000003); };
    if (name == "ints") return list([&](std::int64_t i) { return Term::small(i); });
    if (name == "mixed") return list(number);
    if (name == "pairs") {
      return list([&](std::int64_t i) { return p_.tuple(Term::small(i), number(i)); });
    }
    if (name == "few_pairs") {
      return list([&](std::int64_t i) { return p_.tuple(Term::small(i % 100), number(i)); });
    }
    if (name == "lists") {
      return list([&](std::int64_t i) { return p_.cons(number(i), Term::nil_list()); });
    }
    if (name == "strings") {
      return list(
          [&](std::int64_t i) { return binary_from_text(p_, "part " + std::to_string(i)); });
    }
    if (name == "bytes") return list([&](std::int64_t i) { return Term::small(i & 127); });
    if (name == "floats") {
      return list([&](std::int64_t i) { return p_.make_float(static_cast<double>(i) / 7); });
    }
    if (name == "map") return run("map_from_list", {(*this)["pairs"]}).result;
    if (name == "map2") {
      return run("map_from_list", {list([&](std::int64_t i) {
                   return p_.tuple(Term::small(i + kElements / 2), Term::small(i));
                 })})
          .result;
    }
    if (name == "tuple") return run("list_to_tuple", {(*this)["ints"]}).result;
    if (name == "text") return text("some words in a line, then more\n");
    if (name == "unicode") return text("Größe, ŧext und αβγ 👩‍👩‍👧 e\u0301\n");
    if (name == "thai") return text("สวัสดีครับ");
    if (name == "spaces") return text(" ");
    if (name == "hex") return text("0123456789abcdef");
    if (name == "base64") return text("abcd");
    if (name == "percent") return text("a%20b");
    if (name == "digits") return text("1234567890", 400'000);
    if (name == "csv") return text("a field,another,\"a \"\"quoted\"\" one\",");
    if (name == "json") return text_of("[", "{\"key\": [1, 2.5, \"text\", null]}, ", "1]");
    if (name == "json_string") return text_of("\"", "text \\n with escapes ", "\"");
    if (name == "etf") return run("Prelude.term_to_binary", {(*this)["mixed_terms"]}).result;
    if (name == "etf_text") return run("Prelude.term_to_binary", {(*this)["text"]}).result;
    if (name == "etf_map") return run("Prelude.term_to_binary", {(*this)["map"]}).result;
    if (name == "mixed_terms") {
      return list([&](std::int64_t i) {
        return p_.tuple(Term::small(i), binary_from_text(p_, "some text"), atoms::ok);
      });
    }
    if (name == "mixed_terms2") {
      return list([&](std::int64_t i) {
        return p_.tuple(Term::small(i), binary_from_text(p_, "some text"), atoms::ok);
      });
    }
    if (name == "pairs_json") {
      return list([&](std::int64_t i) {
        return p_.cons(Term::small(i), p_.cons(p_.make_float(0.5), Term::nil_list()));
      });
    }
    if (name == "huge") {
      const Term parsed =
          run("int_parse_prefix", {text("1234567890", 400'000), Term::small(10)}).result;
      return tuple_at(parsed, 0);
    }
    if (name == "patterns") {
      return list([&](std::int64_t i) { return binary_from_text(p_, "n" + std::to_string(i)); },
                  100);
    }
    if (name == "random") return run("random_seed", {Term::small(1)}).result;
    if (name == "binary_list") {
      return list([&](std::int64_t) { return binary_from_text(p_, "common prefix"); });
    }
    return m_.parse(name);
  }
  Term text_of(const char* begin, const char* unit, const char* end) {
    std::string whole = begin;
    while (whole.size() < kTextBytes / 2) whole += unit;
    return binary_from_text(p_, whole + end);
  }

  NativeMachine& m_;
  Process& p_;
  std::map<std::string, Term> made_;
};

// A native and its arguments: names of inputs above, or terms.
const char* const kCalls[] = {
    "Prelude.length ints",
    "append ints ints",
    "member -1 ints",
    "reverse ints []",
    "range 1 4000000",
    "range 10000000000000000000000000 10000000000000000001000000",
    "list_reverse ints",
    "list_sort mixed",
    "list_sort strings",
    "list_sort floats :desc",
    "list_sort_by pairs 1 :asc",
    "list_uniq mixed",
    "list_uniq_values pairs",
    "list_dedup ints",
    "list_frequencies mixed",
    "list_group few_pairs",
    "list_flatten lists",
    "list_concat lists",
    "list_at ints -1 nil",
    "list_at ints 1000000 nil",
    "list_last ints nil",
    "list_take ints 1000000",
    "list_take ints -10",
    "list_drop ints 1000000",
    "list_drop ints -10",
    "list_split ints 1000000",
    "list_chunk ints 10",
    "list_zip ints mixed",
    "list_unzip pairs",
    "list_with_index ints 0",
    "list_intersperse ints :x",
    "list_duplicate :x 4000000",
    "list_delete ints -1",
    "list_index_of ints -1",
    "list_starts_with ints ints",
    "list_min mixed",
    "list_max strings",
    "list_sum ints",
    "list_sum floats",
    "list_product bytes",
    "list_key_find pairs -1 0",
    "list_key_delete pairs -1 0",
    "list_key_store pairs -1 0 (1,2)",
    "list_to_tuple ints",
    "tuple_to_list tuple",
    "map_merge map map2",
    "map_keys map",
    "map_values map",
    "map_to_list map",
    "map_from_list pairs",
    "map_from_keys mixed 1",
    "map_take map mixed",
    "map_drop map mixed",
    "string_length unicode",
    "string_graphemes unicode",
    "string_codepoints unicode",
    "string_to_charlist unicode",
    "string_from_charlist bytes",
    "string_at unicode -1",
    "string_slice unicode 1000000 1000000",
    "string_upcase unicode",
    "string_upcase text",
    "string_downcase unicode",
    "string_capitalize text",
    "string_casefold unicode",
    "string_normalize unicode :nfc",
    "string_normalize unicode :nfd",
    "string_normalize thai :nfc",
    "string_trim spaces",
    "string_trim_leading spaces",
    "string_trim_trailing spaces",
    "string_trim_leading spaces \"\\x20\"",
    "string_split text",
    "string_split text \"\\x20\" 0 true",
    "string_split unicode \"\" 0 true",
    "string_lines text",
    "string_join strings \",\"",
    "string_replace text \"more\" \"less\" true",
    "string_contains text \"nowhere\"",
    "string_contains text patterns",
    "regex_escape text",
    "string_index_of text \"nowhere\"",
    "string_reverse unicode",
    "string_pad_leading unicode 40000000 \"x\"",
    "string_valid unicode",
    "string_printable text",
    "string_scrub unicode",
    "string_width unicode",
    "binary_match text \"nowhere\" 0",
    "binary_matches text \"more\"",
    "binary_split text \"more\" true",
    "binary_replace text \"more\" \"less\" true",
    "binary_to_list text",
    "binary_copy text 3",
    "binary_common_prefix binary_list",
    "iodata_to_binary strings",
    "iodata_to_binary bytes",
    "iodata_size strings",
    "io_write :stdout strings",
    "io_write :stdout bytes",
    "hex_encode text",
    "hex_decode hex",
    "base64_encode text false true",
    "base64_decode base64 false",
    "uri_encode text \"\"",
    "uri_decode percent true",
    "crypto_hash :sha256 text",
    "crypto_hmac :sha256 \"key\" text",
    "crypto_equal text text",
    "crypto_random_bytes 16000000",
    "json_decode json %{}",
    "json_decode json_string %{}",
    "json_decode spaces %{}",
    "json_encode pairs_json 0",
    "json_encode map 2",
    "json_encode text 0",
    "Prelude.term_to_binary mixed_terms",
    "Prelude.term_to_binary map",
    "Prelude.term_to_binary text",
    "Prelude.binary_to_term etf",
    "Prelude.binary_to_term etf_map",
    "Prelude.binary_to_term etf_text",
    "Prelude.inspect mixed_terms",
    "Prelude.inspect text",
    "Prelude.to_string mixed_terms",
    "crypto_xor text text",
    "crc32 0 text",
    "adler32 1 text",
};

std::vector<std::string> words_of(const std::string& call) {
  std::istringstream in(call);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("natives come back in time from large inputs", "[native][slices]") {
  NativeMachine machine;
  LargeInputs inputs(machine);
  const bool tells = std::getenv("QUELEA_SLICE_TIMES") != nullptr;
  for (const char* call : kCalls) {
    const std::vector<std::string> words = words_of(call);
    std::vector<Term> args;
    for (std::size_t i = 1; i < words.size(); ++i) args.push_back(inputs[words[i]]);
    const Outcome outcome = inputs.run(words[0], args);
    if (tells) {
      std::printf("%-50s %6d slices, longest %8.2f ms of %9.2f ms%s\n", call, outcome.slices,
                  outcome.longest_ms, outcome.all_ms, outcome.raised ? ", raised" : "");
      continue;
    }
    INFO(call);
    CHECK(outcome.slices >= kLeastSlices);
    CHECK(!outcome.raised);
  }
}

}  // namespace quelea
