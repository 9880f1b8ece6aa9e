#include "vm/proc/process_table.h"

#include <sys/mman.h>

#include <mutex>

#include "vm/base/assert.h"
#include "vm/base/memory.h"

namespace quelea {

namespace {

/// Zeroed memory that the system gives when it is touched.
void* map_zeroed(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) no_memory();
  return memory;
}

}  // namespace

// Processes -----------------------------------------------------------------------------------

ProcessTable::ProcessTable(std::uint64_t limit)
    : limit_(limit != 0 ? limit : kMostPlaces),
      chunks_(static_cast<std::atomic<Entry*>*>(map_zeroed(kChunks * sizeof *chunks_))) {}

ProcessTable::~ProcessTable() {
  for (std::uint32_t i = 0; i * kChunk < used_; ++i)
    unmap_pages(chunks_[i].load(), kChunk * sizeof(Entry));
  munmap(static_cast<void*>(chunks_), kChunks * sizeof *chunks_);
}

bool ProcessTable::fetch_places(PlaceCache& places) {
  std::lock_guard hold(lock_);
  for (unsigned i = 0; i < kBatch && free_count_ != 0; ++i, --free_count_) {
    places.push(first_free_);
    first_free_ = entry(first_free_).next_free;
  }
  if (!places.empty()) return true;
  const std::uint32_t used = used_.load(std::memory_order_relaxed);
  if (used >= kMostPlaces) return false;
  if (used % kChunk == 0) {
    // Zeroed by the system, and only where it is used.
    auto chunk = static_cast<Entry*>(map_pages(kChunk * sizeof(Entry)));
    if (chunk == nullptr) return false;
    chunks_[used / kChunk].store(chunk, std::memory_order_release);
  }
  for (unsigned i = 0; i < kBatch; ++i) places.push(used + i);
  used_.store(used + kBatch, std::memory_order_release);
  return true;
}

void ProcessTable::return_places(PlaceCache& places) {
  std::lock_guard hold(lock_);
  for (unsigned i = 0; i < kBatch; ++i, ++free_count_) {
    const std::uint32_t place = places.pop();
    (free_count_ != 0 ? entry(last_free_).next_free : first_free_) = place;
    last_free_ = place;
  }
}

bool ProcessTable::give_pid(Process& process, PlaceCache& places) {
  if (count_.fetch_add(1, std::memory_order_relaxed) >= limit_ ||
      (places.empty() && !fetch_places(places))) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  const std::uint32_t index = places.pop();
  constexpr std::uint32_t kSerialMask = (1u << 29) - 1;
  process.pid_ = Term::local_pid(Word{entry(index).serial & kSerialMask} << 32 | index);
  return true;
}

void ProcessTable::remove(Process& process, PlaceCache& places) {
  const std::uint32_t index = pid_id(process.pid_);
  Entry& place = entry(index);
  // Sequentially consistent for the argument in epochs.h.
  place.process.store(nullptr, std::memory_order_seq_cst);
  ++place.serial;
  if (places.full()) return_places(places);
  places.push(index);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

// Names ---------------------------------------------------------------------------------------

NameTable::NameTable()
    : chunks_(static_cast<std::atomic<Chunk*>*>(map_zeroed(kChunks * sizeof *chunks_))) {}

NameTable::~NameTable() {
  for (std::uint32_t i = 0; i < chunk_end_; ++i) delete chunks_[i].load();
  munmap(static_cast<void*>(chunks_), kChunks * sizeof *chunks_);
}

std::atomic<Process*>& NameTable::place(Term name) {
  std::atomic<Chunk*>& slot = chunks_[name.atom_index() / kChunk];
  Chunk* chunk = slot.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    auto fresh = std::make_unique<Chunk>();
    // Of two who make it one wins; release so that who finds it finds it zeroed.
    if (slot.compare_exchange_strong(chunk, fresh.get(), std::memory_order_acq_rel)) {
      chunk = fresh.release();
      const std::uint32_t end = name.atom_index() / kChunk + 1;
      std::uint32_t known = chunk_end_.load();
      while (known < end && !chunk_end_.compare_exchange_weak(known, end)) continue;
    }
  }
  return (*chunk)[name.atom_index() % kChunk];
}

bool NameTable::add(Term name, Process& process) {
  std::atomic<Process*>& slot = place(name);  // First, as there may be no memory for it.
  std::uint32_t unnamed = Process::kUnnamed;
  const std::uint32_t index = name.atom_index();
  if (!process.name_place.compare_exchange_strong(unnamed, index)) return false;
  Process* nobody = nullptr;
  const bool free = slot.compare_exchange_strong(nobody, &process);
  std::uint32_t claimed = index;
  if (!free) {
    process.name_place.compare_exchange_strong(claimed, Process::kUnnamed);
    return false;
  }
  if (process.name_place.load() == index) return true;
  // It ended meanwhile, and may not have seen the name in its place.
  Process* dead = &process;
  slot.compare_exchange_strong(dead, nullptr);
  return false;
}

bool NameTable::remove(Term name) {
  std::atomic<Process*>& slot = place(name);
  Process* process = slot.load();
  if (process == nullptr || !slot.compare_exchange_strong(process, nullptr)) return false;
  std::uint32_t index = name.atom_index();
  process->name_place.compare_exchange_strong(index, Process::kUnnamed);
  return true;
}

void NameTable::close(Process& process) {
  const std::uint32_t index = process.name_place.exchange(Process::kClosed);
  if (index == Process::kUnnamed) return;
  Process* self = &process;
  place(Term::atom(index)).compare_exchange_strong(self, nullptr);
}

}  // namespace quelea
