#include "vm/native/json_values.h"

#include <charconv>
#include <cstring>

#include "vm/term/hash.h"
#include "vm/term/integer.h"

namespace quelea {

Term JsonValues::key(std::string_view text) {
  if (keys_ != JsonKeys::Strings) {
    return keys_ == JsonKeys::Atoms ? p_.vm().atoms().request(text) : atoms_of(p_).find(text);
  }
  std::uint64_t hash = text.size();
  for (std::size_t i = 0; i < text.size() && i < 16; ++i) {
    hash = hash * 31 + static_cast<std::uint8_t>(text[i]);
  }
  Term& cached = key_cache_[hash_mix(hash) % kKeys];
  if (!cached.is_none() && binary_view(cached).text() == text) return cached;
  Term key = binary_from_text(p_, text);
  if (text.size() <= kMaxHeapBinaryBytes) cached = key;
  return key;
}

Term JsonValues::string(std::string_view text) {
  if (text.size() > kMaxHeapBinaryBytes) {
    const std::size_t at = offset_of(text);
    if (at != std::string_view::npos) return slice_of(p_, document_, at, text.size());
  }
  return binary_from_text(p_, text);
}

Term JsonValues::number(std::string_view text) {
  bool is_float = false;
  for (char c : text) is_float |= c == '.' || c == 'e' || c == 'E';
  if (!is_float) {
    std::size_t work = 0;
    Term value = integer_parse(p_, text, 10, nullptr, &work);
    charge_cells(p_, work);
    return value;
  }
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) {
    // Too small is zero; too large is nothing that a float can hold.
    const std::size_t e = text.find_first_of("eE");
    const bool tiny = e == std::string_view::npos ? text.find_first_of("123456789") > text.find('.')
                                                  : text[e + 1] == '-';
    if (!tiny) return Term::none();
    value = text[0] == '-' ? -0.0 : 0.0;
  }
  return p_.make_float(value);
}

Term JsonValues::list(std::span<const Term> elements) {
  if (elements.empty()) return Term::nil_list();
  Word* cell = p_.alloc(2 * elements.size());
  const Term list = Term::cons(cell);
  for (std::size_t i = 0; i < elements.size(); ++i, cell += 2) {
    cell[0] = elements[i].bits;
    cell[1] = i + 1 == elements.size() ? Term::nil_list().bits : Term::cons(cell + 2).bits;
  }
  return list;
}

Term JsonValues::object(std::span<Term> pairs) {
  const std::size_t count = pairs.size() / 2;
  if (count == 0 || count > kMaxFlatMap) {
    return map_from_pairs(p_, pairs.data(), count, atoms_of(p_));
  }
  Word keys[kMaxFlatMap];
  std::uint64_t hash = count;
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = pairs[2 * i].bits;
    hash = hash_mix(hash ^ keys[i]);
  }
  Shape& shape = shapes_[hash % kShapes];
  if (shape.count == count && std::memcmp(shape.keys, keys, count * sizeof(Word)) == 0) {
    Term values[kMaxFlatMap];
    for (std::size_t i = 0; i < count; ++i) values[i] = pairs[2 * shape.place[i] + 1];
    return map_from_shape(p_, shape.tuple, values);
  }
  Term map = map_from_pairs(p_, pairs.data(), count, atoms_of(p_));
  if (map_size(map) != count) return map;
  shape.count = count;
  std::memcpy(shape.keys, keys, sizeof keys);
  shape.tuple = flat_map_keys(map);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t from = 0;
    while (from < count && keys[from] != tuple_at(shape.tuple, i).bits) ++from;
    if (from == count) shape.count = 0;  // not the term that was given: do not rely on it
    shape.place[i] = static_cast<std::uint8_t>(from);
  }
  return map;
}

}  // namespace quelea
