#include "payops/reasoning/rate_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace payops::reasoning {
namespace {

constexpr std::size_t kAlternatives = kFailureShares.size();
constexpr double kLeastRate = 0.002;
constexpr double kMostRate = 0.97;

// What the thresholds need of a baseline rate, for each alternative: a smooth function of the rate,
// kept at eight points to the octave and read in between.
class RateTable {
 public:
  struct Entry {
    std::array<double, kAlternatives> offset;  // threshold less ln ARL
    std::array<double, kAlternatives> excess;  // failures beyond the baseline's, per unit climbed
  };
  RateTable() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const double p0 = std::min(rate_at(i), 0.999);
      for (std::size_t j = 0; j < kAlternatives; ++j) {
        const double g = kFailureShares[j];
        const double p1 = p0 + (1.0 - p0) * g;
        entries_[i].offset[j] = share_threshold(kReferenceArl, p0, g) - std::log(kReferenceArl);
        entries_[i].excess[j] = (p1 - p0) / (p1 * std::log(p1 / p0) + (1.0 - p1) * std::log1p(-g));
      }
    }
  }
  [[nodiscard]] Entry at(double rate) const {
    const uint64_t bits = std::bit_cast<uint64_t>(rate);
    const std::size_t i = static_cast<std::size_t>((bits >> kShift) - kFirst);
    const double low = rate_at(i);
    const double part = (rate - low) / (rate_at(i + 1) - low);
    Entry entry;
    for (std::size_t j = 0; j < kAlternatives; ++j) {
      const Entry &a = entries_[i], &b = entries_[i + 1];
      entry.offset[j] = a.offset[j] + part * (b.offset[j] - a.offset[j]);
      entry.excess[j] = a.excess[j] + part * (b.excess[j] - a.excess[j]);
    }
    return entry;
  }

 private:
  static constexpr double kReferenceArl = 1e9;      // any at which no threshold is at its least
  static constexpr unsigned kShift = 49;            // all but three bits of a double's fraction
  static constexpr uint64_t kFirst = 1014ULL << 3;  // of 2^-9, below the least rate
  [[nodiscard]] static double rate_at(std::size_t i) {
    return std::bit_cast<double>((kFirst + i) << kShift);
  }
  std::array<Entry, 9 * 8 + 1> entries_;
};

const RateTable& table() {
  static const RateTable shared;
  return shared;
}

// Log-likelihood ratios of a success: they do not depend on the baseline.
const std::array<double, kAlternatives>& success() {
  static const auto all = [] {
    std::array<double, kAlternatives> logs{};
    for (std::size_t j = 0; j < kAlternatives; ++j) logs[j] = std::log1p(-kFailureShares[j]);
    return logs;
  }();
  return all;
}

constexpr double kDayS = 86'400.0;
constexpr double kPi = 3.14159265358979323846;
constexpr double kSlowMemoryS = 2.0 * kDayS;
constexpr double kLeastMemoryS = 300.0;
constexpr double kZMemory = 50.0;      // attempts
constexpr double kLeastFault = 0.03;   // share that health is held against, to end an alarm
constexpr double kFaultAttempts = 50;  // since an alarm, from which they say how large it is
constexpr double kCommitShare = 0.01;  // of what is known, at least, before it is learnt anew

}  // namespace

RateTest::RateTest(const LearntRate& learnt, double false_alarms)
    : rate_(std::clamp(learnt.rate, kLeastRate, kMostRate)) {
  const auto entry = table().at(rate_);
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    threshold_[j] =
        std::max(kLeastThreshold, entry.offset[j] - std::log(kFalseAlarmParts[j] * false_alarms));
    const double granted = 0.5 * threshold_[j] * entry.excess[j] / std::max(1.0, learnt.attempts);
    const double p0 = std::min(rate_ + granted, kMostRate);
    failure_[j] = std::log(1.0 + kFailureShares[j] * (1.0 - p0) / p0);
  }
}

