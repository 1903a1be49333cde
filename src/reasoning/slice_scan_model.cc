#include "slice_scan_model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace payops::reasoning::slice_scan {
namespace {

constexpr double kRateMin = 1e-9;
constexpr double kRateMax = 0.999;
constexpr double kUnaffected = 0.01;      // of a cause's leaves
constexpr std::size_t kSampleMax = 3000;  // leaves that a noise parameter is estimated from

double clamp_rate(double p) { return std::clamp(p, kRateMin, kRateMax); }

// Every n-th leaf, so that at most kSampleMax are looked at.
std::size_t stride_for(std::size_t leaves) { return leaves / kSampleMax + 1; }

struct PastSums {
  std::vector<double> attempts;
  std::vector<double> failures;
};

PastSums sum_past(const SliceCounts& counts) {
  PastSums past{std::vector<double>(counts.leaves()), std::vector<double>(counts.leaves())};
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    for (std::size_t j = 0; j < counts.periods; ++j) {
      past.attempts[i] += counts.past_attempts[i * counts.periods + j];
      past.failures[i] += counts.past_failures[i * counts.periods + j];
    }
  }
  return past;
}

// Rates as a product of one factor for each dimension's value, by iterative proportional fitting
// (Deming and Stephan 1940); what a leaf without a history of its own is held against.
std::vector<double> marginal_rates(const SliceCounts& counts, const PastSums& past) {
  double attempts = 0.0;
  double failures = 0.0;
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    attempts += past.attempts[i];
    failures += past.failures[i];
  }
  const double mean = clamp_rate(failures > 0.0 ? failures / attempts : 0.5 / (attempts + 1.0));
  std::vector<double> rate(counts.leaves(), mean);
  for (int round = 0; round < 4; ++round) {
    for (std::size_t d = 0; d < counts.dimensions; ++d) {
      std::vector<double> seen;
      std::vector<double> fitted;
      for (std::size_t i = 0; i < counts.leaves(); ++i) {
        const uint32_t v = counts.values[i * counts.dimensions + d];
        if (v >= seen.size()) {
          seen.resize(v + 1, 1.0);  // a failure's worth of doubt
          fitted.resize(v + 1, 1.0);
        }
        seen[v] += past.failures[i];
        fitted[v] += past.attempts[i] * rate[i];
      }
      for (std::size_t i = 0; i < counts.leaves(); ++i) {
        const uint32_t v = counts.values[i * counts.dimensions + d];
        rate[i] = clamp_rate(rate[i] * seen[v] / fitted[v]);
      }
    }
  }
  return rate;
}

// The gamma shape by which leaves' rates vary around their marginal rates: the largest likelihood
// of the negative binomial counts (Greenwood and Yule 1920).
double rate_shape(const PastSums& past, const std::vector<double>& marginal) {
  constexpr std::array<double, 11> kShapes{0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 100, 300, 1000};
  double best = kShapes[0];
  double best_likelihood = -1e300;
  const std::size_t stride = stride_for(marginal.size());
  for (const double shape : kShapes) {
    double likelihood = 0.0;
    for (std::size_t i = 0; i < marginal.size(); i += stride) {
      const double e = past.attempts[i] * marginal[i];
      const double k = past.failures[i];
      if (e <= 0.0) continue;
      likelihood += std::lgamma(shape + k) - std::lgamma(shape) +
                    shape * std::log(shape / (shape + e)) + k * std::log(e / (shape + e));
    }
    if (likelihood > best_likelihood) {
      best_likelihood = likelihood;
      best = shape;
    }
  }
  return best;
}

// How well a common rate or level fits the leaves, each of which may have a fault of its own.
template <class RateOf>
double agreement(const Leaves& leaves, const std::vector<bool>& affected, RateOf&& rate_of) {
  constexpr double kOwn = 0.1;
  double sum = 0.0;
  const std::size_t stride = stride_for(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); i += stride) {
    if (affected[i]) continue;
    const double n = leaves.attempts[i];
    const double own = clamp_rate(leaves.failures[i] / n);
    const double p = clamp_rate(rate_of(i));
    // Relative to the leaf's own rate: 0 at best.
    const double fit = rate_evidence(n, leaves.failures[i], own, p, leaves.spread(i, p));
    sum += std::log((1.0 - kOwn) * std::exp(fit) + kOwn * 0.1);
  }
  return sum;
}

// The maximum of `value` over [low, high]: a grid, then golden-section.
template <class Value>
double maximum(double low, double high, int steps, Value&& value) {
  double best = low;
  double best_value = -1e300;
  const double width = (high - low) / steps;
  for (int i = 0; i <= steps; ++i) {
    const double x = low + width * i;
    if (const double v = value(x); v > best_value) {
      best_value = v;
      best = x;
    }
  }
  double a = std::max(low, best - width);
  double b = std::min(high, best + width);
  for (int i = 0; i < 12; ++i) {
    const double c = b - 0.618 * (b - a);
    const double d = a + 0.618 * (b - a);
    if (value(c) > value(d)) {
      b = d;
    } else {
      a = c;
    }
  }
  return 0.5 * (a + b);
}

