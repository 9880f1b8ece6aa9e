#include "vm/base/memory.h"

#include <sys/mman.h>

#include <cstdlib>

#include "vm/base/assert.h"

namespace quelea {

namespace {
/// What this thread did beyond what the allocator counts by itself.
thread_local ThreadMemory counted{0, 0};
}  // namespace

void* map_pages(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  counted.allocated += bytes;
  return pages;
}

void* remap_pages(void* pages, std::size_t old_bytes, std::size_t bytes) {
  void* moved = mremap(pages, old_bytes, bytes, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return nullptr;
  counted.released += old_bytes;
  counted.allocated += bytes;
  return moved;
}

void unmap_pages(void* pages, std::size_t bytes) {
  counted.released += bytes;
  munmap(pages, bytes);
}

}  // namespace quelea

#if QUELEA_JEMALLOC

extern "C" {
void* quelea_malloc(std::size_t bytes);
void* quelea_realloc(void* memory, std::size_t bytes);
void quelea_free(void* memory);
std::size_t quelea_nallocx(std::size_t bytes, int flags);
int quelea_mallctl(const char* name, void* old, std::size_t* old_size, void* fresh,
                   std::size_t fresh_size);
/// Read by the allocator when it starts. Pages that fall free are kept for the next that wants
/// some; when they go back, MemoryGuard decides.
extern const char* quelea_malloc_conf;
const char* quelea_malloc_conf =
    "abort_conf:false,dirty_decay_ms:-1,lg_tcache_max:13,oversize_threshold:0";
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

ThreadMemory thread_memory() {
  // The allocator's own counters, which it keeps for each thread anyway.
  static thread_local const std::uint64_t* allocated = nullptr;
  static thread_local const std::uint64_t* released = nullptr;
  if (QUELEA_UNLIKELY(released == nullptr)) {
    std::size_t size = sizeof(void*);
    if (quelea_mallctl("thread.allocatedp", &allocated, &size, nullptr, 0) != 0 ||
        quelea_mallctl("thread.deallocatedp", &released, &size, nullptr, 0) != 0) {
      return {0, 0};
    }
  }
  return {counted.allocated + *allocated, counted.released + *released};
}

}  // namespace quelea

#else

#include <malloc.h>

namespace quelea {

namespace {
std::size_t size_of(void* memory) { return memory != nullptr ? malloc_usable_size(memory) : 0; }
}  // namespace

void* allocate(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  counted.allocated += size_of(memory);
  return memory;
}
void* reallocate(void* memory, std::size_t bytes) {
  const std::size_t before = size_of(memory);
  void* fresh = std::realloc(memory, bytes);
  if (fresh == nullptr) return nullptr;
  counted.released += before;
  counted.allocated += size_of(fresh);
  return fresh;
}
void release(void* memory) {
  counted.released += size_of(memory);
  std::free(memory);
}
ThreadMemory thread_memory() { return counted; }
std::size_t allocation_size(std::size_t bytes) {
  // glibc: eight bytes before each piece, all in steps of sixteen.
  return (bytes + 8 + 15) / 16 * 16 - 8;
}
void return_free_pages() { malloc_trim(0); }

}  // namespace quelea

#endif
