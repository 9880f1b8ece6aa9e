// Binaries: sequences of bits.
//
// Up to 64 bytes the bytes lie in the heap (HeapBinary). Larger ones are a RefBinary: a small heap
// object that shares a buffer outside by reference count. A SubBinary is a window of bits on one of
// these two, never on another window.
//
//   HeapBinary: | header | bits | bytes, zero padded to words … |
//   RefBinary:  | header | bits | SharedBytes* | next RefBinary |
//   SubBinary:  | header | offset in bits | bits | base: a HeapBinary or RefBinary |
//
// A RefBinary starts at the first byte of its buffer. The buffer may be longer: `used` says how
// many bits of it are taken. A binary that ends exactly at `used` may be appended to in place by
// whoever moves `used` first (compare and swap); everybody else copies. So building a string by
// repeated append copies each byte O(1) times. This holds among threads: who moves `used` is the
// only one that writes behind its old value. Where that is not at the border of a byte, others may
// read the byte's first bits meanwhile, which are written back as they were, by stores of one byte.
//
// Every RefBinary is in its heap's chain `TermAlloc::ref_binaries` through `next`, so that the
// collector finds those that died and drops their count. `TermAlloc::off_heap_bytes` tells the
// collector how much they keep alive.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "vm/term/alloc.h"
#include "vm/term/term.h"

namespace quelea {

inline constexpr std::size_t kMaxHeapBinaryBytes = 64;
/// Larger ones are a system_limit.
inline constexpr std::size_t kMaxBinaryBytes = (std::size_t{1} << 32) - 1;

/// A buffer outside all heaps, shared by count.
struct SharedBytes {
  std::atomic<std::size_t> references;
  std::size_t capacity;  ///< bytes
  std::atomic<std::size_t>
      used;  ///< bits that belong to some binary; only grows, except by its claimant
  std::uint8_t* bytes;
  void (*dispose)(SharedBytes*);  ///< frees bytes and record
  /// Charged with `capacity` by the first heap with an account that a binary of it was made in.
  std::atomic<BinaryAccount*> account{nullptr};

  /// One reference, nothing used; null when there is no such memory.
  static SharedBytes* create(std::size_t capacity);
  /// The same bytes with more or less capacity, perhaps elsewhere: only for one that `create` made
  /// and nobody else has seen. Large ones move without being copied. Null where there is no memory;
  /// `shared` is then as before.
  static SharedBytes* resize(SharedBytes* shared, std::size_t capacity);
  /// Wraps memory of somebody else (a mapped file), all of it used; `dispose` unmaps and deletes.
  static SharedBytes* wrap(std::uint8_t* bytes, std::size_t size, void (*dispose)(SharedBytes*));
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    // The release half pairs with the acquire half of the last owner's decrement, which then frees.
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    BinaryAccount* charged = account.load(std::memory_order_relaxed);
    if (charged != nullptr) charged->bytes.fetch_sub(capacity, std::memory_order_relaxed);
    dispose(this);
  }
};

/// A look at the bits of a binary; valid until the next collection.
struct BinaryView {
  const std::uint8_t* bytes = nullptr;  ///< the byte that holds the first bit
  std::size_t bit_offset = 0;           ///< 0 to 7, counted from the most significant bit
  std::size_t bit_size = 0;

  bool is_bytes() const { return (bit_size & 7) == 0; }
  bool is_aligned() const { return bit_offset == 0; }
  std::size_t byte_size() const { return (bit_size + 7) / 8; }
  /// For aligned whole bytes.
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes), bit_size / 8}; }
  BinaryView sub(std::size_t offset, std::size_t size) const {
    std::size_t first = bit_offset + offset;
    return {bytes + first / 8, first & 7, size};
  }
};

