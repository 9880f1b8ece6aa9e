// The prelude's functions on processes: argument shapes in, the process's own API
// (vm/proc/process.h) out.
#include <algorithm>

#include "vm/native/process_options.h"
#include "vm/native/support.h"
#include "vm/proc/process_extra.h"
#include "vm/proc/signal.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

Term spawn_elsewhere(Process& p) {
  // There is no distribution yet: no other node is reachable.
  return fail(p, atoms::noconnection);
}

bool read_words(Term value, std::size_t& words) {
  std::int64_t count = 0;
  if (!get_count(value, count) || count < 0) return false;
  words = static_cast<std::size_t>(count);
  return true;
}

bool read_heap_action(Process& p, Term value, HeapLimitAction& action) {
  if (is_atom_named(p, value, "kill")) return action = HeapLimitAction::Kill, true;
  if (is_atom_named(p, value, "error")) return action = HeapLimitAction::Error, true;
  if (is_atom_named(p, value, "log")) return action = HeapLimitAction::Log, true;
  return false;
}

/// max_heap: words, or %{size: words, action: :kill | :error | :log}; `kill: boolean` as in Erlang.
bool read_max_heap(Process& p, Term value, SpawnOptions& options) {
  if (!is_map(value)) return read_words(value, options.max_heap_words);
  MapIterator entries(value);
  Term key;
  Term setting;
  while (entries.next(key, setting)) {
    if (is_atom_named(p, key, "size")) {
      if (!read_words(setting, options.max_heap_words)) return false;
    } else if (is_atom_named(p, key, "action")) {
      if (!read_heap_action(p, setting, options.max_heap_action)) return false;
    } else if (is_atom_named(p, key, "kill") && is_bool(setting)) {
      options.max_heap_action =
          setting == atoms::true_ ? HeapLimitAction::Kill : HeapLimitAction::Log;
    } else {
      return false;
    }
  }
  return true;
}

bool read_priority(Process& p, Term value, Priority& priority) {
  if (!value.is_atom()) return false;
  const std::string_view text = text_of(p, value);
  if (text == "max") return priority = Priority::Max, true;
  if (text == "high") return priority = Priority::High, true;
  if (text == "normal") return priority = Priority::Normal, true;
  if (text == "low") return priority = Priority::Low, true;
  return false;
}

bool read_max_mailbox(Term value, SpawnOptions& options) {
  std::int64_t count = 0;
  if (!get_count(value, count) || count <= 0) return false;
  options.max_mailbox = static_cast<std::uint32_t>(std::min<std::int64_t>(count, INT32_MAX));
  return true;
}

bool read_on_full(Process& p, Term value, SpawnOptions& options) {
  if (!value.is_atom()) return false;
  const std::string_view text = text_of(p, value);
  if (text == "drop_new") return options.on_full = OnFull::DropNew, true;
  if (text == "drop_old") return options.on_full = OnFull::DropOld, true;
  if (text == "kill") return options.on_full = OnFull::Kill, true;
  if (text == "block") return options.on_full = OnFull::Block, true;
  return false;
}

/// The one option of a link or an exit signal. `priority: boolean`.
bool read_priority_option(Process& p, Term given, bool& priority) {
  return for_each_option(given, [&](Term key, Term value) {
    return is_atom_named(p, key, "priority") && get_bool(value, priority);
  });
}

/// link: a boolean, or the options of a link.
bool read_link(Process& p, Term value, SpawnOptions& options) {
  if (value.is_atom()) return get_bool(value, options.link);
  options.link = true;
  return read_priority_option(p, value, options.link_priority);
}

/// monitor: a boolean, or the options of a monitor.
bool read_monitor(Process& p, Term value, SpawnOptions& options) {
  if (value.is_atom()) return get_bool(value, options.monitor);
  options.monitor = true;
  return read_monitor_options(p, value, options.monitoring);
}

