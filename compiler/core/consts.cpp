#include "compiler/core/consts.h"

#include <cstring>

namespace quelea::compiler {

namespace {

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

uint64_t hash_bytes(uint64_t hash, std::string_view bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = mix(hash, word);
  }
  uint64_t rest = 0;
  if (i < bytes.size()) std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
  return mix(mix(hash, rest), bytes.size());
}

constexpr int64_t kMaxSmallValue = (int64_t{1} << 60) - 1;
constexpr int64_t kMinSmallValue = -(int64_t{1} << 60);

}  // namespace

void ConstTable::grow() {
  size_t size = slots_.empty() ? 256 : slots_.size() * 2;
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(size, Slot{0, 0});
  for (Slot slot : old) {
    if (slot.id_plus_1 == 0) continue;
    size_t at = slot.hash & (size - 1);
    while (slots_[at].id_plus_1 != 0) at = (at + 1) & (size - 1);
    slots_[at] = slot;
  }
}

template <class Equal>
ConstId ConstTable::find_or_add(uint64_t hash, const Equal& equal, const Const& constant) {
  if ((all_.size() + 1) * 2 > slots_.size()) grow();
  uint32_t short_hash = static_cast<uint32_t>(hash >> 32);
  size_t mask = slots_.size() - 1;
  size_t at = short_hash & mask;
  while (slots_[at].id_plus_1 != 0) {
    ConstId id = slots_[at].id_plus_1 - 1;
    if (slots_[at].hash == short_hash && all_[id].kind == constant.kind && equal(all_[id]))
      return id;
    at = (at + 1) & mask;
  }
  slots_[at] = {short_hash, static_cast<uint32_t>(all_.size() + 1)};
  all_.push_back(constant);
  return static_cast<ConstId>(all_.size() - 1);
}

ConstId ConstTable::integer(int64_t value) {
  Const constant{.kind = ConstKind::kInt, .value = value, .text = {}};
  return find_or_add(
      mix(1, static_cast<uint64_t>(value)), [&](const Const& c) { return c.value == value; },
      constant);
}

ConstId ConstTable::big(bool negative, std::string_view magnitude) {
  while (!magnitude.empty() && magnitude.back() == 0) magnitude.remove_suffix(1);
  if (magnitude.size() <= 8) {
    uint64_t value = 0;
    if (!magnitude.empty()) std::memcpy(&value, magnitude.data(), magnitude.size());
    if (value <= static_cast<uint64_t>(INT64_MAX)) {
      int64_t small = static_cast<int64_t>(value);
      return integer(negative ? -small : small);
    }
    if (negative && value == uint64_t{1} << 63) return integer(INT64_MIN);
  }
  Const constant{.kind = ConstKind::kBig,
                 .negative = negative,
                 .weight = 1 + magnitude.size() / 8,
                 .text = magnitude};
  uint64_t hash = hash_bytes(negative ? 3 : 2, magnitude);
  size_t before = all_.size();
  ConstId id = find_or_add(
      hash, [&](const Const& c) { return c.negative == negative && c.text == magnitude; },
      constant);
  if (all_.size() != before) all_[id].text = arena_.copy_text(magnitude);
  return id;
}

ConstId ConstTable::number(double value) {
  int64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  Const constant{.kind = ConstKind::kFloat, .value = bits, .text = {}};
  return find_or_add(
      mix(4, static_cast<uint64_t>(bits)), [&](const Const& c) { return c.value == bits; },
      constant);
}

double ConstTable::float_value(ConstId id) const {
  double value;
  std::memcpy(&value, &all_[id].value, sizeof value);
  return value;
}

ConstId ConstTable::atom(Symbol name) {
  int64_t value = static_cast<int64_t>(name);
  Const constant{.kind = ConstKind::kAtom, .value = value, .text = {}};
  return find_or_add(
      mix(5, static_cast<uint64_t>(value)), [&](const Const& c) { return c.value == value; },
      constant);
}

ConstId ConstTable::string(std::string_view bytes) {
  Const constant{.kind = ConstKind::kString, .weight = 1 + bytes.size() / 8, .text = bytes};
  size_t before = all_.size();
  ConstId id = find_or_add(
      hash_bytes(6, bytes), [&](const Const& c) { return c.text == bytes; }, constant);
  if (all_.size() != before) all_[id].text = arena_.copy_text(bytes);
  return id;
}

ConstId ConstTable::bits(std::string_view bytes, uint64_t bit_count) {
  if (bit_count % 8 == 0) return string(bytes.substr(0, bit_count / 8));
  int64_t count = static_cast<int64_t>(bit_count);
  Const constant{
      .kind = ConstKind::kBits, .weight = 1 + bytes.size() / 8, .value = count, .text = bytes};
  size_t before = all_.size();
  ConstId id = find_or_add(
      hash_bytes(mix(7, bit_count), bytes),
      [&](const Const& c) { return c.value == count && c.text == bytes; }, constant);
  if (all_.size() != before) all_[id].text = arena_.copy_text(bytes);
  return id;
}

ConstId ConstTable::empty_list() {
  Const constant{.kind = ConstKind::kEmptyList, .text = {}};
  return find_or_add(
      mix(8, 0), [](const Const&) { return true; }, constant);
}

ConstId ConstTable::exported(Symbol module, Symbol name, uint32_t arity) {
  Const constant{.kind = ConstKind::kExport,
                 .module = static_cast<uint32_t>(module),
                 .arity = arity,
                 .value = static_cast<int64_t>(name),
                 .text = {}};
  return find_or_add(
      mix(mix(20 + arity, constant.module), static_cast<uint64_t>(constant.value)),
      [&](const Const& c) {
        return c.module == constant.module && c.value == constant.value && c.arity == arity;
      },
      constant);
}

