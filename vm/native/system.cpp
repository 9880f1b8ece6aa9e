// The surroundings of the machine: arguments, environment, clocks, facts.
#include <sched.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <optional>

#include "vm/base/version.h"
#include "vm/code/code_registry.h"
#include "vm/native/list_builder.h"
#include "vm/native/posix.h"
#include "vm/proc/process_table.h"
#include "vm/proc/schedulers.h"
#include "vm/proc/timers.h"
#include "vm/term/integer.h"

extern char** environ;

namespace quelea {
namespace {

/// Changes that this machine's programs made to the environment. The host's own is never written:
/// other machines and other threads of the host read it.
struct EnvironmentChanges {
  static constexpr unsigned kVmSlot = 2;
  std::mutex lock;
  using Text = MachineString;
  std::map<Text, std::optional<Text>, std::less<>,
           MachineAllocator<std::pair<const Text, std::optional<Text>>>>
      changed;  // guarded by lock
};

}  // namespace

/// A program may have made up any number of variables.
static bool has_many_changes(Vm& vm) {
  constexpr std::size_t kMany = 1000;
  auto& changes = vm.area<EnvironmentChanges>();
  std::lock_guard hold(changes.lock);
  return changes.changed.size() > kMany;
}

std::vector<std::pair<std::string, std::string>> environment_of(Vm& vm) {
  std::map<std::string, std::string> all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line = *at;
    const std::size_t equals = line.find('=', 1);
    if (equals == std::string_view::npos) continue;
    all.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  auto& changes = vm.area<EnvironmentChanges>();
  std::lock_guard hold(changes.lock);
  for (const auto& [name, value] : changes.changed) {
    const std::string key(name);
    if (value.has_value()) {
      all[key] = *value;
    } else {
      all.erase(key);
    }
  }
  return {all.begin(), all.end()};
}

bool environment_get(Vm& vm, const std::string& name, std::string& value) {
  auto& changes = vm.area<EnvironmentChanges>();
  {
    std::lock_guard hold(changes.lock);
    if (auto at = changes.changed.find(std::string_view(name)); at != changes.changed.end()) {
      if (at->second.has_value()) value = *at->second;
      return at->second.has_value();
    }
  }
  const char* found = getenv(name.c_str());
  if (found != nullptr) value = found;
  return found != nullptr;
}

Term prim_system_argv(Process& p, Args) {
  ListBuilder out(p);
  for (const std::string& argument : p.vm().host().arguments()) {
    if (!out.push_made(text_term(p, argument))) return Term::none();
  }
  return out.finish();
}

Term prim_system_env_0(Process& p, Args) {
  if (has_many_changes(p.vm()) && !p.on_pool()) return p.to_pool();
  std::vector<Term> pairs;
  for (const auto& [name, value] : environment_of(p.vm())) {
    for (const std::string& text : {name, value}) {
      const Term made = text_term(p, text);
      if (made.is_none()) return made;
      pairs.push_back(made);
    }
  }
  p.charge(static_cast<std::int64_t>(pairs.size()));
  return map_from_pairs(p, pairs.data(), pairs.size() / 2, atoms_of(p));
}

Term prim_system_env_1(Process& p, Args args) {
  Path name;
  if (!name.get(args[0])) return badarg(p);
  std::string value;
  if (!environment_get(p.vm(), name.text(), value)) return atoms::nil;
  return text_term(p, value);
}

Term prim_system_put_env(Process& p, Args args) {
  Path name;
  Path value;
  const bool unset = args[1] == atoms::nil;
  if (!name.get(args[0]) || name.text().empty() || name.text().find('=') != std::string::npos ||
      (!unset && !value.get(args[1]))) {
    return badarg(p);
  }
  if (!unset && p.vm().memory().is_tight()) return system_limit(p);
  using Text = EnvironmentChanges::Text;
  auto& changes = p.vm().area<EnvironmentChanges>();
  std::lock_guard hold(changes.lock);
  changes.changed[Text(name.text())] = unset ? std::nullopt : std::optional<Text>(value.text());
  return atoms::ok;
}

Term prim_system_halt(Process& p, Args args) {
  if (!args[0].is_small() || args[0].small_value() < 0 || args[0].small_value() > 255) {
    return badarg(p);
  }
  p.vm().halt(static_cast<int>(args[0].small_value()));
  return p.again();  // The machine stops before it comes back here.
}

namespace {

std::int64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long long total = 0;
  long long resident = 0;
  const int read = std::fscanf(file, "%lld %lld", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

std::int64_t usable_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? online : 1;
}

Term counted(Process& p, std::uint64_t value) { return make_integer_unsigned(p, value); }

Term map_of(Process& p, std::initializer_list<std::pair<const char*, std::uint64_t>> values) {
  std::vector<Term> pairs;
  for (const auto& [name, value] : values) {
    pairs.push_back(atom_of(p, name));
    pairs.push_back(counted(p, value));
  }
  return map_from_pairs(p, pairs.data(), pairs.size() / 2, atoms_of(p));
}

/// Bytes by kind: all but `total` counted, not looked for.
Term memory_by_kind(Process& p) {
  Vm& vm = p.vm();
  std::uint64_t timers = 0;
  vm.schedulers().for_each_local([&](SchedulerLocal& local) { timers += local.timers.bytes(); });
  leave_nothing_uncounted();
  vm.memory().fold(p.local().memory);
  const std::uint64_t all = vm.memory().taken_bytes();
  const std::uint64_t binaries = vm.binaries().bytes.load(std::memory_order_relaxed);
  const std::uint64_t literals = vm.code().literals().used_words() * sizeof(Word);
  const std::uint64_t code = vm.code().code_bytes(), atoms = vm.atoms().bytes();
  const std::uint64_t others = binaries + timers + literals + code + atoms;
  // What threads did last is not in the sum yet.
  const std::uint64_t records = vm.processes().count() * sizeof(Process);
  const std::uint64_t processes = std::max(records, all > others ? all - others : 0);
  return map_of(p, {{"total", static_cast<std::uint64_t>(resident_bytes())},
                    {"processes", processes},
                    {"binaries", binaries},
                    {"literals", literals},
                    {"code", code},
                    {"atoms", atoms},
                    {"timers", timers}});
}

/// Summed up over all threads.
std::uint64_t total(Vm& vm, Counter Statistics::*counter) {
  std::uint64_t sum = 0;
  vm.schedulers().for_each_local([&](SchedulerLocal& local) {
    sum += (local.statistics.*counter).load(std::memory_order_relaxed);
  });
  return sum;
}

std::uint64_t timers(Vm& vm) {
  std::uint64_t sum = 0;
  vm.schedulers().for_each_local([&](SchedulerLocal& local) { sum += local.timers.size(); });
  return sum;
}

std::uint64_t queued(Vm& vm, Priority priority) {
  std::uint64_t sum = 0;
  vm.schedulers().for_each_local([&](SchedulerLocal& local) { sum += local.queue.size(priority); });
  return sum;
}

Term run_queues(Process& p) {
  const std::uint64_t max = queued(p.vm(), Priority::Max), high = queued(p.vm(), Priority::High),
                      normal = queued(p.vm(), Priority::Normal),
                      low = queued(p.vm(), Priority::Low);
  return map_of(p, {{"total", max + high + normal + low},
                    {"max", max},
                    {"high", high},
                    {"normal", normal},
                    {"low", low}});
}

/// What the machine counts about itself.
Term statistic(Process& p, std::string_view item) {
  Vm& vm = p.vm();
  if (item == "reductions") return counted(p, total(vm, &Statistics::reductions));
  if (item == "slices") return counted(p, total(vm, &Statistics::slices));
  if (item == "ended") return counted(p, total(vm, &Statistics::ended));
  if (item == "timers") return counted(p, timers(vm));
  if (item == "uptime_ms") return counted(p, (vm.monotonic_ns() - vm.started_ns()) / 1'000'000);
  if (item == "memory_by_kind") return memory_by_kind(p);
  if (item == "memory_limit") {
    const std::uint64_t limit = vm.config().max_memory_bytes;
    return limit == 0 ? atoms::infinity : counted(p, limit);
  }
  if (item == "collections") {
    return map_of(p, {{"count", total(vm, &Statistics::collections)},
                      {"full", total(vm, &Statistics::full_collections)},
                      {"reclaimed_bytes", total(vm, &Statistics::collected_words) * sizeof(Word)}});
  }
  if (item == "run_queue") return run_queues(p);
  return badarg(p);
}

/// A limit of an alarm; nil: off.
bool read_alarm(Term value, std::uint64_t unit, std::uint64_t& out) {
  out = 0;
  if (value == atoms::nil || value.is_none()) return true;
  std::int64_t count = 0;
  if (!get_count(value, count) || count <= 0 || count > 1'000'000'000) return false;
  out = static_cast<std::uint64_t>(count) * unit;
  return true;
}

}  // namespace

Term prim_system_alarms(Process& p, Args args) {
  if (!is_map(args[0])) return badarg(p);
  auto option = [&](const char* name) { return map_get(args[0], atom_of(p, name), atoms_of(p)); };
  std::uint64_t schedule_ns = 0, collection_ns = 0, mailbox = 0;
  const Term receiver = option("to");
  if (!read_alarm(option("long_schedule"), 1'000'000, schedule_ns) ||
      !read_alarm(option("long_collection"), 1'000'000, collection_ns) ||
      !read_alarm(option("long_mailbox"), 1, mailbox) ||
      !(receiver.is_none() || receiver.is_atom() || receiver.is_local_pid())) {
    return badarg(p);
  }
  Alarms& alarms = p.vm().alarms();
  alarms.long_schedule_ns.store(schedule_ns, std::memory_order_relaxed);
  alarms.long_collection_ns.store(collection_ns, std::memory_order_relaxed);
  alarms.long_mailbox.store(static_cast<std::uint32_t>(mailbox), std::memory_order_relaxed);
  alarms.receiver.store(receiver == atoms::nil ? Term::none().bits : receiver.bits,
                        std::memory_order_relaxed);
  return atoms::ok;
}

Term prim_system_info(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  const std::string_view item = text_of(p, args[0]);
  utsname names{};
  if (item == "os") return atom_of(p, "linux");
  if (item == "arch") return text_term(p, uname(&names) == 0 ? names.machine : "unknown");
  if (item == "hostname") return text_term(p, uname(&names) == 0 ? names.nodename : "");
  if (item == "os_pid") return Term::small(getpid());
  if (item == "version") return text_term(p, version_string());
  if (item == "schedulers") return Term::small(p.vm().schedulers().count());
  if (item == "cpus") return Term::small(usable_cpus());
  if (item == "wordsize") return Term::small(8);
  if (item == "memory") return Term::small(resident_bytes());
  if (item == "atoms") return Term::small(p.vm().atoms().size());
  if (item == "atom_limit") return Term::small(p.vm().atoms().limit());
  if (item == "process_limit") {
    const std::uint64_t limit = p.vm().config().max_processes;
    return limit == 0 ? atoms::infinity : make_integer_unsigned(p, limit);
  }
  if (item == "processes")
    return Term::small(static_cast<std::int64_t>(p.vm().processes().count()));
  return statistic(p, item);
}

Term prim_time_monotonic(Process& p, Args) {
  return make_integer_unsigned(p, p.vm().monotonic_ns());
}

Term prim_time_system(Process& p, Args) { return make_integer(p, p.vm().wall_clock_ns()); }

Term prim_time_local_offset(Process& p, Args args) {
  std::int64_t seconds = 0;
  if (!integer_to_int64(args[0], seconds)) return badarg(p);
  const time_t when = seconds;
  tm local{};
  if (localtime_r(&when, &local) == nullptr) return badarg(p);
  return Term::small(local.tm_gmtoff);
}

Term prim_unique_integer(Process& p, Args) {
  return make_integer_unsigned(p, p.next_reference_number());
}

}  // namespace quelea
