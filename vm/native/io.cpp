// The standard streams. They belong to the host; input that was read ahead waits in the machine.
#include <sys/ioctl.h>
#include <unistd.h>

#include <mutex>

#include "vm/native/posix.h"
#include "vm/proc/local.h"

namespace quelea {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxInputBytes = std::size_t{1} << 32;

struct StandardInput {
  static constexpr unsigned kVmSlot = 1;
  std::mutex lock;
  std::string buffer;  // guarded by lock, like the rest
  std::size_t at = 0;  // bytes of `buffer` that were handed out
  int error = 0;

  std::string_view ready() const { return std::string_view(buffer).substr(at); }
  /// Reads more; false at the end or on an error (`error` says which).
  bool fill(Vm& vm) {
    vm.flush(1);  // A prompt should be seen before its answer is awaited.
    if (at > 0) {
      buffer.erase(0, at);
      at = 0;
    }
    const std::size_t before = buffer.size();
    buffer.resize(before + kReadBytes);
    const std::ptrdiff_t got = vm.host().read(buffer.data() + before, kReadBytes);
    buffer.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    error = got < 0 ? static_cast<int>(-got) : 0;
    return got > 0;
  }
  Term take(Process& p, std::size_t size) {
    Term bytes = binary_from_text(p, ready().substr(0, size));
    at += size;
    charge_bytes(p, size);
    return ok_tuple(p, bytes);
  }
};

/// Locks it, but waits for others only on a thread of the pool.
std::unique_lock<std::mutex> use(Process& p, StandardInput& input) {
  if (p.on_pool()) return std::unique_lock(input.lock);
  return std::unique_lock(input.lock, std::try_to_lock);
}

Term eof(Process& p) { return atom_of(p, "eof"); }

/// 1 or 2; 0 for something else.
int output_device(Process& p, Term device) {
  if (device == Term::small(1) || is_atom_named(p, device, "stdio") ||
      is_atom_named(p, device, "stdout")) {
    return 1;
  }
  return device == Term::small(2) || is_atom_named(p, device, "stderr") ? 2 : 0;
}

int device_descriptor(Process& p, Term device) {
  if (is_atom_named(p, device, "stdin")) return 0;
  const int output = output_device(p, device);
  return output == 0 ? -1 : output;
}

}  // namespace

Term prim_io_write(Process& p, Args args) {
  const int device = output_device(p, args[0]);
  IodataBytes bytes;
  if (device == 0 || !bytes.get(args[1])) return badarg(p);
  charge_bytes(p, bytes.text().size());
  return p.vm().write(device, bytes.text()) ? atoms::ok : posix_error(p, EPIPE);
}

Term prim_io_flush(Process& p, Args args) {
  const int device = output_device(p, args[0]);
  if (device == 0) return badarg(p);
  p.vm().flush(device);
  return atoms::ok;
}

Term prim_io_read_line(Process& p, Args) {
  const AwayFromOthers away(p.local());
  auto& input = p.vm().area<StandardInput>();
  const auto hold = use(p, input);
  if (!hold) return p.to_pool();
  std::size_t searched = 0;
  while (true) {
    const std::size_t found = input.ready().find('\n', searched);
    if (found != std::string_view::npos) return input.take(p, found + 1);
    searched = input.ready().size();
    if (searched > kMaxInputBytes) return posix_error(p, ENOMEM);
    if (!p.on_pool()) return p.to_pool();
    if (!input.fill(p.vm())) break;
  }
  if (input.error != 0) return posix_error(p, input.error);
  return searched == 0 ? eof(p) : input.take(p, searched);
}

Term prim_io_read(Process& p, Args args) {
  std::int64_t wanted = 0;
  if (!get_count(args[0], wanted) || wanted <= 0) return badarg(p);
  const AwayFromOthers away(p.local());
  auto& input = p.vm().area<StandardInput>();
  const auto hold = use(p, input);
  if (!hold) return p.to_pool();
  while (input.ready().size() < static_cast<std::size_t>(wanted)) {
    if (input.ready().size() > kMaxInputBytes) return posix_error(p, ENOMEM);
    if (!p.on_pool()) return p.to_pool();
    if (!input.fill(p.vm())) break;
  }
  if (input.error != 0) return posix_error(p, input.error);
  const std::size_t ready = input.ready().size();
  if (ready == 0) return eof(p);
  return input.take(
      p, ready < static_cast<std::size_t>(wanted) ? ready : static_cast<std::size_t>(wanted));
}

Term prim_io_read_all(Process& p, Args) {
  auto& input = p.vm().area<StandardInput>();
  std::lock_guard hold(input.lock);
  while (input.fill(p.vm())) {
    if (input.ready().size() > kMaxInputBytes) return posix_error(p, ENOMEM);
  }
  if (input.error != 0) return posix_error(p, input.error);
  return input.take(p, input.ready().size());
}

Term prim_io_is_terminal(Process& p, Args args) {
  const int fd = device_descriptor(p, args[0]);
  if (fd < 0) return badarg(p);
  return make_bool(isatty(fd) == 1);
}

Term prim_io_columns(Process& p, Args args) {
  const int fd = device_descriptor(p, args[0]);
  if (fd < 0) return badarg(p);
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return atoms::nil;
  return Term::small(size.ws_col);
}

}  // namespace quelea
