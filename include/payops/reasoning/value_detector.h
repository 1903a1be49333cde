// Anomaly scores for any single metric, a value at a time, seeing only the past: spikes and dips,
// level shifts, changed variance and rhythm, flatlines. Nothing is to be set; scaling or shifting
// the metric changes no score. About 40 KB of state, whatever has been seen.
//
//   ValueDetector detector;
//   for (const auto& [ts_ms, value] : rows) {
//     if (detector.score(ts_ms, value) >= ValueDetector::kAlarm) …
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace payops::reasoning {

class ValueDetector {
 public:
  // The first rows teach only: their score is 0. Seasons take longer: a time of day is expected
  // after a day and a half, a time of week after a week, any other period after 768 rows and one
  // period more, each only once it makes the past easier to foretell.
  static constexpr std::size_t kWarmUpRows = 200;
  // A score of at least this is an alarm. It is said once, when the anomaly begins: for the next
  // 200 rows only something far more surprising reaches it again, and what persists is learnt.
  static constexpr double kAlarm = 0.5;

  ValueDetector();
  ~ValueDetector();
  ValueDetector(ValueDetector&&) noexcept;
  ValueDetector& operator=(ValueDetector&&) noexcept;

  // The next row: `ts_ms` in ms since 1970 in the metric's own time zone (times of day are read off
  // it), `value` within ±1e150. Gives [0, 1): 1 - 2^(-s / 4) where 10^-s is how rare the row is by
  // the detector's own past (Lavin and Ahmad 2015 score a likelihood on such a log scale): 0.5 is
  // s = 4, 0.75 is s = 8. Below kAlarm the score orders rows and means no more.
  //
  // A repeated or earlier time counts as one usual step; after a gap the allowance for a jump grows
  // with the root of the missing steps, up to three times.
  [[nodiscard]] double score(int64_t ts_ms, double value);

  // Whether all values so far were the same.
  [[nodiscard]] bool constant() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace payops::reasoning
