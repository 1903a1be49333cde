#include "numbers.h"

#include <algorithm>

namespace payops::observation {
namespace {

constexpr int kMaxDigits = 18;
constexpr int64_t kFarExponent = 100'000;

// Counts the digits at the front of `text` and takes them off.
std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

struct NumberParts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;  // within ±kFarExponent
};

std::optional<NumberParts> split_number(std::string_view token) {
  NumberParts parts;
  parts.negative = take(token, '-');
  parts.whole = take_digits(token);
  if (parts.whole.empty() || (parts.whole[0] == '0' && parts.whole.size() > 1)) return std::nullopt;
  if (take(token, '.')) {
    parts.fraction = take_digits(token);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (take(token, 'e') || take(token, 'E')) {
    const bool down = take(token, '-');
    if (!down) take(token, '+');
    const std::string_view digits = take_digits(token);
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) {
      parts.exponent = std::min(parts.exponent * 10 + (c - '0'), kFarExponent);
    }
    if (down) parts.exponent = -parts.exponent;
  }
  if (!token.empty()) return std::nullopt;
  return parts;
}

}  // namespace

bool is_number(std::string_view token) { return split_number(token).has_value(); }

ScaledNumber scaled_number(std::string_view token, int places, bool cut) {
  const auto parts = split_number(token);
  if (!parts) return {0, NumberFault::malformed};
  // Digits are numbered from the left; those before `point` are kept.
  const int64_t point = static_cast<int64_t>(parts->whole.size()) + parts->exponent + places;
  const auto size = static_cast<int64_t>(parts->whole.size() + parts->fraction.size());
  const auto digit = [&](int64_t i) -> int {
    const auto at = static_cast<std::size_t>(i);
    return (at < parts->whole.size() ? parts->whole[at]
                                     : parts->fraction[at - parts->whole.size()]) -
           '0';
  };
  int64_t value = 0;
  int significant = 0;
  bool inexact = false;
  for (int64_t i = 0; i < size; ++i) {
    if (i >= point) {
      inexact = inexact || digit(i) != 0;
      continue;
    }
    if (value != 0 || digit(i) != 0) ++significant;
    if (significant > kMaxDigits) return {0, NumberFault::too_large};
    value = value * 10 + digit(i);
  }
  for (int64_t i = size; i < point && value != 0; ++i) {
    if (++significant > kMaxDigits) return {0, NumberFault::too_large};
    value *= 10;
  }
  if (inexact && !cut) return {0, NumberFault::inexact};
  return {parts->negative ? -value : value, NumberFault::none};
}

}  // namespace payops::observation
