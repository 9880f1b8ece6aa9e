// What few processes need; allocated when first needed.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "vm/base/machine_allocator.h"
#include "vm/proc/dictionary.h"
#include "vm/proc/flat_table.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/mailbox_limit.h"
#include "vm/proc/process.h"
#include "vm/proc/signal_backlog.h"

namespace quelea {

struct Export;

/// One end of a link (vm/proc/links.cpp).
struct LinkEnd {
  Word key;                    ///< The pid at the other end.
  std::uint32_t own : 31;      ///< Number of this process's call of `link` that stands, or 0.
  std::uint32_t priority : 1;  ///< Its :EXIT message is a priority message.
  std::uint32_t peer;          ///< Number of the other's, as far as is known here, or 0.
};
static_assert(sizeof(LinkEnd) == 16);

/// A reference of this process that means something: a monitor, an alias, or both.
struct OwnReference {
  Word key;     ///< Its number.
  Term target;  ///< The pid (or name, where nobody had it) that it watches; none: no monitor.
  Term name;    ///< The name that the monitor was made with, or none.
  AliasUse alias;
  bool priority;  ///< An alias that takes priority messages, a monitor whose :DOWN is one.
  bool tagged;    ///< The monitor has a tag: ProcessExtra::tags.
};

/// Who watches this process.
struct Watcher {
  Word key;  ///< Number of the reference.
  Term pid;
};

/// An exception under way, a call that a native asked for, and how the process ends: one of them at
/// a time, seldom.
struct Unwinding {
  Term exception_class = Term::none();
  Term exception_reason = Term::none();
  Term exception_trace = Term::none();  ///< Raw or readable; none: not captured yet.
  Term first_arguments = Term::none();  ///< Of the trace's first entry, or none.

  // What `trap` asked for: a fun, or else an export.
  Term call_fun = Term::none();
  const Export* call_export = nullptr;
  std::vector<Term> call_arguments;

  Term exit_reason = Term::none();  ///< none: normal
  Term exit_trace = Term::none();   ///< Readable trace of an uncaught exception, for the report.
  Term exit_class = Term::none();   ///< With an uncaught exception.
};

/// How far a process that ends is with telling others: places in its tables.
struct TellingOthers {
  std::uint32_t links = 0;
  std::uint32_t watchers = 0;
  std::uint32_t references = 0;
};

/// Copies of what stands in place of :DOWN, by reference number.
using TagTable = std::unordered_map<Word, Signal*, std::hash<Word>, std::equal_to<Word>,
                                    MachineAllocator<std::pair<const Word, Signal*>>>;

struct ProcessExtra {
  std::unique_ptr<Unwinding> unwinding;
  Dictionary dictionary;
  std::unique_ptr<MailboxPlaces> places;   ///< With Process::kKeepsPlaces.
  std::unique_ptr<SignalBacklog> backlog;  ///< Only where a slice was not enough.

  FlatTable<LinkEnd, 1> links;
  FlatTable<OwnReference, 1> references;
  /// Not hashed as the references at the other side, which are erased in the order of this.
  FlatTable<Watcher, 1, 0x6A09E667F3BCC909u> watchers;
  std::uint32_t last_link_number = 0;
  TellingOthers telling;
  std::unique_ptr<TagTable> tags;
  ~ProcessExtra();
  /// Memory in use for this, the tables included.
  std::size_t bytes() const {
    return sizeof(ProcessExtra) + links.held_bytes() + references.held_bytes() +
           watchers.held_bytes() + dictionary.held_bytes() +
           (unwinding != nullptr ? sizeof(Unwinding) : 0) +
           (places != nullptr ? sizeof(MailboxPlaces) : 0) +
           (backlog != nullptr ? sizeof(SignalBacklog) : 0);
  }

  Term label = Term::none();
  Term group_leader = Term::none();  ///< none: the main process

  std::size_t max_heap_words = 0;
  HeapLimitAction max_heap_action = HeapLimitAction::Kill;
  std::size_t logged_heap_words = 0;  ///< What the last log line about the limit said.
  std::unique_ptr<MailboxLimit> mailbox_limit;
  std::size_t message_words = 0;    ///< All of its mailbox; with Process::kWeighsMessages.
  std::size_t noted_bytes = 0;      ///< What MemoryGuard has heard of; 0: it knows nothing.
  bool mailbox_was_long = false;    ///< An alarm was raised for it.
  std::uint32_t blocked_sends = 0;  ///< Full mailboxes that have not said yet that there is room.
};

// Links (vm/proc/links.cpp): a number for a call of `link`, and what signals of `pid` say.
std::uint32_t next_link_number(ProcessExtra& x);
void note_link(ProcessExtra& x, Term pid, std::uint32_t number);
void note_unlink(ProcessExtra& x, Term pid, Word numbers);

// Monitors (vm/proc/monitors.cpp). Both forget `monitor`, which stays where it is an alias of its
// own; the second tells the other side.
void end_monitor(Process& p, OwnReference& monitor);
/// The tag that `prepare_monitor` kept for a monitor, which is the caller's now.
Signal* take_tag(ProcessExtra& x, Word number);
void take_monitor_away(Process& p, OwnReference& monitor);

// Looking in (vm/proc/info.cpp): answers a Look, or with `nil` in a process that ends; an answer is
// taken where it is waited for.
void answer_look(Process& p, const Signal& look, bool alive);
bool take_look_answer(Process& p, Signal* answer);

inline bool Process::has_backlog() const {
  return extra_record != nullptr && extra_record->backlog != nullptr;
}

Term group_leader_of(Process& p);

/// The name of this node, and whether that is it.
Term local_node(Vm& vm);
bool is_local_node(Vm& vm, Term node);

}  // namespace quelea
