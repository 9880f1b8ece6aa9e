// The JSON reader and writer: any bytes are an error with a place, or a value, and the same
// whatever the pieces in which they are read; what is written for a value reads back as an equal
// value.
#include <cstdlib>

#include "vm/code/loaded_module.h"
#include "vm/interp/machine.h"
#include "vm/native/json_reader.h"
#include "vm/proc/schedulers.h"
#include "vm/term/binary.h"
#include "vm/term/compare.h"
#include "vm/term/map.h"

using namespace quelea;

namespace {

void must(bool condition) {
  if (!condition) std::abort();
}

Term call(Vm& vm, Process& p, const char* name, Term first, Term second) {
  const NativeEntry* entry = find_native(vm, "Prim", name, 2);
  must(entry != nullptr);
  Term slots[] = {second, first};
  Term result = Term::none();
  do {
    p.pending = Process::Pending::None;
    result = entry->function(p, Args(slots + 2));
  } while (result.is_none() && p.pending == Process::Pending::Again);
  return result;
}

/// The same document in pieces whose sizes follow from it.
void read_in_pieces(Process& p, Term document, Term decoded) {
  JsonReader reader;
  std::uint64_t random = 0x9E3779B97F4A7C15u;
  for (char c : binary_view(document).text())
    random = (random ^ static_cast<std::uint8_t>(c)) * 0x100000001B3u;
  const std::size_t most = random >> 60 == 0 ? 1 : 1 + (random >> 40) % 16;
  do {
    random = random * 6364136223846793005u + 1442695040888963407u;
  } while (reader.read(p, document, 1 + (random >> 40) % most));
  must(reader.error.has_value() == (tuple_at(decoded, 0) != atoms::ok));
  const Term outcome = tuple_at(decoded, 1);
  if (!reader.error) {
    must(exact_equal(reader.roots.back(), outcome));
    return;
  }
  must(binary_view(tuple_at(outcome, 0)).text() == reader.error->message);
  must(reader.error->at <= binary_view(document).byte_size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::unique_ptr<Vm> vm = make_vm({});
  Process& p = *vm->new_process(vm->schedulers().first(), 4096);
  vm->processes().give_pid(p, p.local().free_places);
  vm->processes().show(p);
  Term options = map_empty(p);
  Term document = binary_from_bytes(p, data, size);
  Term decoded = call(*vm, p, "json_decode", document, options);
  must(is_tuple(decoded) && tuple_size(decoded) == 2);
  read_in_pieces(p, document, decoded);
  Term value = tuple_at(decoded, 1);
  if (tuple_at(decoded, 0) != atoms::ok) {
    must(is_tuple(value) && tuple_size(value) == 3 && tuple_at(value, 1).small_value() > 0 &&
         tuple_at(value, 2).small_value() > 0);
    return 0;
  }
  for (int indent : {0, 2}) {
    Term text = call(*vm, p, "json_encode", value, Term::small(indent));
    must(!text.is_none());
    Term again = call(*vm, p, "json_decode", text, options);
    must(tuple_at(again, 0) == atoms::ok && exact_equal(tuple_at(again, 1), value));
  }
  return 0;
}
