// A small driver for fuzz targets where libFuzzer is not there: it feeds a target the seeds that
// target (or the command line) gives and deterministic mutations of them.
//
//   fuzz_NAME [--runs N] [--seed S] [--max-seconds T] [--one FILE] [SEEDS...]
//
// SEEDS are files or folders; without any, tests/fuzz/seeds/<name>. All files of a folder are
// taken, in order of name. From nothing at all the empty input is mutated. The input being tried is
// written to /tmp/fuzz-crash-<name>-<seed> by the signal handler when a run crashes, and the seed
// is printed, so that every failure can be run again.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

// The state that the crash handler reads; written before each run.
const uint8_t* current_data = nullptr;
size_t current_size = 0;
char crash_path[512];

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  size_t below(size_t n) { return n == 0 ? 0 : next() % n; }

 private:
  uint64_t state_;
};

struct Options {
  uint64_t runs = 2000;
  uint64_t seed = 1;
  double max_seconds = 20;
  std::string one;
  std::vector<std::string> files;
};

void on_crash(int signal_number) {
  int fd = open(crash_path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (fd >= 0) {
    size_t done = 0;
    while (done < current_size) {
      ssize_t n = write(fd, current_data + done, current_size - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    close(fd);
  }
  const char text[] = "fuzz: crashed; the input is in ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, crash_path, strlen(crash_path));
  (void)!write(2, "\n", 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

void run(const Bytes& input) {
  // A copy of exactly this size, so that a sanitizer sees a read past the end.
  uint8_t* copy = static_cast<uint8_t*>(malloc(input.empty() ? 1 : input.size()));
  if (!input.empty()) memcpy(copy, input.data(), input.size());
  current_data = copy;
  current_size = input.size();
  LLVMFuzzerTestOneInput(copy, input.size());
  current_data = nullptr;
  current_size = 0;
  free(copy);
}

// A whole line of `bytes`, its newline included: most edits of text that go by lines leave it
// valid.
Bytes random_line(const Bytes& bytes, Random& random, size_t& begin) {
  begin = random.below(bytes.size());
  while (begin > 0 && bytes[begin - 1] != '\n') begin--;
  size_t end = begin;
  while (end < bytes.size() && bytes[end] != '\n') end++;
  if (end < bytes.size()) end++;
  return Bytes(bytes.begin() + begin, bytes.begin() + end);
}

void mutate_lines(Bytes& bytes, const std::vector<Bytes>& seeds, Random& random) {
  if (bytes.empty()) return;
  size_t at = 0, from = 0;
  Bytes line = random_line(bytes, random, at);
  switch (random.below(3)) {
    case 0:
      bytes.erase(bytes.begin() + at, bytes.begin() + at + line.size());
      break;
    case 1:
      random_line(bytes, random, at);
      bytes.insert(bytes.begin() + at, line.begin(), line.end());
      break;
    default:
      if (seeds.empty()) break;
      const Bytes& other = seeds[random.below(seeds.size())];
      if (other.empty()) break;
      line = random_line(other, random, from);
      bytes.insert(bytes.begin() + at, line.begin(), line.end());
      break;
  }
}

bool is_word(uint8_t c) { return isalnum(c) || c == '_' || c == ':' || c == '.'; }

// The bounds of a word at or after a random place; false when there is none.
bool random_word(const Bytes& bytes, Random& random, size_t& begin, size_t& end) {
  if (bytes.empty()) return false;
  begin = random.below(bytes.size());
  while (begin < bytes.size() && !is_word(bytes[begin])) begin++;
  end = begin;
  while (end < bytes.size() && is_word(bytes[end])) end++;
  return begin < end;
}

// Puts a word from somewhere in place of another: 1 becomes :ok, x becomes f.
void mutate_words(Bytes& bytes, const std::vector<Bytes>& seeds, Random& random) {
  const Bytes source =
      random.below(3) == 0 || seeds.empty() ? bytes : seeds[random.below(seeds.size())];
  size_t begin, end, from, to;
  if (!random_word(bytes, random, begin, end) || !random_word(source, random, from, to)) return;
  bytes.erase(bytes.begin() + begin, bytes.begin() + end);
  bytes.insert(bytes.begin() + begin, source.begin() + from, source.begin() + to);
}

void mutate_once(Bytes& bytes, const std::vector<Bytes>& seeds, Random& random) {
  static const uint8_t kInteresting[] = {0,   1,    7,   8,   0x20, 0x7f, 0x80, 0xff,
                                         '{', '}',  '(', ')', '[',  ']',  '"',  '$',
                                         '#', '\n', '<', '>', '%',  ':',  '|'};
  size_t at = random.below(bytes.size() + 1);
  switch (random.below(15)) {
    case 0:
      if (at < bytes.size()) bytes[at] ^= static_cast<uint8_t>(1u << random.below(8));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<uint8_t>(random.next());
      break;
    case 2:
      bytes.insert(bytes.begin() + at, kInteresting[random.below(sizeof kInteresting)]);
      break;
    case 3: {
      size_t n = std::min(bytes.size() - at, 1 + random.below(16));
      bytes.erase(bytes.begin() + at, bytes.begin() + at + n);
      break;
    }
    case 4: {  // Repeat a piece.
      size_t n = std::min(bytes.size() - at, 1 + random.below(64));
      Bytes piece(bytes.begin() + at, bytes.begin() + at + n);
      size_t times = 1 + random.below(8);
      for (size_t i = 0; i < times; i++)
        bytes.insert(bytes.begin() + at, piece.begin(), piece.end());
      break;
    }
    case 5:
      bytes.resize(at);
      break;
    case 6: {  // Splice with another seed.
      if (seeds.empty()) break;
      const Bytes& other = seeds[random.below(seeds.size())];
      size_t from = random.below(other.size() + 1);
      size_t n = std::min(other.size() - from, random.below(200));
      bytes.insert(bytes.begin() + at, other.begin() + from, other.begin() + from + n);
      break;
    }
    case 7:
    case 8:
    case 9:
      mutate_lines(bytes, seeds, random);
      break;
    case 10:
    case 11:
    case 12:
    case 13:
      mutate_words(bytes, seeds, random);
      break;
    default: {  // A large or small number in two or four bytes, either end first.
      uint32_t value = random.below(2) ? 0xffffffffu : static_cast<uint32_t>(random.below(300));
      size_t width = random.below(2) ? 2 : 4;
      for (size_t i = 0; i < width && at + i < bytes.size(); i++)
        bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
      break;
    }
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    std::string arg = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (arg == "--runs")
      options.runs = strtoull(value(), nullptr, 10);
    else if (arg == "--seed")
      options.seed = strtoull(value(), nullptr, 10);
    else if (arg == "--max-seconds")
      options.max_seconds = strtod(value(), nullptr);
    else if (arg == "--one")
      options.one = value();
    else
      options.files.push_back(arg);
  }
  return options;
}

std::vector<Bytes> load_seeds(const Options& options, const std::string& name) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths = options.files, files;
  if (paths.empty())
    paths.push_back((fs::path(QUELEA_TEST_DIR) / "fuzz" / "seeds" / name).string());
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) files.push_back(path);
    for (auto& entry : fs::recursive_directory_iterator(path, error))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> seeds;
  for (const std::string& file : files) seeds.push_back(read_file(file));
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  std::string name = std::filesystem::path(argv[0]).filename().string();
  if (name.rfind("fuzz_", 0) == 0) name = name.substr(5);
  snprintf(crash_path, sizeof crash_path, "/tmp/fuzz-crash-%s-%llu", name.c_str(),
           static_cast<unsigned long long>(options.seed));
  for (int s : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) signal(s, on_crash);

  if (!options.one.empty()) {
    run(read_file(options.one));
    return 0;
  }
  auto start = std::chrono::steady_clock::now();
  auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  printf("fuzz %s: seed %llu\n", name.c_str(), static_cast<unsigned long long>(options.seed));
  fflush(stdout);
  std::vector<Bytes> seeds = load_seeds(options, name);
  for (const Bytes& seed : seeds) run(seed);
  Random random(options.seed);
  uint64_t done = 0;
  while (done < options.runs && seconds() < options.max_seconds) {
    Bytes input = seeds.empty() ? Bytes() : seeds[random.below(seeds.size())];
    size_t edits = 1 + random.below(6);
    for (size_t i = 0; i < edits; i++) mutate_once(input, seeds, random);
    if (input.size() > 1 << 20) input.resize(1 << 20);
    run(input);
    done++;
  }
  printf("fuzz %s: %zu seeds and %llu mutations in %.1f s\n", name.c_str(), seeds.size(),
         static_cast<unsigned long long>(done), seconds());
  return 0;
}