inline bool is_bits(Term term) {
  if (!term.is_boxed()) return false;
  Kind kind = header_of(term).kind();
  return kind == Kind::HeapBinary || kind == Kind::RefBinary || kind == Kind::SubBinary;
}
inline std::size_t binary_bits(Term bits) {
  std::size_t word = header_of(bits).kind() == Kind::SubBinary ? 2 : 1;
  return static_cast<std::size_t>(Term{bits.pointer()[word]}.small_value());
}
inline std::size_t binary_bytes(Term bits) { return (binary_bits(bits) + 7) / 8; }
/// A binary of whole bytes.
inline bool is_binary(Term term) { return is_bits(term) && (binary_bits(term) & 7) == 0; }

inline SharedBytes* ref_binary_bytes(Term ref_binary) {
  return reinterpret_cast<SharedBytes*>(ref_binary.pointer()[2]);
}

inline BinaryView binary_view(Term bits) {
  const Word* object = bits.pointer();
  Kind kind = Header{object[0]}.kind();
  if (kind == Kind::HeapBinary) {
    return {reinterpret_cast<const std::uint8_t*>(object + 2), 0,
            static_cast<std::size_t>(Term{object[1]}.small_value())};
  }
  if (kind == Kind::RefBinary) {
    return {reinterpret_cast<const SharedBytes*>(object[2])->bytes, 0,
            static_cast<std::size_t>(Term{object[1]}.small_value())};
  }
  const Word* base = Term{object[3]}.pointer();
  const std::uint8_t* bytes = Header{base[0]}.kind() == Kind::HeapBinary
                                  ? reinterpret_cast<const std::uint8_t*>(base + 2)
                                  : reinterpret_cast<const SharedBytes*>(base[2])->bytes;
  std::size_t offset = static_cast<std::size_t>(Term{object[1]}.small_value());
  return {bytes + offset / 8, offset & 7, static_cast<std::size_t>(Term{object[2]}.small_value())};
}

// Making ----------------------------------------------------------------------------------------
// All return `none` where memory for a large buffer is not to be had, or past the account's limit.
Term binary_from_bytes(TermAlloc& alloc, const void* bytes, std::size_t size);
inline Term binary_from_text(TermAlloc& alloc, std::string_view text) {
  return binary_from_bytes(alloc, text.data(), text.size());
}
/// A copy of the bits.
Term binary_from_view(TermAlloc& alloc, BinaryView view);
/// A RefBinary on the first `bit_size` bits; takes over one reference of the caller. Never `none`,
/// but the next binary may be.
Term binary_from_shared(TermAlloc& alloc, SharedBytes* shared, std::size_t bit_size);
/// Uninitialised bytes to fill at once: `*data` points to them.
Term binary_uninitialised(TermAlloc& alloc, std::size_t bytes, std::uint8_t** data);
/// A window on `bits`, shared when that is larger than a copy would be. The range lies within.
Term binary_part(TermAlloc& alloc, Term bits, std::size_t bit_offset, std::size_t bit_size);

/// `a <> b`, amortised as described above. Both are bit strings; `none` past kMaxBinaryBytes.
Term binary_append(TermAlloc& alloc, Term a, Term b);
/// How many bits are copied where `bits` more are appended to `a`: those alone, if its buffer has
/// room and nobody else takes it meanwhile.
std::size_t bits_copied_by_append(Term a, std::size_t bits);
/// An aligned copy of nothing but these bits, whose buffer is not larger than needed
/// (`Binary.copy`).
Term binary_copy(TermAlloc& alloc, Term bits);

/// Drops the references that a chain of dead RefBinary objects holds (a heap's whole chain when its
/// process ends).
void release_ref_binaries(Word* chain);
/// Puts a chain of RefBinary objects in front of another.
void join_ref_binaries(Word*& chain, Word* more);

// Comparing -------------------------------------------------------------------------------------
bool bits_equal(BinaryView a, BinaryView b);
/// Byte by byte, the shorter first where it is a prefix.
int bits_compare(BinaryView a, BinaryView b);

// Bits ------------------------------------------------------------------------------------------
/// Copies `count` bits; regions do not overlap. Bits around the target's range stay as they are.
void bits_copy(std::uint8_t* to, std::size_t to_bit, const std::uint8_t* from, std::size_t from_bit,
               std::size_t count);

