// What a machine knows about code: its modules, their versions and exports.
//
// Calls never look anything up: they hold an Export*, whose `entry` is the newest version's first
// instruction or a stub. Installing a version is one atomic store an export; whoever runs the old
// version goes on in it. Lookups by name (call_dyn, apply) read a hash table without a lock:
// entries are only ever added, and a table that was outgrown is kept until the machine ends,
// because somebody may still be reading it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "vm/base/machine_allocator.h"
#include "vm/code/code_area.h"
#include "vm/code/literal_area.h"
#include "vm/code/loaded_module.h"

namespace quelea {

class CodeRegistry {
 public:
  /// `undefined_handler` is the handler of `loader_op_undefined`.
  explicit CodeRegistry(const void* undefined_handler);
  ~CodeRegistry();
  CodeRegistry(const CodeRegistry&) = delete;
  CodeRegistry& operator=(const CodeRegistry&) = delete;

  /// Null when nobody ever named such a function. Any thread, no lock.
  Export* find_export(Term module, Term function, std::uint32_t arity) const;
  /// The same, made when missing. Any thread.
  Export* intern_export(Term module, Term function, std::uint32_t arity);
  /// The same for a program that names a function as it runs, which may be one of any number:
  /// throws std::bad_alloc where the machine has no room for what can be refused.
  Export* request_export(Term module, Term function, std::uint32_t arity);

  /// Makes `module` the newest version of its name; exports the new version lacks become undefined.
  const LoadedModule* install(std::unique_ptr<LoadedModule> module);
  /// The same for several; where there is no memory for all of them nothing changes.
  void install_all(std::span<std::unique_ptr<LoadedModule>> modules);
  /// The newest version, or null.
  const LoadedModule* find_module(Term name) const;
  /// The version whose code holds `pc`, or null. No lock.
  const LoadedModule* module_at(const Word* pc) const { return code_.module_at(pc); }
  /// The newest versions of all modules, in order of installation.
  std::vector<const LoadedModule*> modules() const;

  LiteralArea& literals() { return literals_; }
  /// What all modules take, old versions included, but for their literals. Any thread.
  std::size_t code_bytes() {
    std::scoped_lock guard(load_lock_, lock_);
    return code_.used_bytes() + module_bytes_;
  }
  /// For `request_export`.
  void watch(const MemoryLevel& level) { level_ = level; }
  const LiteralArea& literals() const { return literals_; }
  CodeArea& code() { return code_; }
  /// Held while a module is loaded.
  std::mutex& load_lock() { return load_lock_; }

 private:
  struct Table;
  static Export* probe(const Table& table, Term module, Term function, std::uint32_t arity);
  static void place(Table& table, Export* entry);
  void make_room_locked(std::span<const std::unique_ptr<LoadedModule>> modules);
  void install_locked(std::unique_ptr<LoadedModule> module);
  Export* intern_export_locked(Term module, Term function, std::uint32_t arity);

  const void* undefined_handler_;
  LiteralArea literals_;
  CodeArea code_;
  std::mutex load_lock_;

  mutable std::mutex lock_;  ///< Guards all below but reads of `table_`.
  std::atomic<Table*> table_;
  std::vector<std::unique_ptr<Table>> tables_;  ///< The newest last.
  std::deque<Export, MachineAllocator<Export>> exports_;
  /// By name; null: there is none yet.
  std::unordered_map<Word, const LoadedModule*, std::hash<Word>, std::equal_to<Word>,
                     MachineAllocator<std::pair<const Word, const LoadedModule*>>>
      newest_;
  MachineVector<Word> order_;  ///< Names, in order of installation.
  MachineVector<std::unique_ptr<LoadedModule>> versions_;
  std::size_t module_bytes_ = 0;  ///< What all versions take beside their code.
  MemoryLevel level_;
};

}  // namespace quelea
