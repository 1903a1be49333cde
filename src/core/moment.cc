#include "payops/core/moment.h"

#include <charconv>
#include <chrono>

namespace payops {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
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
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    for (int64_t scale = 100; !text.empty() && is_digit(text.front()); scale /= 10) {
      ms += (text.front() - '0') * scale;
      text.remove_prefix(1);
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

std::optional<int64_t> parse_iso8601(std::string_view text) {
  const auto day = take_day_ms(text);
  if (!day || !(take(text, 'T') || take(text, ' ') || take(text, 't'))) return std::nullopt;
  const auto clock = take_clock_ms(text);
  if (!clock) return std::nullopt;
  const auto ahead = zone_ms(text);
  if (!ahead) return std::nullopt;
  return *day + *clock - *ahead;
}

std::optional<int64_t> parse_moment(std::string_view text) {
  int64_t ts_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ts_ms);
  if (error == std::errc() && end == text.data() + text.size()) return ts_ms;
  return parse_iso8601(text);
}

}  // namespace payops
