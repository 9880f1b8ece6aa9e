// What natives share that make a map of any size in slices: pairs are added first, then it is
// built.
#pragma once

#include "vm/native/slices.h"
#include "vm/term/map_build.h"

namespace quelea {

struct MapWork {
  explicit MapWork(Process& p) : map_(atoms_of(p)) {}

  void add(Term key, Term value, std::size_t& cost) {
    map_.pairs.push_back(key);
    map_.pairs.push_back(value);
    cost += 2;
  }
  /// Always true: there is more to do.
  bool start_building() { return building = true; }
  bool build_some(Process& p, std::size_t& cost) { return map_.step(p, cost); }
  /// What was not built had a wrong argument.
  Term finish(Process& p) { return map_.result().is_none() ? badarg(p) : map_.result(); }

  bool building = false;

 private:
  MapBuild map_;
};

}  // namespace quelea
