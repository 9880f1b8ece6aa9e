// What few processes need; allocated when first needed.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vm/proc/dictionary.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/mailbox_limit.h"
#include "vm/proc/process.h"

namespace quelea {

struct Export;

/// A monitor that the process made.
struct OwnMonitor {
  Term target;  ///< Pid.
  Term name;    ///< The atom it was made with, or none.
  bool is_alias = false;
};

struct ProcessExtra {
  // An exception under way.
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

  Dictionary dictionary;
  MailboxPlaces places;

  std::unordered_set<Word> links;                 ///< Bits of pids.
  std::unordered_map<Word, OwnMonitor> monitors;  ///< By reference number.
  /// By reference number: who watches this process, and the name that was used (or none).
  struct Watcher {
    Term pid;
    Term name;
  };
  std::unordered_map<Word, Watcher> watchers;
  std::unordered_set<Word> aliases;

  Term name = Term::none();  ///< Registered.
  Term label = Term::none();
  Term parent = Term::none();
  Term initial_module = Term::none(), initial_function = Term::none();
  std::uint32_t initial_arity = 0;

  std::size_t max_heap_words = 0;
  HeapLimitAction max_heap_action = HeapLimitAction::Kill;
  std::size_t logged_heap_words = 0;  ///< What the last log line about the limit said.
  std::unique_ptr<MailboxLimit> mailbox_limit;
  bool mailbox_was_long = false;  ///< An alarm was raised for it.
  std::uint32_t blocked_sends = 0;  ///< Full mailboxes that have not said yet that there is room.
  bool keep_result = false;  ///< The main process: somebody wants its value.
};

}  // namespace quelea
