// Who is alive, and by what name.
//
// A pid's number is a place in the table and a serial that changes whenever the place is used anew,
// so that a pid of the dead is never mistaken for another process. Looking up takes no lock: places
// lie in chunks that are never moved, and whoever found a process may use it until its slice is
// over (vm/proc/epochs.h). Free places are kept by the threads that freed them, oldest first, and
// go to and from the common list a batch at a time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "vm/base/spin_lock.h"
#include "vm/proc/process.h"
#include "vm/term/identity.h"

namespace quelea {

/// Free places that belong to one thread.
class PlaceCache {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kCapacity; }
  void push(std::uint32_t place) { places_[(first_ + count_++) % kCapacity] = place; }
  std::uint32_t pop() {
    const std::uint32_t place = places_[first_ % kCapacity];
    ++first_;
    --count_;
    return place;
  }

 private:
  static constexpr std::uint32_t kCapacity = 128;
  std::array<std::uint32_t, kCapacity> places_;
  std::uint32_t first_ = 0, count_ = 0;
};

class ProcessTable {
 public:
  /// `limit`: so many processes at once; 0: as many as there are places.
  explicit ProcessTable(std::uint64_t limit);
  ~ProcessTable();
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;

  /// Gives the process its pid. False: the machine has as many as it may have, or no memory for
  /// another.
  bool give_pid(Process& process, PlaceCache& places);
  /// From now on others find it.
  void show(Process& process) {
    entry(pid_id(process.self())).process.store(&process, std::memory_order_release);
  }
  /// It is found no more, and its pid is nobody's.
  void remove(Process& process, PlaceCache& places);

  /// The live process of a local pid, or null. It may be used until the slice is over.
  Process* find(Term pid) const {
    const std::uint32_t place = pid_id(pid);
    if (place >= kMostPlaces) return nullptr;
    const Entry* chunk = chunks_[place / kChunk].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    // Acquire pairs with the release in `show`: the record is complete.
    Process* process = chunk[place % kChunk].process.load(std::memory_order_acquire);
    return process != nullptr && process->pid_ == pid ? process : nullptr;
  }
  std::size_t count() const { return count_.load(std::memory_order_relaxed); }

  /// Visits all that are there all the time; others as it happens. Within one slice, as `find`.
  template <class Visit>
  void for_each(Visit&& visit) {
    std::uint32_t place = 0;
    visit_some(place, kMostPlaces, visit);
  }
  /// The same for the next `most` places from `place` on. True: there are no more.
  template <class Visit>
  bool visit_some(std::uint32_t& place, std::uint32_t most, Visit&& visit) {
    const std::uint32_t used = used_.load(std::memory_order_acquire);
    const std::uint32_t end = place + std::min(most, used - std::min(used, place));
    for (; place < end; ++place) {
      const Entry* chunk = chunks_[place / kChunk].load(std::memory_order_acquire);
      Process* process = chunk[place % kChunk].process.load(std::memory_order_acquire);
      if (process != nullptr) visit(*process);
    }
    return place >= used;
  }

 private:
  struct Entry {
    std::atomic<Process*> process;
    std::uint32_t serial;     ///< Only whoever holds the place touches it.
    std::uint32_t next_free;  ///< In the common list; guarded by lock_.
  };
  static constexpr std::uint32_t kChunk = 1u << 10;
  static constexpr std::uint32_t kChunks = 1u << 18;
  static constexpr std::uint32_t kMostPlaces = kChunk * kChunks - kChunk;
  static constexpr unsigned kBatch = 64;

  Entry& entry(std::uint32_t place) {
    return chunks_[place / kChunk].load(std::memory_order_relaxed)[place % kChunk];
  }
  bool fetch_places(PlaceCache& places);
  void return_places(PlaceCache& places);

  const std::uint64_t limit_;
  std::atomic<std::uint64_t> count_{0};
  /// Mapped, so that what is not used takes no memory.
  std::atomic<Entry*>* chunks_;

  SpinLock lock_;
  // The common list of free places, linked through them, so that an end wants no memory; guarded
  // by lock_.
  std::uint32_t first_free_ = 0, last_free_ = 0;
  std::uint32_t free_count_ = 0;
  std::atomic<std::uint32_t> used_{0};  ///< Places below were used once; written under lock_.
};

/// Registered names. An atom's index is its place, so that looking up takes no lock.
///
/// A process has one name at most, which it notes itself (`Process::name_place`): whoever gives it
/// one claims that first, then the place of the name. A process that ends closes its note; both
/// then look at what the other did, all sequentially consistent, and one of them takes the name
/// away.
class NameTable {
 public:
  NameTable();
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  /// The process of that name, or null. It may be used until the slice is over.
  Process* find(Term name) const {
    const Chunk* chunk = chunks_[name.atom_index() / kChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr
                            : (*chunk)[name.atom_index() % kChunk].load(std::memory_order_acquire);
  }
  /// Throws where there is no memory for a name like this; afterwards `add` wants none.
  void make_room(Term name) { place(name); }
  /// False: the name is taken, the process has one, or it has ended.
  bool add(Term name, Process& process);
  /// Takes the name away from whoever has it. Whether somebody had it.
  bool remove(Term name);
  /// The process ends: its name, if any, goes, and it gets no other one.
  void close(Process& process);

  /// Those of a thousand names from `first` on, which moves on. True: there are no more.
  template <class Visit>
  bool visit_some(std::uint32_t& first, Visit&& visit) const {
    const std::uint32_t i = first / kChunk;
    const std::uint32_t end = chunk_end_.load(std::memory_order_acquire);
    if (i >= end) return true;
    first = (i + 1) * kChunk;
    const Chunk* chunk = chunks_[i].load(std::memory_order_acquire);
    for (std::uint32_t at = 0; chunk != nullptr && at < kChunk; ++at) {
      if ((*chunk)[at].load(std::memory_order_acquire) != nullptr) {
        visit(Term::atom(i * kChunk + at));
      }
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kChunk = 1u << 10;
  static constexpr std::uint32_t kChunks = 1u << 16;
  using Chunk = std::array<std::atomic<Process*>, kChunk>;

  std::atomic<Process*>& place(Term name);

  std::atomic<Chunk*>* chunks_;              ///< Mapped, as the process table's.
  std::atomic<std::uint32_t> chunk_end_{0};  ///< There are none from here on.
};

}  // namespace quelea
