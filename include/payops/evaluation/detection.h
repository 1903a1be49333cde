// How soon the rate detector notices, against the optimum: a CUSUM that knows the rate before and
// after the change, at the same measured false-alarm rate, on the same rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/evaluation/policy_summary.h"

namespace payops::evaluation {

// What is measured of one baseline, learnt from so many attempts, on rows of so many.
struct DetectionCell {
  double baseline = 0.0;
  uint64_t learnt = 0;
  uint64_t row_attempts = 1;
  uint64_t watched = 0;       // healthy attempts, after those learnt from
  uint64_t false_alarms = 0;  // among them
  Interval per_attempt;       // 95 %, Poisson
  // The same while the true rate takes a daily wave of ±20 %.
  uint64_t drift_watched = 0;
  uint64_t drift_false_alarms = 0;
  Interval drift_per_attempt;
  static constexpr auto fields() {
    using C = DetectionCell;
    return std::make_tuple(field("baseline", &C::baseline), field("learnt", &C::learnt),
                           field("row_attempts", &C::row_attempts), field("watched", &C::watched),
                           field("false_alarms", &C::false_alarms),
                           field("per_attempt", &C::per_attempt),
                           field("drift_watched", &C::drift_watched),
                           field("drift_false_alarms", &C::drift_false_alarms),
                           field("drift_per_attempt", &C::drift_per_attempt));
  }
};

// A change from `baseline` to `rate`: attempts and excess failures until the alarm.
struct DetectionDelay {
  double baseline = 0.0;
  uint64_t learnt = 0;
  uint64_t row_attempts = 1;
  double rate = 0.0;
  uint64_t runs = 0;
  double delay = 0.0;    // mean attempts
  double optimum = 0.0;  // likewise, at the false alarms measured
  double excess_failures = 0.0;
  double optimum_excess_failures = 0.0;
  Interval ratio{};     // of the excess failures; 95 % of the runs and of the false alarms counted
  double bar = 0.0;     // what the ratio shall be at most
  bool within = false;  // the bar, or one attempt (one row) more than the optimum
  static constexpr auto fields() {
    using D = DetectionDelay;
    return std::make_tuple(
        field("baseline", &D::baseline), field("learnt", &D::learnt),
        field("row_attempts", &D::row_attempts), field("rate", &D::rate), field("runs", &D::runs),
        field("delay", &D::delay), field("optimum", &D::optimum),
        field("excess_failures", &D::excess_failures),
        field("optimum_excess_failures", &D::optimum_excess_failures), field("ratio", &D::ratio),
        field("bar", &D::bar), field("within", &D::within));
  }
};

struct DetectionFigures {
  double target_false_alarms = 0.0;
  double attempts_per_s = 0.0;
  std::vector<DetectionCell> cells{};
  std::vector<DetectionDelay> delays{};
  static constexpr auto fields() {
    using F = DetectionFigures;
    return std::make_tuple(field("target_false_alarms", &F::target_false_alarms),
                           field("attempts_per_s", &F::attempts_per_s), field("cells", &F::cells),
                           field("delays", &F::delays));
  }
};

struct DetectionDraw {
  uint64_t healthy_attempts = 60'000'000;  // to count false alarms in, a cell and drift
  uint64_t runs = 1'000;                   // learnt baselines a cell, each with four changes
  double target_false_alarms = 1e-6;
  double attempts_per_s = 1.0;  // how fast rows come: what the drift is measured against
  uint64_t seed = 1;
  unsigned jobs = 1;
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {};
};

// Baselines of 1, 5 and 20 % after 20,000 and 2,000 attempts, an attempt a row, and after 20,000 in
// rows of 20; true rates of 15, 20, 30, 40, 60 and 99 % from ten points above the baseline on.
// False alarms are counted among the attempts that follow those learnt from, as many again, in
// streams drawn anew; the result depends on the draw alone, not on `jobs`.
[[nodiscard]] DetectionFigures measure_detection(const DetectionDraw& draw);

}  // namespace payops::evaluation
