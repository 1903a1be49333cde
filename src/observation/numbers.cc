#include "numbers.h"

#include <algorithm>
#include <chrono>

namespace payops::observation {
namespace {

constexpr int kMaxDigits = 18;
constexpr int64_t kFarExponent = 100'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

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

// `width` digits, no more looked at.
std::optional<int> take_fixed(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

std::optional<int64_t> take_day_ms(std::string_view& text) {
  const auto year = take_fixed(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_fixed(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_fixed(text, 2);
  if (!day) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{*year},
                            std::chrono::month{static_cast<unsigned>(*month)},
                            std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return milliseconds(sys_days(date).time_since_epoch()).count();
}

std::optional<int64_t> take_clock_ms(std::string_view& text) {
  const auto hour = take_fixed(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_fixed(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t ms = (*hour * int64_t{60} + *minute) * 60'000;
  if (!take(text, ':')) return ms;
  const auto second = take_fixed(text, 2);
  if (!second || *second > 60) return std::nullopt;
  ms += *second * int64_t{1'000};
  if (take(text, '.') || take(text, ',')) {
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    int64_t scale = 100;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, digits.size()); ++i, scale /= 10) {
      ms += (digits[i] - '0') * scale;
    }
  }
  return ms;
}

// How far local time is ahead of UTC; the rest of the text must be the zone.
std::optional<int64_t> zone_ms(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return std::nullopt;
  const auto hour = take_fixed(text, 2);
  if (!hour || *hour > 23) return std::nullopt;
  int minute = 0;
  if (!text.empty()) {
    take(text, ':');
    const auto digits = take_fixed(text, 2);
    if (!digits || *digits > 59 || !text.empty()) return std::nullopt;
    minute = *digits;
  }
  const int64_t ahead = (*hour * int64_t{60} + minute) * 60'000;
  return west ? -ahead : ahead;
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

std::optional<int64_t> parse_iso8601(std::string_view text) {
  const auto day = take_day_ms(text);
  if (!day || !(take(text, 'T') || take(text, ' ') || take(text, 't'))) return std::nullopt;
  const auto clock = take_clock_ms(text);
  if (!clock) return std::nullopt;
  const auto ahead = zone_ms(text);
  if (!ahead) return std::nullopt;
  return *day + *clock - *ahead;
}

}  // namespace payops::observation