struct Residual {
  double z2;  // squared, over the binomial variance
  double e;   // expected failures
  double baseline_variance;
};

bool whole(double x) { return x == std::floor(x); }

// Leaves now, and with a history leaves in each period, held against the rates that are expected.
std::vector<Residual> residuals(const SliceCounts& counts, const std::vector<bool>& affected,
                                const Leaves& leaves, bool integers) {
  std::vector<Residual> out;
  const std::size_t stride = stride_for(leaves.size());
  const auto add = [&](double n, double k, double p, double baseline_variance, double factor) {
    const double variance = n * p * (1.0 - p);
    // Small counts are skewed: their squares say nothing of the scatter.
    if (variance <= 0.0 || (integers && variance < 2.0)) return;
    out.push_back({(k - n * p) * (k - n * p) / variance * factor, n * p, baseline_variance});
  };
  for (std::size_t i = 0; i < leaves.size(); i += stride) {
    if (affected[i]) continue;
    add(leaves.attempts[i], leaves.failures[i], leaves.base[i], leaves.baseline_variance[i], 1.0);
  }
  if (counts.periods < 3) return out;
  const auto periods = static_cast<double>(counts.periods);
  for (std::size_t i = 0; i < leaves.size(); i += stride * (counts.periods / 4 + 1)) {
    double n = 0.0;
    double k = 0.0;
    for (std::size_t j = 0; j < counts.periods; ++j) {
      n += counts.past_attempts[i * counts.periods + j];
      k += counts.past_failures[i * counts.periods + j];
    }
    if (n <= 0.0) continue;
    for (std::size_t j = 0; j < counts.periods; ++j) {
      const std::size_t cell = i * counts.periods + j;
      add(counts.past_attempts[cell], counts.past_failures[cell], clamp_rate(k / n), 0.0,
          periods / (periods - 1.0));
    }
  }
  return out;
}

// Scatter by maximum likelihood; some residuals are of leaves with a fault, of any size alike.
SliceNoise scatter(const std::vector<Residual>& seen, bool integers) {
  SliceNoise best;
  if (seen.size() < 12) return best;
  constexpr std::array<double, 12> kRelative{0,    0.01, 0.02, 0.04, 0.07, 0.11,
                                             0.16, 0.23, 0.33, 0.5,  0.8,  1.4};
  constexpr std::array<double, 14> kExcess{1.0, 1.3, 1.7,  2.3,  3.2,  5.0,   9.0,
                                           20,  0.6, 0.25, 0.08, 0.02, 0.003, 0.0003};
  double best_likelihood = -1e300;
  const std::size_t excesses = kExcess.size();
  for (const double relative : kRelative) {
    for (std::size_t x = 0; x < excesses; ++x) {
      if (integers && kExcess[x] < 0.1) continue;
      for (const double odd : {0.03, 0.15, 0.4}) {
        double likelihood = -2.0 * relative;
        for (const Residual& r : seen) {
          const double d =
              kExcess[x] * (1.0 + r.e * r.baseline_variance) + relative * relative * r.e;
          likelihood += std::log((1.0 - odd) * std::exp(-0.5 * r.z2 / d) / std::sqrt(d) +
                                 odd * 0.2 / (1.0 + std::sqrt(r.z2)));
        }
        if (likelihood > best_likelihood) {
          best_likelihood = likelihood;
          best = {.excess = kExcess[x], .relative = relative};
        }
      }
    }
  }
  return best;
}

// ln of the rate that most leaves agree on; of two that nearly as many agree on, the lower.
double common_rate(const Leaves& leaves, const std::vector<bool>& affected) {
  constexpr double kLow = -13.8;  // ln 1e-6
  constexpr int kSteps = 60;
  constexpr double kStep = (-0.05 - kLow) / kSteps;
  const auto value = [&](double x) {
    return agreement(leaves, affected, [&](std::size_t) { return std::exp(x); });
  };
  std::array<double, kSteps + 1> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = value(kLow + kStep * static_cast<double>(i));
  }
  const auto peak = [&](std::size_t i) {
    return (i == 0 || values[i] >= values[i - 1]) &&
           (i + 1 == values.size() || values[i] >= values[i + 1]);
  };
  auto top =
      static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  // What a fifth of the leaves can make of a difference.
  const double near = 0.2 * 4.6 * static_cast<double>(leaves.size() / stride_for(leaves.size()));
  for (std::size_t i = 0; i + 3 < top; ++i) {
    const double dip = *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(i),
                                         values.begin() + static_cast<std::ptrdiff_t>(top));
    if (peak(i) && values[i] > values[top] - near && dip < values[i] - near) top = i;
  }
  const double x = kLow + kStep * static_cast<double>(top);
  return maximum(x - kStep, std::min(-0.05, x + kStep), 2, value);
}

