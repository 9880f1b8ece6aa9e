#include "tools/quelea/options.h"

#include <quelea/quelea.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/quelea/commands.h"

namespace cli {
namespace {

const char kFooter[] =
    "Commands:\n"
    "  FILE [ARGS...]            compile a .qu source in memory and run it, or run a compiled "
    ".qb;\n"
    "                            '-' reads standard input\n"
    "  compile [-o DIR] FILES    write .qb modules\n"
    "  check FILES               report errors and warnings, write nothing\n"
    "  test [PATHS]              run test blocks and documented examples\n"
    "  disasm FILE               show the bytecode as text\n"
    "\n"
    "What stands after FILE belongs to the program.\n"
    "Exit status: 0 for a normal end or what System.halt was given, 1 for an exception that "
    "nothing\n"
    "caught, 2 for a source that does not compile or a wrong command line.";

struct Help : CLI::Formatter {
  std::string make_usage(const CLI::App*, std::string) const override {
    return "Usage: quelea [OPTIONS] FILE [ARGS...]\n       quelea [OPTIONS] COMMAND ...\n"
           "       quelea [OPTIONS] -e EXPR [ARGS...]\n";
  }
};

// Options of later versions: said clearly rather than ignored.
struct Absent {
  std::string jit, name, cookie, allow, deny;

  std::string complaint() const {
    if (!jit.empty() && jit != "off")
      return "--jit " + jit + ": this build has no native tier; programs run in the interpreter";
    if (!name.empty() || !cookie.empty())
      return "--name and --cookie: this build has no distribution between nodes";
    if (!allow.empty() || !deny.empty())
      return "--allow and --deny: this build has no capabilities; it cannot confine a program";
    return "";
  }
};

// What is read into an unsigned number as it stands: "-1" would be the largest one.
std::string is_count(const std::string& text) {
  const bool good = !text.empty() && text.size() < 20 &&
                    text.find_first_not_of("0123456789") == std::string::npos;
  return good ? "" : text + " is no number of processes";
}

void declare(CLI::App& app, Options& options, Absent& absent, std::string& memory,
             std::string& log_level, std::string& expression) {
  // The last one counts, so that what an alias or a script gives can be changed.
  auto plain = [](CLI::Option* option) { return option->allow_extra_args(false)->take_last(); };
  app.set_version_flag("--version", std::string("quelea ") + quelea_version());
  plain(app.add_option("-e", expression, "Evaluate this instead of a file"))
      ->type_name("EXPR")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  plain(app.add_option("--path", options.paths,
                       "Search modules here, after the file's own folder; may be given repeatedly"))
      ->type_name("DIR")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  plain(app.add_option("--seed", options.seed,
                       "Run deterministically: N decides the schedule and what is random, time is "
                       "virtual"))
      ->type_name("N");
  plain(app.add_option("--trace-schedule", options.trace_schedule,
                       "With --seed: write a line for each slice (time, pid, reductions)"))
      ->type_name("FILE");
  plain(app.add_option("--schedulers", options.schedulers,
                       "Threads that run processes (default: one for each CPU)"))
      ->type_name("N")
      ->check(CLI::Range(1u, 512u));
  plain(app.add_option("--max-memory", memory, "Limit the memory of processes: 512M, 2G"))
      ->type_name("SIZE");
  plain(app.add_option("--max-processes", options.max_processes, "Limit the number of processes"))
      ->type_name("N")
      ->check(is_count);
  plain(app.add_option("--log", log_level, "debug, info, warning or error"))
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  plain(app.add_option("--jit", absent.jit, "Native tier: this build has 'off' alone"))
      ->check(CLI::IsMember({"off", "on", "eager"}));
  for (auto& [name, value] : {std::pair<const char*, std::string*>{"--name", &absent.name},
                              {"--cookie", &absent.cookie},
                              {"--allow", &absent.allow},
                              {"--deny", &absent.deny}})
    plain(app.add_option(name, *value, ""))->group("");
}

// The number of leading words of argv that are options and their values: the first other word is
// the file or the command, and what follows it is none of our business.
int count_option_words(const CLI::App& app, int argc, char** argv) {
  int at = 1;
  while (at < argc) {
    std::string word = argv[at];
    if (word.size() < 2 || word[0] != '-') break;
    if (word == "--") break;
    at++;
    bool is_long = word[1] == '-';
    if (is_long ? word.find('=') != std::string::npos : word.size() > 2) continue;
    const CLI::Option* option = app.get_option_no_throw(word);
    if (option != nullptr && option->get_items_expected_min() > 0 && at < argc) at++;
  }
  return at;
}

}  // namespace

bool parse_size(const std::string& text, uint64_t& bytes) {
  size_t end = 0;
  uint64_t number = 0;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
    if (number > (UINT64_MAX - 9) / 10) return false;
    number = number * 10 + static_cast<uint64_t>(text[end++] - '0');
  }
  if (end == 0) return false;
  std::string suffix = text.substr(end);
  for (char& c : suffix) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  if (!suffix.empty() && suffix.back() == 'B') suffix.pop_back();
  static const std::string kSuffixes[] = {"", "K", "M", "G", "T"};
  for (size_t i = 0; i < 5; i++)
    if (suffix == kSuffixes[i] && number <= (UINT64_MAX >> (10 * i))) {
      bytes = number << (10 * i);
      return true;
    }
  return false;
}

int usage_error(const std::string& message) {
  fprintf(stderr, "quelea: %s\nTry 'quelea --help'.\n", message.c_str());
  return kExitUsage;
}

int failure(const std::string& message) {
  fprintf(stderr, "quelea: %s\n", message.c_str());
  return kExitUsage;
}

std::optional<int> parse_words(CLI::App& app, const Words& words) {
  try {
    app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::string command = app.get_name();
    return usage_error(command.substr(command.find(' ') + 1) + ": " + error.what());
  }
  return std::nullopt;
}

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  // Most runs have no options: do not pay for declaring them.
  if (argc > 1 && argv[1][0] != '-') {
    options.rest.assign(argv + 1, argv + argc);
    return std::nullopt;
  }
  CLI::App app("The Quelea language: runs, compiles and tests programs.", "quelea");
  app.formatter(std::make_shared<Help>());
  app.footer(kFooter);
  Absent absent;
  std::string memory, log_level, expression;
  declare(app, options, absent, memory, log_level, expression);
  int words = count_option_words(app, argc, argv);
  try {
    app.parse(words, argv);
  } catch (const CLI::CallForHelp&) {
    fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion& version) {
    printf("%s\n", version.what());
    return 0;
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (std::string complaint = absent.complaint(); !complaint.empty()) return failure(complaint);
  if (!memory.empty() && !parse_size(memory, options.max_memory_bytes))
    return usage_error("--max-memory " + memory + ": not a size; write 512M or 2G");
  if (log_level == "debug") options.log_level = LogLevel::kDebug;
  if (log_level == "info") options.log_level = LogLevel::kInfo;
  if (log_level == "error") options.log_level = LogLevel::kError;
  options.deterministic = app.count("--seed") > 0;
  if (!options.trace_schedule.empty() && !options.deterministic)
    return usage_error("--trace-schedule: give --seed N, too; other runs are not traced");
  if (app.count("-e") > 0) options.expression = expression;
  if (words < argc && std::string(argv[words]) == "--") words++;
  options.rest.assign(argv + words, argv + argc);
  return std::nullopt;
}

}  // namespace cli
