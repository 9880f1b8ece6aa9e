// The `quelea` command: an embedder of the library like any other. It uses the public header alone,
// owns the process's standard streams and signals, and turns what happened into an exit status.
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "tools/quelea/commands.h"
#include "tools/quelea/options.h"

namespace cli {
namespace {

struct Command {
  const char* name;
  int (*run)(const Options&, const Words&);
};

constexpr Command kCommands[] = {
    {"compile", compile_command},
    {"check", check_command},
    {"disasm", disasm_command},
    {"test", test_command},
};

// Commands of later versions.
constexpr const char* kAbsent[] = {"repl",  "fmt", "new", "run",     "remote", "load",
                                   "build", "doc", "lsp", "observe", "bench"};

// A program's files must not get the number of a standard descriptor that is closed: what is
// printed would go into them. Opened the other way round, writing and reading them fail as they
// would closed.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
      open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int run(int argc, char** argv) {
  Options options;
  if (auto status = parse_options(argc, argv, options)) return *status;
  if (options.expression) return run_expression(options, *options.expression, options.rest);
  if (options.rest.empty())
    return usage_error(
        "the interactive shell is not in this build; give a file to run, or -e EXPR");
  const std::string& first = options.rest.front();
  Words words(options.rest.begin() + 1, options.rest.end());
  for (const Command& command : kCommands)
    if (first == command.name) return command.run(options, words);
  for (const char* name : kAbsent)
    if (first == name) return failure("'" + first + "' is not in this build");
  return run_file(options, first, words);
}

// What the commands themselves print goes through stdio; output that is lost is no success.
int main(int argc, char** argv) {
  occupy_standard_descriptors();
  int status = run(argc, argv);
  errno = 0;
  if (fflush(stdout) == 0 && ferror(stdout) == 0) return status;
  failure(std::string("cannot write standard output: ") + strerror(errno != 0 ? errno : EIO));
  return status == 0 ? 1 : status;
}

}  // namespace
}  // namespace cli

int main(int argc, char** argv) { return cli::main(argc, argv); }
