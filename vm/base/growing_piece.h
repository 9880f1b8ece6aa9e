// Memory of a container that grows. A large piece has pages of its own, which move without being
// copied, so that growing never takes long, and which are made present some at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "vm/base/memory.h"

namespace quelea {

/// From so many bytes on: pages of its own.
inline constexpr std::size_t kLeastMappedBytes = std::size_t{256} << 10;

/// A piece of `bytes`, more than before, with what was in `piece`, which is gone; null with 0 bytes
/// is none yet. Throws std::bad_alloc where there is no memory: then all is as it was.
inline void* grow_piece(void* piece, std::size_t old_bytes, std::size_t bytes) {
  void* larger = nullptr;
  if (bytes < kLeastMappedBytes) {
    larger = reallocate(piece, bytes);
  } else if (old_bytes >= kLeastMappedBytes) {
    larger = remap_pages(piece, old_bytes, bytes);
  } else if (void* const pages = map_pages(bytes)) {
    if (old_bytes != 0) {
      make_present(pages, old_bytes);
      std::memcpy(pages, piece, old_bytes);
    }
    release(piece);
    larger = pages;
  }
  if (larger == nullptr) no_memory();
  return larger;
}

/// Of a piece of `bytes` the first `present` may be written: how many may be then.
inline std::size_t make_more_present(void* piece, std::size_t present, std::size_t bytes) {
  if (bytes < kLeastMappedBytes) return bytes;
  const std::size_t some = std::min(bytes - present, kPresentAtOnce);
  make_present(static_cast<char*>(piece) + present, some);
  return present + some;
}

inline void release_piece(void* piece, std::size_t bytes) {
  if (bytes >= kLeastMappedBytes) {
    unmap_pages(piece, bytes);
  } else {
    release(piece);
  }
}

}  // namespace quelea
