// json_decode: the options, the slices, and what is said of an error.
#include "vm/native/json_reader.h"
#include "vm/native/pool.h"

namespace quelea {
namespace {

constexpr std::size_t kSliceBytes = 128 * 1024;

/// (:error, (message, line, column))
Term syntax_error(Process& p, const JsonError& error, std::string_view text) {
  const std::string_view before = text.substr(0, error.at);
  const std::int64_t line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is zero
  std::int64_t column = 1;
  for (char c : before.substr(line_start)) column += (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  const Term message = text_term(p, error.message);
  if (message.is_none()) return message;
  return error_tuple(p, p.tuple(message, Term::small(line), Term::small(column)));
}

bool read_options(Process& p, Term map, JsonReader& reader) {
  if (!is_map(map)) return false;
  MapIterator entries(map);
  Term key;
  Term value;
  while (entries.next(key, value)) {
    if (is_atom_named(p, key, "max_depth")) {
      if (!get_count(value, reader.max_depth) || reader.max_depth < 1 ||
          reader.max_depth > JsonReader::kMaxDepth) {
        return false;
      }
    } else if (!is_atom_named(p, key, "keys")) {
      return false;
    } else if (is_atom_named(p, value, "atoms")) {
      reader.keys = JsonKeys::Atoms;
    } else if (is_atom_named(p, value, "existing_atoms")) {
      reader.keys = JsonKeys::ExistingAtoms;
    } else if (!is_atom_named(p, value, "strings")) {
      return false;
    }
  }
  return true;
}

}  // namespace

Term prim_json_decode(Process& p, Args args) {
  auto* reader = native_state<JsonReader>(p);
  if (reader == nullptr) {
    if (!is_binary(args[0])) return badarg(p);
    if (is_large_unaligned(p, args[0])) return p.to_pool();
    if (!binary_view(args[0]).is_aligned()) {
      const Term aligned = binary_copy(p, args[0]);
      if (aligned.is_none()) return system_limit(p);
      args.set(0, aligned);
    }
    reader = make_native_state<JsonReader>(p);
    if (!read_options(p, args[1], *reader)) {
      drop_native_state(p);
      return badarg(p);
    }
  }
  const std::size_t start = reader->at();
  const bool goes_on = !reader->error && reader->read(p, args[0], kSliceBytes);
  p.charge(static_cast<std::int64_t>((reader->at() - start) / 16));
  if (reader->for_pool) return p.to_pool();
  if (goes_on) return p.again();
  Term result = reader->roots.empty() ? Term::none() : reader->roots.back();
  if (reader->lacks_room) {
    result = system_limit(p);
  } else if (reader->error) {
    // Everything before it is looked at once more.
    if (is_for_pool(p, reader->error->at, kPoolTextBytes)) return p.to_pool();
    result = syntax_error(p, *reader->error, binary_view(args[0]).text());
  } else if (!result.is_none()) {
    result = ok_tuple(p, result);
  }
  drop_native_state(p);
  return result;
}

}  // namespace quelea
