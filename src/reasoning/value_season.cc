#include "value_season.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace payops::reasoning {
namespace {

constexpr int64_t kDayMs = 86'400'000, kHourMs = 3'600'000;
constexpr double kDayS = 86'400.0;
constexpr double kDaySlots = 288.0;
constexpr std::size_t kWeekSlots = 168;
constexpr double kDayRate = 0.1, kWeekRate = 0.25, kCycleRate = 0.2;  // of learning, a visit
constexpr double kGain = 0.9;       // a season is used when it leaves less than this of the error
constexpr double kWeekGain = 0.95;  // and one more wish than the day's only for this much more
constexpr std::size_t kPast = 1536, kLongest = 512, kShortest = 4;
constexpr std::size_t kLookEvery = 256;
constexpr double kCorrelation = 0.3;  // least that a cycle's rows have with those one cycle before
constexpr double kSpreadPrior = 4.0;  // visits that the whole's spread counts for at a phase

std::size_t week_slot(int64_t ts_ms) {
  const auto hours = static_cast<int64_t>(kWeekSlots);
  return static_cast<std::size_t>(((ts_ms / kHourMs) % hours + hours) % hours);
}

// Sum of x[i] x[i - lag]; eight sums in a fixed order, which compilers can do at once.
double correlation(const std::vector<float>& x, std::size_t lag) {
  std::array<float, 8> sums{};
  std::size_t i = lag;
  for (; i + 8 <= x.size(); i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += x[i + j] * x[i + j - lag];
  }
  for (; i < x.size(); ++i) sums[0] += x[i] * x[i - lag];
  double sum = 0.0;
  for (const float s : sums) sum += s;
  return sum;
}

void follow(double& mean, double x, double rate) { mean += rate * (x - mean); }

}  // namespace

void Season::Slot::learn(double x, double rate, double limit) {
  seen += 1.0F;
  const double off = std::clamp(x - mean, -limit, limit);
  mean += static_cast<float>(std::max(1.0 / seen, rate) * off);
  if (seen <= 1.0F) return;
  spread += static_cast<float>(std::max(1.0 / (seen - 1.0), rate) * (std::abs(off) - spread));
}

void Season::begin(double step_s) {
  const double slots = std::clamp(std::floor(kDayS / std::max(step_s, 1.0)), 1.0, kDaySlots);
  day_.assign(static_cast<std::size_t>(slots), {});
  week_.assign(kWeekSlots, {});
  past_.assign(kPast, 0.0F);
  slot_ms_ = static_cast<double>(kDayMs) / slots;
  rows_per_day_ = kDayS / step_s;
}

std::size_t Season::day_slot(int64_t ts_ms) const {
  const int64_t of_day = ((ts_ms % kDayMs) + kDayMs) % kDayMs;
  return std::min(day_.size() - 1,
                  static_cast<std::size_t>(static_cast<double>(of_day) / slot_ms_));
}

// Smoothed over the neighbouring slots, and drawn to 0 while few days were seen.
double Season::daily(int64_t ts_ms) const {
  const std::size_t n = day_.size(), slot = day_slot(ts_ms);
  double sum = 0.0, weight = 0.3;
  for (std::size_t d = 0; d < 3; ++d) {
    const Slot& s = day_[(slot + n + d - 1) % n];
    const double w = d == 1 ? 2.0 * std::min(s.seen, 10.0F) : std::min(s.seen, 3.0F) / 3.0;
    sum += w * s.mean;
    weight += w;
  }
  return sum / weight;
}

double Season::weekly(int64_t ts_ms) const {
  const Slot& s = week_[week_slot(ts_ms)];
  return s.mean * s.seen / (s.seen + 3.0);
}

double Season::cyclic() const { return cycle_.empty() ? 0.0 : cycle_[rows_ % cycle_.size()].mean; }

double Season::at(int64_t ts_ms) const {
  switch (use_) {
    case Use::day:
      return daily(ts_ms);
    case Use::week:
      return daily(ts_ms) + weekly(ts_ms);
    case Use::cycle:
      return cyclic();
    case Use::none:
      break;
  }
  return 0.0;
}

double Season::spread(int64_t ts_ms) const {
  if (!useful()) return 1.0;
  const std::vector<Slot>& slots = use_ == Use::cycle ? cycle_ : day_;
  const std::size_t n = slots.size();
  const std::size_t slot = use_ == Use::cycle ? rows_ % n : day_slot(ts_ms);
  double sum = kSpreadPrior * spread_, weight = kSpreadPrior;
  for (std::size_t d = 0; d < 3; ++d) {
    const Slot& s = slots[(slot + n + d - 1) % n];
    const double w = std::min(s.seen, 10.0F) * (d == 1 ? 1.0 : 0.5);
    sum += w * s.spread;
    weight += w;
  }
  return std::clamp(sum / weight / std::max(spread_, 1e-12), 0.2, 5.0);
}

