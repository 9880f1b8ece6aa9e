#include <catch2/catch.hpp>

#include "compiler/driver/module_path.h"

using quelea::compiler::module_path;
using quelea::compiler::script_module;

TEST_CASE("a module name gives the path of its source") {
  CHECK(module_path("GenServer") == "gen_server");
  CHECK(module_path("Chat.Room") == "chat/room");
  CHECK(module_path("HTTPServer") == "http_server");
  CHECK(module_path("Base64") == "base64");
  CHECK(module_path("lower") == "");
  CHECK(module_path("A..B") == "");
  CHECK(module_path("A/../B") == "");
}

TEST_CASE("a script's module is made from its file name") {
  CHECK(script_module("/x/word-count.qu") == "Script.WordCount");
  CHECK(script_module("hello.qu") == "Script.Hello");
  CHECK(script_module("2048.qu") == "Script.S2048");
  CHECK(script_module("-") == "Script.Main");
}
