// Finding who catches an exception.
//
// Frames are left from the newest on; the exception tables of the code say which instruction (of
// the newest) or return point (of the others) is covered. The trace is captured only when a real
// handler is met, or nobody: an exception that a guard swallows costs no more than the walk.
#include "vm/code/code_registry.h"
#include "vm/heap/stack.h"
#include "vm/interp/handler.h"
#include "vm/interp/handlers.h"
#include "vm/interp/support.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/trace.h"

namespace quelea {

namespace {

struct Catcher {
  const Word* pc = nullptr;  ///< null: nobody
  Term* fp = nullptr;
  bool is_guard = false;
  Word live_map = 0;  ///< 0: the exception was raised in that very frame.
};

/// Places in the code that were found to catch nothing: a deep recursion has millions of frames
/// that return to the same few.
class PassedPlaces {
 public:
  bool has(const Word* pc) const { return places_[index_of(pc)] == pc; }
  void add(const Word* pc) { places_[index_of(pc)] = pc; }

 private:
  static constexpr std::size_t kPlaces = 8;
  static std::size_t index_of(const Word* pc) {
    return reinterpret_cast<std::uintptr_t>(pc) / sizeof(Word) % kPlaces;
  }
  const Word* places_[kPlaces] = {};
};

Catcher search(Process& p) {
  const CodeRegistry& code = p.vm().code();
  PassedPlaces passed;
  const Word* pc = p.pc;
  Term* fp = p.fp;
  Word live_map = 0;
  if (p.has_flag(Process::kAtReturnPoint)) {
    auto point = reinterpret_cast<const ReturnPoint*>(pc);
    if (point->base_bytes == 0) return {};
    fp = caller_of(fp, *point);
    live_map = point->live_map;
  }
  for (;;) {
    if (!passed.has(pc)) {
      const LoadedModule* module = code.module_at(pc);
      const LoadedException* entry = module != nullptr ? module->exception_at(pc) : nullptr;
      if (entry != nullptr) {
        return {module->code + entry->handler, fp, entry->kind == ExceptionKind::Guard, live_map};
      }
      passed.add(pc);
    }
    const ReturnPoint& point = return_point_of(fp);
    if (point.base_bytes == 0) return {};
    pc = reinterpret_cast<const Word*>(&point);
    fp = caller_of(fp, point);
    live_map = point.live_map;
  }
}

/// The frame that catches may have lost room to what it called. False: the process is over.
bool make_room(Process& p, const Catcher& catcher) {
  if (catcher.live_map == 0) return true;
  const auto wanted = p.frame_room(catcher.pc);
  const auto room = reinterpret_cast<char*>(p.fp) - reinterpret_cast<char*>(p.hp);
  if (room >= static_cast<std::ptrdiff_t>(wanted)) return true;
  p.live_map = catcher.live_map;
  p.extra_count = 0;
  return p.collect(wanted, false);
}

Term list_of_slots(Process& p, Term* fp, std::size_t count) {
  Term list = Term::nil_list();
  for (std::size_t i = count; i > 0; --i) list = p.cons(fp[-static_cast<std::ptrdiff_t>(i)], list);
  return list;
}

bool is_handler(const Word* pc, unsigned op) {
  return reinterpret_cast<Word>(HANDLER_AT(pc)) == reinterpret_cast<Word>(handler_table()[op]);
}

/// An error of a native: the native is the newest entry of the trace, with its arguments.
void note_native(Process& p) {
  if (p.has_flag(Process::kAtReturnPoint) || p.unwinding().exception_class != atoms::error) return;
  const bool call = is_handler(p.pc, op_call_native);
  if (!call && !is_handler(p.pc, op_tail_native)) return;
  auto entry = reinterpret_cast<const NativeEntry*>(p.pc[1]);
  const std::string_view name = p.vm().atoms().text(entry->name);
  // Those raise on behalf of their caller.
  if (name == "error" || name == "reraise") return;
  Term* frame = call ? frame_below(p.fp, p.pc[4]) : p.fp;
  const Term arguments = list_of_slots(p, frame, entry->arity);
  const LoadedModule* module = p.vm().code().module_at(p.pc);
  const LoadedFunction* function = module != nullptr ? module->function_at(p.pc) : nullptr;
  const bool whole_body = function != nullptr && function->entry == p.pc;
  p.unwinding().first_arguments =
      whole_body ? arguments : p.tuple(entry->module, entry->name, arguments, Term::nil_list());
}

void end_uncaught(Process& p) {
  Unwinding& x = p.unwinding();
  x.exit_trace = readable_trace(p, x.exception_trace);
  if (x.exception_class == atoms::exit) {
    x.exit_class = atoms::exit;
    p.exit_with(x.exception_reason);
    return;
  }
  if (x.exception_class == atoms::throw_) {
    x.exception_reason = p.tuple(atoms::nocatch, x.exception_reason);
  }
  x.exit_class = atoms::error;
  p.exit_with(p.tuple(x.exception_reason, x.exit_trace));
}

}  // namespace

bool find_catcher(Process& p) {
  Unwinding& x = p.unwinding();
  p.limit = p.hp;
  p.pending = Process::Pending::None;
  const Catcher catcher = search(p);
  if (!catcher.is_guard && x.exception_trace.is_none()) {
    if (x.first_arguments.is_none()) note_native(p);
    x.exception_trace = capture_trace(p);
  }
  x.first_arguments = Term::none();
  p.set_flag_bit(Process::kAtReturnPoint, false);
  const bool caught = catcher.pc != nullptr;
  if (!caught) end_uncaught(p);
  if (p.in_fragment()) p.leave_fragment();
  if (!caught) return false;
  if (catcher.is_guard) {
    x.exception_class = x.exception_reason = x.exception_trace = Term::none();
  }
  p.pc = catcher.pc;
  p.fp = catcher.fp;
  return make_room(p, catcher);
}

Term take_exception_class(Process& p) { return p.unwinding().exception_class; }
Term take_exception_reason(Process& p) { return p.unwinding().exception_reason; }
Term take_exception_trace(Process& p) {
  Unwinding& x = p.unwinding();
  const Term trace = x.exception_trace;
  x.exception_class = x.exception_reason = x.exception_trace = Term::none();
  return trace.is_none() ? Term::nil_list() : trace;
}

void raise_by_kind(Process& p, unsigned kind, Term value, Term* fp) {
  switch (kind) {
    case raise_badmatch:
      p.raise_error(p.tuple(atoms::badmatch, value));
      return;
    case raise_case_clause:
      p.raise_error(p.tuple(atoms::case_clause, value));
      return;
    case raise_badarg:
      p.raise_error(p.tuple(atoms::badarg, value));
      return;
    case raise_bad_generator:
      p.raise_error(p.tuple(atoms::bad_generator, value));
      return;
    case raise_badarity:
      p.raise_error(p.tuple(atoms::badarity, value));
      return;
    case raise_exit:
      p.raise(atoms::exit, value);
      return;
    case raise_throw_:
      p.raise(atoms::throw_, value);
      return;
    case raise_function_clause: {
      p.raise_error(atoms::function_clause);
      const LoadedModule* module = p.vm().code().module_at(p.pc);
      const LoadedFunction* function = module != nullptr ? module->function_at(p.pc) : nullptr;
      if (function == nullptr) return;
      p.unwinding().first_arguments = list_of_slots(p, fp, function->arity - function->captured);
      return;
    }
    default:
      p.raise_error(value);
  }
}

}  // namespace quelea
