#include "payops/reasoning/value_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "value_feature.h"
#include "value_season.h"
#include "value_tail.h"

namespace payops::reasoning {
namespace {

// Rows that settle the units, before any statistic; features are judged from kJudgedRows on.
constexpr std::size_t kUnitRows = 30;
constexpr std::size_t kYoungRows = 50;  // nothing is clipped before
constexpr std::size_t kJudgedRows = 60;

// How fast the means follow, in rows.
constexpr double kLevelRows = 1500.0, kSpreadRows = 1000.0, kScaleRows = 400.0;
constexpr double kForecastRows = 333.0;
constexpr double kFast = 0.3, kMedium = 0.05;
constexpr double kDayRowsLeast = 48.0, kDayRowsMost = 1000.0;

constexpr double kClip = 4.0, kClipResidual = 6.0, kClipMove = 8.0;  // in usual sizes
constexpr double kLeast = 1e-9;                                      // of a scale, in units

constexpr std::size_t kMedianRows = 15;  // of the short median; every seventh enters the long one
constexpr std::size_t kMedianEvery = 7, kMedians = 9;
constexpr double kLongBonus = 1.0;
constexpr double kActivityRate = 0.15, kLeastActivity = 0.02;
constexpr double kLeastRun = 0.7;  // scale of the tail of runs of one value, in rows

// From surprises to scores.
constexpr double kSecondShare = 0.2;  // of the second most surprised feature
constexpr double kSurpriseMost = 15.0;
constexpr double kQuietRows = 200;  // after an event, in which …
constexpr double kLouder = 1.3;     // … only this many times as much is another, …
constexpr double kLouderAtFirst = 1.0, kLouderRows = 8.0;  // … and more at first, halving
constexpr double kMuffled = 0.4, kMuffledMost = 2.0;
constexpr double kHalving = 4.0;  // surprise at which 1 - score halves
// Alarms that come more often than the surprises say show that these are too large.
constexpr double kFreeEvents = 4.0, kRowsPerEvent = 2000.0, kOften = 0.5, kMemoryRows = 8000.0;

double median(std::vector<double> x) {
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2);
  std::nth_element(x.begin(), middle, x.end());
  return *middle;
}

// One step ahead in seven ways; the one with the smallest error on the past is the forecast.
class Forecast {
 public:
  // `season` and `level` for the row to come.
  [[nodiscard]] std::array<double, 7> all(double season, double level) const {
    return {last_,
            fast_.value,
            medium_.value,
            season + last_less_,
            season + fast_less_.value,
            season + medium_less_.value,
            season + level};
  }
  [[nodiscard]] std::size_t best() const {
    return static_cast<std::size_t>(std::min_element(error_.begin(), error_.end()) -
                                    error_.begin());
  }
  [[nodiscard]] double last() const { return last_; }

  void learn(double x, double season, const std::array<double, 7>& said, double limit) {
    seen_ += 1.0;
    for (std::size_t i = 0; i < said.size(); ++i) {
      const double error = std::min(std::abs(x - said[i]), limit);
      error_[i] += std::max(1.0 / seen_, 1.0 / kForecastRows) * (error - error_[i]);
    }
    const double less = x - season;
    fast_.add(x, kFast);
    medium_.add(x, kMedium);
    fast_less_.add(less, kFast);
    medium_less_.add(less, kMedium);
    last_ = x;
    last_less_ = less;
  }
  void begin(double x) { last_ = x; }

 private:
  std::array<double, 7> error_{};
  Following fast_, medium_, fast_less_, medium_less_;
  double last_ = 0.0, last_less_ = 0.0, seen_ = 0.0;
};

// From the surprise of a row to a score that is high once for each anomaly.
class Announcer {
 public:
  double score(double surprise) {
    const double many = events_ - kFreeEvents - rows_ / kRowsPerEvent;
    double s = std::min(surprise, kSurpriseMost) - kOften * std::log2(1.0 + std::max(0.0, many));
    events_ *= 1.0 - 1.0 / kMemoryRows;
    rows_ += 1.0 - rows_ / kMemoryRows;
    since_peak_ += 1.0;
    since_event_ += 1.0;
    const bool quiet_over = since_peak_ > kQuietRows;
    const double louder = kLouder + kLouderAtFirst * std::exp2(-since_event_ / kLouderRows);
    const bool event = s > kTelling && (quiet_over || s > louder * announced_);
    if (s > kTelling && (quiet_over || s > peak_)) {
      peak_ = s;
      since_peak_ = 0.0;
    }
    if (event) {
      events_ += 1.0;
      announced_ = s;
      since_event_ = 0.0;
    } else {
      s = std::min(s * kMuffled, kMuffledMost);
    }
    return 1.0 - std::exp2(-std::max(0.0, s) / kHalving);
  }

 private:
  double events_ = 0.0, rows_ = 0.0;
  double announced_ = 0.0, since_event_ = 1e9;  // the last event's surprise, and rows since
  double peak_ = 0.0, since_peak_ = 1e9;        // the largest in this quiet, and rows since
};

}  // namespace

struct ValueDetector::State {
  std::size_t rows = 0;                       // of the series
  std::size_t learnt = 0;                     // since the units are settled
  bool same = true;                           // all values so far
  std::array<int64_t, kUnitRows> first_ts{};  // a ring until the units are settled
  std::array<double, kUnitRows> first{};
  double origin = 0.0, unit = 0.0, step_ms = 1.0, day_rows = kDayRowsLeast;
  int64_t last_ts = 0;

  Season season;
  Forecast forecast;
  Following level;   // less the season, over a day
  Following slow;    // as it is
  Following scale;   // of the forecast's error
  Following spread;  // of what is above the level
  Following moves;   // from row to row
  Following recent_moves;
  RunningMedian<kMedianRows> short_median;
  RunningMedian<kMedians> long_median;
  double run = 0.0;  // rows since the value last changed
  Tail runs;

