// The standard streams. They belong to the host; input that was read ahead waits in the machine.
#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "vm/native/iodata.h"
#include "vm/native/pool.h"
#include "vm/native/posix.h"
#include "vm/proc/local.h"
#include "vm/proc/output.h"
#include "vm/proc/waiting.h"

namespace quelea {
namespace {

constexpr std::size_t kInputBytes = 64 * 1024;
constexpr std::size_t kMaxInputBytes = std::size_t{1} << 32;

/// What was read ahead.
struct StandardInput {
  static constexpr unsigned kVmSlot = 1;
  Turn turn;
  // Of whose turn it is:
  MachineString buffer;
  std::size_t at = 0;  ///< Bytes of `buffer` that were handed out.
  int error = 0;

  std::string_view ready() const { return std::string_view(buffer).substr(at); }
  Term take(Process& p, std::size_t size) {
    const Term bytes = text_term(p, ready().substr(0, size));
    if (bytes.is_none()) return bytes;
    at += size;
    charge_bytes(p, size);
    return ok_tuple(p, bytes);
  }
};

enum class Filled { More, End, Later };

/// Reads more, on the pool, to which flushing sends who is not there. Later: the native returns
/// none.
Filled fill(Process& p, StandardInput& input) {
  const std::size_t ready = input.ready().size();
  if (ready > kMaxInputBytes || !p.vm().binaries().has_room(ready)) {
    input.error = ENOMEM;
    return Filled::End;
  }
  // A prompt should be seen before its answer is awaited.
  if (p.vm().output().flush(p, 1) == Output::kLater) return Filled::Later;
  const AwayFromOthers away(p.local(), &input.turn);
  if (input.at > 0) {
    input.buffer.erase(0, input.at);
    input.at = 0;
  }
  const std::size_t before = input.buffer.size();
  input.buffer.resize(before + kInputBytes);
  const std::ptrdiff_t got = p.vm().host().read(input.buffer.data() + before, kInputBytes);
  input.buffer.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  input.error = got < 0 ? static_cast<int>(-got) : 0;
  return got > 0 ? Filled::More : Filled::End;
}

/// Reads until `complete(ready)` says how many bytes that is, or to the end, and takes those or
/// what is left.
template <class Complete>
Term read_input(Process& p, Complete&& complete, bool may_be_empty = false) {
  auto& input = p.vm().area<StandardInput>();
  if (!input.turn.enter(p)) return Term::none();
  const TurnHold hold(input.turn, p.local());
  Filled filled = Filled::More;
  while (filled == Filled::More) {
    if (const std::size_t size = complete(input.ready()); size != 0) return input.take(p, size);
    filled = fill(p, input);
  }
  if (filled == Filled::Later) return Term::none();
  if (input.error != 0) return posix_error(p, input.error);
  const std::size_t left = input.ready().size();
  return left == 0 && !may_be_empty ? atom_of(p, "eof") : input.take(p, left);
}

/// `:ok` or the error of what was said; none: another time.
Term said(Process& p, int error) {
  if (error == Output::kLater) return Term::none();
  return error == 0 ? atoms::ok : posix_error(p, error);
}

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
  if (device == 0 || !(is_binary(args[1]) || args[1].is_list())) return badarg(p);
  if (!is_binary(args[1])) {
    const Term whole = second_to_binary(p, args);
    if (whole.is_none()) return whole;
    // So it is not made again where writing has to wait.
    args.set(1, whole);
  }
  if (is_for_pool(p, binary_bytes(args[1]), kPoolTextBytes)) return p.to_pool();
  Bytes bytes;
  bytes.get(args[1]);
  charge_bytes(p, bytes.size());
  return said(p, p.vm().output().write(p, device, bytes.text()));
}

Term prim_io_flush(Process& p, Args args) {
  const int device = output_device(p, args[0]);
  if (device == 0) return badarg(p);
  return said(p, p.vm().output().flush(p, device));
}

Term prim_io_read_line(Process& p, Args) {
  std::size_t searched = 0;
  return read_input(p, [&](std::string_view ready) {
    const std::size_t found = ready.find('\n', std::exchange(searched, ready.size()));
    return found == std::string_view::npos ? 0 : found + 1;
  });
}

Term prim_io_read(Process& p, Args args) {
  std::int64_t count = 0;
  if (!get_count(args[0], count) || count <= 0) return badarg(p);
  const auto wanted = static_cast<std::size_t>(count);
  return read_input(p, [&](std::string_view ready) { return ready.size() < wanted ? 0 : wanted; });
}

Term prim_io_read_all(Process& p, Args) {
  return read_input(
      p, [](std::string_view) { return std::size_t{0}; }, true);
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
