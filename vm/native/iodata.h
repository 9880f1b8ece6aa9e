// Iodata: a binary, or a list of bytes, binaries and iodata; a tail may be a binary too.
#pragma once

#include "vm/base/raw_vector.h"
#include "vm/native/support.h"

namespace quelea {

/// The second argument's bytes as one binary, in slices as `in_slices` (vm/native/slices.h).
Term second_to_binary(Process& p, Args args);

/// A walk over iodata that stops now and then. Never recurses.
class IodataWalk {
 public:
  void start(Term iodata) {
    at_ = iodata;
    started_ = true;
  }
  /// True before `start` and after all of it was walked.
  bool is_over() const { return !started_; }
  /// A little of it: adds to the size. False where it is no iodata.
  bool count(std::size_t& size, std::size_t& cost) {
    return walk(
        cost, [&](std::uint8_t) { ++size; },
        [&](Term binary) {
          size += binary_bytes(binary);
          return true;
        });
  }
  /// A little of it: copies bytes, of iodata that was counted before.
  bool copy(std::uint8_t*& out, std::size_t& cost);
  /// The same into a string.
  bool append(MachineString& out, std::size_t& cost);
  /// Of a binary.
  static constexpr std::size_t kBytesAStep = std::size_t{64} << 10;

 private:
  static constexpr std::size_t kCellsAStep = 256;

  template <class OnByte, class OnBinary>
  bool walk(std::size_t& cost, OnByte&& on_byte, OnBinary&& on_binary);
  template <class Copy>
  bool copy_piece(Term binary, std::size_t& cost, Copy&& copy);

  Term at_ = Term::nil_list();
  bool started_ = false;
  std::size_t copied_ = 0;  ///< Of the binary at hand.
  RawVector<Term> later_;
};

/// Calls `on_byte(value)` and `on_binary(term)` in order; false from the latter: not all of the
/// binary yet, it comes again.
template <class OnByte, class OnBinary>
bool IodataWalk::walk(std::size_t& cost, OnByte&& on_byte, OnBinary&& on_binary) {
  for (std::size_t n = 0; n < kCellsAStep; ++n) {
    ++cost;
    if (at_.is_cons()) {
      const Term head = at_.head();
      const Term tail = at_.tail();
      if (head.is_small()) {
        if (head.small_value() < 0 || head.small_value() > 255) return false;
        on_byte(static_cast<std::uint8_t>(head.small_value()));
        at_ = tail;
      } else if (head.is_list()) {
        if (!tail.is_nil_list()) later_.push_back(tail);
        at_ = head;
      } else {
        if (!is_binary(head)) return false;
        if (!on_binary(head)) return true;
        at_ = tail;
      }
      continue;
    }
    if (!at_.is_nil_list()) {
      if (!is_binary(at_)) return false;
      if (!on_binary(at_)) return true;
    }
    if (later_.empty()) {
      started_ = false;
      return true;
    }
    at_ = later_.back();
    later_.pop_back();
  }
  return true;
}

}  // namespace quelea
