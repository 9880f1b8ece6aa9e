#include "vm/code/code_registry.h"

namespace quelea {

/// An open-addressing hash table that only grows; slots are filled once.
struct CodeRegistry::Table {
  explicit Table(std::size_t capacity) : mask(capacity - 1), slots(capacity) {}
  std::size_t mask;
  std::size_t used = 0;
  MachineVector<std::atomic<Export*>> slots;
};

namespace {

std::size_t hash_of(Term module, Term function, std::uint32_t arity) {
  Word mixed = (module.bits * 0x9e3779b97f4a7c15u ^ function.bits) * 0xbf58476d1ce4e5b9u + arity;
  mixed *= 0x94d049bb133111ebu;
  return static_cast<std::size_t>(mixed >> 24);
}

}  // namespace

CodeRegistry::CodeRegistry(const void* undefined_handler) : undefined_handler_(undefined_handler) {
  tables_.push_back(std::make_unique<Table>(1024));
  table_.store(tables_.back().get(), std::memory_order_relaxed);
}

CodeRegistry::~CodeRegistry() { count_memory(-static_cast<std::ptrdiff_t>(module_bytes_)); }

Export* CodeRegistry::probe(const Table& table, Term module, Term function, std::uint32_t arity) {
  for (std::size_t i = hash_of(module, function, arity);; ++i) {
    // Pairs with the release in `place`.
    Export* entry = table.slots[i & table.mask].load(std::memory_order_acquire);
    if (entry == nullptr) return nullptr;
    if (entry->module == module && entry->function == function && entry->arity == arity)
      return entry;
  }
}

void CodeRegistry::place(Table& table, Export* entry) {
  std::size_t i = hash_of(entry->module, entry->function, entry->arity);
  while (table.slots[i & table.mask].load(std::memory_order_relaxed) != nullptr) ++i;
  // Pairs with the acquire in `probe`: who finds the export sees its fields.
  table.slots[i & table.mask].store(entry, std::memory_order_release);
  ++table.used;
}

Export* CodeRegistry::find_export(Term module, Term function, std::uint32_t arity) const {
  // Pairs with the release in `intern_export_locked`.
  return probe(*table_.load(std::memory_order_acquire), module, function, arity);
}

Export* CodeRegistry::intern_export(Term module, Term function, std::uint32_t arity) {
  if (Export* found = find_export(module, function, arity)) return found;
  std::lock_guard guard(lock_);
  return intern_export_locked(module, function, arity);
}

Export* CodeRegistry::request_export(Term module, Term function, std::uint32_t arity) {
  if (Export* found = find_export(module, function, arity)) return found;
  if (level_.is_tight()) no_memory();
  return intern_export(module, function, arity);
}

Export* CodeRegistry::intern_export_locked(Term module, Term function, std::uint32_t arity) {
  Table* table = tables_.back().get();
  if (Export* found = probe(*table, module, function, arity)) return found;
  if (table->used * 2 > table->mask) {
    auto larger = std::make_unique<Table>((table->mask + 1) * 2);
    for (Export& entry : exports_) place(*larger, &entry);
    table = larger.get();
    tables_.push_back(std::move(larger));
    table_.store(table, std::memory_order_release);
  }
  Export& entry = exports_.emplace_back();
  entry.module = module;
  entry.function = function;
  entry.arity = arity;
  entry.stub[0] = reinterpret_cast<Word>(undefined_handler_);
  entry.stub[1] = reinterpret_cast<Word>(&entry);
  entry.entry.store(entry.stub, std::memory_order_relaxed);
  place(*table, &entry);
  return &entry;
}

const LoadedModule* CodeRegistry::install(std::unique_ptr<LoadedModule> module) {
  const LoadedModule* added = module.get();
  install_all({&module, 1});
  return added;
}

void CodeRegistry::install_all(std::span<std::unique_ptr<LoadedModule>> modules) {
  std::lock_guard guard(lock_);
  make_room_locked(modules);
  for (std::unique_ptr<LoadedModule>& module : modules) install_locked(std::move(module));
}

/// All that wants memory: exports without code, and names without a version.
void CodeRegistry::make_room_locked(std::span<const std::unique_ptr<LoadedModule>> modules) {
  const auto grow = [&](auto& list) {
    const std::size_t wanted = list.size() + modules.size();
    if (wanted > list.capacity()) list.reserve(2 * wanted);
  };
  grow(versions_);
  grow(order_);
  for (const std::unique_ptr<LoadedModule>& module : modules) {
    newest_.try_emplace(module->name.bits, nullptr);
    for (const LoadedFunction& function : module->functions) {
      if (function.exported) intern_export_locked(module->name, function.name, function.arity);
    }
  }
}

void CodeRegistry::install_locked(std::unique_ptr<LoadedModule> module) {
  const LoadedModule* added = module.get();
  const std::size_t bytes = added->table_bytes();
  module_bytes_ += bytes;
  count_memory(static_cast<std::ptrdiff_t>(bytes));
  versions_.push_back(std::move(module));
  code_.assign(added->code, added->code_words, added);
  const LoadedModule*& newest = newest_.find(added->name.bits)->second;
  if (newest != nullptr) {
    for (const LoadedFunction& old : newest->functions) {
      if (!old.exported || added->find_export(old.name, old.arity) != nullptr) continue;
      Export* entry = probe(*tables_.back(), old.module->name, old.name, old.arity);
      entry->entry.store(entry->stub, std::memory_order_release);
    }
  } else {
    order_.push_back(added->name.bits);
  }
  newest = added;
  for (const LoadedFunction& function : added->functions) {
    if (!function.exported) continue;
    intern_export_locked(added->name, function.name, function.arity)
        ->entry.store(function.entry, std::memory_order_release);
  }
}

const LoadedModule* CodeRegistry::find_module(Term name) const {
  std::lock_guard guard(lock_);
  auto found = newest_.find(name.bits);
  return found == newest_.end() ? nullptr : found->second;
}

std::vector<const LoadedModule*> CodeRegistry::modules() const {
  std::lock_guard guard(lock_);
  std::vector<const LoadedModule*> all;
  for (Word name : order_) all.push_back(newest_.at(name));
  return all;
}

}  // namespace quelea
