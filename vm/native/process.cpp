// Natives on processes and on terms in general, beyond the prelude.
#include "vm/native/pool.h"
#include "vm/native/process_options.h"
#include "vm/native/slices.h"
#include "vm/native/support.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/process_table.h"
#include "vm/term/compare.h"
#include "vm/term/copy.h"
#include "vm/term/hash.h"
#include "vm/term/inspect.h"

namespace quelea {

namespace {

struct AllProcesses {
  AllProcesses(Process&, Args) {}
  std::uint32_t place = 0;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    constexpr std::uint32_t kPlacesAtOnce = 512;
    cost += kPlacesAtOnce;
    return !p.vm().processes().visit_some(place, kPlacesAtOnce, [&](Process& process) {
      list = p.cons(process.self(), list);
      cost += 2;
    });
  }
  Term finish(Process&) { return list; }
};

struct AllNames {
  AllNames(Process&, Args) {}
  std::uint32_t first = 0;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    cost += 128;
    return !p.vm().names().visit_some(first, [&](Term name) {
      list = p.cons(name, list);
      cost += 2;
    });
  }
  Term finish(Process&) { return list; }
};

}  // namespace

Term prim_process_list(Process& p, Args args) { return in_slices<AllProcesses>(p, args); }
Term prelude_registered(Process& p, Args args) { return in_slices<AllNames>(p, args); }
Term prim_process_is_alive(Process& p, Args args) { return p.is_alive(args[0]); }

Term prim_process_get(Process& p, Args args) {
  const Term value =
      walk_or_leave(p, [&](std::size_t& work) { return p.dictionary_get(args[0], work); });
  // nil says both "nothing" and "nil is kept": in neither case is there a better answer than the
  // default.
  return value == atoms::nil ? args[1] : value;
}
Term prim_process_put(Process& p, Args args) {
  return walk_or_leave(p,
                       [&](std::size_t& work) { return p.dictionary_put(args[0], args[1], work); });
}
Term prim_process_erase(Process& p, Args args) {
  return walk_or_leave(p, [&](std::size_t& work) { return p.dictionary_erase(args[0], work); });
}

namespace {

struct AllOfDictionary {
  AllOfDictionary(Process&, Args) {}
  Dictionary::Place at;
  Term list = Term::nil_list();

  bool step(Process& p, std::size_t& cost) {
    constexpr std::size_t kPlacesAtOnce = 256;
    cost += kPlacesAtOnce;
    return p.extra_record != nullptr &&
           !p.extra_record->dictionary.visit_some(at, kPlacesAtOnce, [&](Dictionary::Entry& entry) {
             list = p.cons(p.tuple(entry.key, entry.value), list);
             cost += 5;
           });
  }
  Term finish(Process&) { return list; }
};

}  // namespace

Term prim_process_dictionary(Process& p, Args args) { return in_slices<AllOfDictionary>(p, args); }

Term prim_process_yield(Process& p, Args) {
  struct Yielded : NativeState {};
  if (p.native_state != nullptr) {
    drop_native_state(p);
    return atoms::ok;
  }
  make_native_state<Yielded>(p);
  return p.again();
}

Term prim_process_garbage_collect(Process& p, Args) {
  p.request_collection(true);
  return atoms::ok;
}

/// All that it has is copied then.
static bool hibernates_on_pool(Process& p) {
  constexpr std::size_t kMostWords = std::size_t{1} << 19;
  return p.held_words() > kMostWords && !p.on_pool();
}

Term prim_process_hibernate_0(Process& p, Args) {
  return hibernates_on_pool(p) ? p.to_pool() : p.hibernate();
}

Term prim_process_hibernate_3(Process& p, Args args) {
  Term given[255];
  std::size_t count = 0;
  if (!args[0].is_atom() || !args[1].is_atom() || !read_arguments(args[2], given, count)) {
    return badarg(p);
  }
  if (hibernates_on_pool(p)) return p.to_pool();
  return p.hibernate(args[0], args[1], std::span<const Term>(given, count));
}

