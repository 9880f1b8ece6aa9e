#include "vm/code/module_image.h"

#include <cstring>

namespace quelea {
namespace {

// Tags of the external term format.
constexpr char kNewFloat = 70, kBitBinary = 77, kSmallInteger = 97, kInteger = 98,
               kSmallTuple = 104, kLargeTuple = 105, kNil = 106, kList = 108, kBinary = 109,
               kSmallBig = 110, kLargeBig = 111, kExport = 113, kMap = 116, kAtomUtf8 = 118,
               kSmallAtomUtf8 = 119;

constexpr std::int64_t kMaxSmallValue = (std::int64_t{1} << 60) - 1;

bool fits_small_value(std::int64_t value) {
  return value <= kMaxSmallValue && value >= -kMaxSmallValue - 1;
}

std::int64_t read_be(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

}  // namespace

NameId ModuleNames::intern(std::string_view text) {
  for (; indexed_ < texts_.size(); ++indexed_)
    ids_.emplace(texts_[indexed_], static_cast<NameId>(indexed_));
  if (auto found = ids_.find(text); found != ids_.end()) return found->second;
  auto id = static_cast<NameId>(texts_.size());
  ids_.emplace(texts_.emplace_back(text), id);
  ++indexed_;
  return id;
}

void LiteralWriter::put_be(std::uint64_t value, int byte_count) {
  for (int i = byte_count - 1; i >= 0; --i) bytes_.push_back(static_cast<char>(value >> 8 * i));
}

void LiteralWriter::integer(std::int64_t value) {
  if (value >= 0 && value < 256) {
    bytes_.push_back(kSmallInteger);
    put_be(static_cast<std::uint64_t>(value), 1);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    bytes_.push_back(kInteger);
    put_be(static_cast<std::uint64_t>(value), 4);
  } else {
    std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::string bytes;
    for (; magnitude != 0; magnitude >>= 8) bytes.push_back(static_cast<char>(magnitude));
    bytes_.push_back(kSmallBig);
    put_be(bytes.size(), 1);
    put_be(value < 0, 1);
    bytes_ += bytes;
  }
}

void LiteralWriter::big(bool negative, std::string_view magnitude) {
  while (!magnitude.empty() && magnitude.back() == 0) magnitude.remove_suffix(1);
  std::int64_t value = 0;
  if (magnitude.size() < 8) {
    for (std::size_t i = magnitude.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(magnitude[i]);
    return integer(negative ? -value : value);
  }
  bool small = magnitude.size() < 256;
  bytes_.push_back(small ? kSmallBig : kLargeBig);
  put_be(magnitude.size(), small ? 1 : 4);
  put_be(negative, 1);
  bytes_ += magnitude;
}

void LiteralWriter::number(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bytes_.push_back(kNewFloat);
  put_be(bits, 8);
}

void LiteralWriter::atom(std::string_view text) {
  bool small = text.size() < 256;
  bytes_.push_back(small ? kSmallAtomUtf8 : kAtomUtf8);
  put_be(text.size(), small ? 1 : 2);
  bytes_ += text;
}

void LiteralWriter::string(std::string_view bytes) {
  bytes_.push_back(kBinary);
  put_be(bytes.size(), 4);
  bytes_ += bytes;
}

void LiteralWriter::bits(std::string_view bytes, std::uint64_t bit_count) {
  if (bit_count % 8 == 0) return string(bytes);
  bytes_.push_back(kBitBinary);
  put_be(bytes.size(), 4);
  put_be(bit_count % 8, 1);
  bytes_ += bytes;
}

void LiteralWriter::tuple(std::uint32_t size) {
  bool small = size < 256;
  bytes_.push_back(small ? kSmallTuple : kLargeTuple);
  put_be(size, small ? 1 : 4);
}

void LiteralWriter::list(std::uint32_t size) {
  // A list without elements is its tail, which the caller writes next.
  if (size == 0) return;
  bytes_.push_back(kList);
  put_be(size, 4);
}

void LiteralWriter::map(std::uint32_t size) {
  bytes_.push_back(kMap);
  put_be(size, 4);
}

void LiteralWriter::exported_function(std::string_view module, std::string_view name,
                                      std::uint32_t arity) {
  bytes_.push_back(kExport);
  atom(module);
  atom(name);
  integer(arity);
}

std::uint32_t ConstantPool::add_immediate(ConstantKind kind, std::int64_t value) {
  auto& known = kind == ConstantKind::Small ? smalls_ : atoms_;
  auto [entry, inserted] = known.emplace(value, static_cast<std::uint32_t>(all_.size()));
  if (inserted) all_.push_back({kind, value, {}});
  return entry->second;
}

std::uint32_t ConstantPool::add_term(std::string bytes) {
  auto [entry, inserted] =
      terms_.emplace(std::move(bytes), static_cast<std::uint32_t>(all_.size()));
  if (inserted) all_.push_back({ConstantKind::Term, 0, entry->first});
  return entry->second;
}

std::uint32_t ConstantPool::integer(std::int64_t value) {
  if (fits_small_value(value)) return add_immediate(ConstantKind::Small, value);
  LiteralWriter writer;
  writer.integer(value);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::big(bool negative, std::string_view magnitude) {
  while (!magnitude.empty() && magnitude.back() == 0) magnitude.remove_suffix(1);
  if (magnitude.size() <= 8) {
    std::uint64_t value = 0;
    for (std::size_t i = magnitude.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(magnitude[i]);
    if (value <= static_cast<std::uint64_t>(kMaxSmallValue)) {
      auto signed_value = static_cast<std::int64_t>(value);
      return integer(negative ? -signed_value : signed_value);
    }
    if (negative && value == static_cast<std::uint64_t>(kMaxSmallValue) + 1)
      return integer(-kMaxSmallValue - 1);
  }
  LiteralWriter writer;
  writer.big(negative, magnitude);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::number(double value) {
  LiteralWriter writer;
  writer.number(value);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::atom(NameId name) { return add_immediate(ConstantKind::Atom, name); }

std::uint32_t ConstantPool::empty_list() {
  if (empty_list_ == UINT32_MAX) {
    empty_list_ = static_cast<std::uint32_t>(all_.size());
    all_.push_back({ConstantKind::EmptyList, 0, {}});
  }
  return empty_list_;
}

std::uint32_t ConstantPool::empty_tuple() {
  LiteralWriter writer;
  writer.tuple(0);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::string(std::string_view bytes) {
  LiteralWriter writer;
  writer.string(bytes);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::bits(std::string_view bytes, std::uint64_t bit_count) {
  LiteralWriter writer;
  writer.bits(bytes, bit_count);
  return add_term(writer.take());
}

std::uint32_t ConstantPool::term(std::string bytes, ModuleNames& names) {
  std::string_view rest = bytes;
  switch (rest[0]) {
    case kSmallInteger:
      return integer(static_cast<unsigned char>(rest[1]));
    case kInteger:
      return integer(static_cast<std::int32_t>(read_be(rest.substr(1))));
    case kSmallBig:
      return big(rest[2] != 0, rest.substr(3));
    case kAtomUtf8:
      return atom(names.intern(rest.substr(3)));
    case kSmallAtomUtf8:
      return atom(names.intern(rest.substr(2)));
    case kNil:
      return empty_list();
    default:
      return add_term(std::move(bytes));
  }
}

}  // namespace quelea
