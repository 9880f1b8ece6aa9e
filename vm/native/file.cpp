// Files and directories by path. Open files are in file_handle.cpp.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>

#include "vm/native/list_builder.h"
#include "vm/native/posix.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 34;

/// Reads to the end. The size is only a first guess: files of /proc say 0, others grow.
Term read_to_end(Process& p, int fd, std::size_t expected) {
  std::size_t capacity = expected + 1 < 4096 ? 4096 : expected + 1;
  SharedBytes* shared = read_buffer(p, capacity);
  if (shared == nullptr) return posix_error(p, ENOMEM);
  std::size_t size = 0;
  while (true) {
    if (size == capacity) {
      SharedBytes* larger = capacity >= kMaxFileBytes ? nullptr : read_buffer(p, 2 * capacity);
      if (larger == nullptr) {
        shared->release();
        return posix_error(p, ENOMEM);
      }
      std::memcpy(larger->bytes, shared->bytes, size);
      shared->release();
      shared = larger;
      capacity *= 2;
    }
    const ssize_t got = retry([&] { return ::read(fd, shared->bytes + size, capacity - size); });
    if (got < 0) {
      const int error = errno;
      shared->release();
      return posix_error(p, error);
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  charge_bytes(p, size);
  return ok_tuple(p, binary_of_read(p, shared, size));
}

}  // namespace

Term prim_file_read(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  const Descriptor file(retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!file.is_open()) return posix_error(p, errno);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return posix_error(p, errno);
  if (S_ISDIR(info.st_mode)) return posix_error(p, EISDIR);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kMaxFileBytes) return posix_error(p, EFBIG);
  return read_to_end(p, file.get(), size);
}

Term prim_file_write(Process& p, Args args) {
  Path path;
  IodataBytes bytes;
  if (!path.get(args[0]) || !bytes.get(p, args[1])) return badarg(p);
  int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
  if (is_atom_named(p, args[2], "write")) {
    flags |= O_TRUNC;
  } else if (is_atom_named(p, args[2], "append")) {
    flags |= O_APPEND;
  } else if (is_atom_named(p, args[2], "exclusive")) {
    flags |= O_EXCL;
  } else {
    return badarg(p);
  }
  Descriptor file(retry([&] { return open(path.c_str(), flags, 0666); }));
  if (!file.is_open()) return posix_error(p, errno);
  charge_bytes(p, bytes.text().size());
  if (int error = write_all(file.get(), bytes.text()); error != 0) return posix_error(p, error);
  return ok_or_errno(p, close(file.release()));
}

Term prim_file_stat(Process& p, Args args) {
  Path path;
  bool follow = false;
  if (!path.get(args[0]) || !get_bool(args[1], follow)) return badarg(p);
  struct stat info;
  if (fstatat(AT_FDCWD, path.c_str(), &info, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    return posix_error(p, errno);
  }
  const char* type = S_ISREG(info.st_mode)                            ? "regular"
                     : S_ISDIR(info.st_mode)                          ? "directory"
                     : S_ISLNK(info.st_mode)                          ? "symlink"
                     : S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode) ? "device"
                                                                      : "other";
  auto ns = [](const timespec& t) {
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
  };
  return ok_tuple(p, MapOf(p)
                         .put("size", info.st_size)
                         .put("type", atom_of(p, type))
                         .put("mode", info.st_mode & 07777)
                         .put("mtime_ns", ns(info.st_mtim))
                         .put("atime_ns", ns(info.st_atim))
                         .put("ctime_ns", ns(info.st_ctim))
                         .put("uid", info.st_uid)
                         .put("gid", info.st_gid)
                         .put("inode", static_cast<std::int64_t>(info.st_ino))
                         .put("links", static_cast<std::int64_t>(info.st_nlink))
                         .finish());
}

Term prim_file_exists(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  return make_bool(access(path.c_str(), F_OK) == 0);
}

namespace {

/// Names in a directory without . and ..; 0 or the error number.
int read_directory(const char* path, std::vector<std::string>& names) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path), closedir);
  if (directory == nullptr) return errno;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  return errno;
}

