#include "vm/api/archive.h"

#include <algorithm>
#include <charconv>
#include <cstring>

// Defined by tools/bootstrap: the library, or nothing in the tool that makes it.
extern "C" {
extern const unsigned char quelea_library_begin[];
extern const unsigned char quelea_library_end[];
}

namespace quelea {
namespace {

constexpr char kMagic[4] = {'Q', 'L', 'A', 'R'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kEntryBytes = 24;

void put(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Archive::Archive(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {
  if (size < kHeaderBytes || std::memcmp(bytes, kMagic, 4) != 0 || number(4) != kVersion) return;
  std::size_t count = number(8);
  if (count <= (size - kHeaderBytes) / kEntryBytes) count_ = count;
}

std::uint32_t Archive::number(std::size_t offset) const {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; i--) value = value << 8 | bytes_[offset + i];
  return value;
}

Archive::Entry Archive::at(std::size_t index) const {
  std::size_t entry = kHeaderBytes + kEntryBytes * index;
  auto piece = [&](std::size_t field) {
    std::size_t offset = number(entry + 8 * field), length = number(entry + 8 * field + 4);
    if (offset > size_ || length > size_ - offset) offset = length = 0;
    return std::string_view(reinterpret_cast<const char*>(bytes_) + offset, length);
  };
  std::string_view module = piece(2);
  return {piece(0), piece(1), reinterpret_cast<const std::uint8_t*>(module.data()), module.size()};
}

bool Archive::find(std::string_view name, Entry& entry) const {
  std::size_t low = 0, high = count_;
  while (low < high) {
    std::size_t middle = low + (high - low) / 2;
    entry = at(middle);
    if (entry.name == name) return true;
    if (entry.name < name)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

void ArchiveWriter::add(const compiler::ModuleInfo& info, std::vector<std::uint8_t> bytes) {
  items_.push_back({info.name, write_interface(info), std::move(bytes)});
}

std::vector<std::uint8_t> ArchiveWriter::write() {
  std::sort(items_.begin(), items_.end(),
            [](const Item& a, const Item& b) { return a.name < b.name; });
  std::vector<std::uint8_t> out(kMagic, kMagic + 4);
  put(out, kVersion);
  put(out, static_cast<std::uint32_t>(items_.size()));
  std::size_t offset = kHeaderBytes + kEntryBytes * items_.size();
  auto reserve = [&](std::size_t length) {
    put(out, static_cast<std::uint32_t>(offset));
    put(out, static_cast<std::uint32_t>(length));
    offset += length;
  };
  for (const Item& item : items_) {
    reserve(item.name.size());
    reserve(item.interface_text.size());
    reserve(item.bytes.size());
  }
  for (const Item& item : items_) {
    out.insert(out.end(), item.name.begin(), item.name.end());
    out.insert(out.end(), item.interface_text.begin(), item.interface_text.end());
    out.insert(out.end(), item.bytes.begin(), item.bytes.end());
  }
  return out;
}

std::string write_interface(const compiler::ModuleInfo& info) {
  std::string text;
  auto line = [&](char kind, const std::string& name, std::uint32_t arity) {
    text += kind;
    text += ' ' + name + ' ' + std::to_string(arity) + '\n';
  };
  for (const auto& function : info.exports) line('f', function.name, function.arity);
  for (const auto& callback : info.callbacks)
    line(callback.optional ? 'o' : 'c', callback.name, callback.arity);
  if (info.has_struct) text += "s\n";
  for (const std::string& field : info.struct_fields) text += "d " + field + '\n';
  return text;
}

compiler::ModuleInfo read_interface(std::string_view name, std::string_view text) {
  compiler::ModuleInfo info;
  info.name = name;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    char kind = line[0];
    if (kind == 's') info.has_struct = true;
    if (line.size() < 3) continue;
    line.remove_prefix(2);
    if (kind == 'd') {
      info.struct_fields.emplace_back(line);
      continue;
    }
    // A name of an operator or a quoted atom may hold spaces; the arity never does.
    std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos) continue;
    std::uint32_t arity = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), arity);
    compiler::ModuleInfo::Function function{std::string(line.substr(0, space)), arity, kind == 'o'};
    (kind == 'f' ? info.exports : info.callbacks).push_back(std::move(function));
  }
  return info;
}

Archive embedded_library() {
  return Archive(quelea_library_begin,
                 static_cast<std::size_t>(quelea_library_end - quelea_library_begin));
}

}  // namespace quelea
