// Bitwise operations on integers, as if in infinite two's complement.
#include <bit>
#include <cstring>

#include "vm/term/integer.h"
#include "vm/term/limbs.h"

namespace quelea {

namespace {

/// Reads a magnitude as two's complement limbs, least significant first, without end.
class TwosComplement {
 public:
  explicit TwosComplement(const IntegerView& view) : view_(view), borrow_(view.negative()) {}
  std::uint64_t next() {
    std::uint64_t limb = at_ < view_.size() ? view_.limbs()[at_] : 0;
    ++at_;
    if (!view_.negative()) return limb;
    // -m is the complement of m - 1.
    std::uint64_t less = limb - borrow_;
    borrow_ = borrow_ && limb == 0;
    return ~less;
  }

 private:
  const IntegerView& view_;
  std::size_t at_ = 0;
  bool borrow_;
};

template <class Op>
Term bitwise(TermAlloc& alloc, Term a, Term b, Op op) {
  IntegerView x(a), y(b);
  TwosComplement left(x), right(y);
  std::size_t size = (x.size() > y.size() ? x.size() : y.size()) + 1;
  bool negative = op(x.negative() ? ~0ull : 0ull, y.negative() ? ~0ull : 0ull) != 0;
  BigResult result(alloc, size);
  mp_limb_t* out = result.limbs();
  std::uint64_t carry = negative;
  for (std::size_t i = 0; i < size; ++i) {
    std::uint64_t limb = op(left.next(), right.next());
    if (negative) {
      limb = ~limb + carry;
      carry = carry && limb == 0;
    }
    out[i] = limb;
  }
  return result.finish(negative, size);
}

Term shift_left(TermAlloc& alloc, Term a, std::uint64_t count) {
  if (a == Term::small(0)) return a;
  if (count > kMaxIntegerBits || integer_bit_length(a) + count > kMaxIntegerBits) {
    return Term::none();
  }
  if (a.is_small() && count < 64) {
    return make_integer_128(
        alloc,
        static_cast<__int128>(static_cast<unsigned __int128>(static_cast<__int128>(a.small_value()))
                              << count));
  }
  IntegerView view(a);
  std::size_t low = count / 64;
  unsigned bits = static_cast<unsigned>(count % 64);
  std::size_t size = view.size() + low + 1;
  BigResult result(alloc, size);
  mp_limb_t* out = result.limbs();
  std::memset(out, 0, low * sizeof *out);
  const mp_limb_t* in = reinterpret_cast<const mp_limb_t*>(view.limbs());
  mp_size_t in_size = static_cast<mp_size_t>(view.size());
  if (bits == 0) {
    mpn_copyi(out + low, in, in_size);
    out[size - 1] = 0;
  } else {
    out[size - 1] = mpn_lshift(out + low, in, in_size, bits);
  }
  return result.finish(view.negative(), size);
}

Term shift_right(TermAlloc& alloc, Term a, std::uint64_t count) {
  if (a.is_small()) {
    std::int64_t value = a.small_value();
    return Term::small(count > 63 ? value >> 63 : value >> count);
  }
  IntegerView view(a);
  std::size_t low = count / 64;
  unsigned bits = static_cast<unsigned>(count % 64);
  if (low >= view.size()) return Term::small(view.negative() ? -1 : 0);
  std::size_t size = view.size() - low;
  BigResult result(alloc, size + 1);
  mp_limb_t* out = result.limbs();
  const mp_limb_t* in = reinterpret_cast<const mp_limb_t*>(view.limbs());
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < low; ++i) lost |= in[i];
  if (bits == 0) {
    mpn_copyi(out, in + low, static_cast<mp_size_t>(size));
  } else {
    lost |= mpn_rshift(out, in + low, static_cast<mp_size_t>(size), bits);
  }
  out[size] = 0;
  // Toward minus infinity: a negative number that loses a bit grows by one in magnitude.
  if (view.negative() && lost != 0)
    out[size] = mpn_add_1(out, out, static_cast<mp_size_t>(size), 1);
  return result.finish(view.negative(), size + 1);
}

Term shift(TermAlloc& alloc, Term a, Term by, bool left) {
  bool by_negative = integer_is_negative(by);
  std::uint64_t count = ~0ull;
  if (by.is_small()) {
    std::int64_t value = by.small_value();
    count = by_negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  }
  return left != by_negative ? shift_left(alloc, a, count) : shift_right(alloc, a, count);
}

}  // namespace

Term integer_band(TermAlloc& alloc, Term a, Term b) {
  if (a.is_small() && b.is_small()) return {a.bits & b.bits};
  return bitwise(alloc, a, b, [](std::uint64_t x, std::uint64_t y) { return x & y; });
}

Term integer_bor(TermAlloc& alloc, Term a, Term b) {
  if (a.is_small() && b.is_small()) return {a.bits | b.bits};
  return bitwise(alloc, a, b, [](std::uint64_t x, std::uint64_t y) { return x | y; });
}

Term integer_bxor(TermAlloc& alloc, Term a, Term b) {
  if (a.is_small() && b.is_small()) return {a.bits ^ b.bits};
  return bitwise(alloc, a, b, [](std::uint64_t x, std::uint64_t y) { return x ^ y; });
}

Term integer_bnot(TermAlloc& alloc, Term a) {
  if (a.is_small()) return Term::small(~a.small_value());
  // ~a = -a - 1.
  IntegerView view(a);
  BigResult result(alloc, view.size() + 1);
  const mp_limb_t* in = reinterpret_cast<const mp_limb_t*>(view.limbs());
  mp_size_t size = static_cast<mp_size_t>(view.size());
  mp_limb_t* out = result.limbs();
  out[size] = 0;
  if (view.negative()) {
    mpn_sub_1(out, in, size, 1);
  } else {
    out[size] = mpn_add_1(out, in, size, 1);
  }
  return result.finish(!view.negative(), view.size() + 1);
}

Term integer_bsl(TermAlloc& alloc, Term a, Term by) { return shift(alloc, a, by, true); }
Term integer_bsr(TermAlloc& alloc, Term a, Term by) { return shift(alloc, a, by, false); }

}  // namespace quelea
