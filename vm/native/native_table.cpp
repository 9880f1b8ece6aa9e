// The table of all natives, made from vm/code/natives/*.def.
//
// The table and its order by name are computed at compile time. What a machine adds is an entry
// with its own atoms for each native that a loaded module names, made on first use.
#include "vm/native/native_table.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "vm/code/loaded_module.h"
#include "vm/native/native.h"
#include "vm/native/support.h"
#include "vm/proc/local.h"

namespace quelea {
namespace {

constexpr std::uint32_t GUARD = kNativeGuard;
constexpr std::uint32_t PURE = kNativePure;
constexpr std::uint32_t BLOCKING = kNativeBlocking;

/// A native that may block does all of its work on a thread of the pool.
template <NativeFunction function>
Term in_pool(Process& p, Args args) {
  if (!p.on_pool()) return p.to_pool();
  const AwayFromOthers away(p.local());
  return function(p, args);
}

template <NativeFunction function, std::uint32_t flags>
constexpr NativeFunction native_function() {
  return (flags & kNativeBlocking) != 0 ? &in_pool<function> : function;
}

constexpr NativeDeclaration kNatives[] = {
#define NATIVE(module, name, arity, symbol, flags) \
  {#module, #name, arity, flags, native_function<&symbol, flags>()},
#include "vm/code/natives/natives.def"
#undef NATIVE
};
constexpr std::size_t kCount = std::size(kNatives);

constexpr bool is_before(const NativeDeclaration& a, std::string_view module, std::string_view name,
                         std::uint32_t arity) {
  if (int order = a.name.compare(name); order != 0) return order < 0;
  if (a.arity != arity) return a.arity < arity;
  return a.module < module;
}

constexpr std::array<std::uint16_t, kCount> sorted_indexes() {
  std::array<std::uint16_t, kCount> indexes{};
  for (std::size_t i = 0; i < kCount; ++i) indexes[i] = static_cast<std::uint16_t>(i);
  std::sort(indexes.begin(), indexes.end(), [](std::uint16_t a, std::uint16_t b) {
    return is_before(kNatives[a], kNatives[b].module, kNatives[b].name, kNatives[b].arity);
  });
  return indexes;
}
constexpr std::array<std::uint16_t, kCount> kByName = sorted_indexes();

constexpr bool has_duplicates() {
  for (std::size_t i = 1; i < kCount; ++i) {
    const NativeDeclaration& next = kNatives[kByName[i]];
    if (!is_before(kNatives[kByName[i - 1]], next.module, next.name, next.arity)) return true;
  }
  return false;
}
static_assert(!has_duplicates(), "a native is declared twice");

/// The entries that a machine's code refers to.
struct NativeEntries {
  static constexpr unsigned kVmSlot = 0;
  std::mutex lock;
  std::array<NativeEntry, kCount> entries{};  // guarded by lock until `function` is set
};

}  // namespace

std::span<const NativeDeclaration> native_declarations() { return kNatives; }

const NativeEntry* find_native(Vm& vm, std::string_view module, std::string_view name,
                               std::uint32_t arity) {
  auto at = std::lower_bound(kByName.begin(), kByName.end(), 0, [&](std::uint16_t index, int) {
    return is_before(kNatives[index], module, name, arity);
  });
  if (at == kByName.end()) return nullptr;
  const NativeDeclaration& found = kNatives[*at];
  if (found.name != name || found.arity != arity || found.module != module) return nullptr;
  auto& table = vm.area<NativeEntries>();
  std::lock_guard hold(table.lock);
  NativeEntry& entry = table.entries[*at];
  if (entry.function == nullptr) {
    entry.module = vm.atoms().intern(module, AtomOf::Machine);
    entry.name = vm.atoms().intern(name, AtomOf::Machine);
    entry.arity = arity;
    entry.flags = found.flags;
    entry.function = found.function;
  }
  return &entry;
}

std::vector<std::pair<std::string_view, std::uint32_t>> natives_of(std::string_view module) {
  std::vector<std::pair<std::string_view, std::uint32_t>> found;
  for (const NativeDeclaration& native : native_declarations()) {
    if (native.module == module) found.emplace_back(native.name, native.arity);
  }
  return found;
}

}  // namespace quelea
