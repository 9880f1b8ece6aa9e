#include "vm/native/posix.h"

#include <unistd.h>

#include <cstring>

#include "vm/term/integer.h"

namespace quelea {

Term posix_atom(Process& p, int error) {
  const char* name = strerrorname_np(error);
  if (name == nullptr) return atom_of(p, "eunknown");
  std::string text;
  for (; *name != 0; ++name) {
    text.push_back(*name >= 'A' && *name <= 'Z' ? static_cast<char>(*name | 0x20) : *name);
  }
  return atom_of(p, text);
}

Term binary_of_read(Process& p, SharedBytes* buffer, std::size_t size) {
  if (size <= kMaxHeapBinaryBytes || size < buffer->capacity / 4) {
    const Term copy = binary_from_bytes(p, buffer->bytes, size);
    if (!copy.is_none()) {
      buffer->release();
      return copy;
    }
  }
  return binary_from_shared(p, buffer, 8 * size);
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void Descriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

MapOf& MapOf::put(std::string_view key, std::int64_t value) {
  return put(key, make_integer(p_, value));
}

}  // namespace quelea
