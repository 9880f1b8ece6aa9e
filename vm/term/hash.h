// Hashing of terms.
//
// A hash depends on the value alone: exactly equal terms hash alike in every heap, process, machine
// and run (atoms by text). The order of large maps follows from it, so it must not change between
// releases.
#pragma once

#include <cstdint>

#include "vm/term/atoms.h"
#include "vm/term/term.h"
#include "vm/term/work.h"

namespace quelea {

/// A bijection of words in which every input bit reaches every output bit.
constexpr std::uint64_t hash_mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0x9E3779B97F4A7C15u;
  x ^= x >> 29;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ (x >> 32);
}

std::uint64_t hash_bytes(const void* bytes, std::size_t size, std::uint64_t seed = 0);
std::uint64_t hash_slow(Term term, const AtomTable& atoms, std::size_t* work);

/// `work`, where given, grows by about the number of words looked at; the walk may give up
/// (vm/term/work.h).
inline std::uint64_t hash_term(Term term, const AtomTable& atoms, std::size_t* work = nullptr) {
  if (term.is_small()) return hash_mix(term.bits);
  if (term.is_atom()) return atoms.hash(term);
  return hash_slow(term, atoms, work);
}

/// Another one, slower, of which nobody can make up two terms that agree in it
/// (vm/term/hash_strong.cpp). It must not change between releases either.
std::uint64_t hash_strong(Term term, const AtomTable& atoms);

/// The prelude's `hash(term)`: 27 bits.
inline std::uint32_t portable_hash(Term term, const AtomTable& atoms, std::size_t* work = nullptr) {
  return static_cast<std::uint32_t>(hash_term(term, atoms, work) >> 37);
}

}  // namespace quelea
