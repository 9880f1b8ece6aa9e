#include "vm/proc/trace.h"

#include <new>
#include <string>
#include <vector>

#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/proc/memory_guard.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/vm.h"
#include "vm/term/binary.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"

namespace quelea {

Term* newest_frame(const Process& p) {
  if (!p.has_flag(Process::kAtReturnPoint)) return p.fp;
  auto point = reinterpret_cast<const ReturnPoint*>(p.pc);
  return point->base_bytes == 0 ? nullptr : caller_of(p.fp, *point);
}

Term capture_trace(Process& p) {
  Word addresses[kMaxTraceEntries];
  std::size_t count = 0;
  const Word* pc = p.pc;
  Term* fp = newest_frame(p);
  const Unwinding* unwinding = p.known_unwinding();
  const Term first = unwinding != nullptr ? unwinding->first_arguments : Term::none();
  if (fp == nullptr) {
    // The oldest function ended in a call of what is not there: that entry is all there is.
    return first.is_boxed() ? p.cons(first, Term::nil_list()) : Term::nil_list();
  }
  for (;;) {
    addresses[count++] = reinterpret_cast<Word>(pc);
    const ReturnPoint& point = return_point_of(fp);
    if (point.base_bytes == 0 || count == kMaxTraceEntries) break;
    pc = reinterpret_cast<const Word*>(&point);
    fp = caller_of(fp, point);
  }
  // A raw object, as a large integer's limbs are.
  Word* object = p.alloc(1 + count);
  object[0] = Header::make(Kind::PositiveBig, count).bits;
  for (std::size_t i = 0; i < count; ++i) object[1 + i] = addresses[i];
  const Term raw = Term::boxed(object);
  return first.is_none() ? raw : p.tuple(first, raw);
}

namespace {

struct Place {
  const LoadedModule* module;
  const LoadedFunction* function;
  std::uint32_t line, file;
};

/// The places of a trace, the newest first: one for each frame, and for each body that was inlined
/// there.
class Places {
 public:
  void add(Vm& vm, const Word* pc) {
    const LoadedModule* module = vm.code().module_at(pc);
    if (module == nullptr) return;
    module->each_frame(pc,
                       [&](const LoadedFunction& function, std::uint32_t line, std::uint32_t file) {
                         if (count_ < kMaxTraceEntries)
                           places_[count_++] = {module, &function, line, file};
                         return count_ < kMaxTraceEntries;
                       });
  }

  /// `arguments` are the newest function's, or none.
  Term list(TermAlloc& to, Term arguments) const {
    Term list = Term::nil_list();
    for (std::size_t i = count_; i-- > 0;)
      list = to.cons(entry(to, places_[i], i == 0 ? arguments : Term::none()), list);
    return list;
  }

 private:
  static Term entry(TermAlloc& to, const Place& at, Term arguments) {
    if (arguments.is_none()) arguments = Term::small(at.function->arity - at.function->captured);
    return to.tuple(at.module->name, at.function->name, arguments, place(to, at));
  }
  /// Only the end of it where there is no room for a buffer.
  static Term file_name(TermAlloc& to, std::string_view path) {
    const Term whole = binary_from_text(to, path);
    if (!whole.is_none()) return whole;
    path.remove_prefix(path.size() - kMaxHeapBinaryBytes);
    while (!path.empty() && (static_cast<unsigned char>(path[0]) & 0xC0) == 0x80) {
      path.remove_prefix(1);
    }
    return binary_from_text(to, path);
  }
  static Term place(TermAlloc& to, const Place& at) {
    if (at.line == 0 || at.file >= at.module->files.size()) return Term::nil_list();
    return to.cons(to.tuple(atoms::file, file_name(to, at.module->files[at.file])),
                   to.cons(to.tuple(atoms::line, Term::small(at.line)), Term::nil_list()));
  }