void RateTest::add(RateBank& bank, int64_t second, double n, double k) const {
  if (k == 0.0) return add_healthy(bank, second, n, rate_);
  const auto& good = success();
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    bank.cusums[j].add(k * failure_[j] + (n - k) * good[j], second, n, k, n * rate_);
  }
}

void RateTest::add_healthy(RateBank& bank, int64_t second, double n, double rate) {
  if (bank.quiet()) return;
  const auto& good = success();
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    bank.cusums[j].add(n * good[j], second, n, 0.0, n * rate);
  }
}

std::optional<std::size_t> RateTest::crossed(const RateBank& bank) const {
  std::optional<std::size_t> farthest;
  double most = 1.0;
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    const double ratio = bank.cusums[j].statistic / threshold_[j];
    if (ratio <= most) continue;
    most = ratio;
    farthest = j;
  }
  return farthest;
}

double lag_variance(double memory_s, double drift_per_day) {
  const double slope = drift_per_day * kPi * std::sqrt(2.0);  // of the wave, per day, in the mean
  const double lag = slope * memory_s / kDayS;
  return lag * lag;
}

void RateBaseline::Memory::add(double n, double k, double s, double length_s) {
  const double keep = std::exp(-s / length_s);
  attempts = attempts * keep + n;
  failures = failures * keep + k;
  seconds = seconds * keep + s;
  squares = squares * keep * keep + n;
}

void RateBaseline::learn(double n, double k, double seconds) {
  seen_ += n;
  slow_.add(n, k, std::min(seconds, kSlowMemoryS), kSlowMemoryS);
  // Lag c L against noise (1 - p) / (2 f L), both squared and relative: least at this L.
  const double p = (slow_.failures + 0.5) / (slow_.attempts + 1.0);
  const double failures_per_day =
      (slow_.failures + 0.5) / std::max(slow_.seconds, 1.0) * kDayS / (1.0 - p);
  const double per_day = std::sqrt(lag_variance(kDayS, drift_));
  const double length_s = std::clamp(kDayS / std::cbrt(4.0 * failures_per_day * per_day * per_day),
                                     kLeastMemoryS, kSlowMemoryS);
  // A pause forgets no more than half: what comes after it is likelier as before than unknown.
  fast_.add(n, k, std::min(seconds, 0.7 * length_s), length_s);
}

LearntRate RateBaseline::now() const {
  const double p_slow = (slow_.failures + 0.5) / (slow_.attempts + 1.0);
  if (fast_.attempts <= 0.0) return {p_slow, 1.0};
  const double p_fast = (fast_.failures + 0.5) / (fast_.attempts + 1.0);
  const auto noise = [](const Memory& m, double p) {
    return (1.0 - p) * m.squares / (p * std::max(1.0, m.attempts * m.attempts));
  };
  const double known = noise(slow_, p_slow);
  const double own = noise(fast_, p_fast) + lag_variance(fast_.seconds, drift_);
  const double prior = known + 0.5 * drift_ * drift_;
  const double lean = own / (own + prior);
  const double most = p_slow * (1.0 + drift_ + std::sqrt(known));
  const double rate = std::min(p_fast + lean * (p_slow - p_fast), most);
  const double variance = std::max(known, own * prior / (own + prior));
  return {rate, (1.0 - rate) / (rate * variance)};
}

RateDetector::RateDetector(const RateDetectorConfig& config)
    : config_(config),
      baseline_(config.drift_per_day),
      learnt_(baseline_.now()),
      test_(learnt_, config.target_false_alarms) {}

double RateDetector::z() const {
  const double p = learnt_.rate;
  if (recent_n_ <= 0.0) return 0.0;
  const double variance =
      p * (1.0 - p) * (recent_squares_ / (recent_n_ * recent_n_) + 1.0 / learnt_.attempts);
  return (recent_k_ / recent_n_ - p) / std::sqrt(variance);
}

