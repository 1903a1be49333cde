#include "payops/reasoning/cusum.h"

#include <doctest/doctest.h>

#include <cmath>

#include "payops/core/random.h"

namespace payops::reasoning {
namespace {

// Mean attempts to the first crossing, over `runs` runs of failures at rate p.
double mean_run(double p, double p0, double g, double threshold, int runs) {
  double total = 0.0;
  for (int r = 0; r < runs; ++r) {
    RandomStream draw = Random(7).at(static_cast<uint64_t>(r), static_cast<uint64_t>(g * 1000));
    Cusum cusum;
    double n = 0.0;
    while (cusum.statistic <= threshold && n < 1e6) {
      const double k = draw.chance(p) ? 1.0 : 0.0;
      cusum.add(share_llr(1.0, k, p0, g), static_cast<int64_t>(n), 1.0, k, p0);
      ++n;
    }
    total += n;
  }
  return total / runs;
}

TEST_CASE("every alternative's threshold gives about the false alarms it was asked for") {
  for (const double p0 : {0.02, 0.05, 0.15}) {
    for (const double g : kFailureShares) {
      CAPTURE(p0);
      CAPTURE(g);
      const double wanted = 5'000.0;
      const double had = mean_run(p0, p0, g, share_threshold(wanted, p0, g), 60);
      CHECK(had > 0.5 * wanted);
      // Where a single failure nearly suffices, thresholds only work in whole failures.
      CHECK(had < (g > 0.5 ? 12.0 : 4.0) * wanted);
    }
  }
}

TEST_CASE("a change is noticed in about the attempts that the information in them demands") {
  const double p0 = 0.05, g = 0.38, p1 = p0 + (1.0 - p0) * g;
  const double threshold = share_threshold(1e6, p0, g);
  const double information = p1 * std::log(p1 / p0) + (1.0 - p1) * std::log1p(-g);
  const double had = mean_run(p1, p0, g, threshold, 200);
  CHECK(had > 0.7 * threshold / information);
  CHECK(had < 1.5 * threshold / information);
}

TEST_CASE("a batch of counts weighs as its attempts one by one") {
  double sum = 0.0;
  for (int i = 0; i < 10; ++i) sum += share_llr(1.0, i < 3 ? 1.0 : 0.0, 0.07, 0.22);
  CHECK(share_llr(10.0, 3.0, 0.07, 0.22) == doctest::Approx(sum));
}

TEST_CASE("seconds of silence weigh as much together as apart") {
  Bank<3> together, apart;
  together.add_drop(kDropShares, 100, 0.0, 12.0);
  for (int i = 0; i < 4; ++i) apart.add_drop(kDropShares, 100 + i, 0.0, 3.0);
  for (std::size_t j = 0; j < 3; ++j) {
    CHECK(together.cusums[j].statistic == doctest::Approx(apart.cusums[j].statistic));
    CHECK(together.cusums[j].onset == apart.cusums[j].onset);
  }
}

TEST_CASE("a statistic that falls to zero forgets what it had seen") {
  Cusum cusum;
  cusum.add(2.0, 5, 10.0, 3.0, 0.5);
  cusum.add(-3.0, 6, 10.0, 0.0, 0.5);
  CHECK(cusum.attempts == 0.0);
  cusum.add(1.0, 9, 1.0, 1.0, 0.05);
  CHECK(cusum.onset == 9);
}

}  // namespace
}  // namespace payops::reasoning