ConstId ConstTable::composite(ConstKind kind, std::span<const ConstId> children) {
  uint64_t hash = 9 + static_cast<uint64_t>(kind);
  uint64_t weight = 1;
  for (ConstId child : children) {
    hash = mix(hash, child);
    weight += all_[child].weight;
  }
  if (weight > 2 * kMaxConstWeight) weight = 2 * kMaxConstWeight;
  uint32_t count = static_cast<uint32_t>(children.size());
  Const constant{.kind = kind, .count = count, .weight = weight, .text = {}};
  size_t before = all_.size();
  ConstId id = find_or_add(
      hash,
      [&](const Const& c) {
        return c.count == count &&
               (count == 0 || std::memcmp(pool_.data() + c.children, children.data(),
                                          count * sizeof(ConstId)) == 0);
      },
      constant);
  if (all_.size() != before) {
    all_[id].children = static_cast<uint32_t>(pool_.size());
    pool_.insert(pool_.end(), children.begin(), children.end());
  }
  return id;
}

ConstId ConstTable::list(std::span<const ConstId> elements, ConstId tail) {
  if (elements.empty()) return tail;
  std::vector<ConstId> all(elements.begin(), elements.end());
  if (all_[tail].kind == ConstKind::kList) {
    std::span<const ConstId> rest = children(tail);
    all.insert(all.end(), rest.begin(), rest.end());
  } else {
    all.push_back(tail);
  }
  return composite(ConstKind::kList, all);
}

bool ConstTable::is_small(ConstId id) const {
  const Const& c = all_[id];
  return c.kind == ConstKind::kInt && c.value >= kMinSmallValue && c.value <= kMaxSmallValue;
}

bool ConstTable::is_immediate(ConstId id) const {
  const Const& c = all_[id];
  return c.kind == ConstKind::kAtom || c.kind == ConstKind::kEmptyList || is_small(id);
}

bool ConstTable::is_plain_key(ConstId id) const {
  const Const& c = all_[id];
  return c.kind == ConstKind::kInt || c.kind == ConstKind::kAtom || c.kind == ConstKind::kString;
}

bool ConstTable::key_less(ConstId a, ConstId b) const {
  const Const& x = all_[a];
  const Const& y = all_[b];
  if (x.kind != y.kind) {
    auto rank = [](ConstKind kind) {
      return kind == ConstKind::kInt ? 0 : kind == ConstKind::kAtom ? 1 : 2;
    };
    return rank(x.kind) < rank(y.kind);
  }
  if (x.kind == ConstKind::kInt) return x.value < y.value;
  if (x.kind == ConstKind::kAtom)
    return names_.text(Symbol(x.value)) < names_.text(Symbol(y.value));
  return x.text < y.text;
}

// Writing out ------------------------------------------------------------------------------------

void ConstTable::write_one(LiteralWriter& writer, const Const& c) const {
  switch (c.kind) {
    case ConstKind::kInt:
      return writer.integer(c.value);
    case ConstKind::kBig:
      return writer.big(c.negative, c.text);
    case ConstKind::kFloat: {
      double value;
      std::memcpy(&value, &c.value, sizeof value);
      return writer.number(value);
    }
    case ConstKind::kAtom:
      return writer.atom(names_.text(Symbol(c.value)));
    case ConstKind::kString:
      return writer.string(c.text);
    case ConstKind::kBits:
      return writer.bits(c.text, static_cast<uint64_t>(c.value));
    case ConstKind::kEmptyList:
      return writer.empty_list();
    case ConstKind::kTuple:
      return writer.tuple(c.count);
    case ConstKind::kList:
      return writer.list(c.count - 1);
    case ConstKind::kMap:
      return writer.map(c.count / 2);
    case ConstKind::kExport:
      return writer.exported_function(names_.text(Symbol(c.module)), names_.text(Symbol(c.value)),
                                      c.arity);
  }
}

void ConstTable::write(LiteralWriter& writer, ConstId root) const {
  // Constants may nest as deep as a file has constants, so no recursion.
  std::vector<ConstId> todo{root};
  while (!todo.empty()) {
    ConstId id = todo.back();
    todo.pop_back();
    write_one(writer, all_[id]);
    std::span<const ConstId> below = children(id);
    for (size_t i = below.size(); i-- > 0;) todo.push_back(below[i]);
  }
}

uint32_t ConstTable::in_image(ConstId id, ModuleImage& image) {
  Const& c = all_[id];
  if (c.image != UINT32_MAX) return c.image;
  ConstantPool& pool = image.constants;
  switch (c.kind) {
    case ConstKind::kInt:
      c.image = pool.integer(c.value);
      break;
    case ConstKind::kBig:
      c.image = pool.big(c.negative, c.text);
      break;
    case ConstKind::kFloat:
      c.image = pool.number(float_value(id));
      break;
    case ConstKind::kAtom:
      c.image = pool.atom(image.names.intern(names_.text(Symbol(c.value))));
      break;
    case ConstKind::kString:
      c.image = pool.string(c.text);
      break;
    case ConstKind::kBits:
      c.image = pool.bits(c.text, static_cast<uint64_t>(c.value));
      break;
    case ConstKind::kEmptyList:
      c.image = pool.empty_list();
      break;
    default: {
      LiteralWriter writer;
      write(writer, id);
      c.image = pool.term(writer.take(), image.names);
    }
  }
  return c.image;
}

}  // namespace quelea::compiler
