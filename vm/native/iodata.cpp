#include "vm/native/iodata.h"

#include "vm/native/slices.h"
#include "vm/term/integer.h"

namespace quelea {

bool get_count(Term term, std::int64_t& count) {
  if (term.is_small()) {
    count = term.small_value();
    return true;
  }
  if (!is_big(term)) return false;
  count = integer_is_negative(term) ? kMinSmall : kMaxSmall;
  return true;
}

/// Some of a binary through `copy(view)`; false while there is more.
template <class Copy>
bool IodataWalk::copy_piece(Term binary, std::size_t& cost, Copy&& copy) {
  const BinaryView view = binary_view(binary);
  const std::size_t some = std::min(view.byte_size() - copied_, kBytesAStep);
  cost += some / 16;
  copy(view.sub(8 * copied_, 8 * some));
  copied_ += some;
  if (copied_ < view.byte_size()) return false;
  copied_ = 0;
  return true;
}

bool IodataWalk::copy(std::uint8_t*& out, std::size_t& cost) {
  return walk(
      cost, [&](std::uint8_t byte) { *out++ = byte; },
      [&](Term binary) {
        return copy_piece(binary, cost, [&](BinaryView view) {
          bits_copy(out, 0, view.bytes, view.bit_offset, view.bit_size);
          out += view.byte_size();
        });
      });
}

bool IodataWalk::append(MachineString& out, std::size_t& cost) {
  return walk(
      cost, [&](std::uint8_t byte) { out.push_back(static_cast<char>(byte)); },
      [&](Term binary) {
        return copy_piece(binary, cost, [&](BinaryView view) {
          Bytes bytes;
          bytes.set(view);
          out.append(bytes.text());
        });
      });
}

bool append_iodata(Process& p, Term iodata, MachineString& out) {
  // A list may also name nothing many times, and nobody ends a thread of the pool.
  constexpr std::size_t kMostWork = std::size_t{1} << 30;
  IodataWalk walk;
  std::size_t cost = 0;
  bool good = true;
  for (walk.start(iodata); good && !walk.is_over();) {
    good = walk.append(out, cost);
    // What grows is there twice for a moment.
    if (cost > kMostWork || !p.vm().binaries().has_room(2 * out.size())) no_memory();
  }
  return good;
}

namespace {

struct SizeOf {
  SizeOf(Process&, Args args) { walk.start(args[0]); }
  IodataWalk walk;
  std::size_t size = 0;
  bool good = true;

  bool step(Process&, std::size_t& cost) {
    good = walk.count(size, cost);
    return good && !walk.is_over();
  }
  Term finish(Process& p) {
    if (!good || size > kMaxBinaryBytes) return badarg(p);
    return Term::small(static_cast<std::int64_t>(size));
  }
};

/// Two passes: a list that names a large binary many times must not take memory before it is known
/// how much.
template <std::size_t kArgument>
struct ToBinary {
  static constexpr std::size_t kMostBytes = std::size_t{1} << 33;

  ToBinary(Process&, Args args) : iodata(args[kArgument]) { walk.start(iodata); }
  Term iodata;
  IodataWalk walk;
  std::size_t size = 0;
  bool counting = true, good = true;
  Term result = Term::none();
  std::uint8_t* out = nullptr;
  PagesAhead ahead;

  bool step(Process& p, std::size_t& cost) {
    good = counting ? walk.count(size, cost) : walk.copy(out, cost);
    if (!good || (counting && size > kMostBytes)) return false;
    if (!counting) ahead.reach(out + IodataWalk::kBytesAStep);
    if (!walk.is_over()) return true;
    if (!counting) return false;
    counting = false;
    result = new_binary(p, size, &out);
    ahead = PagesAhead(out, size);
    ahead.reach(out + 1);
    walk.start(iodata);
    return !result.is_none();
  }
  Term finish(Process& p) {
    if (!good) return badarg(p);
    return counting ? system_limit(p) : result;
  }
};

}  // namespace

Term prim_iodata_size(Process& p, Args args) { return in_slices<SizeOf>(p, args); }

Term prim_iodata_to_binary(Process& p, Args args) {
  return is_binary(args[0]) ? args[0] : in_slices<ToBinary<0>>(p, args);
}

Term second_to_binary(Process& p, Args args) { return in_slices<ToBinary<1>>(p, args); }

}  // namespace quelea
