// The version of this build, in one place.
#pragma once

namespace quelea {

inline constexpr int kVersionMajor = 0;
inline constexpr int kVersionMinor = 1;
inline constexpr int kVersionPatch = 0;

// "0.1.0", a static string.
const char* version_string();

}  // namespace quelea
