// Random terms for tests of natives.
#pragma once

#include <random>

#include "tests/unit/native_fixture.h"

namespace quelea {

/// A term of any kind, often close to others.
inline Term random_term(NativeMachine& m, std::mt19937_64& random, int depth) {
  auto below = [&](std::uint64_t n) { return random() % n; };
  Process& p = *m.process;
  switch (below(depth > 0 ? 12 : 8)) {
    case 0:
      return Term::small(static_cast<std::int64_t>(below(8)) - 4);
    case 1:
      return Term::small(static_cast<std::int64_t>(random()) >> 4);
    case 2:
      return p.make_float(static_cast<double>(static_cast<std::int64_t>(below(8)) - 4) / 2);
    case 3:
      return p.make_float(static_cast<double>(static_cast<std::int64_t>(random()) >> 4) *
                          (below(2) != 0 ? 1 : 1e30));
    case 4:
      return m.vm->atoms().intern(std::string(below(12), static_cast<char>('a' + below(2))));
    case 5: {
      std::string text(below(12), 'x');
      for (char& c : text) c = static_cast<char>(below(3) * 127);
      Term whole = binary_from_text(p, text);
      return binary_part(p, whole, 0, below(8 * text.size() + 1));
    }
    case 6: {
      const std::uint64_t limbs[] = {random(), below(3), below(2) + 1};
      return make_big(p, below(2) != 0, limbs, 3);
    }
    case 7:
      return below(2) != 0 ? Term::nil_list() : m.parse("%{}");
    case 8:
    case 9: {
      Term list = below(4) == 0 ? random_term(m, random, 0) : Term::nil_list();
      for (std::uint64_t n = below(4); n > 0; --n)
        list = p.cons(random_term(m, random, depth - 1), list);
      return list;
    }
    case 10: {
      const std::size_t size = below(4);
      Word* object = p.alloc(1 + size);
      object[0] = Header::make(Kind::Tuple, size).bits;
      for (std::size_t i = 0; i < size; ++i) object[1 + i] = Term::nil_list().bits;
      for (std::size_t i = 0; i < size; ++i) object[1 + i] = random_term(m, random, depth - 1).bits;
      return Term::boxed(object);
    }
    default: {
      Term map = m.parse("%{}");
      for (std::uint64_t n = below(3); n > 0; --n) {
        map = map_put(p, map, random_term(m, random, 0), random_term(m, random, depth - 1),
                      m.vm->atoms());
      }
      return map;
    }
  }
}

}  // namespace quelea