  Place places_[kMaxTraceEntries];
  std::size_t count_ = 0;
};

}  // namespace

Term readable_trace(Process& p, Term raw) {
  Term first = Term::none();
  if (is_tuple(raw) && tuple_size(raw) == 2 && is_big(tuple_at(raw, 1))) {
    first = tuple_at(raw, 0);
    raw = tuple_at(raw, 1);
  }
  if (!is_big(raw)) return raw.is_none() ? Term::nil_list() : raw;
  Places places;
  for (std::size_t i = 0; i < header_of(raw).payload_words(); ++i)
    places.add(p.vm(), reinterpret_cast<const Word*>(raw.pointer()[1 + i]));
  // `first` is the arguments of the newest function, or a whole entry of a native above it.
  const bool whole = first.is_boxed();
  const Term list = places.list(p, whole ? Term::none() : first);
  return whole ? p.cons(first, list) : list;
}

Term trace_of_other(TermAlloc& to, const Process& other) {
  Places places;
  std::size_t frames = 0;
  const Word* pc = other.pc;
  Term* fp = newest_frame(other);
  if (fp == nullptr) return Term::nil_list();
  for (;;) {
    places.add(other.vm(), pc);
    const ReturnPoint& point = return_point_of(fp);
    if (point.base_bytes == 0 || ++frames == kMaxTraceEntries) break;
    pc = reinterpret_cast<const Word*>(&point);
    fp = caller_of(fp, point);
  }
  return places.list(to, Term::none());
}

namespace {

/// Arguments and the like in a report: each cut at so many bytes.
constexpr std::size_t kMaxReportedTerm = 4000;
constexpr std::size_t kMaxReportedArguments = 1000;
constexpr std::size_t kMaxReportedLabel = 200;

void append_place(std::string& text, Term properties) {
  std::string file;
  std::int64_t line = 0;
  for (; properties.is_cons(); properties = properties.tail()) {
    const Term property = properties.head();
    if (!is_tuple(property) || tuple_size(property) != 2) continue;
    if (tuple_at(property, 0) == atoms::file && is_binary(tuple_at(property, 1))) {
      file = std::string(binary_view(tuple_at(property, 1)).text());
    } else if (tuple_at(property, 0) == atoms::line && tuple_at(property, 1).is_small()) {
      line = tuple_at(property, 1).small_value();
    }
  }
  if (line != 0) text += " (" + file + ":" + std::to_string(line) + ")";
}

std::string entry_text(Vm& vm, Term entry) {
  InspectOptions options = vm.inspect_options();
  options.limit = kMaxReportedArguments;
  std::string text;
  to_string(text, tuple_at(entry, 0), vm.atoms(), options);
  text += '.';
  to_string(text, tuple_at(entry, 1), vm.atoms(), options);
  const Term arguments = tuple_at(entry, 2);
  if (arguments.is_list()) {
    std::string list;
    inspect(list, arguments, vm.atoms(), options);
    // Where it was cut, the closing bracket is not there.
    if (list.back() == ']') list.pop_back();
    text += '(' + list.substr(1) + ')';
  } else {
    text += '/';
    inspect(text, arguments, vm.atoms(), options);
  }
  append_place(text, tuple_at(entry, 3));
  return text;
}

/// One line an entry; lines that repeat are one with a count. Not more than kMaxTraceEntries are
/// looked at: a trace that a program made itself may be of any length.
void append_trace(std::string& text, Vm& vm, Term trace) {
  std::string last;
  std::size_t repeated = 0;
  std::size_t left = kMaxTraceEntries + 1;
  auto close = [&] {
    if (repeated != 0) text += "\n    … " + std::to_string(repeated) + " more of the same";
    repeated = 0;
  };
  for (; trace.is_cons() && left != 0; trace = trace.tail(), --left) {
    const Term entry = trace.head();
    if (!is_tuple(entry) || tuple_size(entry) != 4) continue;
    std::string line = entry_text(vm, entry);
    if (line == last) {
      ++repeated;
      continue;
    }
    close();
    text += "\n    at " + line;
    last = std::move(line);
  }
  close();
  if (trace.is_cons()) text += "\n    …";
}

}  // namespace

std::string crash_text(Process& p, Term class_atom, Term reason, Term readable) {
  InspectOptions options = p.vm().inspect_options();
  options.limit = kMaxReportedTerm;
  std::string text(p.vm().atoms().text(class_atom));
  text += ' ';
  inspect(text, reason, p.vm().atoms(), options);
  append_trace(text, p.vm(), readable);
  return text;
}

std::string named(Process& p) {
  std::string text = "process ";
  inspect(text, p.self(), p.vm().atoms(), p.vm().inspect_options());
  if (p.registered_name().is_atom()) {
    text += " (";
    inspect(text, p.registered_name(), p.vm().atoms(), p.vm().inspect_options());
    text += ')';
  }
  if (p.extra_record != nullptr && !p.extra_record->label.is_none()) {
    InspectOptions options = p.vm().inspect_options();
    options.limit = kMaxReportedLabel;
    text += " labelled ";
    inspect(text, p.extra_record->label, p.vm().atoms(), options);
  }
  return text;
}

namespace {
/// Who ends is not kept from it where there is no memory to say why.
template <class Write>
void report(Process& p, Write write) {
  try {
    p.vm().log(LogLevel::Error, write());
  } catch (const std::bad_alloc&) {
    p.vm().log(LogLevel::Error, "a process ends, and there is no memory to say how");
  }
}
}  // namespace

void report_crash(Process& p, Term class_atom, Term reason, Term readable) {
  report(p, [&] { return named(p) + " crashed: " + crash_text(p, class_atom, reason, readable); });
}

void report_full_mailbox(Process& p) {
  report(p, [&] {
    return named(p) +
           " died of a full mailbox: " + std::to_string(p.extra_record->mailbox_limit->most) +
           " messages waited, more than max_mailbox allows were sent";
  });
}

void report_memory_limit(Process& p) {
  report(p, [&] {
    const std::size_t held = weigh(p), limit = p.vm().memory().limit_bytes();
    std::string text = named(p) + " holds ";
    if (held > limit / 64) text += "most, ";
    text += std::to_string(held / 1024) + " KiB with " + std::to_string(p.message_count) +
            " messages, when the machine is past its limit (max_memory) of " +
            std::to_string(limit / 1024) + " KiB; it is killed";
    if (held <= limit / 64) text += ", as nobody holds much and it asked for more";
    append_trace(text, p.vm(), readable_trace(p, capture_trace(p)));
    return text;
  });
}

void report_no_memory(Process& p, std::size_t held_bytes) {
  report(p, [&] {
    return named(p) + " wants more memory than the system has left, and held " +
           std::to_string(held_bytes / 1024) + " KiB with " + std::to_string(p.message_count) +
           " messages; it is killed";
  });
}

void report_heap_limit(Process& p, std::size_t used_words, bool killed) {
  report(p, [&] {
    const auto kib = [](std::size_t words) {
      return std::to_string(words * sizeof(Word) / 1024) + " KiB";
    };
    const std::size_t machine_words = p.vm().max_process_words();
    const bool is_own = used_words <= machine_words;
    std::string text = named(p) + " uses " + kib(used_words) + " of heap" +
                       (is_own ? ", stack and binaries" : " and stack") + ", more than it may: " +
                       (is_own ? "max_heap is " + kib(p.extra_record->max_heap_words)
                               : "max_memory is " + kib(machine_words));
    text += killed ? "; it is killed" : "";
    append_trace(text, p.vm(), readable_trace(p, capture_trace(p)));
    return text;
  });
}

}  // namespace quelea
