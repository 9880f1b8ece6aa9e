// Iodata: a binary, or a list of bytes, binaries and iodata; a tail may be a binary too.
#include "vm/native/support.h"
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

namespace {

/// Calls `on_byte(value)` and `on_binary(term)` in order; false where it is no iodata. Never
/// recurses.
template <class OnByte, class OnBinary>
bool walk_iodata(Term iodata, std::size_t* work, OnByte&& on_byte, OnBinary&& on_binary) {
  if (is_binary(iodata)) {
    on_binary(iodata);
    return true;
  }
  if (!iodata.is_list()) return false;
  std::vector<Term> later;
  std::size_t cells = 0;
  bool good = true;
  Term at = iodata;
  while (good) {
    if (at.is_cons()) {
      ++cells;
      Term head = at.head();
      Term tail = at.tail();
      if (head.is_small()) {
        good = head.small_value() >= 0 && head.small_value() <= 255;
        if (good) on_byte(static_cast<std::uint8_t>(head.small_value()));
        at = tail;
      } else if (head.is_list()) {
        if (!tail.is_nil_list()) later.push_back(tail);
        at = head;
      } else {
        good = is_binary(head);
        if (good) on_binary(head);
        at = tail;
      }
      continue;
    }
    if (!at.is_nil_list()) {
      good = is_binary(at);
      if (good) on_binary(at);
    }
    if (later.empty()) break;
    at = later.back();
    later.pop_back();
  }
  if (work != nullptr) *work += cells;
  return good;
}

}  // namespace

bool append_iodata(Term iodata, std::string& out, std::size_t* work) {
  const std::size_t before = out.size();
  bool good = walk_iodata(
      iodata, work, [&](std::uint8_t byte) { out.push_back(static_cast<char>(byte)); },
      [&](Term binary) {
        Bytes bytes;
        bytes.get(binary);
        out.append(bytes.text());
      });
  if (work != nullptr) *work += (out.size() - before) / 16;
  return good;
}

bool iodata_size(Term iodata, std::size_t& size, std::size_t* work) {
  std::size_t total = 0;
  bool good = walk_iodata(
      iodata, work, [&](std::uint8_t) { ++total; },
      [&](Term binary) { total += binary_bytes(binary); });
  size = total;
  return good;
}

Term prim_iodata_size(Process& p, Args args) {
  std::size_t size = 0;
  std::size_t work = 0;
  bool good = iodata_size(args[0], size, &work);
  charge_cells(p, work);
  if (!good || size > kMaxBinaryBytes) return badarg(p);
  return Term::small(static_cast<std::int64_t>(size));
}

Term prim_iodata_to_binary(Process& p, Args args) {
  if (is_binary(args[0])) return args[0];
  // Two passes: a list that names a large binary many times must not take memory before it is known
  // how much.
  std::size_t size = 0;
  std::size_t work = 0;
  bool good = iodata_size(args[0], size, &work);
  charge_cells(p, work);
  charge_bytes(p, size);
  if (!good) return badarg(p);
  if (size > std::size_t{1} << 33) return system_limit(p);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, size, &out);
  if (result.is_none()) return result;
  walk_iodata(
      args[0], nullptr, [&](std::uint8_t byte) { *out++ = byte; },
      [&](Term binary) {
        BinaryView view = binary_view(binary);
        bits_copy(out, 0, view.bytes, view.bit_offset, view.bit_size);
        out += view.byte_size();
      });
  return result;
}

}  // namespace quelea
