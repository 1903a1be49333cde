// Change detection on counts by a small bank of CUSUMs (Page 1954), each tuned to one size of
// change and each with its own threshold, so that all give false alarms equally often.
//
// The alternatives are stated as the share g of attempts that would have gone well and now do not:
// p1 = p0 + (1 - p0) g. A fault that swallows a fifth of the traffic is g = 0.2 whatever the
// baseline, and the log-likelihood ratio of a success, ln(1 - g), does not depend on p0 at all, so
// that seconds without failures cost no logarithm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "payops/core/fields.h"

namespace payops::reasoning {

inline constexpr std::array<double, 6> kFailureShares{0.07, 0.13, 0.22, 0.38, 0.62, 0.94};
inline constexpr std::array<double, 3> kShiftShares{0.14, 0.35, 0.70};
inline constexpr std::array<double, 3> kDropShares{0.45, 0.80, 0.97};
inline constexpr double kLeastThreshold = 5.0;
inline constexpr double kRecovered = 7.0;  // log-likelihood ratio of health that ends an alarm

// Log-likelihood ratio of k failures among n attempts: rate p0 + (1 - p0) g against p0.
// 0 < p0 < 1, 0 <= g < 1, 0 <= k <= n.
[[nodiscard]] double share_llr(double n, double k, double p0, double g);
// The same for `count` values of g at once.
void share_llrs(double n, double k, double p0, const double* g, double* llr, std::size_t count);
// The same of k arrivals where `mean` were expected: Poisson mean (1 - g) against mean. 0 <= g < 1.
[[nodiscard]] double drop_llr(double k, double mean, double g);

// The threshold at which a CUSUM of share_llr gives one false alarm in `arl` attempts on average:
// ln(arl × I × ζ²), with I the information per attempt under the alternative and ζ the mean of
// exp(-overshoot) there (Siegmund 1985, Discussion ch. II and X; Lorden 1971 gives the bound ln
// arl).
[[nodiscard]] double share_threshold(double arl, double p0, double g);
// The same for drop_llr at `rate` arrivals a second, arl in seconds; the statistic climbs without
// jumps, so that nothing overshoots.
[[nodiscard]] double drop_threshold(double arl_s, double rate, double g);

// One CUSUM and what it has seen since it last stood at zero. Small, since every series has many.
struct Cusum {
  double statistic = 0.0;
  uint32_t onset = 0;  // second in which it left zero: the estimate of when the change began
  float attempts = 0.0F;
  float failures = 0.0F;
  float expected = 0.0F;
  // Adds a second's counts. `llr` is theirs.
  void add(double llr, int64_t second, double n, double k, double e) {
    if (statistic + llr <= 0.0) {
      if (statistic != 0.0) *this = {};
      return;
    }
    if (statistic == 0.0) onset = static_cast<uint32_t>(second);
    statistic += llr;
    attempts += static_cast<float>(n);
    failures += static_cast<float>(k);
    expected += static_cast<float>(e);
  }
  static constexpr auto fields() {
    return std::make_tuple(field("statistic", &Cusum::statistic), field("onset", &Cusum::onset),
                           field("attempts", &Cusum::attempts), field("failures", &Cusum::failures),
                           field("expected", &Cusum::expected));
  }
};

template <std::size_t N>
struct Bank {
  std::array<Cusum, N> cusums{};
  [[nodiscard]] bool quiet() const {
    for (const Cusum& c : cusums) {
      if (c.statistic != 0.0) return false;
    }
    return true;
  }
  void add_share(const std::array<double, N>& shares, int64_t second, double n, double k,
                 double p0) {
    if (k == 0.0 && quiet()) return;
    std::array<double, N> llr;
    share_llrs(n, k, p0, shares.data(), llr.data(), N);
    for (std::size_t j = 0; j < N; ++j) cusums[j].add(llr[j], second, n, k, n * p0);
  }
  void add_drop(const std::array<double, N>& shares, int64_t second, double k, double mean) {
    for (std::size_t j = 0; j < N; ++j) {
      cusums[j].add(drop_llr(k, mean, shares[j]), second, mean, k, mean);
    }
  }
  [[nodiscard]] double largest() const {
    double most = 0.0;
    for (const Cusum& c : cusums) most = c.statistic > most ? c.statistic : most;
    return most;
  }
  static constexpr auto fields() { return std::make_tuple(field("cusums", &Bank::cusums)); }
};

}  // namespace payops::reasoning
