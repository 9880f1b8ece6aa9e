// The machine's own GMP (tools/cmake/gmp.cmake). Include this in place of gmp.h.
#pragma once

#include <quelea_gmp_names.h>
// Behind it.
#include <gmp.h>
