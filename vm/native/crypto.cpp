// Hashes, message authentication, key derivation and randomness; OpenSSL does the work.
//
// libcrypto is linked statically and sets itself up on the first call here (about a millisecond): a
// program that hashes nothing does not pay for it. It is told neither to read the system's
// configuration file nor to register anything that runs at the host's exit.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <memory>

#include "vm/native/iodata.h"
#include "vm/native/posix.h"
#include "vm/native/slices.h"
#include "vm/proc/determinism.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::int64_t kMaxRandomBytes = 1 << 24;
constexpr std::int64_t kMaxIterations = 10'000'000;
constexpr std::int64_t kMaxDerivedBytes = 1 << 20;

struct Algorithm {
  std::string_view name;
  const EVP_MD* (*digest)();
};

constexpr Algorithm kAlgorithms[] = {
    {"md5", EVP_md5},
    {"sha", EVP_sha1},
    {"sha1", EVP_sha1},
    {"sha224", EVP_sha224},
    {"sha256", EVP_sha256},
    {"sha384", EVP_sha384},
    {"sha512", EVP_sha512},
    {"sha3_224", EVP_sha3_224},
    {"sha3_256", EVP_sha3_256},
    {"sha3_384", EVP_sha3_384},
    {"sha3_512", EVP_sha3_512},
    {"blake2b", EVP_blake2b512},
    {"blake2s", EVP_blake2s256},
};

/// Null for an unknown algorithm.
const EVP_MD* digest_of(Process& p, Term name) {
  if (!name.is_atom()) return nullptr;
  const std::string_view text = text_of(p, name);
  for (const Algorithm& algorithm : kAlgorithms) {
    if (algorithm.name != text) continue;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
    return algorithm.digest();
  }
  return nullptr;
}

/// What no argument can cause: the library refused.
Term library_failure(Process& p) { return fail(p, atoms::system_limit); }

constexpr std::size_t kBytesAStep = 8 * 1024;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// Feeds iodata to `Sink::feed(p, piece)`, which is false where it failed.
template <class Sink>
struct Feed : Sink {
  Feed(Process& p, Args args, Term iodata) : Sink(p, args) {
    if (is_binary(iodata)) {
      bytes.get(iodata);
    } else {
      walk.start(iodata);
    }
  }
  Bytes bytes;
  std::size_t at = 0;
  IodataWalk walk;
  MachineString collected;
  bool good = true;

  bool step(Process& p, std::size_t& cost) {
    std::string_view piece = bytes.text().substr(at, kBytesAStep);
    at += piece.size();
    if (!walk.is_over()) {
      collected.clear();
      good = walk.append(collected, cost);
      piece = collected;
    }
    cost += 8 + piece.size() / 2;
    this->feed(p, piece);
    return good && (at < bytes.size() || !walk.is_over());
  }
  Term finish(Process& p) { return good ? this->sum(p) : badarg(p); }
};

/// A digest under way.
class Digest {
 public:
  explicit Digest(const EVP_MD* digest) : context_(EVP_MD_CTX_new()) {
    works_ = context_ != nullptr && EVP_DigestInit_ex(context_.get(), digest, nullptr) == 1;
  }
  void feed(Process&, std::string_view piece) {
    works_ = works_ && EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1;
  }
  /// Its size; 0 where the library refused something.
  unsigned end(unsigned char* out) {
    unsigned size = 0;
    return works_ && EVP_DigestFinal_ex(context_.get(), out, &size) == 1 ? size : 0;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  bool works_ = false;
};

struct Hash : Digest {
  Hash(Process& p, Args args) : Digest(digest_of(p, args[0])) {}
  Term sum(Process& p) {
    unsigned char out[EVP_MAX_MD_SIZE];
    const unsigned size = end(out);
    return size == 0 ? library_failure(p) : checked(p, binary_from_bytes(p, out, size));
  }
};

/// RFC 2104: H(key ^ opad, H(key ^ ipad, text)).
struct Hmac : Digest {
  Hmac(Process& p, Args args) : Digest(digest_of(p, args[0])), digest(digest_of(p, args[0])) {
    IodataBytes given;
    given.get(p, args[1]);
    const auto block = static_cast<std::size_t>(EVP_MD_block_size(digest));
    key.assign(given.text());
    if (key.size() > block) {
      unsigned char sum[EVP_MAX_MD_SIZE];
      Digest short_key(digest);
      short_key.feed(p, key);
      key.assign(reinterpret_cast<const char*>(sum), short_key.end(sum));
    }
    key.resize(block, '\0');
    feed(p, padded(0x36));
  }
  const EVP_MD* digest;
  std::string key;