bool read_option(Process& p, Term key, Term value, SpawnOptions& options) {
  if (!key.is_atom()) return false;
  const std::string_view name = text_of(p, key);
  if (name == "link") return read_link(p, value, options);
  if (name == "monitor") return read_monitor(p, value, options);
  if (name == "priority") return read_priority(p, value, options.priority);
  if (name == "min_heap") return read_words(value, options.min_heap_words);
  if (name == "max_heap") return read_max_heap(p, value, options);
  if (name == "max_mailbox") return read_max_mailbox(value, options);
  if (name == "on_full") return read_on_full(p, value, options);
  if (name == "name") {
    options.name = value;
    return value.is_atom() && value != atoms::undefined && value != atoms::nil;
  }
  return false;
}

bool read_spawn_options(Process& p, Term given, SpawnOptions& options) {
  return for_each_option(given,
                         [&](Term key, Term value) { return read_option(p, key, value, options); });
}

bool read_alias_use(Process& p, Term value, AliasUse& use) {
  if (value == atoms::true_ || is_atom_named(p, value, "reply_demonitor")) {
    return use = AliasUse::Reply, true;
  }
  if (is_atom_named(p, value, "explicit_unalias")) return use = AliasUse::Explicit, true;
  if (is_atom_named(p, value, "demonitor")) return use = AliasUse::Monitor, true;
  return value == atoms::false_;
}

}  // namespace

bool read_monitor_options(Process& p, Term given, MonitorOptions& options) {
  return for_each_option(given, [&](Term key, Term value) {
    if (key == atoms::alias) return read_alias_use(p, value, options.alias);
    if (is_atom_named(p, key, "priority")) return get_bool(value, options.priority);
    if (!is_atom_named(p, key, "tag")) return false;
    options.tag = value;
    return true;
  });
}

Term prelude_self(Process& p, Args) { return p.self(); }

Term prelude_spawn_1(Process& p, Args args) { return p.spawn_fun(args[0], {}); }
Term prelude_spawn_2(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  return is_local_node(p.vm(), args[0]) ? p.spawn_fun(args[1], {}) : spawn_elsewhere(p);
}
Term prelude_spawn_3(Process& p, Args args) { return p.spawn_call(args[0], args[1], args[2], {}); }
Term prelude_spawn_4(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  return is_local_node(p.vm(), args[0]) ? p.spawn_call(args[1], args[2], args[3], {})
                                        : spawn_elsewhere(p);
}
Term prelude_spawn_link_1(Process& p, Args args) {
  SpawnOptions options;
  options.link = true;
  return p.spawn_fun(args[0], options);
}
Term prelude_spawn_link_3(Process& p, Args args) {
  SpawnOptions options;
  options.link = true;
  return p.spawn_call(args[0], args[1], args[2], options);
}
Term prelude_spawn_monitor_1(Process& p, Args args) {
  SpawnOptions options;
  options.monitor = true;
  return p.spawn_fun(args[0], options);
}
Term prelude_spawn_monitor_3(Process& p, Args args) {
  SpawnOptions options;
  options.monitor = true;
  return p.spawn_call(args[0], args[1], args[2], options);
}
Term prelude_spawn_opt_2(Process& p, Args args) {
  SpawnOptions options;
  if (!read_spawn_options(p, args[1], options)) return badarg(p);
  return p.spawn_fun(args[0], options);
}
Term prelude_spawn_opt_4(Process& p, Args args) {
  SpawnOptions options;
  if (!read_spawn_options(p, args[3], options)) return badarg(p);
  return p.spawn_call(args[0], args[1], args[2], options);
}

Term prelude_link_1(Process& p, Args args) { return p.link(args[0]); }

Term prelude_link_2(Process& p, Args args) {
  bool priority = false;
  return read_priority_option(p, args[1], priority) ? p.link(args[0], priority) : badarg(p);
}

Term prelude_unlink(Process& p, Args args) { return p.unlink(args[0]); }
Term prelude_monitor_1(Process& p, Args args) { return p.monitor(args[0]); }

Term prelude_monitor_2(Process& p, Args args) {
  // As in Erlang with the kind of the item first, or the item and options.
  if (args[0] == atoms::process) return p.monitor(args[1]);
  MonitorOptions options;
  if (!read_monitor_options(p, args[1], options)) return badarg(p);
  // The tag is copied.
  if (!options.tag.is_none() && is_huge_message(p, options.tag)) return p.to_pool();
  return p.monitor(args[0], options);
}

