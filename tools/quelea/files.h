// Files and standard input, whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cli {

// Reads a file, or standard input for "-". On failure returns false and `error` says why, in the
// system's words.
bool read_file(const std::string& path, std::string& bytes, std::string& error);

// Writes a file, making the folders it stands in.
bool write_file(const std::string& path, const uint8_t* bytes, size_t length, std::string& error);

// True for the bytes of a compiled module.
bool is_bytecode(const std::string& bytes);

// The folder that a path stands in: "" becomes ".".
std::string folder_of(const std::string& path);

// All `.qu` files at or below the paths, each folder in order of name; `missing` gets what is not
// there.
std::vector<std::string> find_sources(const std::vector<std::string>& paths,
                                      std::vector<std::string>& missing);

}  // namespace cli
