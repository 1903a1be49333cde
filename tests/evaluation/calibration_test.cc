// That calibration measures what it says, on fixed seeds; the figures are in docs/evaluation.md.
#include "payops/evaluation/calibration.h"

#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("the length of a fault is drawn by seed, and is as scripted without a spread") {
  simulators::Scenario scripted;
  scripted.name = "two faults";
  scripted.duration_s = 1'000.0;
  scripted.faults.resize(2);
  scripted.faults[0].start_s = 100.0;
  scripted.faults[0].duration_s = 200.0;
  scripted.faults[1].start_s = 500.0;
  scripted.faults[1].duration_s = 300.0;
  scripted.faults[1].ramp_s = 300.0;
  const auto length = [](const simulators::Scenario& s, std::size_t i) {
    return s.faults[i].duration_s;
  };
  const simulators::Scenario same = with_lengths(scripted, 0.0, 5);
  CHECK(length(same, 0) == 200.0);
  CHECK(length(same, 1) == 300.0);
  CHECK(same.duration_s == 1'000.0);
  double longest = 0.0, shortest = 1e9, logs = 0.0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    const simulators::Scenario drawn = with_lengths(scripted, 0.7, seed);
    const simulators::Scenario again = with_lengths(scripted, 0.7, seed);
    CHECK(length(drawn, 0) == length(again, 0));
    CHECK(length(drawn, 1) == length(again, 1));
    CHECK(drawn.faults[1].start_s == 500.0);
    CHECK(drawn.faults[1].ramp_s <= length(drawn, 1));
    // The world goes on as long after the last fault as it was scripted to, or longer.
    for (const simulators::Fault& fault : drawn.faults) {
      CHECK(drawn.duration_s >= fault.start_s + fault.duration_s + 200.0);
    }
    CHECK(drawn.duration_s >= 1'000.0);
    longest = std::max(longest, length(drawn, 0));
    shortest = std::min(shortest, length(drawn, 0));
    logs += std::log(length(drawn, 0) / 200.0);
  }
  CHECK(shortest >= 30.0);
  CHECK(shortest < 80.0);
  CHECK(longest > 500.0);
  CHECK(std::abs(logs / 400.0) < 0.15);  // as often longer as shorter
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
