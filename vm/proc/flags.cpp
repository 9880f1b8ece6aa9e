// Flags of a process that it sets itself: `process_flag`.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "vm/proc/option_names.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/vm.h"
#include "vm/term/map.h"

namespace quelea {

Term Process::set_flag(Term flag, Term new_value) {
  if (!flag.is_atom()) return badarg();
  const std::string_view name = vm().atoms().text(flag);
  if (name == "trap_exit") {
    if (!is_bool(new_value)) return badarg();
    const Term before = make_bool(has_flag(kTrapExit));
    set_flag_bit(kTrapExit, new_value == atoms::true_);
    return before;
  }
  if (name == "priority") {
    if (!new_value.is_atom()) return badarg();
    const std::string_view wanted = vm().atoms().text(new_value);
    for (unsigned i = 0; i < 4; ++i) {
      if (kPriorityNames[i] != wanted) continue;
      const Term before =
          vm().atoms().intern(kPriorityNames[static_cast<unsigned>(priority)], AtomOf::Machine);
      priority = static_cast<Priority>(i);
      return before;
    }
    return badarg();
  }
  if (name == "max_heap" && is_map(new_value)) {
    const auto option = [&](std::string_view key) {
      return map_get(new_value, vm().atoms().intern(key, AtomOf::Machine), vm().atoms());
    };
    const Term size = option("size"), action = option("action");
    if (!size.is_small() || size.small_value() < 0) return badarg();
    if (!action.is_none()) {
      const auto named = std::find(std::begin(kHeapActionNames), std::end(kHeapActionNames),
                                   action.is_atom() ? vm().atoms().text(action) : "");
      if (named == std::end(kHeapActionNames)) return badarg();
      extra().max_heap_action = static_cast<HeapLimitAction>(named - std::begin(kHeapActionNames));
    }
    const Term before = Term::small(static_cast<std::int64_t>(extra().max_heap_words));
    extra().max_heap_words = static_cast<std::size_t>(size.small_value());
    return before;
  }
  if (!new_value.is_small() || new_value.small_value() < 0) return badarg();
  const auto words = static_cast<std::size_t>(new_value.small_value());
  if (name == "max_heap" || name == "max_heap_size") {
    const Term before = Term::small(static_cast<std::int64_t>(extra().max_heap_words));
    extra().max_heap_words = words;
    return before;
  }
  if (name == "min_heap" || name == "min_heap_size") {
    const Term before = Term::small(min_block_words_);
    set_min_block_words(words < 28 ? 28 : words > (1u << 27) ? 1u << 27 : words);
    return before;
  }
  return badarg();
}

}  // namespace quelea
