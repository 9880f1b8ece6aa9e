// Just enough of Erlang's external term format to call the test runner and read its answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// Terms are appended to `bytes` one after the other; a list's or tuple's elements follow its start.
class EtfWriter {
 public:
  EtfWriter() : bytes_{131} {}
  void atom(std::string_view text);
  void binary(std::string_view text);
  void integer(uint64_t value);
  void tuple(uint8_t size);
  // The elements, then end_list().
  void list(uint32_t size);
  void end_list() { bytes_.push_back(106); }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  void big_endian(uint32_t value, int width);
  std::vector<uint8_t> bytes_;
};

// Reads a tuple of non-negative integers below 2^31; false for anything else.
bool read_counts(const uint8_t* bytes, size_t length, std::vector<uint64_t>& counts);

}  // namespace cli
