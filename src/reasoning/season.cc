#include "season.h"

#include <algorithm>

namespace payops::reasoning {
namespace {

constexpr int64_t kHourS = 3'600;
constexpr int64_t kDayS = 86'400;
constexpr int64_t kEarlyS = 300;  // maintenance is begun a little before it is announced for …
constexpr int64_t kGraceS = 600;  // … and takes a little longer; beyond it, it is a fault

std::size_t slot_of(int64_t hour) {
  return static_cast<std::size_t>(hour % static_cast<int64_t>(FailureRhythm::kHours));
}

}  // namespace

double FailureRhythm::factor(int64_t second, double toward) const {
  const std::size_t slot = slot_of(second / kHourS);
  if (before_[slot].expected <= 0.0F) return toward;
  const auto beyond = [toward](const Hour& h) {  // what is wider
    const double seen = (static_cast<double>(h.failed) + kLean * toward) /
                        (static_cast<double>(h.expected) + kLean);
    return std::clamp(seen, 1.0 / kMost, kMost) / toward;
  };
  const double last = beyond(last_[slot]), before = beyond(before_[slot]);
  if ((last > 1.0) != (before > 1.0)) return toward;
  return toward * (last > 1.0 ? std::min(last, before) : std::max(last, before));
}

void FailureRhythm::add(int64_t second, double failed, double expected) {
  const int64_t hour = second / kHourS;
  if (hour != hour_) {
    if (hour_ >= 0 && expected_ > 0.0) {
      const std::size_t slot = slot_of(hour_);
      before_[slot] = last_[slot];
      last_[slot] = {static_cast<float>(failed_), static_cast<float>(expected_)};
    }
    hour_ = hour;
    failed_ = expected_ = 0.0;
  }
  failed_ += failed;
  expected_ += expected;
}

Foreknowledge::Foreknowledge(const Calendar& calendar) : offset_s_(60 * calendar.utc_offset_min) {
  for (const CalendarDay& day : calendar.days) {
    days_[Calendar::day_of(day.date).value_or(0)] = {day.volume, day.failures};
  }
  for (const Maintenance& m : calendar.maintenance) {
    windows_.push_back({.scope = m.scope,
                        .from_s = calendar.moment_ms(m.from).value_or(0) / 1000,
                        .to_s = calendar.moment_ms(m.to).value_or(0) / 1000,
                        .reason = m.reason});
  }
}

std::pair<double, double> Foreknowledge::day(int64_t second) const {
  if (days_.empty()) return {1.0, 1.0};
  const auto found = days_.find((second + offset_s_) / kDayS);
  return found == days_.end() ? std::pair(1.0, 1.0) : found->second;
}

std::vector<const Foreknowledge::Window*> Foreknowledge::behind(int64_t started_s,
                                                                int64_t now_s) const {
  std::vector<const Window*> found;
  for (const Window& w : windows_) {
    const bool began_in_it = w.from_s - kEarlyS <= started_s && started_s < w.to_s + kGraceS;
    if (began_in_it && now_s < w.to_s + kGraceS) found.push_back(&w);
  }
  return found;
}

}  // namespace payops::reasoning
