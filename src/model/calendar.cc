#include "payops/model/calendar.h"

#include <set>

#include "payops/core/moment.h"

namespace payops {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kMaxWindowMs = 30 * kDayMs;
constexpr int64_t kMaxOffsetMin = 14 * 60;
constexpr double kLeastFactor = 0.05;
constexpr double kMostFactor = 20.0;

// Whether the text says which zone it is in.
bool zoned(std::string_view text) {
  const std::size_t time = text.find_first_of("Tt ");
  return time != std::string_view::npos && text.find_first_of("Zz+-", time) != std::string::npos;
}

Status check_window(const Calendar& calendar, const Maintenance& window, std::size_t number) {
  const std::string entry = "\"maintenance\": entry " + std::to_string(number);
  const auto from = calendar.moment_ms(window.from);
  const auto to = calendar.moment_ms(window.to);
  for (const auto& [key, text, moment] :
       {std::tuple{"from", window.from, from}, {"to", window.to, to}}) {
    if (moment) continue;
    return fail(ErrorCode::config, entry + ": \"" + key + "\": \"" + text +
                                       "\" is no moment: give 2026-03-01 02:00:00");
  }
  if (*to <= *from) {
    return fail(ErrorCode::config,
                entry + ": \"to\" " + window.to + " is not after \"from\" " + window.from);
  }
  if (*to - *from > kMaxWindowMs) {
    return fail(ErrorCode::config, entry + ": lasts more than 30 days; give each window its own");
  }
  if (window.reason.empty()) {
    return fail(ErrorCode::config, entry + ": \"reason\" is needed: it is what people are told");
  }
  return {};
}

Status check_day(const CalendarDay& day, std::set<int64_t>& taken) {
  const std::string entry = "\"days\": \"" + day.date + "\"";
  const auto number = Calendar::day_of(day.date);
  if (!number) return fail(ErrorCode::config, entry + " is no date: give 2026-11-08");
  if (!taken.insert(*number).second) return fail(ErrorCode::config, entry + " is given twice");
  for (const auto& [key, factor] : {std::pair{"volume", day.volume}, {"failures", day.failures}}) {
    if (factor >= kLeastFactor && factor <= kMostFactor) continue;
    return fail(ErrorCode::config, entry + ": \"" + key + "\" must lie between 0.05 and 20");
  }
  return {};
}

}  // namespace

std::optional<int64_t> Calendar::moment_ms(std::string_view text) const {
  const auto moment = parse_iso8601(text);
  if (!moment || zoned(text)) return moment;
  return *moment - utc_offset_min * kMinuteMs;
}

std::optional<int64_t> Calendar::day_of(std::string_view date) {
  if (date.size() != 10) return std::nullopt;
  const auto moment = parse_iso8601(std::string(date) + "T00:00");
  if (!moment) return std::nullopt;
  return (*moment - (*moment % kDayMs + kDayMs) % kDayMs) / kDayMs;
}

Status Calendar::validate() const {
  if (utc_offset_min < -kMaxOffsetMin || utc_offset_min > kMaxOffsetMin) {
    return fail(ErrorCode::config, "\"utc_offset_min\" must lie between -840 and 840");
  }
  if (maintenance.size() > kMaxEntries || days.size() > kMaxEntries) {
    return fail(ErrorCode::config, "\"maintenance\" and \"days\" have at most 2000 entries each");
  }
  for (std::size_t i = 0; i < maintenance.size(); ++i) {
    if (Status s = check_window(*this, maintenance[i], i + 1); !s) return s;
  }
  std::set<int64_t> taken;
  for (const CalendarDay& day : days) {
    if (Status s = check_day(day, taken); !s) return s;
  }
  return {};
}

}  // namespace payops
