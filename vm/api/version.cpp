#include "vm/base/version.h"

#include "vm/include/quelea/quelea.h"

const char* quelea_version(void) { return quelea::version_string(); }
