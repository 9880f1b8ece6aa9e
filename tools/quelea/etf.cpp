#include "tools/quelea/etf.h"

namespace cli {

void EtfWriter::big_endian(uint32_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
    bytes_.push_back(static_cast<uint8_t>(value >> shift));
}

void EtfWriter::atom(std::string_view text) {
  bytes_.push_back(118);
  big_endian(static_cast<uint32_t>(text.size()), 2);
  bytes_.insert(bytes_.end(), text.begin(), text.end());
}

void EtfWriter::binary(std::string_view text) {
  bytes_.push_back(109);
  big_endian(static_cast<uint32_t>(text.size()), 4);
  bytes_.insert(bytes_.end(), text.begin(), text.end());
}

void EtfWriter::integer(uint64_t value) {
  bytes_.push_back(110);
  bytes_.push_back(8);
  bytes_.push_back(0);
  for (int i = 0; i < 8; i++) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void EtfWriter::tuple(uint8_t size) {
  bytes_.push_back(104);
  bytes_.push_back(size);
}

void EtfWriter::list(uint32_t size) {
  if (size == 0) return;  // end_list() writes the empty list.
  bytes_.push_back(108);
  big_endian(size, 4);
}

bool read_counts(const uint8_t* bytes, size_t length, std::vector<uint64_t>& counts) {
  if (length < 3 || bytes[0] != 131 || bytes[1] != 104) return false;
  size_t at = 3;
  for (int left = bytes[2]; left > 0; left--) {
    if (at >= length) return false;
    size_t width = bytes[at] == 97 ? 1 : bytes[at] == 98 ? 4 : 0;
    at++;
    if (width == 0 || at + width > length) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) value = value << 8 | bytes[at++];
    counts.push_back(value);
  }
  return true;
}

}  // namespace cli
