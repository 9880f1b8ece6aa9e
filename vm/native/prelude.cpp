// The prelude's functions on values: type tests, numbers, sizes, text. Most of them are
// instructions too; these are what
// `&is_int/1` and calls with computed names reach.
#include "vm/code/code_registry.h"
#include "vm/native/pool.h"
#include "vm/native/posix.h"
#include "vm/native/slices.h"
#include "vm/proc/output.h"
#include "vm/term/compare.h"
#include "vm/term/etf.h"
#include "vm/term/fun.h"
#include "vm/term/hash.h"
#include "vm/term/identity.h"
#include "vm/term/inspect.h"
#include "vm/term/number.h"
#include "vm/term/utf8.h"

namespace quelea {

Term prelude_is_int(Process&, Args args) { return make_bool(is_integer(args[0])); }
Term prelude_is_float(Process&, Args args) { return make_bool(args[0].is_float()); }
Term prelude_is_number(Process&, Args args) { return make_bool(is_number(args[0])); }
Term prelude_is_atom(Process&, Args args) { return make_bool(args[0].is_atom()); }
Term prelude_is_bool(Process&, Args args) { return make_bool(is_bool(args[0])); }
Term prelude_is_binary(Process&, Args args) { return make_bool(is_binary(args[0])); }
Term prelude_is_bits(Process&, Args args) { return make_bool(is_bits(args[0])); }
Term prelude_is_list(Process&, Args args) { return make_bool(args[0].is_list()); }
Term prelude_is_tuple(Process&, Args args) { return make_bool(is_tuple(args[0])); }
Term prelude_is_map(Process&, Args args) { return make_bool(is_map(args[0])); }
Term prelude_is_pid(Process&, Args args) { return make_bool(is_pid(args[0])); }
Term prelude_is_ref(Process&, Args args) { return make_bool(is_reference(args[0])); }
Term prelude_is_fun_1(Process&, Args args) { return make_bool(is_fun(args[0])); }

Term prelude_is_fun_2(Process& p, Args args) {
  if (!args[1].is_small() || args[1].small_value() < 0) return badarg(p);
  return make_bool(is_fun(args[0]) && fun_arity(args[0]) == args[1].small_value());
}

Term prelude_is_map_key(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return walk_or_leave(p, [&](std::size_t& work) {
    return make_bool(map_has(args[0], args[1], atoms_of(p), &work));
  });
}

namespace {

using UnaryNumber = Term (*)(TermAlloc&, Term, NumberResult&);

Term unary_number(Process& p, Term argument, UnaryNumber function) {
  if (!is_number(argument)) return badarg(p);
  NumberResult result;
  Term value = function(p, argument, result);
  return value.is_none() ? fail(p, result.error) : value;
}

}  // namespace

Term prelude_abs(Process& p, Args args) { return unary_number(p, args[0], number_abs); }
Term prelude_round(Process& p, Args args) { return unary_number(p, args[0], number_round); }
Term prelude_trunc(Process& p, Args args) { return unary_number(p, args[0], number_trunc); }
Term prelude_floor(Process& p, Args args) { return unary_number(p, args[0], number_floor); }
Term prelude_ceil(Process& p, Args args) { return unary_number(p, args[0], number_ceil); }
Term prelude_float(Process& p, Args args) { return unary_number(p, args[0], number_float); }

Term prelude_min(Process& p, Args args) {
  return walk_or_leave(p, [&](std::size_t& work) {
    return args[compare(args[1], args[0], atoms_of(p), &work) < 0 ? 1 : 0];
  });
}

Term prelude_max(Process& p, Args args) {
  return walk_or_leave(p, [&](std::size_t& work) {
    return args[compare(args[1], args[0], atoms_of(p), &work) > 0 ? 1 : 0];
  });
}

Term prelude_elem(Process& p, Args args) {
  if (!is_tuple(args[0]) || !args[1].is_small()) return badarg(p);
  const auto index = static_cast<std::size_t>(args[1].small_value());
  return index < tuple_size(args[0]) ? tuple_at(args[0], index) : badarg(p);
}

Term prelude_put_elem(Process& p, Args args) {
  if (!is_tuple(args[0]) || !args[1].is_small()) return badarg(p);
  const auto index = static_cast<std::size_t>(args[1].small_value());
  const std::size_t size = tuple_size(args[0]);
  if (index >= size) return badarg(p);
  if (is_large_tuple(p, args[0])) return p.to_pool();
  Word* object = p.alloc(1 + size);
  std::memcpy(object, args[0].pointer(), (1 + size) * sizeof(Word));
  object[1 + index] = args[2].bits;
  charge_cells(p, size);
  return Term::boxed(object);
}

Term prelude_tuple_size(Process& p, Args args) {
  if (!is_tuple(args[0])) return badarg(p);
  return Term::small(static_cast<std::int64_t>(tuple_size(args[0])));
}

Term prelude_map_size(Process& p, Args args) {
  if (!is_map(args[0])) return badmap(p, args[0]);
  return Term::small(static_cast<std::int64_t>(map_size(args[0])));
}

Term prelude_byte_size(Process& p, Args args) {
  if (!is_bits(args[0])) return badarg(p);
  return Term::small(static_cast<std::int64_t>(binary_bytes(args[0])));
}

Term prelude_bit_size(Process& p, Args args) {
  if (!is_bits(args[0])) return badarg(p);
  return Term::small(static_cast<std::int64_t>(binary_bits(args[0])));
}

Term prelude_hd(Process& p, Args args) { return args[0].is_cons() ? args[0].head() : badarg(p); }
Term prelude_tl(Process& p, Args args) { return args[0].is_cons() ? args[0].tail() : badarg(p); }

// Text ------------------------------------------------------------------------------------------
namespace {

struct Inspect {
  Inspect(Process& p, Args args) : inspection(args[0], atoms_of(p), p.vm().inspect_options()) {}
  Inspection inspection;
  TextOut out;
  bool fits = true;

