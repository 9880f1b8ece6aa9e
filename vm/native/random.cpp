// Seeded random numbers: xoshiro256** (Blackman and Vigna) as pure functions. The state is a binary
// of 32 bytes, so that a program may keep it where it likes and send it around.
#include <sys/random.h>

#include <cmath>

#include "vm/native/list_builder.h"
#include "vm/native/pool.h"
#include "vm/proc/local.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kStateBytes = 32;

struct Xoshiro {
  std::uint64_t s[4];

  static std::uint64_t rotate(std::uint64_t x, int k) { return x << k | x >> (64 - k); }

  std::uint64_t next() {
    const std::uint64_t result = rotate(s[1] * 5, 7) * 9;
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
  }
  double next_float() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Uniform in 0..limit - 1; limit > 0.
  std::uint64_t below(std::uint64_t limit) {
    // Lemire: the high word of a product, once more where the low word says that it is one too
    // many.
    unsigned __int128 product = static_cast<unsigned __int128>(next()) * limit;
    if (static_cast<std::uint64_t>(product) < limit) {
      const std::uint64_t threshold = (0 - limit) % limit;
      while (static_cast<std::uint64_t>(product) < threshold) {
        product = static_cast<unsigned __int128>(next()) * limit;
      }
    }
    return static_cast<std::uint64_t>(product >> 64);
  }
};

std::uint64_t split_mix(std::uint64_t& x) {
  std::uint64_t z = x += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

Xoshiro seeded(std::uint64_t seed) {
  Xoshiro state;
  for (std::uint64_t& word : state.s) word = split_mix(seed);
  return state;
}

bool get_state(Term term, Xoshiro& state) {
  Bytes bytes;
  if (!bytes.get(term) || bytes.size() != kStateBytes) return false;
  std::memcpy(state.s, bytes.data(), kStateBytes);
  return (state.s[0] | state.s[1] | state.s[2] | state.s[3]) != 0;
}

Term make_state(Process& p, const Xoshiro& state) {
  return checked(p, binary_from_bytes(p, state.s, kStateBytes));
}

Term result_and_state(Process& p, Term result, const Xoshiro& state) {
  return p.tuple(result, make_state(p, state));
}

}  // namespace

Term prim_random_seed_1(Process& p, Args args) {
  if (!is_integer(args[0])) return badarg(p);
  const IntegerView view(args[0]);
  std::uint64_t seed = view.negative() ? 0x5DEECE66Du : 0;
  for (std::size_t i = 0; i < view.size(); ++i) {
    seed ^= view.limbs()[i];
    if (i + 1 < view.size()) seed = split_mix(seed);
  }
  charge_cells(p, view.size());
  return make_state(p, seeded(seed));
}

Term prim_random_seed_0(Process& p, Args) {
  // A machine that was given a seed runs reproducibly: its n-th state follows from that seed.
  std::uint64_t seed = p.vm().config().seed;
  if (seed != 0 || p.vm().config().deterministic) {
    seed ^= p.next_reference_number() * 0x9E3779B97F4A7C15u;
  } else if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
    seed = p.vm().monotonic_ns();
  }
  return make_state(p, seeded(seed));
}

Term prim_random_int(Process& p, Args args) {
  Xoshiro state;
  if (!get_state(args[0], state) || !is_integer(args[1]) || !is_integer(args[2])) return badarg(p);
  if (integer_compare(args[2], args[1]) < 0) return badarg(p);
  Term span = integer_sub(p, args[2], args[1]);
  if (span.is_none()) return system_limit(p);
  Term offset = Term::small(0);
  std::uint64_t most = 0;
  if (integer_to_uint64(span, most)) {
    offset = make_integer_unsigned(p, most == UINT64_MAX ? state.next() : state.below(most + 1));
  } else {
    // As many bits as the span has, until they are no more than it.
    const std::size_t bits = integer_bit_length(span);
    const std::size_t size = (bits + 63) / 64;
    std::vector<std::uint64_t> limbs(size);
    do {
      for (std::uint64_t& limb : limbs) limb = state.next();
      if (bits % 64 != 0) limbs.back() &= (std::uint64_t{1} << bits % 64) - 1;
      std::size_t used = size;
      while (used > 0 && limbs[used - 1] == 0) --used;
      offset = used <= 1 ? make_integer_unsigned(p, used == 0 ? 0 : limbs[0])
                         : make_big(p, false, limbs.data(), used);
      p.charge(static_cast<std::int64_t>(size / 8));
    } while (integer_compare(offset, span) > 0);
  }
  return result_and_state(p, integer_add(p, args[1], offset), state);
}

Term prim_random_float(Process& p, Args args) {
  Xoshiro state;
  if (!get_state(args[0], state)) return badarg(p);
  const double value = state.next_float();
  return result_and_state(p, p.make_float(value), state);
}

Term prim_random_normal(Process& p, Args args) {
  Xoshiro state;
  if (!get_state(args[0], state)) return badarg(p);
  // Box and Muller; 1 - u is never zero.
  const double radius = std::sqrt(-2 * std::log(1 - state.next_float()));
  const double angle = 2 * M_PI * state.next_float();
  return result_and_state(p, p.make_float(radius * std::cos(angle)), state);
}

Term prim_random_shuffle(Process& p, Args args) {
  Xoshiro state;
  if (!get_state(args[0], state)) return badarg(p);
  std::vector<Term> items;
  Term rest = args[1];
  for (; rest.is_cons(); rest = rest.tail()) {
    if (is_for_pool(p, items.size(), kPoolElements)) return p.to_pool();
    items.push_back(rest.head());
  }
  if (!rest.is_nil_list()) return badarg(p);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[state.below(i)]);
  Term list = Term::nil_list();
  for (Term item : items) list = p.cons(item, list);
  charge_cells(p, 4 * items.size());
  return result_and_state(p, list, state);
}

Term prim_random_jump(Process& p, Args args) {
  Xoshiro state;
  if (!get_state(args[0], state)) return badarg(p);
  constexpr std::uint64_t kJump[] = {0x180EC6D33CFD0ABAu, 0xD5A61266F0C9392Cu, 0xA9582618E03FC9AAu,
                                     0x39ABDC4529B1661Cu};
  Xoshiro far{};
  for (std::uint64_t word : kJump) {
    for (int bit = 0; bit < 64; ++bit) {
      if ((word >> bit & 1) != 0) {
        for (int i = 0; i < 4; ++i) far.s[i] ^= state.s[i];
      }
      state.next();
    }
  }
  p.charge(4);
  return make_state(p, far);
}

}  // namespace quelea
