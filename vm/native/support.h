// What the native areas share: raising, looking at arguments, state across slices.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vm/base/machine_allocator.h"
#include "vm/base/raw_vector.h"
#include "vm/native/native.h"
#include "vm/proc/process.h"
#include "vm/proc/vm.h"
#include "vm/proc/walk.h"
#include "vm/term/atoms.h"
#include "vm/term/binary.h"
#include "vm/term/map.h"
#include "vm/term/term.h"

namespace quelea {

// The natives themselves: one declaration a line of the tables.
#define NATIVE(module, name, arity, symbol, flags) Term symbol(Process& p, Args args);
#include "vm/code/natives/natives.def"
#undef NATIVE

inline const AtomTable& atoms_of(Process& p) { return p.vm().atoms(); }

// Raising; each returns none.
inline Term fail(Process& p, Term reason) { return p.raise_error(reason); }
inline Term badarg(Process& p) { return p.badarg(); }
inline Term badarg_with(Process& p, Term what) {
  return p.raise_error(p.tuple(atoms::badarg, what));
}
inline Term badmap(Process& p, Term what) { return p.raise_error(p.tuple(atoms::badmap, what)); }
inline Term system_limit(Process& p) { return p.raise_error(atoms::system_limit); }

/// The atom of a text that a native makes up (option names, posix codes); there are few of them.
/// Never none.
inline Term atom_of(Process& p, std::string_view text) {
  return p.vm().atoms().intern(text, AtomOf::Machine);
}
inline std::string_view text_of(Process& p, Term atom) { return p.vm().atoms().text(atom); }
/// True for the atom of that text. Cheaper than interning for arguments that select something.
inline bool is_atom_named(Process& p, Term term, std::string_view text) {
  return term.is_atom() && text_of(p, term) == text;
}

inline bool is_pair(Term term) { return is_tuple(term) && tuple_size(term) == 2; }

/// What was built, or system_limit where there was no memory for it.
inline Term checked(Process& p, Term built) { return built.is_none() ? system_limit(p) : built; }

/// Both take what was built from bytes as it comes: where that is none, system_limit is raised.
inline Term ok_tuple(Process& p, Term value) {
  return value.is_none() ? system_limit(p) : p.tuple(atoms::ok, value);
}
inline Term error_tuple(Process& p, Term reason) {
  return reason.is_none() ? system_limit(p) : p.tuple(atoms::error, reason);
}

inline void charge_bytes(Process& p, std::size_t bytes) {
  p.charge(static_cast<std::int64_t>(bytes / 128));
}

// State across slices ---------------------------------------------------------------------------
/// The state this native left, or null on its first call.
template <class State>
State* native_state(Process& p) {
  return static_cast<State*>(p.native_state);
}
template <class State>
State* make_native_state(Process& p) {
  auto* state = new State;
  p.native_state = state;
  return state;
}
inline void drop_native_state(Process& p) {
  delete p.native_state;
  p.native_state = nullptr;
}

// Arguments -------------------------------------------------------------------------------------
/// The bytes of a binary argument; holds a copy where the binary does not start at a byte.
class Bytes {
 public:
  Bytes() = default;
  Bytes(Bytes&&) = default;  // what `text` refers to stays where it is
  Bytes& operator=(Bytes&&) = default;

  /// False for what is no binary of whole bytes.
  bool get(Term term) {
    if (!is_binary(term)) return false;
    set(binary_view(term));
    return true;
  }
  void set(BinaryView view) {
    if (QUELEA_LIKELY(view.is_aligned())) {
      text_ = view.text();
      return;
    }
    // Zero bytes have a place, too.
    copy_.resize_raw(view.byte_size() + 1);
    if (view.byte_size() >= kPresentAtOnce) make_present(copy_.data(), view.byte_size());
    bits_copy(copy_.data(), 0, view.bytes, view.bit_offset, view.bit_size);
    text_ = {reinterpret_cast<const char*>(copy_.data()), view.byte_size()};
  }
  std::string_view text() const { return text_; }
  const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(text_.data()); }
  std::size_t size() const { return text_.size(); }

 private:
  std::string_view text_;
  RawVector<std::uint8_t> copy_;  ///< A large one goes back in parts.
};

/// Uninitialised bytes to fill at once; none with system_limit raised where there is no room for so
/// many.
inline Term new_binary(Process& p, std::size_t size, std::uint8_t** bytes) {
  const std::size_t most_words = p.vm().max_process_words();
  if (most_words != 0 && size / sizeof(Word) > most_words) return system_limit(p);
  return checked(p, binary_uninitialised(p, size, bytes));
}

/// The text as a binary; none with system_limit raised where there is no room for it.
inline Term text_term(Process& p, std::string_view text) {
  return checked(p, binary_from_text(p, text));
}

/// Bytes [start, start + size) of a binary as a term of their own (a window where that pays).
inline Term slice_of(Process& p, Term binary, std::size_t start, std::size_t size) {
  return binary_part(p, binary, 8 * start, 8 * size);
}

inline bool get_bool(Term term, bool& value) {
  value = term == atoms::true_;
  return is_bool(term);
}

/// A count, an index or an amount: an integer of any sign; what is larger than a small integer is
/// as good as the largest small integer.
bool get_count(Term term, std::int64_t& count);

/// Appends the bytes of iodata to `out`; false for anything else. Throws std::bad_alloc where the
/// machine has no room for all of them: a list may name one binary many times.
bool append_iodata(Process& p, Term iodata, MachineString& out);

/// The bytes of an iodata argument, without a copy where it is a plain binary.
class IodataBytes {
 public:
  bool get(Process& p, Term iodata) {
    if (is_binary(iodata)) return bytes_.get(iodata);
    if (!iodata.is_list()) return false;
    if (!append_iodata(p, iodata, buffer_)) return false;
    listed_ = true;
    return true;
  }
  std::string_view text() const { return listed_ ? std::string_view(buffer_) : bytes_.text(); }

 private:
  Bytes bytes_;
  MachineString buffer_;
  bool listed_ = false;
};

}  // namespace quelea
