#include "compiler/driver/tests_function.h"

#include <string>

#include "vm/code/assembler.h"
#include "vm/code/module_image.h"

namespace quelea::compiler {

void add_tests_function(ModuleImage& image) {
  if (image.tests.empty()) return;
  LiteralWriter list;
  list.list(static_cast<uint32_t>(image.tests.size()));
  uint32_t number = 0;
  for (const ImageTest& test : image.tests) {
    std::string name = "$test_" + std::to_string(++number);
    ImageFunction& function = image.functions[test.function];
    function.name = image.names.intern(name);
    function.exported = true;
    list.tuple(3);
    list.string(test.name);
    list.integer(test.line);
    list.atom(name);
  }
  list.empty_list();
  uint32_t constant = image.constants.term(list.take(), image.names);

  Assembler code(image);
  code.begin_function(
      {.name = image.names.intern("__tests__"), .arity = 0, .frame_slots = 1, .exported = true});
  code.emit(op_enter);
  code.emit(op_ret_const, ConstantRef{constant});
  code.end_function();
}

}  // namespace quelea::compiler
