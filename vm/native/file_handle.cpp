// Open files.
//
// A handle is a RefBinary whose shared part is an OpenFile: no other term can be made that points
// to one, the collector's own reference counts say when nobody holds it, and then the file is
// closed. Its bytes are a text for people. Reading is buffered here: chunks and lines may be mixed.
// Two processes may hold one handle; each operation is whole.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <mutex>

#include "vm/native/list_builder.h"
#include "vm/native/posix.h"
#include "vm/proc/local.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 30;

struct OpenFile : SharedBytes {
  std::mutex lock;
  std::string label;
  int fd = -1;           // guarded by lock, like the rest; -1 when closed
  MachineString buffer;  // read, not handed out yet
  std::size_t at = 0;    // bytes of `buffer` that were handed out

  std::string_view ready() const { return std::string_view(buffer).substr(at); }
  void drop_ready() {
    buffer.clear();
    at = 0;
  }
  void consume(std::size_t size) {
    at += size;
    if (at == buffer.size()) drop_ready();
  }
};

void dispose_open_file(SharedBytes* shared) {
  auto* file = static_cast<OpenFile*>(shared);
  if (file->fd >= 0) ::close(file->fd);
  delete file;
}

Term make_handle(Process& p, Descriptor descriptor, const std::string& path) {
  auto made = std::make_unique<OpenFile>();
  // The number tells handles of one path apart.
  made->label = "#File<" + std::to_string(p.next_reference_number()) + " " + path + ">";
  OpenFile* file = made.release();
  file->fd = descriptor.release();
  file->references.store(1, std::memory_order_relaxed);
  file->capacity = file->label.size();
  file->used.store(8 * file->capacity, std::memory_order_relaxed);
  file->bytes = reinterpret_cast<std::uint8_t*>(file->label.data());
  file->dispose = dispose_open_file;
  return binary_from_shared(p, file, 8 * file->capacity);
}

OpenFile* file_of(Term handle) {
  if (!handle.is_kind(Kind::RefBinary)) return nullptr;
  SharedBytes* shared = ref_binary_bytes(handle);
  return shared->dispose == dispose_open_file ? static_cast<OpenFile*>(shared) : nullptr;
}

Term eof(Process& p) { return atom_of(p, "eof"); }

/// Reads more behind what is ready: bytes read, 0 at the end, or a negative error number.
ssize_t fill(Process& p, OpenFile& file) {
  if (file.at > 0) {
    file.buffer.erase(0, file.at);
    file.at = 0;
  }
  const std::size_t before = file.buffer.size();
  const std::size_t wanted = before < kReadBytes ? kReadBytes : before;
  if (!p.vm().binaries().has_room(before + wanted)) return -ENOMEM;
  file.buffer.resize(before + wanted);
  const ssize_t got = retry([&] { return ::read(file.fd, file.buffer.data() + before, wanted); });
  const int error = errno;
  file.buffer.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  return got < 0 ? -error : got;
}

/// Opens the handle argument for one operation: closed files answer (:error, :ebadf). What finds
/// its data in the buffer does not need the pool; nobody else waits for a file or for who uses it.
class Using {
 public:
  Using(Process& p, Term handle) : away_(p.local()), file_(file_of(handle)) {
    if (file_ == nullptr) {
      failure_ = badarg(p);
      return;
    }
    hold_ = p.on_pool() ? std::unique_lock(file_->lock)
                        : std::unique_lock(file_->lock, std::try_to_lock);
    if (!hold_) {
      failure_ = p.to_pool();
      file_ = nullptr;
    } else if (file_->fd < 0) {
      failure_ = posix_error(p, EBADF);
      file_ = nullptr;
    }
  }
  explicit operator bool() const { return file_ != nullptr; }
  Term failure() const { return failure_; }
  OpenFile* operator->() const { return file_; }
  OpenFile& operator*() const { return *file_; }

 private:
  AwayFromOthers away_;
  OpenFile* file_;
  std::unique_lock<std::mutex> hold_;
  Term failure_ = Term::none();
};

