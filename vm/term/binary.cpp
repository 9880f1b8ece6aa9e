#include "vm/term/binary.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "vm/base/memory.h"

namespace quelea {

namespace {

/// A buffer that grows by append is at least this large.
constexpr std::size_t kLeastAppendBytes = 192;
constexpr std::size_t kSharedPartBytes = 24;

void dispose_owned(SharedBytes* shared) {
  shared->~SharedBytes();
  release(shared);
}

/// Buffers that grow past this have pages of their own.
constexpr std::size_t kLeastMappedBuffer = std::size_t{1} << 20;

void dispose_mapped(SharedBytes* shared) {
  unmap_pages(shared, sizeof(SharedBytes) + shared->capacity);
}

/// A HeapBinary whose bytes are all zero where `zero`, else only those of the last word.
std::uint8_t* make_heap_binary(TermAlloc& alloc, std::size_t bits, Term& term) {
  std::size_t words = (bits + 63) / 64;
  Word* object = alloc.alloc(2 + words);
  object[0] = Header::make(Kind::HeapBinary, 1 + words).bits;
  object[1] = Term::small(static_cast<std::int64_t>(bits)).bits;
  if (words > 0) object[1 + words] = 0;
  term = Term::boxed(object);
  return reinterpret_cast<std::uint8_t*>(object + 2);
}

/// A buffer of the machine that `alloc` belongs to; null where there is no memory for it.
SharedBytes* new_buffer(const TermAlloc& alloc, std::size_t capacity) {
  if (alloc.binary_account != nullptr && !alloc.binary_account->has_room(capacity)) return nullptr;
  return SharedBytes::create(capacity);
}

Word* room_for_ref_binary(TermAlloc& alloc, SharedBytes* shared) {
  try {
    return alloc.alloc(4);
  } catch (const std::bad_alloc&) {
    shared->release();
    throw;
  }
}

/// Adds a RefBinary, which takes over a reference, also where there is no memory for it; `fresh`
/// bytes are kept alive by it alone.
Term make_ref_binary(TermAlloc& alloc, SharedBytes* shared, std::size_t bits, std::size_t fresh) {
  Word* object = room_for_ref_binary(alloc, shared);
  object[0] = Header::make(Kind::RefBinary, 3).bits;
  object[1] = Term::small(static_cast<std::int64_t>(bits)).bits;
  object[2] = reinterpret_cast<Word>(shared);
  object[3] = reinterpret_cast<Word>(alloc.ref_binaries);
  alloc.ref_binaries = object;
  alloc.off_heap_bytes += fresh;
  if (BinaryAccount* account = alloc.binary_account; account != nullptr) {
    // Relaxed: nothing else depends on it, and who drops the last reference has seen all of it.
    BinaryAccount* none = nullptr;
    if (shared->account.load(std::memory_order_relaxed) == nullptr &&
        shared->account.compare_exchange_strong(none, account, std::memory_order_relaxed)) {
      account->bytes.fetch_add(shared->capacity, std::memory_order_relaxed);
    }
    if (QUELEA_UNLIKELY(alloc.off_heap_bytes > account->collect_after)) alloc.grow(alloc, 0);
  }
  return Term::boxed(object);
}

Term make_sub_binary(TermAlloc& alloc, Term base, std::size_t offset, std::size_t bits) {
  Word* object = alloc.alloc(4);
  object[0] = Header::make(Kind::SubBinary, 3).bits;
  object[1] = Term::small(static_cast<std::int64_t>(offset)).bits;
  object[2] = Term::small(static_cast<std::int64_t>(bits)).bits;
  object[3] = base.bits;
  return Term::boxed(object);
}

/// A binary as a window on a HeapBinary or RefBinary.
struct Window {
  Term base;
  std::size_t offset;
  std::size_t bits;
};

Window window_of(Term bits) {
  if (!bits.is_kind(Kind::SubBinary)) return {bits, 0, binary_bits(bits)};
  const Word* object = bits.pointer();
  return {{object[3]},
          static_cast<std::size_t>(Term{object[1]}.small_value()),
          static_cast<std::size_t>(Term{object[2]}.small_value())};
}

/// Zeroes what lies behind `bits` in its last byte.
void clear_tail(std::uint8_t* data, std::size_t bits) {
  if (bits & 7) data[bits / 8] &= static_cast<std::uint8_t>(0xFF00u >> (bits & 7));
}

}  // namespace

SharedBytes* SharedBytes::create(std::size_t capacity) {
  if (capacity > 2 * kMaxBinaryBytes) return nullptr;
  void* memory = allocate(sizeof(SharedBytes) + capacity);
  if (memory == nullptr) return nullptr;
  std::uint8_t* bytes = static_cast<std::uint8_t*>(memory) + sizeof(SharedBytes);
  return new (memory) SharedBytes{{1}, capacity, {0}, bytes, dispose_owned};
}

SharedBytes* SharedBytes::resize(SharedBytes* shared, std::size_t capacity) {
  if (capacity > 2 * kMaxBinaryBytes) return nullptr;
  const std::size_t old_size = sizeof(SharedBytes) + shared->capacity;
  const std::size_t size = sizeof(SharedBytes) + capacity;
  const bool was_mapped = shared->dispose == dispose_mapped;
  const bool mapped = was_mapped || size >= kLeastMappedBuffer;
  void* memory = !mapped      ? reallocate(shared, size)
                 : was_mapped ? remap_pages(shared, old_size, size)
                              : map_pages(size);
  if (memory == nullptr) return nullptr;
  if (mapped && !was_mapped) {
    make_present(memory, std::min(old_size, size));
    std::memcpy(memory, static_cast<void*>(shared), std::min(old_size, size));
    quelea::release(shared);
  }
  auto resized = static_cast<SharedBytes*>(memory);
  resized->capacity = capacity;
  resized->bytes = static_cast<std::uint8_t*>(memory) + sizeof(SharedBytes);
  if (mapped) resized->dispose = dispose_mapped;
  return resized;
}

SharedBytes* SharedBytes::wrap(std::uint8_t* bytes, std::size_t size,
                               void (*dispose)(SharedBytes*)) {
  return new SharedBytes{{1}, size, {size * 8}, bytes, dispose};
}

Term binary_from_bytes(TermAlloc& alloc, const void* bytes, std::size_t size) {
  std::uint8_t* data;
  Term result = binary_uninitialised(alloc, size, &data);
  if (size > 0 && !result.is_none()) std::memcpy(data, bytes, size);
  return result;
}

Term binary_uninitialised(TermAlloc& alloc, std::size_t bytes, std::uint8_t** data) {
  if (bytes <= kMaxHeapBinaryBytes) {
    Term result;
    *data = make_heap_binary(alloc, bytes * 8, result);
    return result;
  }
  SharedBytes* shared = bytes > kMaxBinaryBytes ? nullptr : new_buffer(alloc, bytes);
  if (shared == nullptr) return Term::none();
  *data = shared->bytes;
  return binary_from_shared(alloc, shared, bytes * 8);
}

Term binary_from_view(TermAlloc& alloc, BinaryView view) {
  std::uint8_t* data;
  Term result;
  if (view.byte_size() <= kMaxHeapBinaryBytes) {
    data = make_heap_binary(alloc, view.bit_size, result);
  } else {
    SharedBytes* shared = new_buffer(alloc, view.byte_size());
    if (shared == nullptr) return Term::none();
    data = shared->bytes;
    result = binary_from_shared(alloc, shared, view.bit_size);
  }
  bits_copy(data, 0, view.bytes, view.bit_offset, view.bit_size);
  clear_tail(data, view.bit_size);
  return result;
}

Term binary_from_shared(TermAlloc& alloc, SharedBytes* shared, std::size_t bit_size) {
  std::size_t used = shared->used.load(std::memory_order_relaxed);
  if (used < bit_size) shared->used.store(bit_size, std::memory_order_relaxed);
  return make_ref_binary(alloc, shared, bit_size, shared->capacity);
}

Term binary_part(TermAlloc& alloc, Term bits, std::size_t bit_offset, std::size_t bit_size) {
  if (bit_size <= kSharedPartBytes * 8) {
    return binary_from_view(alloc, binary_view(bits).sub(bit_offset, bit_size));
  }
  Window window = window_of(bits);
  if (bit_offset == 0 && bit_size == window.bits) return bits;
  return make_sub_binary(alloc, window.base, window.offset + bit_offset, bit_size);
}

Term binary_append(TermAlloc& alloc, Term a, Term b) {
  BinaryView right = binary_view(b);
  if (right.bit_size == 0) return a;
  BinaryView left = binary_view(a);
  if (left.bit_size == 0) return b;
  std::size_t total = left.bit_size + right.bit_size;
  if (total > kMaxBinaryBytes * 8) return Term::none();
  if (total <= kMaxHeapBinaryBytes * 8) {
    Term result;
    std::uint8_t* data = make_heap_binary(alloc, total, result);
    bits_copy(data, 0, left.bytes, left.bit_offset, left.bit_size);
    bits_copy(data, left.bit_size, right.bytes, right.bit_offset, right.bit_size);
    clear_tail(data, total);
    return result;
  }
  Window window = window_of(a);
  std::size_t end = window.offset + window.bits;
  if (window.base.is_kind(Kind::RefBinary)) {
    SharedBytes* shared = ref_binary_bytes(window.base);
    std::size_t expected = end;
    std::size_t new_end = end + right.bit_size;
    // Pairs with itself: whoever wins owns the bits between the old and the new value.
    if (new_end <= shared->capacity * 8 &&
        shared->used.compare_exchange_strong(expected, new_end, std::memory_order_acq_rel)) {
      bits_copy(shared->bytes, end, right.bytes, right.bit_offset, right.bit_size);
      clear_tail(shared->bytes, new_end);
      shared->retain();
      Term base = make_ref_binary(alloc, shared, new_end, right.byte_size());
      return window.offset == 0 ? base : make_sub_binary(alloc, base, window.offset, total);
    }
  }
  std::size_t capacity = 2 * ((total + 7) / 8);
  SharedBytes* shared =
      new_buffer(alloc, capacity < kLeastAppendBytes ? kLeastAppendBytes : capacity);
  if (shared == nullptr) return Term::none();
  bits_copy(shared->bytes, 0, left.bytes, left.bit_offset, left.bit_size);
  bits_copy(shared->bytes, left.bit_size, right.bytes, right.bit_offset, right.bit_size);
  clear_tail(shared->bytes, total);
  return binary_from_shared(alloc, shared, total);
}

std::size_t bits_copied_by_append(Term a, std::size_t bits) {
  const Window window = window_of(a);
  if (window.base.is_kind(Kind::RefBinary)) {
    const SharedBytes* shared = ref_binary_bytes(window.base);
    const std::size_t end = window.offset + window.bits;
    if (end + bits <= shared->capacity * 8 && shared->used.load(std::memory_order_relaxed) == end) {
      return bits;
    }
  }
  return window.bits + bits;
}

Term binary_copy(TermAlloc& alloc, Term bits) { return binary_from_view(alloc, binary_view(bits)); }

void join_ref_binaries(Word*& chain, Word* more) {
  if (more == nullptr) return;
  Word* last = more;
  while (last[3] != 0) last = reinterpret_cast<Word*>(last[3]);
  last[3] = reinterpret_cast<Word>(chain);
  chain = more;
}

void release_ref_binaries(Word* chain) {
  while (chain != nullptr) {
    Word* next = reinterpret_cast<Word*>(chain[3]);
    reinterpret_cast<SharedBytes*>(chain[2])->release();
    chain = next;
  }
}

// The builder -------------------------------------------------------------------------------------

void BinaryBuilder::trim() {
  if (shared_ == nullptr || claimed_ || failed_) return;
  const std::size_t bytes = (bits_ + 7) / 8;
  if (bytes <= capacity_ - capacity_ / 8) move_to(bytes);
}

BinaryBuilder::~BinaryBuilder() { release_buffer(); }

BinaryBuilder::BinaryBuilder(BinaryBuilder&& other) noexcept
    : data_(other.data_),
      bits_(other.bits_),
      capacity_(other.capacity_),
      shared_(other.shared_),
      claimed_from_(other.claimed_from_),
      claimed_(other.claimed_),
      failed_(other.failed_),
      start_(other.start_),
      present_(other.present_) {
  if (shared_ == nullptr) {
    data_ = small_;
    std::memcpy(small_, other.small_, sizeof small_);
  }
  other.shared_ = nullptr;
}

void BinaryBuilder::release_buffer() {
  if (shared_ == nullptr) return;
  if (claimed_) shared_->used.store(claimed_from_, std::memory_order_release);
  shared_->release();
  shared_ = nullptr;
  claimed_ = false;
}

void BinaryBuilder::append_to(Term base) {
  Window window = window_of(base);
  std::size_t end = window.offset + window.bits;
  if (window.base.is_kind(Kind::RefBinary)) {
    SharedBytes* shared = ref_binary_bytes(window.base);
    std::size_t expected = end;
    // All the room that is left is claimed until `finish` says how much was taken.
    if (end < shared->capacity * 8 &&
        shared->used.compare_exchange_strong(expected, shared->capacity * 8,
                                             std::memory_order_acq_rel)) {
      shared->retain();
      shared_ = shared;
      claimed_ = true;
      claimed_from_ = end;
      data_ = shared->bytes;
      capacity_ = shared->capacity;
      start_ = window.offset;
      bits_ = end;
      return;
    }
  }
  if (window.bits > kMaxHeapBinaryBytes * 8) {
    std::size_t capacity = 2 * ((window.bits + 7) / 8);
    if (!move_to(capacity < kLeastAppendBytes ? kLeastAppendBytes : capacity)) return;
  }
  put_bits(binary_view(base));
}

bool BinaryBuilder::move_to(std::size_t capacity) {
  if (shared_ != nullptr && !claimed_) {
    SharedBytes* resized = SharedBytes::resize(shared_, capacity);
    if (resized == nullptr) {
      failed_ = true;
      return false;
    }
    shared_ = resized;
    data_ = resized->bytes;
    capacity_ = capacity;
    return true;
  }
  SharedBytes* larger = capacity > 2 * kMaxBinaryBytes ? nullptr : SharedBytes::create(capacity);
  if (larger == nullptr) {
    failed_ = true;
    return false;
  }
  std::size_t bits = bits_ - start_;
  bits_copy(larger->bytes, 0, data_, start_, bits);
  clear_tail(larger->bytes, bits);
  release_buffer();
  shared_ = larger;
  data_ = larger->bytes;
  capacity_ = capacity;
  start_ = 0;
  bits_ = bits;
  return true;
}

void BinaryBuilder::make_pages_present(std::size_t bytes) {
  if (!room(8 * bytes) || shared_ == nullptr || claimed_ || capacity_ < kLeastMappedBuffer) return;
  const std::size_t end = bits_ / 8 + bytes;
  if (end <= present_) return;
  const std::size_t from = std::max(present_, bits_ / 8);
  present_ = std::min(std::max(end, from + kPresentAtOnce), capacity_);
  make_present(data_ + from, present_ - from);
}

bool BinaryBuilder::room(std::size_t bits) {
  if (QUELEA_LIKELY(bits <= capacity_ * 8 - bits_)) return !failed_;
  if (failed_ || bits > kMaxBinaryBytes * 8 || bits_ - start_ + bits > kMaxBinaryBytes * 8) {
    failed_ = true;
    return false;
  }
  std::size_t needed = (bits_ - start_ + bits + 7) / 8;
  std::size_t doubled = 2 * capacity_;
  return move_to(needed > doubled ? needed : doubled);
}

void BinaryBuilder::reserve_bits(std::size_t bits) {
  if (failed_ || bits <= capacity_ * 8 - bits_ || bits > kMaxBinaryBytes * 8) return;
  std::size_t needed = (bits_ - start_ + bits + 7) / 8;
  move_to(claimed_ && needed < 2 * capacity_ ? 2 * capacity_ : needed);
}

Term BinaryBuilder::finish(TermAlloc& alloc) {
  std::size_t bits = bits_ - start_;
  Term result = Term::none();
  bool is_new = shared_ != nullptr && !claimed_;
  if (is_new && alloc.binary_account != nullptr && !alloc.binary_account->has_room(capacity_)) {
    failed_ = true;
  }
  if (failed_) {
    release_buffer();
  } else if (bits <= kMaxHeapBinaryBytes * 8 && !claimed_) {
    result = binary_from_view(alloc, {data_ + start_ / 8, start_ & 7, bits});
    release_buffer();
  } else {
    std::size_t fresh = claimed_ ? (bits_ - claimed_from_) / 8 : shared_->capacity;
    // Pairs with the acquiring compare-and-swap of the next one to append.
    shared_->used.store(bits_, std::memory_order_release);
    result = make_ref_binary(alloc, std::exchange(shared_, nullptr), bits_, fresh);
    if (start_ != 0) result = make_sub_binary(alloc, result, start_, bits);
  }
  shared_ = nullptr;
  claimed_ = false;
  failed_ = false;
  data_ = small_;
  capacity_ = sizeof small_;
  start_ = 0;
  bits_ = 0;
  present_ = 0;
  return result;
}

}  // namespace quelea
