#include "vm/base/version.h"

namespace quelea {

const char* version_string() { return "0.1.0"; }

}  // namespace quelea