Term prim_process_alias(Process& p, Args args) {
  AliasUse use = AliasUse::Explicit;
  bool priority = false;
  const bool good = for_each_option(args[0], [&](Term key, Term value) {
    bool wanted = false;
    if (!get_bool(value, wanted)) return false;
    if (is_atom_named(p, key, "priority")) return priority = wanted, true;
    if (is_atom_named(p, key, "explicit_unalias")) return wanted;
    if (!is_atom_named(p, key, "reply") && !is_atom_named(p, key, "once")) return false;
    if (wanted) use = AliasUse::Reply;
    return true;
  });
  return good ? p.alias(use, priority) : badarg(p);
}
Term prim_process_send(Process& p, Args args) {
  bool priority = false;
  const bool good = for_each_option(args[2], [&](Term key, Term value) {
    bool ignored = false;
    if (is_atom_named(p, key, "priority")) return get_bool(value, priority);
    // Nothing suspends or connects.
    return (is_atom_named(p, key, "nosuspend") || is_atom_named(p, key, "noconnect")) &&
           get_bool(value, ignored);
  });
  return good ? p.send(args[0], args[1], priority) : badarg(p);
}
Term prim_process_unalias(Process& p, Args args) { return p.unalias(args[0]); }

Term prim_process_group_leader(Process& p, Args) { return group_leader_of(p); }
Term prim_process_set_group_leader(Process& p, Args args) {
  return p.set_group_leader(args[0], args[1]);
}
Term prim_process_set_label(Process& p, Args args) { return p.set_label(args[0]); }

Term prim_process_read_timer(Process& p, Args args) { return p.read_timer(args[0]); }

Term prim_trace(Process& p, Args args) { return p.trace_of(args[0]); }

Term prim_pid_from_string(Process& p, Args args) {
  Bytes bytes;
  if (!bytes.get(args[0])) return badarg(p);
  std::string_view text = bytes.text();
  if (text.starts_with("#Pid")) text.remove_prefix(4);
  if (text.size() < 7 || text.front() != '<' || text.back() != '>') return atoms::error;
  std::uint64_t parts[3] = {0, 0, 0};
  unsigned part = 0;
  bool digit = false;
  for (char c : text.substr(1, text.size() - 2)) {
    if (c == '.' && digit && part < 2) {
      ++part;
      digit = false;
    } else if (c >= '0' && c <= '9' && parts[part] <= UINT32_MAX) {
      parts[part] = parts[part] * 10 + static_cast<std::uint64_t>(c - '0');
      digit = true;
    } else {
      return atoms::error;
    }
  }
  // The serial fills what a term leaves of it.
  if (part != 2 || !digit || parts[0] != 0 || parts[1] > UINT32_MAX || parts[2] >= 1u << 29) {
    return atoms::error;
  }
  return ok_tuple(p, Term::local_pid(parts[2] << 32 | parts[1]));
}

Term prim_term_compare(Process& p, Args args) {
  return walk_or_leave(p, [&](std::size_t& work) {
    const int order = compare(args[0], args[1], atoms_of(p), &work);
    return Term::small(order < 0 ? -1 : order > 0);
  });
}

Term prim_term_hash(Process& p, Args args) {
  if (!args[1].is_small() || args[1].small_value() <= 0) return badarg(p);
  return walk_or_leave(p, [&](std::size_t& work) {
    const std::uint64_t hash = hash_term(args[0], atoms_of(p), &work);
    return Term::small(
        static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(args[1].small_value())));
  });
}

Term prim_term_size(Process& p, Args args) {
  constexpr std::size_t kCap = std::size_t{1} << 28;
  constexpr std::size_t kAtOnce = std::size_t{1} << 17;
  std::size_t words = term_words(args[0], {}, kAtOnce);
  if (words >= kAtOnce) {
    if (!p.on_pool()) return p.to_pool();
    words = term_words(args[0], {}, kCap);
  }
  charge_cells(p, words);
  return Term::small(static_cast<std::int64_t>(words));
}

Term prim_inspect(Process& p, Args args) {
  if (!is_map(args[1])) return badarg(p);
  InspectOptions options = p.vm().inspect_options();
  MapIterator entries(args[1]);
  Term key;
  Term value;
  while (entries.next(key, value)) {
    if (is_atom_named(p, key, "width") && value.is_small() && value.small_value() >= 0) {
      options.width = static_cast<std::size_t>(value.small_value());
    } else if (is_atom_named(p, key, "limit") && value.is_small() && value.small_value() >= 0) {
      options.limit = static_cast<std::size_t>(value.small_value());
    } else if (!is_atom_named(p, key, "limit") || value != atoms::nil) {
      return badarg(p);
    }
  }
  std::string out;
  std::size_t work = 0;
  if (!p.on_pool()) options.max_work = kMostWalk;
  inspect(out, args[0], atoms_of(p), options, &work);
  if (work > options.max_work) return p.to_pool();
  charge_cells(p, work + out.size() / 8);
  return text_term(p, out);
}

}  // namespace quelea
