// The decoder of external terms: any bytes are an error or a term; a term encodes and decodes to
// itself, and all that is done with terms can be done with it.
#include <cstdlib>

#include "tests/unit/term_support.h"
#include "vm/term/compare.h"
#include "vm/term/copy.h"
#include "vm/term/etf.h"
#include "vm/term/hash.h"

using namespace quelea;

namespace {

void must(bool condition) {
  if (!condition) std::abort();
}

const ExportIdentity* find_export(void* context, Term module, Term function, std::uint32_t arity) {
  auto& exports = *static_cast<std::vector<std::unique_ptr<ExportIdentity>>*>(context);
  exports.push_back(std::make_unique<ExportIdentity>(ExportIdentity{module, function, arity}));
  return exports.back().get();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  AtomTable atoms;
  TestHeap heap, other;
  std::vector<std::unique_ptr<ExportIdentity>> exports;
  EtfDecodeOptions options;
  options.max_new_atoms = 1000;
  options.max_words = 1 << 20;
  options.find_export = find_export;
  options.context = &exports;
  EtfDecodeResult result = etf_decode(heap, data, size, atoms, options);
  if (result.term.is_none()) {
    must(result.error != nullptr);
    return 0;
  }
  std::string bytes;
  must(etf_encode(bytes, result.term, atoms));
  options.max_words = 1 << 24;
  EtfDecodeResult again = etf_decode(other, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size(), atoms, options);
  must(again.error == nullptr);
  must(exact_equal(result.term, again.term));
  must(numeric_equal(result.term, again.term));
  must(compare(result.term, again.term, atoms) == 0);
  must(hash_term(result.term, atoms) == hash_term(again.term, atoms));
  Term copy = copy_term(other, result.term, {});
  must(exact_equal(copy, result.term));
  must(show(copy, atoms) == show(result.term, atoms));
  return 0;
}
