// The embedded library: all compiled modules in one piece of read-only bytes, with an index by
// name.
//
//   +----------+-------+------------------------+----------------------------------+
//   | "QLAR" 1 | count | count entries, by name | names, interfaces, modules' bytes |
//   +----------+-------+------------------------+----------------------------------+
//
// All numbers are 32 bits, least significant byte first; an entry is three (offset, length) pairs:
// name, interface, module. Opening an archive looks at its first eight bytes alone, and finding a
// module is a binary search, so the library costs nothing until something of it is called.
//
// An interface says what the compiler needs to know of a module, as lines: `f name arity` an
// exported function, `c name arity` a callback, `o name arity` an optional one, `s` a struct, `d
// name` one of its fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/resolve.h"

namespace quelea {

class Archive {
 public:
  struct Entry {
    std::string_view name;
    std::string_view interface_text;
    const std::uint8_t* bytes;
    std::size_t size;
  };

  Archive() = default;
  // What is no archive counts as an empty one.
  Archive(const std::uint8_t* bytes, std::size_t size);

  std::size_t count() const { return count_; }
  Entry at(std::size_t index) const;
  bool find(std::string_view name, Entry& entry) const;

 private:
  std::uint32_t number(std::size_t offset) const;

  const std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
};

// Collects modules and writes an archive of them.
class ArchiveWriter {
 public:
  void add(const compiler::ModuleInfo& info, std::vector<std::uint8_t> bytes);
  std::vector<std::uint8_t> write();

 private:
  struct Item {
    std::string name, interface_text;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Item> items_;
};

std::string write_interface(const compiler::ModuleInfo& info);
compiler::ModuleInfo read_interface(std::string_view name, std::string_view text);

// The archive that was linked in; empty in the tool that makes it.
Archive embedded_library();

}  // namespace quelea