void Season::learn(int64_t ts_ms, double x, double limit) {
  const double day = daily(ts_ms), week = weekly(ts_ms), cap = 3.0 * limit;
  const double rate = 1.0 / std::min(static_cast<double>(rows_ + 1), 4.0 * rows_per_day_ + 1.0);
  follow(error_none_, std::min(std::abs(x), cap), rate);
  follow(error_day_, std::min(std::abs(x - day), cap), rate);
  follow(error_week_, std::min(std::abs(x - day - week), cap), rate);
  if (!cycle_.empty()) {
    ++cycle_rows_;
    follow(error_cycle_, std::min(std::abs(x - cyclic()), cap),
           std::max(1.0 / static_cast<double>(cycle_rows_), rate));
  }
  const double off = std::min(limit, std::abs(x - at(ts_ms)));
  follow(spread_, off, std::max(1.0 / static_cast<double>(rows_ + 1), 0.001));

  day_[day_slot(ts_ms)].learn(x, kDayRate, limit);
  if (!cycle_.empty()) cycle_[rows_ % cycle_.size()].learn(x, kCycleRate, limit);
  // An hour of the week holds several rows: a visit is all of them.
  Slot& hour = week_[week_slot(ts_ms)];
  const double per_visit = std::max(1.0, rows_per_day_ / 24.0);
  hour.seen += static_cast<float>(1.0 / per_visit);
  const double week_rate = std::max(1.0 / std::max(1.0F, hour.seen), kWeekRate) / per_visit;
  hour.mean += static_cast<float>(week_rate * std::clamp(x - day - hour.mean, -limit, limit));

  past_[rows_ % kPast] = static_cast<float>(std::clamp(x, -limit, limit));
  ++rows_;
  choose();
  if (rows_ >= kPast / 2 && rows_ % kLookEvery == 0) look_for_cycle();
}

void Season::choose() {
  const auto rows = static_cast<double>(rows_);
  use_ = Use::none;
  double least = kGain * error_none_;
  if (rows > 1.5 * rows_per_day_ && error_day_ < least) {
    use_ = Use::day;
    least = error_day_;
  }
  if (rows > 7.0 * rows_per_day_ && error_week_ < kWeekGain * least) {
    use_ = Use::week;
    least = error_week_;
  }
  if (cycle_rows_ > cycle_.size() && error_cycle_ < kGain * least) use_ = Use::cycle;
}

// The lag at which the last rows are most like themselves: a peak of the autocorrelation after a
// valley. A longer one must be better by a twentieth, so that multiples are not taken for it.
void Season::look_for_cycle() {
  std::vector<float> x(kPast);
  float mean = 0.0F;
  for (std::size_t i = 0; i < kPast; ++i) mean += x[i] = past_[(rows_ + i) % kPast];
  mean /= static_cast<float>(kPast);
  for (float& v : x) v -= mean;
  const double energy = correlation(x, 0) / static_cast<double>(kPast);
  if (energy <= 0.0) return;
  std::vector<double> like(kLongest + 2);
  for (std::size_t lag = 1; lag < like.size(); ++lag) {
    like[lag] = correlation(x, lag) / energy / static_cast<double>(kPast - lag);
  }
  std::size_t best = 0;
  double most = kCorrelation, valley = 1.0;
  for (std::size_t lag = 2; lag <= kLongest; ++lag) {
    valley = std::min(valley, like[lag]);
    const bool peak = like[lag] >= like[lag - 1] && like[lag] >= like[lag + 1];
    if (!peak || valley >= 0.7 * like[lag]) continue;
    if (like[lag] <= most * (best == 0 ? 1.0 : 1.05)) continue;
    best = lag;
    most = like[lag];
  }
  if (best < kShortest) return;
  if (!cycle_.empty() && like[cycle_.size()] > 0.9 * most) return;  // the one there is still fits
  begin_cycle(best, x, mean);
}

void Season::begin_cycle(std::size_t length, const std::vector<float>& past, float mean) {
  cycle_.assign(length, {});
  cycle_rows_ = 0;
  error_cycle_ = 0.0;
  // Rows count from 0, and past[0] is kPast rows ago (or was never learnt, and is 0).
  const std::size_t first = rows_ + length * kPast - kPast;
  for (std::size_t i = 0; i < kPast; ++i) {
    cycle_[(first + i) % length].learn(past[i] + mean, 0.0, 1e300);
  }
}

}  // namespace payops::reasoning
