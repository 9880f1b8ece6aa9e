// Who is alive. A pid's number is an index in the table and a serial that changes whenever the
// place is used anew, so that a pid of the dead is never mistaken for another process.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "vm/proc/process.h"
#include "vm/term/identity.h"

namespace quelea {

class ProcessTable {
 public:
  explicit ProcessTable(std::uint64_t limit) : limit_(limit != 0 ? limit : ~std::uint64_t{0}) {}

  /// Gives the process its pid; none when the machine has as many as it may have.
  Term add(Process& process);
  void remove(Process& process);
  /// The live process of a local pid, or null.
  Process* find(Term pid) const {
    const std::uint32_t index = pid_id(pid);
    if (index >= entries_.size()) return nullptr;
    Process* process = entries_[index].process;
    return process != nullptr && process->pid_ == pid ? process : nullptr;
  }
  std::size_t count() const { return count_; }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].process != nullptr) visit(*entries_[i].process);
    }
  }

 private:
  struct Entry {
    Process* process;
    std::uint32_t serial;
    std::uint32_t next_free;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint64_t limit_;
  std::deque<Entry> entries_;
  std::uint32_t first_free_ = kNone, last_free_ = kNone;  ///< Oldest first.
  std::size_t count_ = 0;
};

/// Registered names.
class NameTable {
 public:
  Process* find(Term name) const {
    auto found = names_.find(name.bits);
    return found == names_.end() ? nullptr : found->second;
  }
  bool add(Term name, Process& process) { return names_.emplace(name.bits, &process).second; }
  void remove(Term name) { names_.erase(name.bits); }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (auto& [name, process] : names_) visit(Term{name}, *process);
  }

 private:
  std::unordered_map<Word, Process*> names_;
};

}  // namespace quelea
