// Where a module lives: `Chat.Room` in `chat/room.qu`, `GenServer` in `gen_server.qu`.
#pragma once

#include <string>
#include <string_view>

namespace quelea::compiler {

// The relative path of a module's source without its suffix, or "" for what is no module name.
std::string module_path(std::string_view module);

// The module that a script file makes: `Script.<FileName>`; "word-count.qu" is `Script.WordCount`.
std::string script_module(std::string_view file_name);

}  // namespace quelea::compiler
