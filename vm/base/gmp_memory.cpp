#include "vm/base/gmp_memory.h"

#include "vm/base/memory.h"

namespace quelea {

constinit thread_local GmpPiece* newest_gmp_piece = nullptr;

namespace {

GmpPiece* piece_of(void* memory) { return static_cast<GmpPiece*>(memory) - 1; }

void* put_on_list(GmpPiece* piece) {
  piece->newer = nullptr;
  piece->older = newest_gmp_piece;
  if (piece->older != nullptr) piece->older->newer = piece;
  newest_gmp_piece = piece;
  return piece + 1;
}

void take_from_list(const GmpPiece* piece) {
  (piece->newer != nullptr ? piece->newer->older : newest_gmp_piece) = piece->older;
  if (piece->older != nullptr) piece->older->newer = piece->newer;
}

void* take(std::size_t bytes) {
  void* piece = allocate(sizeof(GmpPiece) + bytes);
  if (piece == nullptr) no_memory();
  return put_on_list(static_cast<GmpPiece*>(piece));
}

void* resize(void* memory, std::size_t, std::size_t bytes) {
  GmpPiece* const old = piece_of(memory);
  take_from_list(old);
  void* piece = reallocate(old, sizeof(GmpPiece) + bytes);
  void* const result = put_on_list(piece != nullptr ? static_cast<GmpPiece*>(piece) : old);
  if (piece == nullptr) no_memory();
  return result;
}

void drop(void* memory, std::size_t) {
  take_from_list(piece_of(memory));
  release(piece_of(memory));
}

}  // namespace

void GmpWork::give_back() {
  while (newest_gmp_piece != before_) {
    GmpPiece* const piece = newest_gmp_piece;
    newest_gmp_piece = piece->older;
    release(piece);
  }
  if (before_ != nullptr) before_->newer = nullptr;
}

}  // namespace quelea

// What GMP calls; in its archive these are variables.
extern "C" {
extern void* (*const __gmp_allocate_func)(std::size_t);
extern void* (*const __gmp_reallocate_func)(void*, std::size_t, std::size_t);
extern void (*const __gmp_free_func)(void*, std::size_t);
void* (*const __gmp_allocate_func)(std::size_t) = quelea::take;
void* (*const __gmp_reallocate_func)(void*, std::size_t, std::size_t) = quelea::resize;
void (*const __gmp_free_func)(void*, std::size_t) = quelea::drop;
}