Term prelude_demonitor_1(Process& p, Args args) {
  return p.demonitor(args[0], false).is_none() ? Term::none() : atoms::true_;
}

Term prelude_demonitor_2(Process& p, Args args) {
  bool flush = false;
  bool info = false;
  const bool good = for_each_option(args[1], [&](Term key, Term value) {
    if (is_atom_named(p, key, "flush")) return get_bool(value, flush);
    if (is_atom_named(p, key, "info")) return get_bool(value, info);
    return false;
  });
  if (!good) return badarg(p);
  const Term existed = p.demonitor(args[0], flush);
  return existed.is_none() || info ? existed : atoms::true_;
}

Term prelude_exit_1(Process& p, Args args) { return p.raise(atoms::exit, args[0]); }
Term prelude_exit_2(Process& p, Args args) { return p.exit_signal(args[0], args[1]); }

Term prelude_exit_3(Process& p, Args args) {
  bool priority = false;
  if (!read_priority_option(p, args[2], priority)) return badarg(p);
  return p.exit_signal(args[0], args[1], priority);
}

Term prelude_error(Process& p, Args args) { return p.raise(atoms::error, args[0]); }
Term prelude_throw(Process& p, Args args) { return p.raise(atoms::throw_, args[0]); }

Term prelude_reraise(Process& p, Args args) {
  if (args[0] != atoms::error && args[0] != atoms::exit && args[0] != atoms::throw_) {
    return badarg(p);
  }
  return p.reraise(args[0], args[1], args[2]);
}

Term prelude_register(Process& p, Args args) { return p.register_name(args[0], args[1]); }
Term prelude_unregister(Process& p, Args args) { return p.unregister_name(args[0]); }
Term prelude_whereis(Process& p, Args args) { return p.whereis(args[0]); }
Term prelude_make_ref(Process& p, Args) { return p.make_reference(); }

Term prelude_node_0(Process& p, Args) { return local_node(p.vm()); }

Term prelude_node_1(Process& p, Args args) {
  const Term of = args[0];
  if (of.is_local_pid() || of.is_kind(Kind::Ref)) return local_node(p.vm());
  if (of.is_kind(Kind::ExternalPid) || of.is_kind(Kind::ExternalRef) || of.is_kind(Kind::Port)) {
    return {of.pointer()[1]};
  }
  return badarg(p);
}

Term prelude_nodes(Process&, Args) { return Term::nil_list(); }

Term prelude_send(Process& p, Args args) { return p.send(args[0], args[1]); }
Term prelude_send_after(Process& p, Args args) { return p.send_after(args[0], args[1], args[2]); }
Term prelude_cancel_timer(Process& p, Args args) { return p.cancel_timer(args[0]); }
Term prelude_process_flag(Process& p, Args args) { return p.set_flag(args[0], args[1]); }
Term prelude_process_info_1(Process& p, Args args) { return p.info(args[0], atoms::nil); }
Term prelude_process_info_2(Process& p, Args args) {
  return args[1] == atoms::nil ? badarg(p) : p.info(args[0], args[1]);
}

bool read_arguments(Term list, Term* out, std::size_t& count) {
  count = 0;
  for (; list.is_cons(); list = list.tail()) {
    if (count == 255) return false;
    out[count++] = list.head();
  }
  return list.is_nil_list();
}

Term prelude_apply_2(Process& p, Args args) {
  Term given[255];
  std::size_t count = 0;
  if (!read_arguments(args[1], given, count)) return badarg(p);
  return p.trap_fun(args[0], std::span<const Term>(given, count));
}

Term prelude_apply_3(Process& p, Args args) {
  Term given[255];
  std::size_t count = 0;
  if (!args[0].is_atom() || !args[1].is_atom() || !read_arguments(args[2], given, count)) {
    return badarg(p);
  }
  return p.trap(args[0], args[1], std::span<const Term>(given, count));
}

}  // namespace quelea
