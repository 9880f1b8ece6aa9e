#include "vm/base/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include "vm/base/assert.h"
#include "vm/base/spin_lock.h"

namespace quelea {

namespace {
/// What this thread did beyond what the allocator counts by itself.
thread_local ThreadMemory counted{0, 0};
}  // namespace

void no_memory() { throw std::bad_alloc(); }

void count_memory(std::ptrdiff_t bytes) {
  // What is less than nothing wraps around, in the balance as well.
  counted.allocated += static_cast<std::uint64_t>(bytes);
}

namespace {
/// A moment in which others may give some back.
void wait_for_memory() {
  constexpr timespec kPause{0, 5'000'000};
  nanosleep(&kPause, nullptr);
}
}  // namespace

bool Patience::wait() {
  // Two of the waits of `allocate`: who still gets nothing then is not the first to ask.
  constexpr std::chrono::seconds kLongEnough{5};
  using Clock = std::chrono::steady_clock;
  if (until_ == Clock::time_point{}) until_ = Clock::now() + kLongEnough;
  wait_for_memory();
  return Clock::now() < until_;
}

namespace {

constexpr std::size_t kReturnedAtOnce = std::size_t{1} << 20;
/// Where much is left more goes back at a time, a part of it, up to four times as much.
constexpr std::size_t kPartAtOnce = 64;

/// At the beginning of a piece that is to go back.
struct LeftPiece {
  LeftPiece* next;
  std::size_t bytes;
};

SpinLock left_lock;  // guards the rest, but for the reads of `pages_are_left`
LeftPiece* left_pieces = nullptr;
std::size_t left_bytes = 0;

void leave_pages(void* pages, std::size_t bytes) {
  std::lock_guard hold(left_lock);
  left_pieces = new (pages) LeftPiece{left_pieces, bytes};
  left_bytes += bytes;
  pages_are_left.store(true, std::memory_order_relaxed);
}

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

void return_left_pages() {
  while (pages_are_left.load(std::memory_order_relaxed)) return_some_pages();
}

void return_some_pages() {
  void* pages = nullptr;
  std::size_t bytes = 0;
  {
    std::lock_guard hold(left_lock);
    LeftPiece* const piece = left_pieces;
    if (piece == nullptr) return;
    const std::size_t part = left_bytes / kPartAtOnce / kReturnedAtOnce * kReturnedAtOnce;
    bytes = std::min(piece->bytes, std::clamp(part, kReturnedAtOnce, 4 * kReturnedAtOnce));
    piece->bytes -= bytes;
    pages = reinterpret_cast<char*>(piece) + piece->bytes;
    if (piece->bytes == 0) left_pieces = piece->next;
    left_bytes -= bytes;
    if (left_pieces == nullptr) pages_are_left.store(false, std::memory_order_relaxed);
  }
  munmap(pages, bytes);
}

void* map_pages(std::size_t bytes) {
  const auto map = [&] {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  void* pages = map();
  if (pages == MAP_FAILED) {
    return_left_pages();
    pages = map();
  }
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
  const std::size_t page = page_bytes();
  const std::size_t whole = (bytes + page - 1) / page * page;
  if (whole <= kReturnedAtOnce) {
    munmap(pages, whole);
  } else {
    leave_pages(pages, whole);
  }
}

void make_present([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  const std::uintptr_t page = page_bytes();
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = begin / page * page;
  const std::uintptr_t end = (begin + bytes + page - 1) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_POPULATE_WRITE);
#endif
}

PagesAhead::PagesAhead(const void* memory, std::size_t bytes) {
  if (memory == nullptr || bytes < kPresentAtOnce) return;
  present_to_ = reinterpret_cast<std::uintptr_t>(memory);
  end_ = present_to_ + bytes;
}

void PagesAhead::reach_on(std::uintptr_t address) {
  const std::uintptr_t to = std::min(std::max(address, present_to_ + kPresentAtOnce), end_);
  make_present(reinterpret_cast<void*>(present_to_), to - present_to_);
  present_to_ = to == end_ ? UINTPTR_MAX : to;
}

}  // namespace quelea

#if QUELEA_JEMALLOC

extern "C" {
void* quelea_malloc(std::size_t bytes);
void* quelea_realloc(void* memory, std::size_t bytes);
void* quelea_aligned_alloc(std::size_t alignment, std::size_t bytes);
void quelea_free(void* memory);
std::size_t quelea_nallocx(std::size_t bytes, int flags);
int quelea_mallctl(const char* name, void* old, std::size_t* old_size, void* fresh,
                   std::size_t fresh_size);
/// Read by the allocator when it starts. Pages that fall free are kept for the next that wants
/// some, of whatever size; when they go back, MemoryGuard decides. Their addresses stay with the
/// allocator for good: so it asks the system for few large ranges instead of many small ones, and
/// gives pages back without stopping those that touch new ones.
#define QUELEA_MALLOC_CONF                                                    \
  "abort_conf:false,dirty_decay_ms:-1,lg_tcache_max:13,oversize_threshold:0," \
  "lg_extent_max_active_fit:30"
extern const char* quelea_malloc_conf;
const char* quelea_malloc_conf = QUELEA_MALLOC_CONF;
}

namespace {
/// Where addresses are limited, those that one thread's arena does not need must be there for all.
/// Before the allocator starts, which does that by a constructor without priority.
[[gnu::constructor(101)]] void share_addresses_if_few() {
  rlimit addresses;
  if (getrlimit(RLIMIT_AS, &addresses) != 0 || addresses.rlim_cur == RLIM_INFINITY) return;
  quelea_malloc_conf = QUELEA_MALLOC_CONF ",retain:false";
}
}  // namespace

namespace quelea {

namespace {
constexpr std::size_t kReserveBytes = std::size_t{32} << 20;
constexpr int kTries = 400;
/// Never written to: only addresses, which any arena of the allocator can have when they are free.
std::atomic<void*> reserve{nullptr};
std::atomic<bool> reserve_used{false};

/// The system refused. Pages that other threads' arenas keep are tried first.
void* allocate_at_last(std::size_t bytes) {
  return_left_pages();
  return_free_pages();
  void* memory = quelea_malloc(bytes);
  if (memory != nullptr) return memory;
  if (void* pages = reserve.exchange(nullptr, std::memory_order_acq_rel)) {
    reserve_used.store(true, std::memory_order_relaxed);
    munmap(pages, kReserveBytes);
    memory = quelea_malloc(bytes);
  }
  // The process that holds most may be on its way out, on another thread.
  for (int tries = 0; memory == nullptr && bytes <= kReserveBytes && tries < kTries; ++tries) {
    wait_for_memory();
    return_free_pages();
    memory = quelea_malloc(bytes);
  }
  return memory;
}
}  // namespace

bool keep_reserve() {
  if (reserve.load(std::memory_order_relaxed) != nullptr) return true;
  void* pages =
      mmap(nullptr, kReserveBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return false;
  void* none = nullptr;
  if (reserve.compare_exchange_strong(none, pages, std::memory_order_acq_rel)) {
    reserve_used.store(false, std::memory_order_relaxed);
  } else {
    munmap(pages, kReserveBytes);
  }
  return true;
}

bool reserve_is_used() { return reserve_used.load(std::memory_order_relaxed); }

void* allocate(std::size_t bytes) {
  void* memory = quelea_malloc(bytes);
  return QUELEA_LIKELY(memory != nullptr) ? memory : allocate_at_last(bytes);
}
void* allocate_aligned(std::size_t alignment, std::size_t bytes) {
  return quelea_aligned_alloc(alignment, bytes);
}
void* reallocate(void* memory, std::size_t bytes) { return quelea_realloc(memory, bytes); }
void release(void* memory) { quelea_free(memory); }
std::size_t allocation_size(std::size_t bytes) { return quelea_nallocx(bytes, 0); }

void return_free_pages() {
  quelea_mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
  quelea_mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all arenas
}

namespace {
constexpr unsigned kUncounted = 8;
thread_local unsigned asked = 0;
}  // namespace

void leave_nothing_uncounted() { asked = kUncounted; }

ThreadMemory thread_memory() {
  // The allocator's own counters, which it keeps for each thread anyway.
  static thread_local const std::uint64_t* allocated = nullptr;
  static thread_local const std::uint64_t* released = nullptr;
  if (QUELEA_UNLIKELY(released == nullptr)) {
    // Asking where they are makes the allocator set up its statistics of all arenas, which costs as
    // much as everything else that a small program does. Who asks only a few times does without.
    if (++asked <= kUncounted) return counted;
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
void* allocate_aligned(std::size_t alignment, std::size_t bytes) {
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
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
void leave_nothing_uncounted() {}
ThreadMemory thread_memory() { return counted; }
std::size_t allocation_size(std::size_t bytes) {
  // glibc: eight bytes before each piece, all in steps of sixteen.
  return (bytes + 8 + 15) / 16 * 16 - 8;
}
void return_free_pages() { malloc_trim(0); }
bool keep_reserve() { return true; }
bool reserve_is_used() { return false; }

}  // namespace quelea

#endif
