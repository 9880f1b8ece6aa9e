// The JSON reader and writer: any bytes are an error with a place, or a value; what is written for
// a value reads back as an equal value and is written the same again.
#include <cstdlib>

#include "vm/code/loaded_module.h"
#include "vm/interp/machine.h"
#include "vm/native/native.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::unique_ptr<Vm> vm = make_vm({});
  Process& p = *vm->new_process(vm->schedulers().first(), 4096);
  vm->publish(p);
  Term options = map_empty(p);
  Term decoded = call(*vm, p, "json_decode", binary_from_bytes(p, data, size), options);
  must(is_tuple(decoded) && tuple_size(decoded) == 2);
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