  bool step(Process& p, std::size_t& cost) {
    const bool more = inspection.step(out.text, cost);
    fits = out.settle(p);
    return more && fits;
  }
  Term finish(Process& p) { return fits ? out.finish(p) : system_limit(p); }
};

/// What is small is tried at once.
Term inspected(Process& p, Args args) {
  constexpr std::size_t kSmallWork = 4 * 1024;
  if (p.native_state == nullptr) {
    std::string out;
    std::size_t work = 0;
    InspectOptions options = p.vm().inspect_options();
    options.max_work = kSmallWork;
    inspect(out, args[0], atoms_of(p), options, &work);
    charge_cells(p, work + out.size() / 8);
    if (work <= kSmallWork) return text_term(p, out);
  }
  return in_slices<Inspect>(p, args);
}

}  // namespace

Term prelude_to_string(Process& p, Args args) {
  if (p.native_state == nullptr) {
    if (args[0].is_atom()) return text_term(p, text_of(p, args[0]));
    if (is_binary(args[0])) {
      // A string is its own text; other binaries are shown as inspect shows them.
      if (is_large_text(p, args[0])) return p.to_pool();
      Bytes bytes;
      bytes.get(args[0]);
      charge_bytes(p, bytes.size());
      if (utf8_valid(bytes.text())) return args[0];
    }
  }
  return inspected(p, args);
}

Term prelude_inspect(Process& p, Args args) { return inspected(p, args); }

namespace {

Term print_text(Process& p, Term value, bool newline) {
  if (is_large_text(p, value)) return p.to_pool();
  std::string out;
  std::size_t work = 0;
  InspectOptions options = p.vm().inspect_options();
  if (!p.on_pool()) options.max_work = kMostWalk;
  to_string(out, value, atoms_of(p), options, &work);
  if (work > options.max_work) return p.to_pool();
  if (newline) out.push_back('\n');
  charge_cells(p, work + out.size() / 8);
  const int error = p.vm().output().write(p, 1, out);
  if (error == Output::kLater) return Term::none();
  return error == 0 ? atoms::ok : fail(p, posix_atom(p, error));
}

}  // namespace

Term prelude_print(Process& p, Args args) { return print_text(p, args[0], false); }
Term prelude_println(Process& p, Args args) { return print_text(p, args[0], true); }

// External term format --------------------------------------------------------------------------
namespace {

struct EncodeTerm {
  EncodeTerm(Process& p, Args args) : encoding(args[0], atoms_of(p), options(p)) {}
  static EtfEncodeOptions options(Process& p) {
    EtfEncodeOptions options;
    options.node = p.vm().node();
    return options;
  }
  EtfEncoding encoding;
  TextOut out;
  bool fits = true;

