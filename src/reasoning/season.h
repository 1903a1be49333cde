// What time itself lets expect: how the odds of a technical failure depend on the hour of the week,
// as it is learnt, and what a calendar knows beforehand. Internal to reasoning.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/calendar.h"
#include "payops/model/dimensions.h"

namespace payops::reasoning {

// How a series' technical failures depend on the hour of the week: failures against those that the
// baselines expect without regard to the hour. Of an hour's last two weeks the less remarkable one
// counts, so that one bad night is no rhythm and what comes every week is.
class FailureRhythm {
 public:
  static constexpr std::size_t kHours = 168;
  static constexpr double kLean = 20.0;  // failures' worth that an hour leans on what it is told
  static constexpr double kMost = 4.0;   // and its inverse the least; an outage is beyond both

  // By how much the hour moves the odds; it leans on `toward`, which all that is wider does.
  [[nodiscard]] double factor(int64_t second, double toward = 1.0) const;
  // Counts a second: `failed` where `expected` were, by the deseasonalised baseline.
  void add(int64_t second, double failed, double expected);
  // What the present hour has counted: with its past, all of the state.
  [[nodiscard]] std::array<double, 2> counting() const { return {failed_, expected_}; }

  static constexpr auto fields() {
    using R = FailureRhythm;
    return std::make_tuple(field("last", &R::last_), field("before", &R::before_),
                           field("hour", &R::hour_), field("failed", &R::failed_),
                           field("expected", &R::expected_));
  }

 private:
  struct Hour {
    float failed = 0.0F;
    float expected = 0.0F;  // 0: not seen
    static constexpr auto fields() {
      return std::make_tuple(field("failed", &Hour::failed), field("expected", &Hour::expected));
    }
  };
  std::array<Hour, kHours> last_{};
  std::array<Hour, kHours> before_{};  // the week before
  int64_t hour_ = -1;                  // hours since the epoch
  double failed_ = 0.0;
  double expected_ = 0.0;
};

// A calendar, ready to be asked.
class Foreknowledge {
 public:
  struct Window {
    Scope scope;
    int64_t from_s = 0;
    int64_t to_s = 0;
    std::string reason;
  };
  Foreknowledge() = default;
  // REQUIRES: the calendar is valid.
  explicit Foreknowledge(const Calendar& calendar);

  [[nodiscard]] double volume(int64_t second) const { return day(second).first; }
  [[nodiscard]] double failures(int64_t second) const { return day(second).second; }
  // Windows that may be behind what began at `started_s` and still lasts at `now_s`: it began in
  // one or shortly before, and the window's end is not long past.
  [[nodiscard]] std::vector<const Window*> behind(int64_t started_s, int64_t now_s) const;

 private:
  [[nodiscard]] std::pair<double, double> day(int64_t second) const;
  int64_t offset_s_ = 0;
  std::map<int64_t, std::pair<double, double>> days_;  // volume, failures
  std::vector<Window> windows_;
};

}  // namespace payops::reasoning
