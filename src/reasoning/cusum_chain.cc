#include "payops/reasoning/cusum_chain.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace payops::reasoning {
namespace {

constexpr std::size_t kStates = 500;
constexpr int kMostRounds = 200'000;

// A step on the lattice: its climb falls between two states and is shared out to them, so that its
// mean is exact.
struct LatticeStep {
  std::ptrdiff_t states;  // climbed, rounded down
  double low, high;       // probability of so many, and of one more
};

}  // namespace

CusumChain::CusumChain(double p0, double p1, unsigned row_attempts) : row_attempts_(row_attempts) {
  const double failure = std::log(p1 / p0), success = std::log((1.0 - p1) / (1.0 - p0));
  const auto n = static_cast<double>(row_attempts);
  for (unsigned k = 0; k <= row_attempts; ++k) {
    const double choose = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
    const auto chance = [&](double p) {
      return std::exp(choose + k * std::log(p) + (n - k) * std::log1p(-p));
    };
    const Step step{k * failure + (n - k) * success, chance(p0), chance(p1)};
    if (step.usual > 1e-18 || step.changed > 1e-18) steps_.push_back(step);
  }
}

CusumChain::Speed CusumChain::at(double threshold) const {
  const double width = threshold / static_cast<double>(kStates);
  const auto lattice = [&](double Step::*probability) {
    std::vector<LatticeStep> all;
    for (const Step& s : steps_) {
      const double floor = std::floor(s.climb / width);
      const double part = s.climb / width - floor;
      all.push_back({static_cast<std::ptrdiff_t>(floor), s.*probability * (1.0 - part),
                     s.*probability * part});
    }
    return all;
  };
  // One row on: what stays below the threshold.
  const auto advance = [](const std::vector<LatticeStep>& steps, const std::vector<double>& from,
                          std::vector<double>& to) {
    std::fill(to.begin(), to.end(), 0.0);
    const auto states = static_cast<std::ptrdiff_t>(from.size());
    const auto shift = [&](std::ptrdiff_t by, double weight) {
      if (weight <= 0.0) return;
      const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(-by, 0, states);
      for (std::ptrdiff_t i = 0; i < first; ++i) to[0] += weight * from[static_cast<size_t>(i)];
      for (std::ptrdiff_t i = first; i + by < states && i < states; ++i) {
        to[static_cast<std::size_t>(i + by)] += weight * from[static_cast<std::size_t>(i)];
      }
    };
    for (const LatticeStep& s : steps) {
      shift(s.states, s.low);
      shift(s.states + 1, s.high);
    }
    double left = 0.0;
    for (const double m : to) left += m;
    return left;
  };
  std::vector<double> mass(kStates + 1, 0.0), next(mass.size());
  mass[0] = 1.0;
  const auto usual = lattice(&Step::usual);
  double lost = 1.0;
  int calm = 0;
  for (int round = 0; round < kMostRounds && calm < 50; ++round) {
    const double left = advance(usual, mass, next);
    calm = std::abs((1.0 - left) - lost) <= 1e-5 * (1.0 - left) + 1e-15 ? calm + 1 : 0;
    lost = 1.0 - left;
    for (double& m : next) m /= left;
    mass.swap(next);
  }
  Speed speed;
  const auto n = static_cast<double>(row_attempts_);
  speed.false_alarms = lost / n;
  const auto changed = lattice(&Step::changed);
  double left = 1.0;
  for (int round = 0; round < kMostRounds && left > 1e-9; ++round) {
    speed.delay += left * n;
    left = advance(changed, mass, next);
    mass.swap(next);
  }
  return speed;
}

double CusumChain::delay_at(double false_alarms, double* threshold) const {
  double low = 0.05, high = 40.0;
  while (high - low > 2e-3) {
    const double middle = 0.5 * (low + high);
    (at(middle).false_alarms > false_alarms ? low : high) = middle;
  }
  const Speed sooner = at(low), later = at(high);
  if (threshold != nullptr) *threshold = high;
  const double span = std::log(sooner.false_alarms / later.false_alarms);
  const double part = span > 0.0 ? std::log(sooner.false_alarms / false_alarms) / span : 1.0;
  return sooner.delay + std::clamp(part, 0.0, 1.0) * (later.delay - sooner.delay);
}

}  // namespace payops::reasoning
