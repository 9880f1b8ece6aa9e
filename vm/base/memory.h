// Where the memory of what programs make comes from: process records, blocks, fragments, messages,
// binaries, scratch whose size a program decides.
//
// It is an allocator of the machine's own, a jemalloc under private names, beside the malloc of the
// host that nobody replaces. What it brings: pieces without a header in classes of a few steps a
// doubling, so that a parked process wastes nothing; messages that one thread makes and another
// frees at half of what glibc takes for it; and pages that go back to the system when they are
// asked to. Sanitizer builds, and builds where there is no jemalloc, use malloc.
//
// All functions may be called from any thread. What one thread allocates any other may release.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>

namespace quelea {

/// At least `bytes` bytes, aligned for words; null when the system has none left.
void* allocate(std::size_t bytes);
/// The same at a multiple of `alignment`, a power of two; null at once where there is none, so that
/// locks may be held.
void* allocate_aligned(std::size_t alignment, std::size_t bytes);
/// The same bytes in a piece of another size, perhaps elsewhere; null, and the old piece as it was,
/// when the system has none left.
void* reallocate(void* memory, std::size_t bytes);
/// For whoever cannot go on without: throws std::bad_alloc. In a native that becomes `error
/// :system_limit`, elsewhere the process whose slice it is is killed (docs/design/memory.md).
[[noreturn]] void no_memory();
/// How long what must be done waits for memory that others, who are killed meanwhile, give back.
class Patience {
 public:
  /// A moment has passed. False: it has been long enough.
  bool wait();

 private:
  std::chrono::steady_clock::time_point until_{};
};
/// What must be done, as nobody else would do it: tried again until patience is over, then throws.
template <class Work>
auto insist(Work work) {
  for (Patience patience;;) {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      if (!patience.wait()) throw;
    }
  }
}
/// Gives back what `allocate` returned; null is nothing.
void release(void* memory);
/// Whole pages for large buffers that grow: `remap_pages` moves them by changing page tables, not
/// by copying. Null when the system has none left; the old pages are then as they were.
void* map_pages(std::size_t bytes);
void* remap_pages(void* pages, std::size_t old_bytes, std::size_t bytes);
void unmap_pages(void* pages, std::size_t bytes);
/// The system takes a tenth of a millisecond for a megabyte that was in use. So of large pieces the
/// pages go back some at a time, between slices: whether there are any, and a megabyte of them.
inline std::atomic<bool> pages_are_left{false};
void return_some_pages();
/// All of them.
void return_left_pages();
/// Has the system give all pages of a piece at once, which takes it less than half of what it takes
/// one by one, when they are touched; on some virtual machines a tenth. Where it cannot (before
/// Linux 5.14) this does nothing.
void make_present(void* memory, std::size_t bytes);
/// From so many bytes on pieces are worth it, and so many are made present in one go.
inline constexpr std::size_t kPresentAtOnce = std::size_t{256} << 10;

/// A large piece that is written from its beginning to its end, little by little: its pages are
/// made present in front of what is written.
class PagesAhead {
 public:
  PagesAhead() = default;
  PagesAhead(const void* memory, std::size_t bytes);
  /// What lies before `end` is about to be written.
  void reach(const void* end) {
    const auto address = reinterpret_cast<std::uintptr_t>(end);
    if (address > present_to_) reach_on(address);
  }

 private:
  void reach_on(std::uintptr_t address);
  std::uintptr_t present_to_ = UINTPTR_MAX;
  std::uintptr_t end_ = 0;
};
/// What this thread took, or gave back (negative), in another way than by the functions above.
void count_memory(std::ptrdiff_t bytes);
/// What `allocate(bytes)` really takes: the rest may be used as well.
std::size_t allocation_size(std::size_t bytes);
/// Gives pages that hold nothing back to the system.
void return_free_pages();

/// When the system has no memory left, `allocate` uses up a reserve, so that whoever cannot do
/// without gets through to where its process can be ended. One for all machines of the host.
/// Makes it (anew); false: it is used up, and there is no memory for another.
bool keep_reserve();
bool reserve_is_used();

/// What this thread has allocated and released since it began, in bytes. The first answers to a
/// thread may leave things out that the next ones make up for.
struct ThreadMemory {
  std::uint64_t allocated;
  std::uint64_t released;
  /// Negative where it released what others allocated.
  std::int64_t balance() const { return static_cast<std::int64_t>(allocated - released); }
};
ThreadMemory thread_memory();
/// The first answers to this thread are complete, too.
void leave_nothing_uncounted();

/// What a machine takes of what it may, for those who can be refused something.
struct MemoryLevel {
  const std::atomic<std::int64_t>* taken = nullptr;  ///< Null: nobody counts.
  std::int64_t tight = 0;
  bool is_tight() const {
    return taken != nullptr && taken->load(std::memory_order_relaxed) > tight;
  }
};

}  // namespace quelea
