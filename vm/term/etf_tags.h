// Private to the external term format: its tags.
#pragma once

#include <cstdint>
#include <string_view>

namespace quelea::etf {

enum TagByte : std::uint8_t {
  kNewFloat = 70,
  kBitBinary = 77,
  kCompressed = 80,
  kNewPid = 88,
  kNewPort = 89,
  kNewerReference = 90,
  kSmallInteger = 97,
  kInteger = 98,
  kAtomLatin1 = 100,
  kSmallTuple = 104,
  kLargeTuple = 105,
  kNil = 106,
  kString = 107,
  kList = 108,
  kBinary = 109,
  kSmallBig = 110,
  kLargeBig = 111,
  kNewFun = 112,
  kExport = 113,
  kSmallAtomLatin1 = 115,
  kMap = 116,
  kAtomUtf8 = 118,
  kSmallAtomUtf8 = 119,
  kV4Port = 120,
};

inline constexpr std::string_view kNoNode = "nonode@nohost";

/// A reference of this machine travels as 32-bit words, least significant first: 18 + 32 + 14 bits
/// of its number and, where it has an owner, that pid's word.
inline constexpr unsigned kFirstIdBits = 18;
inline constexpr unsigned kPlainRefWords = 3;
inline constexpr unsigned kOwnedRefWords = 5;

}  // namespace quelea::etf