/// A path that the C library allocated; null where there is none, and errno says why.
Term path_term(Process& p, char* path) {
  const std::unique_ptr<char, void (*)(void*)> owner(path, std::free);
  return path == nullptr ? posix_error(p, errno) : ok_tuple(p, text_term(p, path));
}

}  // namespace

Term prim_file_list(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  std::vector<std::string> names;
  if (int error = read_directory(path.c_str(), names); error != 0) return posix_error(p, error);
  std::sort(names.begin(), names.end());
  ListBuilder out(p);
  for (const std::string& name : names) {
    if (!out.push_made(text_term(p, name))) return Term::none();
  }
  charge_cells(p, 16 * names.size());
  return ok_tuple(p, out.finish());
}

Term prim_file_mkdir(Process& p, Args args) {
  Path path;
  bool parents = false;
  if (!path.get(args[0]) || !get_bool(args[1], parents)) return badarg(p);
  if (!parents) return ok_or_errno(p, mkdir(path.c_str(), 0777));
  const std::string& text = path.text();
  for (std::size_t at = 0; at < text.size();) {
    at = text.find('/', at + 1);
    if (at == std::string::npos) at = text.size();
    const std::string part = text.substr(0, at);
    if (mkdir(part.c_str(), 0777) == 0 || errno == EEXIST || at < text.size()) continue;
    return posix_error(p, errno);
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return posix_error(p, errno);
  return S_ISDIR(info.st_mode) ? atoms::ok : posix_error(p, EEXIST);
}

Term prim_file_remove(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  return ok_or_errno(p, unlink(path.c_str()));
}

Term prim_file_rmdir(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  return ok_or_errno(p, rmdir(path.c_str()));
}

Term prim_file_remove_tree(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  struct Entry {
    std::string path;
    bool emptied = false;
  };
  std::int64_t removed = 0;
  auto failed = [&](int error, const std::string& at) {
    const Term where = text_term(p, at);
    return where.is_none() ? where : error_tuple(p, p.tuple(posix_atom(p, error), where));
  };
  if (unlink(path.c_str()) == 0) return ok_tuple(p, Term::small(1));
  if (errno != EISDIR && errno != EPERM) return failed(errno, path.text());
  // Each directory is visited twice: to remove its files and note its directories, and to remove
  // itself.
  std::vector<Entry> stack{{path.text()}};
  while (!stack.empty()) {
    const std::string at = stack.back().path;
    if (stack.back().emptied) {
      if (rmdir(at.c_str()) != 0) return failed(errno, at);
      ++removed;
      stack.pop_back();
      continue;
    }
    stack.back().emptied = true;
    std::vector<std::string> names;
    if (int error = read_directory(at.c_str(), names); error != 0) return failed(error, at);
    for (const std::string& name : names) {
      std::string inner = at + "/" + name;
      if (unlink(inner.c_str()) == 0) {
        ++removed;
      } else if (errno == EISDIR || errno == EPERM) {
        stack.push_back({std::move(inner)});
      } else {
        return failed(errno, inner);
      }
    }
  }
  p.charge(removed);
  return ok_tuple(p, Term::small(removed));
}

namespace {

Term two_paths(Process& p, Args args, int (*call)(const char*, const char*)) {
  Path first;
  Path second;
  if (!first.get(args[0]) || !second.get(args[1])) return badarg(p);
  return ok_or_errno(p, call(first.c_str(), second.c_str()));
}

}  // namespace

Term prim_file_rename(Process& p, Args args) { return two_paths(p, args, std::rename); }
Term prim_file_link(Process& p, Args args) { return two_paths(p, args, link); }
Term prim_file_symlink(Process& p, Args args) { return two_paths(p, args, symlink); }

Term prim_file_chmod(Process& p, Args args) {
  Path path;
  std::int64_t mode = 0;
  if (!path.get(args[0]) || !get_count(args[1], mode) || mode < 0 || mode > 07777) return badarg(p);
  return ok_or_errno(p, chmod(path.c_str(), static_cast<mode_t>(mode)));
}

Term prim_file_touch(Process& p, Args args) {
  Path path;
  std::int64_t ns = 0;
  timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (!path.get(args[0])) return badarg(p);
  if (!is_atom_named(p, args[1], "now")) {
    if (!integer_to_int64(args[1], ns)) return badarg(p);
    std::int64_t seconds = ns / 1'000'000'000;
    std::int64_t rest = ns % 1'000'000'000;
    if (rest < 0) --seconds, rest += 1'000'000'000;
    times[0] = times[1] = {seconds, rest};
  }
  if (utimensat(AT_FDCWD, path.c_str(), times, 0) == 0) return atoms::ok;
  if (errno != ENOENT) return posix_error(p, errno);
  const Descriptor file(
      retry([&] { return open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666); }));
  if (!file.is_open()) return posix_error(p, errno);
  return ok_or_errno(p, futimens(file.get(), times));
}