double mean_rate(const Leaves& leaves, const std::vector<bool>& affected) {
  double n = 0.0;
  double k = 0.0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (affected[i]) continue;
    n += leaves.attempts[i];
    k += leaves.failures[i];
  }
  return clamp_rate(k / std::max(n, 1e-300));
}

bool all_whole(const SliceCounts& counts) {
  const auto are = [](const std::vector<double>& v) {
    return std::all_of(v.begin(), v.end(), whole);
  };
  return are(counts.failures) && are(counts.attempts) && are(counts.past_failures);
}

}  // namespace

const std::array<Effect, kEffects> kEffectGrid{{{true, 1.12},
                                                {true, 1.3},
                                                {true, 1.6},
                                                {true, 2.1},
                                                {true, 3.0},
                                                {true, 5.0},
                                                {true, 10.0},
                                                {true, 30.0},
                                                {false, 0.005},
                                                {false, 0.02},
                                                {false, 0.05},
                                                {false, 0.12},
                                                {false, 0.25},
                                                {false, 0.45},
                                                {false, 0.7},
                                                {false, 0.95}}};

double Effect::rate(double p) const {
  return clamp_rate(multiplies ? p * size / (1.0 + p * (size - 1.0)) : p + size * (1.0 - p));
}

double Leaves::spread(std::size_t leaf, double rate) const {
  const double e = attempts[leaf] * rate;
  return noise.excess * (1.0 + e * baseline_variance[leaf]) + noise.relative * noise.relative * e;
}

double rate_evidence(double n, double k, double rate0, double rate1, double spread) {
  return (k * std::log(rate1 / rate0) + (n - k) * std::log((1.0 - rate1) / (1.0 - rate0))) / spread;
}

double tolerant(double evidence) {
  if (evidence > 20.0) return evidence;
  return std::log((1.0 - kUnaffected) * std::exp(evidence) + kUnaffected);
}

Leaves expect(const SliceCounts& counts) {
  Leaves leaves;
  leaves.attempts = counts.attempts;
  leaves.failures = counts.failures;
  leaves.base.resize(counts.leaves());
  leaves.baseline_variance.assign(counts.leaves(), 0.0);
  if (!counts.rates.empty()) {
    for (std::size_t i = 0; i < counts.leaves(); ++i) {
      leaves.base[i] = clamp_rate(counts.rates[i]);
      leaves.baseline_variance[i] = 1.0 / (1.0 + counts.rate_failures[i]);
    }
    return leaves;
  }
  if (counts.periods > 0) {
    const PastSums past = sum_past(counts);
    const std::vector<double> marginal = marginal_rates(counts, past);
    const double shape = rate_shape(past, marginal);
    for (std::size_t i = 0; i < counts.leaves(); ++i) {
      leaves.base[i] =
          clamp_rate((shape + past.failures[i]) / (shape / marginal[i] + past.attempts[i]));
      leaves.baseline_variance[i] = 1.0 / (shape + past.failures[i]);
    }
  }
  settle(counts, std::vector<bool>(counts.leaves(), false), leaves);
  return leaves;
}

void settle(const SliceCounts& counts, const std::vector<bool>& affected, Leaves& leaves) {
  const bool integers = all_whole(counts);
  const bool known = std::find(affected.begin(), affected.end(), true) != affected.end();
  if (counts.periods == 0 && known) {
    std::fill(leaves.base.begin(), leaves.base.end(), mean_rate(leaves, affected));
  } else if (counts.periods == 0) {
    // The scatter decides how far leaves may lie from the common rate, and that rate what scatters.
    std::fill(leaves.base.begin(), leaves.base.end(), mean_rate(leaves, affected));
    for (int round = 0; round < 2; ++round) {
      leaves.noise = scatter(residuals(counts, affected, leaves, integers), integers);
      const double log_rate = common_rate(leaves, affected);
      std::fill(leaves.base.begin(), leaves.base.end(), std::exp(log_rate));
    }
  } else {
    const auto level = [&](double x) {
      return agreement(leaves, affected,
                       [&](std::size_t i) { return leaves.base[i] * std::exp(x); });
    };
    const double x = maximum(-0.4, 0.4, 16, level);
    // A drift of everything is no slice's doing.
    if (level(x) - level(0.0) > 5.0) {
      for (double& p : leaves.base) p = clamp_rate(p * std::exp(x));
      leaves.level *= std::exp(x);
    }
  }
  leaves.noise = scatter(residuals(counts, affected, leaves, integers), integers);
}

}  // namespace payops::reasoning::slice_scan