  bool step(Process& p, std::size_t& cost) {
    const bool more = encoding.step(out.text, cost);
    fits = out.settle(p);
    return more && fits;
  }
  Term finish(Process& p) { return fits ? out.finish(p) : system_limit(p); }
};

}  // namespace

Term prelude_term_to_binary(Process& p, Args args) {
  // Most terms are small: they are tried at once.
  constexpr std::size_t kSmallWork = 8 * 1024;
  if (p.native_state == nullptr) {
    std::string out;
    std::size_t work = 0;
    EtfEncodeOptions options = EncodeTerm::options(p);
    options.max_work = kSmallWork;
    if (etf_encode(out, args[0], atoms_of(p), options, &work)) {
      charge_cells(p, work + out.size() / 16);
      return text_term(p, out);
    }
  }
  return in_slices<EncodeTerm>(p, args);
}

namespace {

const ExportIdentity* find_export_for_decoding(void* context, Term module, Term function,
                                               std::uint32_t arity) {
  return static_cast<Vm*>(context)->code().request_export(module, function, arity);
}

const FunIdentity* find_fun_for_decoding(void* context, Term module, std::uint32_t index,
                                         Word unique, std::uint32_t arity, std::uint32_t captured) {
  const LoadedModule* loaded = static_cast<Vm*>(context)->code().find_module(module);
  if (loaded == nullptr || index >= loaded->lambdas.size()) return nullptr;
  const FunEntry& entry = loaded->lambdas[index];
  if (entry.unique != unique || entry.arity != arity || entry.captured != captured) return nullptr;
  return &entry;
}

/// Short ones may become long.
bool is_compressed_term(Term binary) {
  return binary_bytes(binary) > 1 && bits_read_word(binary_view(binary), 8, 8) == 80;
}

Term decoded(Process& p, const EtfDecodeResult& result) {
  if (result.lacks_room) return system_limit(p);
  return result.term.is_none() ? badarg(p) : result.term;
}

template <bool kSafe>
struct DecodeTerm {
  DecodeTerm(Process& p, Args args)
      : bytes(bytes_of(args[0])),
        decoding(p, bytes.data(), bytes.size(), p.vm().atoms(), options(p)) {}
  static Bytes bytes_of(Term binary) {
    Bytes bytes;
    bytes.get(binary);
    return bytes;
  }
  static EtfDecodeOptions options(Process& p) {
    EtfDecodeOptions options;
    options.node = p.vm().node();
    if (kSafe) options.max_new_atoms = 0;
    options.requests_atoms = true;
    if (p.vm().max_process_words() != 0) options.max_words = p.vm().max_process_words();
    options.find_export = find_export_for_decoding;
    options.find_fun = find_fun_for_decoding;
    options.context = &p.vm();
    return options;
  }
  Bytes bytes;
  EtfDecoding decoding;

  bool step(Process&, std::size_t& cost) { return decoding.step(cost); }
  Term finish(Process& p) { return decoded(p, decoding.result()); }
};

template <bool kSafe>
Term decode_term(Process& p, Args args) {
  constexpr std::size_t kSmallBytes = 16 * 1024;
  if (!is_binary(args[0])) return badarg(p);
  if (binary_bytes(args[0]) > kSmallBytes || is_compressed_term(args[0])) {
    if (is_large_unaligned(p, args[0])) return p.to_pool();
    return in_slices<DecodeTerm<kSafe>>(p, args);
  }
  Bytes bytes;
  bytes.get(args[0]);
  const EtfDecodeResult result =
      etf_decode(p, bytes.data(), bytes.size(), p.vm().atoms(), DecodeTerm<kSafe>::options(p));
  charge_cells(p, result.work + bytes.size() / 16);
  return decoded(p, result);
}

}  // namespace

Term prelude_binary_to_term(Process& p, Args args) { return decode_term<false>(p, args); }

Term prim_binary_to_term(Process& p, Args args) {
  if (!is_atom_named(p, args[1], "safe")) return badarg(p);
  return decode_term<true>(p, args);
}

Term prelude_hash(Process& p, Args args) {
  return walk_or_leave(p, [&](std::size_t& work) {
    return Term::small(portable_hash(args[0], atoms_of(p), &work));
  });
}

}  // namespace quelea
