// Arithmetic on constants: within 64 bits with overflow checks, beyond that with GMP.
#include <cmath>
#include <cstring>

#include "compiler/core/consts.h"
#include "vm/base/gmp_memory.h"

namespace quelea::compiler {

namespace {

// Results past this are left for run time: a constant should not fill a file.
constexpr size_t kMaxFoldedBits = 1 << 16;

class Big {
 public:
  Big() { mpz_init(value_); }
  explicit Big(const Const& c) : Big() {
    if (c.kind == ConstKind::kInt) {
      mpz_set_si(value_, c.value);
    } else {
      mpz_import(value_, c.text.size(), -1, 1, 0, 0, c.text.data());
      if (c.negative) mpz_neg(value_, value_);
    }
  }
  ~Big() { mpz_clear(value_); }
  Big(const Big&) = delete;
  Big& operator=(const Big&) = delete;

  mpz_ptr get() { return value_; }
  size_t bits() const { return mpz_sizeinbase(value_, 2); }
  std::string magnitude() const {
    std::string bytes((mpz_sizeinbase(value_, 2) + 7) / 8, '\0');
    size_t count = 0;
    mpz_export(bytes.data(), &count, -1, 1, 0, 0, value_);
    bytes.resize(count);
    return bytes;
  }
  bool negative() const { return mpz_sgn(value_) < 0; }