RateDetector::Event RateDetector::observe(int64_t ts_ms, double n, double k) {
  if (row_ == 0) last_ts_ms_ = ts_ms;
  const double seconds = static_cast<double>(ts_ms - last_ts_ms_) / 1e3;
  last_ts_ms_ = ts_ms;
  const uint64_t row = row_++;
  static const double keep_one = std::exp(-1.0 / kZMemory);
  const double keep = n == 1.0 ? keep_one : std::exp(-n / kZMemory);
  recent_n_ = recent_n_ * keep + n;
  recent_k_ = recent_k_ * keep + k;
  recent_squares_ = recent_squares_ * keep * keep + n;
  pending_.attempts += n;
  pending_.failures += k;
  pending_.seconds += seconds;
  if (baseline_.attempts() < config_.detect_after_attempts) {
    settle();
    return Event::none;
  }
  test_.add(bank_, ts_ms / 1000, n, k);
  if (k > 0.0) {
    if (const auto alternative = test_.crossed(bank_)) {
      return raise(row, ts_ms, *alternative) ? Event::raised : Event::none;
    }
  }
  if (alarming_) {
    if (!recovers(n, k)) return Event::none;
    alarm_.end_row = row;
    return Event::ended;
  }
  if (bank_.cusums[0].statistic == 0.0 && pending_.attempts >= kCommitShare * learnt_.attempts) {
    settle();
  }
  return Event::none;
}

// Learns what is pending.
void RateDetector::settle() {
  baseline_.learn(pending_.attempts, pending_.failures, pending_.seconds);
  pending_ = {};
  refresh();
}

void RateDetector::refresh() {
  learnt_ = baseline_.now();
  const double rate = learnt_.rate + (1.0 - learnt_.rate) * moved_;
  test_ = RateTest({rate, learnt_.attempts}, config_.target_false_alarms);
}

// An alarm of what has crossed; false when it only tells more of the one there is.
bool RateDetector::raise(uint64_t row, int64_t ts_ms, std::size_t alternative) {
  const Cusum& c = bank_.cusums[alternative];
  const double rate = static_cast<double>(c.failures) / static_cast<double>(c.attempts);
  const double moved = std::clamp((rate - learnt_.rate) / (1.0 - learnt_.rate), 0.0, kMostRate);
  const bool news = !alarming_ || has_grown(moved_, moved);
  if (news) {
    alarm_ = {.row = row,
              .ts_ms = ts_ms,
              .rate = rate,
              .baseline = learnt_.rate,
              .z = z(),
              .score = c.statistic / test_.threshold(alternative)};
    since_ = {};
  }
  alarming_ = true;
  moved_ = std::max(moved_, moved);
  fault_ = 0.5 * moved_;
  recovery_ = 0.0;
  bank_ = {};
  pending_ = {};
  refresh();
  return news;
}

bool RateDetector::recovers(double n, double k) {
  since_.attempts += n;
  since_.failures += k;
  since_.seconds += pending_.seconds;
  pending_ = {};
  const double rate = std::clamp(learnt_.rate, kLeastRate, kMostRate);
  // What crossed a threshold looked larger than it is: half of that is taken for granted at first,
  // and while nothing speaks for health, what has been seen since says how large it is.
  if (recovery_ == 0.0 && since_.attempts >= kFaultAttempts) {
    const double seen = since_.failures / since_.attempts;
    fault_ = std::clamp((seen - rate) / (1.0 - rate), 0.0, moved_);
  }
  recovery_ = std::max(0.0, recovery_ - share_llr(n, k, rate, std::max(0.5 * fault_, kLeastFault)));
  const bool normal =
      since_.seconds >= config_.freeze_max_s && since_.attempts >= config_.detect_after_attempts;
  if (recovery_ < kRecovered && !normal) return false;
  if (normal) {
    baseline_ = RateBaseline(config_.drift_per_day);
    baseline_.learn(since_.attempts, since_.failures, since_.seconds);
  }
  alarming_ = false;
  moved_ = 0.0;
  bank_ = {};
  refresh();
  return true;
}

}  // namespace payops::reasoning
