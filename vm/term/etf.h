// The external term format: how terms travel and are stored.
//
// Encoding writes the newest tags (atoms in UTF-8, NEW_PID, NEWER_REFERENCE, V4_PORT, MAP,
// BIT_BINARY). Decoding accepts what distribution.md lists and is strict: every count is checked
// against the bytes that are left before anything is allocated, unknown tags and trailing rubbish
// are errors. Compressed terms (131, 80) are inflated first, to no more than their bytes can hold.
// Neither recurses. Text that came from a peer costs atoms: `max_new_atoms` caps them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "vm/term/alloc.h"
#include "vm/term/atoms.h"
#include "vm/term/fun.h"
#include "vm/term/identity.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr std::uint8_t kEtfVersion = 131;

struct EtfEncodeOptions {
  NodeIdentity node;
  /// Maps in key order, so that equal terms give equal bytes.
  bool deterministic = false;
  /// Give up past this many bytes.
  std::size_t max_bytes = std::size_t{1} << 32;
  /// Give up past about this many words looked at.
  std::size_t max_work = static_cast<std::size_t>(-1);
  /// Leave the leading 131 out.
  bool bare = false;
};

/// Appends the bytes; false when the result, or the work, would be too large (`out` is then as
/// before).
bool etf_encode(std::string& out, Term term, const AtomTable& atoms,
                const EtfEncodeOptions& options = {}, std::size_t* work = nullptr);

/// The same little by little. Holds terms and addresses: nothing may be collected meanwhile.
class EtfEncoding {
 public:
  EtfEncoding(Term term, const AtomTable& atoms, const EtfEncodeOptions& options);
  EtfEncoding(EtfEncoding&&) noexcept;
  ~EtfEncoding();
  /// Appends some bytes now and then; false when these were the last.
  bool step(std::string& out, std::size_t& cost);

 private:
  struct Walk;
  std::unique_ptr<Walk> walk_;
};

struct EtfDecodeOptions {
  NodeIdentity node;
  std::uint32_t max_new_atoms = 1u << 20;
  bool requests_atoms = false;  ///< As `AtomTable::request` does.
  AtomOf atoms_of = AtomOf::Code;
  /// Words that the term may take.
  std::size_t max_words = std::size_t{1} << 32;
  /// The input starts with the term's tag, not with 131.
  bool bare = false;
  /// Bytes may follow the term; `used` says where it ended.
  bool allow_rest = false;
  /// Called for functions; a null answer or no hook refuses the term. An Export* or FunEntry*
  /// otherwise.
  const ExportIdentity* (*find_export)(void* context, Term module, Term function,
                                       std::uint32_t arity) = nullptr;
  const FunIdentity* (*find_fun)(void* context, Term module, std::uint32_t index, Word unique,
                                 std::uint32_t arity, std::uint32_t captured) = nullptr;
  void* context = nullptr;
};

struct EtfDecodeResult {
  Term term = Term::none();
  std::size_t used = 0;         ///< bytes read
  std::size_t work = 0;         ///< words touched, where all was done at once
  const char* error = nullptr;  ///< a sentence's end ("unknown tag"), when term is none
  bool lacks_room = false;  ///< That is the error: of the atom table, or of the machine's memory.
};

/// Decoding little by little; nothing may be collected meanwhile, and the bytes must stay.
class EtfDecoding {
 public:
  EtfDecoding(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size, AtomTable& atoms,
              const EtfDecodeOptions& options);
  EtfDecoding(EtfDecoding&&) noexcept;
  ~EtfDecoding();
  /// False when it is done. Where it gave up (vm/term/work.h) it cannot go on.
  bool step(std::size_t& cost);
  EtfDecodeResult result() const;

 private:
  struct Walk;
  std::unique_ptr<Walk> walk_;
};

/// All at once.
EtfDecodeResult etf_decode(TermAlloc& alloc, const std::uint8_t* bytes, std::size_t size,
                           AtomTable& atoms, const EtfDecodeOptions& options = {});

}  // namespace quelea
