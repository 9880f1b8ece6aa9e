#include "vm/native/sort_key.h"

#include <bit>
#include <limits>

#include "vm/term/binary.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/integer.h"
#include "vm/term/map.h"

namespace quelea {
namespace {

/// Term order of types: number < atom < reference < function < port < pid < tuple < map < [] < list
/// < binary.
enum Rank : std::uint64_t {
  kNumber,
  kAtom,
  kReference,
  kFunction,
  kPort,
  kPid,
  kTuple,
  kMap,
  kEmptyList,
  kList,
  kBinary
};

constexpr std::uint64_t key_of(Rank rank, std::uint64_t rest) { return rank << 60 | rest; }

std::uint64_t number_key(double value) {
  if (value == 0) value = 0;  // -0.0 is equal to 0.0 in term order
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t ascending = (bits >> 63) != 0 ? ~bits : bits | std::uint64_t{1} << 63;
  return key_of(kNumber, ascending >> 4);
}

std::uint64_t binary_key(Term binary) {
  const BinaryView view = binary_view(binary);
  const unsigned bits = view.bit_size < 56 ? static_cast<unsigned>(view.bit_size) : 56;
  const std::uint64_t first = bits == 0 ? 0 : bits_read_word(view, 0, bits) << (56 - bits);
  return key_of(kBinary, first << 4);
}

/// The key without a look inside lists and tuples.
std::uint64_t shallow_key(Term term, const AtomTable& atoms) {
  switch (term.tag()) {
    case Tag::Small:
      return number_key(static_cast<double>(term.small_value()));
    case Tag::Float:
      return number_key(term.float_value());
    case Tag::Atom:
      return key_of(kAtom, atoms.entry(term.atom_index()).prefix >> 4);
    case Tag::Pid:
      return key_of(kPid, 0);
    case Tag::Cons:
      return key_of(kList, 0);
    case Tag::Special:
      return key_of(kEmptyList, 0);
    default:
      break;
  }
  if (is_bits(term)) return binary_key(term);
  if (is_tuple(term)) return key_of(kTuple, tuple_size(term) << 36);
  if (is_map(term)) return key_of(kMap, map_size(term));
  if (is_big(term)) {
    double value = 0;
    if (!integer_to_double(term, value)) {
      value = integer_is_negative(term) ? -std::numeric_limits<double>::infinity()
                                        : std::numeric_limits<double>::infinity();
    }
    return number_key(value);
  }
  if (is_fun(term)) return key_of(kFunction, 0);
  if (is_reference(term)) return key_of(kReference, 0);
  return key_of(is_pid(term) ? kPid : kPort, 0);
}

}  // namespace

std::uint64_t sort_key(Term term, const AtomTable& atoms) {
  const std::uint64_t key = shallow_key(term, atoms);
  if (term.is_cons()) return key | shallow_key(term.head(), atoms) >> 4;
  if (is_tuple(term) && tuple_size(term) > 0)
    return key | shallow_key(tuple_at(term, 0), atoms) >> 28;
  return key;
}

}  // namespace quelea
