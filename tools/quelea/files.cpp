#include "tools/quelea/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace cli {

namespace fs = std::filesystem;

bool read_file(const std::string& path, std::string& bytes, std::string& error) {
  int fd = path == "-" ? 0 : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    error = strerror(errno);
    return false;
  }
  struct stat info;
  size_t expected = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : 0;
  bytes.clear();
  bool ok = true;
  // What has no size of its own is read in pieces that grow with it: a small one touches few pages.
  constexpr size_t kLeast = 4096, kMost = 1 << 20;
  for (;;) {
    size_t have = bytes.size();
    size_t want = have < expected ? expected - have + 1 : std::clamp(have, kLeast, kMost);
    bytes.resize(have + want);
    ssize_t n = read(fd, bytes.data() + have, want);
    bytes.resize(have + (n > 0 ? n : 0));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      error = strerror(errno);
      ok = false;
      break;
    }
  }
  if (fd != 0) close(fd);
  return ok;
}

bool write_file(const std::string& path, const uint8_t* bytes, size_t length, std::string& error) {
  std::error_code code;
  fs::create_directories(fs::path(folder_of(path)), code);
  // Written beside and renamed, so that a machine that looks meanwhile sees the old or the new
  // file.
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool ok = fd >= 0;
  for (size_t done = 0; ok && done < length;) {
    ssize_t n = write(fd, bytes + done, length - done);
    if (n < 0 && errno == EINTR) continue;
    ok = n > 0;
    if (ok) done += static_cast<size_t>(n);
  }
  if (fd >= 0 && close(fd) != 0) ok = false;
  if (ok && rename(temporary.c_str(), path.c_str()) != 0) ok = false;
  if (!ok) {
    error = strerror(errno);
    unlink(temporary.c_str());
  }
  return ok;
}

bool is_bytecode(const std::string& bytes) { return bytes.compare(0, 4, "QLEA") == 0; }

std::string folder_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::vector<std::string> find_sources(const std::vector<std::string>& paths,
                                      std::vector<std::string>& missing) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code code;
    if (!fs::is_directory(path, code)) {
      (fs::exists(path, code) ? files : missing).push_back(path);
      continue;
    }
    std::vector<std::string> found;
    fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, code);
    for (; !code && it != fs::recursive_directory_iterator(); it.increment(code)) {
      std::string name = it->path().filename().string();
      // Hidden folders and build output hold no sources of the project's own.
      if (it->is_directory(code) && (name[0] == '.' || name == "build")) {
        it.disable_recursion_pending();
      } else if (it->path().extension() == ".qu") {
        found.push_back(it->path().string());
      }
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

}  // namespace cli