/// Forgets what was read ahead, so that the descriptor's position is the program's.
bool sync_position(OpenFile& file) {
  const auto ahead = static_cast<off_t>(file.ready().size());
  file.drop_ready();
  return ahead == 0 || lseek(file.fd, -ahead, SEEK_CUR) >= 0;
}

}  // namespace

Term prim_file_open(Process& p, Args args) {
  Path path;
  if (!path.get(args[0])) return badarg(p);
  bool read = false, write = false, append = false, exclusive = false, truncate = false;
  Term modes = args[1];
  for (; modes.is_cons(); modes = modes.tail()) {
    if (!modes.head().is_atom()) return badarg(p);
    const std::string_view mode = text_of(p, modes.head());
    bool* flag = mode == "read"        ? &read
                 : mode == "write"     ? &write
                 : mode == "append"    ? &append
                 : mode == "exclusive" ? &exclusive
                 : mode == "truncate"  ? &truncate
                                       : nullptr;
    if (flag == nullptr) return badarg(p);
    *flag = true;
  }
  if (!modes.is_nil_list()) return badarg(p);
  const bool writes = write || append || exclusive || truncate;
  int flags = O_CLOEXEC | (writes ? (read ? O_RDWR : O_WRONLY) | O_CREAT : O_RDONLY);
  if (append) flags |= O_APPEND;
  if (exclusive) flags |= O_EXCL;
  if (truncate || (write && !read && !append)) flags |= O_TRUNC;
  Descriptor file(retry([&] { return open(path.c_str(), flags, 0666); }));
  if (!file.is_open()) return posix_error(p, errno);
  struct stat info;
  if (fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) return posix_error(p, EISDIR);
  return ok_tuple(p, make_handle(p, std::move(file), path.text()));
}