 private:
  mpz_t value_;
};

ConstId to_const(ConstTable& table, const Big& value) {
  return table.big(value.negative(), value.magnitude());
}

ConstId fold_big(ConstTable& table, BinaryOp op, const Const& a, const Const& b) {
  const GmpWork memory;
  Big x(a), y(b), result;
  switch (op) {
    case BinaryOp::kAdd:
      mpz_add(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kSub:
      mpz_sub(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kMul:
      if (x.bits() + y.bits() > kMaxFoldedBits) return kNoConst;
      mpz_mul(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kIntDiv:
      if (mpz_sgn(y.get()) == 0) return kNoConst;
      mpz_tdiv_q(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kRem:
      if (mpz_sgn(y.get()) == 0) return kNoConst;
      mpz_tdiv_r(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kBitAnd:
      mpz_and(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kBitOr:
      mpz_ior(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kBitXor:
      mpz_xor(result.get(), x.get(), y.get());
      break;
    case BinaryOp::kShiftLeft:
    case BinaryOp::kShiftRight: {
      if (b.kind != ConstKind::kInt || b.value > 1 << 20 || b.value < -(1 << 20)) return kNoConst;
      int64_t left = op == BinaryOp::kShiftLeft ? b.value : -b.value;
      if (left >= 0) {
        if (x.bits() + static_cast<size_t>(left) > kMaxFoldedBits) return kNoConst;
        mpz_mul_2exp(result.get(), x.get(), static_cast<mp_bitcnt_t>(left));
      } else {
        mpz_fdiv_q_2exp(result.get(), x.get(), static_cast<mp_bitcnt_t>(-left));
      }
      break;
    }
    default:
      return kNoConst;
  }
  return to_const(table, result);
}

// Only integers that a double holds exactly: the rounding of others is the machine's business.
bool exact_double(const ConstTable& table, ConstId id, double& value) {
  const Const& c = table[id];
  if (c.kind == ConstKind::kFloat) {
    value = table.float_value(id);
    return true;
  }
  if (c.kind != ConstKind::kInt || c.value > int64_t{1} << 53 || c.value < -(int64_t{1} << 53))
    return false;
  value = static_cast<double>(c.value);
  return true;
}

ConstId fold_float(ConstTable& table, BinaryOp op, ConstId a, ConstId b) {
  double x, y, result;
  if (!exact_double(table, a, x) || !exact_double(table, b, y)) return kNoConst;
  switch (op) {
    case BinaryOp::kAdd:
      result = x + y;
      break;
    case BinaryOp::kSub:
      result = x - y;
      break;
    case BinaryOp::kMul:
      result = x * y;
      break;
    case BinaryOp::kDiv:
      if (y == 0) return kNoConst;
      result = x / y;
      break;
    default:
      return kNoConst;
  }
  return std::isfinite(result) ? table.number(result) : kNoConst;
}

}  // namespace

int ConstTable::compare_numbers(ConstId a, ConstId b) const {
  const Const& x = all_[a];
  const Const& y = all_[b];
  if (x.kind == ConstKind::kInt && y.kind == ConstKind::kInt)
    return x.value < y.value ? -1 : x.value > y.value;
  if (x.kind == ConstKind::kFloat && y.kind == ConstKind::kFloat) {
    double u = float_value(a), v = float_value(b);
    return u < v ? -1 : u > v;
  }
  if (x.kind == ConstKind::kFloat) return -compare_numbers(b, a);
  const GmpWork memory;
  Big value(x);
  if (y.kind == ConstKind::kFloat) {
    int order = mpz_cmp_d(value.get(), float_value(b));
    return order < 0 ? -1 : order > 0;
  }
  Big other(y);
  int order = mpz_cmp(value.get(), other.get());
  return order < 0 ? -1 : order > 0;
}

ConstId ConstTable::binary(BinaryOp op, ConstId a, ConstId b) {
  if (op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual) {
    bool numbers = is_number(a) && is_number(b);
    if (op == BinaryOp::kExactEqual) return boolean(a == b);
    if (op == BinaryOp::kExactNotEqual) return boolean(a != b);
    if (!numbers) {
      // Equal ids are equal values; scalars of other kinds that differ are unequal.
      if (op != BinaryOp::kEqual && op != BinaryOp::kNotEqual) return kNoConst;
      bool scalar = is_plain_key(a) && is_plain_key(b);
      if (a != b && !scalar) return kNoConst;
      return boolean((a == b) == (op == BinaryOp::kEqual));
    }
    int order = compare_numbers(a, b);
    switch (op) {
      case BinaryOp::kEqual:
        return boolean(order == 0);
      case BinaryOp::kNotEqual:
        return boolean(order != 0);
      case BinaryOp::kLess:
        return boolean(order < 0);
      case BinaryOp::kLessEqual:
        return boolean(order <= 0);
      case BinaryOp::kGreater:
        return boolean(order > 0);
      default:
        return boolean(order >= 0);
    }
  }
  if (op == BinaryOp::kConcat) {
    if (all_[a].kind != ConstKind::kString || all_[b].kind != ConstKind::kString) return kNoConst;
    if (all_[a].text.size() + all_[b].text.size() > kMaxFoldedBits) return kNoConst;
    return string(std::string(all_[a].text) + std::string(all_[b].text));
  }
  if (op == BinaryOp::kAppend) {
    if (all_[a].kind == ConstKind::kEmptyList) return b;
    if (all_[a].kind != ConstKind::kList) return kNoConst;
    std::vector<ConstId> elements(children(a).begin(), children(a).end());
    if (all_[elements.back()].kind != ConstKind::kEmptyList) return kNoConst;
    elements.pop_back();
    return list(elements, b);
  }
  if (!is_number(a) || !is_number(b)) return kNoConst;
  if (op == BinaryOp::kDiv || !is_integer(a) || !is_integer(b)) return fold_float(*this, op, a, b);
  const Const x = all_[a], y = all_[b];
  if (x.kind == ConstKind::kInt && y.kind == ConstKind::kInt) {
    int64_t result;
    if (op == BinaryOp::kAdd && !__builtin_add_overflow(x.value, y.value, &result))
      return integer(result);
    if (op == BinaryOp::kSub && !__builtin_sub_overflow(x.value, y.value, &result))
      return integer(result);
    if (op == BinaryOp::kMul && !__builtin_mul_overflow(x.value, y.value, &result))
      return integer(result);
  }
  return fold_big(*this, op, x, y);
}

ConstId ConstTable::negate(ConstId a) {
  const Const c = all_[a];
  if (c.kind == ConstKind::kFloat) return number(-float_value(a));
  if (c.kind == ConstKind::kBig) return big(!c.negative, c.text);
  if (c.kind != ConstKind::kInt) return kNoConst;
  if (c.value != INT64_MIN) return integer(-c.value);
  return fold_big(*this, BinaryOp::kSub, all_[integer(0)], c);
}

ConstId ConstTable::bit_not(ConstId a) {
  const Const c = all_[a];
  if (c.kind == ConstKind::kInt) return integer(~c.value);
  if (c.kind != ConstKind::kBig) return kNoConst;
  ConstId minus_one = integer(-1);
  return fold_big(*this, BinaryOp::kSub, all_[minus_one], all_[a]);
}

ConstId ConstTable::literal(const IntExpr& literal, bool negate_it) {
  if (literal.small) {
    ConstId id = integer(literal.value);
    return negate_it ? negate(id) : id;
  }
  const GmpWork memory;
  Big value;
  std::string digits(literal.digits);
  mpz_set_str(value.get(), digits.c_str(), literal.radix);
  if (negate_it != literal.negative) mpz_neg(value.get(), value.get());
  return to_const(*this, value);
}

}  // namespace quelea::compiler
