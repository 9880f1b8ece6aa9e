// What the term layer must know of functions in order to compare, hash, print and encode them.
//
// A Fun object's first payload word is the address of a FunEntry, an ExportFun's that of an Export.
// Both belong to the code layers; each starts with (derives first from) the identity declared here.
#pragma once

#include "vm/term/term.h"

namespace quelea {

/// The identity of a lambda: two funs are equal when it and the captured values are.
struct FunIdentity {
  Term module;          ///< atom
  Term function;        ///< atom: the function it was written in
  std::uint32_t arity;  ///< parameters of a call, captured values not counted
  std::uint32_t index;  ///< number of the lambda in its module
  std::uint32_t captured;
  Word unique;  ///< hash of the module's code: tells versions of a module apart
};

/// The identity of `&Mod.name/arity`.
struct ExportIdentity {
  Term module;  ///< atom
  Term function;
  std::uint32_t arity;
};

inline bool is_fun(Term term) {
  if (!term.is_boxed()) return false;
  Kind kind = header_of(term).kind();
  return kind == Kind::Fun || kind == Kind::ExportFun;
}
inline const FunIdentity& fun_identity(Term fun) {
  return *reinterpret_cast<const FunIdentity*>(fun.pointer()[1]);
}
inline const ExportIdentity& export_identity(Term fun) {
  return *reinterpret_cast<const ExportIdentity*>(fun.pointer()[1]);
}
inline std::size_t fun_captured(Term fun) { return header_of(fun).payload_words() - 1; }
inline Term fun_captured_at(Term fun, std::size_t index) { return {fun.pointer()[2 + index]}; }
inline std::uint32_t fun_arity(Term fun) {
  return header_of(fun).kind() == Kind::Fun ? fun_identity(fun).arity : export_identity(fun).arity;
}

}  // namespace quelea