// Reading segments: `position` is in bits from the start of the view; the range must lie within it.
// -----------------
/// An integer of any size; `flags` as in vm/code/segments.h (signed, little).
Term bits_read_int(TermAlloc& alloc, BinaryView view, std::size_t position, std::size_t size,
                   bool is_signed, bool is_little);
/// Up to 64 bits, unsigned big-endian: the fast path.
std::uint64_t bits_read_word(BinaryView view, std::size_t position, unsigned size);
/// 16, 32 or 64 bits; false for other sizes and for what is no finite number.
bool bits_read_float(BinaryView view, std::size_t position, std::size_t size, bool is_little,
                     double& value);
/// A code point and the bits it took; -1 where there is none.
std::int32_t bits_read_utf8(BinaryView view, std::size_t position, std::size_t& taken);
std::int32_t bits_read_utf16(BinaryView view, std::size_t position, bool is_little,
                             std::size_t& taken);
std::int32_t bits_read_utf32(BinaryView view, std::size_t position, bool is_little,
                             std::size_t& taken);

/// Collects segments and makes a binary of them. Small results never leave the stack before they
/// reach the heap, large ones are built in the buffer that they keep. Puts return false where the
/// value does not fit the segment
/// (`badarg`); the builder may then be dropped.
class BinaryBuilder {
 public:
  BinaryBuilder() = default;
  ~BinaryBuilder();
  BinaryBuilder(BinaryBuilder&& other) noexcept;
  BinaryBuilder(const BinaryBuilder&) = delete;
  BinaryBuilder& operator=(const BinaryBuilder&) = delete;

  /// Starts with the bits of `base`, in place when its buffer has room (see binary_append). First
  /// call, at most once. Nobody else appends to that buffer until the builder is finished or
  /// dropped.
  void append_to(Term base);
  /// Makes room: a hint.
  void reserve_bits(std::size_t bits);
  /// So many bytes come next, which may be on new pages of a large buffer.
  void make_pages_present(std::size_t bytes);
  /// Gives back room that nobody will append to.
  void trim();

  /// The low `size` bits of an integer of any size (two's complement); false for no integer or too
  /// large a size.
  bool put_int(Term integer, std::size_t size, bool is_little);
  /// A float, or an integer that becomes one; size 16, 32 or 64; false for others and for overflow.
  bool put_float(Term number, std::size_t size, bool is_little);
  void put_float(double value, unsigned size, bool is_little);
  void put_bits(BinaryView view);
  void put_bytes(const void* bytes, std::size_t size);
  void put_byte(std::uint8_t byte) { put_word(byte, 8); }
  void put_text(std::string_view text) { put_bytes(text.data(), text.size()); }
  /// The low `size` <= 64 bits, most significant first.
  void put_word(std::uint64_t value, unsigned size);
  /// False for what is no Unicode scalar value.
  bool put_utf8(Term code_point);
  bool put_utf16(Term code_point, bool is_little);
  bool put_utf32(Term code_point, bool is_little);

  std::size_t bit_size() const { return bits_ - start_; }
  /// The binary, or `none` where it became too large (a system_limit). The builder is empty
  /// afterwards.
  Term finish(TermAlloc& alloc);

 private:
  bool room(std::size_t bits);
  bool move_to(std::size_t capacity);
  void release_buffer();
  void put_limbs(const std::uint64_t* limbs, std::size_t count, bool negative, std::size_t size,
                 bool is_little);

  std::uint8_t* data_ = small_;
  std::size_t bits_ = 0;                  // written so far, from data_
  std::size_t capacity_ = sizeof small_;  // bytes
  SharedBytes* shared_ = nullptr;         // owner of data_ once it is not small_
  std::size_t claimed_from_ = 0;          // `used` to put back when the claim is dropped
  bool claimed_ = false;                  // shared_ is another binary's, its rest is claimed
  bool failed_ = false;                   // no memory, or past kMaxBinaryBytes
  std::size_t start_ = 0;                 // bits of the buffer that come before this binary
  std::size_t present_ = 0;               // bytes of a large buffer that were made present
  std::uint8_t small_[kMaxHeapBinaryBytes];
};

}  // namespace quelea
