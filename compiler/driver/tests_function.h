// `__tests__/0`: how a module that was compiled with its tests tells a runner about them.
#pragma once

namespace quelea {
struct ModuleImage;
}

namespace quelea::compiler {

// Exports each function of `image.tests` under a name of its own, and adds `__tests__/0`, which
// gives
// `[(name, line, function)]`. Does nothing where there are no tests.
void add_tests_function(ModuleImage& image);

}  // namespace quelea::compiler
