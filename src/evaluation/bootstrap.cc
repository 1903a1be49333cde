#include "bootstrap.h"

#include <algorithm>

#include "payops/core/random.h"

namespace payops::evaluation {
namespace {

double quotient(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

}  // namespace

Interval pooled_ratio(const std::vector<Ratio>& clusters) {
  if (clusters.empty()) return {};
  Ratio all;
  for (const Ratio& c : clusters) {
    all.part += c.part;
    all.whole += c.whole;
  }
  const Random random(kBootstrapSeed);
  std::vector<double> draws;
  for (uint64_t draw = 0; draw < kBootstrapDraws; ++draw) {
    RandomStream stream = random.at(draw);
    Ratio sum;
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const Ratio& drawn = clusters[stream.below(clusters.size())];
      sum.part += drawn.part;
      sum.whole += drawn.whole;
    }
    draws.push_back(quotient(sum.part, sum.whole));
  }
  std::sort(draws.begin(), draws.end());
  const auto last = static_cast<double>(draws.size() - 1);
  return {quotient(all.part, all.whole), draws[static_cast<std::size_t>(0.025 * last + 0.5)],
          draws[static_cast<std::size_t>(0.975 * last + 0.5)]};
}

}  // namespace payops::evaluation
