#include "tests/unit/refusals.h"

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> is_on{false};
std::atomic<std::uint64_t> seen{0}, first_refused{0}, last_refused{0};
std::atomic<std::int64_t> live{0};

bool refused() {
  if (!is_on.load(std::memory_order_relaxed)) return false;
  const std::uint64_t number = seen.fetch_add(1, std::memory_order_relaxed) + 1;
  return number >= first_refused && number <= last_refused;
}

void* counted(void* memory) {
  if (memory != nullptr) live.fetch_add(1, std::memory_order_relaxed);
  return memory;
}
void uncounted(void* memory) {
  if (memory != nullptr) live.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

namespace refusals {

void begin(std::uint64_t first, std::uint64_t last) {
  seen = 0;
  first_refused = first;
  last_refused = last;
  is_on = true;
}
std::uint64_t end() {
  is_on = false;
  return seen;
}
std::int64_t live_pieces() { return live; }

}  // namespace refusals

// What the linker puts in place of NAME is __wrap_NAME; what was there is __real_NAME
// (tests/CMakeLists.txt).
extern "C" {

void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* memory, std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
void __real_free(void* memory);
void* __real_mmap(void* at, std::size_t bytes, int may, int flags, int file, off_t offset);
void* __real__ZN6quelea8allocateEm(std::size_t bytes);
void* __real__ZN6quelea16allocate_alignedEmm(std::size_t alignment, std::size_t bytes);
void* __real__ZN6quelea10reallocateEPvm(void* memory, std::size_t bytes);
void __real__ZN6quelea7releaseEPv(void* memory);
void* __real__ZN6quelea9map_pagesEm(std::size_t bytes);
void* __real__ZN6quelea11remap_pagesEPvmm(void* pages, std::size_t old_bytes, std::size_t bytes);

void* __wrap_malloc(std::size_t bytes) {
  return refused() ? nullptr : counted(__real_malloc(bytes));
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  return refused() ? nullptr : counted(__real_calloc(count, bytes));
}
void* __wrap_realloc(void* memory, std::size_t bytes) {
  if (refused()) return nullptr;
  void* fresh = __real_realloc(memory, bytes);
  return memory == nullptr ? counted(fresh) : fresh;
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return refused() ? nullptr : counted(__real_aligned_alloc(alignment, bytes));
}
void __wrap_free(void* memory) {
  uncounted(memory);
  __real_free(memory);
}
void* __wrap_mmap(void* at, std::size_t bytes, int may, int flags, int file, off_t offset) {
  return refused() ? MAP_FAILED : __real_mmap(at, bytes, may, flags, file, offset);
}

// vm/base/memory.h. `Patience` has none here: waiting gives nothing back.
void* __wrap__ZN6quelea8allocateEm(std::size_t bytes) {
  return refused() ? nullptr : counted(__real__ZN6quelea8allocateEm(bytes));
}
void* __wrap__ZN6quelea16allocate_alignedEmm(std::size_t alignment, std::size_t bytes) {
  return refused() ? nullptr : counted(__real__ZN6quelea16allocate_alignedEmm(alignment, bytes));
}
void* __wrap__ZN6quelea10reallocateEPvm(void* memory, std::size_t bytes) {
  if (refused()) return nullptr;
  void* fresh = __real__ZN6quelea10reallocateEPvm(memory, bytes);
  return memory == nullptr ? counted(fresh) : fresh;
}
void __wrap__ZN6quelea7releaseEPv(void* memory) {
  uncounted(memory);
  __real__ZN6quelea7releaseEPv(memory);
}
void* __wrap__ZN6quelea9map_pagesEm(std::size_t bytes) {
  return refused() ? nullptr : __real__ZN6quelea9map_pagesEm(bytes);
}
void* __wrap__ZN6quelea11remap_pagesEPvmm(void* pages, std::size_t old_bytes, std::size_t bytes) {
  return refused() ? nullptr : __real__ZN6quelea11remap_pagesEPvmm(pages, old_bytes, bytes);
}
bool __wrap__ZN6quelea8Patience4waitEv(void* patience) {
  auto& waits = *static_cast<std::uint64_t*>(patience);
  return ++waits < 100;
}

}  // extern "C"

// `malloc` and `aligned_alloc` below are the wrapped ones.
void* operator new(std::size_t bytes) {
  if (void* memory = std::malloc(bytes != 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes != 0 ? bytes : 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