Term prim_file_read_chunk(Process& p, Args args) {
  std::int64_t wanted = 0;
  if (!get_count(args[1], wanted) || wanted <= 0) return badarg(p);
  Using file(p, args[0]);
  if (!file) return file.failure();
  const std::size_t size = static_cast<std::size_t>(wanted) < kMaxChunkBytes
                               ? static_cast<std::size_t>(wanted)
                               : kMaxChunkBytes;
  std::size_t have = file->ready().size() < size ? file->ready().size() : size;
  if (have < size && !p.on_pool()) return p.to_pool();
  if (size <= kMaxHeapBinaryBytes && have < size) {
    // Small pieces come out of the buffer.
    const ssize_t got = fill(p, *file);
    if (got < 0) return posix_error(p, static_cast<int>(-got));
    have = file->ready().size() < size ? file->ready().size() : size;
    if (have == 0) return eof(p);
  }
  if (have == size || size <= kMaxHeapBinaryBytes) {
    const Term bytes = text_term(p, file->ready().substr(0, have));
    if (bytes.is_none()) return bytes;
    file->consume(have);
    charge_bytes(p, have);
    return ok_tuple(p, bytes);
  }
  SharedBytes* shared = read_buffer(p, size);
  if (shared == nullptr) return posix_error(p, ENOMEM);
  std::memcpy(shared->bytes, file->ready().data(), have);
  file->consume(have);
  while (have < size) {
    const ssize_t got = retry([&] { return ::read(file->fd, shared->bytes + have, size - have); });
    if (got < 0 && have == 0) {
      const int error = errno;
      shared->release();
      return posix_error(p, error);
    }
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  charge_bytes(p, have);
  if (have > 0) return ok_tuple(p, binary_of_read(p, shared, have));
  shared->release();
  return eof(p);
}

Term prim_file_read_line(Process& p, Args args) {
  Using file(p, args[0]);
  if (!file) return file.failure();
  std::size_t searched = 0;
  std::size_t size = 0;
  while (true) {
    const std::size_t found = file->ready().find('\n', searched);
    if (found != std::string_view::npos) {
      size = found + 1;
      break;
    }
    searched = file->ready().size();
    if (searched > kMaxLineBytes) return posix_error(p, ENOMEM);
    if (!p.on_pool()) return p.to_pool();
    const ssize_t got = fill(p, *file);
    if (got < 0) return posix_error(p, static_cast<int>(-got));
    if (got == 0) {
      size = searched;
      break;
    }
  }
  if (size == 0) return eof(p);
  const Term line = text_term(p, file->ready().substr(0, size));
  if (line.is_none()) return line;
  file->consume(size);
  charge_bytes(p, size);
  return ok_tuple(p, line);
}

Term prim_file_read_lines(Process& p, Args args) {
  bool chomp = false;
  if (!get_bool(args[1], chomp)) return badarg(p);
  Using file(p, args[0]);
  if (!file) return file.failure();
  // Everything up to the last newline at hand becomes one binary; the lines are windows on it.
  std::size_t size = 0;
  while (true) {
    const std::size_t last = file->ready().rfind('\n');
    if (last != std::string_view::npos) {
      size = last + 1;
      break;
    }
    if (file->ready().size() > kMaxLineBytes) return posix_error(p, ENOMEM);
    if (!p.on_pool()) return p.to_pool();
    const ssize_t got = fill(p, *file);
    if (got < 0) return posix_error(p, static_cast<int>(-got));
    if (got == 0) {
      size = file->ready().size();
      break;
    }
  }
  if (size == 0) return eof(p);
  const Term block = text_term(p, file->ready().substr(0, size));
  if (block.is_none()) return block;
  const std::string_view text = binary_view(block).text();
  ListBuilder lines(p);
  for (std::size_t start = 0; start < size;) {
    const void* found = std::memchr(text.data() + start, '\n', size - start);
    const std::size_t next =
        found == nullptr
            ? size
            : static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1;
    std::size_t end = next;
    if (chomp && found != nullptr) {
      --end;
      if (end > start && text[end - 1] == '\r') --end;
    }
    lines.push(slice_of(p, block, start, end - start));
    start = next;
  }
  file->consume(size);
  charge_bytes(p, size + 64 * lines.size());
  return ok_tuple(p, lines.finish());
}

Term prim_file_put(Process& p, Args args) {
  IodataBytes bytes;
  if (!bytes.get(p, args[1])) return badarg(p);
  Using file(p, args[0]);
  if (!file) return file.failure();
  if (!sync_position(*file)) return posix_error(p, errno);
  charge_bytes(p, bytes.text().size());
  const int error = write_all(file->fd, bytes.text());
  return error == 0 ? atoms::ok : posix_error(p, error);
}

Term prim_file_seek(Process& p, Args args) {
  std::int64_t offset = 0;
  if (!integer_to_int64(args[2], offset)) return badarg(p);
  int whence = SEEK_SET;
  if (is_atom_named(p, args[1], "current")) {
    whence = SEEK_CUR;
  } else if (is_atom_named(p, args[1], "end")) {
    whence = SEEK_END;
  } else if (!is_atom_named(p, args[1], "start")) {
    return badarg(p);
  }
  Using file(p, args[0]);
  if (!file) return file.failure();
  if (!sync_position(*file)) return posix_error(p, errno);
  const off_t position = lseek(file->fd, offset, whence);
  return position < 0 ? posix_error(p, errno) : ok_tuple(p, Term::small(position));
}

Term prim_file_truncate(Process& p, Args args) {
  Using file(p, args[0]);
  if (!file) return file.failure();
  if (!sync_position(*file)) return posix_error(p, errno);
  const off_t position = lseek(file->fd, 0, SEEK_CUR);
  if (position < 0) return posix_error(p, errno);
  return ok_or_errno(p, ftruncate(file->fd, position));
}

Term prim_file_sync(Process& p, Args args) {
  Using file(p, args[0]);
  if (!file) return file.failure();
  return ok_or_errno(p, fsync(file->fd));
}

Term prim_file_close(Process& p, Args args) {
  OpenFile* file = file_of(args[0]);
  if (file == nullptr) return badarg(p);
  std::lock_guard hold(file->lock);
  if (file->fd < 0) return atoms::ok;
  file->drop_ready();
  const int fd = file->fd;
  file->fd = -1;
  return ok_or_errno(p, close(fd));
}

}  // namespace quelea
