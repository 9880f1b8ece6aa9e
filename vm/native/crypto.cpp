// Hashes, message authentication, key derivation and randomness; OpenSSL does the work.
//
// libcrypto is linked statically and sets itself up on the first call here (about a millisecond): a
// program that hashes nothing does not pay for it. It is told neither to read the system's
// configuration file nor to register anything that runs at the host's exit.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <array>

#include "vm/native/posix.h"
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

const unsigned char* bytes_at(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// What no argument can cause: the library refused.
Term library_failure(Process& p) { return fail(p, atoms::system_limit); }

}  // namespace

Term prim_crypto_hash(Process& p, Args args) {
  const EVP_MD* digest = digest_of(p, args[0]);
  IodataBytes bytes;
  if (digest == nullptr || !bytes.get(args[1])) return badarg(p);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.text().data(), bytes.text().size(), out, &size, digest, nullptr) != 1) {
    return library_failure(p);
  }
  charge_bytes(p, 64 + 4 * bytes.text().size());
  return checked(p, binary_from_bytes(p, out, size));
}

Term prim_crypto_hmac(Process& p, Args args) {
  const EVP_MD* digest = digest_of(p, args[0]);
  IodataBytes key;
  IodataBytes bytes;
  if (digest == nullptr || !key.get(args[1]) || !bytes.get(args[2]) ||
      key.text().size() > std::size_t{1} << 30) {
    return badarg(p);
  }
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // A null key means "the key set before": an empty one needs an address.
  const char* key_bytes = key.text().empty() ? "" : key.text().data();
  if (HMAC(digest, key_bytes, static_cast<int>(key.text().size()), bytes_at(bytes.text()),
           bytes.text().size(), out, &size) == nullptr) {
    return library_failure(p);
  }
  charge_bytes(p, 256 + 4 * bytes.text().size());
  return checked(p, binary_from_bytes(p, out, size));
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
  return checked(p, binary_from_text(p, out));
}

Term prim_crypto_random_bytes(Process& p, Args args) {
  std::int64_t count = 0;
  if (!get_count(args[0], count) || count < 0) return badarg(p);
  if (count > kMaxRandomBytes) return system_limit(p);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, static_cast<std::size_t>(count), &out);
  if (result.is_none()) return result;
  std::size_t left = static_cast<std::size_t>(count);
  if (Determinism* determinism = p.vm().determinism()) {
    for (; left > 0; --left) *out++ = static_cast<std::uint8_t>(determinism->bytes.next() >> 56);
  }
  while (left > 0) {
    const ssize_t got = retry([&] { return getrandom(out, left, 0); });
    if (got < 0) return fail(p, posix_atom(p, errno));
    out += got;
    left -= static_cast<std::size_t>(got);
  }
  charge_bytes(p, 4 * static_cast<std::size_t>(count));
  return result;
}

Term prim_crypto_equal(Process& p, Args args) {
  Bytes a;
  Bytes b;
  if (!a.get(args[0]) || !b.get(args[1])) return badarg(p);
  charge_bytes(p, a.size());
  return make_bool(a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

Term prim_crypto_xor(Process& p, Args args) {
  Bytes a;
  Bytes b;
  if (!a.get(args[0]) || !b.get(args[1]) || a.size() != b.size()) return badarg(p);
  std::uint8_t* out = nullptr;
  Term result = new_binary(p, a.size(), &out);
  if (result.is_none()) return result;
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = a.data()[i] ^ b.data()[i];
  charge_bytes(p, a.size());
  return result;
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

Term checksum(Process& p, Args args, Checksum function) {
  IodataBytes bytes;
  std::int64_t start = 0;
  if (!get_count(args[0], start) || start < 0 || start > UINT32_MAX || !bytes.get(args[1])) {
    return badarg(p);
  }
  charge_bytes(p, 4 * bytes.text().size());
  return Term::small(function(static_cast<std::uint32_t>(start), bytes.text()));
}

}  // namespace

Term prim_crc32(Process& p, Args args) { return checksum(p, args, crc32_of); }
Term prim_adler32(Process& p, Args args) { return checksum(p, args, adler32_of); }

}  // namespace quelea
