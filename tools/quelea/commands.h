// The commands. Each takes the options and the words after its own name, and gives an exit status.
#pragma once

#include <string>
#include <vector>

#include "tools/quelea/options.h"

namespace cli {

using Words = std::vector<std::string>;

int run_file(const Options& options, const std::string& path, const Words& arguments);
int run_expression(const Options& options, const std::string& text, const Words& arguments);
int compile_command(const Options& options, const Words& words);
int check_command(const Options& options, const Words& words);
int disasm_command(const Options& options, const Words& words);
int test_command(const Options& options, const Words& words);

}  // namespace cli
