// Numbers and moments read exactly from text: no floating point, nothing rounded unseen.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace payops::observation {

// True for the JSON grammar of a number.
[[nodiscard]] bool is_number(std::string_view token);

enum class NumberFault : uint8_t { none, malformed, inexact, too_large };
struct ScaledNumber {
  int64_t value = 0;
  NumberFault fault = NumberFault::none;
};

// token × 10^places as a whole number. What lies beyond is `inexact` when it is not zero, or cut
// off towards zero with `cut`. Magnitudes from 10^18 are too_large. places in [0, 18].
[[nodiscard]] ScaledNumber scaled_number(std::string_view token, int places, bool cut);

// The most common case at speed: 1 to 18 digits and nothing else, no leading zero. -1 otherwise.
[[nodiscard]] inline int64_t plain_digits(std::string_view token) {
  if (token.empty() || token.size() > 18 || (token[0] == '0' && token.size() > 1)) return -1;
  int64_t value = 0;
  for (const char c : token) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

// "2026-03-01T12:00:05.250+05:30" as ms since 1970. The date and the time to the minute are needed;
// 'T' may be a space or 't', zone one of Z, ±hh, ±hhmm, ±hh:mm or none (UTC); a 60th second is the
// next minute's first.
[[nodiscard]] std::optional<int64_t> parse_iso8601(std::string_view text);

}  // namespace payops::observation