  Feature jump{1}, size{1}, place{1};
  Feature short_level{16}, long_level{64, kLongBonus}, activity{16};
  Announcer announcer;

  [[nodiscard]] double score(int64_t ts_ms, double value);
  [[nodiscard]] bool settle();
  [[nodiscard]] double learn(int64_t ts_ms, double value);
  [[nodiscard]] double judge_run(double x);
};

// Units from the first rows, which are then learnt. False while those are all the same.
bool ValueDetector::State::settle() {
  const std::size_t oldest = rows % kUnitRows;
  std::vector<double> steps, values(first.begin(), first.end());
  origin = median(values);
  for (const double v : values) unit += std::abs(v - origin) / static_cast<double>(kUnitRows);
  if (unit <= 0.0) return false;
  for (std::size_t i = 1; i < kUnitRows; ++i) {
    const int64_t before = first_ts[(oldest + i - 1) % kUnitRows];
    steps.push_back(static_cast<double>(first_ts[(oldest + i) % kUnitRows] - before));
  }
  step_ms = std::max(1.0, median(steps));
  day_rows = std::clamp(86.4e6 / step_ms, kDayRowsLeast, kDayRowsMost);
  season.begin(step_ms / 1e3);
  forecast.begin((first[oldest] - origin) / unit);
  last_ts = first_ts[oldest];
  for (std::size_t i = 0; i < kUnitRows; ++i) {
    const std::size_t at = (oldest + i) % kUnitRows;
    static_cast<void>(learn(first_ts[at], first[at]));
  }
  return true;
}

double ValueDetector::State::score(int64_t ts_ms, double value) {
  const std::size_t at = rows % kUnitRows;
  if (rows > 0 && unit <= 0.0) same = same && value == first[(at + kUnitRows - 1) % kUnitRows];
  ++rows;
  if (unit > 0.0) {
    const double surprise = learn(ts_ms, value);
    return rows > kWarmUpRows ? announcer.score(surprise) : 0.0;
  }
  first_ts[at] = ts_ms;
  first[at] = value;
  if (rows < kUnitRows || !settle()) return 0.0;
  // A long constant has changed for the first time.
  return rows > kWarmUpRows ? announcer.score(2.0 * std::log10(static_cast<double>(rows))) : 0.0;
}

// Runs of one value: how long this one is, against those that have ended.
double ValueDetector::State::judge_run(double x) {
  if (x == forecast.last()) {
    run += 1.0;
  } else {
    runs.add(run, 1.0);
    run = 0.0;
  }
  return run > 2.0 ? runs.surprise(run, kLeastRun) : 0.0;
}

double ValueDetector::State::learn(int64_t ts_ms, double value) {
  const double x = (value - origin) / unit;
  const double steps = static_cast<double>(ts_ms - last_ts) / step_ms;
  const double allowance = std::clamp(std::sqrt(std::max(1.0, steps)), 1.0, 3.0);
  last_ts = ts_ms;
  const double expected = season.at(ts_ms);
  const std::array<double, 7> said = forecast.all(expected, level.value);
  const double error = x - said[forecast.best()];
  const double above = x - expected - level.value;
  const double move = std::abs(x - forecast.last());
  const double error_scale = std::max(scale.value, kLeast);
  const double above_scale = std::max(spread.value, kLeast);
  const double move_scale = std::max(moves.value, kLeast);

  short_median.add(above);
  if (learnt % kMedianEvery == 0) long_median.add(short_median.value);
  recent_moves.add(move, kActivityRate);
  double most = judge_run(x), second = 0.0;
  if (learnt >= kJudgedRows) {
    const double act = (recent_moves.value + kLeastActivity * move_scale) / move_scale;
    const double out_of_place = place.judge(above / above_scale / season.spread(ts_ms));
    for (const double s :
         {jump.judge(error / error_scale / allowance), size.judge(x - slow.value),
          season.useful() ? out_of_place : 0.0, short_level.judge(short_median.value / above_scale),
          long_level.judge(long_median.value / above_scale), activity.judge(std::log2(act))}) {
      second = std::max(second, std::min(most, s));
      most = std::max(most, s);
    }
  }

  ++learnt;
  const bool young = learnt < kYoungRows;
  const auto clip = [young](double v, double limit) {
    return young ? v : std::clamp(v, -limit, limit);
  };
  const double limit = kClip * std::max(above_scale, 1e-6);
  forecast.learn(x, expected, said, young ? 1e300 : kClipResidual * error_scale);
  scale.add(clip(std::abs(error), kClipResidual * error_scale), 1.0 / kScaleRows);
  season.learn(ts_ms, x - level.value, young ? 1e300 : limit);
  spread.add(clip(std::abs(above), limit), 1.0 / kSpreadRows);
  level.add(level.value + clip(above, limit), 1.0 / day_rows);
  slow.add(slow.value + clip(x - slow.value, limit), 1.0 / kLevelRows);
  moves.add(clip(move, kClipMove * move_scale), 1.0 / kLevelRows);
  return most + kSecondShare * second;
}

ValueDetector::ValueDetector() : state_(std::make_unique<State>()) {}
ValueDetector::~ValueDetector() = default;
ValueDetector::ValueDetector(ValueDetector&&) noexcept = default;
ValueDetector& ValueDetector::operator=(ValueDetector&&) noexcept = default;

double ValueDetector::score(int64_t ts_ms, double value) { return state_->score(ts_ms, value); }
bool ValueDetector::constant() const { return state_->same; }

}  // namespace payops::reasoning
