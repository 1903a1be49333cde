// That calibration measures what it says, on fixed seeds; the figures are in docs/evaluation.md.
#include "payops/evaluation/calibration.h"

#include <doctest/doctest.h>

#include <cmath>

#include "payops/core/json_fields.h"

namespace payops::evaluation {
namespace {

observation::DeclineTable declines() {
  auto table = observation::DeclineTable::load("config/decline_codes.yaml");
  REQUIRE_MESSAGE(table, table.error().message);
  return *table;
}

HypothesisCalibration hypotheses(unsigned jobs) {
  const auto result = calibrate_hypotheses({.faults = 12, .seed = 7, .jobs = jobs}, {}, declines());
  REQUIRE_MESSAGE(result, result.error().message);
  return *result;
}

TEST_CASE("drawn faults are noticed and named better than the prior and than shuffled evidence") {
  const HypothesisCalibration h = hypotheses(2);
  CHECK(h.faults == 12);
  CHECK(h.noticed >= 8);
  CHECK(h.brier < h.prior_brier);
  CHECK(h.brier < h.shuffled_brier);
  CHECK(h.shuffled_brier > h.prior_brier);
  for (const ReliabilityBin& bin : h.bins) {
    if (bin.said == 0) continue;
    CHECK(bin.mean_probability >= bin.low - 1e-9);
    CHECK(bin.mean_probability <= bin.high + 1e-9);
  }
  CHECK(dump(to_json(h)) == dump(to_json(hypotheses(1))));
}

TEST_CASE("an intervention is worth what the world earns more with it than without it alone") {
  auto scenario = simulators::load_scenario("gateway_failure");
  REQUIRE(scenario);
  ValueSweep sweep;
  sweep.scenarios = {*scenario};
  sweep.first_seed = 2;
  sweep.last_seed = 3;
  const auto result = calibrate_values(sweep, {}, declines());
  REQUIRE_MESSAGE(result, result.error().message);
  REQUIRE(result->actions >= 2);
  CHECK(result->actions == result->cases.size());
  double covered = 0.0, realised = 0.0;
  for (const ValueCase& one : result->cases) {
    CHECK(one.low_minor <= one.expected_minor);
    CHECK(one.covered ==
          (one.realised_minor >= one.low_minor && one.realised_minor <= one.high_minor));
    covered += one.covered ? 1.0 : 0.0;
    realised += one.realised_minor;
  }
  CHECK(result->coverage.mean == doctest::Approx(covered / static_cast<double>(result->actions)));
  CHECK(result->coverage.low <= result->coverage.mean);
  CHECK(result->realised_minor == doctest::Approx(realised));
  // Moving payments off a gateway that fails saves some of them.
  CHECK(realised > 0.0);
}

}  // namespace
}  // namespace payops::evaluation
