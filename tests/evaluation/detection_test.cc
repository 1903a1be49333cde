// That the measure of detection measures what it says, on a fixed seed and few attempts; the
// figures are in docs/evaluation.md.
#include "payops/evaluation/detection.h"

#include <doctest/doctest.h>

#include "payops/core/json_fields.h"

namespace payops::evaluation {
namespace {

DetectionFigures small(unsigned jobs) {
  // Ten times the shipped target, so that few attempts show it.
  return measure_detection({.healthy_attempts = 300'000,
                            .runs = 32,
                            .target_false_alarms = 1e-5,
                            .seed = 3,
                            .jobs = jobs});
}

TEST_CASE("false alarms keep to the target, steady and drifting, and delays to the bars") {
  const DetectionFigures figures = small(2);
  REQUIRE(figures.cells.size() == 9);
  for (const DetectionCell& cell : figures.cells) {
    CAPTURE(cell.baseline);
    CAPTURE(cell.learnt);
    CAPTURE(cell.row_attempts);
    CHECK(cell.watched >= 290'000);
    CHECK(cell.per_attempt.low <= 1e-5);
    CHECK(cell.drift_per_attempt.low <= 1e-5);
  }
  for (const DetectionDelay& d : figures.delays) {
    CAPTURE(d.baseline);
    CAPTURE(d.learnt);
    CAPTURE(d.row_attempts);
    CAPTURE(d.rate);
    CHECK(d.runs >= 100);
    CHECK(d.ratio.low <= d.ratio.mean);
    CHECK(d.ratio.mean <= d.ratio.high);
    CHECK(d.optimum >= 1.0);
    CHECK(d.excess_failures == doctest::Approx((d.rate - d.baseline) * d.delay));
    // What counting so few attempts leaves open is the interval's.
    CHECK((d.within || d.ratio.low <= d.bar));
  }
}

TEST_CASE("the result does not depend on the number of threads") {
  CHECK(dump(to_json(small(1))) == dump(to_json(small(3))));
}

}  // namespace
}  // namespace payops::evaluation
