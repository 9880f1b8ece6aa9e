// Arguments of functions on processes. Options are a map, as labels make it, or a list of atoms and
// pairs, as in Erlang.
#pragma once

#include "vm/native/support.h"

namespace quelea {

/// Calls `read(key, value)`, true for an atom of a list. False: it refused one, or these are none.
template <class Read>
bool for_each_option(Term given, Read&& read) {
  if (is_map(given)) {
    MapIterator entries(given);
    Term key;
    Term value;
    while (entries.next(key, value)) {
      if (!read(key, value)) return false;
    }
    return true;
  }
  for (; given.is_cons(); given = given.tail()) {
    const Term item = given.head();
    const bool good =
        is_pair(item) ? read(tuple_at(item, 0), tuple_at(item, 1)) : read(item, atoms::true_);
    if (!good) return false;
  }
  return given.is_nil_list();
}

/// alias: :explicit_unalias | :demonitor | :reply_demonitor (also `true`), tag: any term,
/// priority: boolean.
bool read_monitor_options(Process& p, Term given, MonitorOptions& options);

/// The elements of a proper list of at most 255; false otherwise.
bool read_arguments(Term list, Term* out, std::size_t& count);

}  // namespace quelea
