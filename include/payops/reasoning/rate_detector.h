// The failure-rate detector: a small bank of Bernoulli CUSUMs, each tuned to one size of change and
// each with its own threshold, against a baseline that is learnt meanwhile and knows how well.
//
// Two users, one test. The agent feeds RateTest with what the paths of a series together expect;
// RateDetector (payops detect, payops evaluate detection) is the test with a baseline of its own.
// Pure and deterministic. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "payops/reasoning/cusum.h"

namespace payops::reasoning {

using RateBank = Bank<kFailureShares.size()>;

// Parts of the false alarms for which the alternatives' thresholds are set. What is granted to a
// learnt rate (see RateTest) takes more of them from the slow alternatives, which so get more to
// begin with: what is left is about the same for all.
inline constexpr std::array<double, kFailureShares.size()> kFalseAlarmParts{0.26, 0.22, 0.17,
                                                                            0.13, 0.11, 0.11};

// A rate that was learnt, and from how many attempts' worth: its relative variance is
// (1 - rate) / (rate × attempts).
struct LearntRate {
  double rate = 0.0;
  double attempts = 0.0;
};

// What the alternatives make of a row against a learnt rate, and from where they alarm.
//
// Every alternative has its part of the false alarms; its threshold follows from that
// (share_threshold). The rate that it is tested against is not known but learnt: false alarms are
// therefore averaged over what the rate may be. For the path on which an alternative crosses, with
// e failures more than the baseline's, that average is as if e / 2 more failures had been seen in
// the attempts learnt from (second-order expansion of a gamma posterior's moment), and these are
// added. A young baseline so grants much to the slow alternatives, that need many failures, and
// little to the fast ones.
class RateTest {
 public:
  // REQUIRES: 0 < false_alarms < 1, per attempt, over all alternatives.
  RateTest(const LearntRate& learnt, double false_alarms);

  // Adds k failures among n attempts in `second` to a bank.
  void add(RateBank& bank, int64_t second, double n, double k) const;
  // The same without failures, which needs no test made.
  static void add_healthy(RateBank& bank, int64_t second, double n, double rate);

  // The alternative farthest beyond its threshold.
  [[nodiscard]] std::optional<std::size_t> crossed(const RateBank& bank) const;
  [[nodiscard]] double threshold(std::size_t alternative) const { return threshold_[alternative]; }

 private:
  double rate_;
  std::array<double, kFailureShares.size()> failure_;  // log-likelihood ratio of a failure
  std::array<double, kFailureShares.size()> threshold_;
};

// Whether a fault that took the share `was` of attempts, and now takes `now`, has grown so much
// that it is news: by a third, and by a tenth of all attempts.
[[nodiscard]] constexpr bool has_grown(double was, double now) {
  return now > was + (was > 0.3 ? was / 3.0 : 0.1);
}

// How far a healthy rate is taken to drift over a day of itself, up and down, as its own share.
inline constexpr double kDriftPerDay = 0.2;

// Relative variance of a rate learnt by a memory of `memory_s` (seconds after which a count has
// faded to 1 / e), for its lag behind a daily wave of `drift_per_day`.
[[nodiscard]] double lag_variance(double memory_s, double drift_per_day = kDriftPerDay);

struct RateDetectorConfig {
  double target_false_alarms = 1e-6;   // per attempt
  double detect_after_attempts = 100;  // learnt before any alarm may rise
  double drift_per_day = kDriftPerDay;
  double freeze_max_s = 7200;  // an alarm this old becomes the new normal
};

// A rate that may drift over the day, learnt by two memories of the same counts. The long one (two
// days) is what the rate is on average. The short one follows the drift: its length is the one at
// which its lag behind a daily wave of `drift_per_day` and the noise of its counts add to the least
// error; it leans on the long one where it has little to say, and is not followed to more than the
// drift above it, so that a fault that grows slowly is not swallowed.
class RateBaseline {
 public:
  explicit RateBaseline(double drift_per_day) : drift_(drift_per_day) {}
  // n attempts with k failures over `seconds`.
  void learn(double n, double k, double seconds);
  [[nodiscard]] LearntRate now() const;
  [[nodiscard]] double attempts() const { return seen_; }  // in all, nothing forgotten

 private:
  struct Memory {
    double attempts = 0.0, failures = 0.0, seconds = 0.0;
    double squares = 0.0;  // of the attempts' weights: attempts² / squares are worth as much now
    void add(double n, double k, double s, double length_s);
  };
  double drift_;
  double seen_ = 0.0;
  Memory slow_, fast_;
};

struct RateAlarm {
  uint64_t row = 0;  // from 0: the first at which it was known
  int64_t ts_ms = 0;
  double rate = 0.0;      // of failures since the change, as far as it can be told
  double baseline = 0.0;  // what was learnt
  double z = 0.0;         // the EWMA z-score, over about the last fifty attempts
  double score = 0.0;     // the statistic over its threshold: an alarm from 1 on
  std::optional<uint64_t> end_row{};
};

// Judges rows by those before them. An alarm ends when the rows since speak for health against half
// the fault, by the same likelihood; until then nothing is learnt and only a larger change alarms
// again, which ends the one before it.
class RateDetector {
 public:
  enum class Event : uint8_t { none, raised, ended };
  explicit RateDetector(const RateDetectorConfig& config = {});

  // The next row: k failures among n attempts. 0 <= k <= n; ts_ms never lower than before.
  Event observe(int64_t ts_ms, double n, double k);

  // The last alarm raised. REQUIRES: there was one.
  [[nodiscard]] const RateAlarm& alarm() const { return alarm_; }
  [[nodiscard]] bool alarming() const { return alarming_; }
  [[nodiscard]] LearntRate baseline() const { return learnt_; }
  [[nodiscard]] double z() const;

 private:
  void settle();
  void refresh();
  [[nodiscard]] bool raise(uint64_t row, int64_t ts_ms, std::size_t alternative);
  [[nodiscard]] bool recovers(double n, double k);

  // Counts not yet learnt: of the excursion that the slowest alternative is on.
  struct Pending {
    double attempts = 0.0, failures = 0.0, seconds = 0.0;
  };
  RateDetectorConfig config_;
  RateBaseline baseline_;
  LearntRate learnt_;
  RateTest test_;
  RateBank bank_;
  Pending pending_;
  uint64_t row_ = 0;
  int64_t last_ts_ms_ = 0;
  // The z-score's window: attempts and failures, both forgotten per attempt.
  double recent_n_ = 0.0, recent_k_ = 0.0, recent_squares_ = 0.0;
  RateAlarm alarm_;
  bool alarming_ = false;
  double moved_ = 0.0;     // the share of attempts that the fault takes
  double fault_ = 0.0;     // the same, by what was seen since
  double recovery_ = 0.0;  // log-likelihood ratio of health
  Pending since_;          // the alarm was raised
};

}  // namespace payops::reasoning
