// The deployment's one false-alarm budget, over a healthy day whose failure rate drifts.
#include <doctest/doctest.h>

#include <cmath>

#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

TEST_CASE("false alarms over all series keep to the budget while the rate drifts by a fifth") {
  // A thousandfold budget, so that a day shows it: 143 alarms, 100 of them on failures.
  constexpr double kPerWeek = 1'000.0;
  ReasoningConfig config;
  config.false_alarms_per_week = kPerWeek;
  test::Run run;
  run.reasoner = Reasoner(config);
  run.traffic.seed = 21;
  run.traffic.rate = 5.0;
  for (int64_t t = 0; t < 86'400; t += 60) {
    run.traffic.technical =
        0.05 * (1.0 + 0.2 * std::sin(2.0 * M_PI * static_cast<double>(t) / 86'400.0));
    run.until(t + 60);
  }
  const auto failures = std::count_if(run.rose.begin(), run.rose.end(), [](const Alarm& a) {
    return a.signal == Signal::success_rate;
  });
  MESSAGE(run.rose.size() << " alarms, " << failures << " on failures");
  CHECK(static_cast<double>(failures) <= 0.7 * kPerWeek / 7.0);
  CHECK(static_cast<double>(run.rose.size()) <= kPerWeek / 7.0);
}

}  // namespace
}  // namespace payops::reasoning
