// Where modules come from: beside the file that runs, then --path, then the embedded library.
//
// Serves both sides: the machine asks for bytes when an unloaded module is called (`load`), the
// compiler for what a module exports (`find`), and both must find the same thing.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/driver/build.h"
#include "vm/api/archive.h"
#include "vm/base/host.h"

namespace quelea {

class MemoryGuard;

class ModuleSearch : public compiler::ModuleInfoProvider {
 public:
  explicit ModuleSearch(std::vector<std::string> folders);

  // The bytes of a module, and of those that stand in one file with it. Any thread.
  FindResult load(std::string_view name);

  // A module's bytes in the library, where no folder may have one of that name. Takes no lock; any
  // thread, but not while a folder is added.
  std::string_view library_module(std::string_view name) const;

  // Any thread.
  bool is_in_library(std::string_view name) const {
    Archive::Entry entry;
    return library_.find(name, entry);
  }

  // Held while something compiles with this as its provider: what `find` returned may be replaced
  // by others, also by a module of the same name.
  std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock(lock_); }

  // Whose limit holds for what is read and compiled here. Where there is no room for a file, who
  // wants it gets std::bad_alloc.
  void claim_of(MemoryGuard& memory) { memory_ = &memory; }

  // Searches one more folder, after the others.
  void add_folder(std::string folder);

  // Makes a module known that the host loads by itself.
  void remember(const compiler::ModuleInfo& info);

  // For the compiler.
  const compiler::ModuleInfo* find(std::string_view name) override;
  std::string why_missing(std::string_view name) override;
  std::vector<std::string> names() override;

 private:
  struct Place {
    std::string path;
    bool is_source = false;
    std::uint64_t size = 0;
  };
  class Room;
  // The files that may hold the module, first choice first.
  std::vector<Place> places(std::string_view name) const;
  const compiler::ModuleInfo* remember_locked(const compiler::ModuleInfo& info);
  FindResult load_source(std::string_view name, const Place& place);

  std::vector<std::string> folders_;
  Archive library_;
  MemoryGuard* memory_ = nullptr;
  std::recursive_mutex lock_;  // compiling, under `load`, asks `find`
  std::map<std::string, compiler::ModuleInfo, std::less<>> known_;
};

// The folder below which a source's siblings stand: "src" for "src/chat/room.qu" that begins with
// `module Chat.Room`. Empty where the path does not follow the module's name.
std::string source_root(std::string_view path, std::string_view text);

// Reads a whole file; false when it cannot be read.
bool read_whole_file(const std::string& path, std::string& bytes);

}  // namespace quelea
