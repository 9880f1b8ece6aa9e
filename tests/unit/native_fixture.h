// For tests of natives: calls written as text, `list_sort([3, 1, 2])`, run on a process of their
// own; the result as `inspect` shows it. Text here is a small part of the language: integers,
// floats, atoms, strings, lists, tuples, maps.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "vm/code/loaded_module.h"
#include "vm/interp/machine.h"
#include "vm/native/native.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/vm.h"
#include "vm/term/binary.h"
#include "vm/term/inspect.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {

struct NativeTestHost : Host {
  bool write(int fd, std::string_view bytes) override {
    (fd == 1 ? out : err) += bytes;
    return true;
  }
  std::ptrdiff_t read(char* buffer, std::size_t capacity) override {
    const std::size_t count = std::min(capacity, in.size());
    in.copy(buffer, count);
    in.erase(0, count);
    return static_cast<std::ptrdiff_t>(count);
  }
  std::vector<std::string> arguments() override { return all_arguments; }
  std::string in, out, err;
  std::vector<std::string> all_arguments;
};

class NativeMachine {
 public:
  NativeMachine() {
    VmConfig config;
    config.host = &host;
    config.seed = 1;
    vm = make_vm(config);
    process = vm->new_process(vm->schedulers().first(), 1 << 16);
    vm->main_pid = process->self();
    vm->processes().give_pid(*process, process->local().free_places);
    vm->processes().show(*process);
  }

  /// Runs a call; `Prim` unless the text names `Prelude.`. Exceptions come back as `! class
  /// reason`.
  std::string run(const std::string& call) { return show(result_of(call)); }

  /// The same for one native and terms at hand; calls again as often as it asks.
  Term call(const std::string& name, std::vector<Term> args) {
    const bool prelude = name.rfind("Prelude.", 0) == 0;
    const NativeEntry* entry =
        find_native(*vm, prelude ? "Prelude" : "Prim", prelude ? name.substr(8) : name,
                    static_cast<std::uint32_t>(args.size()));
    INFO(name << "/" << args.size());
    REQUIRE(entry != nullptr);
    Term slots[8];
    for (std::size_t i = 0; i < args.size(); ++i) slots[7 - i] = args[i];
    Term result = Term::none();
    slices = 0;
    do {
      process->pending = Process::Pending::None;
      process->reductions = 4000;
      const Room room(*this);
      result = entry->function(*process, Args(slots + 8));
      ++slices;
    } while (result.is_none() && (process->pending == Process::Pending::Again ||
                                  process->pending == Process::Pending::Wait));
    return result;
  }

  std::string show(Term term) {
    std::string text;
    if (!term.is_none()) {
      inspect(text, term, vm->atoms());
      return text;
    }
    REQUIRE(process->pending == Process::Pending::Exception);
    process->pending = Process::Pending::None;
    inspect(text, process->extra().unwinding->exception_reason, vm->atoms());
    return "! " + text;
  }

  Term result_of(const std::string& call_text) {
    const std::size_t open = call_text.find('(');
    REQUIRE(open != std::string::npos);
    at_ = call_text.c_str() + open + 1;
    std::vector<Term> args;
    for (skip(); *at_ != ')'; skip()) {
      args.push_back(term());
      skip();
      if (*at_ == ',') ++at_;
    }
    return call(call_text.substr(0, open), args);
  }

  Term parse(const std::string& text) {
    at_ = text.c_str();
    return term();
  }

  NativeTestHost host;
  std::unique_ptr<Vm> vm;
  Process* process = nullptr;
  int slices = 0;  ///< Times the last native was called.
  /// Natives get no buffer, as close to the machine's limit: they make no binary of more than 64
  /// bytes.
  bool is_tight = false;

  /// How much room there is while it lives.
  class Room {
   public:
    explicit Room(NativeMachine& m) : account_(*m.process->binary_account), limit_(account_.limit) {
      if (m.is_tight) account_.limit = 0;
    }
    ~Room() { account_.limit = limit_; }

   private:
    BinaryAccount& account_;
    const std::size_t limit_;
  };

 private:
  void skip() {
    while (*at_ == ' ' || *at_ == '\n') ++at_;
  }
  std::vector<Term> terms_until(char end, Term* tail = nullptr) {
    std::vector<Term> items;
    for (skip(); *at_ != end; skip()) {
      if (*at_ == '|' && tail != nullptr) {
        ++at_;
        *tail = term();
        continue;
      }
      items.push_back(term());
      skip();
      if (*at_ == ',') ++at_;
      if (at_[0] == '=' && at_[1] == '>') at_ += 2;
    }
    ++at_;
    return items;
  }
  Term string() {
    std::string text;
    for (++at_; *at_ != '"'; ++at_) {
      if (*at_ != '\\') {
        text.push_back(*at_);
        continue;
      }
      ++at_;
      switch (*at_) {
        case 'n':
          text.push_back('\n');
          break;
        case 'r':
          text.push_back('\r');
          break;
        case 't':
          text.push_back('\t');
          break;
        case 'x':
          text.push_back(
              static_cast<char>(std::strtol(std::string(at_ + 1, 2).c_str(), nullptr, 16)));
          at_ += 2;
          break;
        default:
          text.push_back(*at_);
      }
    }
    ++at_;
    return binary_from_text(*process, text);
  }
  Term word() {
    const char* start = at_;
    while (std::isalnum(static_cast<unsigned char>(*at_)) || *at_ == '_' || *at_ == '$') ++at_;
    REQUIRE(at_ > start);
    return vm->atoms().intern(std::string(start, at_));
  }
  Term number() {
    const char* start = at_;
    if (*at_ == '-') ++at_;
    while (std::isdigit(static_cast<unsigned char>(*at_))) ++at_;
    if (*at_ == '.' || *at_ == 'e') {
      char* end = nullptr;
      const double value = std::strtod(start, &end);
      at_ = end;
      return process->make_float(value);
    }
    return integer_parse(*process, std::string_view(start, static_cast<std::size_t>(at_ - start)),
                         10);
  }
  Term term() {
    skip();
    switch (*at_) {
      case '"':
        return string();
      case ':':
        ++at_;
        return word();
      case '[': {
        ++at_;
        Term list = Term::nil_list();
        std::vector<Term> items = terms_until(']', &list);
        for (std::size_t i = items.size(); i > 0; --i) list = process->cons(items[i - 1], list);
        return list;
      }
      case '(': {
        ++at_;
        std::vector<Term> items = terms_until(')');
        Word* object = process->alloc(1 + items.size());
        object[0] = Header::make(Kind::Tuple, items.size()).bits;
        for (std::size_t i = 0; i < items.size(); ++i) object[1 + i] = items[i].bits;
        return Term::boxed(object);
      }
      case '%': {
        at_ += 2;
        std::vector<Term> items = terms_until('}');
        return map_from_pairs(*process, items.data(), items.size() / 2, vm->atoms());
      }
      default:
        break;
    }
    return std::isdigit(static_cast<unsigned char>(*at_)) || *at_ == '-' ? number() : word();
  }

  const char* at_ = nullptr;
};

/// A table of calls and what they give.
struct NativeCase {
  const char* call;
  const char* result;
};
inline void check_natives(NativeMachine& machine, const std::vector<NativeCase>& cases) {
  for (const NativeCase& one : cases) {
    INFO(one.call);
    CHECK(machine.run(one.call) == one.result);
  }
}

}  // namespace quelea
