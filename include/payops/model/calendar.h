// What is known beforehand: maintenance that was announced, and days that are unlike others.
// config/calendar.yaml as plain data. A fault inside an announced window is told as the maintenance
// it is; on a day of the calendar other volumes and failure rates are expected.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/dimensions.h"

namespace payops {

// A moment is written as ISO 8601; one without a zone is in the calendar's.
struct Maintenance {
  Scope scope;
  std::string from;
  std::string to;
  std::string reason;
  static constexpr auto fields() {
    return std::make_tuple(field("scope", &Maintenance::scope), field("from", &Maintenance::from),
                           field("to", &Maintenance::to), field("reason", &Maintenance::reason));
  }
};

struct CalendarDay {
  std::string date;  // YYYY-MM-DD, in the calendar's zone
  std::string name{};
  double volume = 1.0;    // times the usual number of payments
  double failures = 1.0;  // times the usual odds of a technical failure
  static constexpr auto fields() {
    return std::make_tuple(field("date", &CalendarDay::date), field("name", &CalendarDay::name),
                           field("volume", &CalendarDay::volume),
                           field("failures", &CalendarDay::failures));
  }
};

struct Calendar {
  static constexpr std::size_t kMaxEntries = 2'000;  // of each list
  int64_t utc_offset_min = 0;                        // the zone, east of Greenwich
  std::vector<Maintenance> maintenance{};
  std::vector<CalendarDay> days{};
  static constexpr auto fields() {
    return std::make_tuple(field("utc_offset_min", &Calendar::utc_offset_min),
                           field("maintenance", &Calendar::maintenance),
                           field("days", &Calendar::days));
  }
  [[nodiscard]] bool empty() const { return maintenance.empty() && days.empty(); }
  // A moment of the calendar in ms since 1970; none when it is none.
  [[nodiscard]] std::optional<int64_t> moment_ms(std::string_view text) const;
  // A date's number, counted from 1970-01-01; none when it is none.
  [[nodiscard]] static std::optional<int64_t> day_of(std::string_view date);
  // Errors: config, naming the entry: a moment or date that is none, a window that ends before it
  // begins or lasts more than 30 days, no reason, a date given twice, a factor out of [0.05, 20].
  [[nodiscard]] Status validate() const;
};

}  // namespace payops