  Term sum(Process& p) {
    unsigned char out[EVP_MAX_MD_SIZE];
    const unsigned inner_size = end(out);
    Digest outer(digest);
    outer.feed(p, padded(0x5C));
    outer.feed(p, {reinterpret_cast<const char*>(out), inner_size});
    const unsigned size = inner_size == 0 ? 0 : outer.end(out);
    return size == 0 ? library_failure(p) : checked(p, binary_from_bytes(p, out, size));
  }

 private:
  std::string padded(char pad) const {
    std::string text = key;
    for (char& c : text) c = static_cast<char>(c ^ pad);
    return text;
  }
};

struct HashIodata : Feed<Hash> {
  HashIodata(Process& p, Args args) : Feed(p, args, args[1]) {}
};
struct HmacIodata : Feed<Hmac> {
  HmacIodata(Process& p, Args args) : Feed(p, args, args[2]) {}
};

/// Whether a key, which each slice looks at anew, is longer than anybody's key.
bool is_long_key(Term iodata) {
  constexpr std::size_t kMostCost = 4096;
  constexpr std::size_t kMostBytes = std::size_t{64} << 10;
  IodataWalk walk;
  std::size_t size = 0;
  std::size_t cost = 0;
  for (walk.start(iodata); !walk.is_over() && walk.count(size, cost);) {
    if (cost > kMostCost || size > kMostBytes) return true;
  }
  return false;
}

bool is_iodata_shaped(Term term) { return is_binary(term) || term.is_list(); }

}  // namespace

Term prim_crypto_hash(Process& p, Args args) {
  if (is_large_unaligned(p, args[1])) return p.to_pool();
  if (digest_of(p, args[0]) == nullptr || !is_iodata_shaped(args[1])) return badarg(p);
  return in_slices<HashIodata>(p, args);
}

Term prim_crypto_hmac(Process& p, Args args) {
  if ((is_long_key(args[1]) && !p.on_pool()) || is_large_unaligned(p, args[2])) return p.to_pool();
  IodataBytes key;
  if (digest_of(p, args[0]) == nullptr || !is_iodata_shaped(args[2]) || !key.get(p, args[1]) ||
      key.text().size() > std::size_t{1} << 30) {
    return badarg(p);
  }
  return in_slices<HmacIodata>(p, args);
}

Term prim_crypto_pbkdf2(Process& p, Args args) {
  const EVP_MD* digest = digest_of(p, args[0]);
  Bytes password;
  Bytes salt;
  std::int64_t iterations = 0;
  std::int64_t length = 0;
  if (digest == nullptr || !password.get(args[1]) || !salt.get(args[2]) ||
      !get_count(args[3], iterations) || !get_count(args[4], length) || iterations < 1 ||
      length < 1 || password.size() > 1 << 20 || salt.size() > 1 << 20) {
    return badarg(p);
  }
  if (iterations > kMaxIterations || length > kMaxDerivedBytes) return system_limit(p);
  std::string out(static_cast<std::size_t>(length), '\0');
  if (PKCS5_PBKDF2_HMAC(password.text().data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), digest,
                        static_cast<int>(length),
                        reinterpret_cast<unsigned char*>(out.data())) != 1) {
    return library_failure(p);
  }
  p.charge(iterations);
  return text_term(p, out);
}

namespace {

struct RandomBytes {
  RandomBytes(Process& p, Args args) : left(static_cast<std::size_t>(args[0].small_value())) {
    result = new_binary(p, left, &out);
    ahead = PagesAhead(out, left);
  }
  std::size_t left;
  std::uint8_t* out = nullptr;
  Term result;
  PagesAhead ahead;
  int error = 0;

  bool step(Process& p, std::size_t& cost) {
    if (left == 0 || result.is_none()) return false;
    std::size_t some = std::min(left, kBytesAStep);
    cost += 1 + some / 4;
    ahead.reach(out + some);
    if (Determinism* determinism = p.vm().determinism()) {
      for (std::size_t i = 0; i < some; ++i) {
        out[i] = static_cast<std::uint8_t>(determinism->bytes.next() >> 56);
      }
    } else {
      const ssize_t got = retry([&] { return getrandom(out, some, 0); });
      if (got < 0) {
        error = errno;
        return false;
      }
      some = static_cast<std::size_t>(got);
    }
    out += some;
    left -= some;
    return left > 0;
  }
  Term finish(Process& p) { return error != 0 ? fail(p, posix_atom(p, error)) : result; }
};

}  // namespace

