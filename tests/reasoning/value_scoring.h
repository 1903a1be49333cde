// Scores of many labelled series under one threshold, as the Numenta Anomaly Benchmark counts them
// (Lavin and Ahmad 2015): an alarm early in a window earns most, one outside costs, a missed window
// costs; 0 is a detector that never alarms, 100 one that alarms at the first row of every window.
#pragma once

#include <string>
#include <vector>

#include "value_series.h"

namespace payops::reasoning::test {

struct Scored {
  LabelledSeries series;
  std::vector<double> scores;  // one per row
};
struct Profile {
  const char* name;
  double hit, false_alarm, miss;
};
inline constexpr Profile kStandard{"standard", 1.0, 0.11, 1.0};
inline constexpr Profile kFewFalse{"reward low FP", 1.0, 0.22, 1.0};
inline constexpr Profile kFewMissed{"reward low FN", 1.0, 0.11, 2.0};

struct Outcome {
  double points = 0.0;  // 0 … 100
  std::size_t windows = 0, hits = 0;
  std::size_t false_rows = 0;  // rows at or above the threshold outside all windows
  std::size_t rows = 0;        // judged
};
[[nodiscard]] Outcome outcome(const std::vector<const Scored*>& all, double threshold,
                              const Profile& profile);
// The threshold, among those that the scores offer, with the most points.
[[nodiscard]] double best_threshold(const std::vector<const Scored*>& all, const Profile& profile);

}  // namespace payops::reasoning::test
