// The commands. Each takes the options and the words after its own name, and gives an exit status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/quelea/options.h"

namespace CLI {
class App;
}

namespace cli {

using Words = std::vector<std::string>;

int run_file(const Options& options, const std::string& path, const Words& arguments);
int run_expression(const Options& options, const std::string& text, const Words& arguments);
int compile_command(const Options& options, const Words& words);
int check_command(const Options& options, const Words& words);
int disasm_command(const Options& options, const Words& words);
int test_command(const Options& options, const Words& words);

// Parses the words of one command ("quelea NAME" is the app's name). An exit status where there is
// nothing more to do: help was shown, or an error has been reported.
std::optional<int> parse_words(CLI::App& app, const Words& words);

}  // namespace cli