Term prim_file_copy(Process& p, Args args) {
  Path from;
  Path to;
  if (!from.get(args[0]) || !to.get(args[1])) return badarg(p);
  const Descriptor in(retry([&] { return open(from.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!in.is_open()) return posix_error(p, errno);
  struct stat source;
  struct stat target;
  if (fstat(in.get(), &source) != 0) return posix_error(p, errno);
  if (S_ISDIR(source.st_mode)) return posix_error(p, EISDIR);
  if (stat(to.c_str(), &target) == 0 && target.st_dev == source.st_dev &&
      target.st_ino == source.st_ino) {
    return posix_error(p, EINVAL);  // truncating the target would lose the source
  }
  Descriptor out(retry([&] {
    return open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, source.st_mode & 0777);
  }));
  if (!out.is_open()) return posix_error(p, errno);
  std::int64_t copied = 0;
  std::string buffer(256 * 1024, '\0');
  while (true) {
    const ssize_t got = retry([&] { return read(in.get(), buffer.data(), buffer.size()); });
    if (got < 0) return posix_error(p, errno);
    if (got == 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (int error = write_all(out.get(), bytes); error != 0) return posix_error(p, error);
    copied += got;
  }
  if (fchmod(out.get(), source.st_mode & 07777) != 0) return posix_error(p, errno);
  if (close(out.release()) != 0) return posix_error(p, errno);
  charge_bytes(p, static_cast<std::size_t>(copied));
  return ok_tuple(p, Term::small(copied));
}

Term prim_file_read_link(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  if (size < 0) return posix_error(p, errno);
  return ok_tuple(p, text_term(p, {target, static_cast<std::size_t>(size)}));
}

Term prim_file_real_path(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  return path_term(p, realpath(path.c_str(), nullptr));
}

Term prim_file_cwd(Process& p, Args) { return path_term(p, getcwd(nullptr, 0)); }

Term prim_file_temp_dir(Process& p, Args) {
  std::string value;
  for (const char* name : {"TMPDIR", "TMP", "TEMP"}) {
    struct stat info;
    if (environment_get(p.vm(), name, value) && stat(value.c_str(), &info) == 0 &&
        S_ISDIR(info.st_mode)) {
      return text_term(p, value);
    }
  }
  return text_term(p, "/tmp");
}

Term prim_file_make_temp(Process& p, Args args) {
  Path directory;
  Path prefix;
  if (!directory.get(args[0]) || !prefix.get(args[1]) ||
      prefix.text().find('/') != std::string::npos) {
    return badarg(p);
  }
  const bool is_file = is_atom_named(p, args[2], "file");
  if (!is_file && !is_atom_named(p, args[2], "directory")) return badarg(p);
  std::string path = directory.text() + "/" + prefix.text() + "XXXXXX";
  // First: of what is made without one nobody would know the name.
  std::uint8_t* name = nullptr;
  const Term result = new_binary(p, path.size(), &name);
  if (result.is_none()) return result;
  if (is_file) {
    const Descriptor file(mkostemp(path.data(), O_CLOEXEC));
    if (!file.is_open()) return posix_error(p, errno);
  } else if (mkdtemp(path.data()) == nullptr) {
    return posix_error(p, errno);
  }
  std::memcpy(name, path.data(), path.size());
  return ok_tuple(p, result);
}

}  // namespace quelea
