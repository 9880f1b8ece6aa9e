// Pids, references and ports.
//
// A local pid is an immediate: its number's low 32 bits are the id, the rest the serial, which is
// how it prints
// (`#Pid<0.id.serial>`) and travels. References of this machine are a number and, for aliases and
// monitors, the owner's pid; only the number is compared.
#pragma once

#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

/// The name and incarnation of the node that a machine is, or `nonode@nohost`.
struct NodeIdentity {
  Term name = Term::none();  ///< atom; none stands for `nonode@nohost`
  std::uint32_t creation = 0;
};

constexpr std::uint32_t pid_id(Term local_pid) {
  return static_cast<std::uint32_t>(local_pid.pid_number());
}
constexpr std::uint32_t pid_serial(Term local_pid) {
  return static_cast<std::uint32_t>(local_pid.pid_number() >> 32);
}
inline bool is_pid(Term term) { return term.is_local_pid() || term.is_kind(Kind::ExternalPid); }
inline bool is_reference(Term term) {
  return term.is_kind(Kind::Ref) || term.is_kind(Kind::ExternalRef);
}
inline bool is_port(Term term) { return term.is_kind(Kind::Port); }

inline Term make_ref(TermAlloc& alloc, Word number, Word owner = 0) {
  Word* object = alloc.alloc(3);
  object[0] = Header::make(Kind::Ref, 2).bits;
  object[1] = number;
  object[2] = owner;
  return Term::boxed(object);
}
inline Word ref_number(Term ref) { return ref.pointer()[1]; }
inline Word ref_owner(Term ref) { return ref.pointer()[2]; }

}  // namespace quelea
