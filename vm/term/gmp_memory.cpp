#include "vm/term/gmp_memory.h"

#include <cstdlib>

#include "vm/base/memory.h"

namespace quelea {

void expect_gmp_memory(std::size_t limbs) {
  // Multiplying by Fourier transforms wants most: two operands and the product, each twice.
  const std::size_t bytes = (limbs + 8) * 4 * sizeof(mp_limb_t);
  // Volatile, so that taking and giving back is not left out.
  void* volatile piece = std::malloc(bytes);
  if (piece == nullptr) {
    return_free_pages();
    piece = std::malloc(bytes);
  }
  if (piece == nullptr) no_memory();
  std::free(piece);
}

}  // namespace quelea
