// Numbers read exactly from text: no floating point, nothing rounded unseen.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace payops::observation {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

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

static_assert(std::endian::native == std::endian::little);

// Bytes behind a token that plain_digits() may read.
inline constexpr std::size_t kTokenPadding = 16;

// Eight characters as a number, or -1 when one is no digit; the first is the least byte (Langdale
// and Lemire 2019).
[[nodiscard]] inline int64_t eight_digits(uint64_t text) {
  constexpr uint64_t kHigh = 0xF0F0F0F0F0F0F0F0u;
  constexpr uint64_t kZeros = 0x3030303030303030u;
  constexpr uint64_t kSixes = 0x0606060606060606u;
  if (((text & kHigh) ^ kZeros) != 0 || (((text + kSixes) & kHigh) ^ kZeros) != 0) return -1;
  text = (text & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8;
  text = (text & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
  return static_cast<int64_t>((text & 0x0000FFFF0000FFFFu) * 42949672960001u >> 32);
}

// The most common case at speed, without a branch on each digit: 1 to 16 digits and nothing else,
// no leading zero. -1 otherwise. REQUIRES: kTokenPadding bytes behind the token can be read, and
// bytes lie in memory least first (as on all targets we build for).
[[nodiscard]] inline int64_t plain_digits(std::string_view token) {
  const std::size_t n = token.size();
  if (n - 1 >= 16 || (token[0] == '0' && n > 1)) return -1;
  constexpr uint64_t kZeros = 0x3030303030303030u;
  // The first n (of at most 8) characters, moved to the end of eight, zeros before them.
  const auto front = [&](const char* p, std::size_t size) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return size == 8 ? word : word << (64 - 8 * size) | kZeros >> (8 * size);
  };
  if (n <= 8) return eight_digits(front(token.data(), n));
  const int64_t high = eight_digits(front(token.data(), n - 8));
  const int64_t low = eight_digits(front(token.data() + n - 8, 8));
  return (high | low) < 0 ? -1 : high * 100'000'000 + low;
}

}  // namespace payops::observation
