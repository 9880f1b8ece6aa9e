// Floats as text and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quelea {

/// Room that the shortest text of any double fits in.
inline constexpr std::size_t kFloatTextMax = 32;

/// The shortest text that reads back as the same double, in OTP's layout: `1000.0`, `1.0e22`,
/// `-0.0`. Returns its length; no terminating zero.
std::size_t float_print_short(double value, char* out);
/// `decimals` (0 to 253) digits behind the point, rounded on the exact value, ties away from zero;
/// at 0 no point, as in Erlang.
void float_print_fixed(std::string& out, double value, unsigned decimals);
/// `d.ddde±XX` with `decimals` digits behind the point.
void float_print_scientific(std::string& out, double value, unsigned decimals);

/// Reads `[+-]? digits . digits ([eE][+-]?digits)?`, all of `text`; with `lenient` also `1e5`, as
/// Quelea's literals. False for anything else and where the value would be infinite.
bool float_parse(std::string_view text, double& value, bool lenient = false);

}  // namespace quelea
