#include <catch2/catch.hpp>

#include "vm/api/archive.h"

using quelea::Archive;
using quelea::ArchiveWriter;
using quelea::compiler::ModuleInfo;

namespace {

ModuleInfo info(const char* name) {
  ModuleInfo result;
  result.name = name;
  result.exports = {{"first", 1}, {"two words", 0}};
  result.callbacks = {{"init", 1, false}, {"terminate", 2, true}};
  result.has_struct = true;
  result.struct_fields = {"a", "b"};
  return result;
}

}  // namespace

TEST_CASE("modules are found by name") {
  ArchiveWriter writer;
  for (const char* name : {"List", "Enum", "Zed", "Chat.Room"})
    writer.add(info(name), {1, 2, static_cast<std::uint8_t>(name[0])});
  std::vector<std::uint8_t> bytes = writer.write();
  Archive archive(bytes.data(), bytes.size());
  REQUIRE(archive.count() == 4);
  CHECK(archive.at(0).name == "Chat.Room");
  Archive::Entry entry;
  for (const char* name : {"List", "Enum", "Zed", "Chat.Room"}) {
    REQUIRE(archive.find(name, entry));
    CHECK(entry.name == name);
    REQUIRE(entry.size == 3);
    CHECK(entry.bytes[2] == static_cast<std::uint8_t>(name[0]));
  }
  CHECK_FALSE(archive.find("Map", entry));
  CHECK_FALSE(archive.find("", entry));
}

TEST_CASE("an interface reads back") {
  ModuleInfo before = info("M");
  ModuleInfo after = quelea::read_interface("M", quelea::write_interface(before));
  REQUIRE(after.exports.size() == 2);
  CHECK(after.exports[1].name == "two words");
  CHECK(after.exports[0].arity == 1);
  REQUIRE(after.callbacks.size() == 2);
  CHECK(after.callbacks[1].optional);
  CHECK_FALSE(after.callbacks[0].optional);
  CHECK(after.has_struct);
  CHECK(after.struct_fields == before.struct_fields);
}

TEST_CASE("what is no archive is an empty one") {
  std::uint8_t junk[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  CHECK(Archive(junk, sizeof junk).count() == 0);
  CHECK(Archive(junk, 0).count() == 0);
  ArchiveWriter writer;
  writer.add(info("List"), {1});
  std::vector<std::uint8_t> bytes = writer.write();
  CHECK(Archive(bytes.data(), 20).count() == 0);
}
