#include "vm/base/memory.h"

#include <sys/mman.h>

#include <cstdlib>

namespace quelea {

void* map_pages(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void* remap_pages(void* pages, std::size_t old_bytes, std::size_t bytes) {
  void* moved = mremap(pages, old_bytes, bytes, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
}

void unmap_pages(void* pages, std::size_t bytes) { munmap(pages, bytes); }

}  // namespace quelea

#if QUELEA_JEMALLOC

extern "C" {
void* quelea_malloc(std::size_t bytes);
void* quelea_realloc(void* memory, std::size_t bytes);
void quelea_free(void* memory);
std::size_t quelea_nallocx(std::size_t bytes, int flags);
int quelea_mallctl(const char* name, void* old, std::size_t* old_size, void* fresh,
                   std::size_t fresh_size);
/// Read by the allocator when it starts. Pages that fall free are kept for a second for the next
/// that wants some, and then go back while others are allocated, or in `return_free_pages`.
extern const char* quelea_malloc_conf;
const char* quelea_malloc_conf =
    "abort_conf:false,dirty_decay_ms:1000,muzzy_decay_ms:0,lg_tcache_max:13,oversize_threshold:0";
}

namespace quelea {

void* allocate(std::size_t bytes) { return quelea_malloc(bytes); }
void* reallocate(void* memory, std::size_t bytes) { return quelea_realloc(memory, bytes); }
void release(void* memory) { quelea_free(memory); }
std::size_t allocation_size(std::size_t bytes) { return quelea_nallocx(bytes, 0); }

void return_free_pages() {
  quelea_mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
  quelea_mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all arenas
}

}  // namespace quelea

#else

#include <malloc.h>

namespace quelea {

void* allocate(std::size_t bytes) { return std::malloc(bytes); }
void* reallocate(void* memory, std::size_t bytes) { return std::realloc(memory, bytes); }
void release(void* memory) { std::free(memory); }
std::size_t allocation_size(std::size_t bytes) {
  // glibc: eight bytes before each piece, all in steps of sixteen.
  return (bytes + 8 + 15) / 16 * 16 - 8;
}
void return_free_pages() { malloc_trim(0); }

}  // namespace quelea

#endif
