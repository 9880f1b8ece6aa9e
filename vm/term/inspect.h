// Terms as text: what `inspect` and `to_string` say.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "vm/term/atoms.h"
#include "vm/term/term.h"

namespace quelea {

struct InspectOptions {
  /// Give up past about this many words looked at; what was written is then worth nothing.
  std::size_t max_work = static_cast<std::size_t>(-1);
  /// Stop after about this many bytes, with `…`.
  std::size_t limit = static_cast<std::size_t>(-1);
  /// Break lines inside brackets so that they fit this many columns where possible; 0: all on one
  /// line.
  std::size_t width = 0;
  /// Says whether an atom that looks like a module name (`Chat.Room`) names a known module and is
  /// shown without its colon. Null: none is known.
  bool (*is_module)(void* context, Term atom) = nullptr;
  void* context = nullptr;
};

/// Appends source that reads back (pids, references and functions as `#Pid<…>`, `#Ref<…>`,
/// `#Fun<…>`). `work` grows by about the number of words looked at.
void inspect(std::string& out, Term term, const AtomTable& atoms,
             const InspectOptions& options = {}, std::size_t* work = nullptr);
/// The same little by little, on one line and without a limit. Holds terms and addresses: nothing
/// may be collected meanwhile. A large map in it is sorted, and a huge number written, at once:
/// `cost` may give up instead (vm/term/work.h).
class Inspection {
 public:
  Inspection(Term term, const AtomTable& atoms, const InspectOptions& options);
  Inspection(Inspection&&) noexcept;
  ~Inspection();
  /// Appends some text now and then; false when this was the last.
  bool step(std::string& out, std::size_t& cost);

 private:
  struct Walk;
  std::unique_ptr<Walk> walk_;
};

/// Strings as they are, atoms by name, numbers; everything else as `inspect`.
void to_string(std::string& out, Term term, const AtomTable& atoms,
               const InspectOptions& options = {}, std::size_t* work = nullptr);

/// `Chat.Room`: segments that start with an upper-case letter, dotted.
bool looks_like_module(std::string_view text);
/// Appends a string literal with quotes and escapes.
void inspect_string(std::string& out, std::string_view utf8);
/// Appends an atom literal.
void inspect_atom(std::string& out, Term atom, const AtomTable& atoms,
                  const InspectOptions& options = {});

}  // namespace quelea
