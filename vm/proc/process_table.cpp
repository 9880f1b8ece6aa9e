#include "vm/proc/process_table.h"

namespace quelea {

Term ProcessTable::add(Process& process) {
  if (count_ >= limit_) return Term::none();
  std::uint32_t index;
  if (first_free_ != kNone) {
    index = first_free_;
    first_free_ = entries_[index].next_free;
    if (first_free_ == kNone) last_free_ = kNone;
  } else {
    if (entries_.size() >= kNone) return Term::none();
    index = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({nullptr, 0, kNone});
  }
  Entry& entry = entries_[index];
  entry.process = &process;
  ++count_;
  constexpr std::uint32_t kSerialMask = (1u << 29) - 1;
  return Term::local_pid(Word{entry.serial & kSerialMask} << 32 | index);
}

void ProcessTable::remove(Process& process) {
  const std::uint32_t index = pid_id(process.pid_);
  Entry& entry = entries_[index];
  entry.process = nullptr;
  ++entry.serial;
  entry.next_free = kNone;
  if (last_free_ != kNone) {
    entries_[last_free_].next_free = index;
  } else {
    first_free_ = index;
  }
  last_free_ = index;
  --count_;
}

}  // namespace quelea