Term prim_crypto_random_bytes(Process& p, Args args) {
  std::int64_t count = 0;
  if (!get_count(args[0], count) || count < 0) return badarg(p);
  return count > kMaxRandomBytes ? system_limit(p) : in_slices<RandomBytes>(p, args);
}

namespace {

/// Two binaries of one length, in step.
struct Pairwise : BytesLoop {
  Pairwise(Process& p, Args args) : BytesLoop(p, args) { other.get(args[1]); }
  Bytes other;
};

/// Time depends on the length alone: all pieces are compared.
struct Equal : Pairwise {
  using Pairwise::Pairwise;
  int differs = 0;

  bool step(Process&, std::size_t& cost) {
    const std::string_view piece = next_piece(kBytesAStep, cost);
    differs |= CRYPTO_memcmp(piece.data(), other.data() + (at - piece.size()), piece.size());
    return at < size();
  }
  Term finish(Process&) { return make_bool(differs == 0); }
};

struct Xor : Pairwise {
  Xor(Process& p, Args args)
      : Pairwise(p, args), result(new_binary(p, size(), &out)), ahead(out, size()) {}
  std::uint8_t* out = nullptr;
  Term result;
  PagesAhead ahead;

  bool step(Process&, std::size_t& cost) {
    if (result.is_none()) return false;
    const std::size_t before = at;
    next_piece(kBytesAStep, cost);
    ahead.reach(out + at);
    for (std::size_t i = before; i < at; ++i) out[i] = bytes.data()[i] ^ other.data()[i];
    return at < size();
  }
  Term finish(Process&) { return result; }
};

}  // namespace

Term prim_crypto_equal(Process& p, Args args) {
  if (!is_binary(args[0]) || !is_binary(args[1])) return badarg(p);
  if (binary_bytes(args[0]) != binary_bytes(args[1])) return atoms::false_;
  if (is_large_unaligned(p, args[1])) return p.to_pool();
  return in_slices<Equal>(p, args);
}

Term prim_crypto_xor(Process& p, Args args) {
  if (!is_binary(args[0]) || !is_binary(args[1]) ||
      binary_bytes(args[0]) != binary_bytes(args[1])) {
    return badarg(p);
  }
  if (is_large_unaligned(p, args[1])) return p.to_pool();
  return in_slices<Xor>(p, args);
}

// Checksums -------------------------------------------------------------------------------------
namespace {

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

using Checksum = std::uint32_t (*)(std::uint32_t, std::string_view);

std::uint32_t crc32_of(std::uint32_t crc, std::string_view bytes) {
  crc = ~crc;
  for (char c : bytes) crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(c)) & 255] ^ crc >> 8;
  return ~crc;
}

std::uint32_t adler32_of(std::uint32_t adler, std::string_view bytes) {
  constexpr std::uint32_t kModulus = 65521;
  constexpr std::size_t kBeforeOverflow = 5552;
  std::uint32_t low = adler & 0xFFFF;
  std::uint32_t high = adler >> 16;
  while (!bytes.empty()) {
    for (char c : bytes.substr(0, kBeforeOverflow)) {
      low += static_cast<std::uint8_t>(c);
      high += low;
    }
    low %= kModulus;
    high %= kModulus;
    bytes.remove_prefix(bytes.size() < kBeforeOverflow ? bytes.size() : kBeforeOverflow);
  }
  return high << 16 | low;
}

template <Checksum kFunction>
struct Sum {
  Sum(Process&, Args args) : value(static_cast<std::uint32_t>(args[0].small_value())) {}
  std::uint32_t value;
  void feed(Process&, std::string_view piece) { value = kFunction(value, piece); }
  Term sum(Process&) { return Term::small(value); }
};

template <Checksum kFunction>
struct SumIodata : Feed<Sum<kFunction>> {
  SumIodata(Process& p, Args args) : Feed<Sum<kFunction>>(p, args, args[1]) {}
};

bool is_checksum_call(Args args) {
  return args[0].is_small() && args[0].small_value() >= 0 && args[0].small_value() <= UINT32_MAX &&
         is_iodata_shaped(args[1]);
}

}  // namespace

Term prim_crc32(Process& p, Args args) {
  if (is_large_unaligned(p, args[1])) return p.to_pool();
  return is_checksum_call(args) ? in_slices<SumIodata<crc32_of>>(p, args) : badarg(p);
}
Term prim_adler32(Process& p, Args args) {
  if (is_large_unaligned(p, args[1])) return p.to_pool();
  return is_checksum_call(args) ? in_slices<SumIodata<adler32_of>>(p, args) : badarg(p);
}

}  // namespace quelea
